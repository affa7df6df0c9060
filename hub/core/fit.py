"""Whether more work fits a route as it now stands, where best, and by how much it does not.

What is under way or done is a fact: only what is still to do is timed and judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hub.core.fit_places import promising
from hub.core.fit_problems import Problem, beginnings, problems, worse
from hub.core.fit_route import (
    RouteNow,
    Stage,
    StopNow,
    begins,
    begins_as_told,
    left_at,
    not_before,
    overtakes,
    served,
    starts,
)
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
    "not_before",
    "placed",
    "problems",
    "timed",
    "times_at",
    "worse",
]
AT_MOST = 24  # places judged in full if each breaks a rule


@dataclass(frozen=True, slots=True)
class Times:
    """``begins_at``: when work begins at a stop; ``waits_s`` before its door."""

    begins_at: datetime
    waits_s: int


def times_at(route: RouteNow, stop: StopNow) -> Times:
    begins_at = served(stop, stop.arrive, route.promises)[0][0]
    return Times(begins_at, round((begins_at - stop.arrive).total_seconds()))


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
) -> Placement:
    """The best places for ``legs`` (one job, or a pair in its order) among what is to do.

    Where no rule is broken, if there is such a place; else few and by little; then where the
    promises hold, or nearly; then least driving. Places are judged in full, those that look
    best first, until no other can be better, or ``AT_MOST`` were.
    """
    route = timed(route, travel, now)
    before, driven = problems(route), _driving_s(route, travel)
    seconds = travel[route.vehicle.profile].seconds
    early = route
    if not route.has_left:
        early = _timed_from(route, seconds, max(route.vehicle.shift.opens, now), now)
    options: list[Placement] = []
    least_s = None  # of those that break nothing
    for (broken_rules, _, more_s), at in promising(route, early, legs, seconds, now)[:AT_MOST]:
        if least_s is not None and (broken_rules or more_s >= least_s):
            break
        tried = timed(_with(route, legs, at), travel, now)
        broken = worse(problems(tried), before)
        position = next(n for n, s in enumerate(tried.listed, 1) if legs[0] in s.jobs)
        earlier_s = max(0, int((route.leave - tried.leave).total_seconds()))
        extra_s = _driving_s(tried, travel) - driven
        options.append(Placement(tried, position, extra_s, broken, earlier_s))
        if not broken and (least_s is None or extra_s + earlier_s < least_s):
            least_s = extra_s + earlier_s
    return min(options, key=lambda one: one.burden)


def timed(route: RouteNow, travel: Mapping[str, TravelMatrix], now: datetime) -> RouteNow:
    """``route`` with the times of everything that is still to do worked out anew.

    It leaves when it was to leave: later where it would wait at its first door, earlier, as
    little as it takes, where somebody would be too late. Nothing is done in the past, nor before
    the time its recipient was told.
    """
    seconds = travel[route.vehicle.profile].seconds
    earliest = max(route.vehicle.shift.opens, now)
    if route.has_left:
        return replace(_timed_from(route, seconds, earliest, now), leave=route.leave)
    leave = max(earliest, route.leave)
    found = _timed_from(route, seconds, leave, now)
    late = max(_overrun(found), _delay(found))
    if late <= timedelta(0) or leave == earliest:
        return found
    return _timed_from(route, seconds, max(earliest, leave - late), now)


def _timed_from(
    route: RouteNow, seconds: Sequence[Sequence[int]], leave: datetime, now: datetime
) -> RouteNow:
    place, clock, stops = route.vehicle.start, leave, list[StopNow]()
    sets_off_to = None if route.has_left else route.first_free
    for n, stop in enumerate(route.stops):
        if stop.stage is Stage.SKIPPED:
            stops.append(stop)
            continue
        if stop.under_way and not overtakes(route, stop):
            clock = max(leave, left_at(route, stop, now))
        else:
            way = timedelta(seconds=seconds[place][stop.place])
            if stop.stage is Stage.THERE:
                way = timedelta(0)
            if n == sets_off_to:
                first = stop.jobs[0]
                start = starts(first, clock + way, route.promises.get(first.id))
                clock = leave = max(clock, start - way)
            depart = served(stop, clock + way, route.promises)[-1][1]
            stop = replace(stop, arrive=clock + way, depart=depart)
            clock = depart
        stops.append(stop)
        place = stop.place
    end = place if route.vehicle.end is None else route.vehicle.end
    home = clock + timedelta(seconds=seconds[place][end])
    return replace(route, stops=tuple(stops), leave=leave, home=home)


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
    return max(late, default=timedelta(0))


def _with(route: RouteNow, legs: Sequence[JobToPlan], at: Sequence[int]) -> RouteNow:
    """``at``: for each leg, before which of the present stops."""
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


def _driving_s(route: RouteNow, travel: Mapping[str, TravelMatrix]) -> int:
    seconds = travel[route.vehicle.profile].seconds
    return sum(seconds[a][b] for a, b in pairwise(route.way))
