"""Routes by OR-Tools, for what PyVRP cannot express: breaks, prices, what is locked.

It starts from the quick answer, or from PyVRP's for the day without what PyVRP cannot express,
and improves it by guided local search, or keeps it. Some of its model is only near: a van that
both delivers and collects counts as fuller than it is, drives take what they take when the plan
it starts from has them, the longest day is told by the last to come home, and of several wishes
for a job the dearest counts. ``completed`` makes the day as it is of its orders.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from hub import Need, Plan, PlanRequest, RoutingStrategy, completed
from hub.plugins.ortools_search import Search
from hub.plugins.ortools_seed import seeded

ENOUGH_S = (0.5, 0.008)  # at all, and times the jobs squared: its search has no end of its own.
# Of eight mixed days of 20 jobs, four times as long made one cheaper, by a thousandth.


class OrtoolsRouting(RoutingStrategy):
    key = "ortools"
    title = "Breaks, pairs and locked stops (OR-Tools)"

    def capabilities(self) -> frozenset[Need]:
        return frozenset(Need)

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        enough_s = ENOUGH_S[0] + ENOUGH_S[1] * len(request.jobs) ** 2
        deadline = time.monotonic() + min(request.time_limit_s, enough_s)
        quick = completed(request, {})
        if not progress(quick) or not request.jobs or not request.vehicles:
            return quick
        quick = seeded(self, request, quick, progress)
        orders = Search(request, quick).run(quick, deadline, progress)
        if orders is None and request.fixed:
            others = _without_the_fixed(request, quick)
            if others.jobs and others.vehicles:
                better = Search(others, quick).run(quick, deadline, lambda best: progress(quick))
                orders = None if better is None else {**_fixed(request, quick), **better}
        made = quick if orders is None else completed(request, orders)
        return min(quick, made, key=request.loss)


def _fixed(request: PlanRequest, quick: Plan) -> dict[str, list[str]]:
    return {
        v: [visit.job_id for visit in way]
        for v, way in quick.routes.items()
        if request.fixed.get(v)
    }


def _without_the_fixed(request: PlanRequest, quick: Plan) -> PlanRequest:
    """The day of the vehicles nobody fixed: a person may fix what no rule allows,
    and OR-Tools then finds no answer for anybody.
    """
    theirs = {id for ids in _fixed(request, quick).values() for id in ids}
    jobs = {job.id: job for job in request.jobs if job.id not in theirs}
    return replace(
        request,
        jobs=tuple(j for j in jobs.values() if j.pair_with is None or j.pair_with in jobs),
        vehicles=tuple(v for v in request.vehicles if not request.fixed.get(v.id)),
        fixed={},
    )
