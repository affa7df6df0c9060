"""Drafts after an order on them was amended: timed anew, and what is not for that day leaves.

Nobody was told of a draft, so nobody is asked; the day's page says what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, func, select

from hub.core.amending import is_for
from hub.core.errors import RetryLater
from hub.core.events import OrderAmended
from hub.core.jobs import State
from hub.core.values import TimeWindow
from hub.db.tables import (
    EventRow,
    JobRow,
    OrderRow,
    PlanRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.flows.day_due import windows_of
from hub.flows.known import SHOWN
from hub.flows.route_change import Change
from hub.flows.route_line import draw
from hub.flows.route_now import RouteConflict, roads_for

if TYPE_CHECKING:
    from hub.app import Hub

RETIMES = SHOWN | {"service_s", "due_on"}


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """An order that was amended after it was planned. ``route_id`` ``None``: it left the plan."""

    order_id: str
    number: str
    fields: tuple[str, ...]
    route_id: str | None


def settle_drafts(hub: Hub, business_id: str, order_id: str, *, actor: str) -> None:
    """Every draft that ``order_id`` is on, or has left, fits it as it is now. Safe to repeat.

    Raises ``RetryLater`` when a draft changes at the same moment.
    """
    with hub.reading() as session:
        drafts = [(route.id, shift) for route, shift in _drafts(session, business_id, order_id)]
    for route_id, shift in drafts:
        try:
            _settle(hub, business_id, order_id, route_id, shift, actor)
        except (RouteConflict, LookupError) as conflict:
            raise RetryLater(str(conflict)) from conflict


def _settle(
    hub: Hub, business_id: str, order_id: str, route_id: str, shift: ShiftRow, actor: str
) -> None:
    roads = roads_for(hub, business_id, (route_id,))
    driven = TimeWindow(shift.starts_at, shift.ends_at)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, None)
        if route.published_at is not None:
            return
        jobs = _on(unit.session, business_id, order_id, route_id)
        off = [job for job in jobs if not is_for(windows_of(job), job.due_on, route.day, driven)]
        if off:
            change.take_off(route, change.legs(off[0].id))
        if change.retime(route, roads) or off:
            change.bump(route)
        elif route.geometry:
            return
    draw(hub, route)


def changed_since(session: Session, business_id: str, day: date) -> Sequence[ChangedSince]:
    """What was amended on the drafts of ``day``, or left them, since they were planned."""
    planned_at = session.exec(
        select(func.max(PlanRow.done_at)).where(
            PlanRow.business_id == business_id, PlanRow.day == day
        )
    ).one()
    if planned_at is None:
        return ()
    told = session.exec(
        select(EventRow).where(
            EventRow.business_id == business_id,
            EventRow.name == OrderAmended.__name__,
            col(EventRow.received_at) > planned_at,
        )
    ).all()
    fields: dict[str, dict[str, None]] = {}
    for event in told:
        if RETIMES.intersection(event.payload["changed"]):
            fields.setdefault(event.subject_id, {}).update(
                dict.fromkeys(one for one in event.payload["changed"] if one in RETIMES)
            )
    where = _where(session, business_id, day, list(fields), planned_at)
    numbers = dict(
        session.exec(
            select(OrderRow.id, OrderRow.number).where(
                OrderRow.business_id == business_id, col(OrderRow.id).in_(where)
            )
        ).all()
    )
    return [
        ChangedSince(id, numbers[id], tuple(fields[id]), route_id)
        for id, route_id in sorted(where.items(), key=lambda one: numbers[one[0]])
    ]


def _where(
    session: Session, business_id: str, day: date, order_ids: Sequence[str], planned_at: datetime
) -> Mapping[str, str | None]:
    """Order id -> its draft of ``day``; ``None``: it could have been planned, and is on none."""
    rows = session.exec(
        select(JobRow.order_id, JobRow.state, JobRow.created_at, RouteRow)
        .outerjoin(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .outerjoin(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .outerjoin(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(JobRow.business_id == business_id, col(JobRow.order_id).in_(order_ids))
    ).all()
    found: dict[str, str | None] = {}
    for order_id, state, created_at, route in rows:
        if route is not None and route.day == day and route.published_at is None:
            found[order_id] = route.id
        elif route is None and state in LEFT and created_at <= planned_at:
            found.setdefault(order_id, None)
    return found


LEFT = (State.CREATED, State.NEEDS_REVIEW)


def _drafts(
    session: Session, business_id: str, order_id: str
) -> Sequence[tuple[RouteRow, ShiftRow]]:
    has_it = (
        select(StopRow.route_id)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(StopRow.business_id == business_id, JobRow.order_id == order_id)
    )
    with_it = set(session.exec(has_it))
    drafts = session.exec(
        select(RouteRow, ShiftRow)
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .where(RouteRow.business_id == business_id, col(RouteRow.published_at).is_(None))
    ).all()
    # One without a line lost a stop: see ``hub.flows.readdress``.
    return [(route, shift) for route, shift in drafts if route.id in with_it or not route.geometry]


def _on(session: Session, business_id: str, order_id: str, route_id: str) -> Sequence[JobRow]:
    return session.exec(
        select(JobRow)
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .where(
            JobRow.business_id == business_id,
            JobRow.order_id == order_id,
            StopRow.route_id == route_id,
        )
    ).all()
