"""Whether a plan may be dispatched, judged from its visits alone.

Shares no code with ``schedule`` or any strategy, so that one mistake cannot hide
in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hub.core.pace import arrives, departs, traffic_of
from hub.core.plan_check_loads import loads, pairs, reloading, together, trips_of
from hub.core.plan_check_roads import distance, roads
from hub.core.plan_request import JobToPlan, Plan, PlanRequest, VehicleToPlan, Visit
from hub.core.values import TimeWindow


def violations(request: PlanRequest, plan: Plan) -> list[str]:
    """Why ``plan`` must not be dispatched, one sentence each; empty when it may be."""
    jobs = {job.id: job for job in request.jobs}
    found = list(_once_each(request, plan))
    known = {vehicle.id for vehicle in request.vehicles}
    found += [f"There is no vehicle {id}." for id in plan.routes if id not in known]
    for vehicle in request.vehicles:
        visits = [v for v in plan.routes.get(vehicle.id, ()) if v.job_id in jobs]
        locked = request.fixed.get(vehicle.id, ())
        ids = tuple(visit.job_id for visit in visits)
        if ids[: len(locked)] != tuple(locked):
            found.append(f"{vehicle.id} does not begin with what is fixed: {', '.join(locked)}.")
        if not visits:
            continue
        here = [jobs[id] for id in ids]
        span = plan.spans.get(vehicle.id) or _derived_span(request, vehicle, visits, jobs)
        breaks = plan.breaks.get(vehicle.id, ())
        reloads = plan.reloads.get(vehicle.id, ())
        found += roads(request, vehicle, visits, reloads, span, breaks)
        if ids == tuple(locked):
            continue  # a person fixed every visit of it
        free = [visit for visit in visits if visit.job_id not in locked]
        found += _windows(free, jobs)
        found += _choice(vehicle, [jobs[visit.job_id] for visit in free])
        leaves = (span.opens, *(reload.depart for reload in reloads))
        trips = trips_of(here, reloads)
        found += reloading(vehicle, reloads, len(visits), breaks)
        found += loads(vehicle, trips, jobs)
        found += pairs(vehicle, trips, frozenset(locked))
        found += together(request, vehicle, trips)
        found += distance(request, vehicle, here, reloads)
        found += _hours(vehicle, here, span)
        found += _ready(vehicle, trips, leaves)
        found += _time_on_board(visits, jobs, trips, leaves)
        found += _rests(vehicle, visits, breaks)
    return found


def _once_each(request: PlanRequest, plan: Plan) -> Iterator[str]:
    seen = Counter(visit.job_id for visits in plan.routes.values() for visit in visits)
    seen.update(plan.unassigned.keys())
    jobs = {job.id: job for job in request.jobs}
    yield from (f"{id} appears {seen[id]} times." for id in jobs if seen[id] != 1)
    yield from (f"{id} was not asked for." for id in seen if id not in jobs)
    yield from (
        f"{id} is left out without a reason." for id, why in plan.unassigned.items() if not why
    )
    for id in plan.unassigned:
        other = jobs[id].pair_with if id in jobs else None
        fixed = {id for ids in request.fixed.values() for id in ids}
        if other and other not in plan.unassigned and other not in fixed:
            yield f"{id} is left out but {other}, the other half of its pair, is not."


def _derived_span(
    request: PlanRequest,
    vehicle: VehicleToPlan,
    visits: Sequence[Visit],
    jobs: dict[str, JobToPlan],
) -> TimeWindow:
    travel = request.travel[vehicle.profile]
    traffic = traffic_of(travel.pace)
    first, last = jobs[visits[0].job_id].place, jobs[visits[-1].job_id].place
    leave = departs(traffic, visits[0].arrive, travel.seconds[vehicle.start][first])
    end = last if vehicle.end is None else vehicle.end
    home = arrives(traffic, visits[-1].depart, travel.seconds[last][end])
    return TimeWindow(leave, max(leave, home))


def _windows(visits: Sequence[Visit], jobs: dict[str, JobToPlan]) -> Iterator[str]:
    for visit in visits:
        windows = jobs[visit.job_id].windows
        if windows and not any(w.opens <= visit.start <= w.closes for w in windows):
            yield f"{visit.job_id} begins at {visit.start:%H:%M}, outside its windows."


def _choice(vehicle: VehicleToPlan, jobs: Sequence[JobToPlan]) -> Iterator[str]:
    for job in jobs:
        if missing := job.skills - vehicle.offers:
            yield f"{vehicle.id} lacks {', '.join(sorted(missing))} for {job.id}."
        if job.vehicle not in (None, vehicle.id):
            yield f"{job.id} must be done by {job.vehicle}, not {vehicle.id}."
        if vehicle.id in job.forbidden_vehicles:
            yield f"{job.id} must not be done by {vehicle.id}."
        for own in vehicle.keeps_to:
            if own.outside_cost is None and not own.zones & job.zones and job.id not in own.besides:
                yield f"{job.id} lies outside the zones of {vehicle.id}."


def _hours(vehicle: VehicleToPlan, here: Sequence[JobToPlan], span: TimeWindow) -> Iterator[str]:
    shift = vehicle.shift
    if span.opens < shift.opens:
        yield f"{vehicle.id} leaves at {span.opens:%H:%M}, before its shift."
    if span.closes > shift.closes + timedelta(seconds=vehicle.overtime_s):
        yield f"{vehicle.id} is back at {span.closes:%H:%M}, after its shift."
    longest = vehicle.max_duration_s
    if longest is not None and span.closes - span.opens > timedelta(seconds=longest):
        yield f"{vehicle.id} is out for longer than allowed."
    if vehicle.max_jobs is not None and len(here) > vehicle.max_jobs:
        yield f"{vehicle.id} has {len(here)} jobs and may have {vehicle.max_jobs}."


def _ready(
    vehicle: VehicleToPlan,
    trips: Sequence[Sequence[JobToPlan]],
    leaves: Sequence[datetime],
) -> Iterator[str]:
    for trip, leave in zip(trips, leaves, strict=True):
        for job in trip:
            from_depot = job.pair_with is None and job.load_direction == "deliver"
            if from_depot and job.ready_at and leave < job.ready_at:
                yield f"{vehicle.id} leaves before {job.id} is ready."


def _time_on_board(
    visits: Sequence[Visit],
    jobs: dict[str, JobToPlan],
    trips: Sequence[Sequence[JobToPlan]],
    leaves: Sequence[datetime],
) -> Iterator[str]:
    departs = {visit.job_id: visit.depart for visit in visits}
    loaded = {job.id: at for trip, at in zip(trips, leaves, strict=True) for job in trip}
    for visit in visits:
        job = jobs[visit.job_id]
        if job.max_on_board_s is None or job.leg != "deliver":
            continue
        since = departs.get(job.pair_with) if job.pair_with else loaded[job.id]
        if since and visit.start - since > timedelta(seconds=job.max_on_board_s):
            yield f"{job.id} is on board for too long."


def _rests(
    vehicle: VehicleToPlan, visits: Sequence[Visit], breaks: Sequence[TimeWindow]
) -> Iterator[str]:
    if len(breaks) != len(vehicle.breaks):
        yield f"{vehicle.id} has {len(breaks)} of its {len(vehicle.breaks)} breaks."
        return
    ordered = sorted(breaks, key=lambda taken: taken.opens)
    if any(b.opens < a.closes for a, b in pairwise(ordered)):
        yield f"{vehicle.id} takes two breaks at once."
    for rest, taken in zip(vehicle.breaks, breaks, strict=True):
        if not rest.window.opens <= taken.opens <= rest.window.closes:
            yield f"{vehicle.id} takes a break at {taken.opens:%H:%M}, outside its window."
        if taken.closes - taken.opens < timedelta(seconds=rest.duration_s):
            yield f"{vehicle.id} has a break that is too short."
        if any(v.start < taken.closes and taken.opens < v.depart for v in visits):
            yield f"{vehicle.id} works during its break at {taken.opens:%H:%M}."
