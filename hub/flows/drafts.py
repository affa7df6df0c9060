"""Store what a plan says as draft routes. Published routes are never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby, pairwise

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from hub.core import jobs
from hub.core.errors import HubError
from hub.core.jobs import Act, State
from hub.core.loading import starts_on_board
from hub.core.planning import Plan, Reload, Visit
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    JobRow,
    OrderRow,
    PlanRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
)
from hub.db.unit import Unit
from hub.flows.by_hand import shifts_as_seen
from hub.flows.day import Day
from hub.flows.day_due import published_shifts
from hub.flows.depot_places import place_of_depot
from hub.flows.rests import rests_kept
from hub.flows.roads import UNKNOWN, Way
from hub.flows.take_overs import forget


class PlanOutdated(HubError):
    """Jobs changed while the plan was being made; make it again."""


def store_drafts(
    unit: Unit,
    now: datetime,
    business_id: str,
    day: date,
    seen: Day,
    plan: Plan,
    ways: Mapping[str, Way],
) -> None:
    """Replace the drafts of the planned depots by ``plan``. ``ways``: shift id -> line driven.

    Raises ``PlanOutdated`` when what was planned is no longer as it was ``seen``.
    """
    unit.session.get_one(BusinessRow, business_id, with_for_update=True)
    rows = {
        job.id: job
        for job in unit.session.exec(
            select(JobRow)
            .where(JobRow.business_id == business_id, col(JobRow.id).in_(list(seen.versions)))
            .with_for_update()
        )
    }
    taken = published_shifts(unit.session, business_id, day)
    unchanged = {job_id: job.version for job_id, job in rows.items()} == seen.versions
    if not unchanged or taken.intersection(shift.id for shift in seen.shifts):
        raise PlanOutdated("Orders changed while this day was being planned. Plan it again.")
    if not shifts_as_seen(unit.session, seen):
        raise PlanOutdated(
            "Working hours or first stops changed while this day was planned. Plan it again."
        )
    for route in _drafts(unit.session, business_id, day, seen):
        drop_draft(unit, route)
    for job in rows.values():
        if State(job.state) is not State.CREATED:
            job.state = jobs.after(State(job.state), Act.UNPLAN)
    for shift in seen.shifts:
        if visits := plan.routes.get(shift.id):
            route = _route(unit, day, shift, plan, ways.get(shift.id, UNKNOWN))
            _store_trips(unit, route, visits, plan.reloads.get(shift.id, ()), seen, rows, now)


def drafted(session: Session, seen: Day) -> dict[str, tuple[str, ...]]:
    """Shift id -> the jobs of its draft, in their order."""
    shifts = [shift.id for shift in seen.shifts]
    rows = session.exec(
        select(RouteRow.shift_id, StopJobRow.job_id)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .where(
            RouteRow.business_id == seen.depot.business_id,
            col(RouteRow.shift_id).in_(shifts),
            col(RouteRow.published_at).is_(None),
        )
        .order_by(col(StopRow.n), OrderRow.number, col(JobRow.leg))
    )
    planned = {job.id for job in seen.request.jobs}
    orders: dict[str, list[str]] = {}
    for shift_id, job_id in rows:
        if job_id in planned:
            orders.setdefault(shift_id, []).append(job_id)
    return {id: tuple(order) for id, order in orders.items()}


def drop_draft(unit: Unit, route: RouteRow) -> None:
    """Delete a draft; its jobs wait to be planned again."""
    assert route.published_at is None, "a published route is never deleted"
    mine = (StopRow.business_id == route.business_id, StopRow.route_id == route.id)
    stops = select(StopRow.id).where(*mine)
    for job in unit.session.exec(
        select(JobRow)
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .where(JobRow.business_id == route.business_id, col(StopJobRow.stop_id).in_(stops))
    ):
        if State(job.state) in (State.PLANNED, State.ASSIGNED):
            job.state = jobs.after(State(job.state), Act.UNPLAN)
    unit.session.flush()
    forget(unit.session, route.business_id, unit.session.exec(stops).all())
    unit.session.exec(
        delete(StopJobRow).where(
            col(StopJobRow.business_id) == route.business_id, col(StopJobRow.stop_id).in_(stops)
        )
    )
    unit.session.exec(
        delete(StopRow).where(
            col(StopRow.business_id) == route.business_id, col(StopRow.route_id) == route.id
        )
    )
    unit.session.delete(route)
    unit.session.flush()


def next_n(session: Session, business_id: str, depot_id: str, day: date) -> int:
    """The number of the next planning run of a depot and day."""
    last = session.exec(
        select(func.max(PlanRow.n)).where(
            PlanRow.business_id == business_id, PlanRow.depot_id == depot_id, PlanRow.day == day
        )
    ).one()
    return (last or 0) + 1


def _drafts(session: Session, business_id: str, day: date, seen: Day) -> Sequence[RouteRow]:
    """The planned depots' drafts, and whatever draft holds one of the shifts planned for."""
    drafts = session.exec(
        select(RouteRow).where(
            RouteRow.business_id == business_id,
            RouteRow.day == day,
            col(RouteRow.published_at).is_(None),
        )
    ).all()
    shifts = {shift.id for shift in seen.shifts}
    return [r for r in drafts if r.depot_id in seen.depot_ids or r.shift_id in shifts]


