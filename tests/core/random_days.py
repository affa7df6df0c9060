"""Small days of any mixture of needs, from a seed; and whether a job left out had a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hub import JobToPlan, Plan, PlanRequest, Timetable
from hub.testing.days import any_day
from hub.testing.days_with_prices import any_mixture, asking_for


def random_day(seed: int, jobs: int = 10) -> PlanRequest:
    """Three vehicles, more work than they can do, every older need and some of the newer ones.

    At least four jobs: two pairs.
    """
    day = any_day(seed, jobs=max(jobs, 10))
    few = day.jobs[:jobs]
    fixed = {vehicle: (few[-1].id,) for vehicle in day.fixed} if jobs < 10 else day.fixed
    return asking_for(replace(day, jobs=few, fixed=fixed), any_mixture(seed), seed)


def served(plan: Plan) -> list[str]:
    return [visit.job_id for visits in plan.routes.values() for visit in visits]


def left_out_in_vain(request: PlanRequest, plan: Plan) -> Iterator[str]:
    """Jobs that had to be done, are not, and could be added to the plan as it is."""
    table = Timetable(request)
    for job in request.jobs:
        is_first_half = job.pair_with not in plan.unassigned or job.leg == "collect"
        if job.id in plan.unassigned and not job.optional and is_first_half:
            for vehicle in request.vehicles:
                order = [visit.job_id for visit in plan.routes[vehicle.id]]
                if any(table.trip(vehicle, more) for more in _with(order, job, plan)):
                    yield job.id
                    break


def _with(order: list[str], job: JobToPlan, plan: Plan) -> Iterator[list[str]]:
    is_pair = job.pair_with is not None and job.pair_with in plan.unassigned
    for n in range(len(order) + 1):
        if not is_pair:
            yield [*order[:n], job.id, *order[n:]]
        else:
            for m in range(n, len(order) + 1):
                yield [*order[:n], job.id, *order[n:m], job.pair_with or "", *order[m:]]
