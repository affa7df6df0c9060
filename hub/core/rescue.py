"""The ways out for the work of a van or a driver that drops out, and what each of them costs.

What is aboard is taken over where the van stands (or at the depot, once it is back there) before
any of it is delivered: the stop where that is done is a job of its own to the core, named in
``pair_with`` by everything that comes from it. So is going by the depot for what the van was to
load there next; who starts at that depot has it on board from the start. Only rules that hold
anyway decide: what breaks one for everybody is left out, for a person to decide or for another day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
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
from hub.core.plan_request import JobToPlan, TravelMatrix
from hub.core.rescue_places import Guess, Outlook
from hub.core.values import TimeWindow

Travel = Mapping[str, TravelMatrix]
Unit = tuple[JobToPlan, ...]
Kind = Literal["replacement", "shared", "depot", "driver"]
WAITS_AT_MOST = timedelta(hours=12)  # for a load that is still on its way to the depot
When = Literal["at once", "on the way", "last"]
WHENS: tuple[When, ...] = ("at once", "on the way", "last")
"""Before all that is still to do, where it is the least detour, or once the van is empty."""
NOBODY = "Nobody else is on the road or free today."
NO_TIME = "There was no time to look at this."
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


@dataclass(frozen=True, slots=True)
class Load:
    """What is left of a round, and where its goods are taken over.

    ``units``: single jobs and whole pairs, in the order they were to be done in. ``aboard``: ids
    of those whose goods are in the van; the others anybody can do at once. ``ready_at`` ``None``:
    the goods are at ``place`` already. ``waiting``: ids of those whose goods are still at the
    depot, to be loaded at ``yard`` for ``load_s``; a van that starts at ``depot`` may bring them.
    """

    place: int
    transfer_s: int
    units: tuple[Unit, ...]
    aboard: frozenset[str]
    ready_at: datetime | None = None
    waiting: frozenset[str] = frozenset()
    yard: int = 0
    load_s: int = 0
    depot: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """One route before and after; ``job_ids`` came to it. ``take_over``: the id of the stop's job
    where it fetches their goods, ``loading``: of the one where it loads them at the depot; empty if
    it fetches nothing there.
    """

    was: RouteNow
    route: RouteNow
    job_ids: tuple[str, ...]
    take_over: str
    loading: str = ""

    @property
    def fetches(self) -> tuple[JobToPlan, ...]:
        """Taking over its goods, and loading them; as far as there are any to fetch."""
        jobs = (job for stop in self.route.stops for job in stop.jobs)
        return tuple(job for job in jobs if job.id in (self.take_over, self.loading))


@dataclass(frozen=True, slots=True)
class Way:
    """``cost`` in cents, more than without it; ``late``: the promises that break, each by how
    much more. ``left_out``: ids of jobs that nobody can do by it. ``why_not``: why it cannot be
    taken at all; empty if it can.
    """

    kind: Kind
    key: str
    shares: tuple[Share, ...] = ()
    left_out: tuple[str, ...] = ()
    late: tuple[Problem, ...] = ()
    cost: int = 0
    extra_m: int = 0
    why_not: str = ""
    is_looked_at: bool = True

    @property
    def moved(self) -> int:
        """Jobs that somebody else does now."""
        return sum(len(share.job_ids) for share in self.shares)

    @property
    def late_s(self) -> int:
        return sum(problem.amount for problem in self.late)

    @property
    def burden(self) -> tuple[bool, int, int, int]:
        """The less, the better."""
        return bool(self.why_not), len(self.left_out), self.late_s // 60, self.cost


def shared_out(
    kind: Kind,
    key: str,
    takers: Sequence[RouteNow],
    load: Load,
    travel: Travel,
    now: datetime,
    known: Sequence[Problem] = (),
    whens: Sequence[When] = WHENS,
    *,
    goes_on: Callable[[], bool] = lambda: True,
    care: Care = CARE,
) -> Way:
    """Each unit to whoever of ``takers`` it makes least late, then drives least for it.

    ``known``: what was broken before anything happened; ``whens``: what is tried. Where there is
    one taker, the order it was to be done in is tried too. Once ``goes_on`` says ``False`` it is
    the best of what was tried until then, or not looked at.
    """
    if not takers:
        return Way(kind, key, why_not=NOBODY)
    if not any(taker.stops for taker in takers):
        whens = whens[:1]  # it is all one where nothing else is to do
    mine = takers if load.waiting and kind != "driver" else ()  # who gets in there has no van yet
    at_start = {one.id for one in mine if not one.has_left and one.vehicle.start == load.depot}
    plans = list[_Sharing]()
    for brings in [at_start, set[str]()] if at_start else [at_start]:  # or comes back for it later
        sharing = partial(_Sharing, takers, load, travel, now, known, brings, goes_on, care)
        try:
            if len(takers) == 1:  # first: a better order must be better
                plans.append(sharing().in_order())
            for when in whens:
                plans.append(sharing().greedily(when))
        except _OutOfTimeError:
            break
    if not plans:
        return Way(kind, key, why_not=NO_TIME, is_looked_at=False)
    best = min((plan.way(kind, key) for plan in plans), key=lambda way: way.burden)
    return best if best.moved or not load.units else replace(best, why_not=_refusal(plans[-1]))


def price(route: RouteNow, travel: Travel) -> int:
    """Cents for driving ``route`` from start to end; nothing for one that nobody drives."""
    if not route.stops:
        return 0
    vehicle = route.vehicle
    hours = (route.home - route.leave).total_seconds() / 3600
    km = _metres(route, travel) / 1000
    return round(vehicle.fixed_cost + vehicle.per_km * km + vehicle.per_hour * hours)


def take_over(id: str, load: Load, goods: Sequence[JobToPlan]) -> JobToPlan:
    """The work of taking ``goods`` over, after which they are on board."""
    total: Counter[str] = Counter()
    for job in goods:
        total.update(job.load)
    windows: tuple[TimeWindow, ...] = ()
    if load.ready_at is not None:
        windows = (TimeWindow(load.ready_at, load.ready_at + WAITS_AT_MOST),)
    return JobToPlan(
        id=id,
        place=load.place,
        service_s=load.transfer_s,
        load=dict(total),
        load_direction="collect",
        windows=windows,
    )


def from_it(job: JobToPlan, take_over_id: str) -> JobToPlan:
    """``job`` once its goods are taken over at a stop of the same route."""
    return replace(job, pair_with=take_over_id, leg="deliver", load_direction="deliver")


class _OutOfTimeError(Exception):
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


class _Sharing:
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

    def greedily(self, when: When) -> _Sharing:
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
                raise _OutOfTimeError
            judged += 1
            broken[id] += guess.broken > 0
            laid = inserted(before.route(), before.legs, guess.at)
            tried = timed(laid, self.travel, self.now)
            option = self._judged(id, tried)
            if option is not None and (best is None or option[:2] < best[:2]):
                best = option
        return best

    def in_order(self) -> _Sharing:
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
            sum(_metres(a, self.travel) - _metres(b, self.travel) for a, b in both),
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


def _metres(route: RouteNow, travel: Travel) -> int:
    if not route.stops:
        return 0
    metres = travel[route.vehicle.profile].metres
    return sum(metres[a][b] for a, b in pairwise(route.way))


def _refusal(plan: _Sharing) -> str:
    said = plan.refused.most_common(1)
    return said[0][0] if said else NOBODY
