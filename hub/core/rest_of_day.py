"""A better rest of the day for routes that are being driven, with as few changes as pay.

Each unit of work (a job, or a pair) is taken out and put back where it costs least driving, on
its own route or another, as long as a round over all of them finds something. Nothing is
done that breaks a rule or a promise which held before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from hub.core.fit import RouteNow, placed, problems, timed, worse
from hub.core.fit_problems import Problem
from hub.core.fit_route import driving_s
from hub.core.plan_request import JobToPlan, TravelMatrix

WORTH_S = 60  # of driving: nobody is told of a change that saves less
MOVE_PRICE_S = 300  # of driving, for each job that another driver would do
TRIED = 3  # other routes judged in full for one unit: each takes some milliseconds
Unit = tuple[JobToPlan, ...]
Travel = Mapping[str, TravelMatrix]


def improved_rest(
    routes: Sequence[RouteNow],
    units: Sequence[Unit],
    travel: Travel,
    now: datetime,
    *,
    may_go: Callable[[Unit, str], bool],
    is_over: Callable[[], bool] = lambda: False,
) -> tuple[RouteNow, ...]:
    """``routes`` in their order, timed from ``now``, with ``units`` where they are driven to best.

    ``may_go``: whether the route of an id may have a unit that is on another. Every route must
    know the numbers and promises of all units. Stops looking once ``is_over``.
    """
    search = _Search(routes, units, travel, now, may_go)
    while not is_over() and search.round(is_over):
        pass
    return tuple(search.routes[route.id] for route in routes)


def without(route: RouteNow, job_ids: frozenset[str]) -> RouteNow:
    """``route`` without these jobs and the stops that they leave empty; not timed anew."""
    kept = (
        replace(stop, jobs=tuple(job for job in stop.jobs if job.id not in job_ids))
        for stop in route.stops
    )
    return replace(route, stops=tuple(stop for stop in kept if stop.jobs))


def waits(routes: Sequence[RouteNow]) -> tuple[Problem, ...]:
    """Who waits too long already, wherever their job is."""
    found = (one for route in routes for one in problems(route))
    return tuple(one for one in found if one.kind in ("window", "promise"))


def fresh_problems(
    after: RouteNow, before: RouteNow, waiting: Sequence[Problem]
) -> tuple[Problem, ...]:
    """What ``after`` breaks that was not broken, or less, on its own route ``before``, nor is
    among what is ``waiting`` on any route.
    """
    return worse(problems(after), [*waiting, *problems(before)])


class _Search:
    def __init__(
        self,
        routes: Sequence[RouteNow],
        units: Sequence[Unit],
        travel: Travel,
        now: datetime,
        may_go: Callable[[Unit, str], bool],
    ) -> None:
        self.travel, self.now, self.may_go = travel, now, may_go
        self.before = {route.id: timed(route, travel, now) for route in routes}
        self.routes = dict(self.before)
        on = {job.id: route.id for route in routes for stop in route.stops for job in stop.jobs}
        self.waiting = waits(tuple(self.before.values()))
        self.units = list(units)
        self.at = {_ids(unit): on[unit[0].id] for unit in units}
        self.home = dict(self.at)

    def round(self, is_over: Callable[[], bool]) -> bool:
        """Whether any unit found a better place."""
        found = False
        for unit in self.units:
            if is_over():
                break
            found = self._better(unit) or found
        return found

    def _better(self, unit: Unit) -> bool:
        ids = _ids(unit)
        source = self.routes[self.at[ids]]
        rest = timed(without(source, ids), self.travel, self.now)
        saved = self._driving(source) - self._driving(rest) + self._price(unit, source.id)
        if saved < WORTH_S:
            return False
        ranked = sorted(self._promising(unit, source.id, rest, saved))
        options = []
        for _, id in ranked[:TRIED]:
            base = rest if id == source.id else self.routes[id]
            put = placed(base, unit, self.travel, self.now)
            gain = saved - put.extra_s - self._price(unit, id)
            if gain >= WORTH_S and not self._breaks(put.route):
                options.append((gain, id, put.route))
        if not options or self._breaks(rest):  # a way round may be shorter than the way straight
            return False
        _, id, route = max(options, key=lambda one: one[:2])
        self.routes[source.id] = rest
        self.routes[id] = route
        self.at[ids] = id
        return True

    def _breaks(self, route: RouteNow) -> bool:
        return bool(fresh_problems(route, self.before[route.id], self.waiting))

    def _promising(
        self, unit: Unit, own: str, rest: RouteNow, saved: int
    ) -> Iterator[tuple[int, str]]:
        """The least that the way to ``unit`` could cost on each route where that would pay."""
        for id, route in self.routes.items():
            if id not in (own, self.home[_ids(unit)]) and not self.may_go(unit, id):
                continue
            base = rest if id == own else route
            least = max(self._detour(base, job.place) for job in unit) + self._price(unit, id)
            if saved - least >= WORTH_S:
                yield least, id

    def _detour(self, route: RouteNow, place: int) -> int:
        seconds = self.travel[route.vehicle.profile].seconds
        way = route.way
        ends = [] if route.vehicle.end is not None else [seconds[way[-1]][place]]
        through = (seconds[a][place] + seconds[place][b] - seconds[a][b] for a, b in pairwise(way))
        return min([*through, *ends])

    def _price(self, unit: Unit, route_id: str) -> int:
        return 0 if route_id == self.home[_ids(unit)] else MOVE_PRICE_S * len(unit)

    def _driving(self, route: RouteNow) -> int:
        return driving_s(route, self.travel) if route.stops else 0


def _ids(unit: Unit) -> frozenset[str]:
    return frozenset(job.id for job in unit)
