"""The reason a job is left out is true: letting go what it names would have it done."""

from dataclasses import replace

import pytest

from hub import Break, JobToPlan, Plan, PlanRequest, Timetable, completed, violations
from hub.core.left_out import APART, FULL, OR_APART, reasons
from hub.core.why_out import Rule, rules_in_the_way
from tests.planning_worlds import a_bakery_day, a_van, any_day, at, between

FAR = JobToPlan(id="a", place=9, service_s=600)
SHORT = {"max_duration_s": 3600}


def why(job: JobToPlan, *more: JobToPlan, fixed: tuple[str, ...] = (), **van: object) -> str:
    request = a_bakery_day((job, *more), (a_van(**van),), fixed={"van": fixed} if fixed else {})
    plan = completed(request, {})
    assert violations(request, plan) == []
    return plan.unassigned["a"]


@pytest.mark.parametrize(
    ("job", "van", "said"),
    [
        (FAR, SHORT, "longer than the longest day"),
        (FAR, {"max_jobs": 0}, "more jobs in a day than they may"),
        (FAR, {"max_distance_m": 9000}, "farther than any vehicle"),
        (
            replace(FAR, windows=(between(8, 13),)),
            {"breaks": (Break(between(8.75, 9), 8 * 3600),)},
            "leave no time for it",
        ),
        (replace(FAR, max_on_board_s=3600), {}, "on board for longer"),
        (replace(FAR, windows=(between(7, 9.4), between(60, 61))), {}, "within its windows"),
        (
            replace(FAR, max_on_board_s=600),
            SHORT,
            "within the longest day and its time on board all at once",
        ),
    ],
)
def test_the_rule_that_is_named_is_the_one_that_keeps_it_out(job, van, said):
    assert said in why(job, **van)


def test_work_at_a_door_is_never_too_heavy():
    job = JobToPlan(id="a", place=1, service_s=9 * 3600, load_direction="none", load={"g": 9000})
    assert "back when the shift ends" in why(job, capacity={"g": 5000})


def test_a_pair_too_many_for_one_driver_is_no_matter_of_hours():
    half = JobToPlan(id="a", place=1, pair_with="b", leg="collect")
    other = JobToPlan(id="b", place=2, pair_with="a")
    assert "more jobs in a day than they may" in why(half, other, max_jobs=1)


def test_a_window_is_said_to_be_that_of_the_collection():
    first = JobToPlan(id="b", place=1, pair_with="a", leg="collect", windows=(between(5, 6),))
    assert why(JobToPlan(id="a", place=2, pair_with="b"), first).startswith(
        "The window where it is collected closes at 06:00"
    )


def test_a_half_whose_other_half_is_fixed_says_what_keeps_it_from_that_van():
    first = JobToPlan(id="b", place=1, pair_with="a", leg="collect")
    late = JobToPlan(id="a", place=9, pair_with="b", windows=(between(8, 9),))
    request = a_bakery_day((late, first), (a_van("x"), a_van("y")), fixed={"x": ("b",)})
    assert "earliest arrival is 09:30" in completed(request, {}).unassigned["a"]


def test_fixed_loads_leave_no_room():
    load = {"g": 3000}
    fixed = JobToPlan(id="f", place=1, load=load, load_direction="collect")
    job = JobToPlan(id="a", place=2, load=load, load_direction="collect")
    said = why(job, fixed, fixed=("f",), capacity={"g": 5000})
    assert "fixed leaves no room" in said


def test_an_optional_job_without_a_place_is_not_said_to_be_dear():
    jobs = (
        JobToPlan(id="must", place=1),
        JobToPlan(id="a", place=2, optional=True, prize=1_000_000),
    )
    plan = completed(a_bakery_day(jobs, (a_van(max_jobs=1),)), {})
    assert "full or busy" in plan.unassigned["a"]


