"""Whether a vehicle can be where a plan says, when it says so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hub.core.plan_request import (
    JobToPlan,
    Pace,
    PlanRequest,
    Reload,
    VehicleToPlan,
    Visit,
)
from hub.core.values import TimeWindow


@dataclass(frozen=True, slots=True)
class _Stop:
    name: str
    place: int
    arrive: datetime
    depart: datetime
    visit: Visit | None  # None: it reloads there


def roads(
    request: PlanRequest,
    vehicle: VehicleToPlan,
    visits: Sequence[Visit],
    reloads: Sequence[Reload],
    span: TimeWindow,
    breaks: Sequence[TimeWindow],
) -> Iterator[str]:
    """Time to drive and rest before each arrival, to serve, and to come home."""
    jobs = {job.id: job for job in request.jobs}
    travel = request.travel[vehicle.profile]
    place, clock, is_at_door = vehicle.start, span.opens, False
    stops = list(_stops(visits, reloads, jobs))
    ends = () if vehicle.end is None else (vehicle.end,)
    travel.learn([(vehicle.start, *(stop.place for stop in stops), *ends)])
    for stop in stops:
        free_s = _driven_s(travel.pace, clock, stop.arrive, breaks)
        if stop.arrive < clock or free_s < travel.seconds[place][stop.place] - 0.001:
            yield f"{vehicle.id} cannot be at {stop.name} by {stop.arrive:%H:%M}."
        if stop.visit is not None:
            is_new = not is_at_door or stop.place != place
            walk_s = request.access_s.get(stop.place, 0) if is_new else 0
            yield from _at_door(vehicle, jobs[stop.visit.job_id], stop.visit, walk_s, breaks)
        place, clock, is_at_door = stop.place, stop.depart, stop.visit is not None
    end = place if vehicle.end is None else vehicle.end
    free_s = _driven_s(travel.pace, clock, span.closes, breaks)
    if span.closes < clock or free_s < travel.seconds[place][end] - 0.001:
        yield f"{vehicle.id} cannot be back by {span.closes:%H:%M}."


def distance(
    request: PlanRequest,
    vehicle: VehicleToPlan,
    here: Sequence[JobToPlan],
    reloads: Sequence[Reload],
) -> Iterator[str]:
    if vehicle.max_distance_m is None:
        return
    places = [job.place for job in here]
    for reload in reversed(reloads):
        places.insert(reload.after_visits, reload.place)
    ends = [] if vehicle.end is None else [vehicle.end]
    metres = request.travel[vehicle.profile].metres
    far_m = sum(metres[a][b] for a, b in pairwise([vehicle.start, *places, *ends]))
    if far_m > vehicle.max_distance_m:
        yield f"{vehicle.id} drives {far_m} m and may drive {vehicle.max_distance_m} m."


def rested(breaks: Sequence[TimeWindow], since: datetime, until: datetime) -> timedelta:
    """How much of the time between two moments is rest."""
    overlaps = (min(b.closes, until) - max(b.opens, since) for b in breaks)
    return sum((o for o in overlaps if o > timedelta(0)), timedelta(0))


def _stops(
    visits: Sequence[Visit], reloads: Sequence[Reload], jobs: dict[str, JobToPlan]
) -> list[_Stop]:
    found = [_Stop(v.job_id, jobs[v.job_id].place, v.arrive, v.depart, v) for v in visits]
    for reload in reversed(reloads):
        stop = _Stop("its reload", reload.place, reload.arrive, reload.depart, None)
        found.insert(reload.after_visits, stop)
    return found


def _at_door(
    vehicle: VehicleToPlan,
    job: JobToPlan,
    visit: Visit,
    walk_s: int,
    breaks: Sequence[TimeWindow],
) -> Iterator[str]:
    walk = timedelta(seconds=math.ceil(walk_s * vehicle.service_factor))
    if visit.start < visit.arrive:
        yield f"{vehicle.id} begins {job.id} before it arrives."
    elif visit.start - visit.arrive - rested(breaks, visit.arrive, visit.start) < walk:
        yield f"{vehicle.id} cannot begin {job.id} at {visit.start:%H:%M}."
    service = timedelta(seconds=math.ceil(job.service_s * vehicle.service_factor))
    if visit.depart < visit.start + service:
        yield f"{vehicle.id} leaves {job.id} before its service is done."


def _driven_s(
    paces: Sequence[Pace], since: datetime, until: datetime, breaks: Sequence[TimeWindow]
) -> float:
    """Seconds of an undisturbed drive that can be driven between two moments, but for rests."""
    moments = {pace.begins for pace in paces}
    moments |= {edge for rest in breaks for edge in (rest.opens, rest.closes)}
    edges = [since, *sorted(edge for edge in moments if since < edge < until), until]
    driven_s = 0.0
    for a, b in pairwise(edges):
        if any(rest.opens <= a and b <= rest.closes for rest in breaks):
            continue
        factor = next((pace.factor for pace in reversed(paces) if pace.begins <= a), 1.0)
        driven_s += (b - a).total_seconds() / factor
    return driven_s
