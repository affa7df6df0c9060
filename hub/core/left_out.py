"""Why a job is left out of a plan, as a sentence for the dispatcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from hub.core.loading import starts_on_board
from hub.core.plan_request import JobToPlan, PlanRequest, VehicleToPlan
from hub.core.schedule import Timetable, instant, span_of
from hub.core.why_out import Rule, rules_in_the_way

FULL = "Every vehicle that could do it is full or busy"
OR_APART = "has a job that it is kept apart from."
APART = f"Every vehicle that could do it {OR_APART}"
IN_THE_WAY = {
    Rule.MAX_JOBS: "the jobs that a driver may have",
    Rule.ROOM: "what the vehicles hold",
    Rule.DISTANCE: "how far they may drive",
    Rule.SHIFT: "the shifts",
    Rule.DURATION: "the longest day",
    Rule.BREAKS: "the breaks",
    Rule.ON_BOARD: "its time on board",
    Rule.READY: "when its goods are ready",
    Rule.WINDOWS: "its windows",
}


def reasons(
    request: PlanRequest,
    job: JobToPlan,
    timetable: Timetable | None = None,
    *,
    has_place: bool = True,
    orders: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Why ``job`` is not on any route: one sentence for a dispatcher, true on its own.

    Times are in the zone of the job's own windows, or of the shifts. ``has_place``: whether it
    could join the routes as they are, but for what it costs. ``orders``: those routes.
    """
    table = timetable or Timetable(request)
    unit = _unit(job, table)
    if not request.vehicles:
        return "No vehicle works on this day."
    chosen = next((j.vehicle for j in unit if j.vehicle), None)
    if chosen is not None and chosen not in table.vehicles:
        return f"{chosen}, which must do it, does not work on this day."
    skills = frozenset[str]().union(*(j.skills for j in unit))
    owner = table.owner.get(job.pair_with or "")
    able = [
        v
        for v in request.vehicles
        if all(table.may_do(v, j) for j in unit) and owner in (None, v.id)
    ]
    if not able:
        if not any(skills <= vehicle.offers for vehicle in request.vehicles):
            return _nobody_has(sorted(skills))
        return _outside(request, unit) or "Whoever could do it is ruled out, by its order or depot."
    ids = tuple(j.id for j in unit)
    carrying = [v for v in able if _roomy(v, unit)]
    if not carrying:
        return _too_large(able, unit)
    agreeing = [v for v in carrying if _may_ride(table, v, unit)]
    if not agreeing:
        return "It must not go together with what is fixed on every vehicle that could do it."
    carrying = agreeing
    if any(table.trip(v, (*request.fixed.get(v.id, ()), *ids)) for v in carrying):
        if has_place and all(j.optional for j in unit):
            return "It is optional, and doing it would cost more than it is worth."
        when = "at that time" if any(j.windows for j in unit) else "all day"
        return _taken(table, carrying, ids, orders or {}, when)
    return _too_late(table, carrying, unit, job)


def _nobody_has(skills: Sequence[str]) -> str:
    *others, last = skills
    if not others:
        return f"No driver or vehicle of this day has {last}."
    return f"No driver of this day has, with their vehicle, {', '.join(others)} and {last}."


def _unit(job: JobToPlan, table: Timetable) -> tuple[JobToPlan, ...]:
    other = table.jobs.get(job.pair_with) if job.pair_with else None
    if other is None or other.id in table.owner:
        return (job,)
    return (job, other) if job.leg == "collect" else (other, job)


def _taken(
    table: Timetable,
    vehicles: Sequence[VehicleToPlan],
    ids: Sequence[str],
    orders: Mapping[str, Sequence[str]],
    when: str,
) -> str:
    """Why none of ``vehicles`` has a place left, each of which could do it on an empty day."""
    parted = [
        vehicle
        for vehicle in vehicles
        if not table.loading.may_share((*(had := orders.get(vehicle.id, ())), *ids), len(had))
    ]
    full = f"{FULL} {when}"
    if not parted:
        return f"{full}."
    return APART if len(parted) == len(vehicles) else f"{full}, or {OR_APART}"


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
    load = _rides(unit)
    return all(load.get(name, 0) <= limit for name, limit in vehicle.capacity.items())


def _rides(unit: Sequence[JobToPlan]) -> Mapping[str, int]:
    """What is on board because of it: nothing for work at a door, nor for a half that is brought
    when its other half is fixed.
    """
    first = unit[0]
    is_brought = first.pair_with is not None and first.leg == "deliver"
    is_work = first.pair_with is None and first.load_direction == "none"
    return {} if is_brought or is_work else first.load


