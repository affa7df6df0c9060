"""A better rest of the day for routes that are being driven, with as few changes as pay.

``improve`` looks for it in what is left of the routes; ``fit`` judges what it found, as it judges
every change of a route. Nothing is done that breaks a rule or a promise which held before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from hub.core.ad_hoc import AdHoc
from hub.core.fit import RouteNow, Stage, StopNow, problems, timed, worse
from hub.core.fit_problems import Problem
from hub.core.fit_route import driving_s as at_the_wheel_s
from hub.core.improve import Stability, improve
from hub.core.plan_request import JobToPlan, PlanRequest
from hub.core.rest_request import PER_HOUR, PER_KM, Ahead, Travel, ahead, requested
from hub.core.schedule import Timetable

WORTH_S = 60  # of driving: nobody is told of a change that saves less
MOVE_PRICE_S = 300  # of driving, for each job that another driver would do
TURN_PRICE_S = 60  # of driving, for each stop that comes at another turn
MENDED_S = 300  # of driving, for each promise that would hold again
LOOK = 0.02  # of the time between two judgements: finds come by the hundred at the beginning
_PER_S = PER_KM * 30 / 3600 + PER_HOUR / 3600  # what a second of driving costs, at 30 km/h
Unit = tuple[JobToPlan, ...]
Order = tuple[tuple[str, ...], ...]  # the jobs of each stop that is still to do


@dataclass(frozen=True)
class Rest:
    """Routes as they stand, timed from ``now``, and what of them may be changed.

    ``units`` (a job, or a pair) may come at another turn, and go to any other route but those
    that ``barred`` has for them. Each route knows the numbers and promises of all units.
    """

    routes: Mapping[str, RouteNow]
    units: tuple[Unit, ...]
    travel: Travel
    now: datetime
    barred: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def waiting(self) -> tuple[Problem, ...]:
        """Who waits too long already, wherever their job is."""
        found = (one for route in self.routes.values() for one in problems(route))
        return tuple(one for one in found if one.kind in ("window", "promise"))

    @cached_property
    def jobs(self) -> dict[str, JobToPlan]:
        stops = (stop for route in self.routes.values() for stop in route.stops)
        return {job.id: job for stop in stops for job in stop.jobs}

    def fresh(self, after: RouteNow) -> tuple[Problem, ...]:
        """What ``after`` breaks that was not broken, or less, on its own route as it stands, nor
        is among what is ``waiting``.
        """
        before = problems(self.routes[after.id])
        return worse(problems(after), [*self.waiting, *before])

    def laid(self, route_id: str, order: Order) -> RouteNow:
        """The route with ``order`` after what is under way, timed. All jobs must be known."""
        found = with_order(self.routes[route_id], order, self.jobs)
        return timed(found, self.travel, self.now)


@dataclass(frozen=True, slots=True)
class Better:
    """A rest of the day that costs less. ``orders``: of the routes that change.

    ``saved_s`` of driving; ``mended``: promises that would hold again; ``moved``: jobs that
    another driver would do.
    """

    orders: Mapping[str, Order]
    saved_s: int
    mended: int
    moved: int

    @property
    def worth_s(self) -> int:
        """What it is worth, less what it costs to change drivers, in seconds of driving."""
        return self.saved_s + MENDED_S * self.mended - MOVE_PRICE_S * self.moved


def improved(
    rest: Rest,
    share: Callable[[], float],
    on_better: Callable[[Better], None] = lambda better: None,
    *,
    seed: int = 0,
) -> Better | None:
    """The best that is found until ``share`` (of the time, from 0) is 1; ``None``: nothing is.

    ``on_better`` hears of each that is better than all before, a few times a second at most.
    """
    search = _Search(rest, on_better)
    search.run(share, seed)
    return search.best


def with_order(route: RouteNow, order: Order, known: Mapping[str, JobToPlan]) -> RouteNow:
    """``route`` with other stops after those under way; not timed. A stop stays the same one
    while any of its jobs is there.
    """
    present = {job.id: stop for stop in route.stops[route.first_free :] for job in stop.jobs}
    stops, used = list(route.stops[: route.first_free]), set[str]()
    for ids in order:
        work = tuple(known[id] for id in ids)
        here = next(
            (present[id] for id in ids if id in present and present[id].id not in used), None
        )
        if here is None:
            here = StopNow("", work[0].place, work, Stage.TO_DO, route.leave, route.leave)
        used.add(here.id)
        stops.append(replace(here, jobs=work))
    return replace(route, stops=tuple(stops))


def order_of(route: RouteNow) -> Order:
    return tuple(tuple(job.id for job in stop.jobs) for stop in route.stops[route.first_free :])


def driving_s(route: RouteNow, travel: Travel) -> int:
    """Seconds at the wheel from its start to its end; 0 if it goes nowhere."""
    return at_the_wheel_s(route, travel) if route.stops else 0


class _Search:
    def __init__(self, rest: Rest, on_better: Callable[[Better], None]) -> None:
        self.rest, self.on_better = rest, on_better
        self.best: Better | None = None
        self.unjudged: Mapping[str, tuple[str, ...]] | None = None
        self.found = tuple(_ahead(rest))
        self.before = {one.vehicle.id: one.order for one in self.found}

    def run(self, share: Callable[[], float], seed: int) -> None:
        if not self.found:
            return
        desk = AdHoc(Timetable(self._request()), self.before)
        home = {id: route for route, order in self.before.items() for id in order}
        movable = [job.id for unit in self.rest.units for job in unit if job.id in home]
        look_at = 0.0

        def looked() -> float:
            nonlocal look_at
            used = share()
            if used >= look_at:
                look_at = used + LOOK
                self._judge()
            return used

        def noted(orders: Mapping[str, tuple[str, ...]]) -> None:
            self.unjudged = orders

        stability = Stability(home, round(MOVE_PRICE_S * _PER_S))
        improve(desk, movable, looked, stability=stability, seed=seed, on_best=noted)
        self._judge()

    def _request(self) -> PlanRequest:
        request = requested(self.found, self.rest.travel)
        jobs = tuple(
            replace(job, forbidden_vehicles=self.rest.barred.get(job.id, frozenset()))
            for job in request.jobs
        )
        price = round(TURN_PRICE_S * _PER_S)
        return replace(request, jobs=jobs, before=self.before, reorder_cost=price)

    def _judge(self) -> None:
        """The best that the search has, if nobody looked at it yet, as ``fit`` sees it."""
        orders, self.unjudged = self.unjudged, None
        better = None if orders is None else self._better(orders)
        if better is not None and (self.best is None or better.worth_s >= self.best.worth_s):
            self.best = better
            self.on_better(better)

    def _better(self, orders: Mapping[str, tuple[str, ...]]) -> Better | None:
        rest = self.rest
        changed = {
            id: _stops(rest, id, order) for id, order in orders.items() if order != self.before[id]
        }
        after = {id: rest.laid(id, order) for id, order in changed.items()}
        if not after or any(rest.fresh(route) for route in after.values()):
            return None
        saved_s = sum(
            driving_s(rest.routes[id], rest.travel) - driving_s(route, rest.travel)
            for id, route in after.items()
        )
        missed = [_missed(rest.routes[id]) - _missed(after[id]) for id in after]
        moved = sum(id not in self.before[route] for route in changed for id in orders[route])
        better = Better(changed, saved_s, sum(missed), moved)
        return better if better.worth_s >= WORTH_S else None


def _ahead(rest: Rest) -> Iterator[Ahead]:
    for route in rest.routes.values():
        if (found := ahead(route, rest.travel, rest.now)) is not None:
            yield found


def _stops(rest: Rest, route_id: str, order: Sequence[str]) -> Order:
    """Jobs in their order as stops: what was one stop stays one, and what is new joins the stop
    next to it at its place.
    """
    route = rest.routes[route_id]
    of = {job.id: n for n, stop in enumerate(route.stops) for job in stop.jobs}
    stops = list[list[str]]()
    at: tuple[int, int | None] | None = None  # place, and which stop it was if any
    for id in order:
        place, n = rest.jobs[id].place, of.get(id)
        if at is not None and at[0] == place and (at[1] == n or at[1] is None or n is None):
            stops[-1].append(id)
            at = place, n if at[1] is None else at[1]
        else:
            stops.append([id])
            at = place, n
    return tuple(map(tuple, stops))


def _missed(route: RouteNow) -> int:
    return sum(one.is_promise for one in problems(route))
