"""A strategy in its own process: whatever becomes of it, there is a plan."""

import time
from dataclasses import replace

import pytest

from hub import Plan, violations
from hub.solving import solve
from tests.planning_worlds import any_day

WRONG = "tests.plugins.strategies_gone_wrong"


@pytest.fixture
def request_() -> object:
    return replace(any_day(1, hard=False), time_limit_s=1.0)


def test_a_strategy_in_its_own_process_plans_and_tells(request_):
    told: list[Plan] = []
    make = ("hub.plugins.routing_pyvrp", "PyvrpRouting", {})
    plan = solve(make, request_, on_progress=told.append)
    assert violations(request_, plan) == []
    assert told
    assert plan.notes == ()


@pytest.mark.parametrize(("name", "kept"), [("Dies", "quick plan"), ("DiesLate", "best plan")])
def test_a_strategy_that_dies_leaves_a_plan_and_a_note(request_, name, kept):
    plan = solve((WRONG, name, {}), request_)
    assert violations(request_, plan) == []
    (note,) = plan.notes
    assert "code 9" in note
    assert kept in note


@pytest.mark.parametrize(
    ("make", "why"),
    [
        ((WRONG, "Raises", {}), "no vehicles to divide by"),
        ((WRONG, "Absent", {}), "Absent"),
    ],
)
def test_the_note_says_what_went_wrong(request_, make, why):
    plan = solve(make, request_)
    assert violations(request_, plan) == []
    assert why in plan.notes[0]


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Lawless", "quick plan"), ("LawlessLate", "best plan"), ("Speechless", "quick plan")],
)
def test_an_answer_that_breaks_a_rule_costs_its_plan_not_the_day(request_, name, kept):
    plan = solve((WRONG, name, {}), request_)
    assert violations(request_, plan) == []
    (note,) = plan.notes
    assert "its plan breaks a rule" in note and kept in note


def test_a_strategy_is_held_to_the_best_it_showed(request_):
    told: list[Plan] = []
    assert solve((WRONG, "Forgetful", {}), request_, on_progress=told.append) == told[0]


@pytest.mark.parametrize("name", ["Willing", "Deaf"])
def test_cancelling_keeps_the_best_plan(request_, name):
    told: list[Plan] = []
    began = time.monotonic()
    day = replace(request_, time_limit_s=300)
    plan = solve((WRONG, name, {}), day, on_progress=told.append, cancelled=lambda: len(told) > 0)
    assert time.monotonic() - began < 200  # well before its limit
    assert plan == told[0]
