"""What every routing strategy promises, and what each adds."""

import time
from dataclasses import replace

import pytest

from hub import (
    Break,
    JobToPlan,
    Need,
    Plan,
    PlanRequest,
    RoutingStrategy,
    completed,
    needs_of,
    violations,
)
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.routing_ortools import OrtoolsRouting
from hub.plugins.routing_pyvrp import PyvrpRouting
from tests.planning_worlds import a_bakery_day, a_van, any_day, at, between

STRATEGIES = [NearestRouting, PyvrpRouting, OrtoolsRouting]


def strategy(kind: type[RoutingStrategy]) -> RoutingStrategy:
    return kind(kind.Settings(), None)  # type: ignore[arg-type]


def solved(kind: type[RoutingStrategy], request: PlanRequest) -> Plan:
    return strategy(kind).plan(request, lambda best: True)


def where(plan: Plan, job: str) -> str | None:
    return next((v for v, way in plan.routes.items() if any(s.job_id == job for s in way)), None)


@pytest.mark.parametrize("kind", STRATEGIES)
@pytest.mark.parametrize("seed", range(8))
def test_a_plan_breaks_nothing_and_forgets_nobody(kind, seed):
    hard = kind is not PyvrpRouting
    request = any_day(seed, hard=hard)
    assert needs_of(request) <= strategy(kind).capabilities()
    plan = solved(kind, request)
    assert violations(request, plan) == []
    served = [visit.job_id for visits in plan.routes.values() for visit in visits]
    assert sorted([*served, *plan.unassigned]) == sorted(job.id for job in request.jobs)
    assert all(plan.unassigned.values())


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_day_without_jobs_or_vehicles_is_a_plan_too(kind):
    nothing = a_bakery_day((), ())
    nobody = a_bakery_day((JobToPlan(id="a", place=1),), ())
    assert solved(kind, nothing).unassigned == {}
    assert solved(kind, nobody).unassigned == {"a": "No vehicle works on this day."}
    assert violations(nobody, solved(kind, nobody)) == []


@pytest.mark.parametrize("kind", STRATEGIES)
def test_one_job_is_done(kind):
    request = a_bakery_day((JobToPlan(id="a", place=4, windows=(between(10, 11),)),))
    (visit,) = solved(kind, request).routes["van"]
    assert visit.start == at(10)


@pytest.mark.parametrize("kind", [NearestRouting, PyvrpRouting])  # OR-Tools ends by the clock
def test_the_same_request_and_seed_give_the_same_plan(kind):
    jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 7))
    request = a_bakery_day(jobs, (a_van("a"), a_van("b")), time_limit_s=20)
    assert solved(kind, request) == solved(kind, request)


@pytest.mark.parametrize("kind", STRATEGIES)
def test_of_several_windows_the_one_that_fits_is_kept(kind):
    early_late = (between(6, 7), between(14, 15))
    request = a_bakery_day((JobToPlan(id="a", place=2, windows=early_late),))
    (visit,) = solved(kind, request).routes["van"]
    assert at(14) <= visit.start <= at(15)


@pytest.mark.parametrize("kind", STRATEGIES)
def test_what_matters_more_is_served_when_not_all_fits(kind):
    jobs = tuple(
        JobToPlan(id=f"j{n}", place=9, load={"g": 6}, priority=9 if n == 3 else 0) for n in range(5)
    )
    plan = solved(kind, a_bakery_day(jobs, (a_van(capacity={"g": 6}),)))
    assert [visit.job_id for visit in plan.routes["van"]] == ["j3"]


@pytest.mark.parametrize("kind", STRATEGIES)
def test_an_optional_job_is_done_only_when_worth_its_way(kind):
    cheap = JobToPlan(id="cheap", place=9, optional=True, prize=1)
    worthy = JobToPlan(id="worthy", place=8, optional=True, prize=100_000)
    plan = solved(kind, a_bakery_day((cheap, worthy)))
    assert where(plan, "worthy") == "van"
    assert "optional" in plan.unassigned["cheap"]


@pytest.mark.parametrize("kind", STRATEGIES)
def test_skills_and_the_choice_of_a_vehicle_are_honoured(kind):
    jobs = (
        JobToPlan(id="cold", place=1, skills=frozenset({"fridge"})),
        JobToPlan(id="hers", place=2, vehicle="b"),
        JobToPlan(id="never", place=3, forbidden_vehicles=frozenset({"a"})),
    )
    vans = (a_van("a", offers=frozenset({"fridge"})), a_van("b"))
    plan = solved(kind, a_bakery_day(jobs, vans))
    assert [where(plan, id) for id in ("cold", "hers", "never")] == ["a", "b", "b"]


