"""What OR-Tools begins with on days that PyVRP cannot express."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hub import Break, JobToPlan, PlanRequest, Tools, completed, violations
from hub.core.planning import needs_of
from hub.plugins.ortools_seed import FROM_JOBS, plainer, seeded
from hub.plugins.routing_ortools import OrtoolsRouting
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.testing.days import any_day, between
from tests.core.random_days import random_day


def a_town(jobs: int) -> PlanRequest:
    """Roads all over a town; every van rests at noon."""
    day = any_day(5, jobs=jobs, hard=False)
    plain = tuple(JobToPlan(id=job.id, place=job.place, service_s=240) for job in day.jobs)
    rest = (Break(between(11, 13), 1800),)
    vans = tuple(
        replace(
            v, breaks=rest, shift=between(7, 17), capacity={}, max_jobs=None, max_duration_s=None
        )
        for v in day.vehicles
    )
    return replace(day, jobs=plain, vehicles=vans, fixed={}, time_limit_s=3.0)


@pytest.fixture
def ortools(tools_for: Callable[[Path], Tools], tmp_path: Path) -> OrtoolsRouting:
    return OrtoolsRouting(OrtoolsRouting.Settings(), tools_for(tmp_path))


def test_it_begins_with_something_lawful_that_costs_less(ortools: OrtoolsRouting) -> None:
    request = a_town(40)
    quick = completed(request, {})
    start = seeded(ortools, request, quick, lambda best: True)
    assert not violations(request, start)
    assert request.loss(start) < request.loss(quick)


def test_what_a_person_put_first_stays_first_and_the_rest_begins_with_pyvrps(
    ortools: OrtoolsRouting,
) -> None:
    town = a_town(40)
    request = replace(town, fixed={"v0": ("j7", "j31", "j2"), "v2": ("j20",)})
    quick = completed(request, {})
    start = seeded(ortools, request, quick, lambda best: True)
    assert not violations(request, start)
    for van, first in request.fixed.items():
        assert [visit.job_id for visit in start.routes[van]][: len(first)] == list(first)
    assert request.loss(start) < request.loss(quick)


def test_half_of_a_pair_that_is_fixed_brings_the_other_half_along(
    ortools: OrtoolsRouting,
) -> None:
    town = a_town(40)
    jobs = tuple(
        replace(job, pair_with="j1", leg="collect")
        if job.id == "j0"
        else replace(job, pair_with="j0")
        if job.id == "j1"
        else job
        for job in town.jobs
    )
    request = replace(town, jobs=jobs, fixed={"v1": ("j0",)})
    start = seeded(ortools, request, completed(request, {}), lambda best: True)
    assert not violations(request, start)
    assert {"j0", "j1"} <= {visit.job_id for visit in start.routes["v1"]}


def test_a_small_day_begins_with_the_quick_answer(ortools: OrtoolsRouting) -> None:
    request = a_town(FROM_JOBS - 1)
    quick = completed(request, {})
    assert seeded(ortools, request, quick, lambda best: True) is quick


@pytest.mark.parametrize("seed", range(30))
def test_the_plainer_day_asks_for_nothing_that_pyvrp_lacks(
    seed: int, tools_for: Callable[[Path], Tools], tmp_path: Path
) -> None:
    pyvrp = PyvrpRouting(PyvrpRouting.Settings(), tools_for(tmp_path))
    assert needs_of(plainer(random_day(seed), 1.0)) <= pyvrp.capabilities()
