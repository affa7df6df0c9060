"""What would have made a late job punctual, the order being as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from hub import Pace, completed
from hub.core.fit import RouteNow, timed
from hub.core.fit_route import served
from hub.core.late import Begun, LateBecause, late_because
from hub.core.pace import Traffic, traffic_of
from hub.core.plan_request import JobToPlan
from hub.core.schedule import Timetable
from hub.testing.days import a_bakery_day, a_van, at, between
from tests.core.test_pace import a_day, routes_of


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def test_nothing_before_it_waits_so_leaving_earlier_does() -> None:
    before = [Begun("1", at(8.5), None), Begun("2", at(9), at(8))]
    assert late_because(minutes(17), before) == LateBecause(minutes(17), None)


def test_minutes_are_whole_and_enough() -> None:
    assert late_because(timedelta(seconds=961), []).earlier == minutes(17)


def test_a_window_that_opens_just_then_holds_the_route_up() -> None:
    second = Begun("2", at(10), at(10))
    before = [Begun("1", at(9), at(8)), second, Begun("3", at(10.5), None)]
    assert late_because(minutes(17), before) == LateBecause(None, second)


def test_leaving_so_much_earlier_makes_a_fixed_order_punctual() -> None:
    # A person fixed the order 3, 1: half an hour out, then back; 1 wanted to be done by 8:45.
    jobs = (
        JobToPlan(id="far", place=3, service_s=600),
        JobToPlan(id="near", place=1, windows=(between(8, 8.75),)),
    )
    request = a_bakery_day(jobs, (a_van(),))
    [van] = request.vehicles
    free = Timetable(a_bakery_day((jobs[0], JobToPlan(id="near", place=1)), (van,)))
    trip = free.trip(van, ("far", "near"))
    assert trip is not None
    begins = trip.stops[-1][2] - at(8.75).timestamp()
    assert begins > 0
    because = late_because(timedelta(seconds=begins), [Begun("far", at(8.5), None)])
    assert because.earlier is not None
    for by, works in ((because.earlier, True), (because.earlier - minutes(1), False)):
        early = a_van(shift=between(8 - by.total_seconds() / 3600, 17))
        table = Timetable(a_bakery_day(jobs, (early,)))
        assert (table.trip(early, ("far", "near")) is not None) is works


def test_in_traffic_who_leaves_earlier_is_not_earlier_by_as_much() -> None:
    """Roads are twice as slow from 7 to 9. A door 90 minutes from the first one, where work is
    over at 7:30: half of the drive is in the rush hour, and 20 minutes late is 40 there."""
    traffic = Traffic((Pace(at(7), 2.0), Pace(at(9), 1.0)))
    first, then = (at(6.5), at(7)), (at(7.5), at(9.25))  # 105 min: 90 in the rush, 15 free
    held = late_because(minutes(5), [Begun("1", at(7), at(6.75), then)], first, traffic)
    assert held == LateBecause(minutes(10), None)  # each of five minutes is two in the rush
    much = [Begun("1", at(7), at(6.75), then)]
    assert late_because(minutes(15), much, first, traffic) == LateBecause(None, much[0])
    assert late_because(minutes(15), much, first) == LateBecause(minutes(15), None)


@pytest.mark.parametrize("seed", range(12))
def test_the_minutes_that_would_do_do_and_one_fewer_does_not(seed: int) -> None:
    request = a_day(seed)
    checked = 0
    for planned in routes_of(request, completed(request, {})):
        roads = request.travel[planned.vehicle.profile]
        free = tuple(
            replace(stop, jobs=tuple(replace(job, windows=()) for job in stop.jobs))
            for stop in planned.stops
        )
        van = replace(planned.vehicle, shift=between(1, 23))
        late = replace(planned, vehicle=van, stops=free, leave=planned.leave + minutes(90))
        route = timed(late, request.travel, at(1))
        last = served(route, route.stops[-1], route.stops[-1].arrive)[0][0]
        ways = [(a.depart, b.arrive) for a, b in pairwise(route.stops)]
        begun = [
            Begun(stop.jobs[-1].id, stop.arrive, None, way)
            for stop, way in zip(route.stops, ways, strict=False)
        ]
        first = (route.leave, route.stops[0].arrive)
        because = late_because(minutes(12), begun, first, traffic_of(roads.pace))
        assert because.earlier is not None

        def begins(leave: datetime, route: RouteNow = route) -> datetime:
            again = timed(replace(route, leave=leave), request.travel, at(1))
            return served(again, again.stops[-1], again.stops[-1].arrive)[0][0]

        assert begins(route.leave - because.earlier) <= last - minutes(12)
        assert begins(route.leave - because.earlier + minutes(2)) > last - minutes(12)
        checked += 1
    assert checked
