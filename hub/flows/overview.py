"""A planned day as plain values, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.db.tables import (
    DriverRow,
    JobRow,
    OrderRow,
    PlaceRow,
    PlanRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.sync import address_document

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True)
class StopSeen:
    n: int
    arrive_at: datetime
    address: str
    numbers: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class RouteSeen:
    id: str
    driver: str
    leaves_at: datetime | None
    back_at: datetime | None
    published: bool
    stops: tuple[StopSeen, ...]


@dataclass(frozen=True)
class DaySeen:
    """``unserved`` pairs an order's number with the reason it is on no route."""

    routes: tuple[RouteSeen, ...]
    unserved: tuple[tuple[str, str], ...]
    to_review: int


def day_seen(hub: Hub, business_id: str, day: date) -> DaySeen:
    """The routes of ``day`` and what the latest plan left out."""
    with hub.reading() as session:
        rows = session.exec(
            select(RouteRow, DriverRow)
            .join(DriverRow, col(DriverRow.id) == col(RouteRow.driver_id))
            .where(RouteRow.business_id == business_id, RouteRow.day == day)
            .order_by(DriverRow.name)
        ).all()
        routes = []
        for route, driver in rows:
            found = session.exec(
                select(StopRow, PlaceRow, JobRow, OrderRow)
                .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
                .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
                .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
                .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
                .where(StopRow.business_id == business_id, StopRow.route_id == route.id)
                .order_by(col(StopRow.n), OrderRow.number)
            ).all()
            stops: dict[str, StopSeen] = {}
            for stop, place, job, order in found:
                before = stops.get(stop.id)
                stops[stop.id] = StopSeen(
                    stop.n,
                    stop.arrive_at,
                    address_document.validate_python(place.address).one_line(),
                    (*(before.numbers if before else ()), order.number),
                    (*(before.kinds if before else ()), job.kind),
                )
            routes.append(
                RouteSeen(
                    route.id,
                    driver.name,
                    route.leaves_at,
                    route.back_at,
                    route.published_at is not None,
                    tuple(stops.values()),
                )
            )
        latest = session.exec(
            select(PlanRow)
            .where(PlanRow.business_id == business_id, PlanRow.day == day)
            .order_by(col(PlanRow.n).desc())
        ).first()
        why: dict[str, str] = latest.result["unassigned"] if latest else {}
        left_out = session.exec(
            select(JobRow.id, OrderRow.number)
            .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
            .where(JobRow.business_id == business_id, col(JobRow.id).in_(list(why)))
        ).all()
        to_review = session.exec(
            select(JobRow.id).where(
                JobRow.business_id == business_id, JobRow.state == "needs_review"
            )
        ).all()
    unserved = tuple(sorted((number, why[job_id]) for job_id, number in left_out))
    return DaySeen(tuple(routes), unserved, len(to_review))
