"""What a route costs beyond its hours and metres: wishes, the driver one knows, the known order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from hub.core.driving import AT_ANY_TIME, Span, span_of
from hub.core.plan_request import PlanRequest, VehicleToPlan

Windows = Mapping[str, tuple[Span, ...]]
Stop = tuple[str, int, int, int]  # job, arrive, start, depart


class Prices:
    """A request's prices, prepared for asking often.

    ``wishes``: for a job's id, (opens, closes, early per hour, late per hour). ``of_stops``:
    whether any price depends on who does what, when, in which order.
    """

    def __init__(self, request: PlanRequest, windows: Windows) -> None:
        self._windows = windows
        self.wishes = {
            job.id: [(*span_of(w.window), w.early_per_hour, w.late_per_hour) for w in job.wishes]
            for job in request.jobs
            if job.wishes
        }
        self._waiting = {
            id: [(early, _from(opens, windows[id])) for opens, _, early, _ in wishes if early]
            for id, wishes in self.wishes.items()
        }
        self._wanted = {
            job.id: (job.wanted_vehicle, job.other_vehicle_cost)
            for job in request.jobs
            if job.wanted_vehicle is not None and job.other_vehicle_cost
        }
        self._of_vehicles = {
            job.id: job.vehicle_costs for job in request.jobs if any(job.vehicle_costs.values())
        }
        self._reorder_cost = request.reorder_cost
        self._ranks = {
            vehicle: {id: n for n, id in enumerate(ids)}
            for vehicle, ids in request.before.items()
            if request.reorder_cost and ids
        }
        self.of_stops = bool(self.wishes or self._wanted or self._of_vehicles or self._ranks)

    def due(self, vehicle: VehicleToPlan, stops: Sequence[Stop]) -> int:
        """The prices of one route."""
        return (
            self._of_wishes(stops)
            + sum(self.of_vehicle(vehicle.id, id) for id, _, _, _ in stops)
            + self._of_order(vehicle.id, [id for id, _, _, _ in stops])
        )

    def of_vehicle(self, vehicle: str, job: str) -> int:
        wanted, price = self._wanted.get(job, (vehicle, 0))
        own = self._of_vehicles[job].get(vehicle, 0) if job in self._of_vehicles else 0
        return own if wanted == vehicle else own + price

    def windows(self, vehicle: VehicleToPlan, order: Sequence[str]) -> list[Windows]:
        """Windows to drive ``order`` by: the jobs' own; and those with a wait until a job is
        wanted, where being early costs more than the driver's time, and wherever it costs.
        """
        found = [self._windows]
        priced = [early for id in order for early, _ in self._waiting.get(id, ())]
        for least in sorted({0, vehicle.per_hour}):
            if any(early > least for early in priced):
                found.append(self._waits(order, least))
        return found

    def not_later(self, job: str, start: int) -> int:
        """Until when ``job`` can begin later than ``start`` at the same price."""
        bounds = [
            closes if start <= closes else start
            for _, closes, _, late in self.wishes.get(job, ())
            if late
        ]
        return min(bounds, default=AT_ANY_TIME)

    def _waits(self, order: Sequence[str], least: int) -> Windows:
        changed = {}
        for id in order:
            waits = [spans for early, spans in self._waiting.get(id, ()) if early > least]
            if waits:
                changed[id] = max(waits)
        return {**self._windows, **changed}

    def _of_wishes(self, stops: Sequence[Stop]) -> int:
        price = 0
        for id, _, start, _ in stops:
            for opens, closes, early, late in self.wishes.get(id, ()):
                price += max(0, opens - start) * early + max(0, start - closes) * late
        return round(price / 3600)

    def _of_order(self, vehicle: str, order: Sequence[str]) -> int:
        ranks = self._ranks.get(vehicle)
        if not ranks:
            return 0
        known = [ranks[id] for id in order if id in ranks]
        return (len(known) - _longest_rise(known)) * self._reorder_cost


def _from(opens: int, windows: tuple[Span, ...]) -> tuple[Span, ...]:
    """What of ``windows`` is not before ``opens``; their last moment if nothing is."""
    if not windows:
        return ((opens, AT_ANY_TIME),)
    last = max(closes for _, closes in windows)
    return tuple((max(o, opens), c) for o, c in windows if c >= opens) or ((last, last),)


def _longest_rise(numbers: Sequence[int]) -> int:
    """How many can stay where they are if the others move: the longest rising part."""
    ends: list[int] = []
    for number in numbers:
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
    return len(ends)
