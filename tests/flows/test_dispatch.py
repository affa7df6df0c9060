"""Publishing a route, and changing it while others do too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from hub.core.jobs import NotNow, State
from hub.core.promised import promised
from hub.core.values import TimeWindow
from hub.db.tables import ActRow, PromiseRow, RouteRow, ShiftRow, StopRow
from hub.flows.dispatch import (
    RouteConflict,
    acknowledge,
    add_job,
    hand_over,
    move_job,
    publish,
    remove_job,
)
from hub.flows.drive import take_acts
from hub.flows.found import found
from hub.flows.overview import day_seen
from tests.driving_worlds import DAY, SIX, TEN, Morning, a_morning, act

HOUR = timedelta(hours=1)


def promises_of(day: Morning) -> list[PromiseRow]:
    with day.hub.reading() as session:
        return list(session.exec(select(PromiseRow).order_by(PromiseRow.n)))


def another_route(day: Morning, here: RouteRow) -> RouteRow:
    """The other driver's, published and empty."""
    with day.hub.unit() as unit:
        shift = ShiftRow(
            business_id=day.business_id,
            driver_id=day.drivers[1],
            depot_id=here.depot_id,
            day=DAY,
            starts_at=SIX,
            ends_at=SIX.replace(hour=14),
        )
        unit.session.add(shift)
        unit.session.flush()
        there = RouteRow(
            business_id=day.business_id,
            shift_id=shift.id,
            depot_id=here.depot_id,
            driver_id=day.drivers[1],
            day=DAY,
            published_at=SIX,
            leaves_at=SIX,
        )
        unit.session.add(there)
    return there


def test_publishing_dispatches_every_job_and_promises_each_a_window() -> None:
    day = a_morning()
    day.publish()
    assert {job.state for job in day.jobs()} == {State.DISPATCHED}
    assert len(day.events("JobDispatched")) == 3
    with day.hub.reading() as session:
        promises = session.exec(select(PromiseRow)).all()
    assert len(promises) == 3
    assert all(p.opens < p.closes for p in promises)


def test_a_promise_is_in_round_times_and_never_before_the_van_can_be_there() -> None:
    """It named seconds, and half past seven for a driver who leaves at eight."""
    day = a_morning(12)
    day.publish()
    with day.hub.reading() as session:
        promises = session.exec(select(PromiseRow)).all()
        first = session.exec(select(StopRow).where(StopRow.n == 1)).one()
    moments = {moment for p in promises for moment in (p.opens, p.closes)}
    assert {moment.timestamp() % 300 for moment in moments} == {0.0}
    assert first.arrive_at - timedelta(minutes=5) < min(moments) <= first.arrive_at
    told = [event.payload for event in day.events("JobDispatched")]
    at = {one["job_id"]: datetime.fromisoformat(one["eta"]) for one in told}
    leaves_at = day.route().leaves_at
    assert leaves_at is not None
    for p in promises:
        assert leaves_at - timedelta(minutes=5) < p.opens <= at[p.job_id] <= p.closes
        assert p.closes - p.opens <= HOUR
        middle = p.closes - HOUR / 2
        assert abs(middle - at[p.job_id]) <= timedelta(minutes=2.5)


def test_nobody_is_promised_a_moment() -> None:
    """It was "New time: 12:45 – 12:45"."""
    ten = SIX + timedelta(hours=4)
    asked, shift = TimeWindow(ten, ten + HOUR), TimeWindow(SIX, SIX + 9 * HOUR)
    last_minute = promised(asked.closes, HOUR / 2, [asked], shift, SIX)
    assert last_minute == TimeWindow(asked.closes - timedelta(minutes=15), asked.closes)
    no_sooner = promised(asked.closes, HOUR / 2, [asked], shift, asked.closes)
    assert no_sooner == TimeWindow(asked.closes, asked.closes + timedelta(minutes=10))


def test_nobody_is_told_a_time_before_the_van_can_have_left() -> None:
    """At 09:51 it was told that somebody came from 09:35 on."""
    out = SIX + timedelta(hours=2, minutes=51)
    at, shift = out + timedelta(minutes=6), TimeWindow(SIX, SIX + 9 * HOUR)
    told = promised(at, HOUR / 2, [], shift, out)
    assert (told.opens - SIX, told.closes - SIX) == (
        timedelta(hours=2, minutes=55),
        timedelta(hours=3, minutes=10),
    )
    at_once = promised(out, HOUR / 2, [], shift, out)
    assert at_once.opens == SIX + timedelta(hours=2, minutes=50)
    assert at_once.closes - at_once.opens >= HOUR / 4


