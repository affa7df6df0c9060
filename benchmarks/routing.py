"""``python -m benchmarks.routing --json --seconds S --seeds N [--dir FOLDER] [name ...]``

Plans of published instances, ours through ``RoutingStrategy`` from request to plan, beside plain
PyVRP, OR-Tools and VROOM: the same instance, cost and seconds of processor time, all threads and
children counted. Runs are paired by seed. Each answer is checked by ``violations`` (ours) and by
the convention's own cost (all of them).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import mean, stdev

import pyvrp

from benchmarks.instances import Instance, instances, routes_of
from benchmarks.lent import tools
from hub import violations
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.plugins.routing_pyvrp.strategy import LARGE_JOBS

Routes = Sequence[Sequence[int]]
NOISE = 1.96  # standard errors of a mean difference that is told from none


def ours(instance: Instance, seconds: float, seed: int, cores: int) -> Routes:
    """``seconds`` in all: shared by ``cores`` processes where the day is planned in parts."""
    cores = cores if instance.data.num_clients >= LARGE_JOBS else 1
    strategy = PyvrpRouting(PyvrpRouting.Settings(), tools(cores=cores))
    strategy.counts = "cpu"
    request = instance.request(seconds / cores, seed)
    plan = strategy.plan(request, lambda best: True)
    if wrong := [*violations(request, plan), *plan.unassigned]:
        raise ValueError(f"{instance.name}: {wrong[:3]}")
    return routes_of(plan.routes)


def plain_pyvrp(instance: Instance, seconds: float, seed: int, cores: int) -> Routes:
    until = time.process_time() + seconds
    found = pyvrp.solve(
        instance.data,
        stop=lambda cost: time.process_time() >= until,
        seed=seed,
        collect_stats=False,
    )
    return [[a.idx + 1 for a in route if a.is_client()] for route in found.best.routes()]


def ortools(instance: Instance, seconds: float, seed: int, cores: int) -> Routes:
    """Savings, then guided local search: the best of its ways that was measured, one thread."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    data = instance.data
    way = data.distance_matrices()[0].tolist()
    clients, kind = data.clients(), data.vehicle_types()[0]
    index = pywrapcp.RoutingIndexManager(len(way), kind.num_available, 0)
    routing = pywrapcp.RoutingModel(index)
    service = [0, *(client.service_duration for client in clients)]
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(way))
    horizon = min(kind.tw_late, 10_000_000)
    times = [[leg + stay for leg in row] for row, stay in zip(way, service, strict=True)]
    routing.AddDimension(routing.RegisterTransitMatrix(times), horizon, horizon, False, "time")
    loads = [0, *(client.delivery[0] for client in clients)]
    routing.AddDimension(
        routing.RegisterUnaryTransitVector(loads), 0, kind.capacity[0], True, "load"
    )
    clock = routing.GetDimensionOrDie("time")
    for n, client in enumerate(clients, 1):
        late = min(client.tw_late, horizon)
        clock.CumulVar(index.NodeToIndex(n)).SetRange(client.tw_early, late)
    ways = pywrapcp.DefaultRoutingSearchParameters()
    ways.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.SAVINGS
    ways.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    until = time.process_time() + seconds
    limit = routing.solver().CustomLimit(lambda: time.process_time() >= until)
    routing.AddSearchMonitor(limit)
    found = routing.SolveWithParameters(ways)
    if found is None:
        raise ValueError(f"{instance.name}: no answer")
    routes = []
    for vehicle in range(kind.num_available):
        at, route = routing.Start(vehicle), list[int]()
        while not routing.IsEnd(at):
            at = found.Value(routing.NextVar(at))
            route.append(index.IndexToNode(at))
        routes.append(route[:-1])
    return [route for route in routes if route]


def vroom_(instance: Instance, seconds: float, seed: int, cores: int) -> Routes:
    """Its most thorough search, cut off after ``seconds``; it knows no seed."""
    import vroom

    data = instance.data
    way = data.distance_matrices()[0]
    kind = data.vehicle_types()[0]
    problem = vroom.Input()
    problem.set_durations_matrix("car", way.astype("uint32"))
    horizon = min(kind.tw_late, 10_000_000)
    for n in range(kind.num_available):
        problem.add_vehicle(
            vroom.Vehicle(n, start=0, end=0, capacity=list(kind.capacity), time_window=(0, horizon))
        )
    for n, client in enumerate(data.clients(), 1):
        late = min(client.tw_late, horizon)
        problem.add_job(
            vroom.Job(
                n,
                location=n,
                default_service=client.service_duration,
                delivery=list(client.delivery),
                time_windows=[(client.tw_early, late)],
            )
        )
    found = problem.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=seconds))
    rows = found.routes
    jobs = rows[rows["type"] == "job"]
    return [list(map(int, some["id"])) for _, some in jobs.groupby("vehicle_id", sort=False)]


