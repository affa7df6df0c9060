"""When everything happens on one vehicle's route, if its jobs are done in a given order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.core.driving import AT_ANY_TIME, Drive, Span, epoch, instant, opening, span_of, spans_of
from hub.core.loading import Loading, starts_on_board
from hub.core.pace import Traffic, traffic_of
from hub.core.plan_request import JobToPlan, PlanRequest, Reload, VehicleToPlan, Visit
from hub.core.pricing import Prices

__all__ = ["Span", "Timetable", "Trip", "epoch", "instant", "span_of", "timed"]


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's day in epoch seconds; ``stops`` are (job, arrive, start, depart).

    ``reloads`` are (after so many stops, place, arrive, depart).
    """

    leave: int
    stops: tuple[tuple[str, int, int, int], ...]
    home: int
    breaks: tuple[Span, ...]
    cost: int
    metres: int = 0
    reloads: tuple[tuple[int, int, int, int], ...] = ()

    def visits(self) -> tuple[Visit, ...]:
        return tuple(Visit(id, instant(a), instant(s), instant(d)) for id, a, s, d in self.stops)

    def loadings(self) -> tuple[Reload, ...]:
        return tuple(Reload(n, at, instant(a), instant(d)) for n, at, a, d in self.reloads)


Windows = Mapping[str, tuple[Span, ...]]
Reloads = tuple[tuple[int, int], ...]  # after so many jobs, at this place


@dataclass(slots=True)  # frozen, each would take as long to make as a stop to drive to
class _Way:
    """What is to be done, in which order; ``is_fixed``: all of it by a person's will."""

    vehicle: VehicleToPlan
    order: Sequence[str]
    reloads: Reloads
    windows: Windows
    is_fixed: bool


