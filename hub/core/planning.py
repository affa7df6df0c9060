"""Planning a day: the request, the answer, whether it is lawful, and why a job is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from hub.core.insertion import Draft
from hub.core.plan_check import violations
from hub.core.plan_needs import Need, needs_of
from hub.core.plan_parts import day_part, quick_orders
from hub.core.plan_request import (
    Break,
    JobToPlan,
    KeepsTo,
    LoadDirection,
    Pace,
    Plan,
    PlanRequest,
    Reload,
    RoadLeg,
    RoadRoute,
    RoadStep,
    TravelMatrix,
    VehicleToPlan,
    Visit,
    Wish,
)
from hub.core.schedule import Timetable, Trip, instant, span_of, timed

__all__ = [
    "Break",
    "Draft",
    "JobToPlan",
    "KeepsTo",
    "LoadDirection",
    "Need",
    "Pace",
    "Plan",
    "PlanRequest",
    "Reload",
    "RoadLeg",
    "RoadRoute",
    "RoadStep",
    "Timetable",
    "TravelMatrix",
    "Trip",
    "VehicleToPlan",
    "Visit",
    "Wish",
    "choose",
    "completed",
    "needs_of",
    "day_part",
    "reasons",
    "timed",
    "violations",
]

FULL = "Every vehicle that could do it is full or busy at that time."
IN_PARTS = 600  # jobs; filling up takes 0.4 s for so many, and grows with their square
PREFERENCE = ("pyvrp", "ortools", "nearest")


class Capable(Protocol):
    @property
    def key(self) -> str: ...

    def capabilities(self) -> frozenset[Need]: ...


def choose[S: Capable](strategies: Iterable[S], wanted: str, needs: frozenset[Need]) -> S:
    """The strategy named ``wanted`` if it can serve ``needs``, else the first that can.

    Built-in ones in the order measured best first, then others. Raises
    ``LookupError`` when none can.
    """
    order = (wanted, *PREFERENCE)
    ranked = sorted(strategies, key=lambda s: order.index(s.key) if s.key in order else len(order))
    for strategy in ranked:
        if needs <= strategy.capabilities():
            return strategy
    raise LookupError(f"No routing strategy can serve {', '.join(sorted(needs))}.")


def completed(
    request: PlanRequest,
    orders: Mapping[str, Sequence[str]],
    notes: tuple[str, ...] = (),
) -> Plan:
    """A lawful plan from a strategy's orders: repaired where they break a rule,
    filled up with what still fits, moved where prices ask for it, and a reason for everything
    else.

    Without orders, a day of more than ``IN_PARTS`` jobs is filled up in parts. Where travel is
    asked for leg by leg, only those of the orders are, and nothing is filled up besides.
    """
    is_whole = all(travel.is_whole for travel in request.travel.values())
    if not orders and (not is_whole or len(request.jobs) > IN_PARTS):
        orders = quick_orders(request, _filled)
    _learn(request, orders)
    draft = Draft(Timetable(request))
    draft.follow(orders)
    if is_whole:
        draft.fill()
        draft.settle()
        while draft.fill():
            pass
    placed = draft.placed()
    why = {
        job.id: reasons(request, job, draft.timetable)
        for job in request.jobs
        if job.id not in placed
    }
    return draft.plan(why, notes)


def _filled(request: PlanRequest) -> dict[str, tuple[str, ...]]:
    """Orders of a part of the day, small enough to have all its travel at hand."""
    here = range(len(request.places))
    whole = {p: TravelMatrix(*_nested(t, here), t.pace) for p, t in request.travel.items()}
    draft = Draft(Timetable(replace(request, travel=whole)))
    draft.fill()
    return draft.orders


def _nested(travel: TravelMatrix, here: Sequence[int]) -> tuple[list[list[int]], list[list[int]]]:
    seconds, metres = travel.block(here, here)
    return seconds.tolist(), metres.tolist()


def _learn(request: PlanRequest, orders: Mapping[str, Sequence[str]]) -> None:
    places = {job.id: job.place for job in request.jobs}
    for vehicle in request.vehicles:
        order = orders.get(vehicle.id) or request.fixed.get(vehicle.id, ())
        ends = () if vehicle.end is None else (vehicle.end,)
        way = (vehicle.start, *(places[id] for id in order), *ends)
        request.travel[vehicle.profile].learn([way])


def reasons(request: PlanRequest, job: JobToPlan, timetable: Timetable | None = None) -> str:
    """Why ``job`` is not on any route: one sentence for a dispatcher, true on its own.

    Times are in the zone of the job's own windows, or of the shifts.
    """
    table = timetable or Timetable(request)
    unit = _unit(job, table)
    if not request.vehicles:
        return "No vehicle works on this day."
    chosen = next((j.vehicle for j in unit if j.vehicle), None)
    if chosen is not None and chosen not in table.vehicles:
        return f"{chosen}, which must do it, does not work on this day."
    skills = frozenset[str]().union(*(j.skills for j in unit))
    able = [v for v in request.vehicles if all(table.may_do(v, j) for j in unit)]
    if not able:
        if not any(skills <= vehicle.offers for vehicle in request.vehicles):
            return f"No vehicle has {' and '.join(sorted(skills))}."
        return _outside(request, unit) or "Every vehicle that could do it is ruled out for it."
    ids = tuple(j.id for j in unit)
    carrying = [v for v in able if _roomy(v, unit)]
    if not carrying:
        return _too_large(able, unit)
    agreeing = [v for v in carrying if _may_ride(table, v, unit)]
    if not agreeing:
        return "It must not go together with what is fixed on every vehicle that could do it."
    carrying = agreeing
    if any(table.trip(v, (*request.fixed.get(v.id, ()), *ids)) for v in carrying):
        if all(j.optional for j in unit):
            return "It is optional, and doing it would cost more than it is worth."
        return FULL
    return _too_late(table, carrying, unit)


def _unit(job: JobToPlan, table: Timetable) -> tuple[JobToPlan, ...]:
    other = table.jobs.get(job.pair_with) if job.pair_with else None
    if other is None or other.id in table.owner:
        return (job,)
    return (job, other) if job.leg == "collect" else (other, job)


def _outside(request: PlanRequest, unit: Sequence[JobToPlan]) -> str:
    """Where zones alone are why nobody does it, that; else empty."""
    kept_off = [
        vehicle
        for vehicle in request.vehicles
        if all(
            job.skills <= vehicle.offers
            and job.vehicle in (None, vehicle.id)
            and vehicle.id not in job.forbidden_vehicles - job.outside
            for job in unit
        )
    ]
    if not kept_off:
        return ""
    who = "on shift" if len(kept_off) == len(request.vehicles) else "who could do it"
    return f"It is outside the zones of every driver {who}."


def _roomy(vehicle: VehicleToPlan, unit: Sequence[JobToPlan]) -> bool:
    return all(unit[0].load.get(name, 0) <= limit for name, limit in vehicle.capacity.items())


def _may_ride(table: Timetable, vehicle: VehicleToPlan, unit: Sequence[JobToPlan]) -> bool:
    """Whether no rule about what goes together keeps ``unit`` off the vehicle's fixed route."""
    fixed = table.request.fixed.get(vehicle.id, ())
    order = (*fixed, *(job.id for job in unit))
    return table.loading.agrees(vehicle, order, len(fixed))


