"""Putting jobs into routes one at a time, each where it costs least.

The base of the ``nearest`` strategy, the repair of other strategies' answers, and
the way an ad-hoc job joins a day that is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from hub.core.plan_request import JobToPlan, Plan, VehicleToPlan
from hub.core.schedule import Timetable, Trip, instant
from hub.core.values import TimeWindow

LOOKED_AT = 64
"""Lawful places that are compared for a job whose price is more than its detour."""
SETTLED_JOBS = 60  # moving each of more once again takes as long as a solver does


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
        self._refused: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
        request = timetable.request
        self._uneven = request.uneven_per_hour
        reloads = any(map(timetable.loading.may_reload, request.vehicles))
        self._is_priced = bool(self._uneven or timetable.prices.of_stops or reloads)
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

    def fill(self, ids: Iterable[str] | None = None) -> int:
        """Place what is still out (or only ``ids``), the most important and tightest first.

        Says how many units (jobs or pairs) found a place. What found none may find one yet,
        once others are placed: a stop in between can make room for a break.
        """
        count = 0
        placed = self.placed()
        out = [job for job in self.timetable.request.jobs if job.id not in placed]
        wanted = None if ids is None else set(ids)
        for unit in self._units(job.id for job in sorted(out, key=self._urgency)):
            if wanted is None or wanted.intersection(unit):
                count += self.insert(unit) is not None
        return count

    def insert(self, unit: Sequence[str]) -> Placement | None:
        """Do the jobs of ``unit`` where that adds least; ``None`` when nowhere is lawful.

        An optional job that would cost more than its prize stays out as well.
        """
        best = self._best(unit)
        if best is None:
            self._refused[tuple(unit)] = dict(self.orders)
            return None
        jobs = [self.timetable.jobs[id] for id in unit]
        if all(job.optional for job in jobs) and best.added_cost > sum(j.prize for j in jobs):
            return None
        self._take(best)
        return best

    def settle(self) -> None:
        """Move jobs, one or a pair at a time, to where they cost less, on a day with prices.

        Each has found its place when others had none yet, and prices depend on those.
        """
        ids = [id for order in self.orders.values() for id in order]
        if not self._is_priced or len(ids) > SETTLED_JOBS:
            return
        owner = self.timetable.owner
        free = [id for id in ids if id not in owner]
        for unit in list(self._together(free, lambda other: other not in owner)):
            self._move(unit)

    def _move(self, unit: Sequence[str]) -> None:
        vehicle = next(v for v in self.timetable.request.vehicles if unit[0] in self.orders[v.id])
        order, trip, before = self.orders[vehicle.id], self.trips[vehicle.id], self.cost()
        if not self._set(vehicle, tuple(id for id in order if id not in unit)):
            return
        best = self._best(unit)
        if best is not None:
            after = self.cost() + best.added_cost
            if after < before:
                self._take(best)
                return
        self.orders[vehicle.id], self.trips[vehicle.id] = order, trip

    def _take(self, best: Placement) -> None:
        self.orders[best.vehicle], self.trips[best.vehicle] = best.order, best.trip

    def _best(self, unit: Sequence[str]) -> Placement | None:
        """Of the lawful places the one that adds least: that of the least detour, unless
        something else has a price.
        """
        found = self.placements(unit)
        if not self._is_priced:
            return next(found, None)
        return min(islice(found, LOOKED_AT), key=lambda one: one.added_cost, default=None)

    def placements(self, unit: Sequence[str]) -> Iterator[Placement]:
        """Lawful places for ``unit``, cheapest detour first."""
        jobs = [self.timetable.jobs[id] for id in unit]
        other = jobs[0].pair_with if len(unit) == 1 else None
        options: list[tuple[float, str, tuple[int, ...]]] = []
        refused = self._refused.get(tuple(unit), {})
        for vehicle in self.timetable.request.vehicles:
            order = self.orders[vehicle.id]
            if order == refused.get(vehicle.id):
                continue  # it was asked before
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
                if self._uneven:
                    added += self._unevenness({**self.trips, vehicle_id: trip})
                    added -= self._unevenness(self.trips)
                yield Placement(vehicle_id, new, trip, added)

    def has_place(self, id: str) -> bool:
        """Whether a job that is out, or its pair, could join the routes as they are."""
        return any(next(self.placements(unit), None) for unit in self._units([id]))

    def placed(self) -> set[str]:
        return {id for order in self.orders.values() for id in order}

    def cost(self) -> int:
        """Money and all prices."""
        return sum(trip.cost for trip in self.trips.values()) + self._unevenness(self.trips)

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
            reloads={id: trip.loadings() for id, trip in used.items() if trip.reloads},
        )

    def _unevenness(self, trips: Mapping[str, Trip]) -> int:
        """The price of the longest day's hours above the mean of all."""
        if not self._uneven or not trips:
            return 0
        hours = [trip.home - trip.leave if trip.stops else 0 for trip in trips.values()]
        return round(self._uneven * (max(hours) - sum(hours) / len(hours)) / 3600)

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
        placed = self.placed()
        return self._together(ids, lambda other: other not in placed)

    def _together(
        self, ids: Iterable[str], is_with: Callable[[str], bool] = lambda other: True
    ) -> Iterator[tuple[str, ...]]:
        seen = set[str]()
        for id in ids:
            job = self.timetable.jobs[id]
            other = job.pair_with
            if id in seen:
                continue
            unit: tuple[str, ...] = (id,)
            if other and is_with(other):
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

        extra: float = 0 if order else vehicle.fixed_cost
        if self._is_priced:
            extra += sum(self.timetable.prices.of_vehicle(vehicle.id, job.id) for job in jobs)
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
