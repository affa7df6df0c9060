"""Large days: parts of them improved side by side, parts that differ from round to round.

A run of PyVRP on 1,000 jobs makes a quarter of the steps in a second that it makes on 250, and
each step touches one corner of the map. So the day is cut where routes are neighbours, each part
goes on from the routes it has, and the next round cuts elsewhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hub import Plan, PlanRequest, completed, day_part
from hub.plugins.routing_pyvrp.crew import Crew
from hub.plugins.routing_pyvrp.groups import (
    clusters,
    dealt,
    even,
    flat,
    neighbourhoods,
    stops_a_route,
)
from hub.plugins.routing_pyvrp.model import Orders, Reloads, reloads_of
from hub.plugins.routing_pyvrp.search import (
    CLOCKS,
    HOP_S,
    SHORT,
    Counts,
    Found,
    Limit,
    Task,
)

ROUTES = 22  # in a part that begins from nothing: 12 and 5 lost to one run, 20 to 25 won
WARM_ROUTES, WARM_SMALLEST = 8, 250  # in a part that goes on from its routes; of 6, 1 % worse
LEAST = 150  # jobs in a part, so that every process has one
SMALLEST, LARGEST = 200, 2000  # jobs in a part; 2,000 take 312 MB
FIRST = 0.25  # of the time makes the first routes
FIRST_WHOLE = 0.12  # the same where all processes try the whole day, and one of them in vain
TURN_S = 0.006  # for each job in a round; on 3,000 three of 18 s beat one of 53 s by 0.5 % (once)
GAIN = 0.002  # of the cost: rounds that find less take longer from then on
HASTE_S = 0.02
"""For each job. On routes of 43 stops PyVRP's thorough look at each better plan cost 3 % at 5 s;
with more time it pays."""
LEAST_S = 0.3  # a run needs so long before its first step at 2,000 jobs
TELL_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it goes on: ``seconds`` for each process, as ``counts`` has them.

    ``iterations`` for each part and ``rounds`` make it end always the same. ``part_jobs``: so many
    in a part, instead of what suits the length of the routes.
    """

    seconds: float
    counts: Counts = "wall"
    iterations: int | None = None  # None: the seconds alone
    rounds: int | None = None
    part_jobs: int | None = None


def part_size(request: PlanRequest) -> int:
    """Jobs in a part that begins from nothing."""
    size = ROUTES * stops_a_route(request, HOP_S)
    return int(max(SMALLEST, min(LARGEST, size)))


