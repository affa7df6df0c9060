"""A plan is lawful or says why not; a job left out has a reason."""

import math
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hub import (
    Break,
    JobToPlan,
    Need,
    Plan,
    PlanRequest,
    TimeWindow,
    Visit,
    completed,
    needs_of,
    timed,
    violations,
)
from hub.core.planning import choose
from tests.planning_worlds import a_bakery_day, a_van, any_day, at, between

MINUTE = timedelta(minutes=1)
HELSINKI = ZoneInfo("Europe/Helsinki")


def a_lawful_day() -> tuple[PlanRequest, Plan]:
    """Van *a* leaves 8:50: bread 9:00-9:05, milk 9:15-9:20, rests, back 10:00. *b* has a pair."""
    jobs = (
        JobToPlan(
            id="bread",
            place=1,
            service_s=300,
            load={"g": 6000},
            windows=(between(9, 10),),
            skills=frozenset({"fridge"}),
            vehicle="a",
            ready_at=at(8.5),
            max_on_board_s=1800,
        ),
        JobToPlan(id="milk", place=2, service_s=300, load={"g": 4000}, forbidden_vehicles={"b"}),
        JobToPlan(id="fetch", place=1, load={"g": 9000}, pair_with="bring", leg="collect"),
        JobToPlan(id="bring", place=2, pair_with="fetch", max_on_board_s=3600),
    )
    a = a_van(
        "a",
        capacity={"g": 10_000},
        offers=frozenset({"fridge"}),
        breaks=(Break(between(9, 10), 600),),
        max_duration_s=2 * 3600,
        max_jobs=2,
    )
    request = a_bakery_day(jobs, (a, a_van("b", capacity={"g": 9000})))
    nine = at(9)
    plan = Plan(
        routes={
            "a": (
                Visit("bread", nine, nine, nine + 5 * MINUTE),
                Visit("milk", nine + 15 * MINUTE, nine + 15 * MINUTE, nine + 20 * MINUTE),
            ),
            "b": (Visit("fetch", nine, nine, nine), Visit("bring", at(9.5), at(9.5), at(9.5))),
        },
        unassigned={},
        spans={"a": TimeWindow(at(8) + 50 * MINUTE, at(10)), "b": between(8, 11)},
        breaks={"a": (TimeWindow(at(9.5), at(9.5) + 10 * MINUTE),)},
    )
    return request, plan


def route(plan: Plan, vehicle: str, *visits: Visit) -> Plan:
    return replace(plan, routes={**plan.routes, vehicle: visits})


def moved(visit: Visit, **changes: datetime) -> Visit:
    return replace(visit, **changes)


def vans(request: PlanRequest, **changes: object) -> PlanRequest:
    a, b = request.vehicles
    return replace(request, vehicles=(replace(a, **changes), b))  # type: ignore[arg-type]


