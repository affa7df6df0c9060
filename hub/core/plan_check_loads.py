"""Whether what rides on a plan's vehicles may: how much, how often loaded, and with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from hub.core.plan_check_roads import rested
from hub.core.plan_request import JobToPlan, PlanRequest, Reload, VehicleToPlan
from hub.core.values import TimeWindow

Trips = Sequence[Sequence[JobToPlan]]


def trips_of(here: Sequence[JobToPlan], reloads: Sequence[Reload]) -> list[Sequence[JobToPlan]]:
    """The jobs from one loading to the next."""
    edges = [0, *(reload.after_visits for reload in reloads), len(here)]
    return [here[a:b] for a, b in pairwise(edges)]


def reloading(
    vehicle: VehicleToPlan,
    reloads: Sequence[Reload],
    visits: int,
    breaks: Sequence[TimeWindow],
) -> Iterator[str]:
    if len(reloads) > vehicle.max_reloads:
        yield f"{vehicle.id} reloads {len(reloads)} times and may {vehicle.max_reloads} times."
    after = [0, *(reload.after_visits for reload in reloads), visits]
    if any(a > b for a, b in pairwise(after)):
        yield f"{vehicle.id} has reloads that are not between its visits, in their order."
    for reload in reloads:
        if reload.place not in vehicle.reload_at:
            yield f"{vehicle.id} must not reload at place {reload.place}."
        free = reload.depart - reload.arrive - rested(breaks, reload.arrive, reload.depart)
        if free < timedelta(seconds=vehicle.reload_s):
            yield f"{vehicle.id} leaves at {reload.depart:%H:%M} before it has reloaded."


def loads(vehicle: VehicleToPlan, trips: Trips, jobs: dict[str, JobToPlan]) -> Iterator[str]:
    for name, limit in vehicle.capacity.items():
        most = max(_most(name, trip, jobs) for trip in trips)
        if most > limit:
            yield f"{vehicle.id} carries {most} {name} and may carry {limit}."


def _most(name: str, here: Sequence[JobToPlan], jobs: dict[str, JobToPlan]) -> int:
    board = sum(
        job.load.get(name, 0)
        for job in here
        if job.pair_with is None and job.load_direction == "deliver"
    )
    most = board
    for job in here:
        if job.pair_with is not None and job.leg == "deliver":
            other = jobs.get(job.pair_with)
            board -= other.load.get(name, 0) if other else 0
        elif job.pair_with is not None or job.load_direction == "collect":
            board += job.load.get(name, 0)
        elif job.load_direction == "deliver":
            board -= job.load.get(name, 0)
        most = max(most, board)
    return most


def pairs(vehicle: VehicleToPlan, trips: Trips, locked: frozenset[str]) -> Iterator[str]:
    """Both halves on one trip: what is collected is put down at a reload."""
    for here in trips:
        collected: set[str] = set()
        delivered = locked | {job.id for job in here if job.leg == "deliver"}
        for job in here:
            if job.pair_with is None:
                continue
            if job.leg == "collect":
                collected.add(job.id)
                if job.pair_with not in delivered and job.id not in locked:
                    yield f"{vehicle.id} collects {job.id} but does not deliver {job.pair_with}."
            elif job.pair_with not in collected and job.id not in locked:
                yield f"{vehicle.id} delivers {job.id} before collecting {job.pair_with}."


def together(request: PlanRequest, vehicle: VehicleToPlan, trips: Trips) -> Iterator[str]:
    """What must not be: two jobs on one vehicle, two goods on one trip. A person may."""
    locked = request.fixed.get(vehicle.id, ())
    everything = [job for trip in trips for job in trip]
    for one, other in sorted(request.never_together):
        ids = {job.id for job in everything} & {one, other}
        if len(ids) == 2 and not ids <= set(locked):
            yield f"{vehicle.id} does both {one} and {other}."
        for trip in trips:
            ones = [job.id for job in trip if one in job.goods]
            others = [job.id for job in trip if other in job.goods]
            free = [id for id in (*ones, *others) if id not in locked]
            if ones and others and free:
                yield f"{vehicle.id} has {one} and {other} on board: {', '.join(free)}."
