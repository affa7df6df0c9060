"""A large day in parts that are days themselves, for whoever cannot look at all of it at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from hub.core.plan_request import JobToPlan, PlanRequest, VehicleToPlan

QUICK_JOBS = 150  # the quick answer takes 30 ms for so many, and 16 times that for four times more


def day_part(
    request: PlanRequest, jobs: Iterable[JobToPlan], vehicles: Iterable[VehicleToPlan]
) -> PlanRequest:
    """``request`` with these ``jobs`` and ``vehicles`` only, and with their places alone."""
    jobs, vehicles = tuple(jobs), tuple(vehicles)
    ends = [end for v in vehicles for end in (v.start, v.end, *v.reload_at) if end is not None]
    here = list(dict.fromkeys([*ends, *(job.place for job in jobs)]))
    index = {place: n for n, place in enumerate(here)}
    ids = {vehicle.id for vehicle in vehicles}
    return replace(
        request,
        places=tuple(request.places[place] for place in here),
        travel={p: request.travel[p].part(here) for p in {v.profile for v in vehicles}},
        jobs=tuple(replace(job, place=index[job.place]) for job in jobs),
        vehicles=tuple(
            replace(
                v,
                start=index[v.start],
                end=None if v.end is None else index[v.end],
                reload_at=tuple(index[place] for place in v.reload_at),
            )
            for v in vehicles
        ),
        access_s={index[place]: s for place, s in request.access_s.items() if place in index},
        fixed={id: order for id, order in request.fixed.items() if id in ids},
    )


def quick_orders(
    request: PlanRequest, answer: Callable[[PlanRequest], Mapping[str, Sequence[str]]]
) -> dict[str, list[str]]:
    """Job ids per vehicle id: ``answer`` to slices of the day, each around its depots.

    Pairs stay together, and with what is fixed or prescribed for a vehicle.
    """
    if not request.vehicles:
        return {}
    slices = _slices(request)
    orders: dict[str, list[str]] = {}
    for jobs, vehicles in slices:
        if vehicles:
            for id, order in answer(day_part(request, jobs, vehicles)).items():
                orders[id] = list(order)
    return orders


def _slices(request: PlanRequest) -> list[tuple[list[JobToPlan], list[VehicleToPlan]]]:
    count = math.ceil(len(request.jobs) / QUICK_JOBS)
    count = max(1, min(count, len(request.vehicles)))
    by_id = {job.id: job for job in request.jobs}
    owner = {id: vehicle for vehicle, ids in request.fixed.items() for id in ids}
    home = _middle(request)
    leaders = [j for j in request.jobs if not (j.pair_with in by_id and j.leg == "deliver")]
    leaders.sort(key=lambda job: _bearing(request, job, home))
    slices: list[tuple[list[JobToPlan], list[VehicleToPlan]]] = [([], []) for _ in range(count)]
    of_vehicle = {}
    for n, vehicle in enumerate(request.vehicles):
        of_vehicle[vehicle.id] = n % count
        slices[n % count][1].append(vehicle)
    for n, job in enumerate(leaders):
        pair = [job, *(by_id[o] for o in (job.pair_with,) if o is not None and o in by_id)]
        bound = [owner.get(one.id) or one.vehicle for one in pair]
        named = next((of_vehicle[id] for id in bound if id in of_vehicle), None)
        slices[n * count // len(leaders) if named is None else named][0].extend(pair)
    return slices


def _middle(request: PlanRequest) -> tuple[float, float]:
    starts = [request.places[vehicle.start] for vehicle in request.vehicles]
    lat = sum(point.lat for point in starts) / len(starts)
    return lat, sum(point.lon for point in starts) / len(starts)


def _bearing(request: PlanRequest, job: JobToPlan, home: tuple[float, float]) -> float:
    point = request.places[job.place]
    east = (point.lon - home[1]) * math.cos(math.radians(home[0]))
    return math.atan2(point.lat - home[0], east)
