"""A day as planning must know it: what is due, who works, where from, and how far apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta, timezone
from typing import TYPE_CHECKING, Literal, cast
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.day_wishes import Aim, aimed, knowing, uneven_per_hour, vehicles_known
from hub.core.errors import ConfigError
from hub.core.orders import IncomingOrder
from hub.core.planning import JobToPlan, PlanRequest, TravelMatrix, VehicleToPlan
from hub.core.values import Point, TimeWindow
from hub.core.zones import zoned
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    PlaceRow,
    ShiftRow,
    VehicleRow,
)
from hub.flows.day_due import (
    Due,
    due_jobs,
    homes_of,
    on_other_routes,
    published_shifts,
    windows_of,
    with_both_legs,
)
from hub.flows.day_rules import (
    Crew,
    UsualTimes,
    busy_elsewhere,
    drivers_for,
    goes_home,
    last_there,
    loading_again,
    rules_of_crew,
    rules_of_order,
    usual_turns,
    with_breaks,
)
from hub.flows.day_under_way import from_now, leaves_from, still_at_work
from hub.flows.fleet_rules import profile_of
from hub.flows.kept_apart import apart_jobs
from hub.flows.kept_first import kept_although, kept_first
from hub.flows.roads import NO_ROAD_S, OFF_MAP, Rush, travel_of_day
from hub.flows.shifts import shifts_on
from hub.flows.sync import order_report
from hub.flows.zones import kept_to, zones_here, zones_of

if TYPE_CHECKING:
    from hub.app import Hub

Direction = Literal["deliver", "collect", "none"]
LARGE_JOBS, S_A_JOB = 700, 0.03  # five minutes for 10,000
HALF_OFF_MAP = "The other half of its pair lies off the map: no road leads there."
ALL_OFF_MAP = "No road on the map joins the depot and its pin: one of them lies off the map."


@dataclass(frozen=True)
class Day:
    """What planning needs to know, read at one moment. ``versions``: job id -> version."""

    depot: DepotRow
    depot_ids: tuple[str, ...]  # whose drafts this plan replaces
    shifts: tuple[ShiftRow, ...]
    request: PlanRequest
    versions: dict[str, int]
    place_ids: dict[str, str]  # job id -> place id
    # Job id -> why (no road, no such driver) it is not in ``request`` although it is due.
    off_map: dict[str, str]
    notes: tuple[str, ...] = ()  # on its travel times, for the dispatcher


def read_day(
    hub: Hub,
    business_id: str,
    day: date,
    time_limit_s: float,
    depot_id: str = "",
    aim: Aim | None = None,
) -> Day:
    """The planning request of a day, for one depot or (without ``depot_id``) all of them.

    Of a shift under way it has what is left. ``time_limit_s``: more for large days. ``aim``
    ``None``: as the business has it. Raises ``ConfigError`` when nobody works, everybody is on a
    published route already, or the working hours are over;
    ``LookupError`` for an unknown depot.
    """
    everyone, now = shifts_on(hub, business_id, day), hub.now()
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        depots = _depots(session, business_id)
        if depot_id and depot_id not in depots:
            raise LookupError(f"no depot {depot_id}")
        taken = published_shifts(session, business_id, day)
        working = [s for s in everyone if depot_id in ("", s.depot_id)]
        free = [shift for shift in working if shift.id not in taken]
        shifts = tuple(still_at_work(free, now))
        at = f" at {depots[depot_id].name}" if depot_id else ""
        if not working:
            raise ConfigError(
                f"No driver is free{at} on {day:%A %d %B}. Add a driver with a shift."
            )
        homes = [depots[id] for id in dict.fromkeys(shift.depot_id for shift in everyone)]
        ours = (depot_id,) if depot_id else tuple(depots)
        away = on_other_routes(session, business_id, day, ours)
        zone = ZoneInfo(business.zone)  # what is said of a plan names moments in it too
        rows = due_jobs(session, business_id, day, zone)
        rows = with_both_legs(session, business_id, [r for r in rows if r[0].id not in away])
        reports = {order.id: order_report.validate_python(order.report) for _, order, _ in rows}
        home_of = homes_of(rows, reports, homes)
        rows = [row for row in rows if not depot_id or home_of[row[0].id] == depot_id]
        if free and not shifts:
            raise ConfigError(
                f"No driver who is free{at} on {day:%A %d %B} has working hours left. Plan another"
                " day, or give somebody longer hours under “Who drives on this day”."
            )
        if not shifts:
            raise ConfigError(f"All drivers{at} already have a published route; {_rest(rows)}.")
        crews = _crews(session, business_id, shifts)
        rest = _crews(session, business_id, [s for s in everyone if s.id not in crews])
        busy = busy_elsewhere(rest, taken, {s.id for s in free} - crews.keys(), depots)
        known = vehicles_known(
            last_there(session, business_id, {place.id for _, _, place in rows}, day),
            {job.id: place.id for job, _, place in rows},
            {shift.driver_id: shift.id for shift in shifts},
        )
        zones = zones_of(session, business_id)
        usual = BusinessSettings.model_validate(business.settings)
        at_place = {job.id: place.id for job, _, place in rows}
        parted = apart_jobs(session, business_id, at_place)
        first = kept_first(session, business_id, shifts, at_place)
        turns = (
            usual_turns(session, business_id, at_place, shifts, day)
            if usual.known_order_cost
            else {}
        )
    aim = aim or usual.aim
    points, index = _points(rows, shifts, depots)
    vehicles = tuple(
        aimed(with_breaks(from_now(vehicle_to_plan(*crew, index), now), *crew[:2], zone), aim)
        for crew in (crews[shift.id] for shift in shifts)
    )
    others = _vehicles_elsewhere(shifts)
    pairs = _pairs([job for job, _, _ in rows])
    choice = {order_id: drivers_for(report, crews, busy) for order_id, report in reports.items()}
    to_plan = [
        replace(
            job_to_plan(
                job,
                reports[job.order_id],
                index[place.id],
                place,
                UsualTimes.at(depots[home_of[job.id]], usual).of(job),
                pairs,
            ),
            vehicle=choice[job.order_id].vehicle,
            forbidden_vehicles=others.get(home_of[job.id], frozenset(s.id for s in shifts))
            | choice[job.order_id].forbidden,
        )
        for job, _, place in rows
    ]
    vehicles = tuple(_loading(one, crews[one.id], depots, index) for one in vehicles)
    in_zones = {place.id: zones_here(zones, place) for _, _, place in rows}
    to_plan = [zoned(replace(j, zones=in_zones[at_place[j.id]]), vehicles) for j in to_plan]
    to_plan = [knowing(j, known.get(j.id), usual.known_driver_cost) for j in to_plan]
    rush, notes = Rush.of(business, day, day), list[str]()
    starts_at = vehicles[0].shift.opens
    travel = {
        profile: rush.slow(
            travel_of_day(hub, business_id, points, starts_at, profile, notes), profile
        )
        for profile in {vehicle.profile for vehicle in vehicles}
    }
    off_map = _off_map(to_plan, vehicles, travel)
    off_map |= {job.id: why for job, _, _ in rows if (why := choice[job.order_id].why_not)}
    fixed = {id: kept for id, ids in first.items() if (kept := _left(ids, off_map))}
    notes += kept_although(
        fixed,
        {job.id: job for job in to_plan},
        {van.id: van for van in vehicles},
        {job.id: order.number for job, order, _ in rows},
        {id: driver.name for id, (_, driver, _) in crews.items()},
    )
    planned = at_place.keys() - off_map.keys()
    request = PlanRequest(
        places=tuple(points),
        travel=travel,
        jobs=tuple(_job_here(job, zone) for job in to_plan if job.id not in off_map),
        vehicles=tuple(replace(van, shift=_here(van.shift, zone)) for van in vehicles),
        fixed=fixed,
        access_s={index[p.id]: p.access_s for _, _, p in rows if p.access_s},
        never_together=frozenset(usual.apart) | {two for two in parted if planned >= set(two)},
        uneven_per_hour=uneven_per_hour(aim),
        before={id: _left(ids, off_map) for id, ids in turns.items()},
        reorder_cost=usual.known_order_cost,
        not_before=leaves_from(now),
        time_limit_s=max(time_limit_s, _at_least_s(len(to_plan))),
    )
    return Day(
        depots[depot_id or shifts[0].depot_id],
        ours,
        shifts,
        request,
        {job.id: job.version for job, _, _ in rows},
        at_place,
        off_map,
        tuple(dict.fromkeys(notes)),
    )


def _at_least_s(jobs: int) -> float:
    """Nobody who plans thousands of jobs wants what ten seconds can do for them."""
    return S_A_JOB * jobs if jobs >= LARGE_JOBS else 0.0


def _left(ids: Sequence[str], out: Collection[str]) -> tuple[str, ...]:
    return tuple(id for id in ids if id not in out)


def _job_here(job: JobToPlan, zone: ZoneInfo) -> JobToPlan:
    return replace(job, windows=tuple(_here(window, zone) for window in job.windows))


def _here(span: TimeWindow, zone: ZoneInfo) -> TimeWindow:
    """The same moments as clocks in ``zone`` show them: reasons are told in them.

    With the offset of that day, not the zone: what is reckoned with them may cross its change.
    """
    here = timezone(span.opens.astimezone(zone).utcoffset() or timedelta())
    return TimeWindow(span.opens.astimezone(here), span.closes.astimezone(here))


def _rest(rows: Sequence[Due]) -> str:
    match len(rows):
        case 0:
            return "no job is left to plan"
        case 1:
            return "add the remaining job to one of them"
    return f"add the {len(rows)} remaining jobs to one of them"


def job_to_plan(
    job: JobRow,
    report: IncomingOrder,
    index: int,
    place: PlaceRow,
    usual_s: int,
    pairs: Mapping[str, str],
) -> JobToPlan:
    """``usual_s``: where nothing else is known; ``pairs``: job id -> the id of its other half."""
    direction = {"deliver": "deliver", "collect": "collect", "serve": "none"}[job.kind]
    return JobToPlan(
        id=job.id,
        place=index,
        service_s=service_s(job, place, usual_s),
        load={
            **report.loads,
            "g": report.load_g,
            "cm3": report.load_cm3,
            "parcels": report.load_parcels,
        },
        load_direction=cast(Direction, direction),
        windows=windows_of(job),
        skills=report.skills,
        goods=report.all_goods,
        priority=report.priority,
        pair_with=pairs.get(job.id),
        leg="collect" if job.id in pairs and job.leg == 1 else "deliver",
        **rules_of_order(job, report, is_half=job.id in pairs),
    )


def service_s(job: JobRow, place: PlaceRow, usual_s: int) -> int:
    """What the order says, else what was learned at the door, else the usual."""
    known = [s for s in (job.service_s, place.service_s) if s is not None]
    return known[0] if known else usual_s


def vehicle_to_plan(
    shift: ShiftRow, driver: DriverRow, van: VehicleRow | None, index: Mapping[str, int]
) -> VehicleToPlan:
    """The driver with their vehicle for one shift; ``van`` is ``None`` when none is named."""
    return VehicleToPlan(
        id=shift.id,
        start=index[shift.depot_id],
        end=None if goes_home(driver) else index[shift.end_depot_id or shift.depot_id],
        shift=TimeWindow(shift.starts_at, shift.ends_at),
        capacity={k: int(v) for k, v in van.capacity.items()} if van else {},
        offers=frozenset(driver.skills) | frozenset(van.skills if van else ()),
        profile=profile_of(van),
        keeps_to=kept_to(shift, driver, van),
        **rules_of_crew(driver, van),
    )


def _loading(
    vehicle: VehicleToPlan, crew: Crew, depots: Mapping[str, DepotRow], index: Mapping[str, int]
) -> VehicleToPlan:
    shift, _, van = crew
    return replace(vehicle, **loading_again(depots[shift.depot_id], van, index[shift.depot_id]))


def _depots(session: Session, business_id: str) -> dict[str, DepotRow]:
    query = select(DepotRow).where(DepotRow.business_id == business_id)
    return {row.id: row for row in session.exec(query.order_by(col(DepotRow.id)))}


def _crews(session: Session, business_id: str, shifts: Sequence[ShiftRow]) -> dict[str, Crew]:
    drivers = {
        row.id: row
        for row in session.exec(select(DriverRow).where(DriverRow.business_id == business_id))
    }
    vans = {
        row.id: row
        for row in session.exec(select(VehicleRow).where(VehicleRow.business_id == business_id))
    }
    return {s.id: (s, drivers[s.driver_id], vans.get(s.vehicle_id or "")) for s in shifts}


def _points(
    rows: Sequence[Due], shifts: Sequence[ShiftRow], depots: Mapping[str, DepotRow]
) -> tuple[list[Point], dict[str, int]]:
    ends = [id for shift in shifts for id in (shift.depot_id, shift.end_depot_id or shift.depot_id)]
    at = {id: Point(depots[id].lat, depots[id].lon) for id in ends}
    at |= {place.id: Point(place.lat or 0.0, place.lon or 0.0) for _, _, place in rows}
    return list(at.values()), {id: n for n, id in enumerate(at)}


def _off_map(
    jobs: Sequence[JobToPlan],
    vehicles: Sequence[VehicleToPlan],
    travel: Mapping[str, TravelMatrix],
) -> dict[str, str]:
    """Why for every job that no vehicle can drive to, and for its other half."""
    starts = {(vehicle.profile, vehicle.start) for vehicle in vehicles}
    places = [job.place for job in jobs]
    rows = [travel[profile].block([start], places)[0][0].tolist() for profile, start in starts]
    lost = {job.id for n, job in enumerate(jobs) if all(row[n] >= NO_ROAD_S for row in rows)}
    # One lost pin is its own fault; if all are lost, the depot may be what is wrong.
    why = ALL_OFF_MAP if len(lost) == len(jobs) else OFF_MAP
    halves = {job.id: HALF_OFF_MAP for job in jobs if job.pair_with in lost}
    return halves | dict.fromkeys(lost, why)


def _vehicles_elsewhere(shifts: Sequence[ShiftRow]) -> dict[str, frozenset[str]]:
    """Depot id -> the vehicles that start from another one: its goods are not there."""
    return {
        here: frozenset(shift.id for shift in shifts if shift.depot_id != here)
        for here in {shift.depot_id for shift in shifts}
    }


def _pairs(rows: Sequence[JobRow]) -> dict[str, str]:
    legs: dict[tuple[str, int], list[str]] = defaultdict(list)
    for job in rows:
        legs[job.order_id, job.attempt].append(job.id)
    twos = [ids for ids in legs.values() if len(ids) == 2]
    return {a: b for ids in twos for a, b in (ids, reversed(ids))}