def broken(kind: str) -> tuple[PlanRequest, Plan]:
    request, plan = a_lawful_day()
    bread, milk = plan.routes["a"]
    fetch, bring = plan.routes["b"]
    a = plan.spans["a"]
    match kind:
        case "forgotten":
            return request, route(plan, "a", bread)
        case "twice":
            return request, route(plan, "b", fetch, bring, moved(milk, arrive=at(10)))
        case "not asked for":
            return request, replace(plan, unassigned={"cake": "No room."})
        case "without a reason":
            return request, replace(route(plan, "a", bread), unassigned={"milk": ""})
        case "other half":
            return request, replace(route(plan, "b", fetch), unassigned={"bring": "No room."})
        case "no vehicle":
            return request, route(plan, "ghost")
        case "does not begin with what is fixed":
            return replace(request, fixed={"a": ("milk",)}), plan
        case "cannot be at":
            soon = at(9) + 10 * MINUTE
            return request, route(plan, "a", bread, moved(milk, arrive=soon))
        case "before it arrives":
            return request, route(plan, "a", moved(bread, arrive=at(9) + MINUTE), milk)
        case "before its service is done":
            return request, route(plan, "a", moved(bread, depart=at(9)), milk)
        case "cannot be back":
            home = TimeWindow(a.opens, at(9) + 25 * MINUTE)
            return request, replace(plan, spans={**plan.spans, "a": home})
        case "outside its windows":
            late = replace(request.jobs[0], windows=(between(11, 12),))
            return replace(request, jobs=(late, *request.jobs[1:])), plan
        case "lacks fridge":
            return vans(request, offers=frozenset()), plan
        case "must be done by":
            other = replace(request.jobs[0], vehicle="b")
            return replace(request, jobs=(other, *request.jobs[1:])), plan
        case "must not be done by":
            bread_, milk_, *rest = request.jobs
            barred = replace(milk_, forbidden_vehicles=frozenset({"a"}))
            return replace(request, jobs=(bread_, barred, *rest)), plan
        case "carries 10000 g":
            return vans(request, capacity={"g": 9999}), plan
        case "before collecting":
            first = Visit("bring", at(9), at(9), at(9))
            second = Visit("fetch", at(9.5), at(9.5), at(9.5))
            return request, route(plan, "b", first, second)
        case "does not deliver":
            return request, route(plan, "b", fetch)
        case "before its shift":
            return vans(request, shift=between(9, 17)), plan
        case "after its shift":
            return vans(request, shift=between(8, 9.5)), plan
        case "longer than allowed":
            return vans(request, max_duration_s=3600), plan
        case "may have 1":
            return vans(request, max_jobs=1), plan
        case "is ready":
            late = replace(request.jobs[0], ready_at=at(8.9))
            return replace(request, jobs=(late, *request.jobs[1:])), plan
        case "on board for too long":
            hot = replace(request.jobs[3], max_on_board_s=60)
            return replace(request, jobs=(*request.jobs[:3], hot)), plan
        case "0 of its 1 breaks":
            return request, replace(plan, breaks={})
        case "outside its window.":
            return request, replace(plan, breaks={"a": (between(8, 8.5),)})
        case "too short":
            return request, replace(plan, breaks={"a": (TimeWindow(at(9.5), at(9.5) + MINUTE),)})
        case "works during its break":
            during = TimeWindow(at(9) + MINUTE, at(9) + 11 * MINUTE)
            return request, replace(plan, breaks={"a": (during,)})
    raise AssertionError(kind)


PLANTED = [
    "forgotten",
    "twice",
    "not asked for",
    "without a reason",
    "other half",
    "no vehicle",
    "does not begin with what is fixed",
    "cannot be at",
    "before it arrives",
    "before its service is done",
    "cannot be back",
    "outside its windows",
    "lacks fridge",
    "must be done by",
    "must not be done by",
    "carries 10000 g",
    "before collecting",
    "does not deliver",
    "before its shift",
    "after its shift",
    "longer than allowed",
    "may have 1",
    "is ready",
    "on board for too long",
    "0 of its 1 breaks",
    "outside its window.",
    "too short",
    "works during its break",
]
SAID_OTHERWISE = {"forgotten": "milk appears 0 times", "twice": "milk appears 2 times"}


def test_a_lawful_day_is_found_lawful():
    assert violations(*a_lawful_day()) == []


@pytest.mark.parametrize("kind", PLANTED)
def test_a_broken_rule_is_found_and_named(kind):
    found = violations(*broken(kind))
    assert any(SAID_OTHERWISE.get(kind, kind) in sentence for sentence in found), found


@pytest.mark.parametrize("seed", range(60))
def test_a_completed_plan_is_lawful_and_holds_each_job_once(seed):
    request = any_day(seed)
    plan = completed(request, {})
    assert violations(request, plan) == []
    served = [visit.job_id for visits in plan.routes.values() for visit in visits]
    assert sorted([*served, *plan.unassigned]) == sorted(job.id for job in request.jobs)


def home_after(request: PlanRequest, vehicle: str, visits: list[str], leave: datetime):
    """When a van without breaks that leaves then is home; ``None`` if it comes too late."""
    van = next(v for v in request.vehicles if v.id == vehicle)
    jobs = {job.id: job for job in request.jobs}
    seconds = request.travel[van.profile].seconds
    place, clock = van.start, leave
    for job in map(jobs.__getitem__, visits):
        clock += timedelta(seconds=seconds[place][job.place])
        whole = [(math.ceil(w.opens.timestamp()), w.closes) for w in job.windows]
        begins = [max(clock, datetime.fromtimestamp(o, UTC)) for o, c in whole if clock <= c]
        if job.windows and not begins:
            return None
        clock = begins[0] if begins else clock
        clock += timedelta(seconds=math.ceil(job.service_s * van.service_factor))
        place = job.place
    return clock + timedelta(seconds=seconds[place][place if van.end is None else van.end])


