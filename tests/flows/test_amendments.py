"""What a source says anew about an order that people have worked on meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.core.amending import Decision
from hub.core.jobs import NextStep, NotNow, State
from hub.core.values import Contact, Point, Role, TimeWindow
from hub.db.tables import ImportRow, JobRow, OrderRow, PlaceRow, StopJobRow, StopRow
from hub.flows.drive import take_acts
from hub.flows.import_file import store_file, take_file
from hub.flows.next_steps import choose_step
from hub.flows.order_desk import call_off
from hub.flows.phone import shown_to
from hub.flows.sync import order_report, store_all
from tests.amending_worlds import (
    KALEVANKATU,
    amendments,
    decided,
    delivered,
    on_phone,
    reported,
    route_shown,
)
from tests.driving_worlds import DAY, PHOTO, SIX, Morning, a_morning, act

HEAD = "Order no;Name;Street;City;Delivery date;Status\n"
ROW = "7;Aino;Mannerheimintie 14;Helsinki;2026-11-24;{}\n"


def imported(day: Morning, text: str) -> ImportRow:
    day.now[0] += timedelta(minutes=5)
    row = take_file(day.hub, day.business_id, (HEAD + text).encode(), "orders.csv")
    return store_file(day.hub, day.business_id, row.id, actor="staff:1")


def counted(row: ImportRow) -> tuple[int, int, int, int, int]:
    said = row.report
    kinds = ("placed", "amended", "cancelled", "repeats")
    return *(said[kind] for kind in kinds), len(said["skipped"])  # type: ignore[return-value]


def seven(day: Morning) -> tuple[str, list[tuple[int, str, str]]]:
    """The imported order's status, and its attempts."""
    with day.hub.reading() as session:
        order = session.exec(select(OrderRow).where(OrderRow.ref == "7")).one()
        jobs = session.exec(select(JobRow).where(JobRow.order_id == order.id))
        return order.status, sorted((job.attempt, job.state, job.outcome) for job in jobs)


def called_off(day: Morning) -> None:
    day.now[0] += timedelta(minutes=5)
    with day.hub.reading() as session:
        order = session.exec(select(OrderRow).where(OrderRow.ref == "7")).one()
    call_off(day.hub, day.business_id, order.id, actor="staff:1")


def test_the_same_file_does_not_reopen_what_a_person_cancelled() -> None:
    day = a_morning()
    imported(day, ROW.format("processing"))
    called_off(day)
    assert counted(imported(day, ROW.format("processing"))) == (0, 0, 0, 1, 0)
    assert seven(day) == ("cancelled", [(1, "closed", "cancelled")])


def test_a_changed_order_is_reopened_as_another_attempt() -> None:
    day = a_morning()
    imported(day, ROW.format("processing"))
    called_off(day)
    other = ROW.format("processing").replace("14", "15")
    assert counted(imported(day, other)) == (0, 1, 0, 0, 0)
    assert seven(day) == ("open", [(1, "closed", "cancelled"), (2, "created", "")])
    [event] = day.events("OrderAmended")
    assert {"address", "status"} <= set(event.payload["changed"])
    called_off(day)
    assert seven(day)[0] == "cancelled"
    assert counted(imported(day, other)) == (0, 0, 0, 1, 0)


def test_a_report_from_before_the_cancellation_or_a_mere_tag_reopens_nothing() -> None:
    day = a_morning()
    order_id = day.jobs()[0].order_id
    with day.hub.reading() as session:
        row = session.get_one(OrderRow, order_id)
    known = order_report.validate_python(row.report)
    day.now[0] += timedelta(hours=1)
    call_off(day.hub, day.business_id, order_id, actor="staff:1")
    late = replace(known, instructions="Ring", updated_at=SIX + timedelta(minutes=30))
    store_all(day.hub, day.business_id, row.connection_id, [late])
    assert reported(day, 0, tags=("vip",)).repeats == 1
    assert [job.attempt for job in day.jobs() if job.order_id == order_id] == [1]
    assert len(day.events("OrderCancelled")) == 1


