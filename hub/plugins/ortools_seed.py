"""A start for OR-Tools: what PyVRP makes of the day without what PyVRP cannot express.

OR-Tools' own first plans are far off on large days, and its search is slow to mend them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hub import (
    JobToPlan,
    Plan,
    PlanRequest,
    RoutingStrategy,
    VehicleToPlan,
    completed,
)
from hub.plugins.routing_pyvrp import PyvrpRouting

FROM_JOBS = 20  # for fewer the quick answer is near enough
SHARE, A_JOB_S = 0.3, 0.03  # of the time, and at most so long for each job


def seeded(
    asking: RoutingStrategy, request: PlanRequest, quick: Plan, progress: Callable[[Plan], bool]
) -> Plan:
    """``quick``, or a better lawful plan by PyVRP's order of the jobs.

    What a person put first stays first: PyVRP plans the day from there on.
    """
    if len(request.jobs) < FROM_JOBS:
        return quick
    limit_s = min(SHARE * request.time_limit_s, A_JOB_S * len(request.jobs))
    day = plainer(after_the_fixed(request, quick), limit_s)
    if not day.jobs:
        return quick
    pyvrp = PyvrpRouting(PyvrpRouting.Settings(), asking.tools)
    found = pyvrp.plan(day, lambda best: progress(quick))
    orders = {
        id: [*request.fixed.get(id, ()), *(visit.job_id for visit in way)]
        for id, way in found.routes.items()
    }
    return min(quick, completed(request, orders), key=request.loss)


def after_the_fixed(request: PlanRequest, quick: Plan) -> PlanRequest:
    """What is left of the day once each driver has done what is fixed for him, about: a pair of
    which one half is fixed is left out of it, whole.
    """
    done = {id for ids in request.fixed.values() for id in ids}
    jobs = {job.id: job for job in request.jobs}
    return replace(
        request,
        jobs=tuple(job for job in request.jobs if job.id not in done and job.pair_with not in done),
        vehicles=tuple(
            _after(vehicle, [jobs[id] for id in request.fixed.get(vehicle.id, ())], quick)
            for vehicle in request.vehicles
        ),
        fixed={},
    )


def _after(vehicle: VehicleToPlan, done: Sequence[JobToPlan], quick: Plan) -> VehicleToPlan:
    """``vehicle`` from the last of what is fixed for it, with what is on board for that gone."""
    way = quick.routes.get(vehicle.id, ())
    if not done or len(way) < len(done):
        return vehicle
    free_at = min(way[len(done) - 1].depart, vehicle.shift.closes)
    out_s = (free_at - quick.spans[vehicle.id].opens).total_seconds()
    taken = {
        name: sum(job.load.get(name, 0) for job in done if job.load_direction != "none")
        for name in vehicle.capacity
    }
    longest_s, most = vehicle.max_duration_s, vehicle.max_jobs
    return replace(
        vehicle,
        start=done[-1].place,
        shift=replace(vehicle.shift, opens=free_at),
        capacity={name: max(0, room - taken[name]) for name, room in vehicle.capacity.items()},
        max_duration_s=None if longest_s is None else max(0, longest_s - round(out_s)),
        max_jobs=None if most is None else max(0, most - len(done)),
        fixed_cost=0,
    )


def plainer(request: PlanRequest, time_limit_s: float) -> PlanRequest:
    """The day without breaks, prices and whatever else PyVRP does not know."""
    return replace(
        request,
        jobs=tuple(_plain(job) for job in request.jobs),
        vehicles=tuple(_with_time_to_rest(vehicle) for vehicle in request.vehicles),
        fixed={},
        never_together=frozenset(),
        uneven_per_hour=0,
        before={},
        reorder_cost=0,
        time_limit_s=time_limit_s,
    )


def _with_time_to_rest(vehicle: VehicleToPlan) -> VehicleToPlan:
    """Without its breaks, but with a day shorter by them: they then fit somewhere."""
    shift_s = int((vehicle.shift.closes - vehicle.shift.opens).total_seconds())
    longest_s = shift_s + vehicle.overtime_s
    if vehicle.max_duration_s is not None:
        longest_s = min(longest_s, vehicle.max_duration_s)
    rests_s = sum(rest.duration_s for rest in vehicle.breaks)
    return replace(
        vehicle,
        breaks=(),
        max_duration_s=max(0, longest_s - rests_s) if vehicle.breaks else vehicle.max_duration_s,
    )


def _plain(job: JobToPlan) -> JobToPlan:
    return replace(
        job,
        max_on_board_s=None,
        wishes=(),
        wanted_vehicle=None,
        other_vehicle_cost=0,
        vehicle_costs={},
        goods=frozenset(),
    )
