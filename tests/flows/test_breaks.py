"""A driver says that he rests: what is kept, announced, shown and expected."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.core.values import TimeWindow
from hub.db.tables import DriverRow, JobRow, RouteRow, ShiftRow, StopRow
from hub.flows.ahead import begun_routes, round_of
from hub.flows.board import board_seen
from hub.flows.board_order import turn, turns
from hub.flows.breaks import breaks_of
from hub.flows.drive import take_acts
from hub.flows.phone import shown_to
from hub.flows.rests import rests_kept, rests_read
from hub.web.board_lanes import axis_of, lanes_of
from tests.driving_worlds import DAY, TEN, act
from tests.flows.test_estimate import EIGHT, close, estimate, minutes_off, under_way
from tests.flows.test_planning_settings import ZONE
from tests.noticing_worlds import Round, moment

REST = timedelta(minutes=30)


@pytest.fixture
def driving(database_url: str) -> Round:
    return under_way(Round(database_url))


def planned_for(driving: Round, n: int, minute: float = 1 / 3) -> float:
    """A break of half an hour is planned after the ``n``-th stop; minutes past ten."""
    stops = [stop for stop, _ in driving.stops()]
    begins = stops[n].depart_at + timedelta(minutes=minute)
    with driving.hub.unit() as unit:
        for stop in stops[n + 1 :]:
            row = unit.session.get_one(StopRow, stop.id)
            row.arrive_at, row.depart_at = row.arrive_at + REST, row.depart_at + REST
        route = unit.session.get_one(RouteRow, stops[0].route_id)
        route.rests = rests_kept([TimeWindow(begins, begins + REST)])
    return (begins - TEN).total_seconds() / 60


def had(driving: Round) -> list[tuple[float, float | None]]:
    """In minutes past ten."""
    with driving.hub.reading() as session:
        [shift] = session.exec(select(ShiftRow)).all()

    def minutes(at: object) -> float:
        return (at - TEN).total_seconds() / 60  # type: ignore[operator]

    return [
        (minutes(one.since), None if one.until is None else minutes(one.until))
        for one in breaks_of(shift)
    ]


def test_a_break_is_kept_and_told_once_however_often_the_phone_says_it(driving: Round) -> None:
    route_id = driving.day.route().id
    driving.clock(EIGHT + 60)
    begin = replace(act("b1", "start_break", None, -90), route_id=route_id)
    end = replace(act("b2", "end_break", None, -60), route_id=route_id)
    for told in ([begin], [begin, end], [end], [begin]):
        assert {one.result for one in take_acts(driving.hub, driving.phone, told)} == {"applied"}
    assert had(driving) == [(-90, -60)]
    began, ended = driving.told("BreakBegan", "BreakEnded")
    assert (began.name, began.occurred_at) == ("BreakBegan", moment(-90))
    assert (ended.subject_kind, ended.occurred_at) == ("shift", moment(-60))
    assert began.payload["driver_id"] == driving.phone.driver_id


def test_a_break_that_ends_as_it_begins_was_none_and_who_heard_of_it_hears_that(
    driving: Round,
) -> None:
    driving.tell("start_break", None, EIGHT + 30)
    driving.tell("end_break", None, EIGHT + 30 + 1 / 60)
    assert had(driving) == []
    began, ended = driving.told("BreakBegan", "BreakEnded")
    assert began.occurred_at == ended.occurred_at == moment(EIGHT + 30)
    driving.tell("start_break", None, EIGHT + 40)
    driving.tell("end_break", None, EIGHT + 55)
    assert had(driving) == [(EIGHT + 40, EIGHT + 55)]
    assert len(driving.told("BreakBegan", "BreakEnded")) == 4


SCRIPT = [
    ("1", "start_break", None, -100),
    ("2", "start_break", None, -95),
    ("3", "arrive", 0, -80),
    ("4", "end_break", None, -70),
    ("5", "start_break", None, -60),
    ("6", "end_break", None, -40),
]


def test_breaks_told_in_any_order_end_as_if_in_order() -> None:
    for order in itertools.islice(itertools.permutations(SCRIPT), 0, None, 101):
        driving = under_way(Round())
        driving.clock(0)
        jobs, route_id = driving.day.jobs(), driving.day.route().id
        for id, kind, n, minute in order:
            told = act(id, kind, None if n is None else jobs[n], minute)
            take_acts(driving.hub, driving.phone, [replace(told, route_id=route_id)])
        assert had(driving) == [(-100, -80), (-60, -40)]


def test_a_break_nobody_ended_is_over_when_the_shift_is(driving: Round) -> None:
    driving.tell("start_break", None, EIGHT + 30)
    assert had(driving) == [(EIGHT + 30, None)]
    driving.tell("end_shift", None, EIGHT + 45)
    assert had(driving) == [(EIGHT + 30, EIGHT + 45)]


def test_what_a_fence_seems_to_see_ends_no_break(driving: Round) -> None:
    """Who eats in the street of the next customer is not working."""
    driving.tell("start_break", None, EIGHT + 4)
    driving.clock(EIGHT + 6)
    driving.noticed("arrived", 0, EIGHT + 5)
    driving.apply()
    driving.tell("acknowledge", None, EIGHT + 7, version=1)
    assert had(driving) == [(EIGHT + 4, None)]
    close(driving, 0, EIGHT + 30)
    assert had(driving) == [(EIGHT + 4, EIGHT + 30)]


def test_a_break_under_way_is_in_every_arrival_and_one_that_is_over_is_not_counted_again(
    driving: Round,
) -> None:
    """Planned after the first door, had before it: everybody was expected half an hour too late."""
    planned_for(driving, 0)
    driving.tell("start_break", None, EIGHT)
    driving.at(60.1699, 24.9384, EIGHT + 10)
    estimate(driving, EIGHT + 10)
    first, second, third = minutes_off(driving)
    assert first == pytest.approx(30, abs=2)  # it is planned after this door
    assert [second, third] == pytest.approx([0, 0], abs=2)
    driving.tell("end_break", None, EIGHT + 30)
    driving.at(60.1699, 24.9384, EIGHT + 30)
    estimate(driving, EIGHT + 30)
    assert minutes_off(driving) == pytest.approx([first, second, third], abs=2)


def test_without_the_tap_the_plan_is_what_is_expected(driving: Round) -> None:
    planned_for(driving, 0)
    estimate(driving)
    assert minutes_off(driving) == pytest.approx([0, 0, 0], abs=1.5)


def test_a_break_that_takes_longer_makes_nobody_a_slow_driver(driving: Round) -> None:
    planned_for(driving, 0)
    ends = [(stop.depart_at - TEN).total_seconds() / 60 for stop, _ in driving.stops()]
    close_at(driving, 0, ends[0])
    driving.tell("start_break", None, ends[0] + 1)
    driving.tell("end_break", None, ends[0] + 61)  # an hour, planned were thirty minutes
    close_at(driving, 1, ends[1] + 30)
    driving.at(*driving.place(1), ends[1] + 30)
    estimate(driving, ends[1] + 30)
    [third] = minutes_off(driving)[-1:]
    assert third == pytest.approx(30, abs=1)


def test_who_forgets_to_end_a_break_is_not_taken_to_fly(driving: Round) -> None:
    """All of the way lies within the break: what was left seemed to take no time at all."""
    planned_for(driving, 0)
    ends = [(stop.depart_at - TEN).total_seconds() / 60 for stop, _ in driving.stops()]
    close_at(driving, 0, ends[0])
    driving.tell("start_break", None, ends[0])
    close_at(driving, 1, ends[1])
    driving.at(*driving.place(1), ends[1])
    with driving.hub.reading() as session:
        [begun] = begun_routes(session, moment(ends[1]))
        ahead = round_of(session, begun, None, moment(ends[1]))
    assert ahead is not None and ahead.way_pace == 1


def close_at(driving: Round, n: int, minute: float) -> None:
    stop, job = driving.stops()[n]
    stood = (stop.depart_at - stop.arrive_at).total_seconds() / 60
    driving.tell("arrive", n, minute - stood)
    with driving.hub.unit() as unit:
        row = unit.session.get_one(JobRow, job.id)
        row.state, row.outcome, row.closed_occurred_at = "closed", "succeeded", moment(minute)


def test_board_and_phone_show_a_break_as_it_was_had(driving: Round) -> None:
    begins = planned_for(driving, 1)
    hub, business_id = driving.hub, driving.business_id

    def said() -> tuple[bool, list[str]]:
        board = board_seen(hub, business_id, DAY)
        [lane] = lanes_of(board, axis_of(board, ZONE), ZONE)
        return lane.seen.on_break, [text for _, _, text in lane.rests]

    at = f"{moment(begins).astimezone(ZONE):%H:%M}–{moment(begins + 30).astimezone(ZONE):%H:%M}"
    assert said() == (False, [f"Break {at}"])
    driving.tell("start_break", None, EIGHT + 10)
    assert said() == (True, ["On a break since 08:10"])
    [route] = shown_to(hub, driving.phone).routes
    assert (route.rests, route.had) == ((), ((moment(EIGHT + 10), None),))
    driving.tell("end_break", None, EIGHT + 37)
    assert said() == (False, ["Had a break 08:10–08:37"])
    [route] = shown_to(hub, driving.phone).routes
    assert route.had == ((moment(EIGHT + 10), moment(EIGHT + 37)),)


def test_a_change_on_the_board_goes_by_the_break_as_it_was_had(driving: Round) -> None:
    """Fixed at noon and had at ten past eight: the next turn by hand would have planned it anew."""
    noon = TimeWindow(moment(120), moment(150))
    with driving.hub.unit() as unit:
        route = unit.session.get_one(RouteRow, driving.day.route().id)
        route.rests = rests_kept([noon])
        driver = unit.session.get_one(DriverRow, route.driver_id)
        driver.planning = {**driver.planning, "breaks": "30 min at 12:00"}
    driving.tell("start_break", None, EIGHT + 10)
    driving.tell("end_break", None, EIGHT + 40)
    driving.clock(EIGHT + 45)
    turned_by_hand(driving)
    [rest] = rests_read(driving.day.route().rests)
    assert rest == TimeWindow(moment(EIGHT + 10), moment(EIGHT + 40))


def turned_by_hand(driving: Round) -> None:
    last = driving.stops()[-1][0]
    place = turns(driving.hub, driving.business_id, last.id)[0]
    about = {"actor": "staff:1", "expected_version": driving.day.route().version, "force": True}
    turn(driving.hub, driving.business_id, last.id, place.position, **about)


def test_a_change_on_the_board_during_a_break_that_is_broken_off_leaves_the_planned_one_due(
    driving: Round,
) -> None:
    """Changed while he rested, the route took the break for the noon one whatever came of it."""
    noon = TimeWindow(moment(120), moment(150))
    with driving.hub.unit() as unit:
        route = unit.session.get_one(RouteRow, driving.day.route().id)
        route.rests = rests_kept([noon])
        driver = unit.session.get_one(DriverRow, route.driver_id)
        driver.planning = {**driver.planning, "breaks": "30 min between 08:00 and 12:00"}
    driving.tell("start_break", None, EIGHT + 10)
    turned_by_hand(driving)
    driving.tell("end_break", None, EIGHT + 13)
    [route] = shown_to(driving.hub, driving.phone).routes
    assert route.rests == ((noon.opens, noon.closes),)


def second_shift(driving: Round, begins: float, ends: float) -> str:
    """Of the same driver, with no route yet; minutes past ten."""
    with driving.hub.unit() as unit:
        [first] = unit.session.exec(select(ShiftRow)).all()
        row = ShiftRow(
            business_id=first.business_id,
            driver_id=first.driver_id,
            depot_id=first.depot_id,
            day=first.day,
            starts_at=moment(begins),
            ends_at=moment(ends),
            began_at=moment(begins),
        )
        unit.session.add(row)
        unit.session.flush()
        return row.id


def had_in(driving: Round, shift_id: str) -> list[tuple[float, float | None]]:
    with driving.hub.reading() as session:
        found = breaks_of(session.get_one(ShiftRow, shift_id))
    return [
        (
            (one.since - TEN).total_seconds() / 60,
            one.until and (one.until - TEN).total_seconds() / 60,
        )
        for one in found
    ]


def test_what_was_had_in_the_morning_is_no_break_of_the_evening(driving: Round) -> None:
    """Both lay within six hours, so the evening's planned break was taken to be had already."""
    driving.tell("start_break", None, EIGHT + 10)
    driving.tell("end_break", None, EIGHT + 40)
    driving.tell("end_shift", None, EIGHT + 100)
    evening = second_shift(driving, 0, 300)
    driving.clock(60)
    begin = act("e1", "start_break", None, 60)
    assert [one.result for one in take_acts(driving.hub, driving.phone, [begin])] == ["applied"]
    assert had_in(driving, evening) == [(60, None)]
    assert len(driving.told("BreakBegan")) == 2


