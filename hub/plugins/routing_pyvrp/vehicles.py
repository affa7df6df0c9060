"""Vehicles as PyVRP sees them: those that do not differ are one type, and types share matrices."""

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
UNLIMITED = int(np.iinfo(np.int64).max)
Matrix = np.ndarray[Any, np.dtype[np.int64]]  # the shape that PyVRP's own types can take


@dataclass(slots=True)
class Type:
    """Vehicles that do not differ, and the matrix they drive by."""

    like: VehicleToPlan
    profile: int
    ids: list[str] = field(default_factory=list)


class Fleet:
    """``jobs`` are the first locations of its matrices, then comes one for each of ``depots``, then
    one for each of ``reloads``: where, and how long it takes there.

    ``zero``: the epoch of PyVRP's time 0. ``horizon``: when the last vehicle is home, from there.
    ``starts``: when jobs begin in a plan that is known, an epoch.
    """

    def __init__(
        self, request: PlanRequest, jobs: Sequence[JobToPlan], starts: Mapping[str, float]
    ) -> None:
        self.request, self.jobs, self.starts = request, jobs, starts
        self.zero = earliest(request)
        self.horizon = latest(request)
        ends = [v.start for v in request.vehicles] + [v.end for v in request.vehicles]
        self.depots: list[int | None] = list(dict.fromkeys(ends))  # None: where nobody drives
        again = [(place, v.reload_s) for v in request.vehicles for place in _reloads_at(v)]
        self.reloads = list(dict.fromkeys(again))
        self.names = sorted({name for v in request.vehicles for name in v.capacity})
        self.counts = any(v.max_jobs is not None for v in request.vehicles)
        self.distances: list[Matrix] = []
        self.durations: list[Matrix] = []
        self.types = self._types()

    def load(self, job: JobToPlan, *, if_: bool = True, counts: int = 0) -> list[int]:
        """Of ``job``, or nothing. The last dimension counts jobs, where ``max_jobs`` limits them:
        each costs time.
        """
        load = [job.load.get(name, 0) if if_ else 0 for name in self.names]
        return [*load, counts] if self.counts else load

    def reload_depot(self, vehicle: VehicleToPlan, place: int) -> int:
        """Which of PyVRP's depots it is where ``vehicle`` loads again."""
        return len(self.depots) + self.reloads.index((place, vehicle.reload_s))

    def vehicle_types(self) -> list[pyvrp.VehicleType]:
        most = {name: sum(job.load.get(name, 0) for job in self.jobs) for name in self.names}
        return [self._vehicle_type(kind, most) for kind in self.types]

    def _types(self) -> list[Type]:
        matrices: dict[tuple[object, ...], int] = {}
        kinds: dict[tuple[object, ...], Type] = {}
        for vehicle in self.request.vehicles:
            barred = frozenset(job.id for job in self.jobs if not may_do(vehicle, job))
            metres = _units_a_km(vehicle)
            paced = vehicle.shift if self.request.travel[vehicle.profile].pace else None
            way = (vehicle.profile, vehicle.service_factor, metres, barred, paced)
            if way not in matrices:
                matrices[way] = len(matrices)
                distances, durations = self._matrices(vehicle, barred)
                self.distances.append(distances)
                self.durations.append(durations)
            same = (
                *(way, vehicle.start, vehicle.end, vehicle.shift, vehicle.overtime_s),
                *(tuple(sorted(vehicle.capacity.items())), vehicle.max_duration_s),
                *(vehicle.max_jobs, vehicle.fixed_cost, vehicle.per_km, vehicle.per_hour),
                *(vehicle.overtime_per_hour, vehicle.max_distance_m),
                *(_reloads_at(vehicle), vehicle.max_reloads, vehicle.reload_s),
            )
            kinds.setdefault(same, Type(vehicle, matrices[way])).ids.append(vehicle.id)
        return list(kinds.values())

    def _vehicle_type(self, kind: Type, load: dict[str, int]) -> pyvrp.VehicleType:
        like = kind.like
        opens, closes = _shift(like, self.zero)
        most = [like.capacity.get(name, load[name]) for name in self.names]
        if self.counts:
            most.append(len(self.jobs) if like.max_jobs is None else like.max_jobs)
        longest, over = _hours(like, closes - opens)
        far = like.max_distance_m
        return pyvrp.VehicleType(
            num_available=len(kind.ids),
            capacity=most,
            start_depot=self.depots.index(like.start),
            end_depot=self.depots.index(like.end),
            fixed_cost=like.fixed_cost * UNITS,
            tw_early=opens,
            tw_late=closes,
            shift_duration=longest,
            max_overtime=over,
            unit_overtime_cost=like.overtime_per_hour * UNITS // 3600,
            max_distance=UNLIMITED if far is None else far * _units_a_km(like) // 1000,
            unit_distance_cost=1 if like.per_km else 0,
            unit_duration_cost=like.per_hour * UNITS // 3600,
            profile=kind.profile,
            reload_depots=[self.reload_depot(like, place) for place in _reloads_at(like)],
            max_reloads=like.max_reloads if like.reload_at else 0,
        )

    def _matrices(self, vehicle: VehicleToPlan, barred: frozenset[str]) -> tuple[Matrix, Matrix]:
        """Costs of the metres, and seconds; service is part of the way out of a job,
        since PyVRP knows no slower drivers. A job barred is further than the day is long.
        """
        travel = self.request.travel[vehicle.profile]
        places = [job.place for job in self.jobs]
        places += [0 if depot is None else depot for depot in self.depots]
        places += [place for place, _ in self.reloads]
        seconds, metres = travel.block(places, places)
        metres = -(-metres * _units_a_km(vehicle) // 1000)  # upwards: none drives too far by it
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
            seconds[n, :] += vehicle.at_door_s(job.service_s)
            if job.id in barred:
                seconds[:, n] = 4 * self.horizon
        for n, (_, lasts) in enumerate(self.reloads, len(self.jobs) + len(self.depots)):
            seconds[n, :] += lasts
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
            leaves[n] = arrives[n] + vehicle.at_door_s(job.service_s)
        clock = Clock(self.request.travel[vehicle.profile].pace, vehicle.shift)
        return clock.slowed(seconds, leaves, arrives)


def earliest(request: PlanRequest) -> float:
    """When the first shift begins, an epoch."""
    return min((v.shift.opens.timestamp() for v in request.vehicles), default=0.0)


def latest(request: PlanRequest) -> int:
    """When the last shift and its overtime are over, in seconds after ``earliest``."""
    zero = earliest(request)
    return max((_shift(v, zero)[1] for v in request.vehicles), default=0)


def may_do(vehicle: VehicleToPlan, job: JobToPlan) -> bool:
    return (
        job.vehicle in (None, vehicle.id)
        and vehicle.id not in job.forbidden_vehicles
        and job.skills <= vehicle.offers
    )


def _reloads_at(vehicle: VehicleToPlan) -> tuple[int, ...]:
    return vehicle.reload_at if vehicle.max_reloads else ()


def rounded_up(moment: float) -> int:
    return int(-(-moment // 1))


def _likely(job: JobToPlan, shift: TimeWindow) -> float:
    """The middle of its only window, as far as that is in the shift; not a number: any time."""
    if len(job.windows) != 1:
        return math.nan
    [window] = job.windows
    opens, closes = max(window.opens, shift.opens), min(window.closes, shift.closes)
    if not timedelta(0) <= closes - opens <= NARROW:
        return math.nan
    return (opens + (closes - opens) / 2).timestamp()


def _units_a_km(vehicle: VehicleToPlan) -> int:
    """What PyVRP's distances count: its costs or, where they are none, metres."""
    return vehicle.per_km * UNITS or 1000


def _shift(vehicle: VehicleToPlan, zero: float) -> tuple[int, int]:
    closes = int(vehicle.shift.closes.timestamp() - zero)
    return rounded_up(vehicle.shift.opens.timestamp() - zero), closes + vehicle.overtime_s


def _hours(vehicle: VehicleToPlan, whole_s: int) -> tuple[int, int]:
    """How long a day is at the price of all hours, and how much longer at that of overtime.

    ``whole_s``: with all of it. The hub pays overtime by the clock and PyVRP by the length of the
    day: the same for who begins with the shift, and nothing for who leaves late and comes late.
    """
    most = UNLIMITED if vehicle.max_duration_s is None else vehicle.max_duration_s
    if not vehicle.overtime_s or not vehicle.overtime_per_hour:
        return most, 0
    usual = min(whole_s - vehicle.overtime_s, most)
    return usual, min(vehicle.overtime_s, most - usual)