PEERS: dict[str, Callable[[Instance, float, int, int], Routes]] = {
    "ours": ours,
    "pyvrp": plain_pyvrp,
    "ortools": ortools,
    "vroom": vroom_,
}


def cpu_s() -> float:
    """Of this process and the children that have ended, all threads."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))


def one(
    solver: str, instance: Instance, seconds: float, seed: int, cores: int
) -> dict[str, object]:
    """A run's line. ``gap`` is ``None`` where the solver has no lawful answer."""
    began, began_wall = cpu_s(), time.monotonic()
    gap: float | None
    try:
        routes = PEERS[solver](instance, seconds, seed, cores)
        spent = cpu_s() - began
        gap, used, why = instance.gap(instance.cost(routes)), len(routes), ""
    except (ValueError, RuntimeError) as problem:
        spent, gap, used, why = cpu_s() - began, None, 0, str(problem)
    return {
        "benchmark": "routing",
        "instance": instance.name,
        "class": instance.kind,
        "solver": solver,
        "seed": seed,
        "gap_percent": None if gap is None else round(gap, 3),
        "routes": used,
        "cpu_s": round(spent, 2),
        "wall_s": round(time.monotonic() - began_wall, 1),
        "budget_cpu_s": seconds,
        "why": why,
    }


def summary(lines: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """Mean gap of each class and solver; against plain PyVRP in pairs of instance and seed."""
    by: dict[tuple[str, str], dict[tuple[object, object], float]] = defaultdict(dict)
    asked: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        key = (str(line["class"]), str(line["solver"]))
        asked[key] += 1
        if isinstance(line["gap_percent"], float):
            by[key][line["instance"], line["seed"]] = line["gap_percent"]
    told = []
    for (kind, solver), runs in asked.items():
        gaps, plain = by[kind, solver], by[kind, "pyvrp"]
        both = [gaps[run] - plain[run] for run in gaps if run in plain]
        line: dict[str, object] = {
            "benchmark": "routing",
            "class": kind,
            "solver": solver,
            "mean_gap_percent": round(mean(gaps.values()), 3) if gaps else None,
            "answered": f"{len(gaps)}/{runs}",
        }
        if solver != "pyvrp" and len(both) > 1:
            wide = NOISE * stdev(both) / math.sqrt(len(both))
            line["minus_pyvrp"] = round(mean(both), 3)
            line["plus_minus"] = round(wide, 3)
            line["not_worse_within_noise"] = mean(both) <= wide
        told.append(line)
    return told


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.routing", description=__doc__)
    wanted.add_argument("names", nargs="*", metavar="name", help="instances; all of the folder")
    wanted.add_argument("--seconds", type=float, default=10.0, help="processor time of each run")
    wanted.add_argument("--seeds", type=int, default=5)
    wanted.add_argument(
        "--cores",
        type=int,
        default=min(2, os.cpu_count() or 1),
        help="processes ours may keep busy on days that are planned in parts",
    )
    wanted.add_argument("--dir", type=Path, default=None)
    wanted.add_argument("--solvers", default=",".join(PEERS))
    wanted.add_argument(
        "--most", type=int, default=1000, help="leave out larger instances that are not named"
    )
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = wanted.parse_args()
    lines = []
    try:
        known = list(instances(asked.dir, asked.names))
    except ValueError as problem:
        wanted.error(str(problem))
    for instance in known:
        jobs = instance.data.num_clients
        if jobs > asked.most and not asked.names:
            print(f"{instance.name}: {jobs} stops, left out (--most)", file=sys.stderr)
            continue
        for seed in range(1, asked.seeds + 1):
            for solver in asked.solvers.split(","):
                if solver in ("vroom",) and seed > 1:
                    continue  # it says the same to every seed
                line = one(solver, instance, asked.seconds, seed, asked.cores)
                lines.append(line)
                _say(line, asked.json)
    for line in summary(lines):
        _say(line, asked.json)


def _say(line: dict[str, object], as_json: bool) -> None:
    print(
        json.dumps(line) if as_json else "  ".join(f"{k}={v}" for k, v in line.items()), flush=True
    )


if __name__ == "__main__":
    main()