def test_who_goes_on_with_his_other_route_rests_on_neither(driving: Round) -> None:
    """Begun with the one route open, ended by work on the other: it stayed under way for ever."""
    driving.tell("start_break", None, EIGHT + 10)
    other = second_shift(driving, EIGHT + 1, 300)
    with driving.hub.unit() as unit:  # the driver's route is now of his other shift
        [route] = unit.session.exec(select(RouteRow)).all()
        first, route.shift_id = route.shift_id, other
    driving.tell("arrive", 0, EIGHT + 30)
    assert had_in(driving, first) == [(EIGHT + 10, EIGHT + 30)]


def test_the_next_shift_ends_a_break_that_was_forgotten(driving: Round) -> None:
    driving.tell("start_break", None, EIGHT + 10)
    driving.tell("start_shift", None, EIGHT + 200)
    assert had(driving) == [(EIGHT + 10, EIGHT + 200)]


def test_a_break_told_before_its_shift_is_one_once_that_is_told(database_url: str) -> None:
    driving = Round(database_url)
    driving.tell("start_break", None, EIGHT + 10)
    assert had(driving) == [] and driving.told("BreakBegan") == []
    driving.tell("start_shift", None, EIGHT)
    assert had(driving) == [(EIGHT + 10, None)]
    assert len(driving.told("BreakBegan")) == 1


def test_a_break_that_ends_with_the_shift_is_told_as_over(driving: Round) -> None:
    driving.tell("start_break", None, EIGHT + 30)
    driving.tell("end_shift", None, EIGHT + 45)
    [ended] = driving.told("BreakEnded")
    assert ended.occurred_at == moment(EIGHT + 45)


def test_a_break_after_the_shift_is_none(driving: Round) -> None:
    """The board said "Had a break 08:50–08:50"."""
    driving.tell("end_shift", None, EIGHT + 45)
    driving.tell("start_break", None, EIGHT + 50)
    assert had(driving) == [] and driving.told("BreakBegan") == []


def test_a_change_on_the_board_waits_for_a_break_that_nobody_planned(driving: Round) -> None:
    """Stops were set at times at which their driver still sat over his coffee."""
    close(driving, 0, EIGHT + 20)
    driving.tell("start_break", None, EIGHT + 21)
    turned_by_hand(driving)
    assert min(stop.arrive_at for stop, _ in driving.stops()[1:]) >= moment(EIGHT + 36)
    driving.tell("end_break", None, EIGHT + 25)
    turned_by_hand(driving)
    assert min(stop.arrive_at for stop, _ in driving.stops()[1:]) < moment(EIGHT + 36)
