"""Days with rush hours: PyVRP knows no time of day, and plans them well all the same."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from hub import JobToPlan, Pace, PlanRequest, Point, TravelMatrix, completed, violations
from hub.core.pace import Traffic
from hub.plugins.ortools_ways import Ways
from hub.plugins.routing_ortools import OrtoolsRouting
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.plugins.routing_pyvrp.model import Model
from hub.plugins.routing_pyvrp.slowed import Clock
from hub.testing.days import a_van, at, between

RUSH = tuple(
    Pace(at(hour), factor) for hour, factor in ((7, 1.8), (9, 1.0), (12, 1.3), (13, 1), (15.5, 2))
)


def a_city(seed: int, jobs: int, vans: int, **more: object) -> PlanRequest:
    dice = random.Random(f"city {seed}")
    spots = [(6000.0, 6000.0)]
    spots += [(dice.uniform(0, 12_000), dice.uniform(0, 12_000)) for _ in range(jobs)]
    metres = [[round(abs(a[0] - b[0]) + abs(a[1] - b[1])) for b in spots] for a in spots]
    seconds = [[m // 8 for m in row] for row in metres]
    opens = (7.5, 8, 9, 10, 13, 15)
    asked = [dice.choice(opens) if dice.random() < 0.5 else None for _ in range(jobs)]
    return PlanRequest(
        places=tuple(Point(60 + x / 1e5, 24 + y / 1e5) for x, y in spots),
        travel={"car": TravelMatrix(seconds, metres, RUSH)},
        jobs=tuple(
            JobToPlan(
                id=f"j{n}",
                place=n,
                service_s=200,
                windows=() if hour is None else (between(hour, hour + 2),),
            )
            for n, hour in enumerate(asked, 1)
        ),
        vehicles=tuple(
            a_van(f"v{n}", shift=between(7, 16.5), fixed_cost=4000, max_jobs=30)
            for n in range(vans)
        ),
        **{"time_limit_s": 2.0, **more},  # type: ignore[arg-type]
    )


def without_rush(request: PlanRequest) -> PlanRequest:
    return replace(request, travel={p: t.paced(()) for p, t in request.travel.items()})


def cheapest(request: PlanRequest, judged: PlanRequest) -> tuple[int, int]:
    """The loss of PyVRP's answer to one day, driven on another."""
    strategy = PyvrpRouting(PyvrpRouting.Settings(), None)  # type: ignore[arg-type]
    strategy.counts = "cpu"
    plan = strategy.plan(request, lambda best: True)
    orders = {id: [visit.job_id for visit in way] for id, way in plan.routes.items()}
    made = completed(judged, orders)
    assert violations(judged, made) == []
    return judged.loss(made)


@pytest.mark.soak
def test_a_day_planned_by_its_rush_hours_is_cheaper_than_one_planned_without_them():
    request = a_city(1, jobs=60, vans=5)
    assert cheapest(request, request) < cheapest(without_rush(request), request)


@pytest.mark.parametrize("strategy", [PyvrpRouting, OrtoolsRouting])
def test_whoever_plans_it_no_van_is_where_it_cannot_be(strategy):
    request = a_city(2, jobs=30, vans=4, time_limit_s=0.6)
    request = replace(request, access_s={n: 90 for n in range(1, 31, 3)})
    plan = strategy(strategy.Settings(), None).plan(request, lambda best: True)
    assert violations(request, plan) == []
    assert request.loss(plan) <= request.loss(completed(request, {}))


def test_pairs_are_fetched_and_brought_in_the_rush_hour():
    request = a_city(4, jobs=24, vans=4, time_limit_s=0.6)
    halves = dict(zip(("j1", "j3", "j5"), ("j2", "j4", "j6"), strict=True))
    others = {there: here for here, there in halves.items()} | halves
    jobs = [
        replace(job, pair_with=others[job.id], windows=(), leg="collect")
        if job.id in halves
        else replace(job, pair_with=others.get(job.id), windows=())
        if job.id in others
        else job
        for job in request.jobs
    ]
    request = replace(request, jobs=tuple(jobs), access_s={2: 120, 3: 60})
    strategy = PyvrpRouting(PyvrpRouting.Settings(), None)  # type: ignore[arg-type]
    plan = strategy.plan(request, lambda best: True)
    assert violations(request, plan) == []
    assert not plan.unassigned
    turn = {v.job_id: (id, n) for id, way in plan.routes.items() for n, v in enumerate(way)}
    for here, there in halves.items():
        assert turn[here][0] == turn[there][0]
        assert turn[here][1] < turn[there][1]


def test_drives_are_told_as_long_as_they_are_when_they_are_driven():
    """By a plan that is known: its own ways are exact, whichever end they are told by."""
    request = a_city(3, jobs=25, vans=3)
    plan = completed(request, {})
    starts = {v.job_id: v.start.timestamp() for way in plan.routes.values() for v in way}
    model = Model(request, all_fit=True, starts=starts)
    ways = Ways(request, (), (0,), starts)
    [van, *_] = request.vehicles
    _, seconds = ways.matrices(van)
    slowed = model.data.duration_matrix(0)
    place = {job.id: n for n, job in enumerate(request.jobs)}
    checked = 0
    for way in plan.routes.values():
        for a, b in zip(way, way[1:], strict=False):
            if b.start != b.arrive:
                continue
            took_s = (b.arrive - a.start).total_seconds()
            n, m = place[a.job_id], place[b.job_id]
            assert seconds[n][m] == pytest.approx(took_s, abs=2)
            assert slowed[n, m] == pytest.approx(took_s, abs=2)
            checked += 1
    assert checked > 5


def test_where_no_moment_is_known_a_drive_takes_what_it_does_on_average():
    shift = between(7, 17)
    traffic = Traffic(RUSH)
    clock = Clock(RUSH, shift)
    hours = traffic.driven(int(at(7).timestamp()), int(at(17).timestamp())) / 3600
    assert clock.usual == pytest.approx(10 / hours)
    never = np.full(2, np.nan)
    seconds = np.array([[0, 1000], [1000, 0]])
    assert clock.slowed(seconds, never, never)[0, 1] == pytest.approx(1000 * clock.usual, abs=1)
    leaves = np.array([at(7.5).timestamp(), np.nan])
    by_leaving = clock.slowed(seconds, leaves, never)
    arrival = traffic.arrival(int(at(7.5).timestamp()), 1000)
    assert by_leaving[0, 1] == pytest.approx(arrival - at(7.5).timestamp(), abs=1)
