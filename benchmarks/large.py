"""``python -m benchmarks.large --json``: a day of 10,000 stops with windows in a made-up city.

Ours on ``--cores`` processes, matrices asked for part by part, beside one run of PyVRP on the
whole matrix with the same seconds of processor time. ``--counts cpu`` on a machine that does other
work: the seconds are then of computing, for each process. Memory is the peak of one process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

from benchmarks.city import a_city_day
from benchmarks.lent import tools
from benchmarks.routing import cpu_s
from hub import Plan, PlanRequest, completed, violations
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.plugins.routing_pyvrp.model import Model
from hub.plugins.routing_pyvrp.search import Limit, Task, Watch, run


def ours(request: PlanRequest, counts: str, cores: int) -> tuple[Plan, list[tuple[float, int]]]:
    """The plan, and what it cost as time went on (wall seconds)."""
    began, told = time.monotonic(), list[tuple[float, int]]()

    def progress(best: Plan) -> bool:
        if not told or told[-1][1] != best.cost:
            told.append((round(time.monotonic() - began, 1), best.cost))
        return True

    strategy = PyvrpRouting(PyvrpRouting.Settings(), tools(cores=cores))
    strategy.counts = "cpu" if counts == "cpu" else "wall"
    return strategy.plan(request, progress), told


def plain(request: PlanRequest, seconds: float) -> Plan:
    """One run of PyVRP on the whole day; the matrix is made before its time begins."""
    model = Model(request, all_fit=True)
    limit = Limit(seconds, "cpu")
    result = run(model, Task(request, limit, request.seed), Watch(limit, lambda: False))
    return completed(request, model.orders(result.best))


def measured(solver: str, jobs: int, seconds: float, counts: str, cores: int, seed: int) -> None:
    request = a_city_day(jobs, seconds, seed)
    began, began_cpu = time.monotonic(), cpu_s()
    told: list[tuple[float, int]] = []
    if solver == "ours":
        plan, told = ours(request, counts, cores)
    else:
        plan = plain(request, seconds * cores)
    wall_s, spent_s = time.monotonic() - began, cpu_s() - began_cpu
    wrong = violations(request, plan)
    peak = [resource.getrusage(w).ru_maxrss // 1024 for w in _WHO]
    line = {
        "benchmark": "large",
        "solver": solver,
        "jobs": jobs,
        "cost": plan.cost,
        "vehicles": sum(1 for visits in plan.routes.values() if visits),
        "left_out": len(plan.unassigned),
        "violations": len(wrong),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(spent_s, 1),
        "peak_mb": max(peak),
        "told": told[:: max(1, len(told) // 12)],
    }
    print(json.dumps(line), flush=True)


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.large", description=__doc__)
    wanted.add_argument("--jobs", type=int, default=10_000)
    wanted.add_argument("--seconds", type=float, default=290.0, help="for each process")
    wanted.add_argument("--counts", choices=("wall", "cpu"), default="wall")
    wanted.add_argument("--cores", type=int, default=2)
    wanted.add_argument("--seed", type=int, default=7)
    wanted.add_argument("--solver", choices=("ours", "pyvrp"), default=None, help="both")
    wanted.add_argument("--json", action="store_true", help="as it always is")
    asked = wanted.parse_args()
    if asked.solver:
        measured(asked.solver, asked.jobs, asked.seconds, asked.counts, asked.cores, asked.seed)
        return
    for solver in ("ours", "pyvrp"):  # each in a process of its own, for the memory's sake
        own = [*sys.argv[1:], "--solver", solver]
        subprocess.run([sys.executable, "-m", "benchmarks.large", *own], check=True)


if __name__ == "__main__":
    main()
