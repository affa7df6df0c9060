"""Where on a route more work costs least: which promises it breaks, and what is driven for it.

One look along the route foresees it for every place, to the second where its driver has no break
ahead and roads are always as fast; ``fit`` judges the few that look best in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise

from hub.core.fit import Problem, RouteNow, leaving_early, times_at
from hub.core.fit_places import Along
from hub.core.fit_problems import beginnings, problems, worse
from hub.core.fit_route import boards, fullest, jobs_of
from hub.core.plan_request import JobToPlan, TravelMatrix
from hub.core.zones import is_barred

PAIRS = 12  # of the places of a pair, those of which more is foreseen


@dataclass(frozen=True, slots=True, order=True)
class Guess:
    """``broken``: rules, by so many seconds or pieces (``amount``); ``cost`` in cents, more than
    without it. ``at``: before which of the stops each job goes.
    """

    broken: int
    amount: int
    late_min: int
    cost: int
    at: tuple[int, ...]


class Outlook(Along):
    """``route`` must be timed. ``known``: problems of before, which count only where they grow.

    ``so_far``: seconds of promises and cents that the route costs more already than without the
    work, as for going where its goods are.
    """

    def __init__(
        self,
        route: RouteNow,
        travel: Mapping[str, TravelMatrix],
        now: datetime,
        known: Sequence[Problem],
        so_far: tuple[int, int] = (0, 0),
    ) -> None:
        roads = travel[route.vehicle.profile]
        early = leaving_early(route, travel, now)
        super().__init__(early, early, roads, now)
        self.metres = roads.metres
        self.known = {(one.kind, one.about): one.amount for one in known}
        self.so_far = so_far
        self.broken = [
            one.amount
            for one in worse(problems(route), known)
            if one.kind in ("window", "on_board")
        ]
        self.is_sure = self.traffic is None and not route.vehicle.breaks and route.has_left
        self.is_new = not route.stops
        self.home_s = int((route.home - route.leave).total_seconds())
        self.late_s = self._over("shift", route.vehicle.overtime_s)
        self._look()

    def barred(self, jobs: Sequence[JobToPlan]) -> bool:
        """No place will do, whatever the times."""
        own = self.route.vehicle
        return any(job.skills - own.offers or is_barred(own, job) for job in jobs)

    def guesses(self, legs: Sequence[JobToPlan], after: int = -1) -> list[Guess]:
        """For one job, or a pair, the best first. ``after``: the index of a stop where its goods
        come on board.
        """
        if len(legs) == 1:
            return sorted(self._singles(legs[0], after))
        likely = sorted(self.pairs(*legs))[:PAIRS]
        return sorted(self._pair(legs, (n, m)) for _, (n, m) in likely)

    def _singles(self, job: JobToPlan, after: int) -> Iterator[Guess]:
        full = self._fullness(job, after)
        for n in range(max(self.first, after + 1), self.size + 1):
            late, missed, done = self._served(job, self.places[n], self.free[n])
            _, push = self._onwards(n, self.places[n], [job.place], done)
            more_m = self._detour(n, [job.place])
            yield self._guess([late, full[n]], missed, (n, push), more_m, (n,))

    def _pair(self, legs: Sequence[JobToPlan], at: tuple[int, int]) -> Guess:
        (one, two), (n, m) = legs, at
        late, missed, done = self._served(one, self.places[n], self.free[n])
        if n == m:
            later, missed_too, end = self._served(two, one.place, done)
            _, push = self._onwards(n, self.places[n], [one.place, two.place], end)
            more_m = self._detour(n, [one.place, two.place])
            return self._guess([late, later], missed + missed_too, (n, push), more_m, at)
        _, push = self._onwards(n, self.places[n], [one.place], done)
        broken, before_s, behind = self._pushed(n, m, push)
        later, missed_too, end = self._served(two, self.places[m], self.free[m] + max(0, behind))
        _, push = self._onwards(m, self.places[m], [two.place], end)
        more_m = self._detour(n, [one.place]) + self._detour(m, [two.place])
        missed += missed_too + before_s
        return self._guess([late, later, *broken], missed, (m, push), more_m, at)

    def _guess(
        self,
        broken: list[int],
        missed_s: int,
        pushed: tuple[int, int],
        more_m: int,
        at: tuple[int, ...],
    ) -> Guess:
        n, push = pushed
        windows, late_s, behind = self._pushed(n, self.size, push)
        own = self.route.vehicle
        more_s = (self.home_s if self.is_new else 0) + behind
        broken = [*broken, *windows, *self.broken]
        broken.append(self._grown("shift", "", self.late_s + behind) - self.rests_s)
        if own.max_duration_s is not None:
            out_s = self.home_s + behind - own.max_duration_s
            broken.append(self._grown("duration", "", out_s) - self.rests_s)
        if own.max_distance_m is not None:
            out_m = self.out_m + more_m - own.max_distance_m
            broken.append(self._grown("distance", "", out_m))
        if own.max_jobs is not None:
            broken.append(self._grown("jobs", "", self.count + len(at) - own.max_jobs))
        wrong = [amount for amount in broken if amount > 0]
        before_s, cost = self.so_far
        late_min = (before_s + missed_s + late_s) // 60
        cost += round(own.per_km * more_m / 1000 + own.per_hour * more_s / 3600)
        cost += own.fixed_cost if self.is_new else 0
        return Guess(len(wrong), sum(wrong), late_min, cost, at)

    def _look(self) -> None:
        """What being later means at each stop: how long one waits there, and who is waited for."""
        route = self.route
        start_of = {job.id: begins for job, begins in beginnings(route)}
        self.swallows: list[int] = []
        self.windows: list[list[tuple[str, int]]] = []  # by how much late, below 0: not yet
        self.told: list[list[tuple[str, int]]] = []
        for stop in route.stops:
            begun = [(job, start_of[job.id]) for job in stop.jobs if job.id in start_of]
            self.swallows.append(max(0, times_at(route, stop).waits_s) if begun else 0)
            self.windows.append(
                [
                    (job.id, int((at - max(w.closes for w in job.windows)).total_seconds()))
                    for job, at in begun
                    if job.windows
                ]
            )
            self.told.append(
                [
                    (job.id, int((at - route.promises[job.id].closes).total_seconds()))
                    for job, at in begun
                    if job.id in route.promises
                ]
            )
        self.out_m = sum(self.metres[a][b] for a, b in pairwise(route.way))
        self.count = jobs_of(route)
        self.aboard = {
            name: (boards(route, name), fullest(route, name)) for name in route.vehicle.capacity
        }

    def _pushed(self, n: int, m: int, push: int) -> tuple[list[int], int, int]:
        """What stops ``n`` to ``m`` break if the first is reached ``push`` later: windows, each by
        how much; seconds of promises; and how much later one comes to the next.
        """
        broken, late_s = list[int](), 0
        for j in range(n, m):
            if push <= 0:
                return broken, late_s, 0
            push -= self.swallows[j]
            if push <= 0:
                return broken, late_s, 0
            for id, over in self.windows[j]:
                if over + push > 0 and not self._grown("window", id, over):
                    broken.append(self._grown("window", id, over + push) - self.rests_s)
            for id, over in self.told[j]:
                if over + push > 0:
                    late_s += self._grown("promise", id, over + push)
                    late_s -= self._grown("promise", id, over)
        return broken, late_s, push

    def _grown(self, kind: str, about: str, amount: int) -> int:
        """``amount`` where it is more than before anything happened, else 0."""
        return amount if amount > max(0, self.known.get((kind, about), 0)) else 0

    def _served(self, job: JobToPlan, place: int, free: int) -> tuple[int, int, int]:
        """By how much ``job`` misses its window and its promise, and when it is done."""
        at = self._arrival(free, place, job.place) + self.route.walk_s(place, job.place)
        promise = self.route.promises.get(job.id)
        begins = _begins(job, at, None if promise is None else int(promise.opens.timestamp()))
        late = missed = 0
        if job.windows:
            late = begins - max(int(window.closes.timestamp()) for window in job.windows)
        if promise is not None:
            missed = self._grown("promise", job.id, begins - int(promise.closes.timestamp()))
        done = begins + self.route.vehicle.at_door_s(job.service_s)
        return self._grown("window", job.id, late) - self.rests_s, missed, done

    def _detour(self, n: int, through: Sequence[int]) -> int:
        here = self.places[n]
        after = self.places[n + 1] if n < self.size else self.route.vehicle.end
        way = [here, *through, *([] if after is None else [after])]
        without = 0 if after is None else self.metres[here][after]
        return sum(self.metres[a][b] for a, b in pairwise(way)) - without

    def _fullness(self, job: JobToPlan, after: int) -> list[int]:
        """By how much ``job`` before each stop makes it too full; from ``after`` on, if it is
        loaded there.
        """
        full = [0] * (self.size + 1)
        if job.load_direction == "none":
            return full
        for name, (gaps, most) in self.aboard.items():
            if not job.load.get(name):
                continue
            limit = max(
                self.route.vehicle.capacity[name] + max(0, self.known.get(("load", name), 0)),
                0,
            )
            along = [max(a, b) for a, b in zip(gaps, most, strict=True)]
            if job.load_direction == "collect":
                highest = list(accumulate(reversed(along), max))[::-1]
                # Before stop n one leaves with what is on board in the gap before it.
                highest = [max([gaps[n], *highest[n + 1 : n + 2]]) for n in range(self.size + 1)]
            else:
                begin = max(self.first, after + 1)
                seen = list(accumulate([gaps[begin], *along[begin + 1 :]], max))
                highest = [0] * begin + seen
            for n, one in enumerate(highest):
                full[n] += max(0, one + job.load[name] - limit)
        return full

    def _over(self, kind: str, allowed_s: int) -> int:
        """By how many seconds one is home too late; below 0 while there is time."""
        return int((self.route.home - self.route.vehicle.shift.closes).total_seconds()) - allowed_s


def _begins(job: JobToPlan, at: int, told: int | None) -> int:
    """As ``begins_as_told``, in whole seconds."""
    spans = [(int(w.opens.timestamp()), int(w.closes.timestamp())) for w in job.windows]

    def begins(moment: int) -> int:
        return next((max(moment, opens) for opens, closes in spans if moment <= closes), moment)

    start = begins(at)
    if told is None or start >= told:
        return start
    kept = begins(told)
    return kept if kept <= max((closes for _, closes in spans), default=kept) else start
