"""New jobs on routes that stand: where each fits best, taken on without moving anybody else.

``QuickPlaces`` says which places look best among all routes; ``Timetable`` judges those in full.
A job that is taken on changes one route, and no job that was planned changes its vehicle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.core.pace import traffic_of
from hub.core.plan_request import JobToPlan, VehicleToPlan
from hub.core.quick_places import QuickPlaces, Row, Spot
from hub.core.schedule import Span, Timetable, Trip, epoch, span_of

LOOKED_AT = 8  # places judged in full for each that is asked for: breaks may spoil some


@dataclass(frozen=True, slots=True)
class Offer:
    """A route with the new work on it. ``added_cost`` in the unit of the vehicle's costs;
    ``at``: before which stops the new ones come.
    """

    vehicle_id: str
    at: tuple[int, ...]
    order: tuple[str, ...]
    trip: Trip
    added_cost: int


class AdHoc:
    """Lawful routes, ready to be asked about one job after the other."""

    def __init__(self, timetable: Timetable, orders: Mapping[str, Sequence[str]]) -> None:
        """Raises ``ValueError`` for an order that breaks a rule already."""
        self.timetable = timetable
        self.orders: dict[str, tuple[str, ...]] = {}
        self.trips: dict[str, Trip] = {}
        request = timetable.request
        for vehicle in request.vehicles:
            order = tuple(orders.get(vehicle.id, ()))
            trip = timetable.trip(vehicle, order)
            if trip is None:
                raise ValueError(f"the route of {vehicle.id} breaks a rule as it stands")
            self.orders[vehicle.id], self.trips[vehicle.id] = order, trip
        rows = [row_of(timetable, v, self.orders[v.id]) for v in request.vehicles]
        self.places = QuickPlaces(request.travel, rows)

    def offers(
        self, unit: Sequence[str], most: int = 3, dearer: Mapping[str, float] | None = None
    ) -> list[Offer]:
        """The best lawful places for ``unit`` (a job, or a pair in its order), best first.

        ``dearer``: what a vehicle costs on top if it does this. Empty where nothing fits.
        """
        found: list[Offer] = []
        more = dearer or {}
        for spot in self.spots(unit, most * LOOKED_AT, dearer):
            if (offer := self.judged(unit, spot)) is not None:
                found.append(offer)
                if len(found) == most:
                    break
        return sorted(found, key=lambda one: one.added_cost + more.get(one.vehicle_id, 0))

    def spots(
        self, unit: Sequence[str], most: int, dearer: Mapping[str, float] | None = None
    ) -> list[Spot]:
        """The places that look best, unjudged."""
        jobs = [self.timetable.jobs[id] for id in unit]
        windows = [self.timetable.windows[id] for id in unit]
        if len(jobs) == 1:
            return self.places.spots(jobs[0], windows[0], most, dearer)
        return self.places.pairs(jobs[0], jobs[1], (windows[0], windows[1]), most, dearer)

    def take(self, offer: Offer) -> None:
        """The route is so from now on."""
        self._put(offer.vehicle_id, offer.order, offer.trip)

    def without(self, vehicle_id: str, ids: frozenset[str]) -> bool:
        """Take jobs off a route; ``False``, and nothing happens, where the rest is not lawful."""
        order = tuple(id for id in self.orders[vehicle_id] if id not in ids)
        trip = self.timetable.trip(self.timetable.vehicles[vehicle_id], order)
        if trip is None:
            return False
        self._put(vehicle_id, order, trip)
        return True

    def restore(self, vehicle_id: str, order: tuple[str, ...], trip: Trip) -> None:
        """A route as it was before."""
        self._put(vehicle_id, order, trip)

    @property
    def cost(self) -> int:
        return sum(trip.cost for trip in self.trips.values())

    def judged(self, unit: Sequence[str], spot: Spot) -> Offer | None:
        """The route with ``unit`` there; ``None`` where that breaks a rule after all."""
        old, was = self.orders[spot.vehicle_id], self.trips[spot.vehicle_id]
        order = _with(old, unit, spot.at)
        trip = self.timetable.trip(self.timetable.vehicles[spot.vehicle_id], order)
        if trip is None:
            return None
        return Offer(spot.vehicle_id, spot.at, order, trip, trip.cost - was.cost)

    def _put(self, vehicle_id: str, order: tuple[str, ...], trip: Trip) -> None:
        self.orders[vehicle_id], self.trips[vehicle_id] = order, trip
        self.places.put(row_of(self.timetable, self.timetable.vehicles[vehicle_id], order))


def row_of(timetable: Timetable, vehicle: VehicleToPlan, order: Sequence[str]) -> Row:
    """What the gaps of a lawful route allow if it leaves as early as it may."""
    request = timetable.request
    seconds = request.travel[vehicle.profile].seconds
    jobs = [timetable.jobs[id] for id in order]
    opens, closes = span_of(vehicle.shift)
    ready = [_ready(job) for job in jobs]
    may_reload = timetable.loading.may_reload(vehicle)
    leave = max([opens, *ready]) if not may_reload else opens
    places, free, due, waited = [vehicle.start], [leave], list[int](), [0]
    traffic = traffic_of(request.travel[vehicle.profile].pace)
    work = [timetable.service_s(vehicle, job) for job in jobs]
    doors = [None, *(job.place for job in jobs)]
    walks = [
        vehicle.at_door_s(request.access_s.get(job.place, 0)) if job.place != door else 0
        for job, door in zip(jobs, doors, strict=False)
    ]
    for job, walk, lasts, since in zip(jobs, walks, work, ready, strict=True):
        # Whoever may load again may set off without it, but not bring it sooner than it is ready.
        soonest = max(free[-1], since) if may_reload else free[-1]
        arrive = timetable.arrival(vehicle, soonest, seconds[places[-1]][job.place])
        start = _opening(timetable.windows[job.id], arrive + walk)
        places.append(job.place)
        due.append(arrive)
        free.append(start + lasts)
        waited.append(waited[-1] + start - arrive - walk)
    end = places[-1] if vehicle.end is None else vehicle.end
    due.append(timetable.arrival(vehicle, free[-1], seconds[places[-1]][end]))
    latest = [closes + vehicle.overtime_s]
    after = end
    for job, walk, lasts in zip(reversed(jobs), reversed(walks), reversed(work), strict=True):
        way_s = seconds[job.place][after]
        leaves = traffic.departure(latest[-1], way_s) if traffic else latest[-1] - way_s
        latest.append(_latest(timetable.windows[job.id], leaves - lasts) - walk)
        after = job.place
    return Row(
        vehicle=vehicle,
        places=places,
        free=free,
        due=due,
        latest=[max(a, b) for a, b in zip(reversed(latest), due, strict=True)],
        waited=waited,
        boards={}
        if may_reload
        else {name: _boards(timetable, jobs, name) for name in vehicle.capacity},
        first=len(request.fixed.get(vehicle.id, ())),
    )


def _ready(job: JobToPlan) -> int:
    """When goods from the depot can be loaded; 0 where none are waited for."""
    is_loaded = job.load_direction == "deliver" and not job.pair_with
    return epoch(job.ready_at) if is_loaded and job.ready_at is not None else 0


def _opening(windows: Sequence[Span], ready: int) -> int:
    """When work begins; what is too late already begins at once, as a person had it."""
    return next((max(ready, opens) for opens, closes in windows if ready <= closes), ready)


def _latest(windows: Sequence[Span], by: int) -> int:
    """The last moment to come so that work begins by ``by``."""
    if not windows:
        return by
    return next((min(by, closes) for opens, closes in reversed(windows) if opens <= by), by)


def _boards(timetable: Timetable, jobs: Sequence[JobToPlan], name: str) -> list[int]:
    board = sum(
        job.load.get(name, 0)
        for job in jobs
        if job.load_direction == "deliver" and not job.pair_with
    )
    boards = [board]
    for job in jobs:
        if job.pair_with:
            first = job if job.leg == "collect" else timetable.jobs[job.pair_with]
            board += first.load.get(name, 0) * (1 if job.leg == "collect" else -1)
        elif job.load_direction != "none":
            board += job.load.get(name, 0) * (1 if job.load_direction == "collect" else -1)
        boards.append(board)
    return boards


def _with(order: tuple[str, ...], unit: Sequence[str], at: tuple[int, ...]) -> tuple[str, ...]:
    new = list(order)
    for id, n in sorted(zip(unit, at, strict=True), key=lambda pair: -pair[1]):
        new.insert(n, id)
    if len(at) == 2 and at[0] == at[1]:
        new[at[0] : at[0] + 2] = unit
    return tuple(new)


def units(jobs: Mapping[str, JobToPlan], ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Jobs alone, pairs as (collect, deliver), each once."""
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            continue
        job = jobs[id]
        other = job.pair_with
        pair = (id, other) if job.leg == "collect" else (other, id)
        unit = (id,) if other is None or other not in jobs else tuple(x for x in pair if x)
        seen.update(unit)
        yield unit