def test_a_route_published_after_it_should_have_left_leaves_from_now_on() -> None:
    """Published at 09:51, it was to leave at 09:49, and promised from 09:35 on."""
    day = a_morning()
    leaves_at = day.route().leaves_at
    assert leaves_at is not None
    now = day.now[0] = leaves_at + timedelta(hours=3, minutes=2)
    route = day.publish()
    with day.hub.reading() as session:
        promises = session.exec(select(PromiseRow)).all()
        stops = session.exec(select(StopRow)).all()
    assert route.leaves_at is not None and route.leaves_at >= now
    assert len(route.geometry) > 3
    assert min(stop.arrive_at for stop in stops) > now
    assert min(promise.opens for promise in promises) > now - timedelta(minutes=5)


def test_who_moves_to_another_route_in_their_promised_time_is_promised_the_same() -> None:
    day = a_morning()
    here = day.publish()
    there = another_route(day, here)
    job, told = day.jobs()[2], {p.job_id: p for p in promises_of(day)}
    for promise in told.values():
        assert promise.n == 1
    with day.hub.unit() as unit:
        later = unit.session.get_one(PromiseRow, told[job.id].id)
        later.opens, later.closes = TEN, TEN + HOUR / 2
    move_job(
        day.hub,
        day.business_id,
        here.id,
        there.id,
        job.id,
        actor="staff:1",
        expected_version=1,
        to_version=1,
    )
    *_, last = (p for p in promises_of(day) if p.job_id == job.id)
    assert (last.n, last.opens, last.closes) == (2, TEN, TEN + HOUR / 2)
    [route] = [r for r in day_seen(day.hub, day.business_id, DAY).routes if r.id == there.id]
    assert route.stops[0].jobs[0].eta == TEN
    assert route.leaves_at is not None and route.leaves_at > TEN - HOUR


def test_a_promise_keeps_to_the_window_that_was_asked_for() -> None:
    ten = SIX + timedelta(hours=4)
    asked, shift = TimeWindow(ten, ten + timedelta(hours=2)), TimeWindow(SIX, SIX + 9 * HOUR)
    early = promised(ten + timedelta(minutes=7, seconds=3), HOUR, [asked], shift, SIX)
    assert early == TimeWindow(ten, ten + timedelta(minutes=35))
    late = promised(asked.closes - timedelta(seconds=1), HOUR, [asked], shift, SIX)
    assert late == TimeWindow(asked.closes - timedelta(minutes=30), asked.closes)
    whole = promised(ten + timedelta(minutes=58), HOUR / 2, [asked], shift, SIX)
    assert whole == TimeWindow(ten + timedelta(minutes=45), ten + timedelta(minutes=75))


def test_a_job_taken_off_can_be_put_on_again_where_it_was_cheapest() -> None:
    day = a_morning()
    route = day.publish()
    job = day.jobs()[1]
    off = remove_job(
        day.hub, day.business_id, route.id, job.id, actor="staff:1", expected_version=1
    )
    assert day.jobs()[1].state == State.CREATED
    assert len(day.events("JobWithdrawn")) == 1
    add_job(
        day.hub, day.business_id, route.id, job.id, actor="staff:1", expected_version=off.version
    )
    assert day.jobs()[1].state == State.DISPATCHED
    with day.hub.reading() as session:
        stops = session.exec(select(StopRow).order_by(StopRow.n)).all()
    assert [stop.n for stop in stops] == [1, 2, 3]
    assert [stop.arrive_at for stop in stops] == sorted(stop.arrive_at for stop in stops)
    assert [event.payload["version"] for event in day.events("RouteChanged")] == [2, 3]


def test_a_change_made_from_an_old_version_is_refused() -> None:
    day = a_morning()
    route = day.publish()
    hand_over(
        day.hub, day.business_id, route.id, day.drivers[1], actor="staff:1", expected_version=1
    )
    with pytest.raises(RouteConflict):
        remove_job(
            day.hub,
            day.business_id,
            route.id,
            day.jobs()[0].id,
            actor="staff:2",
            expected_version=1,
        )
    assert day.route().driver_id == day.drivers[1]
    assert acknowledge(day.hub, day.business_id, route.id, 9).acknowledged == 2