@pytest.mark.parametrize("seed", range(40))
def test_a_van_leaves_as_late_as_it_can_and_is_home_no_later(seed):
    request = any_day(seed, hard=False)
    plan = completed(request, {})
    for van in request.vehicles:
        if visits := [visit.job_id for visit in plan.routes[van.id]]:
            span = plan.spans[van.id]
            assert home_after(request, van.id, visits, span.opens) == span.closes
            ready = [j.ready_at for j in request.jobs if j.id in visits and j.ready_at]
            early = home_after(request, van.id, visits, max(van.shift.opens, *ready, at(0)))
            assert early is None or span.closes <= early
            late = home_after(request, van.id, visits, span.opens + timedelta(seconds=1))
            assert late is None or late > span.closes


def test_nobody_is_paid_for_a_wait_that_could_have_been_at_home():
    jobs = (
        JobToPlan(id="any time", place=1, windows=(between(8, 12),)),
        JobToPlan(id="noon", place=2, windows=(between(12, 13),)),
    )
    plan = completed(a_bakery_day(jobs), {"van": ["any time", "noon"]})
    assert plan.spans["van"] == TimeWindow(at(12) - 20 * MINUTE, at(12) + 20 * MINUTE)
    early = replace(jobs[0], windows=(between(8, 9),))
    plan = completed(a_bakery_day((early, jobs[1])), {"van": ["any time", "noon"]})
    assert plan.spans["van"] == TimeWindow(at(9) - 10 * MINUTE, at(12) + 20 * MINUTE)


def test_a_rest_before_leaving_is_nobodys_working_time():
    job = JobToPlan(id="noon", place=1, windows=(between(12, 13),))
    rest = Break(between(9, 10), 1800)
    first = JobToPlan(id="any time", place=1)
    plan = completed(a_bakery_day((first, job), (a_van(breaks=(rest,)),)), {})
    assert plan.spans["van"] == TimeWindow(at(12) - 10 * MINUTE, at(12) + 10 * MINUTE)
    assert plan.breaks["van"][0].closes <= plan.spans["van"].opens


def test_the_jobs_left_out_weigh_more_than_any_cost_and_by_priority():
    jobs = (
        JobToPlan(id="urgent", place=1, priority=3),
        JobToPlan(id="plain", place=1),
        JobToPlan(id="nice", place=1, optional=True, prize=500),
    )
    request = a_bakery_day(jobs)

    def left(*ids: str, cost: int = 100) -> Plan:
        return Plan(routes={}, unassigned=dict.fromkeys(ids, "No room."), cost=cost)

    ranked = [left(cost=599), left("nice"), left(cost=601), left("plain", cost=1), left("urgent")]
    assert sorted(reversed(ranked), key=request.loss) == ranked


@pytest.mark.parametrize("seed", range(30))
def test_any_nonsense_of_a_strategy_is_repaired(seed):
    request = any_day(seed)
    ids = [job.id for job in request.jobs]
    plan = completed(request, {"v0": ids[::2], "v1": ids[1::2], "v2": ids[:3]})
    assert violations(request, plan) == []


@pytest.mark.parametrize(
    "orders",
    [
        {"a": ["j1", "j2"], "b": ["j2", "j3"]},
        {"a": ["j1", "j1", "j2"], "nobody": ["j3"]},
        {"b": ["nothing", "j3"], "a": ["j3"]},
    ],
)
def test_what_a_strategy_does_twice_or_made_up_is_done_once_or_not_at_all(orders):
    jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 5))
    request = a_bakery_day(jobs, (a_van("a"), a_van("b")), fixed={"a": ("j4",)})
    plan = completed(request, orders)
    assert violations(request, plan) == []
    assert plan.unassigned == {}


@pytest.mark.parametrize("seed", range(10))
def test_a_request_survives_the_way_to_another_process(seed):
    request = any_day(seed)
    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301


@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 10, 25)])  # noqa: DTZ001
def test_a_drive_takes_as_long_on_the_night_the_clocks_change(day):
    shift = TimeWindow(day.replace(hour=1, tzinfo=HELSINKI), day.replace(hour=9, tzinfo=HELSINKI))
    ready = TimeWindow(day.replace(hour=2, tzinfo=HELSINKI), day.replace(hour=8, tzinfo=HELSINKI))
    jobs = tuple(
        JobToPlan(id=f"j{n}", place=n, service_s=900, windows=(ready,)) for n in range(1, 6)
    )
    request = a_bakery_day(jobs, (a_van(shift=shift),))
    plan = completed(request, {})
    assert plan.unassigned == {}
    assert violations(request, plan) == []
    visits = plan.routes["van"]
    place = {job.id: job.place for job in jobs}
    for before, after in pairwise(visits):
        way = 600 * abs(place[before.job_id] - place[after.job_id])
        driven = after.arrive.astimezone(UTC) - before.depart.astimezone(UTC)
        assert driven == timedelta(seconds=way)
        assert after.depart - after.start == timedelta(seconds=900)


