"""The plugin keeps the contract of a routing strategy."""

from dataclasses import replace
from datetime import timedelta
from math import cos, hypot, pi, radians, sin
from pathlib import Path
from typing import ClassVar

import pytest
from hub_carousel import Carousel

from hub import (
    JobToPlan,
    Need,
    Plan,
    PlanRequest,
    Point,
    TimeWindow,
    Tools,
    TravelMatrix,
    VehicleToPlan,
    needs_of,
    violations,
)
from hub.testing import MONDAY, RoutingStrategyConformance, lent

SHIFT = TimeWindow(MONDAY, MONDAY + timedelta(hours=8))
DEPOT = Point(60.17, 24.94)


def metres(a: Point, b: Point) -> int:
    east = (a.lon - b.lon) * cos(radians(a.lat))
    return round(hypot(a.lat - b.lat, east) * 111_320)


def a_day(jobs: int = 12, vehicles: int = 3) -> PlanRequest:
    """Jobs on a circle of about a kilometre round the depot; a van takes five parcels."""
    places = [DEPOT]
    for n in range(jobs):
        angle = 2 * pi * n * 5 / max(jobs, 1)  # not in the order of their ids
        places.append(Point(DEPOT.lat + 0.01 * sin(angle), DEPOT.lon + 0.02 * cos(angle)))
    table = tuple(tuple(metres(a, b) for b in places) for a in places)
    return PlanRequest(
        places=tuple(places),
        travel={"car": TravelMatrix(seconds=table, metres=table)},
        jobs=tuple(
            JobToPlan(id=f"job-{n}", place=n + 1, service_s=300, load={"parcels": 1})
            for n in range(jobs)
        ),
        vehicles=tuple(
            VehicleToPlan(id=f"van-{n}", start=0, end=0, shift=SHIFT, capacity={"parcels": 5})
            for n in range(vehicles)
        ),
    )


@pytest.fixture
def carousel(tmp_path: Path) -> Carousel:
    return Carousel(Carousel.Settings(), lent(tmp_path, now=MONDAY))


def served(plan: Plan) -> dict[str, set[str]]:
    return {van: {visit.job_id for visit in visits} for van, visits in plan.routes.items()}


@pytest.mark.parametrize(("jobs", "vehicles"), [(12, 3), (1, 1), (7, 2), (0, 2)])
def test_every_job_is_on_a_lawful_route(carousel: Carousel, jobs: int, vehicles: int) -> None:
    request = a_day(jobs, vehicles)
    assert needs_of(request) <= carousel.capabilities()
    plan = carousel.plan(request, lambda best: True)
    assert violations(request, plan) == []
    out = set(plan.unassigned)
    assert set().union(*served(plan).values()) | out == {job.id for job in request.jobs}
    assert len(out) == max(0, jobs - 5 * vehicles)


def test_neighbours_share_a_vehicle(carousel: Carousel) -> None:
    request = a_day(10, 2)
    plan = carousel.plan(request, lambda best: True)
    north = {job.id for job in request.jobs if request.places[job.place].lat > DEPOT.lat}
    assert any(len(north & jobs) >= len(north) - 1 for jobs in served(plan).values())


@pytest.mark.parametrize("vehicles", [0, 1])
def test_what_is_left_out_has_a_reason(carousel: Carousel, vehicles: int) -> None:
    plan = carousel.plan(a_day(12, vehicles), lambda best: True)
    assert len(plan.unassigned) == 12 - 5 * vehicles
    assert all(reason.endswith(".") for reason in plan.unassigned.values())


def test_the_same_request_gives_the_same_plan(carousel: Carousel) -> None:
    assert carousel.plan(a_day(), lambda best: True) == carousel.plan(a_day(), lambda best: True)


def test_what_a_person_fixed_stays_first_and_progress_is_told(carousel: Carousel) -> None:
    request = replace(a_day(), fixed={"van-1": ("job-7", "job-2")})
    told: list[Plan] = []
    plan = carousel.plan(request, lambda best: bool(told.append(best)))
    assert [visit.job_id for visit in plan.routes["van-1"][:2]] == ["job-7", "job-2"]
    assert violations(request, plan) == []
    assert told == [plan]


class TestCarousel(RoutingStrategyConformance):
    lacks = frozenset({Need.PRIORITIES, Need.OPTIONAL})
    exempt: ClassVar = {
        "test_it_is_never_worse_than_the_quick_answer": "a slice of the town for each driver is"
        " what is wanted, also where another way would cost less"
    }

    def strategy(self, tools: Tools) -> Carousel:
        return Carousel(Carousel.Settings(), tools)
