"""What a plan costs by each strategy, given the same jobs and the same seconds."""

from __future__ import annotations

import math
import random

from benchmarks import Line
from hub import JobToPlan, PlanRequest, Point, RoutingStrategy, TravelMatrix
from hub.app import Hub
from hub.core.planning import violations
from tests.planning_worlds import a_van, between

SIZES = (60, 200)
SIDE_M, DETOUR, SPEED_MPS = 8000, 1.35, 8


def plan(seconds: float) -> list[Line]:
    hub, lines = Hub.in_memory(), []
    for jobs in SIZES:
        request = a_town(jobs, seconds / len(SIZES) / 2)  # the third strategy takes no time
        costs = {}
        for key in ("pyvrp", "ortools", "nearest"):
            made = hub.provider(RoutingStrategy, key, {}).plan(request, lambda best: True)
            assert not [*violations(request, made), *made.unassigned], key
            costs[key] = made.cost
        for peer in ("ortools", "nearest"):
            lines.append(Line(f"{jobs} jobs by pyvrp", costs["pyvrp"], costs[peer], "cost", peer))
    return lines


def a_town(jobs: int, time_limit_s: float) -> PlanRequest:
    """Doors all over a town, half of them in a window of two hours; a van for each fifteen."""
    chance = random.Random(jobs)
    spots = [(SIDE_M / 2, SIDE_M / 2)]
    spots += [(chance.uniform(0, SIDE_M), chance.uniform(0, SIDE_M)) for _ in range(jobs)]
    metres = [[round(math.dist(a, b) * DETOUR) for b in spots] for a in spots]
    travel = TravelMatrix([[m // SPEED_MPS for m in row] for row in metres], metres)

    def job(n: int) -> JobToPlan:
        opens = 8 + chance.randint(1, 6)
        windows = (between(opens, opens + 2),) if n % 2 else ()
        return JobToPlan(id=f"j{n}", place=n + 1, service_s=180, load={"g": 4000}, windows=windows)

    return PlanRequest(
        places=tuple(Point(60.1 + y / 111_000, 24.9 + x / 55_000) for x, y in spots),
        travel={"car": travel},
        jobs=tuple(job(n) for n in range(jobs)),
        vehicles=tuple(a_van(f"v{n}", capacity={"g": 80_000}) for n in range(jobs // 15)),
        time_limit_s=time_limit_s,
        seed=1,
    )
