"""The open jobs of a day and a depot, whether planned, on a phone, or neither."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from sqlmodel import Session, and_, col, func, or_, select

from hub.core.jobs import ON_A_PHONE, State
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    JobRow,
    OrderRow,
    PlaceRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.day_due import Due, due_jobs, homes_of
from hub.flows.sync import order_report


def open_jobs(
    session: Session, business_id: str, depot: DepotRow, day: date
) -> tuple[list[Due], int]:
    """Those with a place on the map that belong to ``depot``, and how many belong to others.

    What may be done on another day too is not among them once it is on a route of that day.
    """
    zone = ZoneInfo(session.get_one(BusinessRow, business_id).zone)
    routed = _days_of(session, business_id)
    free = due_jobs(session, business_id, day, zone)
    rows = [row for row in free if routed.get(row[0].id, day) == day]
    rows += [row for row in _on_phones(session, business_id) if routed.get(row[0].id) == day]
    homes = session.exec(select(DepotRow).where(DepotRow.business_id == business_id)).all()
    if len(homes) < 2:
        return rows, 0
    reports = {order.id: order_report.validate_python(order.report) for _, order, _ in rows}
    home_of = homes_of(rows, reports, homes)
    mine = [row for row in rows if home_of[row[0].id] == depot.id]
    return mine, len(rows) - len(mine)


def without_pin(session: Session, business_id: str, day: date) -> int:
    """How many open jobs of ``day``, or of no day, are nowhere on the map, or not surely."""
    query = (
        select(func.count(col(JobRow.id)))
        .outerjoin(PlaceRow, col(PlaceRow.id) == col(JobRow.place_id))
        .where(
            JobRow.business_id == business_id,
            or_(
                col(JobRow.state) == State.NEEDS_REVIEW,
                and_(col(JobRow.state) == State.CREATED, col(PlaceRow.lat).is_(None)),
            ),
            or_(col(JobRow.due_on).is_(None), col(JobRow.due_on) == day),
        )
    )
    return session.exec(query).one()


def _on_phones(session: Session, business_id: str) -> list[Due]:
    query = (
        select(JobRow, OrderRow, PlaceRow)
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .join(PlaceRow, col(PlaceRow.id) == col(JobRow.place_id))
        .where(
            JobRow.business_id == business_id,
            col(JobRow.state).in_(ON_A_PHONE),
            col(PlaceRow.lat).is_not(None),
        )
        .order_by(col(JobRow.id))
    )
    return list(session.exec(query).all())


def _days_of(session: Session, business_id: str) -> dict[str, date]:
    """Open job -> the day of the route it is on."""
    query = (
        select(col(StopJobRow.job_id), col(RouteRow.day))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(StopJobRow.business_id == business_id, col(JobRow.state) != State.CLOSED)
    )
    return {job_id: day for job_id, day in session.exec(query)}
