"""Plan a day: what is open, who works, which roads; then routes as drafts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, or_, select

from hub.core import jobs
from hub.core.business import BusinessSettings
from hub.core.contracts import RoutingStrategy, TravelTimes
from hub.core.errors import ConfigError, HubError
from hub.core.jobs import Act, State
from hub.core.planning import (
    JobToPlan,
    Plan,
    PlanRequest,
    TravelMatrix,
    VehicleToPlan,
    Visit,
    choose,
    needs_of,
    violations,
)
from hub.core.values import Point, TimeWindow
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    OrderRow,
    PlaceRow,
    PlanRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.db.unit import Unit
from hub.flows.shifts import shifts_on
from hub.flows.sync import order_report
from hub.solving import solve

if TYPE_CHECKING:
    from hub.app import Hub

TRAVEL = ("osrm", "crow")
"""Roads if there is a map, else straight lines."""
Direction = Literal["deliver", "collect", "none"]


class PlanOutdated(HubError):
    """Jobs changed while the plan was being made; make it again."""


@dataclass(frozen=True)
class Day:
    """What planning needs to know, read at one moment. ``versions``: job id -> version."""

    depot: DepotRow
    shifts: tuple[ShiftRow, ...]
    request: PlanRequest
    versions: dict[str, int]
    place_ids: dict[str, str]  # job id -> place id


def plan_day(
    hub: Hub,
    business_id: str,
    day: date,
    *,
    time_limit_s: float = 10.0,
    strategy: str = "",
    apart: bool = False,
) -> PlanRow:
    """Plan every open job of ``day`` and store draft routes; published ones stay as they are.

    ``apart`` solves in a process of its own: a solver that dies or hangs then takes
    nothing with it, and the best plan so far is kept, with a note that says so.
    Raises ``ConfigError`` when nobody works that day, ``PlanOutdated`` when jobs
    changed meanwhile.
    """
    seen = read_day(hub, business_id, day, time_limit_s)
    request = seen.request
    classes = hub.registry.all(RoutingStrategy)
    ready = [hub.provider(RoutingStrategy, cls.key, {}) for cls in classes]
    chosen = choose(ready, strategy or seen.depot.strategy, needs_of(request))
    if apart:
        make = (type(chosen).__module__, type(chosen).__qualname__, dict[str, Any]())
        plan = solve(make, request, data_dir=hub.settings.data_dir)
    else:
        plan = chosen.plan(request, lambda best: True)
    if found := violations(request, plan):
        raise RuntimeError(f"{chosen.key} broke its promise: {found[:3]}")
    with hub.unit() as unit:
        return _store(unit, hub.now(), business_id, day, seen, plan, chosen.key)


def read_day(hub: Hub, business_id: str, day: date, time_limit_s: float) -> Day:
    """The planning request of a day. Raises ``ConfigError`` when nobody works."""
    shifts = tuple(shifts_on(hub, business_id, day))
    with hub.reading() as session:
        taken = set(
            session.exec(
                select(RouteRow.shift_id).where(
                    RouteRow.business_id == business_id,
                    RouteRow.day == day,
                    col(RouteRow.published_at).is_not(None),
                )
            )
        )
        shifts = tuple(shift for shift in shifts if shift.id not in taken)
        if not shifts:
            raise ConfigError(f"No driver is free on {day:%A %d %B}. Add a driver with a shift.")
        business = session.get_one(BusinessRow, business_id)
        usual = BusinessSettings.model_validate(business.settings)
        depots = {
            row.id: row
            for row in session.exec(select(DepotRow).where(DepotRow.business_id == business_id))
        }
        depot = depots[shifts[0].depot_id]
        points = [Point(row.lat, row.lon) for row in depots.values()]
        index = {row_id: n for n, row_id in enumerate(depots)}
        rows = _open_jobs(session, business_id, day, ZoneInfo(business.zone))
        to_plan, versions, place_ids = [], {}, {}
        pairs = _pairs(rows)
        for job, order, place in rows:
            if place.id not in index:
                index[place.id] = len(points)
                points.append(Point(place.lat or 0.0, place.lon or 0.0))
            to_plan.append(_job(job, order, index[place.id], place, usual, pairs))
            versions[job.id], place_ids[job.id] = job.version, place.id
        vehicles = tuple(_vehicle(session, business_id, shift, index) for shift in shifts)
    profiles = {vehicle.profile for vehicle in vehicles}
    travel = {
        profile: travel_between(hub, points, shifts[0].starts_at, profile) for profile in profiles
    }
    request = PlanRequest(
        places=tuple(points),
        travel=travel,
        jobs=tuple(to_plan),
        vehicles=vehicles,
        time_limit_s=time_limit_s,
    )
    return Day(depot, shifts, request, versions, place_ids)


def _open_jobs(
    session: Session, business_id: str, day: date, zone: ZoneInfo
) -> Sequence[tuple[JobRow, OrderRow, PlaceRow]]:
    midnight = datetime.combine(day, datetime.min.time(), zone)
    ends = midnight + timedelta(days=1)
    rows = session.exec(
        select(JobRow, OrderRow, PlaceRow)
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .join(PlaceRow, col(PlaceRow.id) == col(JobRow.place_id))
        .where(
            JobRow.business_id == business_id,
            col(JobRow.state).in_((State.CREATED, State.PLANNED, State.ASSIGNED)),
            col(PlaceRow.lat).is_not(None),
            or_(col(JobRow.due_on).is_(None), col(JobRow.due_on) <= day),
            or_(col(JobRow.not_before).is_(None), col(JobRow.not_before) <= day),
        )
        .order_by(col(JobRow.id))
    ).all()
    # A window of another day is that day's business; a job without one may go any day.
    today = [
        row
        for row in rows
        if not row[0].windows or any(midnight <= w.closes and w.opens < ends for w in _windows(row))
    ]
    return _with_both_legs(session, business_id, today)


def _with_both_legs(
    session: Session, business_id: str, rows: Sequence[tuple[JobRow, OrderRow, PlaceRow]]
) -> Sequence[tuple[JobRow, OrderRow, PlaceRow]]:
    """Without the legs whose other leg is still open but cannot be planned with them."""
    here = {job.id for job, _, _ in rows}
    open_legs = session.exec(
        select(JobRow.id, JobRow.order_id, JobRow.attempt).where(
            JobRow.business_id == business_id,
            JobRow.state != State.CLOSED,
            col(JobRow.order_id).in_([job.order_id for job, _, _ in rows]),
        )
    ).all()
    torn = {(order, attempt) for job, order, attempt in open_legs if job not in here}
    return [row for row in rows if (row[0].order_id, row[0].attempt) not in torn]


def _windows(row: tuple[JobRow, OrderRow, PlaceRow]) -> list[TimeWindow]:
    return [_window(pair) for pair in row[0].windows]


def _window(pair: Sequence[str]) -> TimeWindow:
    return TimeWindow(datetime.fromisoformat(pair[0]), datetime.fromisoformat(pair[1]))


def _pairs(rows: Sequence[tuple[JobRow, OrderRow, PlaceRow]]) -> dict[str, str]:
    legs: dict[tuple[str, int], list[str]] = defaultdict(list)
    for job, _, _ in rows:
        legs[job.order_id, job.attempt].append(job.id)
    twos = [ids for ids in legs.values() if len(ids) == 2]
    return {a: b for ids in twos for a, b in (ids, reversed(ids))}


def _job(
    job: JobRow,
    order: OrderRow,
    place: int,
    row: PlaceRow,
    usual: BusinessSettings,
    pairs: dict[str, str],
) -> JobToPlan:
    report = order_report.validate_python(order.report)
    direction = {"deliver": "deliver", "collect": "collect", "serve": "none"}[job.kind]
    known = [s for s in (job.service_s, row.service_s) if s is not None]
    return JobToPlan(
        id=job.id,
        place=place,
        service_s=known[0] if known else usual.service_s,
        load={
            "g": report.load_g,
            "cm3": report.load_cm3,
            "parcels": report.load_parcels,
        },
        load_direction=cast(Direction, direction),
        windows=tuple(_window(pair) for pair in job.windows),
        skills=report.skills,
        priority=report.priority,
        pair_with=pairs.get(job.id),
        leg="collect" if job.id in pairs and job.leg == 1 else "deliver",
    )


def _vehicle(
    session: Session, business_id: str, shift: ShiftRow, index: dict[str, int]
) -> VehicleToPlan:
    driver = session.exec(
        select(DriverRow).where(
            DriverRow.business_id == business_id, DriverRow.id == shift.driver_id
        )
    ).one()
    van = None
    if shift.vehicle_id:
        van = session.exec(
            select(VehicleRow).where(
                VehicleRow.business_id == business_id, VehicleRow.id == shift.vehicle_id
            )
        ).one()
    return VehicleToPlan(
        id=shift.id,
        start=index[shift.depot_id],
        end=index[shift.end_depot_id or shift.depot_id],
        shift=TimeWindow(shift.starts_at, shift.ends_at),
        capacity={k: int(v) for k, v in van.capacity.items()} if van else {},
        offers=frozenset(driver.skills) | frozenset(van.skills if van else ()),
        profile=van.profile if van else "car",
    )


def travel_between(
    hub: Hub, points: Sequence[Point], depart_at: datetime, profile: str
) -> TravelMatrix:
    """By road where there is a map for this kind of vehicle, else in straight lines."""
    for key in TRAVEL[:-1]:
        try:
            return hub.provider(TravelTimes, key, {}).matrix(points, depart_at, profile)
        except ConfigError as problem:  # no map, or none for this kind of vehicle
            hub.tools.log.info("travel times %s: %s", key, problem)
    return hub.provider(TravelTimes, TRAVEL[-1], {}).matrix(points, depart_at, profile)


def _store(
    unit: Unit, now: datetime, business_id: str, day: date, seen: Day, plan: Plan, strategy: str
) -> PlanRow:
    rows = {
        job.id: job
        for job in unit.session.exec(
            select(JobRow).where(
                JobRow.business_id == business_id, col(JobRow.id).in_(list(seen.versions))
            )
        )
    }
    if {job_id: job.version for job_id, job in rows.items()} != seen.versions:
        raise PlanOutdated("Orders changed while this day was being planned. Plan it again.")
    _drop_drafts(unit, business_id, day)
    for job in rows.values():
        if State(job.state) is not State.CREATED:
            job.state = jobs.after(State(job.state), Act.UNPLAN)
    for shift in seen.shifts:
        if visits := plan.routes.get(shift.id):
            _store_route(unit, business_id, day, shift, plan.spans[shift.id], visits, seen, rows)
    last = unit.session.exec(
        select(func.max(PlanRow.n)).where(PlanRow.business_id == business_id, PlanRow.day == day)
    ).one()
    row = PlanRow(
        business_id=business_id,
        depot_id=seen.depot.id,
        day=day,
        n=(last or 0) + 1,
        state="done",
        strategy=strategy,
        result={"unassigned": dict(plan.unassigned), "cost": plan.cost, "notes": list(plan.notes)},
        created_at=now,
        done_at=now,
    )
    unit.session.add(row)
    return row


def _drop_drafts(unit: Unit, business_id: str, day: date) -> None:
    drafts = unit.session.exec(
        select(RouteRow).where(
            RouteRow.business_id == business_id,
            RouteRow.day == day,
            col(RouteRow.published_at).is_(None),
        )
    ).all()
    for route in drafts:
        for stop in unit.session.exec(
            select(StopRow).where(StopRow.business_id == business_id, StopRow.route_id == route.id)
        ):
            for link in unit.session.exec(
                select(StopJobRow).where(
                    StopJobRow.business_id == business_id, StopJobRow.stop_id == stop.id
                )
            ):
                unit.session.delete(link)
            unit.session.flush()
            unit.session.delete(stop)
        unit.session.flush()
        unit.session.delete(route)
    unit.session.flush()


def _store_route(
    unit: Unit,
    business_id: str,
    day: date,
    shift: ShiftRow,
    span: TimeWindow,
    visits: Sequence[Visit],
    seen: Day,
    rows: dict[str, JobRow],
) -> None:
    route = RouteRow(
        business_id=business_id,
        shift_id=shift.id,
        depot_id=shift.depot_id,
        driver_id=shift.driver_id,
        vehicle_id=shift.vehicle_id,
        day=day,
        leaves_at=span.opens,
        back_at=span.closes,
    )
    unit.session.add(route)
    unit.session.flush()
    stop: StopRow | None = None
    for visit in visits:
        place_id = seen.place_ids[visit.job_id]
        if stop is None or stop.place_id != place_id:
            stop = StopRow(
                business_id=business_id,
                route_id=route.id,
                n=1 if stop is None else stop.n + 1,
                place_id=place_id,
                arrive_at=visit.arrive,
                depart_at=visit.depart,
            )
            unit.session.add(stop)
            unit.session.flush()
        stop.depart_at = visit.depart
        unit.session.add(StopJobRow(business_id=business_id, stop_id=stop.id, job_id=visit.job_id))
        job = rows[visit.job_id]
        job.state = jobs.after(jobs.after(State(job.state), Act.PLAN), Act.ASSIGN)
