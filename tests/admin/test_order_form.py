"""One order typed in by hand: taken as the API's would be, or told at the field why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.ids import new_id
from hub.db.tables import (
    ConnectionRow,
    ContactRow,
    ErrandRow,
    EventRow,
    JobRow,
    LineRow,
    LinkRow,
    OrderRow,
    PlaceRow,
)
from hub.flows.errands import parked
from hub.flows.retain import retain
from tests.admin.desk import SIX, Desk, a_desk, a_hub, text_of

NEW = "/panel/orders/new"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return a_hub(None, tmp_path)


@pytest.fixture
def desk(hub: Hub) -> Desk:
    return a_desk(hub)


def typed(**changed: str) -> dict[str, str]:
    return {
        "ref": new_id(),
        "number": "",
        "kind": "deliver",
        "name": "Aino Laine",
        "phone": "040 123 4567",
        "email": "aino@example.com",
        "street": "Mannerheimintie 14",
        "postcode": "00100",
        "city": "Helsinki",
        "day": "2026-11-23",
        "opens": "09:00",
        "closes": "12:00",
        "goods": "2 x Rye bread\nOat biscuits",
        "instructions": "Ring twice",
    } | changed


def test_an_order_typed_in_is_an_order_like_any_other(desk: Desk) -> None:
    answer = desk.post(NEW, **typed())
    [order] = desk.rows(OrderRow)
    assert answer.location == f"/panel/orders/{order.id}"
    [job] = desk.rows(JobRow)
    assert (job.kind, job.due_on.isoformat()) == ("deliver", "2026-11-23")
    assert job.windows == [["2026-11-23T09:00:00+02:00", "2026-11-23T12:00:00+02:00"]]
    assert [(line.quantity, line.title) for line in desk.rows(LineRow)] == [
        (2, "Rye bread"),
        (1, "Oat biscuits"),
    ]
    assert desk.rows(ContactRow)[0].phone == "+358401234567"
    assert desk.rows(PlaceRow)[0].address["country"] == "FI"
    assert len(desk.rows(LinkRow)) == 1


def test_hours_that_clocks_leave_out_in_spring_are_an_hour_later(desk: Desk) -> None:
    desk.post(NEW, **typed(day="2027-03-28", opens="03:30", closes="04:10"))
    [job] = desk.rows(JobRow)
    opens, closes = (datetime.fromisoformat(end) for end in job.windows[0])
    assert (opens.astimezone(UTC).hour, closes - opens) == (1, timedelta(minutes=40))


def test_orders_without_a_number_are_counted_on(desk: Desk) -> None:
    for _ in range(2):
        desk.post(NEW, **typed())
    assert [order.number for order in desk.rows(OrderRow)] == ["T-1", "T-2"]


def test_a_form_sent_twice_makes_one_order(desk: Desk) -> None:
    fields = typed()
    first, second = desk.post(NEW, **fields), desk.post(NEW, **fields)
    assert first.location == second.location
    assert len(desk.rows(OrderRow)) == 1


def test_a_number_that_is_taken_is_told_at_the_number(desk: Desk) -> None:
    desk.post(NEW, **typed(number="1001"))
    answer = desk.post(NEW, **typed(number="1001"))
    assert answer.status_code == 422
    assert "There is an order 1001 already." in text_of(answer)
    assert len(desk.rows(OrderRow)) == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("street", "", "Please fill this in."),
        ("phone", "12", "not a phone number we can dial"),
        ("email", "aino", "This does not look right."),
        ("day", "2026-11-22", "This day is over."),
        ("day", "soon", "This is not a day."),
        ("day", "", "Hours need a day."),
        ("opens", "9", "This is not a time of day."),
        ("closes", "08:00", "not after the time it begins"),
        ("kind", "steal", "Choose one of the list."),
        ("goods", "0 x Bun", "At least 1."),
        ("goods", "x" * 600, "At most 500 characters."),
        ("goods", "Bun\n" * 501, "At most 500."),
        ("city", "x" * 200, "At most 100 characters."),
        ("instructions", "x" * 2000, "At most 1000 characters."),
    ],
)
def test_a_slip_is_told_at_its_field_and_keeps_what_was_typed(
    desk: Desk, field: str, value: str, said: str
) -> None:
    answer = desk.post(NEW, **typed(**{field: value}))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert said in text_of(answer)
    assert "Oat biscuits" in answer.text or field == "goods"
    assert desk.rows(OrderRow) == []


def test_every_slip_is_told_at_once(desk: Desk) -> None:
    answer = desk.post(NEW, **typed(street="", phone="12", city="x" * 200))
    for field in ("street", "phone", "city"):
        assert f'id="{field}-error"' in answer.text


def test_an_order_for_any_day_needs_only_an_address(desk: Desk) -> None:
    desk.post(NEW, ref=new_id(), kind="serve", street="Yrjönkatu 10", city="Helsinki")
    [job] = desk.rows(JobRow)
    assert (job.kind, job.due_on, job.windows) == ("serve", None, [])


def test_orders_typed_in_come_by_a_connection_of_their_own(hub: Hub, desk: Desk) -> None:
    desk.post(NEW, **typed())
    made = {row.slug: row.id for row in desk.rows(ConnectionRow)}
    assert desk.rows(OrderRow)[0].connection_id == made["typed-in"]
    assert "typed-in" not in {row.slug for row in a_desk(hub, "Neighbours").rows(ConnectionRow)}


def test_a_typed_order_asks_for_no_plugin_and_leaves_nothing_stuck(hub: Hub, desk: Desk) -> None:
    page = desk.get(desk.post(NEW, **typed()).location)
    assert "Came from the form for new orders" in text_of(page)
    hub.deliver_events()
    told = {row.subscriber for row in desk.rows(ErrandRow)}
    assert "hub.locate" in told
    assert not {"hub.write_back", "hub.records"} & told
    assert parked(hub, desk.business_id) == []
    assert "Typed in" not in text_of(desk.get("/panel/connections"))


def test_what_typed_orders_once_left_stuck_goes_away_by_itself(hub: Hub, desk: Desk) -> None:
    desk.post(NEW, **typed())
    hub.deliver_events()
    with hub.unit() as unit:
        placed = unit.session.exec(select(EventRow).where(EventRow.name == "OrderPlaced")).one()
        old = {"event_seq": placed.seq, "business_id": desk.business_id, "state": "parked"}
        old |= {"subject_id": placed.subject_id, "due_at": SIX, "subscriber": "hub.write_back"}
        said = "ConfigError: The plugin for 'typed-in' is not installed."
        unit.session.add(ErrandRow(**old, last_error=said))
        unit.session.add(
            ErrandRow(**old | {"subscriber": "label"}, last_error="Refused: No paper.")
        )
    retain(hub)
    hub.deliver_events()
    assert [one.problem for one in parked(hub, desk.business_id)] == ["No paper."]


def test_the_list_of_orders_leads_to_the_form(desk: Desk) -> None:
    assert f'href="{NEW}"' in desk.get("/panel/orders").text
    assert "New order" in text_of(desk.get(NEW))


def test_what_planning_may_do_with_it_is_typed_in_too(desk: Desk) -> None:
    page = desk.post(
        NEW,
        **typed(
            optional="1",
            worth="12,50",
            ready="10:30",
            on_board_min="90",
            loads="Pallets: 2",
            only_driver="Mara",
            not_drivers="Otso, Iris",
            kinds_of_goods="Raw fish, ice",
            skills="Fridge",
            priority="7",
            wished_opens="14:00",
            wished_closes="15:00",
            wished_cost="7,50",
            access_min="2.5",
        ),
    )
    assert page.status_code == 302
    told = " ".join(text_of(desk.client.get(page.location)).split())
    assert "Worth 12.50" in told and "At most 90 min" in told and "2 pallets" in told
    assert "Only with Mara" in told and "Not with Otso, Iris" in told
    with desk.hub.reading() as session:
        report = session.exec(select(OrderRow)).one().report
    assert (report["optional"], report["prize"], report["max_on_board_s"]) == (True, 1250, 5400)
    assert datetime.fromisoformat(report["ready_at"]) == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    assert (report["loads"], report["only_driver"]) == ({"pallets": 2}, "Mara")
    assert report["not_drivers"] == ["Otso", "Iris"]
    assert sorted(report["goods"]) == ["ice", "raw fish"] and "ice, raw fish" in told
    assert "Needs fridge" in told and "Urgency 7 of 9" in told
    assert (report["skills"], report["priority"]) == (["fridge"], 7)
    assert datetime.fromisoformat(report["wished"]["opens"]) == datetime(
        2026, 11, 23, 12, tzinfo=UTC
    )
    assert (report["wished_per_hour"], report["access_s"]) == (750, 150)
    assert "14:00" in told and "7.50 for each hour off" in told and "2.5 min" in told


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [
        ({"worth": "much"}, "an amount, such as 12.50"),
        ({"on_board_min": "an hour"}, "minutes, such as 90"),
        ({"priority": "12"}, "Write 0 for the usual, up to 9"),
        ({"kinds_of_goods": "x" * 61}, "at most 60 letters"),
        ({"on_board_min": "0.5"}, "At least one minute."),
        ({"wished_opens": "15:00", "wished_closes": "14:00"}, "not after the time it begins"),
        ({"wished_opens": "noon"}, "Write it as 16:30."),
        ({"access_min": "far"}, "minutes, such as 3"),
        ({"ready": "soon"}, "Write it as 10:30"),
        ({"ready": "10:30", "day": "", "opens": "", "closes": ""}, "needs a day"),
        ({"loads": "pallets"}, "pallets: 6, crates: 40"),
        ({"loads": "kg: 4"}, "has a field of its own"),
    ],
)
def test_what_planning_cannot_be_asked_is_told_at_the_field(
    desk: Desk, wrong: dict[str, str], cure: str
) -> None:
    page = desk.post(NEW, **typed(**wrong))
    assert page.status_code == 422
    assert cure in text_of(page)
    assert '<details class="card" open>' in page.text or "day" in wrong
