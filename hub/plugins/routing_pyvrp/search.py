"""One run of PyVRP on a day, or on a part of one, from given routes or from none."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import pyvrp
from pyvrp import IteratedLocalSearch, IteratedLocalSearchParams
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from hub import PlanRequest
from hub.plugins.routing_pyvrp.groups import stops_a_route
from hub.plugins.routing_pyvrp.model import Model, Orders, Reloads
from hub.plugins.routing_pyvrp.penalties import manager
from hub.plugins.routing_pyvrp.vehicles import UNLIMITED

Counts = Literal["wall", "cpu"]
CLOCKS: Mapping[Counts, Callable[[], float]] = {
    "wall": time.monotonic,
    "cpu": time.process_time,  # of this process: fair to compare by on a busy machine
}
DOUBT = 0.15  # of the time; by then there was a lawful plan of 1,000 jobs
SMALL = 150  # jobs; what is below was tried on more only
SHORT = 30  # stops on a route at most
HOP_S = 180.0  # from door to door in a town, to guess how long routes will be
NEAR, SHAKEN = 30, 10
"""Neighbours looked at of each job, and jobs moved at most before each step, on days without
windows: 3,000 jobs ended 0.7 % cheaper after 80 s than by PyVRP's own 50 and 25 (one run), and
1,000 on routes of 40 ended 3.5 % dearer."""


@dataclass(frozen=True, slots=True)
class Limit:
    """When a run ends: ``seconds`` as ``counts`` has them, and so many ``iterations``.

    ``idle``: iterations in a row that found nothing better; the same plan again and again, where
    it comes before the seconds.
    """

    seconds: float
    counts: Counts = "wall"
    iterations: int | None = None  # None: only the seconds end it
    hasty: bool = False  # better routes sooner, not the best later: for large parts, short times
    idle: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """``orders``: job ids per vehicle to start from, lawful; none: from nothing.

    ``starts``: when jobs begin in them, an epoch; of jobs with several windows, or of all.
    """

    request: PlanRequest
    limit: Limit
    seed: int
    orders: Orders | None = None
    starts: Mapping[str, float] = field(default_factory=dict)
    is_of_large: bool = False  # a large day or a part of one
    reloads: Reloads = field(default_factory=dict)  # where loads end in ``orders``

    @property
    def all_fit(self) -> bool:
        placed = {id for order in (self.orders or {}).values() for id in order}
        return all(job.optional or job.id in placed for job in self.request.jobs)


@dataclass(frozen=True, slots=True)
class Found:
    orders: Orders
    is_lawful: bool  # False: PyVRP itself found none that keeps to windows and loads
    cpu_s: float
    iterations: int
    pid: int = 0  # whose seconds they were


def improved(task: Task, look: Callable[[], bool]) -> Found:
    """The best routes within the task's limit. ``look`` is asked between iterations, every few
    hundredths of a second: ``True`` means stop, keep the best.

    From nothing, all jobs are taken to fit until the contrary is seen: with prizes for each, 1,000
    jobs on routes of 40 were 6.0 % above the best known after 20 s, and so 4.8 % after 15 s.
    """
    clock = CLOCKS[task.limit.counts]
    began, stopped = clock(), False

    def looks() -> bool:
        nonlocal stopped
        stopped = stopped or look()
        return stopped

    if task.orders is not None:
        return _found(task, looks, all_fit=task.all_fit)
    hoped = _found(task, looks, all_fit=True, doubt=DOUBT)
    if hoped.is_lawful or stopped:
        return hoped
    left_s = task.limit.seconds - (clock() - began)
    again = replace(task, limit=replace(task.limit, seconds=left_s))
    found = _found(again, looks, all_fit=task.all_fit)
    tried = hoped.iterations + found.iterations
    return replace(found, cpu_s=hoped.cpu_s + found.cpu_s, iterations=tried)


def _found(
    task: Task, look: Callable[[], bool], *, all_fit: bool, doubt: float | None = None
) -> Found:
    began = time.process_time()
    model = Model(task.request, all_fit=all_fit, starts=task.starts)
    if model.is_empty:
        return Found(task.orders or {}, True, 0.0, 0)
    result = run(model, task, Watch(task.limit, look, doubt))
    lawful = result.best.is_feasible()
    orders = model.orders(result.best) if lawful or task.orders is None else task.orders
    spent_s = time.process_time() - began
    return Found(orders, lawful, spent_s, result.num_iterations, os.getpid())


def run(model: Model, task: Task, watch: Watch) -> pyvrp.Result:
    ways = [way for way in (task.orders or {}).values() if way]
    has_short = 0 < len(model.jobs) <= SHORT * len(ways)
    has_windows = any(job.windows for job in model.jobs)
    own = len(model.jobs) <= SMALL or not has_short or has_windows
    near = NeighbourhoodParams() if own else NeighbourhoodParams(num_neighbours=NEAR)
    shaken = PerturbationParams() if own else PerturbationParams(1, SHAKEN)
    data, dice = model.data, pyvrp.RandomNumberGenerator(seed=task.seed)
    steps = LocalSearch(data, dice, compute_neighbours(data, near), PerturbationManager(shaken))
    for operator in OPERATORS:
        if operator.supports(data):
            steps.add_operator(operator(data))
    penalties = manager(data, mild=_is_long(model, task))
    if task.orders is None:
        random = pyvrp.Solution.make_random(data, dice)
        start = steps(random, penalties.max_cost_evaluator(), exhaustive=True)
    else:
        start = model.solution(task.orders, task.starts, task.reloads)
    ways_on = IteratedLocalSearchParams(callbacks=watch, exhaustive_on_best=not task.limit.hasty)
    search = IteratedLocalSearch(data, penalties, steps, start, ways_on)
    return search.run(watch, collect_stats=False)


def _is_long(model: Model, task: Task) -> bool:
    """Whether it is a large day, or a part of one, of long routes that has room for all jobs."""
    if not task.is_of_large or (task.orders is not None and not task.all_fit):
        return False
    if task.orders is None:
        return stops_a_route(task.request, HOP_S) > SHORT
    return len(model.jobs) > SHORT * sum(1 for way in task.orders.values() if way)


class Watch(pyvrp.IteratedLocalSearchCallbacks):
    """Ends a run at its limit, and has somebody look up from it now and then.

    ``doubt``: a share of the seconds; without a lawful plan by then, it ends.
    """

    LOOK_S = 0.05

    def __init__(self, limit: Limit, look: Callable[[], bool], doubt: float | None = None) -> None:
        self._clock = CLOCKS[limit.counts]
        self._limit, self._look = limit, look
        self._doubt_at = math.inf
        if doubt is not None and limit.iterations is None:
            self._doubt_at = self._clock() + doubt * limit.seconds
        self._until = self._clock() + limit.seconds
        self._look_at = time.monotonic() + self.LOOK_S
        self.iterations = self.idle = 0
        self.better: pyvrp.Solution | None = None  # since somebody last took it
        self.is_lawful = False  # whether the best so far is

    def on_best(self, best: pyvrp.Solution) -> None:
        self.better, self.idle = best, 0

    def __call__(self, best_cost: float) -> bool:
        limit = self._limit
        self.is_lawful = best_cost < UNLIMITED
        self.iterations += 1
        self.idle += 1
        if limit.iterations is not None and self.iterations > limit.iterations:
            return True
        if limit.idle is not None and self.idle > limit.idle:
            return True
        now = self._clock()
        if now >= self._until or (now >= self._doubt_at and not self.is_lawful):
            return True
        if time.monotonic() < self._look_at:
            return False
        stop = self._look()
        self._look_at = time.monotonic() + self.LOOK_S
        return stop