def _route(unit: Unit, day: date, shift: ShiftRow, plan: Plan, way: Way) -> RouteRow:
    span = plan.spans[shift.id]
    route = RouteRow(
        business_id=shift.business_id,
        shift_id=shift.id,
        depot_id=shift.depot_id,
        driver_id=shift.driver_id,
        vehicle_id=shift.vehicle_id,
        day=day,
        leaves_at=span.opens,
        back_at=span.closes,
        geometry=way.geometry,
        distance_m=way.distance_m,
        rests=rests_kept(plan.breaks.get(shift.id, ())),
    )
    unit.session.add(route)
    unit.session.flush()
    return route


def _store_trips(
    unit: Unit,
    route: RouteRow,
    visits: Sequence[Visit],
    reloads: Sequence[Reload],
    seen: Day,
    rows: Mapping[str, JobRow],
    now: datetime,
) -> None:
    """The stops from one loading to the next, and those at the depot between them."""
    edges = [0, *(reload.after_visits for reload in reloads), len(visits)]
    n = 0
    for trip, (begins, ends) in enumerate(pairwise(edges)):
        if trip:
            n += 1
            _store_reload(unit, route, n, reloads[trip - 1], visits[begins:ends], seen, now)
        n = _store_stops(unit, route, n, visits[begins:ends], seen, rows)


def _store_reload(
    unit: Unit,
    route: RouteRow,
    n: int,
    reload: Reload,
    visits: Sequence[Visit],
    seen: Day,
    now: datetime,
) -> None:
    """Back at the depot, to load what ``visits`` bring."""
    depot = unit.session.exec(
        select(DepotRow).where(
            DepotRow.business_id == route.business_id, DepotRow.id == route.depot_id
        )
    ).one()
    jobs = {job.id: job for job in seen.request.jobs}
    vehicle = next(one for one in seen.request.vehicles if one.id == route.shift_id)
    stop = StopRow(
        business_id=route.business_id,
        route_id=route.id,
        n=n,
        place_id=place_of_depot(unit.session, depot, now).id,
        arrive_at=reload.arrive,
        depart_at=reload.depart,
    )
    unit.session.add(stop)
    unit.session.flush()
    row = TakeOverRow(
        business_id=route.business_id,
        stop_id=stop.id,
        from_route_id=route.id,
        van="",
        driver="",
        place=depot.name,
        job_ids=[v.job_id for v in visits if starts_on_board(jobs[v.job_id])],
        service_s=vehicle.reload_s,
        is_reload=True,
    )
    unit.session.add(row)
    unit.session.flush()


def _store_stops(
    unit: Unit,
    route: RouteRow,
    after: int,
    visits: Sequence[Visit],
    seen: Day,
    rows: Mapping[str, JobRow],
) -> int:
    """One stop for visits of the same place in a row; the number of the last, ``after`` before."""
    n = after
    for place_id, group in groupby(visits, key=lambda visit: seen.place_ids[visit.job_id]):
        n += 1
        here = list(group)
        stop = StopRow(
            business_id=route.business_id,
            route_id=route.id,
            n=n,
            place_id=place_id,
            arrive_at=here[0].arrive,
            depart_at=here[-1].depart,
        )
        unit.session.add(stop)
        unit.session.flush()
        for visit in here:
            job = rows[visit.job_id]
            job.state = jobs.after(jobs.after(State(job.state), Act.PLAN), Act.ASSIGN)
            unit.session.add(
                StopJobRow(business_id=route.business_id, stop_id=stop.id, job_id=job.id)
            )
    return n
