"""What the kits for routing strategies ask of a plan before they look at what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hub import Need, Plan, PlanRequest, RoutingStrategy, needs_of, violations

Test = TypeVar("Test", bound=Callable[..., None])


def needs(*wanted: Need) -> Callable[[Test], Test]:
    """What a strategy must claim for this test to apply."""

    def marked(test: Test) -> Test:
        test.needs = frozenset(wanted)  # type: ignore[attr-defined]
        return test

    return marked


def solved(plans: RoutingStrategy, request: PlanRequest) -> Plan:
    return plans.plan(request, lambda best: True)


def demanded(plans: RoutingStrategy, request: PlanRequest, *, all_fit: bool = True) -> Plan:
    """Its lawful plan. Who does not claim to honour what is asked says so in ``lacks``."""
    lacking = ", ".join(f"Need.{need.name}" for need in needs_of(request) - plans.capabilities())
    assert not lacking, f"It does not claim {lacking}: name that in `lacks`."
    plan = solved(plans, request)
    demand_lawful(request, plan)
    assert not (all_fit and plan.unassigned), f"All of it fits; left out: {plan.unassigned}."
    return plan


def demand_lawful(request: PlanRequest, plan: Plan) -> None:
    found = violations(request, plan)
    assert found == [], (
        f"The hub refuses this plan: {' '.join(found)} Either honour it, or do not claim it in"
        " `capabilities`; `hub.completed(request, orders)` makes a lawful plan of any orders."
    )


def order(plan: Plan) -> list[str]:
    return [visit.job_id for visit in plan.routes["van"]]


def where(plan: Plan, job: str) -> str | None:
    return next((v for v, way in plan.routes.items() if any(s.job_id == job for s in way)), None)
