"""What the board reads, and moving a stop with its consequence known before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.core.attention import Kind
from hub.core.jobs import NotNow, State
from hub.core.values import Point, TimeWindow
from hub.db.tables import EventRow, JobRow, OrderRow, PromiseRow, RouteRow, StopRow
from hub.flows.board import board_seen
from hub.flows.board_moves import Moving, move_stop, moving
from hub.flows.dispatch import DoesNotFit, RouteConflict, add_job, hand_over
from hub.flows.estimate import estimate_routes
from hub.flows.found import found
from tests.board_worlds import DAY, MINUTE, SIX, Running, a_running_day


@pytest.fixture
def day(tmp_path: Path) -> Running:
    return a_running_day(tmp_path)


def kinds(day: Running, **more: object) -> list[Kind]:
    return [one.kind for one in board_seen(day.hub, day.business_id, **more).matters]  # type: ignore[arg-type]


def carry_out(day: Running, seen: Moving, **more: object) -> None:
    [to] = seen.effects
    versions = {"expected_version": seen.version, "to_version": to.version}
    move_stop(
        day.hub,
        day.business_id,
        seen.stop_id,
        to.route_id,
        actor="staff:1",
        **versions | more,  # type: ignore[arg-type]
    )


def promise(day: Running, *stops: StopRow) -> None:
    """That each of ``stops`` is reached within the minute it is planned for."""
    with day.hub.unit() as unit:
        for stop in stops:
            for job in day.jobs(stop):
                told = {"business_id": day.business_id, "job_id": job.id, "n": 2, "at": SIX}
                span = {"opens": SIX, "closes": stop.arrive_at + MINUTE}
                unit.session.add(PromiseRow(**told, **span, told_by="page"))


def test_a_driver_is_on_the_board_only_during_the_shift(day: Running) -> None:
    last = lambda _: [day.fix("Mara", day.now[0])]  # noqa: E731

    def where() -> object:
        lanes = board_seen(day.hub, day.business_id, DAY, last).lanes
        return next(one.where for one in lanes if one.route.driver.startswith("Mara"))

    assert where() is None
    day.begin("Mara", at=day.now[0])
    assert where() is not None
    day.says("Mara", "end_shift", day.now[0])
    assert where() is None


def test_a_position_of_an_earlier_shift_is_not_where_the_driver_is(day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    old = day.fix("Mara", day.now[0] - timedelta(hours=14))
    lanes = board_seen(day.hub, day.business_id, DAY, lambda _: [old]).lanes
    assert [one.where for one in lanes] == [None, None]


def test_the_newest_of_two_phones_says_where_a_driver_is(day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    fixes = [day.fix("Mara", day.now[0], lat=60.2), day.fix("Mara", day.now[0] - MINUTE)]
    seen = board_seen(day.hub, day.business_id, DAY, lambda _: fixes)
    assert seen.lanes[0].where
    assert seen.lanes[0].where.lat == 60.2


def test_a_driver_without_gps_needs_somebody(day: Running) -> None:
    day.begin("Mara", "Otso", at=day.now[0])
    day.now[0] += 6 * MINUTE
    last = lambda _: [day.fix("Otso", day.now[0])]  # noqa: E731
    found = [one for one in board_seen(day.hub, day.business_id, DAY, last).matters]
    assert [one.said.split(" since")[0] for one in found if one.kind is Kind.NO_SIGNAL] == [
        "No position from Mara Aho"
    ]


def test_a_failure_needs_somebody_until_its_next_step_is_chosen(day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    [job] = day.jobs(day.stops("Mara")[0])
    day.says("Mara", "close", day.now[0], job, outcome="failed", reason="wrong_address")
    assert Kind.FAILED in kinds(day)
    with day.hub.unit() as unit:
        unit.session.get_one(JobRow, job.id).next_step = "another_day"
    assert Kind.FAILED not in kinds(day)


def test_what_came_in_at_noon_needs_a_route_and_only_today_is_watched(day: Running) -> None:
    job = day.order("2001", Point(60.1660, 24.9390))
    seen = board_seen(day.hub, day.business_id)
    [loose] = [one for one in seen.matters if one.kind is Kind.UNASSIGNED]
    assert loose.about == job.id
    assert board_seen(day.hub, day.business_id, DAY + timedelta(days=1)).matters == ()


def test_the_board_shows_nothing_of_another_business(day: Running) -> None:
    other = found(day.hub, "Next door", zone="Europe/Helsinki", country="FI")
    assert board_seen(day.hub, other, DAY).lanes == ()
    with pytest.raises(LookupError):
        moving(day.hub, other, day.stops("Mara")[1].id)


def test_a_move_takes_the_stop_over_and_tells_both_drivers(day: Running) -> None:
    stop = day.stops("Mara")[1]
    [job] = day.jobs(stop)
    before = [day.route(name).version for name in ("Mara", "Otso")]
    carry_out(day, moving(day.hub, day.business_id, stop.id), force=True)
    assert day.driver_of(job) == "Otso Lahti"
    assert [day.route(name).version for name in ("Mara", "Otso")] == [n + 1 for n in before]
    assert len(day.stops("Mara")) == 3
    assert day.jobs(day.stops("Otso")[0])


def test_the_consequence_shown_is_the_one_that_happens(day: Running) -> None:
    stop = day.stops("Mara")[2]
    seen = moving(day.hub, day.business_id, stop.id, day.route("Otso").id)
    [to] = seen.effects
    metres = {name: day.route(name).distance_m for name in ("Mara", "Otso")}
    [job] = day.jobs(stop)
    carry_out(day, seen, force=True)
    [moved] = [one for one in day.stops("Otso") if job.id in {j.id for j in day.jobs(one)}]
    assert moved.n == to.position
    assert moved.arrive_at == to.there.begins_at - timedelta(seconds=to.there.waits_s)
    with day.hub.reading() as session:
        assert session.get_one(RouteRow, to.route_id).version == to.version + 1
    # The line is drawn by another function than the matrix; straight lines agree to the metre.
    if all(metres.values()):
        assert day.route("Otso").distance_m - metres["Otso"] == pytest.approx(to.extra_m, abs=60)
        assert metres["Mara"] - day.route("Mara").distance_m == pytest.approx(to.saved_m, abs=60)


def test_a_broken_promise_is_shown_before_and_refused_until_somebody_insists(day: Running) -> None:
    stop = day.stops("Mara")[0]
    [job] = day.jobs(stop)
    promise(day, day.stops("Otso")[-1])  # to the minute: nothing can come before
    seen = moving(day.hub, day.business_id, stop.id)
    [to] = seen.effects
    assert not to.fits
    assert any("was promised" in said for said in to.promises)
    with pytest.raises(DoesNotFit):
        carry_out(day, seen)
    assert day.driver_of(job) == "Mara Aho"
    carry_out(day, seen, force=True)
    assert day.driver_of(job) == "Otso Lahti"
    [waiting] = day.jobs(day.stops("Otso")[-1])
    assert len(day.promises(waiting)) == 2  # it is driven already: the estimate tells who waits
    estimate_routes(day.hub)
    with day.hub.reading() as session:
        told = session.exec(select(EventRow).where(EventRow.name == "EtaChanged")).all()
    assert waiting.id in {event.payload["job_id"] for event in told}


def test_who_is_moved_within_the_time_they_were_told_is_told_no_other(day: Running) -> None:
    """There at 09:45, promised 08:50 to 09:50: a mail said 09:15 to 10:15."""
    [job] = day.jobs(stop := day.stops("Mara")[2])
    told = TimeWindow(day.now[0] + 50 * MINUTE, day.now[0] + 210 * MINUTE)
    about = {"business_id": day.business_id, "job_id": job.id, "n": 2, "at": SIX}
    with day.hub.unit() as unit:
        row = PromiseRow(**about, opens=told.opens, closes=told.closes, told_by="page")
        unit.session.add(row)
    for to, now in (("Otso", day.now[0]), ("Mara", told.opens + MINUTE)):
        day.now[0] = now
        seen = moving(day.hub, day.business_id, stop.id, day.route(to).id)
        assert seen.effects[0].promises == ()
        carry_out(day, seen, force=True)
        stop = next(one for one in day.stops(to) if job.id in {j.id for j in day.jobs(one)})
        assert told.opens <= seen.effects[0].there.begins_at <= told.closes
        assert day.promises(job)[-1] == told


def test_a_move_that_makes_its_own_recipient_wait_says_so(day: Running) -> None:
    stop = day.stops("Mara")[0]
    promise(day, stop, *day.stops("Otso"))
    day.now[0] += 10 * MINUTE
    [to] = moving(day.hub, day.business_id, stop.id).effects
    [job] = day.jobs(stop)
    with day.hub.reading() as session:
        order = session.get_one(OrderRow, job.order_id)
    assert any(f"Order {order.number} was promised" in said for said in to.promises), to
    assert not to.fits


def test_nothing_is_offered_to_a_driver_who_has_gone_home(day: Running) -> None:
    """His route was the first "best place", and his customers were promised times."""
    day.begin("Mara", "Otso", at=day.now[0])
    stop = day.stops("Mara")[-1]
    [before] = moving(day.hub, day.business_id, stop.id).effects
    assert before.driver.startswith("Otso")
    day.says("Otso", "end_shift", day.now[0])
    assert moving(day.hub, day.business_id, stop.id).effects == ()
    assert Kind.LEFT_OPEN in kinds(day)


def test_a_move_made_from_an_old_look_changes_nothing(day: Running) -> None:
    mine = moving(day.hub, day.business_id, day.stops("Mara")[1].id)
    theirs = moving(day.hub, day.business_id, day.stops("Mara")[2].id)
    [job] = day.jobs(day.stops("Mara")[2])
    carry_out(day, mine, force=True)
    with pytest.raises(RouteConflict):
        carry_out(day, theirs, force=True)
    assert day.driver_of(job) == "Mara Aho"
    assert len(day.stops("Mara")) == 3
    assert len(day.stops("Otso")) == 5


def test_a_stop_with_the_driver_at_it_stays(day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    stop = day.stops("Mara")[0]
    [job] = day.jobs(stop)
    day.says("Mara", "arrive", day.now[0], job)
    with pytest.raises(NotNow):
        moving(day.hub, day.business_id, stop.id)


def test_what_is_loaded_in_another_vehicle_says_so(day: Running) -> None:
    stop = day.stops("Mara")[3]
    [job] = day.jobs(stop)
    with day.hub.unit() as unit:
        unit.session.get_one(JobRow, job.id).state = State.LOADED
    [to] = moving(day.hub, day.business_id, stop.id).effects
    assert any("loaded in another vehicle" in said for said in to.broken)


def test_all_jobs_of_one_door_go_together(tmp_path: Path) -> None:
    day = a_running_day(tmp_path, published=False)  # nothing is promised that keeps them apart
    where = Point(60.1660, 24.9390)
    jobs = [day.order(number, where) for number in ("2001", "2002")]
    for job in jobs:
        route = day.route("Mara")
        add_job(
            day.hub,
            day.business_id,
            route.id,
            job.id,
            actor="staff:1",
            expected_version=route.version,
            force=True,
        )
    stop = next(one for one in day.stops("Mara") if len(day.jobs(one)) == 2)
    carry_out(day, moving(day.hub, day.business_id, stop.id), force=True)
    assert {day.driver_of(job) for job in jobs} == {"Otso Lahti"}


def test_a_route_that_went_to_another_driver_is_in_his_lane_which_says_so(day: Running) -> None:
    route = day.route("Mara")
    hand_over(
        day.hub,
        day.business_id,
        route.id,
        day.drivers["Otso"],
        actor="staff:1",
        expected_version=route.version,
        force=True,
    )
    lanes = board_seen(day.hub, day.business_id, DAY).lanes
    assert [one.route.driver for one in lanes] == ["Otso Lahti", "Otso Lahti"]
    assert [one.given for one in lanes if one.route.id == route.id] == [("Mara Aho", day.now[0])]