def test_a_shift_may_cross_midnight():
    jobs = (
        JobToPlan(id="late", place=1, windows=(between(23.5, 23.75),)),
        JobToPlan(id="early", place=3, windows=(between(25, 26),)),
    )
    request = a_bakery_day(jobs, (a_van(shift=between(22, 30)),))
    plan = completed(request, {})
    assert [visit.job_id for visit in plan.routes["van"]] == ["late", "early"]
    assert violations(request, plan) == []


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (
            JobToPlan(id="a", place=1, skills=frozenset({"crane"})),
            "No driver or vehicle of this day has crane.",
        ),
        (JobToPlan(id="a", place=1, load={"g": 9000}), "weighs 9 kg"),
        (JobToPlan(id="a", place=1, windows=(between(5, 6),)), "earliest arrival is 08:10"),
        (JobToPlan(id="a", place=1, windows=(between(19, 20),)), "opens at 19:00"),
        (JobToPlan(id="a", place=1, vehicle="bike"), "bike, which must do it"),
        (JobToPlan(id="a", place=1, service_s=10 * 3600), "back when the shift ends at 17:00"),
        (JobToPlan(id="a", place=1, optional=True), "more than it is worth"),
    ],
)
def test_a_job_left_out_has_a_reason_for_the_dispatcher(job, why):
    plan = completed(a_bakery_day((job,), (a_van(capacity={"g": 5000}),)), {})
    assert why in plan.unassigned["a"]


def test_a_pair_rides_one_van_in_order():
    jobs = (
        JobToPlan(id="to", place=1, pair_with="from", leg="deliver", max_on_board_s=5000),
        JobToPlan(id="from", place=9, pair_with="to", leg="collect"),
    )
    plan = completed(a_bakery_day(jobs, (a_van("a"), a_van("b"))), {})
    assert ["from", "to"] in [[v.job_id for v in way] for way in plan.routes.values()]


def test_a_locked_prefix_stays_first():
    jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 5))
    request = a_bakery_day(jobs, fixed={"van": ("j4", "j2")})
    plan = completed(request, {"van": ["j1", "j2", "j3", "j4"]})
    assert [visit.job_id for visit in plan.routes["van"]][:2] == ["j4", "j2"]
    assert violations(request, plan) == []


def test_a_break_is_taken_within_its_window():
    jobs = tuple(JobToPlan(id=f"j{n}", place=n, service_s=1800) for n in range(1, 8))
    request = a_bakery_day(jobs, (a_van(breaks=(Break(between(10, 10.5), 1800),)),))
    plan = completed(request, {})
    (rest,) = plan.breaks["van"]
    assert at(10) <= rest.opens <= at(10.5)
    assert violations(request, plan) == []


def test_an_open_route_ends_at_its_last_door():
    request = a_bakery_day((JobToPlan(id="a", place=9),), (a_van(end=None),))
    plan = completed(request, {})
    assert plan.spans["van"].closes == plan.routes["van"][-1].depart


def test_an_order_that_breaks_a_rule_has_no_times():
    job = JobToPlan(id="a", place=1, windows=(between(8, 8.1),))
    request = a_bakery_day((job,))
    assert timed(request, request.vehicles[0], ["a"]) is None


def test_the_needs_of_a_day_are_those_it_uses():
    plain = a_bakery_day((JobToPlan(id="a", place=1),))
    assert needs_of(plain) == {Need.SHIFTS}
    assert {Need.PAIRS, Need.WINDOWS, Need.CAPACITY} <= needs_of(any_day(0))


class Fake:
    def __init__(self, key: str, *can: Need) -> None:
        self.key, self.can = key, frozenset(can)

    def capabilities(self) -> frozenset[Need]:
        return self.can


def test_another_strategy_serves_what_the_wanted_one_cannot():
    able = Fake("nearest", *Need)
    best = Fake("pyvrp", Need.WINDOWS)
    theirs = Fake("theirs", Need.WINDOWS)
    assert choose([able, theirs, best], "theirs", frozenset({Need.WINDOWS})) is theirs
    assert choose([able, theirs, best], "gone", frozenset({Need.WINDOWS})) is best
    assert choose([able, theirs, best], "pyvrp", frozenset({Need.PAIRS})) is able
    with pytest.raises(LookupError, match="pairs"):
        choose([best], "pyvrp", frozenset({Need.PAIRS}))
