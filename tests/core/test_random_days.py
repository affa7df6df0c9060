"""Of any mixture of needs: no rule broken, nothing done twice, nothing left out in vain."""

import pytest

from hub import completed, needs_of, violations
from hub.plugins.routing_ortools import OrtoolsRouting
from tests.core.random_days import left_out_in_vain, random_day, served


def demand_sound(seed: int, jobs: int) -> None:
    request = random_day(seed, jobs)
    plan = completed(request, {})
    assert violations(request, plan) == [], seed
    assert sorted([*served(plan), *plan.unassigned]) == sorted(job.id for job in request.jobs), seed
    assert all(plan.unassigned.values()), seed
    assert list(left_out_in_vain(request, plan)) == [], seed


def test_a_mixture_of_needs_is_kept_and_nothing_is_left_out_in_vain():
    for seed in range(60):
        demand_sound(seed, jobs=8)


@pytest.mark.soak
def test_two_hundred_mixtures_of_larger_days_are_kept():
    for seed in range(200):
        demand_sound(seed, jobs=14)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(20))
def test_ten_thousand_mixtures_are_kept(part):
    for seed in range(1000 + part * 500, 1500 + part * 500):
        demand_sound(seed, jobs=4 + seed % 7)


def demand_no_worse(seed: int) -> None:
    request = random_day(seed)
    strategy = OrtoolsRouting(OrtoolsRouting.Settings(), None)  # type: ignore[arg-type]
    assert needs_of(request) <= strategy.capabilities()
    plan = strategy.plan(request, lambda best: True)
    assert violations(request, plan) == [], seed
    assert sorted([*served(plan), *plan.unassigned]) == sorted(job.id for job in request.jobs), seed
    assert list(left_out_in_vain(request, plan)) == [], seed
    assert request.loss(plan) <= request.loss(completed(request, {})), seed


def test_a_solver_keeps_a_mixture_of_needs():
    for seed in range(6):
        demand_no_worse(seed)


@pytest.mark.soak
def test_a_solver_keeps_two_hundred_mixtures():
    for seed in range(200):
        demand_no_worse(seed)
