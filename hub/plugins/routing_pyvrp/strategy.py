"""How a day is planned: in one run while it is small, in parts side by side when it is large.

PyVRP only chooses who does what in which order; times, breaks and the repair of
anything it could not express are ``completed``'s. Small days know the quick answer,
so that stopping at any moment keeps something lawful, and never end with
anything worse.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hub import Need, Plan, PlanRequest, RoutingStrategy, completed
from hub.plugins.routing_pyvrp.crew import Crew
from hub.plugins.routing_pyvrp.large import LargeDay, Pace
from hub.plugins.routing_pyvrp.model import Model, reloads_of
from hub.plugins.routing_pyvrp.search import CLOCKS, Counts, Limit, Task, Watch, run

REPORT_S = 1.0
FIRST_S = 0.2  # until the first plan is told
QUICK_JOBS = 50  # the quick answer took 0.1 s for 100 jobs, time that the search misses
IDLE_ITERATIONS = 20_000  # without a better plan: small days end early, and always the same
IDLE_A_JOB = 500  # the same for each job of larger ones
LARGE_JOBS = 700  # from here on parts of the day, improved side by side, end better
DOUBT, DOUBT_S = 0.15, 1.5  # of the time, or seconds: by then PyVRP had a lawful plan of 1,000
TURNS, TURN_S = 16, 0.3
"""Where roads have a rush hour, each turn knows by the plan so far when its drives are driven. On
days of 200 jobs 16 turns of 0.6 s ended 1 to 7 % cheaper than four or five, 8 in between."""
TELLS = 49  # telling may cost a fiftieth of the time


class PyvrpRouting(RoutingStrategy):
    key = "pyvrp"
    title = "Best routes (PyVRP)"
    counts: Counts = "wall"  # benchmarks on busy machines count "cpu"

    def capabilities(self) -> frozenset[Need]:
        return frozenset(Need) - {
            Need.TIME_ON_BOARD,
            Need.BREAKS,
            Need.LOCKED_PREFIX,
            Need.NEVER_TOGETHER,
            Need.WISHES,
            Need.BALANCE,
            Need.WANTED_VEHICLE,
            Need.KNOWN_ORDER,
        }

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        whole = all(travel.is_whole for travel in request.travel.values())
        if request.vehicles and (len(request.jobs) >= LARGE_JOBS or not whole):
            cores = self.tools.cores if self.tools else 1
            pace = Pace(request.time_limit_s, self.counts)
            with Crew(cores) as crew:
                return LargeDay(request, pace, progress, crew).plan()
        return _OneRun(request, progress, self.counts).plan()


class _OneRun:
    """A day in one run; tells of better plans about once a second."""

    def __init__(
        self, request: PlanRequest, progress: Callable[[Plan], bool], counts: Counts
    ) -> None:
        self.request, self.progress, self.counts = request, progress, counts
        self.clock = CLOCKS[counts]
        self.began = self.clock()
        self.best: Plan | None = None  # by the hub's own cost, which is not PyVRP's for all days
        self.tell_at = time.monotonic() + FIRST_S
        self.stopped = False

    def plan(self) -> Plan:
        request = self.request
        if len(request.jobs) <= QUICK_JOBS and self._quick():
            return self.best or completed(request, {})
        # Where the quick answer costs too much, all jobs fit until the contrary is seen.
        known = self.best is not None
        all_fit = self.best is None or not self.best.unassigned
        turns = self._turns()
        share = 1 / turns
        if not self._run(all_fit=all_fit, known=known, share=share) and not self._quick():
            self._run(all_fit=False, known=True, share=share)
        for turn in range(1, turns):
            if not self.stopped and self.best is not None:
                share, all_fit = 1 / (turns - turn), not self.best.unassigned
                self._run(all_fit=all_fit, known=True, share=share, turn=turn)
        return self.best or completed(request, {})

    def _turns(self) -> int:
        """In how many runs the time is spent: one, but where roads have a rush hour."""
        if not any(travel.pace for travel in self.request.travel.values()):
            return 1
        return max(2, min(TURNS, int(self.request.time_limit_s / TURN_S)))

    def _quick(self) -> bool:
        """Have the quick answer; ``True``: it is wanted and no other."""
        self.best = completed(self.request, {})
        self.stopped = not self.progress(self.best)
        return self.stopped

    def _run(self, *, all_fit: bool, known: bool, share: float = 1.0, turn: int = 0) -> bool:
        """``False``: given up early, for there seems to be no lawful plan of all jobs.

        ``share`` of the time that is left; ``turn``: how often a plan was gone on from.
        """
        request = self.request
        left_s = share * max(0.0, request.time_limit_s + self.began - self.clock())
        task = self._task(left_s, turn, from_best=turn > 0 or not all_fit)
        model = Model(request, all_fit=all_fit, starts=task.starts)
        if model.is_empty:
            return True
        doubt_at = self.clock() + min(DOUBT_S, DOUBT * left_s)
        gave_up = False

        def look() -> bool:
            nonlocal gave_up
            gave_up = not known and self.clock() >= doubt_at and not watch.is_lawful
            return gave_up or self._told(model, watch)

        watch = Watch(task.limit, look)
        result = run(model, task, watch)
        if gave_up and not self.stopped:
            return False
        self._keep(completed(request, model.orders(result.best)))
        return True

    def _task(self, seconds: float, turn: int, *, from_best: bool) -> Task:
        """Days without room for all go on from the quick answer: a first plan of PyVRP's own may
        never become lawful.
        """
        idle = max(IDLE_ITERATIONS, IDLE_A_JOB * len(self.request.jobs))
        limit, seed = Limit(seconds, self.counts, idle=idle), self.request.seed + turn
        if self.best is None or not from_best:
            return Task(self.request, limit, seed)
        visits = {id: list(way) for id, way in self.best.routes.items() if way}
        orders = {id: [visit.job_id for visit in way] for id, way in visits.items()}
        starts = {v.job_id: v.start.timestamp() for way in visits.values() for v in way}
        return Task(self.request, limit, seed, orders, starts, reloads=reloads_of(self.best))

    def _told(self, model: Model, watch: Watch) -> bool:
        now = time.monotonic()
        if now < self.tell_at:
            return False
        if watch.better is not None and watch.is_lawful:
            self._keep(completed(self.request, model.orders(watch.better)))
            watch.better = None
        done = time.monotonic()
        self.tell_at = done + max(REPORT_S, TELLS * (done - now))
        self.stopped = self.best is not None and not self.progress(self.best)
        return self.stopped

    def _keep(self, made: Plan) -> None:
        self.best = made if self.best is None else min(self.best, made, key=self.request.loss)
