"""What would have made a late job punctual, the order being as it is."""

from __future__ import annotations

from datetime import timedelta

from hub.core.late import Begun, LateBecause, late_because
from hub.core.plan_request import JobToPlan
from hub.core.schedule import Timetable
from hub.testing.days import a_bakery_day, a_van, at, between


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
