"""When everything happens on one vehicle's route, if its jobs are done in a given order.

All moments are whole epoch seconds inside; a day that crosses midnight or a
change of clocks is therefore nothing special.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.core.plan_request import JobToPlan, PlanRequest, VehicleToPlan, Visit
from hub.core.values import TimeWindow

Span = tuple[int, int]


def epoch(moment: datetime) -> int:
    """Whole seconds, rounded up: what is not yet open at a fraction is not open."""
    return math.ceil(moment.timestamp())


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def span_of(window: TimeWindow) -> Span:
    return epoch(window.opens), math.floor(window.closes.timestamp())


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's day in epoch seconds; ``stops`` are (job, arrive, start, depart)."""

    leave: int
    stops: tuple[tuple[str, int, int, int], ...]
    home: int
    breaks: tuple[Span, ...]
    cost: int

    def visits(self) -> tuple[Visit, ...]:
        return tuple(Visit(id, instant(a), instant(s), instant(d)) for id, a, s, d in self.stops)


@dataclass(slots=True)
class _Rest:
    n: int
    opens: int
    closes: int
    lasts: int


class Timetable:
    """A request prepared for asking many times "and in this order?"."""

    def __init__(self, request: PlanRequest) -> None:
        self.request = request
        self.jobs = {job.id: job for job in request.jobs}
        self.vehicles = {vehicle.id: vehicle for vehicle in request.vehicles}
        self.windows = {
            job.id: tuple(sorted(span_of(window) for window in job.windows)) for job in request.jobs
        }
        self.owner = {id: vehicle for vehicle, ids in request.fixed.items() for id in ids}

    def trip(self, vehicle: VehicleToPlan, order: Sequence[str]) -> Trip | None:
        """The day of ``vehicle`` with ``order``; ``None`` when some rule would be broken.

        Leaves as late as it can without coming home later, so that nobody is paid for
        a wait that could have been at home: the shortest day for these windows.
        """
        locked = self.request.fixed.get(vehicle.id, ())
        if tuple(order[: len(locked)]) != tuple(locked):
            return None
        as_fixed = len(order) == len(locked)
        if not as_fixed and not self.may_carry(vehicle, order):
            return None
        opens, closes = span_of(vehicle.shift)
        ready = [epoch(j.ready_at) for j in self._from_depot(order) if j.ready_at]
        leave = max([opens, *ready])
        if order:
            way = self._seconds(vehicle, vehicle.start, self.jobs[order[0]].place)
            first = _opening(self.windows[order[0]], leave + way)
            leave = max(leave, first - way) if first is not None else leave
        trip = self._leaving_late(vehicle, order, leave, as_fixed)
        if trip is None or as_fixed:
            return trip
        in_time = trip.home <= closes + vehicle.overtime_s
        return trip if in_time and self._short_enough(vehicle, trip) else None

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
        loads = [job.load for job in (*self._from_depot(order), *more) if _starts_on_board(job)]
        return all(
            sum(load.get(name, 0) for load in loads) <= limit
            for name, limit in vehicle.capacity.items()
        )

    def may_carry(self, vehicle: VehicleToPlan, order: Sequence[str]) -> bool:
        """Everything about ``order`` that needs no clock."""
        locked = len(self.request.fixed.get(vehicle.id, ()))
        if vehicle.max_jobs is not None and len(order) > vehicle.max_jobs:
            return False
        position = {id: n for n, id in enumerate(order)}
        for n, id in enumerate(order):
            job = self.jobs[id]
            if n >= locked and (id in self.owner or not self.may_do(vehicle, job)):
                return False
            if job.pair_with and job.leg == "deliver":
                if n >= locked and position.get(job.pair_with, n) >= n:
                    return False
            elif job.pair_with and n >= locked and job.pair_with not in position:
                return False
        return all(self._peak(name, order) <= limit for name, limit in vehicle.capacity.items())

    def service_s(self, vehicle: VehicleToPlan, job: JobToPlan) -> int:
        return math.ceil(job.service_s * vehicle.service_factor)

    def _from_depot(self, order: Iterable[str]) -> list[JobToPlan]:
        return [job for id in order if _starts_on_board(job := self.jobs[id])]

    def _peak(self, name: str, order: Sequence[str]) -> int:
        peak = board = sum(job.load.get(name, 0) for job in self._from_depot(order))
        for id in order:
            job = self.jobs[id]
            if job.pair_with:
                collect = job if job.leg == "collect" else self.jobs[job.pair_with]
                board += collect.load.get(name, 0) * (1 if job.leg == "collect" else -1)
            elif job.load_direction != "none":
                board += job.load.get(name, 0) * (1 if job.load_direction == "collect" else -1)
            peak = max(peak, board)
        return peak

    def _seconds(self, vehicle: VehicleToPlan, here: int, there: int) -> int:
        return self.request.travel[vehicle.profile].seconds[here][there]

    def _leaving_late(
        self, vehicle: VehicleToPlan, order: Sequence[str], leave: int, as_fixed: bool
    ) -> Trip | None:
        """The day that begins at ``leave`` or, where that only meant waiting, later."""
        trip = self._drive(vehicle, order, leave, as_fixed)
        while trip is not None and order:
            leave = self._latest_leave(vehicle, trip)
            later = self._drive(vehicle, order, leave, as_fixed) if leave > trip.leave else None
            if later is None or later.home > trip.home or len(later.breaks) < len(trip.breaks):
                break
            trip = later  # a rest may now come before leaving, and make room for more
        return trip

    def _drive(
        self, vehicle: VehicleToPlan, order: Sequence[str], leave: int, as_fixed: bool
    ) -> Trip | None:
        travel = self.request.travel[vehicle.profile]
        locked = len(self.request.fixed.get(vehicle.id, ()))
        taken: dict[int, Span] = {}
        pending: list[_Rest] = []
        for n, due in enumerate(vehicle.breaks):
            opens, closes = span_of(due.window)
            if opens + due.duration_s <= leave:
                taken[n] = (opens, opens + due.duration_s)
            else:
                pending.append(_Rest(n, opens, closes, due.duration_s))
        pending.sort(key=lambda rest: rest.closes)
        place, now, metres = vehicle.start, leave, 0
        stops: list[tuple[str, int, int, int]] = []
        for n, id in enumerate(order):
            job, windows = self.jobs[id], self.windows[id]
            service = self.service_s(vehicle, job)
            arrive = now + travel.seconds[place][job.place]
            metres += travel.metres[place][job.place]
            ready = arrive
            busy = now
            while pending:
                rest = pending[0]
                start = _opening(windows, ready)
                begin = max(busy, rest.opens)
                if begin > rest.closes:
                    if not as_fixed:
                        return None
                    pending.pop(0)
                    continue
                after = ready + rest.lasts if begin < arrive else begin + rest.lasts
                costs_nothing = start is not None and _opening(windows, after) == start
                last_chance = (ready if start is None else start) + service > rest.closes
                if not (costs_nothing or last_chance):
                    break
                busy = begin + rest.lasts
                taken[rest.n] = (begin, busy)
                arrive += rest.lasts if begin < arrive else 0
                ready = after
                pending.pop(0)
            start = _opening(windows, ready)
            if start is None:
                if n >= locked and not as_fixed:
                    return None
                start = ready
            stops.append((id, arrive, start, start + service))
            place, now = job.place, start + service
        end = place if vehicle.end is None else vehicle.end
        home = now + travel.seconds[place][end]
        metres += travel.metres[place][end]
        busy = now
        for rest in pending:
            begin = max(busy, rest.opens, home if home <= rest.closes else 0)
            if begin > rest.closes and not as_fixed:
                return None
            home += rest.lasts if begin < home else 0
            busy = begin + rest.lasts
            taken[rest.n] = (begin, busy)
        over = max(0, home - span_of(vehicle.shift)[1])
        cost = vehicle.fixed_cost + round(
            metres * vehicle.per_km / 1000
            + ((home - leave) * vehicle.per_hour + over * vehicle.overtime_per_hour) / 3600
        )
        breaks = tuple(taken[n] for n in sorted(taken))
        return Trip(leave, tuple(stops), home, breaks, cost if order else 0)

    def _short_enough(self, vehicle: VehicleToPlan, trip: Trip) -> bool:
        if vehicle.max_duration_s is not None and trip.home - trip.leave > vehicle.max_duration_s:
            return False
        departs = {id: depart for id, _, _, depart in trip.stops}
        for id, _, start, _ in trip.stops:
            job = self.jobs[id]
            if job.max_on_board_s is not None and job.leg == "deliver":
                since = departs[job.pair_with] if job.pair_with else trip.leave
                if start - since > job.max_on_board_s:
                    return False
        return True

    def _latest_leave(self, vehicle: VehicleToPlan, trip: Trip) -> int:
        """The last moment to leave that still has the last job begin when it does now."""
        latest, slack = trip.stops[-1][2], 0
        for n in range(len(trip.stops) - 1, -1, -1):
            id, _, start, _ = trip.stops[n]
            if n < len(trip.stops) - 1:
                latest = start + slack
                closes = next((c for o, c in self.windows[id] if o <= start <= c), start)
                latest = min(latest, closes) if self.windows[id] else latest
            before = trip.stops[n - 1][3] if n else trip.leave
            here = self.jobs[trip.stops[n - 1][0]].place if n else vehicle.start
            rested = sum(e - b for b, e in trip.breaks if before <= b < start)
            way = self._seconds(vehicle, here, self.jobs[id].place) + rested
            slack = (latest - start) + (start - before - way)
        return trip.leave + slack


def timed(
    request: PlanRequest, vehicle: VehicleToPlan, order: Sequence[str]
) -> tuple[Visit, ...] | None:
    """The visits of ``vehicle`` in this order of job ids; ``None`` when it breaks a rule.

    Ask a ``Timetable`` instead when asking often.
    """
    trip = Timetable(request).trip(vehicle, order)
    return None if trip is None else trip.visits()


def _starts_on_board(job: JobToPlan) -> bool:
    return job.load_direction == "deliver" and not job.pair_with


def _opening(windows: tuple[Span, ...], ready: int) -> int | None:
    """The first moment from ``ready`` on at which a window is open."""
    for opens, closes in windows:
        if ready <= closes:
            return ready if ready > opens else opens
    return None if windows else ready