def test_a_source_that_agrees_and_then_takes_it_back_reopens_it() -> None:
    day = a_morning()
    order_id = day.jobs()[0].order_id
    call_off(day.hub, day.business_id, order_id, actor="staff:1")
    assert reported(day, 0, status="cancelled").repeats == 1
    assert len(day.events("OrderCancelled")) == 1
    assert reported(day, 0, status="open").amended == 1
    again = [(j.attempt, j.state) for j in day.jobs() if j.order_id == order_id]
    assert again == [(1, "closed"), (2, "created")]


def test_a_cancelled_row_cancels_a_known_order_and_the_report_counts_it() -> None:
    day = a_morning()
    imported(day, ROW.format("processing"))
    unknown = ROW.replace("7;", "8;", 1).format("cancelled")
    report = imported(day, ROW.format("cancelled") + unknown)
    assert counted(report) == (0, 0, 1, 0, 1)
    assert seven(day) == ("cancelled", [(1, "closed", "cancelled")])
    assert len(day.events("OrderCancelled")) == 1
    assert counted(imported(day, ROW.format("cancelled"))) == (0, 0, 0, 0, 1)
    assert counted(imported(day, ROW.format("processing"))) == (0, 1, 0, 0, 0)
    assert seven(day) == ("open", [(1, "closed", "cancelled"), (2, "created", "")])


def failed_and_put_off(day: Morning, **first: object) -> JobRow:
    """The second attempt of the first order, on the next day."""
    if first:
        reported(day, 0, **first)
    day.publish()
    job = day.jobs()[0]
    closing = act("1", "close", job, 0, outcome="failed", reason="nobody_home", files=PHOTO)
    assert take_acts(day.hub, day.phone(), [closing])[0].result == "applied"
    again = choose_step(day.hub, day.business_id, job.id, NextStep.ANOTHER_DAY, actor="staff:1")
    assert again is not None
    return again


def test_a_new_phone_number_leaves_the_day_that_the_next_step_set() -> None:
    day = a_morning()
    window = TimeWindow(SIX + timedelta(hours=4), SIX + timedelta(hours=8))
    again = failed_and_put_off(day, due_on=DAY, windows=(window,))
    reported(day, 0, contacts=(Contact(Role.RECIPIENT, "Aino", "+358409999999"),))
    [job] = [job for job in day.jobs() if job.id == again.id]
    assert (job.due_on, job.not_before, job.windows) == (DAY + timedelta(days=1),) * 2 + ([],)


def test_a_new_day_from_the_source_outranks_the_next_step() -> None:
    day = a_morning()
    again = failed_and_put_off(day, due_on=DAY)
    reported(day, 0, due_on=DAY + timedelta(days=4))
    [job] = [job for job in day.jobs() if job.id == again.id]
    assert (job.due_on, job.not_before) == (DAY + timedelta(days=4), None)


def test_a_new_address_nobody_has_located_waits_for_a_dispatcher() -> None:
    """The job left its route at once, whatever that did to the day."""
    day = a_morning()
    route, job = day.publish(), day.jobs()[1]
    before = on_phone(day)
    reported(day, 1, address=KALEVANKATU, point=None)
    delivered(day)
    assert on_phone(day) == before
    assert (day.jobs()[1].place_id, day.route().version) == (job.place_id, route.version)
    [question] = amendments(day)
    assert (question.state, question.asked) == ("open", ["where"])
    assert question.why == "Nobody could say for sure where the new address is."
    assert question.changes == [["Address", "Yrjönkatu 2, Helsinki", "Kalevankatu 9, Helsinki"]]
    with pytest.raises(NotNow, match="no place on the map"):
        decided(day, Decision.TAKE)
    decided(day, Decision.OFF)
    delivered(day)
    moved = day.jobs()[1]
    assert moved.state in (State.CREATED, State.NEEDS_REVIEW)
    assert moved.place_id != job.place_id
    assert set(on_phone(day)) == {"1", "3"}
    assert [stop.n for stop in route_shown(day).stops] == [1, 2]
    [withdrawn] = day.events("JobWithdrawn")
    assert withdrawn.payload == {"job_id": job.id, "route_id": route.id, "rest_waits": False}
    assert len(day.events("RouteChanged")) == 1


