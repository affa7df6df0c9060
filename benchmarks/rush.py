"""``python -m benchmarks.rush --json --seeds N --seconds S --jobs N --vans N``

A day of a city whose roads are up to 1.7 times slower in the morning and the afternoon, by who may
plan it, given the same seconds of processor time: PyVRP, told of the paces; PyVRP that knows
nothing of them; OR-Tools, from PyVRP's start. All are judged on the day as it is: ``violations``
and the true cost of the orders they say. ``free`` is the same day without any traffic, by PyVRP.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import replace

from hub import (
    JobToPlan,
    Pace,
    Plan,
    PlanRequest,
    Point,
    RoutingStrategy,
    TravelMatrix,
    VehicleToPlan,
    completed,
    violations,
)
from hub.plugins.routing_ortools import OrtoolsRouting
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.testing.days import at, between

RUSH = ((7.0, 1.6), (9.0, 1.0), (11.5, 1.2), (13.0, 1.0), (15.5, 1.7), (18.0, 1.0))
SIDE_M, SPEED_MPS = 15_000, 9
OPENS = (7.5, 8, 9, 10, 12, 13, 14, 15)


def a_city(seed: int, jobs: int, vans: int, seconds: float) -> PlanRequest:
    """Half of the doors in a window of two hours; streets in two directions."""
    dice = random.Random(seed)
    spots = [(SIDE_M / 2, SIDE_M / 2)]
    spots += [(dice.uniform(0, SIDE_M), dice.uniform(0, SIDE_M)) for _ in range(jobs)]
    metres = [[round(abs(a[0] - b[0]) + abs(a[1] - b[1])) for b in spots] for a in spots]
    travel = [[m // SPEED_MPS for m in row] for row in metres]
    pace = tuple(Pace(at(hour), factor) for hour, factor in RUSH)

    def job(n: int) -> JobToPlan:
        opens = dice.choice(OPENS) if dice.random() < 0.5 else None
        windows = () if opens is None else (between(opens, opens + 2),)
        load = {"parcels": 1}
        return JobToPlan(id=f"j{n}", place=n, service_s=240, load=load, windows=windows)

    return PlanRequest(
        places=tuple(Point(60 + y / 111_000, 24.9 + x / 55_000) for x, y in spots),
        travel={"car": TravelMatrix(travel, metres, pace)},
        jobs=tuple(job(n) for n in range(1, jobs + 1)),
        vehicles=tuple(
            VehicleToPlan(
                id=f"v{n}",
                start=0,
                end=0,
                shift=between(7, 16.5),
                capacity={"parcels": 40},
                fixed_cost=5000,
            )
            for n in range(vans)
        ),
        time_limit_s=seconds,
    )


def blind(request: PlanRequest) -> PlanRequest:
    return replace(request, travel={p: t.paced(()) for p, t in request.travel.items()})


def run(strategy: RoutingStrategy, told: PlanRequest, true: PlanRequest) -> dict[str, object]:
    """What ``strategy`` makes of the day it is told of, on the day as it is."""
    began = time.process_time()
    plan: Plan = strategy.plan(told, lambda best: True)
    spent_s = time.process_time() - began
    orders = {id: [visit.job_id for visit in way] for id, way in plan.routes.items()}
    made = plan if told is true else completed(true, orders)
    if broken := violations(true, made):
        raise RuntimeError(f"{strategy.key}: {broken[:3]}")
    vans = sum(1 for way in made.routes.values() if way)
    return {"left": len(made.unassigned), "cost": made.cost, "vans": vans, "cpu_s": spent_s}


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.rush", description=__doc__)
    wanted.add_argument("--json", action="store_true")
    wanted.add_argument("--seeds", type=int, default=3)
    wanted.add_argument("--seconds", type=float, default=10.0, help="of the processor")
    wanted.add_argument("--jobs", type=int, default=200)
    wanted.add_argument("--vans", type=int, default=12)
    asked = wanted.parse_args()
    for seed in range(1, asked.seeds + 1):
        request = a_city(seed, asked.jobs, asked.vans, asked.seconds)
        pyvrp = PyvrpRouting(PyvrpRouting.Settings(), None)  # type: ignore[arg-type]
        pyvrp.counts = "cpu"
        ortools = OrtoolsRouting(OrtoolsRouting.Settings(), None)  # type: ignore[arg-type]
        free = blind(request)
        for name, strategy, told, true in (
            ("pyvrp", pyvrp, request, request),
            ("blind", pyvrp, free, request),
            ("ortools", ortools, request, request),
            ("free", pyvrp, free, free),
        ):
            found = {"seed": seed, "who": name, **run(strategy, told, true)}
            print(json.dumps(found) if asked.json else found, flush=True)


if __name__ == "__main__":
    main()