def test_who_waits_for_goods_is_told_so_where_that_is_what_makes_it_late():
    cake = JobToPlan(id="a", place=3, ready_at=at(14), windows=(between(13, 14.1),))
    assert why(cake) == (
        "Its window closes at 14:06; the earliest arrival is 14:30, for its goods are ready at 14:00."
    )
    far = replace(cake, ready_at=at(8), windows=(between(7, 8.1),))
    assert why(far) == "Its window closes at 08:06; the earliest arrival is 08:30."


@pytest.mark.parametrize(
    ("windows", "when"), [((), "all day"), ((between(8, 12),), "at that time")]
)
def test_a_vehicle_is_busy_at_a_time_only_where_there_is_one(windows, when):
    first = JobToPlan(id="b", place=1, priority=1)
    said = why(JobToPlan(id="a", place=2, windows=windows), first, max_jobs=1)
    assert said == f"Every vehicle that could do it is full or busy {when}."


def test_what_nobody_brings_is_told_of_drivers_and_vehicles():
    job = JobToPlan(id="a", place=1, skills=frozenset({"lift", "fridge"}))
    assert why(job) == "No driver of this day has, with their vehicle, fridge and lift."


@pytest.mark.parametrize(
    ("vans", "said"),
    [
        ((a_van(),), APART),
        ((a_van(), a_van("small", capacity={"g": 5})), f"{FULL} all day, or {OR_APART}"),
        ((a_van(), a_van("other")), ""),
    ],
)
def test_a_job_whom_another_keeps_out_says_so(vans, said):
    """It said that every vehicle was full, and one was not."""
    jobs = (
        JobToPlan(id="a", place=1, load={"g": 4}, priority=2),
        JobToPlan(id="b", place=2, load={"g": 4}),
        JobToPlan(id="c", place=3, load={"g": 4}, priority=2, vehicle="small"),
    )
    jobs = jobs if any(van.id == "small" for van in vans) else jobs[:2]
    request = a_bakery_day(jobs, vans, never_together=frozenset({("a", "b")}))
    assert completed(request, {}).unassigned == ({"b": said} if said else {})


def _let_go(request: PlanRequest, rules: tuple[Rule, ...], job: JobToPlan) -> Plan:
    """The plan of ``job`` alone, without those rules."""
    free = {
        Rule.MAX_JOBS: {"max_jobs": None},
        Rule.DISTANCE: {"max_distance_m": None},
        Rule.SHIFT: {"overtime_s": 86_400},
        Rule.DURATION: {"max_duration_s": None},
        Rule.BREAKS: {"breaks": ()},
    }
    changes = {name: value for rule in rules for name, value in free.get(rule, {}).items()}
    if Rule.WINDOWS in rules:
        job = replace(job, windows=())
    if Rule.ON_BOARD in rules:
        job = replace(job, max_on_board_s=None)
    vehicles = tuple(replace(van, **changes) for van in request.vehicles)
    return completed(replace(request, jobs=(job,), vehicles=vehicles, fixed={}), {})


def test_without_the_rules_that_are_found_it_is_done():
    found = 0
    for seed in range(12):
        request = any_day(seed, jobs=10)
        vehicles = tuple(
            replace(van, max_jobs=seed % 2, max_duration_s=1800) for van in request.vehicles
        )
        request = replace(request, vehicles=vehicles, fixed={})
        for job in request.jobs:
            if job.pair_with or not any(job.skills <= van.offers for van in vehicles):
                continue
            alone = replace(request, jobs=(replace(job, optional=False, priority=1),))
            if not completed(alone, {}).unassigned:
                continue
            assert reasons(alone, alone.jobs[0])
            able = [
                van
                for van in vehicles
                if job.skills <= van.offers
                and job.vehicle in (None, van.id)
                and van.id not in job.forbidden_vehicles
            ]
            if able and (rules := rules_in_the_way(Timetable(alone), able, alone.jobs)):
                found += 1
                assert _let_go(alone, rules, alone.jobs[0]).unassigned == {}
    assert found > 15