def test_a_job_with_a_new_address_leaves_a_draft_and_no_phone_hears_of_it() -> None:
    day = a_morning()
    reported(day, 1, address=KALEVANKATU)
    assert day.jobs()[1].state == State.CREATED
    assert day.events("JobWithdrawn") == day.events("RouteChanged") == []
    day.publish()
    assert set(on_phone(day)) == {"1", "3"}


def under_way(day: Morning, number: int) -> None:
    job = day.jobs()[number]
    assert take_acts(day.hub, day.phone(), [act("h", "head_for", job, 0)])[0].result == "applied"


def test_a_driver_under_way_is_led_to_the_new_address_once_somebody_decided() -> None:
    """It was changed under his hands."""
    day = a_morning()
    day.publish()
    under_way(day, 0)
    before = on_phone(day)
    reported(day, 0, address=KALEVANKATU, point=Point(60.165, 24.93))
    delivered(day)
    assert on_phone(day) == before
    assert day.events("RouteChanged") == []
    decided(day, Decision.TAKE)
    assert day.jobs()[0].state == State.EN_ROUTE
    assert [where for where, _ in on_phone(day)["1"]] == ["Kalevankatu 9, Helsinki"]
    assert day.events("JobWithdrawn") == []
    assert len(day.events("RouteChanged")) == 1


def test_who_is_served_at_the_old_door_stays_there() -> None:
    day = a_morning()
    with day.hub.unit() as unit:  # two orders at one stop
        first, second = (unit.session.get_one(JobRow, job.id) for job in day.jobs()[:2])
        second.place_id = first.place_id
        links = {link.job_id: link for link in unit.session.exec(select(StopJobRow))}
        left = links[second.id].stop_id
        links[second.id].stop_id = links[first.id].stop_id
        unit.session.flush()
        unit.session.delete(unit.session.get_one(StopRow, left))
    day.publish()
    under_way(day, 0)
    before = on_phone(day)
    reported(day, 0, address=KALEVANKATU, point=Point(60.165, 24.93))
    decided(day, Decision.TAKE)
    after = on_phone(day)
    assert [where for where, _ in after["1"]] == ["Kalevankatu 9, Helsinki"]
    assert (after["2"], after["3"]) == (before["2"], before["3"])
    numbers = [[j.number for j in s.jobs] for s in shown_to(day.hub, day.phone()).routes[0].stops]
    assert numbers.index(["1"]) == numbers.index(["2"]) + 1


def test_a_driver_under_way_is_told_an_address_nobody_has_located() -> None:
    day = a_morning()
    day.publish()
    under_way(day, 0)
    reported(day, 0, address=KALEVANKATU, point=None)
    decided(day, Decision.TAKE)
    [(_, note)] = on_phone(day)["1"]
    assert note == "New address: Kalevankatu 9, Helsinki"
    closing = act("1", "close", day.jobs()[0], 5, outcome="failed", reason="other", files=PHOTO)
    assert take_acts(day.hub, day.phone(), [closing])[0].result == "applied"
    again = choose_step(
        day.hub, day.business_id, day.jobs()[0].id, NextStep.RETRY_TODAY, actor="staff:1"
    )
    assert again is not None
    with day.hub.reading() as session:
        assert session.get_one(PlaceRow, again.place_id).address["lines"] == ["Kalevankatu 9"]
