"""Whether more work fits a route as it now stands, where best, and by how much it does not.

What is under way or done is a fact: only what is still to do is timed and judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from hub.core.fit_places import promising
from hub.core.fit_problems import Problem, beginnings, problems, worse
from hub.core.fit_rests import Rest, Rests, resting
from hub.core.fit_route import (
    RouteNow,
    Stage,
    StopNow,
    begins,
    begins_as_told,
    driving_s,
    left_at,
    not_before,
    overtakes,
    served,
)
from hub.core.pace import Traffic, arrives, departs, traffic_of
from hub.core.plan_request import JobToPlan, TravelMatrix

__all__ = [
    "Placement",
    "Problem",
    "RouteNow",
    "Stage",
    "StopNow",
    "Times",
    "begins",
    "begins_as_told",
    "inserted",
    "leaving_early",
    "not_before",
    "placed",
    "problems",
    "timed",
    "times_at",
    "worse",
]
AT_MOST = 24  # places judged in full if each breaks a rule
AT_MOST_WITH_RESTS = 60  # a look along the route foresees less of these
ZERO = timedelta(0)
STEPS, NEARLY = 6, timedelta(seconds=-15)
"""How often another time of leaving is tried, and how much too early is as late as it may be."""


@dataclass(frozen=True, slots=True)
class Times:
    """``begins_at``: when work begins at a stop; ``waits_s`` before its door."""

    begins_at: datetime
    waits_s: int


def times_at(route: RouteNow, stop: StopNow) -> Times:
    begins_at = served(route, stop, stop.arrive)[0][0]
    at_door = stop.arrive + timedelta(seconds=stop.walk_s)
    waits = begins_at - at_door - resting(route.rests, stop.arrive, begins_at)
    return Times(begins_at, round(waits.total_seconds()))


@dataclass(frozen=True, slots=True)
class Placement:
    """A route with the new jobs on it. ``problems``: what only their coming breaks."""

    route: RouteNow
    position: int  # of the first new job's stop on the list, from 1
    extra_s: int  # more driving
    problems: tuple[Problem, ...]
    earlier_s: int = 0  # the vehicle must leave

    @property
    def times(self) -> Times:
        """When work begins at the new stop, and what waiting for it means."""
        stop = self.route.listed[self.position - 1]
        return times_at(self.route, stop)

    @property
    def burden(self) -> tuple[int, int, int, int]:
        """The less, the better: rules broken, by how much, promises missed by, longer out."""
        rules = [one.amount for one in self.problems if not one.is_promise]
        late_s = sum(one.amount for one in self.problems if one.is_promise)
        return len(rules), sum(rules), late_s, self.extra_s + self.earlier_s


def placed(
    route: RouteNow,
    legs: Sequence[JobToPlan],
    travel: Mapping[str, TravelMatrix],
    now: datetime,
    at_most: int | None = None,
) -> Placement:
    """The best places for ``legs`` (one job, or a pair in its order) among what is to do.

    Where no rule is broken, if there is such a place; else few and by little; then where the
    promises hold, or nearly; then least driving. Places are judged in full, those that look
    best first, until no other can be better, or ``at_most`` were (``None``: as many as it takes
    to be nearly sure).
    """
    route = timed(route, travel, now)
    before, driven = problems(route), driving_s(route, travel)
    roads = travel[route.vehicle.profile]
    is_exact = traffic_of(roads.pace) is None
    early = leaving_early(route, travel, now)
    at_most = at_most or (AT_MOST_WITH_RESTS if route.vehicle.breaks else AT_MOST)
    options: list[Placement] = []
    least_s = None  # of those that break nothing
    for (broken_rules, _, more_s), at in promising(route, early, legs, roads, now)[:at_most]:
        if least_s is not None and (broken_rules or (is_exact and more_s >= least_s)):
            break
        tried = timed(inserted(route, legs, at), travel, now)
        broken = worse(problems(tried), before)
        position = next(n for n, s in enumerate(tried.listed, 1) if legs[0] in s.jobs)
        earlier_s = max(0, int((route.leave - tried.leave).total_seconds()))
        extra_s = driving_s(tried, travel) - driven
        options.append(Placement(tried, position, extra_s, broken, earlier_s))
        if not broken and (least_s is None or extra_s + earlier_s < least_s):
            least_s = extra_s + earlier_s
    return min(options, key=lambda one: one.burden)


def leaving_early(route: RouteNow, travel: Mapping[str, TravelMatrix], now: datetime) -> RouteNow:
    """``route``, which is timed, leaving as soon as it can."""
    if route.has_left:
        return route
    earliest = max(route.vehicle.shift.opens, now)
    return _timed_from(route, travel[route.vehicle.profile], earliest, now)


def timed(route: RouteNow, travel: Mapping[str, TravelMatrix], now: datetime) -> RouteNow:
    """``route`` with the times of everything that is still to do worked out anew.

    It leaves when it was to leave: later where it would wait at its first door, earlier, as
    little as it takes, where somebody would be too late; later too where its day would else be
    longer than its driver's may. Nothing is done in the past, nor before the time its recipient was
    told. A break that has to shift for it shifts.
    """
    roads = travel[route.vehicle.profile]
    return _measured(_later(_timed(route, roads, now), roads, now), roads)


def _timed(route: RouteNow, roads: TravelMatrix, now: datetime) -> RouteNow:
    earliest = max(route.vehicle.shift.opens, now, *_goods_at(route))
    if route.has_left:
        return replace(_timed_from(route, roads, earliest, now), leave=route.leave)
    leave = max(earliest, route.leave)
    found = _timed_from(route, roads, leave, now)
    late = _late(found)
    if late <= ZERO or leave == earliest:
        return found
    if traffic_of(roads.pace) is None and not route.vehicle.breaks:
        return _timed_from(route, roads, max(earliest, leave - late), now)
    tried, step = {leave: found}, late
    for _ in range(STEPS):  # in traffic, or with a rest, an hour earlier is not an hour gained
        was, leave = leave, max(earliest, leave - step)
        if leave in tried:
            break
        tried[leave] = _timed_from(route, roads, leave, now)
        gained, late = late - _late(tried[leave]), _late(tried[leave])
        if NEARLY <= late <= ZERO or not gained:
            break
        step = late * min(max((was - leave) / gained, 0.25), 4)
    if late > ZERO:
        tried[earliest] = _timed_from(route, roads, earliest, now)
    least = min(max(ZERO, _late(one)) for one in tried.values())
    return tried[max(at for at, one in tried.items() if _late(one) <= least)]


def _goods_at(route: RouteNow) -> Iterator[datetime]:
    """When what it brings from the depot is ready to be loaded, where that is known."""
    if route.has_left:
        return
    for stop in route.stops:
        for job in stop.jobs:
            if job.ready_at is not None and job.pair_with is None:
                if job.load_direction == "deliver":
                    yield job.ready_at


def _later(route: RouteNow, roads: TravelMatrix, now: datetime) -> RouteNow:
    """Leaving later, where that makes too long a day shorter, or is a wait less at the first door,
    and nobody is late by it.
    """
    if route.has_left or not route.stops or not _has_limits(route):
        return route
    for _ in range(STEPS):
        too_long = route.home - route.leave - _longest(route)
        wanted = max(too_long, _first_wait(route) if route.vehicle.breaks else ZERO)
        steps = [wanted, min(wanted, -_late(route))]  # by the second surely nobody is late
        tries = (
            _timed_from(route, roads, route.leave + step, now) for step in steps if step > ZERO
        )
        better = next((one for one in tries if _is_shorter(one, route, too_long)), None)
        if better is None:
            break
        route = better
    return route


def _is_shorter(tried: RouteNow, route: RouteNow, too_long: timedelta) -> bool:
    """Whether the day is, and nobody waits or rests later by it than he may."""
    return (
        tried.home - tried.leave < route.home - route.leave
        and (too_long > ZERO or tried.home <= route.home)
        and _late(tried) <= max(ZERO, _late(route))
        and _rests_late(tried) <= _rests_late(route)
    )


def _has_limits(route: RouteNow) -> bool:
    return bool(route.vehicle.breaks) or route.vehicle.max_duration_s is not None


def _longest(route: RouteNow) -> timedelta:
    longest_s = route.vehicle.max_duration_s
    return timedelta(days=3650) if longest_s is None else timedelta(seconds=longest_s)


def _first_wait(route: RouteNow) -> timedelta:
    first = route.stops[route.first_free : route.first_free + 1]
    return timedelta(seconds=sum(times_at(route, stop).waits_s for stop in first))


def _rests_late(route: RouteNow) -> timedelta:
    """By how much breaks begin too late, all together."""
    late = ZERO
    for one, rest in zip(route.vehicle.breaks, route.rests, strict=False):
        if rest is not None:
            late += max(ZERO, rest.opens - one.window.closes)
    return late


def _measured(route: RouteNow, roads: TravelMatrix) -> RouteNow:
    if route.vehicle.max_distance_m is None:
        return route
    return replace(route, metres=sum(roads.metres[a][b] for a, b in pairwise(route.way)))


def _timed_from(route: RouteNow, roads: TravelMatrix, leave: datetime, now: datetime) -> RouteNow:
    traffic, rests = traffic_of(roads.pace), None
    if own := route.vehicle.breaks:
        rests = Rests(own, route.rests, leave, now, has_left=route.has_left, had=route.had)
        route = replace(route, rests=())
    soonest = max(leave, route.rests_until or leave)
    place, clock, stops = route.vehicle.start, soonest, list[StopNow]()
    door: int | None = None  # where the driver was at one
    sets_off_to = None if route.has_left or rests else route.first_free
    free_at = soonest
    for n, stop in enumerate(route.stops):
        if stop.stage is Stage.SKIPPED:
            stops.append(stop)
            continue
        if stop.under_way and not overtakes(route, stop):
            clock = free_at = max(soonest, left_at(route, stop, now))
        else:
            way_s = 0 if stop.stage is Stage.THERE else roads.seconds[place][stop.place]
            stop = replace(stop, walk_s=route.walk_s(door, stop.place))
            if rests is None:
                arrive = arrives(traffic, clock, way_s)
            if n == sets_off_to:
                start = served(route, stop, arrive)[0][0]
                parks = start - timedelta(seconds=stop.walk_s)
                if parks > arrive:
                    clock = leave = max(clock, departs(traffic, parks, way_s))
                    arrive = arrives(traffic, clock, way_s)
            if rests is None:
                clock = served(route, stop, arrive)[-1][1]
            else:
                arrive, clock = _rested(route, stop, rests, rests.up(clock), way_s, traffic)
            if stop.under_way:
                free_at = clock
            stop = replace(stop, arrive=arrive, depart=clock)
        stops.append(stop)
        place = door = stop.place
    end = place if route.vehicle.end is None else route.vehicle.end
    way_s = roads.seconds[place][end]
    taken: tuple[Rest, ...] = ()
    if rests is None:
        home = arrives(traffic, clock, way_s)
    else:
        free_at = rests.up(free_at)
        home = rests.home(rests.up(clock), way_s, traffic)
        taken = tuple(rests.taken)
    return replace(route, stops=tuple(stops), leave=leave, home=home, rests=taken, free_at=free_at)


def _rested(
    route: RouteNow,
    stop: StopNow,
    rests: Rests,
    clock: datetime,
    way_s: int,
    traffic: Traffic | None,
) -> tuple[datetime, datetime]:
    """When one arrives at a stop, and when its jobs are done, with the rests before each."""
    came_at, walk_s = None, stop.walk_s
    for job in stop.jobs:
        begins = partial(begins_as_told, job.windows, promise=route.promises.get(job.id))
        service = timedelta(seconds=route.vehicle.at_door_s(job.service_s))
        arrive, ready = rests.before(clock, way_s, walk_s, service, begins, traffic)
        came_at = came_at or arrive
        clock, way_s, walk_s = begins(ready) + service, 0, 0
    return came_at or clock, clock


def _late(route: RouteNow) -> timedelta:
    """By how much it is home, or somewhere, too late; negative while there is time."""
    return max(_overrun(route), _delay(route))


def _overrun(route: RouteNow) -> timedelta:
    """By how much it is home too late; negative while there is time."""
    allowed = timedelta(seconds=route.vehicle.overtime_s)
    return route.home - route.vehicle.shift.closes - allowed


def _delay(route: RouteNow) -> timedelta:
    """By how much too late the latest job would begin; negative while none is."""
    late = []
    for job, start in beginnings(route):
        closes = [max(window.closes for window in job.windows)] if job.windows else []
        if (promise := route.promises.get(job.id)) is not None:
            closes.append(promise.closes)
        late += [start - one for one in closes]
    return max(late, default=ZERO)


def inserted(route: RouteNow, legs: Sequence[JobToPlan], at: Sequence[int]) -> RouteNow:
    """With ``legs``, not timed yet; ``at``: for each, before which of the present stops."""
    stops = list(route.stops)
    for leg, n in sorted(zip(legs, at, strict=True), key=lambda pair: -pair[1]):
        stops.insert(n, _new(route, leg))
    if len(at) == 2 and at[0] == at[1]:  # both before the same stop: in the order of the pair
        stops[at[0] : at[0] + 2] = [_new(route, leg) for leg in legs]
    return replace(route, stops=tuple(_joined(stops)))


def _new(route: RouteNow, leg: JobToPlan) -> StopNow:
    return StopNow("", leg.place, (leg,), Stage.TO_DO, route.leave, route.leave)


def _joined(stops: Sequence[StopNow]) -> Iterator[StopNow]:
    """What is new joins the stop before or after it if that is at its place and not begun."""
    last: StopNow | None = None
    for stop in stops:
        if last is None:
            last = stop
        elif (
            last.place == stop.place
            and not (last.id and stop.id)  # two that were apart stay so
            and not last.under_way
            and not stop.under_way
        ):
            both = (*last.jobs, *stop.jobs)
            last = replace(last, id=last.id or stop.id, n=last.n or stop.n, jobs=both)
        else:
            yield last
            last = stop
    if last is not None:
        yield last
