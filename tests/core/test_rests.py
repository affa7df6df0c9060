"""Several breaks of one driver: one after the other, each in its window, or no such day."""

from datetime import timedelta
from itertools import permutations

import pytest

from hub import Break, JobToPlan, Plan, TimeWindow, completed, violations
from tests.planning_worlds import a_bakery_day, a_van, at, between


def rests(plan: Plan) -> list[tuple[float, float]]:
    """From which hour to which, in the order of the driver's breaks."""
    return [((a.opens - at(0)) / HOUR, (a.closes - at(0)) / HOUR) for a in plan.breaks["van"]]


HOUR = timedelta(hours=1)
COFFEE, LUNCH = Break(between(9, 11), 900), Break(between(9, 12), 1800)


def test_breaks_before_leaving_follow_each_other():
    job = JobToPlan(id="late", place=1, windows=(between(14, 15),))
    request = a_bakery_day((job,), (a_van(breaks=(COFFEE, LUNCH)),))
    plan = completed(request, {})
    assert violations(request, plan) == []
    assert rests(plan) == [(9, 9.25), (9.25, 9.75)]


def test_a_long_break_before_leaving_goes_where_the_fixed_one_leaves_room():
    hour, fixed = Break(between(9, 12), 3600), Break(between(10, 10), 900)
    job = JobToPlan(id="late", place=1, windows=(between(11.25, 12),))
    request = a_bakery_day((job,), (a_van(breaks=(hour, fixed)),))
    plan = completed(request, {})
    assert violations(request, plan) == []
    assert rests(plan) == [(9, 10), (10, 10.25)]


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_break_comes_before_a_fixed_one_that_would_outlast_its_window(order):
    coffee, lunch = Break(between(9, 12.25), 900), Break(between(12, 12), 1800)
    given = [coffee, lunch]
    jobs = tuple(JobToPlan(id=f"j{n}", place=n % 9 + 1, service_s=1500) for n in range(10))
    request = a_bakery_day(jobs, (a_van(breaks=tuple(given[n] for n in order)),))
    plan = completed(request, {})
    assert violations(request, plan) == []
    assert plan.unassigned == {}


def test_after_work_one_rests_in_an_order_that_keeps_both_windows():
    coffee, lunch = Break(between(9, 12.25), 900), Break(between(12, 12), 1800)
    job = JobToPlan(id="early", place=1, windows=(between(8, 9),))
    request = a_bakery_day((job,), (a_van(breaks=(coffee, lunch)),))
    plan = completed(request, {})
    assert violations(request, plan) == []
    assert plan.unassigned == {}


def test_nothing_is_added_to_fixed_work_that_goes_over_a_break():
    """He is still at rest when what is fixed has him leave."""
    fixed = JobToPlan(id="fixed", place=1, windows=(between(8, 8.25),))
    request = a_bakery_day(
        (fixed, JobToPlan(id="more", place=2)),
        (a_van(breaks=(Break(between(7.5, 7.75), 3600),)),),
        fixed={"van": ("fixed",)},
    )
    plan = completed(request, {})
    assert violations(request, plan) == []
    assert plan.unassigned["more"].startswith("The breaks of whoever could do it")


def test_a_window_without_a_whole_second_leaves_its_job_out_and_the_day_whole():
    tick = timedelta(seconds=0.2)
    jobs = (
        JobToPlan(id="tick", place=1, windows=(TimeWindow(at(9) + tick, at(9) + 2 * tick),)),
        JobToPlan(id="other", place=1, windows=(between(8, 8.75),)),
    )
    request = a_bakery_day(jobs)
    plan = completed(request, {})
    assert violations(request, plan) == []
    assert plan.unassigned.keys() == {"tick"} and plan.unassigned["tick"]