class LargeDay:
    """One planning run; ``plan`` answers."""

    def __init__(
        self, request: PlanRequest, pace: Pace, progress: Callable[[Plan], bool], crew: Crew
    ) -> None:
        self.request, self.pace, self.progress, self.crew = request, pace, progress, crew
        self.jobs = {job.id: job for job in request.jobs}
        self.vehicles = {vehicle.id: vehicle for vehicle in request.vehicles}
        self.at = flat(request.places)
        self.is_paced = any(travel.pace for travel in request.travel.values())
        self.clock = CLOCKS[pace.counts]
        self.began, self.began_wall = self.clock(), time.monotonic()
        self.helped_s = 0.0  # what other processes computed
        self.best: Plan | None = None
        self.tell_at = self.began_wall + TELL_S
        self.stopped = False
        self.told_s = 0.0  # what it takes to make a plan of orders

    def plan(self) -> Plan:
        self._keep(completed(self.request, {}))  # something lawful to stop with, from the start
        size = self.pace.part_jobs or part_size(self.request)
        self._first(size)
        turn, turn_s = 0, TURN_S
        while not self.stopped and self.best is not None:
            turn += 1
            left_s = self._left_s()
            if self.pace.rounds is not None and turn > self.pace.rounds:
                break
            if left_s < LEAST_S * self.crew.cores:
                break
            whole_s = turn_s * len(self.jobs)
            warm = int(max(WARM_SMALLEST, min(size, WARM_ROUTES * self._stops())))
            warm = self.pace.part_jobs or warm
            before = self.best
            self._round(turn, left_s if left_s < 1.5 * whole_s else whole_s, warm)
            if self.best.cost > before.cost * (1 - GAIN) and before.unassigned.keys() == (
                self.best.unassigned.keys()
            ):
                turn_s *= 2  # short looks find nothing any more
        return self.best or completed(self.request, {})  # there is one

    def _first(self, size: int) -> None:
        parts = clusters(self.request, self.at, size, self.request.seed)
        share = FIRST if len(parts) > 1 else FIRST_WHOLE
        seconds = share * self.pace.seconds * self.crew.cores
        hasty = stops_a_route(self.request, HOP_S) > SHORT and seconds < HASTE_S * len(self.jobs)
        tasks = []
        for n, (jobs, vehicles) in enumerate(parts):
            some = day_part(self.request, jobs, vehicles)
            tasks.append(self._task(some, seconds * len(jobs) / len(self.jobs), n, hasty=hasty))
        if len(tasks) == 1:  # each process tries its luck with the whole day
            (all_of_it,) = tasks
            tasks = [
                replace(
                    all_of_it,
                    seed=all_of_it.seed + n,
                    limit=replace(all_of_it.limit, seconds=seconds / self.crew.cores),
                )
                for n in range(self.crew.cores)
            ]
            for _, found in sorted(self._results(tasks), key=lambda one: one[0]):
                self._made(found.orders)
            return
        orders: Orders = {}
        for _, found in self._results(tasks):
            orders |= found.orders
        self._made(orders)

    def _round(self, turn: int, seconds: float, size: int) -> None:
        best = self.best
        if best is None:
            return
        orders = {id: [v.job_id for v in visits] for id, visits in best.routes.items() if visits}
        starts = {
            v.job_id: v.start.timestamp()
            for visits in best.routes.values()
            for v in visits
            if self.is_paced or len(self.jobs[v.job_id].windows) > 1
        }
        dice = np.random.default_rng([self.request.seed, turn])
        centres = {id: self._centre(ids) for id, ids in orders.items()}
        home = self.at[self.request.vehicles[0].start]
        groups = neighbourhoods(
            centres,
            {id: len(ids) for id, ids in orders.items()},
            self._count(sum(map(len, orders.values())), size),
            turn,
            dice,
            (float(home[0]), float(home[1])),
        )
        idle = [id for id in self.vehicles if id not in orders]
        dice.shuffle(idle)
        out = self._nearest(list(best.unassigned), groups, centres)
        tasks = []
        for n, (group, spare) in enumerate(zip(groups, dealt(idle, groups), strict=True)):
            ids = [id for vehicle in group for id in orders[vehicle]]
            some = day_part(
                self.request,
                [self.jobs[id] for id in (*ids, *out[n])],
                [self.vehicles[id] for id in (*group, *spare)],
            )
            mine = {vehicle: orders[vehicle] for vehicle in group}
            share = seconds / len(groups)
            task = self._task(some, share, 1000 * turn + n, mine, starts)
            tasks.append(replace(task, reloads=self._loads(some, best)))
        for n, found in self._results(tasks):
            for id in groups[n]:
                orders.pop(id, None)
            orders |= found.orders
        self._made(orders)

    def _task(
        self,
        some: PlanRequest,
        seconds: float,
        n: int,
        orders: Orders | None = None,
        starts: dict[str, float] | None = None,
        *,
        hasty: bool = False,
    ) -> Task:
        limit = Limit(seconds, self.pace.counts, self.pace.iterations, hasty=hasty)
        here = {job.id for job in some.jobs}
        some_starts = {id: start for id, start in (starts or {}).items() if id in here}
        seed = self.request.seed * 100_003 + n
        return Task(some, limit, seed, orders, some_starts, is_of_large=True)

    def _loads(self, some: PlanRequest, best: Plan) -> Reloads:
        """Where loads end in ``best``, by the places of a part of the day."""
        known, found = reloads_of(best), {}
        for vehicle in some.vehicles:
            whole = self.vehicles[vehicle.id].reload_at
            found[vehicle.id] = tuple(
                (after, vehicle.reload_at[whole.index(place)])
                for after, place in known.get(vehicle.id, ())
            )
        return found

    def _results(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Found]]:
        for n, found in self.crew.each(tasks, self._look):
            self.helped_s += 0.0 if found.pid == os.getpid() else found.cpu_s
            yield n, found

    def _made(self, orders: Orders) -> None:
        began = self.clock()
        self._keep(completed(self.request, orders))
        self.told_s = self.clock() - began

    def _keep(self, made: Plan) -> None:
        if self.best is None or self.request.loss(made) < self.request.loss(self.best):
            self.best = made

    def _look(self) -> bool:
        now = time.monotonic()
        if not self.stopped and self.best is not None and now >= self.tell_at:
            self.tell_at = now + max(TELL_S, 10 * self.told_s)
            self.stopped = not self.progress(self.best)
        return self.stopped

    def _left_s(self) -> float:
        """Seconds of computing that are left to all processes together."""
        cores = self.crew.cores
        if self.pace.counts == "wall":
            return (self.pace.seconds - self.told_s + self.began - self.clock()) * cores
        return self.pace.seconds * cores - (self.clock() - self.began) - self.helped_s

    def _stops(self) -> float:
        """Of a route of the best plan, on average."""
        if self.best is None:
            return 1.0
        routes = [len(visits) for visits in self.best.routes.values() if visits]
        return sum(routes) / max(1, len(routes))

    def _count(self, jobs: int, size: int) -> int:
        """Of parts in a round. Asked for by their size, they are the same on all machines."""
        if self.pace.part_jobs:
            return max(1, round(jobs / size))
        return even(jobs, size, self.crew.cores, LEAST)

    def _centre(self, ids: Sequence[str]) -> tuple[float, float]:
        east, north = self.at[[self.jobs[id].place for id in ids]].mean(0)
        return float(east), float(north)

    def _nearest(
        self,
        out: Sequence[str],
        groups: Sequence[Sequence[str]],
        centres: dict[str, tuple[float, float]],
    ) -> list[list[str]]:
        """The jobs that are on no route, each with the group that passes nearest to it."""
        found: list[list[str]] = [[] for _ in groups]
        if not groups:
            return found
        of = [(n, centres[id]) for n, group in enumerate(groups) for id in group]
        middles = np.array([centre for _, centre in of])
        goes: dict[str, int] = {}  # both of a pair to where its first one goes
        for id in out:
            other = self.jobs[id].pair_with
            if other not in goes:
                far = ((middles - self.at[self.jobs[id].place]) ** 2).sum(1)
                goes[id] = of[int(far.argmin())][0]
            else:
                goes[id] = goes[other]
            found[goes[id]].append(id)
        return found
