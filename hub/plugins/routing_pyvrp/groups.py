"""Which jobs, and later which routes, of a large day are looked at together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from hub import JobToPlan, PlanRequest, Point, VehicleToPlan

Flat = np.ndarray[tuple[int, int], np.dtype[np.float64]]  # one row a place: east and north, degrees
KINDS = 20  # of jobs that differ in who may do them; with more of them nothing is told apart
MANY = 4  # parts for each process: the last of them leave few idle, and not for long
SPARE = 0.15  # of a group's vehicles may be added to them from those that have nothing to do


def flat(points: Sequence[Point]) -> Flat:
    """As on a map: a degree east is as long as one north."""
    middle = math.cos(math.radians(points[0].lat)) if points else 1.0
    return np.array([(p.lon * middle, p.lat) for p in points], dtype=np.float64).reshape(-1, 2)


def stops_a_route(request: PlanRequest, speed_s: float) -> float:
    """How many jobs a vehicle can do at most, as far as loads, hours and their number say.

    ``speed_s``: from door to door, about.
    """
    n = len(request.jobs)
    most = []
    for vehicle in request.vehicles:
        hours = (vehicle.shift.closes - vehicle.shift.opens).total_seconds()
        hours = min(hours, vehicle.max_duration_s or hours)
        service = sum(job.service_s for job in request.jobs) * vehicle.service_factor / n
        fits = [hours / max(1.0, service + speed_s)]
        for name, limit in vehicle.capacity.items():
            load = sum(job.load.get(name, 0) for job in request.jobs)
            if load:
                fits.append(limit * n / load)
        if vehicle.max_jobs is not None:
            fits.append(vehicle.max_jobs)
        most.append(min(fits))
    return max(1.0, sum(most) / len(most))


def clusters(
    request: PlanRequest, at: Flat, size: int, seed: int
) -> list[tuple[list[JobToPlan], list[VehicleToPlan]]]:
    """Jobs near each other, about ``size`` at a time, and vehicles in proportion for each.

    Jobs that other vehicles may do, such as another depot's, are never together; those of a pair
    always are.
    """
    known = {job.id: job for job in request.jobs}
    leaders = [j for j in request.jobs if j.leg == "collect" or j.pair_with not in known]
    kinds: dict[frozenset[str], list[JobToPlan]] = defaultdict(list)
    for job in leaders:
        kinds[job.forbidden_vehicles].append(job)
    if len(kinds) > KINDS:
        kinds = {frozenset(): leaders}
    found: list[tuple[frozenset[str], list[JobToPlan]]] = []
    for barred, jobs in kinds.items():
        near = _near(at[[job.place for job in jobs]], max(1, round(len(jobs) / size)), seed)
        for n in range(int(near.max()) + 1):
            here = [job for job, label in zip(jobs, near.tolist(), strict=True) if label == n]
            if here:
                found.append((barred, here))
    vehicles: list[list[VehicleToPlan]] = [[] for _ in found]
    for vehicle in request.vehicles:
        may = [n for n, (barred, _) in enumerate(found) if vehicle.id not in barred]
        if may:  # to whom has the least of its share
            n = min(may, key=lambda n: (len(vehicles[n]) + 0.5) / len(found[n][1]))
            vehicles[n].append(vehicle)
    prescribed = {v.id: n for n, some in enumerate(vehicles) for v in some}
    parts: list[tuple[list[JobToPlan], list[VehicleToPlan]]] = [([], some) for some in vehicles]
    for n, (_, jobs) in enumerate(found):
        for job in jobs:
            pair = [job, *(known[o] for o in (job.pair_with,) if o in known)]
            named = next((one.vehicle for one in pair if one.vehicle), "")
            parts[prescribed.get(named, n)][0].extend(pair)
    return [(jobs, some) for jobs, some in parts if jobs and some]


def _near(at: Flat, count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The label of each place: k-means, from places that lie far from each other."""
    dice = np.random.default_rng(seed)
    centres = at[[int(dice.integers(len(at)))]]
    for _ in range(count - 1):
        far = ((at[:, None] - centres[None]) ** 2).sum(2).min(1)
        if not far.sum():
            break
        centres = np.vstack([centres, at[[int(dice.choice(len(at), p=far / far.sum()))]]])
    labels = np.zeros(len(at), dtype=np.int64)
    for _ in range(15):
        labels = ((at[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        for n in range(len(centres)):
            if (labels == n).any():
                centres[n] = at[labels == n].mean(0)
    return labels


def neighbourhoods(
    centres: Mapping[str, tuple[float, float]],
    jobs: Mapping[str, int],
    count: int,
    turn: int,
    dice: np.random.Generator,
    home: tuple[float, float],
) -> list[list[str]]:
    """The routes of these vehicles in ``count`` groups of about as many jobs, differently every
    ``turn``.

    In turns by bearing from ``home``, and by nearness from one side of the town to the other.
    """
    ids = sorted(centres)
    at = {id: np.array(centres[id]) for id in ids}
    angle = dice.uniform(0, 2 * math.pi)
    groups: list[list[str]] = []
    left = list(ids)

    def bearing(id: str) -> float:
        east, north = at[id] - np.array(home)
        return float((math.atan2(north, east) + angle) % (2 * math.pi))

    ahead = np.array([math.cos(angle), math.sin(angle)])
    while left:
        if turn % 2:
            order = sorted(left, key=bearing)
        else:
            first = max(left, key=lambda id: float(at[id] @ ahead))
            order = sorted(left, key=lambda id: float(((at[id] - at[first]) ** 2).sum()))
        wanted = sum(jobs[id] for id in left) / max(1, count - len(groups))
        group: list[str] = []
        held = 0
        for id in order:
            if group and len(groups) < count - 1 and held + jobs[id] / 2 > wanted:
                break
            group.append(id)
            held += jobs[id]
        groups.append(group)
        left = [id for id in left if id not in group]
    return groups


def even(jobs: int, size: int, cores: int, smallest: int) -> int:
    """How many parts of about ``size`` keep all processes busy to the end.

    Three parts on two processes take as long as four; so a few are a multiple of ``cores``, as far
    as none becomes smaller than ``smallest``.
    """
    count = max(1, round(jobs / size))
    if count >= MANY * cores:
        return count
    full = max(1, round(jobs / size / cores)) * cores
    return max(1, min(full, jobs // smallest))


def dealt(idle: Sequence[str], groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Each group's share of the vehicles that have nothing to do, every one at most once."""
    left, shares = list(idle), list[list[str]]()
    for n, group in enumerate(groups):
        fair = math.ceil(len(left) / (len(groups) - n))
        take = min(fair, max(1, math.ceil(SPARE * len(group))), len(left))
        shares.append(left[:take])
        left = left[take:]
    return shares
