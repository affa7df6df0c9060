"""What each routing strategy adds to what all of them promise."""

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
    Wish,
    completed,
    needs_of,
    violations,
)
from hub.core.planning import choose
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.routing_ortools import OrtoolsRouting
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.plugins.routing_pyvrp.model import Model, reloads_of
from tests.planning_worlds import a_bakery_day, a_van, any_day, between

STRATEGIES = [NearestRouting, PyvrpRouting, OrtoolsRouting]


def strategy(kind: type[RoutingStrategy]) -> RoutingStrategy:
    return kind(kind.Settings(), None)  # type: ignore[arg-type]


def solved(kind: type[RoutingStrategy], request: PlanRequest) -> Plan:
    return strategy(kind).plan(request, lambda best: True)


def where(plan: Plan, job: str) -> str | None:
    return next((v for v, way in plan.routes.items() if any(s.job_id == job for s in way)), None)


@pytest.mark.parametrize("kind", STRATEGIES)
@pytest.mark.parametrize("seed", range(4, 8))  # the kit has those before
def test_a_plan_breaks_nothing_and_forgets_nobody(kind, seed):
    hard = kind is not PyvrpRouting
    request = any_day(seed, hard=hard)
    assert needs_of(request) <= strategy(kind).capabilities()
    plan = solved(kind, request)
    assert violations(request, plan) == []
    served = [visit.job_id for visits in plan.routes.values() for visit in visits]
    assert sorted([*served, *plan.unassigned]) == sorted(job.id for job in request.jobs)
    assert all(plan.unassigned.values())


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
    assert time.monotonic() - began < 50  # before its limit
    assert len(asked) == 2
    assert violations(request, plan) == []
    began = time.monotonic()
    solved(PyvrpRouting, replace(request, time_limit_s=1))
    assert time.monotonic() - began < 30


def test_pyvrp_claims_only_what_it_can_express():
    missing = frozenset(Need) - strategy(PyvrpRouting).capabilities()
    assert missing == {
        Need.TIME_ON_BOARD,
        Need.BREAKS,
        Need.LOCKED_PREFIX,
        Need.NEVER_TOGETHER,
        Need.WISHES,
        Need.BALANCE,
        Need.WANTED_VEHICLE,
        Need.KNOWN_ORDER,
    }


def pairs_down_the_street(**changes: object) -> tuple[JobToPlan, ...]:
    """Four crates for four doors, each fetched on the way there."""
    return tuple(
        replace(job, **changes)  # type: ignore[arg-type]
        for n in range(1, 5)
        for job in (
            JobToPlan(id=f"to{n}", place=n + 4, pair_with=f"from{n}"),
            JobToPlan(id=f"from{n}", place=n, pair_with=f"to{n}", leg="collect", load={"g": 1}),
        )
    )


def test_pyvrp_fetches_and_brings_on_one_way_down_the_street():
    request = a_bakery_day(pairs_down_the_street(), (a_van(capacity={"g": 4}),))
    plan = solved(PyvrpRouting, request)
    assert violations(request, plan) == []
    seconds = plan.spans["van"].closes - plan.spans["van"].opens
    assert seconds.total_seconds() == 2 * 8 * 600


def test_pyvrp_carries_no_more_of_what_it_fetches_than_the_van_holds():
    request = a_bakery_day(pairs_down_the_street(), (a_van(capacity={"g": 1}),))
    plan = solved(PyvrpRouting, request)
    assert violations(request, plan) == []
    assert plan.unassigned == {}


def test_of_a_pairs_windows_pyvrp_takes_two_that_follow_on_each_other():
    """The widest of each do not: the goods would be wanted before they are there."""
    jobs = (
        JobToPlan(id="from", place=1, pair_with="to", leg="collect", windows=(between(12, 16),)),
        JobToPlan(id="to", place=2, pair_with="from", windows=(between(8, 11), between(13.5, 14))),
    )
    plan = solved(PyvrpRouting, a_bakery_day(jobs))
    assert [visit.job_id for visit in plan.routes["van"]] == ["from", "to"]


@pytest.mark.parametrize("per_km", [0, 1, 30])
def test_pyvrp_drives_to_the_last_metre_of_a_range_and_no_farther(per_km):
    """Nine doors by two vans of which each drives as far as the farthest one and back, at most."""
    jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 10))
    vans = tuple(a_van(id, max_distance_m=90_000, per_km=per_km) for id in "ab")
    plan = solved(PyvrpRouting, a_bakery_day(jobs, vans))
    assert violations(a_bakery_day(jobs, vans), plan) == []
    assert plan.unassigned == {}
    shorter = tuple(replace(van, max_distance_m=89_999) for van in vans)
    plan = solved(PyvrpRouting, a_bakery_day(jobs, shorter))
    assert set(plan.unassigned) == {"j9"}


