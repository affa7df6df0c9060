"""Routes that come to hold what is left of another: each unit where it costs least.

Places are foreseen by a look along each route, and those that look best are judged in full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hub.core.fit import (
    Problem,
    RouteNow,
    Stage,
    StopNow,
    inserted,
    placed,
    problems,
    timed,
    worse,
)
from hub.core.plan_request import JobToPlan
from hub.core.rescue_places import Guess, Outlook
from hub.core.rescue_way import (
    Kind,
    Load,
    Share,
    Travel,
    Unit,
    Way,
    from_it,
    metres_of,
    price,
    take_over,
)

When = Literal["at once", "on the way", "last"]
WHENS: tuple[When, ...] = ("at once", "on the way", "last")
"""Before all that is still to do, where it is the least detour, or once the van is empty."""
FETCHES = 8  # places judged in full for the stop where a load is taken over
Judged = tuple[tuple[int, int], str, RouteNow]


@dataclass(frozen=True, slots=True)
class Care:
    """How many places for one unit are judged in full, of all routes together.

    ``few``: at least, where what is foreseen is not sure; ``broken``: of those that seem to break
    a rule, as with breaks, which may shift; ``at_most``: where each breaks one after all.
    """

    few: int = 3
    broken: int = 2
    at_most: int = 10


CARE = Care()


class OutOfTimeError(Exception):
    """Nobody waits for the rest any more."""


@dataclass(frozen=True, slots=True)
class _Before:
    """What is foreseen of a route that ``legs`` would come to. ``after``: the index of the stop
    where their goods are taken over, by ``fetch``, if they are.
    """

    outlook: Outlook
    bare: RouteNow
    legs: Sequence[JobToPlan]
    after: int = -1
    fetch: JobToPlan | None = None

    def route(self) -> RouteNow:
        return self.bare if self.fetch is None else _carrying(self.bare, self.fetch)


class Sharing:
    """Routes under construction; each may come to hold one stop where goods are taken over, and one
    where they are loaded at the depot. ``at_start``: ids of those that load there anyway.
    """

    def __init__(
        self,
        takers: Sequence[RouteNow],
        load: Load,
        travel: Travel,
        now: datetime,
        known: Sequence[Problem],
        at_start: Collection[str],
        goes_on: Callable[[], bool],
        care: Care,
    ) -> None:
        self.at_start, self.goes_on, self.care = at_start, goes_on, care
        self.at_yard = replace(load, place=load.yard, transfer_s=load.load_s, ready_at=None)
        self.load, self.travel, self.now = load, travel, now
        self.was = {one.id: timed(one, travel, now) for one in takers}
        self.routes = dict(self.was)
        self.known = {id: (*problems(one), *known) for id, one in self.was.items()}
        self.taken: dict[str, list[JobToPlan]] = {id: [] for id in self.was}
        self.left: list[Unit] = []
        self.refused: Counter[str] = Counter()
        self.missed_s = {id: self._promises(one) for id, one in self.was.items()}
        self.seen: dict[str, dict[object, tuple[RouteNow, Outlook]]] = {id: {} for id in self.was}

    def greedily(self, when: When) -> Sharing:
        """``when``: a driver goes to take the load over."""
        for unit in sorted(self.load.units, key=self._due):
            best = self._best(unit, when)
            if best is None:
                self.left.append(unit)
                self.refused.update(self._why_not(unit))
                continue
            _, id, route = best
            self.routes[id] = route
            self.missed_s[id], self.seen[id] = self._promises(route), {}
            self.taken[id] += unit
        return self

    def _best(self, unit: Unit, when: When) -> Judged | None:
        """The places of all routes, those that look best first, until others look worse."""
        places, on = list[tuple[Guess, str]](), dict[str, _Before]()
        for id in self.routes:
            before = on[id] = self._before(id, unit, when)
            if not before.outlook.barred(before.legs):
                guesses = before.outlook.guesses(before.legs, before.after)
                places += [(guess, id) for guess in guesses]
        best: Judged | None = None
        judged, broken = 0, Counter[str]()
        for guess, id in sorted(places):
            before = on[id]
            if guess.broken and (best or broken[id] >= self.care.broken):
                continue
            enough = 1 if before.outlook.is_sure else self.care.few
            if best and judged >= enough and best[0] <= (guess.late_min, guess.cost):
                break
            if judged >= self.care.at_most:
                break
            if not self.goes_on():
                raise OutOfTimeError
            judged += 1
            broken[id] += guess.broken > 0
            laid = inserted(before.route(), before.legs, guess.at)
            tried = timed(laid, self.travel, self.now)
            option = self._judged(id, tried)
            if option is not None and (best is None or option[:2] < best[:2]):
                best = option
        return best

    def in_order(self) -> Sharing:
        """Everything to the one taker there is, as it was listed, before what is its own."""
        [id] = self.routes
        route = self.routes[id]
        jobs = [job for unit in self.load.units for job in unit]
        origin = {job.id: origin for job in jobs if (origin := self._origin(id, job))}
        mine = [from_it(job, origin[job.id]) if job.id in origin else job for job in jobs]
        for fetch_id in dict.fromkeys(origin.values()):
            goods = [job for job in jobs if origin.get(job.id) == fetch_id]
            first_of = next(n for n, job in enumerate(mine) if job.pair_with == fetch_id)
            at = 0 if fetch_id == _id_of(id) else first_of
            mine.insert(at, self._fetch(id, fetch_id, goods))
        first = route.first_free
        stops = [StopNow("", job.place, (job,), Stage.TO_DO, self.now, self.now) for job in mine]
        laid = replace(route, stops=(*route.stops[:first], *_joined(stops), *route.stops[first:]))
        judged = self._judged(id, timed(laid, self.travel, self.now))
        if judged is None:
            self.left += self.load.units
        else:
            self.routes[id], self.taken[id] = judged[2], jobs
        return self

    def way(self, kind: Kind, key: str) -> Way:
        shares = tuple(
            Share(
                self.was[id],
                self.routes[id],
                tuple(job.id for job in jobs),
                _id_of(id) if _has(self.routes[id], _id_of(id)) else "",
                _yard_of(id) if _has(self.routes[id], _yard_of(id)) else "",
            )
            for id, jobs in self.taken.items()
            if jobs
        )
        late = [
            problem
            for share in shares
            for problem in worse(problems(share.route), self.known[share.was.id])
            if problem.is_promise
        ]
        both = [(share.route, share.was) for share in shares]
        return Way(
            kind,
            key,
            shares,
            tuple(job.id for unit in self.left for job in unit),
            tuple(late),
            sum(price(a, self.travel) - price(b, self.travel) for a, b in both),
            sum(metres_of(a, self.travel) - metres_of(b, self.travel) for a, b in both),
        )

    def _before(self, id: str, unit: Unit, when: When) -> _Before:
        """A route as ``unit`` would come to it."""
        route, origin = self.routes[id], self._origin(id, unit[0])
        if not origin:
            return _Before(self._outlook(id), route, unit)
        fetch = self._fetch(id, origin, [*self._goods(id, origin), *unit])
        if not _has(route, fetch.id):
            is_load = origin == _yard_of(id)
            on_the_way = (is_load and when != "last") or when == "on the way"
            bare = self._fetch(id, origin, [])
            key = (origin, on_the_way, tuple(fetch.load.items()) if on_the_way else ())
            if key not in self.seen[id]:
                found = self._going_there(route, fetch if on_the_way else bare, when, on_the_way)
                found = _carrying(found, bare)
                self.seen[id][key] = found, self._foreseen(id, found)
            route, outlook = self.seen[id][key]
        else:
            outlook = self._outlook(id)
        legs = [from_it(job, fetch.id) for job in unit]
        after = next(n for n, s in enumerate(route.stops) if any(j.id == fetch.id for j in s.jobs))
        return _Before(outlook, route, legs, after, fetch)

    def _outlook(self, id: str) -> Outlook:
        route = self.routes[id]
        if None not in self.seen[id]:
            self.seen[id][None] = route, self._foreseen(id, route)
        return self.seen[id][None][1]

    def _foreseen(self, id: str, route: RouteNow) -> Outlook:
        if (without := self.routes[id]) is route:
            return Outlook(route, self.travel, self.now, self.known[id])
        late_s = self._promises(route) - self.missed_s[id]
        cost = price(route, self.travel) - price(without, self.travel)
        return Outlook(route, self.travel, self.now, self.known[id], (late_s, cost))

    def _going_there(
        self, route: RouteNow, fetch: JobToPlan, when: When, on_the_way: bool
    ) -> RouteNow:
        if on_the_way:
            return placed(route, [fetch], self.travel, self.now, FETCHES).route
        stop = StopNow("", fetch.place, (fetch,), Stage.TO_DO, self.now, self.now)
        at = route.first_free if when == "at once" else len(route.stops)
        laid = replace(route, stops=(*route.stops[:at], stop, *route.stops[at:]))
        return timed(laid, self.travel, self.now)

    def _why_not(self, unit: Unit) -> list[str]:
        """What each taker would break by doing ``unit`` as soon as may be."""
        said = []
        for id, route in self.routes.items():
            jobs: Sequence[JobToPlan] = unit
            if origin := self._origin(id, unit[0]):
                fetch = self._fetch(id, origin, unit)
                jobs = [fetch, *(from_it(job, fetch.id) for job in unit)]
            first, at = route.first_free, self.now
            stops = [StopNow("", job.place, (job,), Stage.TO_DO, at, at) for job in jobs]
            laid = replace(route, stops=(*route.stops[:first], *stops, *route.stops[first:]))
            found = problems(timed(laid, self.travel, self.now))
            said += [one.said for one in worse(found, self.known[id]) if not one.is_promise][:1]
        return said

    def _judged(self, id: str, tried: RouteNow) -> Judged | None:
        """``None`` where it breaks a rule that held before."""
        found = worse(problems(tried), self.known[id])
        if any(not problem.is_promise for problem in found):
            return None
        late_s = _late_s(found) - self.missed_s[id]
        more = price(tried, self.travel) - price(self.routes[id], self.travel)
        return (late_s // 60, more), id, tried

    def _promises(self, route: RouteNow) -> int:
        return _late_s(worse(problems(route), self.known[route.id]))

    def _origin(self, id: str, job: JobToPlan) -> str:
        """Id of the work by which a taker comes by the goods of ``job``; empty: it needs none."""
        if job.id in self.load.aboard:
            return _id_of(id)
        return _yard_of(id) if job.id in self.load.waiting and id not in self.at_start else ""

    def _fetch(self, id: str, origin: str, goods: Sequence[JobToPlan]) -> JobToPlan:
        return take_over(origin, self.load if origin == _id_of(id) else self.at_yard, goods)

    def _goods(self, id: str, origin: str) -> list[JobToPlan]:
        return [job for job in self.taken[id] if self._origin(id, job) == origin]

    def _due(self, unit: Unit) -> tuple[float, int]:
        """The tightest first, else as listed."""
        promises = next(iter(self.was.values())).promises
        ends = [window.closes for job in unit for window in job.windows[-1:]]
        ends += [promises[job.id].closes for job in unit if job.id in promises]
        due = min(ends).timestamp() if ends else float("inf")
        return due, self.load.units.index(unit)


def _id_of(route_id: str) -> str:
    return f"take-over:{route_id}"


def _yard_of(route_id: str) -> str:
    return f"load:{route_id}"


def _has(route: RouteNow, job_id: str) -> bool:
    return any(job.id == job_id for stop in route.stops for job in stop.jobs)


def _carrying(route: RouteNow, fetch: JobToPlan) -> RouteNow:
    """The same route, with more to take over at its stop for it."""
    stops = list(route.stops)
    n = next(n for n, stop in enumerate(stops) if any(job.id == fetch.id for job in stop.jobs))
    jobs = tuple(fetch if job.id == fetch.id else job for job in stops[n].jobs)
    stops[n] = replace(stops[n], jobs=jobs)
    return replace(route, stops=tuple(stops))


def _joined(stops: Sequence[StopNow]) -> list[StopNow]:
    """One stop for what is done one after another at the same place."""
    found: list[StopNow] = []
    for stop in stops:
        if found and found[-1].place == stop.place:
            found[-1] = replace(found[-1], jobs=(*found[-1].jobs, *stop.jobs))
        else:
            found.append(stop)
    return found


def _late_s(found: Sequence[Problem]) -> int:
    return sum(problem.amount for problem in found if problem.is_promise)