class Timetable:
    """A request prepared for asking many times "and in this order?"."""

    def __init__(self, request: PlanRequest) -> None:
        self.request = request
        self.jobs = {job.id: job for job in request.jobs}
        self.vehicles = {vehicle.id: vehicle for vehicle in request.vehicles}
        self.windows: Windows = {job.id: spans_of(job.windows) for job in request.jobs}
        self.owner = {id: vehicle for vehicle, ids in request.fixed.items() for id in ids}
        self.loading = Loading(request, self.jobs)
        self.prices = Prices(request, self.windows)
        self._ready = {job.id: epoch(job.ready_at) for job in request.jobs if job.ready_at}
        self._shift = {vehicle.id: span_of(vehicle.shift) for vehicle in request.vehicles}
        self._has_pairs = any(job.pair_with for job in request.jobs)
        self._work: dict[float, dict[str, int]] = {}
        self._traffic = {
            profile: traffic_of(travel.pace) for profile, travel in request.travel.items()
        }

    def trip(self, vehicle: VehicleToPlan, order: Sequence[str]) -> Trip | None:
        """The day of ``vehicle`` with ``order``; ``None`` when some rule would be broken.

        Leaves as late as it can without coming home later, so that nobody is paid for
        a wait that could have been at home: the shortest day for these windows. Reloads
        as seldom as it can, where that is the shortest way round.
        """
        locked = self.request.fixed.get(vehicle.id, ())
        if locked and tuple(order[: len(locked)]) != tuple(locked):
            return None
        if len(order) == len(locked):
            return self._cheapest(vehicle, order, (), is_fixed=True)
        if not self.may_carry(vehicle, order):
            return None
        if not self.loading.may_reload(vehicle):
            return self._cheapest(vehicle, order, (), is_fixed=False)
        trips = (
            self._cheapest(vehicle, order, reloads, is_fixed=False)
            for reloads in self.loading.reloads(vehicle, order)
        )
        return next((trip for trip in trips if trip is not None), None)

    def may_do(self, vehicle: VehicleToPlan, job: JobToPlan) -> bool:
        """Skills and choice of vehicle only."""
        return (
            job.skills <= vehicle.offers
            and job.vehicle in (None, vehicle.id)
            and vehicle.id not in job.forbidden_vehicles
        )

    def has_room(
        self, vehicle: VehicleToPlan, order: Sequence[str], more: Sequence[JobToPlan]
    ) -> bool:
        """Whether ``more`` fits on ``vehicle`` at the start, wherever in ``order`` it came."""
        if vehicle.max_jobs is not None and len(order) + len(more) > vehicle.max_jobs:
            return False
        trips = 1 + self.loading.may_reload(vehicle)
        loads = [
            job.load for job in (*(self.jobs[id] for id in order), *more) if starts_on_board(job)
        ]
        return all(
            sum(load.get(name, 0) for load in loads) <= limit * trips
            for name, limit in vehicle.capacity.items()
        )

    def may_carry(self, vehicle: VehicleToPlan, order: Sequence[str]) -> bool:
        """Everything about ``order`` that needs no clock."""
        locked = len(self.request.fixed.get(vehicle.id, ()))
        if vehicle.max_jobs is not None and len(order) > vehicle.max_jobs:
            return False
        position = {id: n for n, id in enumerate(order)} if self._has_pairs else {}
        for n, id in enumerate(order):
            job = self.jobs[id]
            if n >= locked and (id in self.owner or not self.may_do(vehicle, job)):
                return False
            if not job.pair_with:
                continue
            if job.leg == "deliver":
                if n >= locked and position.get(job.pair_with, n) >= n:
                    return False
            elif n >= locked and job.pair_with not in position:
                return False
        if self.loading.may_reload(vehicle):
            return self.loading.may_share(order, locked)
        return self.loading.fits(vehicle, order, locked)

    def arrival(self, vehicle: VehicleToPlan, leave: int, drive_s: int) -> int:
        """When a drive is over that takes ``drive_s`` where nothing holds it up."""
        traffic = self._traffic[vehicle.profile]
        return leave + drive_s if traffic is None else traffic.arrival(leave, drive_s)

    def service_s(self, vehicle: VehicleToPlan, job: JobToPlan) -> int:
        return vehicle.at_door_s(job.service_s)

    def _works(self, vehicle: VehicleToPlan) -> dict[str, int]:
        """Seconds of service for each job by this driver."""
        factor = vehicle.service_factor
        if factor not in self._work:
            self._work[factor] = {
                id: vehicle.at_door_s(job.service_s) for id, job in self.jobs.items()
            }
        return self._work[factor]

    def _cheapest(
        self, vehicle: VehicleToPlan, order: Sequence[str], reloads: Reloads, *, is_fixed: bool
    ) -> Trip | None:
        """At once at every door or, where that is cheaper, not before it is wanted."""
        if not self.prices.wishes:
            return self._day(_Way(vehicle, order, reloads, self.windows, is_fixed))
        trips = [
            trip
            for windows in self.prices.windows(vehicle, order)
            if (trip := self._day(_Way(vehicle, order, reloads, windows, is_fixed))) is not None
        ]
        return min(trips, key=lambda trip: trip.cost) if trips else None

    def _day(self, way: _Way) -> Trip | None:
        vehicle, order = way.vehicle, way.order
        opens, closes = self._shift[vehicle.id]
        leave = opens
        if self._ready:
            first = order[: way.reloads[0][0]] if way.reloads else order
            leave = max(opens, self._goods_at(first))
        if order and self._traffic[vehicle.profile] is None:
            drive = self._to_door(vehicle, vehicle.start, self.jobs[order[0]].place, is_new=True)
            start = opening(way.windows[order[0]], leave + drive)
            leave = max(leave, start - drive) if start is not None else leave
        trip = self._leaving_late(way, leave)
        if trip is None or way.is_fixed:
            return trip
        if trip.home > closes + vehicle.overtime_s or not self._within_limits(vehicle, trip):
            return None
        return trip

    def _goods_at(self, order: Iterable[str]) -> int:
        """When all is ready that these jobs bring from the depot; 0 if it is."""
        ready = self._ready
        return max(
            (ready[id] for id in order if id in ready and starts_on_board(self.jobs[id])), default=0
        )

    def _leaving_late(self, way: _Way, leave: int) -> Trip | None:
        """The day that begins at ``leave`` or, where that only meant waiting, later."""
        trip = self._drive(way, leave)
        if trip is None or not way.order:
            return trip
        traffic = self._traffic[way.vehicle.profile]
        if way.reloads or (traffic is not None and way.vehicle.breaks):
            return self._leaving_late_by_trying(way, trip)
        while True:
            leave = (
                self._latest_leave(way, trip)
                if traffic is None
                else self._latest_leave_in_traffic(way, trip, traffic)
            )
            later = self._drive(way, leave) if leave > trip.leave else None
            if later is None or not _is_better(later, trip):
                return trip
            trip = later  # a rest may now come before leaving, and make room for more

    def _leaving_late_by_trying(self, way: _Way, trip: Trip) -> Trip:
        """The same by halves, where no reckoning back along the way is possible."""
        too_late = trip.home
        while too_late - trip.leave > 1:
            leave = (trip.leave + too_late) // 2
            later = self._drive(way, leave)
            if later is not None and _is_better(later, trip):
                trip = later
            else:
                too_late = leave
        return trip

    def _drive(self, way: _Way, leave: int) -> Trip | None:
        vehicle, order, is_fixed, windows = way.vehicle, way.order, way.is_fixed, way.windows
        locked = len(self.request.fixed.get(vehicle.id, ()))
        travel = self.request.travel[vehicle.profile]
        works, access = self._works(vehicle), self.request.access_s
        drive = Drive(vehicle, travel, self._traffic[vehicle.profile], leave)
        stops: list[tuple[str, int, int, int]] = []
        loadings: list[tuple[int, int, int, int]] = []
        reloads = dict(way.reloads) if way.reloads else None
        door = None  # where it stands
        for n, id in enumerate(order):
            if reloads and n in reloads:
                done = self._reload(way, drive, n, reloads[n])
                if done is None:
                    return None
                loadings.append(done)
                door = None
            place = self.jobs[id].place
            walk = 0
            if access and place != door:
                walk = vehicle.at_door_s(access.get(place, 0))
            door = place
            times = drive.to(place, windows[id], walk, works[id], is_fixed or n < locked)
            if times is None:
                return None
            stops.append((id, *times))
        home = drive.home(vehicle.end, is_fixed)
        if home is None:
            return None
        over = max(0, home - self._shift[vehicle.id][1])
        cost = vehicle.fixed_cost + round(
            drive.metres * vehicle.per_km / 1000
            + ((home - leave) * vehicle.per_hour + over * vehicle.overtime_per_hour) / 3600
        )
        if self.prices.of_stops:
            cost += self.prices.due(vehicle, stops)
        breaks = tuple(drive.taken[n] for n in sorted(drive.taken))
        return Trip(
            leave,
            tuple(stops),
            home,
            breaks,
            cost if order else 0,
            drive.metres,
            tuple(loadings),
        )

    def _reload(
        self, way: _Way, drive: Drive, n: int, place: int
    ) -> tuple[int, int, int, int] | None:
        """Drive to ``place`` before the job ``n`` and load what is brought until the next time."""
        until = min((at for at, _ in way.reloads if at > n), default=len(way.order))
        ready = self._goods_at(way.order[n:until]) - way.vehicle.reload_s
        windows = ((ready, AT_ANY_TIME),) if ready > 0 else ()
        times = drive.to(place, windows, 0, way.vehicle.reload_s, way.is_fixed)
        return None if times is None else (n, place, times[0], times[2])

    def _within_limits(self, vehicle: VehicleToPlan, trip: Trip) -> bool:
        """Every break taken, neither out for too long or too far, nor anything on board for too
        long.
        """
        if len(trip.breaks) < len(vehicle.breaks):
            return False  # work that a person fixed goes over it: nothing is added to that
        if vehicle.max_duration_s is not None and trip.home - trip.leave > vehicle.max_duration_s:
            return False
        if vehicle.max_distance_m is not None and trip.metres > vehicle.max_distance_m:
            return False
        departs = {id: depart for id, _, _, depart in trip.stops}
        loaded = {n: depart for n, _, _, depart in trip.reloads}
        left = trip.leave
        for n, (id, _, start, _) in enumerate(trip.stops):
            left = loaded.get(n, left)
            job = self.jobs[id]
            if job.max_on_board_s is not None and job.leg == "deliver":
                since = departs.get(job.pair_with, start) if job.pair_with else left
                if start - since > job.max_on_board_s:
                    return False
        return True

    def _latest_leave(self, way: _Way, trip: Trip) -> int:
        """The last moment to leave that still has the last job begin when it does now."""
        vehicle, stops, has_walks = way.vehicle, trip.stops, bool(self.request.access_s)
        seconds = self.request.travel[vehicle.profile].seconds
        latest, slack = stops[-1][2], 0
        for n in range(len(stops) - 1, -1, -1):
            id, _, start, _ = stops[n]
            if n < len(stops) - 1:
                latest = self._not_later(way, id, start, start + slack)
            before = stops[n - 1][3] if n else trip.leave
            here = self.jobs[stops[n - 1][0]].place if n else vehicle.start
            drive = seconds[here][self.jobs[id].place]
            if has_walks:
                drive = self._to_door(vehicle, here, self.jobs[id].place, is_new=n == 0)
            if trip.breaks:
                drive += sum(e - b for b, e in trip.breaks if before <= b < start)
            slack = (latest - start) + (start - before - drive)
        return trip.leave + slack

    def _latest_leave_in_traffic(self, way: _Way, trip: Trip, traffic: Traffic) -> int:
        """The same where each drive has to be driven again, from its end; without any rests."""
        vehicle, stops = way.vehicle, trip.stops
        seconds = self.request.travel[vehicle.profile].seconds
        works, access = self._works(vehicle), self.request.access_s
        latest = stops[-1][2]
        for n in range(len(stops) - 1, -1, -1):
            id, _, start, _ = stops[n]
            there = self.jobs[id].place
            here = self.jobs[stops[n - 1][0]].place if n else vehicle.start
            if access and (n == 0 or here != there):
                latest -= vehicle.at_door_s(access.get(there, 0))
            latest = traffic.departure(latest, seconds[here][there])
            if n:
                before, _, start, _ = stops[n - 1]
                latest = self._not_later(way, before, start, latest - works[before])
        return latest

    def _not_later(self, way: _Way, id: str, start: int, latest: int) -> int:
        """The last moment up to ``latest`` at which ``id`` may begin as it does at ``start``."""
        if windows := way.windows[id]:
            latest = min(latest, next((c for o, c in windows if o <= start <= c), start))
        if self.prices.wishes:
            latest = min(latest, self.prices.not_later(id, start))
        return latest

    def _to_door(self, vehicle: VehicleToPlan, here: int, there: int, *, is_new: bool) -> int:
        """Seconds of undisturbed driving, and from the parked van to the door."""
        drive = self.request.travel[vehicle.profile].seconds[here][there]
        if self.request.access_s and (is_new or here != there):
            drive += vehicle.at_door_s(self.request.access_s.get(there, 0))
        return drive


def timed(
    request: PlanRequest, vehicle: VehicleToPlan, order: Sequence[str]
) -> tuple[Visit, ...] | None:
    """The visits of ``vehicle`` in this order of job ids; ``None`` when it breaks a rule.

    Ask a ``Timetable`` instead when asking often.
    """
    trip = Timetable(request).trip(vehicle, order)
    return None if trip is None else trip.visits()


def _is_better(later: Trip, trip: Trip) -> bool:
    """Home no later, nothing dearer, and no rest lost."""
    rests = len(later.breaks) >= len(trip.breaks)
    return later.home <= trip.home and later.cost <= trip.cost and rests