@pytest.mark.parametrize(("overtime_per_hour", "vans"), [(1000, 1), (200_000, 2)])
def test_pyvrp_has_somebody_stay_longer_where_that_is_cheaper(overtime_per_hour, vans):
    jobs = tuple(JobToPlan(id=f"j{n}", place=n, service_s=3600) for n in range(1, 8))
    a = a_van("a", overtime_s=3600, overtime_per_hour=overtime_per_hour)
    request = a_bakery_day(jobs, (a, a_van("b", fixed_cost=9000)))
    plan = solved(PyvrpRouting, request)
    assert violations(request, plan) == []
    assert sum(1 for visits in plan.routes.values() if visits) == vans


def test_days_with_pairs_ranges_and_overtime_are_pyvrps():
    van = a_van(max_distance_m=90_000, overtime_s=1800, overtime_per_hour=1000)
    request = a_bakery_day(pairs_down_the_street(), (van,))
    offered = [strategy(kind) for kind in STRATEGIES]
    assert choose(offered, "pyvrp", needs_of(request)).key == "pyvrp"


ONE = JobToPlan(id="j1", place=1)
NINE = between(9, 10)
LEADS_TO_ORTOOLS = {
    Need.TIME_ON_BOARD: a_bakery_day((replace(ONE, max_on_board_s=900),)),
    Need.BREAKS: a_bakery_day((ONE,), (a_van(breaks=(Break(between(11, 13), 1800),)),)),
    Need.LOCKED_PREFIX: a_bakery_day((ONE,), fixed={"van": ("j1",)}),
    Need.NEVER_TOGETHER: a_bakery_day((ONE,), never_together=frozenset({("fish", "bleach")})),
    Need.WISHES: a_bakery_day((replace(ONE, wishes=(Wish(NINE, 100, 100),)),)),
    Need.BALANCE: a_bakery_day((ONE,), uneven_per_hour=500),
    Need.WANTED_VEHICLE: a_bakery_day(
        (replace(ONE, wanted_vehicle="van", other_vehicle_cost=100),)
    ),
    Need.KNOWN_ORDER: a_bakery_day((ONE,), before={"van": ("j1",)}, reorder_cost=50),
}


@pytest.mark.parametrize("need", Need)
def test_a_day_goes_to_pyvrp_unless_it_asks_for_what_pyvrp_cannot_express(need):
    offered = [strategy(kind) for kind in STRATEGIES]
    request = LEADS_TO_ORTOOLS.get(need)
    if request is None:
        assert choose(offered, "", frozenset({need})).key == "pyvrp"
    else:
        assert needs_of(request) == {need, Need.SHIFTS}
        assert choose(offered, "", needs_of(request)).key == "ortools"
        assert choose(offered[:2], "", needs_of(request)).key == "nearest"


def a_day_of_crates(jobs: int, vans: int, reload_s: int = 600) -> PlanRequest:
    """Half of it fits on the vans at once."""
    day = any_day(9, jobs=jobs, hard=False)
    each = tuple(
        JobToPlan(id=job.id, place=job.place, service_s=120, load={"g": 1}) for job in day.jobs
    )
    room = -(-jobs // (2 * vans))
    fleet = tuple(
        a_van(
            f"v{n}",
            shift=between(6, 22),
            capacity={"g": room},
            reload_at=(0,),
            max_reloads=2,
            reload_s=reload_s,
        )
        for n in range(vans)
    )
    return replace(day, jobs=each, vehicles=fleet, fixed={}, time_limit_s=1.0)


@pytest.mark.parametrize("jobs", [30, 60])  # with the quick answer to go on from, and without
def test_pyvrp_loads_again_where_one_load_is_not_enough(jobs):
    request = a_day_of_crates(jobs, vans=jobs // 10)
    plan = solved(PyvrpRouting, request)
    assert violations(request, plan) == []
    assert plan.unassigned == {}
    assert sum(map(len, plan.reloads.values())) >= 3
    assert plan.cost < completed(request, {}).cost


def test_pyvrp_goes_on_from_routes_with_several_loads():
    request = a_day_of_crates(30, 3)
    quick = completed(request, {})
    model = Model(request, all_fit=True)
    orders = {id: [visit.job_id for visit in way] for id, way in quick.routes.items()}
    begun = model.solution(orders, {}, reloads_of(quick))
    assert begun.is_feasible()
    assert model.orders(begun) == {id: order for id, order in orders.items() if order}
    assert sum(route.num_trips() - 1 for route in begun.routes()) == sum(
        map(len, quick.reloads.values())
    )


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
