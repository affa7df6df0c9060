"""A planning request as PyVRP sees it, and its answers in the hub's words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pyvrp

from hub import JobToPlan, PlanRequest, TimeWindow, VehicleToPlan
from hub.plugins.routing_pyvrp.slowed import Clock

UNITS = 1800  # PyVRP counts whole units; 1/1800 cent keeps prices per km and hour whole
NARROW = timedelta(hours=3)  # in a wider window, its middle says little
UNLIMITED = np.iinfo(np.int64).max
Orders = dict[str, list[str]]
Matrix = np.ndarray[Any, np.dtype[np.int64]]  # the shape that PyVRP's own types can take


@dataclass(frozen=True, slots=True)
class _Copy:
    """A job in one of its windows, in seconds from the first shift's start."""

    job: JobToPlan
    opens: int
    closes: int


@dataclass(slots=True)
class _Type:
    """Vehicles that do not differ, and the matrix they drive by."""

    like: VehicleToPlan
    profile: int
    ids: list[str] = field(default_factory=list)


class Model:
    """One location per job, then one per depot. ``all_fit``: a plan without any of them that is
    not optional is no answer, which PyVRP is faster with than with prizes. ``starts``: when jobs
    begin in a plan that is known, an epoch; drives take what they take then.
    """

    def __init__(
        self, request: PlanRequest, *, all_fit: bool, starts: Mapping[str, float] | None = None
    ) -> None:
        self.request, self.all_fit, self.starts = request, all_fit, starts or {}
        self.zero = min((v.shift.opens.timestamp() for v in request.vehicles), default=0.0)
        self.horizon = max((self._shift(v)[1] for v in request.vehicles), default=0)
        self.copies: list[_Copy] = []
        self.jobs: list[JobToPlan] = []
        for job in request.jobs:
            spans = self._spans(job)
            if spans and any(_may(vehicle, job) for vehicle in request.vehicles):
                self.jobs.append(job)
                self.copies += [_Copy(job, *span) for span in spans]
        self.location = {job.id: n for n, job in enumerate(self.jobs)}
        ends = [v.start for v in request.vehicles] + [v.end for v in request.vehicles]
        self.depots: list[int | None] = list(dict.fromkeys(ends))  # None: where nobody drives
        self.names = sorted({name for v in request.vehicles for name in v.capacity})
        self.counts = any(v.max_jobs is not None for v in request.vehicles)
        self.types: list[_Type] = []
        if self.copies and request.vehicles:
            self._build()

    def solution(
        self, orders: Mapping[str, Sequence[str]], starts: Mapping[str, float]
    ) -> pyvrp.Solution:
        """Orders as a place to start from; jobs PyVRP cannot see are dropped.

        ``starts``: when a job with several windows begins, an epoch.
        """
        copy = {(c.job.id, c.opens, c.closes): n for n, c in enumerate(self.copies)}
        routes = []
        for n, kind in enumerate(self.types):
            for id in kind.ids:
                visits = []
                for job_id in orders.get(id, ()):
                    spans = self._spans_of.get(job_id, [])
                    if len(spans) > 1:
                        start = starts.get(job_id, 0.0) - self.zero
                        spans = [span for span in spans if span[0] <= start <= span[1]]
                    visits += [copy[(job_id, *span)] for span in spans[:1]]
                if visits:
                    routes.append(pyvrp.Route(self.data, visits, n))
        return pyvrp.Solution(self.data, routes)

    def orders(self, solution: pyvrp.Solution) -> Orders:
        """Job ids per vehicle id; identical vehicles take their routes in turn."""
        free = [list(kind.ids) for kind in self.types]
        orders: Orders = {}
        for route in solution.routes():
            visits = [activity.idx for activity in route if activity.is_client()]
            if visits and free[route.vehicle_type()]:
                id = free[route.vehicle_type()].pop(0)
                orders[id] = [self.copies[n].job.id for n in visits]
        return orders

    def _build(self) -> None:
        request = self.request
        matrices: dict[tuple[object, ...], int] = {}
        distances: list[Matrix] = []
        durations: list[Matrix] = []
        kinds: dict[tuple[object, ...], _Type] = {}
        for vehicle in request.vehicles:
            barred = frozenset(job.id for job in self.jobs if not _may(vehicle, job))
            paced = vehicle.shift if request.travel[vehicle.profile].pace else None
            way = (vehicle.profile, vehicle.service_factor, vehicle.per_km, barred, paced)
            if way not in matrices:
                matrices[way] = len(matrices)
                metres, seconds = self._matrices(vehicle, barred)
                distances.append(metres)
                durations.append(seconds)
            same = (
                *(way, vehicle.start, vehicle.end, vehicle.shift, vehicle.overtime_s),
                *(tuple(sorted(vehicle.capacity.items())), vehicle.max_duration_s),
                *(vehicle.max_jobs, vehicle.fixed_cost, vehicle.per_hour),
            )
            kinds.setdefault(same, _Type(vehicle, matrices[way])).ids.append(vehicle.id)
        self.types = list(kinds.values())
        self._spans_of: dict[str, list[tuple[int, int]]] = {}
        for copy in self.copies:
            self._spans_of.setdefault(copy.job.id, []).append((copy.opens, copy.closes))
        groups = self._groups()
        where = {n: group for group, members in enumerate(groups) for n in members}
        points = [request.places[job.place] for job in self.jobs]
        points += [request.places[depot or 0] for depot in self.depots]
        self.data = pyvrp.ProblemData(
            locations=[pyvrp.Location(p.lat, p.lon) for p in points],
            clients=[self._client(copy, where.get(n)) for n, copy in enumerate(self.copies)],
            depots=[pyvrp.Depot(len(self.jobs) + n) for n in range(len(self.depots))],
            vehicle_types=[self._vehicles(kind) for kind in self.types],
            distance_matrices=distances,
            duration_matrices=durations,
            groups=[pyvrp.ClientGroup(members, required=self._must(members)) for members in groups],
        )

    def _groups(self) -> list[list[int]]:
        several: dict[str, list[int]] = {}
        for n, copy in enumerate(self.copies):
            several.setdefault(copy.job.id, []).append(n)
        return [members for members in several.values() if len(members) > 1]

    def _must(self, members: Sequence[int]) -> bool:
        return self.all_fit and not self.copies[members[0]].job.optional

    def _client(self, copy: _Copy, group: int | None) -> pyvrp.Client:
        job = copy.job
        must = self.all_fit and not job.optional
        brings = job.load_direction == "deliver"
        waits = brings and job.ready_at is not None
        ready = self._seconds(job.ready_at.timestamp()) if waits and job.ready_at else 0
        return pyvrp.Client(
            self.location[job.id],
            # The last dimension counts jobs, where ``max_jobs`` limits them: each costs time.
            delivery=self._load(job, "deliver", counts=1),
            pickup=self._load(job, "collect", counts=0),
            tw_early=copy.opens,
            tw_late=copy.closes,
            release_time=min(max(0, ready), copy.closes),
            prize=0 if must else self._prize(job),
            required=must and group is None,
            group=group,
        )

    def _load(self, job: JobToPlan, direction: str, counts: int) -> list[int]:
        goes = job.load_direction == direction
        load = [job.load.get(name, 0) if goes else 0 for name in self.names]
        return [*load, counts] if self.counts else load

    def _prize(self, job: JobToPlan) -> int:
        """An optional job's own; for others more than any detour, doubled per priority."""
        if job.optional:
            return job.prize * UNITS
        dearest = max(
            v.fixed_cost * UNITS + self.horizon * v.per_hour * UNITS // 3600
            for v in self.request.vehicles
        )
        return (dearest + 100_000 * UNITS) << max(0, min(job.priority, 9))

    def _vehicles(self, kind: _Type) -> pyvrp.VehicleType:
        like = kind.like
        opens, closes = self._shift(like)
        load = {name: sum(job.load.get(name, 0) for job in self.jobs) for name in self.names}
        most = [like.capacity.get(name, load[name]) for name in self.names]
        longest = UNLIMITED if like.max_duration_s is None else like.max_duration_s
        if self.counts:
            most.append(len(self.jobs) if like.max_jobs is None else like.max_jobs)
        return pyvrp.VehicleType(
            num_available=len(kind.ids),
            capacity=most,
            start_depot=self.depots.index(like.start),
            end_depot=self.depots.index(like.end),
            fixed_cost=like.fixed_cost * UNITS,
            tw_early=opens,
            tw_late=closes,
            shift_duration=int(longest),
            unit_distance_cost=1,
            unit_duration_cost=like.per_hour * UNITS // 3600,
            profile=kind.profile,
        )

    def _matrices(self, vehicle: VehicleToPlan, barred: frozenset[str]) -> tuple[Matrix, Matrix]:
        """Costs of the metres, and seconds; service is part of the way out of a job,
        since PyVRP knows no slower drivers. A job barred is further than the day is long.
        """
        travel = self.request.travel[vehicle.profile]
        places = [job.place for job in self.jobs]
        places += [0 if depot is None else depot for depot in self.depots]
        seconds, metres = travel.block(places, places)
        metres = metres * vehicle.per_km * UNITS // 1000
        if travel.pace:
            seconds = self._slowed(seconds, vehicle)
        if self.request.access_s:
            seconds = seconds + self._walks(places, vehicle)
        if None in self.depots:
            nowhere = len(self.jobs) + self.depots.index(None)
            for matrix in (metres, seconds):
                matrix[:, nowhere] = 0
                matrix[nowhere, :] = 0
        for n, job in enumerate(self.jobs):
            seconds[n, :] += _service_s(vehicle, job)
            if job.id in barred:
                seconds[:, n] = 4 * self.horizon
        np.fill_diagonal(seconds, 0)
        np.fill_diagonal(metres, 0)
        return metres, seconds

    def _walks(self, places: Sequence[int], vehicle: VehicleToPlan) -> Matrix:
        """From the parked van to each door, but for who is at a door there already."""
        access, size = self.request.access_s, len(places)
        walks = np.zeros(size, dtype=np.int64)
        walks[: len(self.jobs)] = [vehicle.at_door_s(access.get(j.place, 0)) for j in self.jobs]
        at = np.array(places)
        stays = at[:, None] == at[None, :]
        stays[len(self.jobs) :, :] = False  # nobody is at a door at the depot
        return np.where(stays, 0, walks[None, :])

    def _slowed(self, seconds: Matrix, vehicle: VehicleToPlan) -> Matrix:
        arrives = np.full(len(seconds), np.nan)
        leaves = arrives.copy()
        for n, job in enumerate(self.jobs):
            arrives[n] = self.starts.get(job.id, _likely(job, vehicle.shift))
            leaves[n] = arrives[n] + _service_s(vehicle, job)
        clock = Clock(self.request.travel[vehicle.profile].pace, vehicle.shift)
        return clock.slowed(seconds, leaves, arrives)

    def _spans(self, job: JobToPlan) -> list[tuple[int, int]]:
        if not job.windows:
            return [(0, self.horizon)]
        spans = {
            (max(0, self._seconds(w.opens.timestamp())), int(w.closes.timestamp() - self.zero))
            for w in job.windows
        }
        return sorted((o, min(c, self.horizon)) for o, c in spans if o <= min(c, self.horizon))

    def _shift(self, vehicle: VehicleToPlan) -> tuple[int, int]:
        closes = int(vehicle.shift.closes.timestamp() - self.zero)
        return self._seconds(vehicle.shift.opens.timestamp()), closes + vehicle.overtime_s

    def _seconds(self, moment: float) -> int:
        return int(-(-(moment - self.zero) // 1))


def _service_s(vehicle: VehicleToPlan, job: JobToPlan) -> int:
    return vehicle.at_door_s(job.service_s)


def _likely(job: JobToPlan, shift: TimeWindow) -> float:
    """The middle of its only window, as far as that is in the shift; not a number: any time."""
    if len(job.windows) != 1:
        return math.nan
    [window] = job.windows
    opens, closes = max(window.opens, shift.opens), min(window.closes, shift.closes)
    if not timedelta(0) <= closes - opens <= NARROW:
        return math.nan
    return (opens + (closes - opens) / 2).timestamp()


def _may(vehicle: VehicleToPlan, job: JobToPlan) -> bool:
    return (
        job.vehicle in (None, vehicle.id)
        and vehicle.id not in job.forbidden_vehicles
        and job.skills <= vehicle.offers
    )
