"""What the order form takes beside one door and one time: further times, where it is fetched first,
what it is kept apart from; and that it makes the order that the API makes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.db.tables import ApartRow, DepotRow, EventRow, JobRow, LineRow, OrderRow
from hub.flows.import_file import preview
from hub.flows.sync import order_report
from hub.web.api_models import OrderIn
from tests.admin.desk import SIX, Desk, a_desk, a_hub, text_of
from tests.admin.test_order_form import NEW, typed

FETCH = {
    "fetch_street": "Kauppatori 1",
    "fetch_postcode": "00170",
    "fetch_city": "Helsinki",
    "fetch_name": "Eero",
    "fetch_phone": "040 765 4321",
    "fetch_opens": "08:00",
    "fetch_closes": "09:00",
    "fetch_opens2": "10:00",
    "fetch_closes2": "10:30",
    "fetch_min": "7",
    "fetch_note": "At the red stall",
}


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return a_hub(None, tmp_path)


@pytest.fixture
def desk(hub: Hub) -> Desk:
    return a_desk(hub)


def report(desk: Desk) -> dict[str, object]:
    return desk.rows(OrderRow)[-1].report


def utc(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def spans(windows: list[list[str]]) -> list[tuple[datetime, datetime]]:
    return [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in windows]


def test_several_times_may_suit_also_on_another_day(desk: Desk) -> None:
    more = {"opens2": "15:00", "closes2": "18:00", "day3": "2026-11-24", "opens3": "10:00"}
    page = desk.post(NEW, **typed(**more), follow=True)
    [job] = desk.rows(JobRow)
    assert spans(job.windows) == [
        (utc(7), utc(10)),
        (utc(13), utc(16)),
        (utc(8, day=24), utc(21, 59, day=24)),
    ]
    assert job.due_on.isoformat() == "2026-11-23"
    said = text_of(page)
    assert "Mon 23 Nov, 09:00–12:00 or 15:00–18:00; or Tue 24 Nov, from 10:00" in said


def test_a_time_on_an_earlier_day_is_the_day_it_is_first_wanted(desk: Desk) -> None:
    more = {"day": "2026-11-25", "day2": "2026-11-24", "opens2": "10:00", "closes2": "11:00"}
    desk.post(NEW, **typed(**more))
    [job] = desk.rows(JobRow)
    assert job.due_on.isoformat() == "2026-11-24" and len(job.windows) == 2


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"opens2": "15"}, "opens2", "This is not a time of day."),
        ({"opens2": "15:00", "closes2": "14:00"}, "closes2", "not after the time it begins"),
        ({"day3": "2026-11-24"}, "opens3", "or leave the whole row empty"),
        ({"day3": "2026-11-22", "opens3": "09:00"}, "day3", "This day is over."),
        ({"day": "", "opens": "", "closes": "", "opens2": "9:00"}, "opens2", "not a time of day"),
        ({"day": "", "opens": "", "closes": "", "opens2": "09:00"}, "day", "Hours need a day."),
        (
            {"opens": "", "closes": "", "day2": "2026-11-24", "opens2": "09:00"},
            "opens",
            "on this day too",
        ),
        ({**FETCH, "fetch_street": ""}, "fetch_street", "or leave all of this part empty"),
        ({**FETCH, "fetch_phone": "12"}, "fetch_phone", "not a phone number we can dial"),
        ({**FETCH, "fetch_min": "long"}, "fetch_min", "minutes, such as 3"),
        ({**FETCH, "fetch_closes2": "10:00"}, "fetch_closes2", "not after the time it begins"),
        ({**FETCH, "fetch_city": "x" * 200}, "fetch_city", "At most 100 characters."),
        ({**FETCH, "fetch_note": "x" * 2000}, "fetch_note", "At most 1000 characters."),
        ({**FETCH, "kind": "collect"}, "kind", "What is fetched first is delivered then."),
        ({"parcels": "some"}, "parcels", "a whole number, such as 3"),
        ({"service_min": "5000"}, "service_min", "At most 1440 minutes."),
        ({"depot": "Nowhere"}, "depot", "Choose one of the list."),
        ({"apart_from": "999"}, "apart_from", "There is no order 999."),
    ],
)
def test_a_slip_is_told_in_its_row_and_keeps_what_was_typed(
    hub: Hub, desk: Desk, wrong: dict[str, str], field: str, said: str
) -> None:
    with hub.unit() as unit:
        far = DepotRow(business_id=desk.business_id, name="Far", lat=60.3, lon=24.9)
        unit.session.add(far)
    page = desk.post(NEW, **typed(**wrong))
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert said in text_of(page)
    assert f'value="{wrong.get("opens2") or wrong.get("fetch_name") or "Aino Laine"}"' in page.text
    assert desk.rows(OrderRow) == []


def test_what_is_fetched_first_is_the_pair_that_the_api_makes(desk: Desk) -> None:
    page = desk.post(NEW, **typed(**FETCH), follow=True)
    collect, deliver = desk.rows(JobRow)
    assert [(job.kind, job.leg) for job in (collect, deliver)] == [("collect", 1), ("deliver", 2)]
    assert spans(collect.windows) == [(utc(6), utc(7)), (utc(8), utc(8, 30))]
    assert collect.service_s == 420
    fetch = report(desk)["pick_up"]
    assert fetch["address"]["lines"] == ["Kauppatori 1"]  # type: ignore[index]
    assert fetch["contact"]["phone"] == "+358407654321"  # type: ignore[index]
    said = text_of(page)
    assert "Fetched at Kauppatori 1" in said and "Eero +358407654321" in said
    assert "At the red stall" in said


def test_its_page_has_what_is_fetched_before_what_is_brought_and_counts_no_attempts(
    desk: Desk,
) -> None:
    page = desk.post(NEW, **typed(**FETCH), follow=True).text
    assert re.findall("<h2>(Collection|Delivery)(.*?)</h2>", page) == [
        ("Collection", ""),
        ("Delivery", ""),
    ]


def test_form_file_and_api_make_one_and_the_same_of_it(desk: Desk) -> None:
    desk.post(NEW, **typed(**FETCH, opens2="15:00", closes2="18:00"))
    sheet = (
        "Order no;Address;Date;Delivery window;Fetch street;Fetch postcode;Fetch city;Fetch from"
        ";Fetch phone;Fetch window;Fetch minutes;Fetch note\n"
        "1;Mannerheimintie 14;2026-11-23;'09:00-12:00; 15:00-18:00';Kauppatori 1;00170;Helsinki;Eero"
        ";040 765 4321;'08:00-09:00; 10:00-10:30';7;At the red stall\n"
    ).replace("'", '"')
    [filed] = preview(desk.hub, desk.business_id, sheet.encode(), "day.csv").orders
    sent = OrderIn.model_validate_json(
        """{"ref": "1", "address": {"lines": ["Mannerheimintie 14"]},
        "windows": [
          {"opens": "2026-11-23T09:00:00+02:00", "closes": "2026-11-23T12:00:00+02:00"},
          {"opens": "2026-11-23T15:00:00+02:00", "closes": "2026-11-23T18:00:00+02:00"}],
        "pick_up": {
          "address": {"lines": ["Kauppatori 1"], "postcode": "00170", "city": "Helsinki",
                      "country": "FI"},
          "contact": {"role": "shipper", "name": "Eero", "phone": "040 765 4321"},
          "windows": [
            {"opens": "2026-11-23T08:00:00+02:00", "closes": "2026-11-23T09:00:00+02:00"},
            {"opens": "2026-11-23T10:00:00+02:00", "closes": "2026-11-23T10:30:00+02:00"}],
          "service_s": 420, "instructions": "At the red stall"}}"""
    ).value("FI", SIX)
    made = order_report.validate_python(report(desk))
    assert made.pick_up == filed.pick_up == sent.pick_up
    assert made.windows == filed.windows == sent.windows


def test_goods_say_what_one_weighs_and_fills(desk: Desk) -> None:
    desk.post(NEW, **typed(goods="2 x Rye bread, 0.8 kg\nMilk, 1 kg, 1,5 l", parcels="4"))
    assert [
        (line.quantity, line.title, line.weight_g, line.volume_cm3) for line in desk.rows(LineRow)
    ] == [(2, "Rye bread", 800, 0), (1, "Milk", 1000, 1500)]
    assert report(desk)["parcels"] == 4


def test_minutes_at_the_door_and_the_depot_are_typed_in(hub: Hub, desk: Desk) -> None:
    assert "Its depot" not in text_of(desk.get(NEW)), "there is one"
    with hub.unit() as unit:
        far = DepotRow(business_id=desk.business_id, name="Far", lat=60.3, lon=24.9)
        unit.session.add(far)
    assert "Its depot" in text_of(desk.get(NEW))
    desk.post(NEW, **typed(service_min="12.5", depot="Far"))
    [job] = desk.rows(JobRow)
    assert job.service_s == 750 and report(desk)["custom"] == {"depot": "Far"}


def test_an_order_is_kept_apart_from_others_when_typed_in_and_later(desk: Desk) -> None:
    desk.post(NEW, **typed(number="1001"))
    answer = desk.post(NEW, **typed(number="1002", apart_from="1001"))
    assert "Kept apart from 1001" in text_of(desk.get(answer.location))
    first, second = desk.rows(OrderRow)
    assert "Kept apart from 1002" in text_of(desk.get(f"/panel/orders/{first.id}"))
    desk.post(NEW, **typed(number="1003"))
    page = desk.post(f"{answer.location}/apart", apart_from="1003", follow=True)
    assert "Kept apart from 1001, 1003" in text_of(page)
    wrong = desk.post(f"{answer.location}/apart", apart_from="7")
    assert wrong.status_code == 422 and "There is no order 7." in text_of(wrong)
    assert 'value="7"' in wrong.text
    page = desk.post(f"{answer.location}/apart", apart_from="", follow=True)
    assert "Kept apart from 1001" in text_of(page) and "1003" not in text_of(page)
    with desk.hub.reading() as session:
        told = session.exec(select(EventRow).where(EventRow.name == "OrderAmended")).all()
    assert [event.payload["changed"] for event in told] == [["apart_from"], ["apart_from"]]
    assert second.id and len(desk.rows(ApartRow)) == 1


def test_who_is_named_by_an_id_is_still_who_was_meant_when_the_page_is_sent_again(
    desk: Desk,
) -> None:
    for number in ("1001", "1002"):
        desk.post(NEW, **typed(number=number))
    first, second = desk.rows(OrderRow)
    page = desk.post(f"/panel/orders/{second.id}/apart", apart_from=first.id, follow=True)
    assert "Kept apart from 1001" in text_of(page) and f'value="{first.id}"' in page.text
    desk.post(f"/panel/orders/{second.id}/apart", apart_from=first.id)
    [row] = desk.rows(ApartRow)
    assert (row.name, row.other_id) == (first.id, first.id)


def test_nobody_keeps_another_businesss_order_apart(hub: Hub, desk: Desk) -> None:
    desk.post(NEW, **typed(number="1001"))
    [order] = desk.rows(OrderRow)
    stranger = a_desk(hub, "Rival")
    assert stranger.post(f"/panel/orders/{order.id}/apart", apart_from="1").status_code == 404
    page = stranger.post(NEW, **typed(number="1", apart_from=order.id))
    assert page.status_code == 422 and 'id="apart_from-error"' in page.text