def _too_large(able: Sequence[VehicleToPlan], unit: Sequence[JobToPlan]) -> str:
    for name, load in unit[0].load.items():
        limits = [vehicle.capacity.get(name) for vehicle in able]
        known = [limit for limit in limits if limit is not None]
        if len(known) == len(limits) and load > max(known):
            most = max(known)
            match name:
                case "g":
                    said = f"It weighs {load / 1000:g} kg and no vehicle for it carries more than"
                    return f"{said} {most / 1000:g} kg."
                case "cm3":
                    said = f"It fills {load / 1000:g} l and no vehicle for it holds more than"
                    return f"{said} {most / 1000:g} l."
                case _:
                    return f"It has {load} {name} and no vehicle for it takes more than {most}."
    return "No single vehicle for it has room in every way it needs."


def _too_late(
    table: Timetable, vehicles: Sequence[VehicleToPlan], unit: Sequence[JobToPlan]
) -> str:
    soonest = min(_soonest(table, vehicle, unit[0]) for vehicle in vehicles)
    zone = unit[0].windows[0].opens if unit[0].windows else vehicles[0].shift.opens
    windows = table.windows[unit[0].id]
    last_shift = max(span_of(v.shift)[1] + v.overtime_s for v in vehicles)
    if windows and max(closes for _, closes in windows) < soonest:
        closes = _clock(max(closes for _, closes in windows), zone)
        return f"Its window closes at {closes}; the earliest arrival is {_clock(soonest, zone)}."
    if windows and min(opens for opens, _ in windows) > last_shift:
        opens = _clock(min(opens for opens, _ in windows), zone)
        return f"Its window opens at {opens}, when the last shift for it is over."
    if soonest > last_shift:
        return (
            f"No vehicle for it can be there before its shift ends at {_clock(last_shift, zone)}."
        )
    if all(_too_far(table, vehicle, unit) for vehicle in vehicles):
        return "It is farther than any vehicle for it may drive in a day."
    limits = any(v.max_duration_s is not None for v in vehicles)
    if limits or any(j.max_on_board_s is not None for j in unit) or any(v.breaks for v in vehicles):
        return "It cannot be done within the breaks, the longest duration and the shifts allowed."
    return f"Whoever did it would not be back when the shift ends at {_clock(last_shift, zone)}."


def _too_far(table: Timetable, vehicle: VehicleToPlan, unit: Sequence[JobToPlan]) -> bool:
    """Whether there and back, with nothing else to do, are more metres than it may drive."""
    metres = table.request.travel[vehicle.profile].metres
    ends = [] if vehicle.end is None else [vehicle.end]
    way = [vehicle.start, *(job.place for job in unit), *ends]
    far = sum(metres[a][b] for a, b in pairwise(way))
    return vehicle.max_distance_m is not None and far > vehicle.max_distance_m


def _soonest(table: Timetable, vehicle: VehicleToPlan, job: JobToPlan) -> int:
    """When ``vehicle`` could stand at the door, straight after what is fixed."""
    fixed = table.request.fixed.get(vehicle.id, ())
    trip = table.trip(vehicle, fixed)
    place, since = vehicle.start, span_of(vehicle.shift)[0]
    if trip is not None and trip.stops:
        place, since = table.jobs[trip.stops[-1][0]].place, trip.stops[-1][3]
    elif job.ready_at is not None:
        since = max(since, span_of(vehicle.shift)[0], int(job.ready_at.timestamp()))
    drive = table.request.travel[vehicle.profile].seconds[place][job.place]
    walk_s = vehicle.at_door_s(table.request.access_s.get(job.place, 0))
    return table.arrival(vehicle, since, drive) + walk_s


def _clock(seconds: int, like: datetime) -> str:
    return f"{instant(seconds).astimezone(like.tzinfo):%H:%M}"