def _may_ride(table: Timetable, vehicle: VehicleToPlan, unit: Sequence[JobToPlan]) -> bool:
    """Whether no rule about what goes together keeps ``unit`` off the vehicle's fixed route."""
    fixed = table.request.fixed.get(vehicle.id, ())
    order = (*fixed, *(job.id for job in unit))
    return table.loading.agrees(vehicle, order, len(fixed))


def _too_large(able: Sequence[VehicleToPlan], unit: Sequence[JobToPlan]) -> str:
    for name, load in _rides(unit).items():
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
    table: Timetable, vehicles: Sequence[VehicleToPlan], unit: Sequence[JobToPlan], job: JobToPlan
) -> str:
    soonest = min(_soonest(table, vehicle, unit[0]) for vehicle in vehicles)
    zone = unit[0].windows[0].opens if unit[0].windows else vehicles[0].shift.opens
    windows = table.windows[unit[0].id]
    last_shift = max(span_of(v.shift)[1] + v.overtime_s for v in vehicles)
    its = "Its window" if job is unit[0] else "The window where it is collected"
    if windows and max(closes for _, closes in windows) < soonest:
        last = max(closes for _, closes in windows)
        said = f"{its} closes at {_clock(last, zone)}; the earliest arrival is"
        return f"{said} {_clock(soonest, zone)}{_for_its_goods(table, vehicles, unit[0], last)}."
    if windows and min(opens for opens, _ in windows) > last_shift:
        opens = _clock(min(opens for opens, _ in windows), zone)
        return f"{its} opens at {opens}, when the last shift for it is over."
    if soonest > last_shift:
        return (
            f"No vehicle for it can be there before its shift ends at {_clock(last_shift, zone)}."
        )
    return _ruled_out(rules_in_the_way(table, vehicles, unit), _clock(last_shift, zone))


def _for_its_goods(
    table: Timetable, vehicles: Sequence[VehicleToPlan], job: JobToPlan, last: int
) -> str:
    """Where only its goods keep somebody from being there by ``last``, that."""
    if job.ready_at is None:
        return ""
    at_once = replace(job, ready_at=None)
    if min(_soonest(table, vehicle, at_once) for vehicle in vehicles) > last:
        return ""
    like = job.windows[0].opens if job.windows else vehicles[0].shift.opens
    return f", for its goods are ready at {_clock(int(job.ready_at.timestamp()), like)}"


def _ruled_out(rules: Sequence[Rule], ends: str) -> str:
    """``ends``: when the last shift for it is over."""
    match tuple(rules):
        case (Rule.MAX_JOBS,):
            return "Whoever could do it would have more jobs in a day than they may."
        case (Rule.ROOM,):
            return "What is fixed leaves no room for it on any vehicle that could do it otherwise."
        case (Rule.DISTANCE,):
            return "It is farther than any vehicle that could do it otherwise may drive in a day."
        case (Rule.SHIFT,):
            return f"Whoever did it would not be back when the shift ends at {ends}."
        case (Rule.DURATION,):
            return (
                "With the way there and back it takes longer than the longest day of anybody who"
                " could do it."
            )
        case (Rule.BREAKS,):
            return "The breaks of whoever could do it leave no time for it."
        case (Rule.ON_BOARD,):
            return "It would be on board for longer than it may."
        case (Rule.READY,):
            return "Its goods are ready too late for anybody who could do it otherwise."
        case (Rule.WINDOWS,):
            return "Nobody who could do it otherwise can be there within its windows."
        case ():
            return "What is fixed on every vehicle that could do it keeps it out."
    names = [IN_THE_WAY[rule] for rule in rules]
    return f"It cannot be done within {', '.join(names[:-1])} and {names[-1]} all at once."


def _soonest(table: Timetable, vehicle: VehicleToPlan, job: JobToPlan) -> int:
    """When ``vehicle`` could stand at the door, straight after what is fixed."""
    fixed = table.request.fixed.get(vehicle.id, ())
    trip = table.trip(vehicle, fixed)
    place, since = vehicle.start, span_of(vehicle.shift)[0]
    if trip is not None and trip.stops:
        place, since = table.jobs[trip.stops[-1][0]].place, trip.stops[-1][3]
    elif job.ready_at is not None and starts_on_board(job):
        since = max(since, span_of(vehicle.shift)[0], int(job.ready_at.timestamp()))
    drive = table.request.travel[vehicle.profile].seconds[place][job.place]
    walk_s = vehicle.at_door_s(table.request.access_s.get(job.place, 0))
    return table.arrival(vehicle, since, drive) + walk_s


def _clock(seconds: int, like: datetime) -> str:
    return f"{instant(seconds).astimezone(like.tzinfo):%H:%M}"
