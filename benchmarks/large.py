"""``python -m benchmarks.large --json [--seeds N] [--dir FOLDER [name ...]]``: large days.

Without a folder, days of 10,000 stops with windows in a made-up city, one of each seed. With one,
its published instances of any size, each with every seed, beside the best that is known. Ours on
``--cores`` processes, beside one run of each peer with the same seconds of processor time; in the
made-up city ours asks for travel part by part, and PyVRP has the whole matrix. ``--counts cpu`` on
a machine that does other work: the city's seconds are then of computing, for each process, as
those of a folder always are. Memory is the peak of one process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.city import a_city_day
from benchmarks.instances import instances
from benchmarks.lent import tools
from benchmarks.routing import PEERS, cpu_s, one, summary
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


def in_city(solver: str, seed: int, asked: argparse.Namespace) -> dict[str, object]:
    """The line of one plan of the made-up day of ``seed``."""
    request = a_city_day(asked.jobs, asked.seconds, seed)
    began, began_cpu = time.monotonic(), cpu_s()
    told: list[tuple[float, int]] = []
    if solver == "ours":
        plan, told = ours(request, asked.counts, asked.cores)
    else:
        plan = plain(request, asked.seconds * asked.cores)
    wall_s, spent_s = time.monotonic() - began, cpu_s() - began_cpu
    return {
        "benchmark": "large",
        "solver": solver,
        "seed": seed,
        "jobs": asked.jobs,
        "cost": plan.cost,
        "vehicles": sum(1 for visits in plan.routes.values() if visits),
        "left_out": len(plan.unassigned),
        "violations": len(violations(request, plan)),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(spent_s, 1),
        "peak_mb": _peak_mb(),
        "told": told[:: max(1, len(told) // 12)],
    }


def of_folder(solver: str, seed: int, asked: argparse.Namespace) -> dict[str, object]:
    """The line of one plan of the instance that is named."""
    [instance] = instances(asked.dir, asked.names)
    line = one(solver, instance, asked.seconds * asked.cores, seed, asked.cores)
    return line | {
        "benchmark": "large",
        "jobs": instance.data.num_clients,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> int:
    """Of this process or of the largest of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) // 1024


def _alone(solver: str, seed: int, name: str) -> str:
    """The line of one plan, made in a process of its own for the memory's sake."""
    own = [*sys.argv[1:], "--solvers", solver, "--seed", str(seed), "--only", name]
    asked = [sys.executable, "-m", "benchmarks.large", *own]
    return subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.large", description=__doc__)
    wanted.add_argument("names", nargs="*", metavar="name", help="instances; all of the folder")
    wanted.add_argument("--jobs", type=int, default=10_000, help="of a made-up day")
    wanted.add_argument("--seconds", type=float, default=290.0, help="for each process")
    wanted.add_argument("--counts", choices=("wall", "cpu"), default="wall")
    wanted.add_argument("--cores", type=int, default=2)
    wanted.add_argument("--seed", type=int, default=None, help="the first; 7, of a folder 1")
    wanted.add_argument("--seeds", type=int, default=1)
    wanted.add_argument("--solvers", default="ours,pyvrp", help=f"of a folder: {','.join(PEERS)}")
    wanted.add_argument("--dir", type=Path, default=None)
    wanted.add_argument("--only", default=None, help=argparse.SUPPRESS)
    wanted.add_argument("--json", action="store_true", help="as it always is")
    asked = wanted.parse_args()
    solvers = asked.solvers.split(",")
    known = ("ours", "pyvrp") if asked.dir is None else PEERS
    if unknown := sorted(set(solvers) - set(known)):
        wanted.error(f"{', '.join(unknown)} is not one of {', '.join(known)}")
    if asked.names and asked.dir is None:
        wanted.error("Say with --dir where the instances are.")
    if asked.only is not None:
        asked.names = [asked.only]
        made = of_folder if asked.dir else in_city
        print(json.dumps(made(solvers[0], asked.seed, asked)))
        return
    try:
        named = [""] if asked.dir is None else [i.name for i in instances(asked.dir, asked.names)]
    except ValueError as problem:
        wanted.error(str(problem))
    first = asked.seed if asked.seed is not None else (7 if asked.dir is None else 1)
    lines = []
    for name in named:
        for seed in range(first, first + asked.seeds):
            for solver in solvers:
                lines.append(_alone(solver, seed, name))
                print(lines[-1], flush=True)
    if asked.dir is not None:
        for line in summary(map(json.loads, lines)):
            print(json.dumps(line | {"benchmark": "large"}), flush=True)


if __name__ == "__main__":
    main()
