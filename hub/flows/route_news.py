"""A route that shows something else than before: its version goes up, and its phone is told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from hub.core.events import JobWithdrawn, RouteChanged
from hub.db.tables import JobRow, RouteRow, StopJobRow, StopRow
from hub.db.unit import Unit


def now_different(unit: Unit, route: RouteRow, now: datetime, actor: str) -> None:
    """One version up; announced once the route is on a phone."""
    route.version += 1
    if route.published_at is not None:
        about = _about(route.business_id, route.id, now, actor) | {"subject_kind": "route"}
        unit.announce(RouteChanged(**about, version=route.version))


def tell_routes(
    unit: Unit,
    business_id: str,
    jobs: Collection[JobRow],
    now: datetime,
    actor: str,
    *,
    withdrawn: bool = False,
    rest_waits: bool = False,
) -> None:
    """Each route that shows one of ``jobs`` is now different.

    ``withdrawn``: they are not to be done any more. They stay on the route's list, so
    that a driver who was at the door without signal can still bring proof.
    ``rest_waits``: whoever hears of it times the other stops anew.
    """
    shown = unit.session.exec(
        select(RouteRow, StopJobRow.job_id)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .where(
            RouteRow.business_id == business_id,
            col(StopJobRow.job_id).in_([job.id for job in jobs]),
        )
    ).all()
    if withdrawn:
        orders = {job.id: job.order_id for job in jobs}
        last = {route.id: job_id for route, job_id in shown}  # once a route is enough
        for route, job_id in shown:
            if route.published_at is not None:
                about = _about(business_id, orders[job_id], now, actor)
                waits = rest_waits and last[route.id] == job_id
                unit.announce(
                    JobWithdrawn(**about, job_id=job_id, route_id=route.id, rest_waits=waits)
                )
    for route in {route.id: route for route, _ in shown}.values():
        now_different(unit, route, now, actor)


def _about(business_id: str, subject_id: str, now: datetime, actor: str) -> dict[str, Any]:
    return {
        "business_id": business_id,
        "subject_id": subject_id,
        "occurred_at": now,
        "received_at": now,
        "actor": actor,
    }
