"""Putting jobs into routes one at a time, each where it costs least.

The base of the ``nearest`` strategy, the repair of other strategies' answers, and
the way an ad-hoc job joins a day that is under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.core.plan_request import JobToPlan, Plan, VehicleToPlan
from hub.core.schedule import Timetable, Trip, instant
from hub.core.values import TimeWindow


@dataclass(frozen=True, slots=True)
class Placement:
    """Where jobs could go: the vehicle, its new order and day, and what that adds."""

    vehicle: str
    order: tuple[str, ...]
    trip: Trip
    added_cost: int


class Draft:
    """Lawful routes under construction. Begins with what is fixed and nothing else."""

    def __init__(self, timetable: Timetable) -> None:
        self.timetable = timetable
        self.trips: dict[str, Trip] = {}
        self.orders: dict[str, tuple[str, ...]] = {}
        for vehicle in timetable.request.vehicles:
            self._set(vehicle, timetable.request.fixed.get(vehicle.id, ()))

    def follow(self, orders: Mapping[str, Sequence[str]]) -> None:
        """Take over a strategy's routes: whole where lawful, else job by job what fits."""
        for vehicle in self.timetable.request.vehicles:
            order = tuple(orders.get(vehicle.id, ()))
            if not order or self._set(vehicle, order):
                continue
            for unit in self._units(id for id in order if id not in self.orders[vehicle.id]):
                self._append(vehicle, unit, order)

    def fill(self, ids: Iterable[str] | None = None) -> None:
        """Place what is still out (or only ``ids``), the most important and tightest first."""
        placed = self.placed()
        out = [job for job in self.timetable.request.jobs if job.id not in placed]
        wanted = None if ids is None else set(ids)
        for unit in self._units(job.id for job in sorted(out, key=self._urgency)):
            if wanted is None or wanted.intersection(unit):
                self.insert(unit)

    def insert(self, unit: Sequence[str]) -> Placement | None:
        """Do the jobs of ``unit`` where that adds least; ``None`` when nowhere is lawful.

        An optional job that would cost more than its prize stays out as well.
        """
        best = next(self.placements(unit), None)
        jobs = [self.timetable.jobs[id] for id in unit]
        if best is None:
            return None
        if all(job.optional for job in jobs) and best.added_cost > sum(j.prize for j in jobs):
            return None
        self.orders[best.vehicle], self.trips[best.vehicle] = best.order, best.trip
        return best

    def placements(self, unit: Sequence[str]) -> Iterator[Placement]:
        """Lawful places for ``unit``, cheapest detour first."""
        jobs = [self.timetable.jobs[id] for id in unit]
        other = jobs[0].pair_with if len(unit) == 1 else None
        options: list[tuple[float, str, tuple[int, ...]]] = []
        for vehicle in self.timetable.request.vehicles:
            order = self.orders[vehicle.id]
            if other and other not in order:
                continue  # its other half is fixed on another vehicle
            if not all(self.timetable.may_do(vehicle, job) for job in jobs):
                continue
            if not self.timetable.has_room(vehicle, order, jobs):
                continue
            options += [(price, vehicle.id, at) for price, at in self._prices(vehicle, order, jobs)]
        for _, vehicle_id, at in sorted(options):
            order = self.orders[vehicle_id]
            new = _with(order, unit, at)
            trip = self.timetable.trip(self.timetable.vehicles[vehicle_id], new)
            if trip is not None:
                added = trip.cost - self.trips[vehicle_id].cost
                yield Placement(vehicle_id, new, trip, added)

    def placed(self) -> set[str]:
        return {id for order in self.orders.values() for id in order}

    def cost(self) -> int:
        return sum(trip.cost for trip in self.trips.values())

    def plan(self, reasons: Mapping[str, str], notes: tuple[str, ...] = ()) -> Plan:
        """The plan as it stands; ``reasons`` for every job that is out."""
        used = {id: trip for id, trip in self.trips.items() if trip.stops}
        return Plan(
            routes={id: trip.visits() for id, trip in self.trips.items()},
            unassigned=reasons,
            cost=self.cost(),
            spans={id: TimeWindow(instant(t.leave), instant(t.home)) for id, t in used.items()},
            breaks={
                id: tuple(TimeWindow(instant(b), instant(e)) for b, e in trip.breaks)
                for id, trip in used.items()
            },
            notes=notes,
        )

    def _set(self, vehicle: VehicleToPlan, order: tuple[str, ...]) -> bool:
        trip = self.timetable.trip(vehicle, order)
        if trip is not None:
            self.orders[vehicle.id], self.trips[vehicle.id] = order, trip
        return trip is not None

    def _append(self, vehicle: VehicleToPlan, unit: Sequence[str], order: tuple[str, ...]) -> None:
        if all(id in order for id in unit):
            wanted = {*self.orders[vehicle.id], *unit}
            self._set(vehicle, tuple(id for id in order if id in wanted))

    def _units(self, ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
        """Jobs alone, pairs as (collect, deliver), each once."""
        placed, seen = self.placed(), set[str]()
        for id in ids:
            job = self.timetable.jobs[id]
            other = job.pair_with
            if id in seen:
                continue
            unit: tuple[str, ...] = (id,)
            if other and other not in placed:
                unit = (id, other) if job.leg == "collect" else (other, id)
            seen.update(unit)
            yield unit

    def _urgency(self, job: JobToPlan) -> tuple[object, ...]:
        half = job.pair_with is not None and job.pair_with in self.timetable.owner
        windows = self.timetable.windows[job.id]
        able = sum(self.timetable.may_do(v, job) for v in self.timetable.request.vehicles)
        width = sum(closes - opens for opens, closes in windows) if windows else 1 << 40
        return (not half, job.optional, -job.priority, able, width, job.id)

    def _prices(
        self, vehicle: VehicleToPlan, order: tuple[str, ...], jobs: Sequence[JobToPlan]
    ) -> Iterator[tuple[float, tuple[int, ...]]]:
        travel = self.timetable.request.travel[vehicle.profile]
        places = [vehicle.start, *(self.timetable.jobs[id].place for id in order)]
        end = vehicle.end

        def leg(a: int, b: int) -> float:
            seconds, metres = travel.seconds[a][b], travel.metres[a][b]
            return seconds * vehicle.per_hour / 3600 + metres * vehicle.per_km / 1000

        def detour(a: int, through: Sequence[int], n: int) -> float:
            after = places[n + 1] if n + 1 < len(places) else end
            way = [a, *through] if after is None else [a, *through, after]
            ways = sum(leg(x, y) for x, y in pairwise(way))
            return ways - (0 if after is None else leg(a, after))

        extra = 0 if order else vehicle.fixed_cost
        first = len(self.timetable.request.fixed.get(vehicle.id, ()))
        for n in range(first, len(order) + 1):
            alone = detour(places[n], [jobs[0].place], n) + extra
            if len(jobs) == 1:
                yield alone, (n,)
                continue
            yield detour(places[n], [jobs[0].place, jobs[1].place], n) + extra, (n, n)
            for m in range(n + 1, len(order) + 1):
                yield alone + detour(places[m], [jobs[1].place], m), (n, m)


def _with(order: tuple[str, ...], unit: Sequence[str], at: tuple[int, ...]) -> tuple[str, ...]:
    new = list(order)
    for id, n in sorted(zip(unit, at, strict=True), key=lambda pair: -pair[1]):
        new.insert(n, id)
    if len(at) == 2 and at[0] == at[1]:
        new[at[0] : at[0] + 2] = unit
    return tuple(new)