@pytest.mark.parametrize("kind", STRATEGIES)
def test_no_driver_gets_more_jobs_than_allowed(kind):
    jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 9))
    plan = solved(kind, a_bakery_day(jobs, (a_van("a", max_jobs=4), a_van("b", max_jobs=4))))
    assert [len(visits) for visits in plan.routes.values()] == [4, 4]


@pytest.mark.parametrize("kind", STRATEGIES)
def test_collections_fill_the_van_as_deliveries_empty_it(kind):
    jobs = (
        JobToPlan(id="out", place=1, load={"crates": 10}),
        JobToPlan(id="back", place=2, load={"crates": 10}, load_direction="collect"),
    )
    plan = solved(kind, a_bakery_day(jobs, (a_van(capacity={"crates": 10}),)))
    assert [visit.job_id for visit in plan.routes["van"]] == ["out", "back"]


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_van_waits_for_the_bread_that_it_brings(kind):
    request = a_bakery_day((JobToPlan(id="bread", place=1, ready_at=at(10)),))
    plan = solved(kind, request)
    assert plan.spans["van"].opens >= at(10)


@pytest.mark.parametrize("kind", [PyvrpRouting, OrtoolsRouting])
@pytest.mark.parametrize("seed", range(8))
def test_a_solver_is_never_worse_than_the_quick_answer(kind, seed):
    request = any_day(seed, hard=kind is OrtoolsRouting)
    best = solved(kind, request)
    assert request.loss(best) <= request.loss(completed(request, {}))


def test_pyvrp_pays_for_no_more_hours_than_it_reckoned_with():
    """Two wide windows early, two narrow ones late: whoever leaves for the first one waits."""
    jobs = (
        JobToPlan(id="a", place=1, windows=(between(8, 13),)),
        JobToPlan(id="b", place=2, windows=(between(8, 13),)),
        JobToPlan(id="c", place=3, windows=(between(12, 13),)),
        JobToPlan(id="d", place=4, windows=(between(12, 13),)),
    )
    plan = solved(PyvrpRouting, a_bakery_day(jobs, (a_van("a"), a_van("b"))))
    hours = [span.closes - span.opens for span in plan.spans.values()]
    assert [one.total_seconds() for one in hours] == [2 * 4 * 600]


@pytest.mark.parametrize("kind", [PyvrpRouting, OrtoolsRouting])
def test_a_van_goes_down_a_street_once(kind):
    jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in (5, 2, 8, 1, 9, 4, 7, 3, 6))
    plan = solved(kind, a_bakery_day(jobs, (a_van(), a_van("spare", fixed_cost=500))))
    seconds = plan.spans["van"].closes - plan.spans["van"].opens
    assert seconds.total_seconds() == 2 * 9 * 600


def test_pyvrp_keeps_its_time_limit_and_stops_when_told():
    request = any_day(3, jobs=120, hard=False)
    asked: list[Plan] = []

    def no(best: Plan) -> bool:
        asked.append(best)
        return len(asked) < 2

    began = time.monotonic()
    plan = strategy(PyvrpRouting).plan(replace(request, time_limit_s=60), no)
    assert time.monotonic() - began < 10
    assert len(asked) == 2
    assert violations(request, plan) == []
    began = time.monotonic()
    solved(PyvrpRouting, replace(request, time_limit_s=1))
    assert time.monotonic() - began < 4


def test_pyvrp_claims_only_what_it_can_express():
    missing = frozenset(Need) - strategy(PyvrpRouting).capabilities()
    assert missing == {
        Need.PAIRS,
        Need.TIME_ON_BOARD,
        Need.BREAKS,
        Need.OVERTIME,
        Need.LOCKED_PREFIX,
    }


def test_ortools_plans_around_a_break_a_pair_and_a_locked_stop():
    jobs = (
        *(JobToPlan(id=f"j{n}", place=n, service_s=1800) for n in (7, 1, 5, 3)),
        JobToPlan(id="from", place=8, pair_with="to", leg="collect", load={"g": 5}),
        JobToPlan(id="to", place=2, pair_with="from", max_on_board_s=7200),
    )
    van = a_van(breaks=(Break(between(10, 10.5), 1800),), capacity={"g": 5}, overtime_s=1800)
    request = a_bakery_day(jobs, (van,), fixed={"van": ("j3",)})
    plan = solved(OrtoolsRouting, request)
    order = [visit.job_id for visit in plan.routes["van"]]
    assert plan.unassigned == {}
    assert order[0] == "j3"
    assert order.index("from") < order.index("to")
    assert violations(request, plan) == []


@pytest.mark.parametrize("seed", range(4))
def test_ortools_serves_at_least_what_the_quick_answer_serves(seed):
    day = any_day(seed)
    jobs = tuple(replace(job, optional=False, priority=0) for job in day.jobs)
    request = replace(day, jobs=jobs)
    quick, best = completed(request, {}), solved(OrtoolsRouting, request)
    assert len(best.unassigned) <= len(quick.unassigned)
