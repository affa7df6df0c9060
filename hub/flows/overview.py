"""Read a planned day for whoever shows it, in a fixed number of queries, however large it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from hub.core.breaks_had import not_told
from hub.core.fit import begins_as_told
from hub.core.jobs import ON_A_PHONE, Outcome, State
from hub.core.orders import IncomingOrder
from hub.core.values import TimeWindow
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    EstimateRow,
    JobRow,
    OrderRow,
    PlaceRow,
    PlanRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows.breaks import breaks_of
from hub.flows.day_due import Due, due_jobs, windows_of, with_both_legs
from hub.flows.day_seen import (
    Counts,
    DaySeen,
    JobSeen,
    Loads,
    RouteSeen,
    StopSeen,
    TakeOverSeen,
    Unserved,
)
from hub.flows.rests import late_rests, rests_read
from hub.flows.roads import Rush
from hub.flows.route_now import promises_of
from hub.flows.sync import address_document, order_report
from hub.flows.ways_found import WaysSeen, ways_seen

if TYPE_CHECKING:
    from hub.app import Hub

NEW = "It is not planned yet."
TORN = "The other half of its pair cannot be planned yet."
SETS_OUT = frozenset({State.EN_ROUTE, State.ARRIVED})
ENDED = frozenset({Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.FAILED})
WORTH_SAYING = timedelta(minutes=1)

__all__ = ["Counts", "DaySeen", "JobSeen", "RouteSeen", "StopSeen", "Unserved", "day_seen"]


def day_seen(hub: Hub, business_id: str, day: date) -> DaySeen:
    """The routes of ``day``, what is on none of them, and how many jobs wait for a pin."""
    now = hub.now()
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        plans = _latest_plans(session, business_id, day)
        stops = _stops(session, business_id, day, now)
        fetched = _take_overs(session, business_id, day, stops)
        depots = {
            row.id: row
            for row in session.exec(select(DepotRow).where(DepotRow.business_id == business_id))
        }
        rush = Rush.of(business, day, day)
        routes = tuple(
            _route(
                route,
                driver,
                shift,
                depots[route.depot_id],
                van,
                stops.get(route.id, ()),
                fetched.get(route.id, ()),
                rush,
            )
            for route, driver, shift, van in session.exec(
                select(RouteRow, DriverRow, ShiftRow, VehicleRow)
                .join(DriverRow, col(DriverRow.id) == col(RouteRow.driver_id))
                .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
                .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
                .where(RouteRow.business_id == business_id, RouteRow.day == day)
                .order_by(DriverRow.name, RouteRow.id)
            )
        )
        left_out = _left_out(session, business_id, day, ZoneInfo(business.zone), plans)
        to_review = session.exec(
            select(func.count()).where(
                JobRow.business_id == business_id, JobRow.state == State.NEEDS_REVIEW
            )
        ).one()
    return DaySeen(routes, left_out, to_review, plans)


def _latest_plans(session: Session, business_id: str, day: date) -> tuple[PlanRow, ...]:
    runs = session.exec(
        select(PlanRow)
        .where(PlanRow.business_id == business_id, PlanRow.day == day)
        .order_by(col(PlanRow.created_at), col(PlanRow.n))
    )
    latest: dict[str, PlanRow] = {}
    for run in runs:
        latest.pop(run.depot_id, None)
        latest[run.depot_id] = run
    return tuple(latest.values())


def _stops(
    session: Session, business_id: str, day: date, now: datetime
) -> dict[str, tuple[StopSeen, ...]]:
    """Route id -> its stops in order."""
    rows = session.exec(
        select(StopRow, PlaceRow, JobRow, OrderRow)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .where(StopRow.business_id == business_id, RouteRow.day == day)
        .order_by(col(StopRow.n), OrderRow.number)
    ).all()
    ids = [job.id for _, _, job, _ in rows]
    promises = promises_of(session, business_id, ids)
    estimates = dict(
        session.exec(
            select(EstimateRow.job_id, EstimateRow.p50).where(
                EstimateRow.business_id == business_id, col(EstimateRow.job_id).in_(ids)
            )
        ).all()
    )
    here: dict[str, tuple[StopRow, PlaceRow, list[JobSeen]]] = {}
    for stop, place, job, order in rows:
        jobs = here.setdefault(stop.id, (stop, place, []))[2]
        clock = jobs[-1].eta if jobs else stop.arrive_at
        told = promises.get(job.id)
        # On a draft what was told before is told anew, so nobody waits for it.
        waits_for = told if job.state in ON_A_PHONE else None
        arrive = estimates.get(job.id) or clock
        eta = begins_as_told(windows_of(job), arrive, waits_for)
        jobs.append(_job(job, order, eta, told, now))
    found: dict[str, list[StopSeen]] = {}
    for stop, place, jobs in here.values():
        found.setdefault(stop.route_id, []).append(
            StopSeen(
                stop.id,
                stop.n,
                stop.arrive_at,
                stop.depart_at,
                address_document.validate_python(place.address).one_line(),
                place.id,
                place.lat,
                place.lon,
                tuple(jobs),
            )
        )
    return {route_id: tuple(stops) for route_id, stops in found.items()}


def _job(
    job: JobRow, order: OrderRow, eta: datetime, promise: TimeWindow | None, now: datetime
) -> JobSeen:
    report: IncomingOrder = order_report.validate_python(order.report)
    name = report.contacts[0].name if report.contacts else ""
    windows = windows_of(job)
    return JobSeen(
        id=job.id,
        order_id=order.id,
        number=order.number,
        name=name,
        kind=job.kind,
        attempt=job.attempt,
        leg=job.leg,
        state=job.state,
        outcome=job.outcome,
        reason=job.reason,
        windows=windows,
        promise=promise,
        eta=job.closed_occurred_at or eta,
        late=_late(job, eta, promise, windows, now),
        early=_early(job, eta, promise),
        load={"g": report.load_g, "cm3": report.load_cm3, "parcels": report.load_parcels},
        wished=report.wished if job.kind == report.kind else None,
    )


def _late(
    job: JobRow,
    eta: datetime,
    promise: TimeWindow | None,
    windows: Sequence[TimeWindow],
    now: datetime,
) -> bool:
    """Judged against the promise, else against the last window; an open job also by the clock."""
    due = promise.closes if promise else max((w.closes for w in windows), default=None)
    if due is None or job.outcome == Outcome.CANCELLED:
        return False
    if job.state == State.CLOSED:
        return job.closed_occurred_at is not None and job.closed_occurred_at > due
    return max(eta, now) > due


def _early(job: JobRow, eta: datetime, promise: TimeWindow | None) -> bool:
    """Somebody came, or will come, before the recipient was told to expect anybody."""
    if promise is None or job.outcome == Outcome.CANCELLED:
        return False
    if job.state == State.CLOSED:
        at = job.closed_occurred_at or promise.opens
    else:
        at = eta if job.state in ON_A_PHONE else promise.opens
    return promise.opens - at >= WORTH_SAYING


def _take_overs(
    session: Session, business_id: str, day: date, stops: Mapping[str, Sequence[StopSeen]]
) -> dict[str, list[TakeOverSeen]]:
    """Route id -> where it fetches what another van had on board, or its own next load."""
    rows = session.exec(
        select(StopRow, TakeOverRow)
        .join(TakeOverRow, col(TakeOverRow.stop_id) == col(StopRow.id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(TakeOverRow.business_id == business_id, RouteRow.day == day)
        .order_by(col(StopRow.n))
    ).all()
    found: dict[str, list[TakeOverSeen]] = {}
    for stop, row in rows:
        here = stops.get(stop.route_id, ())
        goods = [job for one in here for job in one.jobs if job.id in row.job_ids]
        if row.is_reload:
            has_set_out = any(job.state in SETS_OUT or job.outcome in ENDED for job in goods)
            waits = not has_set_out and any(one.n > stop.n and not one.closed for one in here)
        else:
            waits = any(job.state != State.CLOSED for job in goods)
        seen = TakeOverSeen(
            stop.n,
            row.van,
            row.place,
            stop.arrive_at,
            stop.depart_at,
            row.done_at,
            row.is_reload,
            sum(job.load["parcels"] for job in goods if not job.cancelled),
            waits or row.done_at is not None,
        )
        found.setdefault(stop.route_id, []).append(seen)
    return found


def _route(
    route: RouteRow,
    driver: DriverRow,
    shift: ShiftRow,
    depot: DepotRow,
    van: VehicleRow | None,
    stops: tuple[StopSeen, ...],
    fetched: Sequence[TakeOverSeen],
    rush: Rush,
) -> RouteSeen:
    return RouteSeen(
        id=route.id,
        version=route.version,
        acknowledged=route.acknowledged,
        driver_id=driver.id,
        driver=driver.name,
        vehicle_id=route.vehicle_id,
        vehicle=van.name if van else "",
        depot_id=depot.id,
        depot=(depot.lat, depot.lon),
        leaves_at=route.leaves_at,
        back_at=route.back_at,
        shift_ends_at=shift.ends_at,
        published=route.published_at is not None,
        distance_m=route.distance_m,
        load=_most_of_trips(stops, [one.n for one in fetched if one.is_reload]),
        capacity={name: int(most) for name, most in van.capacity.items()} if van else {},
        geometry=route.geometry,
        stops=stops,
        take_overs=tuple(one for one in fetched if one.is_needed),
        rests=not_told(rests_read(route.rests), breaks_of(shift)),
        late_rests=late_rests(route, shift, driver, rush.zone),
        kept_first=_kept(route, shift, stops),
        had=breaks_of(shift),
        pace=rush.paces(van.profile if van else "car"),
    )


def _kept(route: RouteRow, shift: ShiftRow, stops: Sequence[StopSeen]) -> frozenset[str]:
    """What stays first when the day is planned again, of the jobs that are still on this draft."""
    if route.published_at is not None:
        return frozenset()
    here = (job.id for stop in stops for job in stop.jobs if not job.cancelled)
    return frozenset(here).intersection(shift.kept_first)


def _most_of_trips(stops: Sequence[StopSeen], reloads: Sequence[int]) -> Loads:
    """For each kind of load, with the numbers of the stops where it is loaded anew."""
    edges = [0, *reloads, max((stop.n for stop in stops), default=0) + 1]
    trips = [
        [job for stop in stops if a < stop.n < b for job in stop.jobs if not job.cancelled]
        for a, b in pairwise(edges)
    ]
    each = [_most_on_board(trip) for trip in trips]
    return {name: max(one[name] for one in each) for name in each[0]}


def _most_on_board(jobs: Sequence[JobSeen]) -> Loads:
    """For each kind of load. What is collected for somebody on this route is not there before."""
    collected = {(job.order_id, job.attempt) for job in jobs if job.kind == "collect"}
    most: Loads = {}
    for name in ("g", "cm3", "parcels"):
        board = peak = sum(
            job.load[name]
            for job in jobs
            if job.kind == "deliver" and (job.order_id, job.attempt) not in collected
        )
        for job in jobs:
            board += job.load[name] * {"collect": 1, "deliver": -1}.get(job.kind, 0)
            peak = max(peak, board)
        most[name] = peak
    return most


def _left_out(
    session: Session, business_id: str, day: date, zone: ZoneInfo, plans: Sequence[PlanRow]
) -> tuple[Unserved, ...]:
    why: Mapping[str, Any] = {
        id: reason for plan in plans for id, reason in plan.result.get("unassigned", {}).items()
    }
    due = [
        row for row in due_jobs(session, business_id, day, zone) if row[0].state == State.CREATED
    ]
    whole = {job.id for job, _, _ in with_both_legs(session, business_id, due)}
    ways = {id: seen for plan in plans for id, seen in ways_seen(plan).items()}
    found = [
        _unserved(row, why.get(row[0].id, NEW), ways.get(row[0].id))
        if row[0].id in whole
        else _unserved(row, TORN, None)
        for row in due
    ]
    return tuple(sorted(found, key=lambda one: (one.number, one.kind)))


def _unserved(row: Due, reason: str, ways: WaysSeen | None) -> Unserved:
    job, order, place = row
    return Unserved(
        job.id,
        order.id,
        order.number,
        job.kind,
        address_document.validate_python(place.address).one_line(),
        place.lat,
        place.lon,
        reason,
        ways,
    )