def test_who_waits_for_a_driver_who_begins_at_noon_is_told_when_that_is_decided() -> None:
    """Nobody was told before noon that the morning's promise was broken on purpose."""
    day = a_morning()
    route = day.publish()
    with day.hub.unit() as unit:
        noon = {"starts_at": SIX + 6 * HOUR, "ends_at": SIX + 12 * HOUR}
        about = {"business_id": day.business_id, "driver_id": day.drivers[1], "day": DAY}
        unit.session.add(ShiftRow(**about, depot_id=route.depot_id, **noon))
    change = {"actor": "staff:1", "expected_version": route.version, "force": True}
    hand_over(day.hub, day.business_id, route.id, day.drivers[1], **change)
    first, last = promises_of(day)[:3], promises_of(day)[3:]
    assert {p.job_id for p in first} == {p.job_id for p in last}
    assert len(last) == 3 and all(p.opens >= SIX + 6 * HOUR for p in last)
    assert len(day.events("JobDispatched")) == 6


def test_doors_the_giver_was_at_or_on_the_way_to_wait_again_for_the_other_driver() -> None:
    """The customer's page said "at your door" while the other driver stood at the depot."""
    day = a_morning()
    route = day.publish()
    one, two, three = day.jobs()
    loaded = replace(act("1", "load", None, 0), route_id=route.id)
    taps = [loaded, act("2", "arrive", one, 1), act("3", "head_for", two, 2)]
    take_acts(day.hub, day.phone(), taps)
    about = {"actor": "staff:1", "expected_version": route.version, "force": True}
    hand_over(day.hub, day.business_id, route.id, day.drivers[1], **about)
    assert [job.state for job in day.jobs()] == [State.LOADED] * 3
    assert [event.payload["job_id"] for event in day.events("DriverLeft")] == [one.id]
    take_acts(day.hub, day.phone(1), [act("4", "head_for", three, 5)])
    assert [job.state for job in day.jobs()] == [State.LOADED, State.LOADED, State.EN_ROUTE]


def test_an_arrival_the_giver_took_back_does_not_count_again_once_the_other_arrives() -> None:
    day = a_morning()
    route, one = day.publish(), day.jobs()[0]
    take_acts(day.hub, day.phone(), [act("1", "arrive", one, 1), act("2", "not_arrived", one, 2)])
    about = {"actor": "staff:1", "expected_version": route.version, "force": True}
    hand_over(day.hub, day.business_id, route.id, day.drivers[1], **about)
    take_acts(day.hub, day.phone(1), [act("3", "arrive", one, 5)])
    with day.hub.reading() as session:
        rows = session.exec(select(ActRow.act_id).where(ActRow.result == "applied"))
        assert rows.all() == ["3"]


def test_another_vehicle_for_the_same_driver_leaves_him_at_the_door() -> None:
    day = a_morning()
    route = day.publish()
    take_acts(day.hub, day.phone(), [act("1", "arrive", day.jobs()[0], 1)])
    about = {"actor": "staff:1", "expected_version": route.version, "force": True}
    hand_over(day.hub, day.business_id, route.id, route.driver_id, **about)
    assert day.jobs()[0].state == State.ARRIVED


def test_a_route_of_another_business_cannot_be_published() -> None:
    day = a_morning()
    other = found(day.hub, "Rye", zone="Europe/Helsinki", country="FI")
    with pytest.raises(Exception, match="no route|No row"):
        publish(day.hub, other, day.route().id, actor="staff:1", expected_version=1)


def test_a_job_moves_to_another_drivers_route_in_one_step() -> None:
    day = a_morning()
    here = day.publish()
    there = another_route(day, here)
    job = day.jobs()[2]
    old, new = move_job(
        day.hub,
        day.business_id,
        here.id,
        there.id,
        job.id,
        actor="staff:1",
        expected_version=1,
        to_version=1,
    )
    assert (old.version, new.version) == (2, 2)
    assert day.jobs()[2].state == State.DISPATCHED
    assert take_acts(day.hub, day.phone(0), [act("1", "arrive", job, 0)])[0].result == "noted"
    assert take_acts(day.hub, day.phone(1), [act("1", "arrive", job, 0)])[0].result == "applied"


def test_a_job_whose_driver_is_at_the_door_stays_on_its_route() -> None:
    day = a_morning()
    route, job = day.publish(), day.jobs()[0]
    take_acts(day.hub, day.phone(), [act("1", "arrive", job, 0)])
    with pytest.raises(NotNow):
        remove_job(day.hub, day.business_id, route.id, job.id, actor="staff:1", expected_version=1)
    assert day.jobs()[0].state == State.ARRIVED
