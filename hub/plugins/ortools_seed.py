"""A start for OR-Tools: what PyVRP makes of the day without what PyVRP cannot express.

OR-Tools' own first plans are far off on large days, and its search is slow to mend them.
"""

from __future__ import annotations

from collections.abc import Callable
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
    """``quick``, or a better lawful plan by PyVRP's order of the jobs."""
    if len(request.jobs) < FROM_JOBS or any(request.fixed.values()):
        return quick
    limit_s = min(SHARE * request.time_limit_s, A_JOB_S * len(request.jobs))
    day = plainer(request, limit_s)
    if not day.jobs:
        return quick
    pyvrp = PyvrpRouting(PyvrpRouting.Settings(), asking.tools)
    found = pyvrp.plan(day, lambda best: progress(quick))
    orders = {id: [visit.job_id for visit in way] for id, way in found.routes.items()}
    return min(quick, completed(request, orders), key=request.loss)


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
        max_reloads=0,
        reload_at=(),
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
