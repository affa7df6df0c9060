"""Orders as a dispatcher looks for them: a list, narrowed by words, state and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, cast, exists
from sqlmodel import Session, and_, col, or_, select

from hub.core.jobs import Outcome, State
from hub.core.places import place_key
from hub.core.values import Address
from hub.db.tables import (
    ActRow,
    AmendmentRow,
    BusinessRow,
    ContactRow,
    JobRow,
    OrderRow,
    PlaceRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.claims import OPEN
from hub.flows.kept_goods import are_kept
from hub.flows.next_steps import OPEN_ENDED
from hub.flows.orders import OrderSeen

if TYPE_CHECKING:
    from hub.app import Hub

UNDER_WAY = (State.DISPATCHED, State.LOADED, State.EN_ROUTE, State.ARRIVED)
FILTERS = {
    "open": "Open",
    "review": "Address to check",
    "planned": "On a draft route",
    "under_way": "With a driver",
    "undecided": "Needs a decision",
    "kept": "Kept to be collected",
    "done": "Done",
    "failed": "An attempt failed",
    "cancelled": "Cancelled",
}
"""What a list of orders can be narrowed to, in words."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order in a list. ``job`` is the one that says how far it is: the last attempt's.

    ``due_on`` and ``windows`` are those of ``address``, also while it is fetched elsewhere first.
    """

    id: str
    number: str
    name: str
    address: str
    job: JobRow | None
    due_on: date | None
    windows: tuple[tuple[datetime, datetime], ...]
    attempts: int
    is_claimed: bool  # a driver says it is done, and nobody said yet whether that counts

    def is_overdue(self, midnight: datetime) -> bool:
        """Whether it is still open, and its day was over at ``midnight``, when today began."""
        if self.job is None or self.job.state == State.CLOSED:
            return False
        if self.windows:
            return max(closes for _, closes in self.windows) < midnight
        return self.due_on is not None and self.due_on < midnight.date()


def orders_like(
    hub: Hub,
    business_id: str,
    *,
    text: str = "",
    state: str = "",
    day: date | None = None,
    before: str = "",
    limit: int = 50,
) -> list[OrderLine]:
    """Up to ``limit`` orders, newest first, with smaller ids than ``before``.

    ``text`` is looked for in number, name, phone and address; ``state`` is one of
    ``FILTERS``; ``day`` keeps what is due, promised or routed on it.
    """
    with hub.reading() as session:
        wanted = select(OrderRow).where(OrderRow.business_id == business_id)
        if before:
            wanted = wanted.where(col(OrderRow.id) < before)
        if text.strip():
            wanted = wanted.where(_has_text(business_id, text.strip()))
        if state in FILTERS:
            wanted = wanted.where(_has_state(business_id, state))
        if day is not None:
            wanted = wanted.where(_is_on(session, business_id, day))
        rows = session.exec(wanted.order_by(col(OrderRow.id).desc()).limit(limit)).all()
        return _lines(session, business_id, rows)


def _has_text(business_id: str, text: str) -> ColumnElement[bool]:
    like = f"%{_plain(text)}%"
    digits = "".join(c for c in text if c.isdigit()).lstrip("0")
    phone = [col(ContactRow.phone).like(f"%{digits}%")] if len(digits) >= 5 else []
    folded = place_key(Address((text,)))
    conditions = [
        col(OrderRow.number).ilike(like, escape="\\"),
        col(OrderRow.ref).ilike(like, escape="\\"),
        exists().where(
            col(ContactRow.business_id) == business_id,
            col(ContactRow.order_id) == col(OrderRow.id),
            or_(
                col(ContactRow.name).ilike(like, escape="\\"),
                col(ContactRow.email).ilike(like, escape="\\"),
                *phone,
            ),
        ),
    ]
    if folded:
        conditions.append(
            exists().where(
                col(JobRow.business_id) == business_id,
                col(JobRow.order_id) == col(OrderRow.id),
                col(JobRow.place_id) == col(PlaceRow.id),
                col(PlaceRow.key).like(f"%{_plain(folded)}%", escape="\\"),
            )
        )
    return or_(*conditions)


def _plain(text: str) -> str:
    """``text`` for LIKE, its wildcards meant as written."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _has_state(business_id: str, state: str) -> ColumnElement[bool]:
    job_state, outcome = col(JobRow.state), col(JobRow.outcome)
    match state:
        case "cancelled":
            return col(OrderRow.status) == "cancelled"
        case "done":
            is_open = _a_job(business_id, job_state != State.CLOSED)
            is_done = _a_job(business_id, outcome.in_((Outcome.SUCCEEDED, Outcome.PARTIAL)))
            return and_(col(OrderRow.status) == "open", is_done, ~is_open)
        case "failed":
            return _a_job(business_id, outcome.in_((Outcome.FAILED, Outcome.SKIPPED)))
        case "undecided":
            failed = outcome.in_(list(OPEN_ENDED))
            undecided = and_(failed, col(JobRow.next_step) == "")
            asked = exists().where(
                col(AmendmentRow.business_id) == business_id,
                col(AmendmentRow.order_id) == col(OrderRow.id),
                col(AmendmentRow.state) == "open",
            )
            return or_(asked, _a_job(business_id, or_(undecided, _is_claimed(business_id))))
        case "kept":
            return _a_job(business_id, are_kept())
        case "review":
            return _a_job(business_id, job_state == State.NEEDS_REVIEW)
        case "planned":
            return _a_job(business_id, job_state.in_((State.PLANNED, State.ASSIGNED)))
        case "under_way":
            return _a_job(business_id, job_state.in_(UNDER_WAY))
    return _a_job(business_id, job_state != State.CLOSED)


def _a_job(business_id: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        col(JobRow.business_id) == business_id, col(JobRow.order_id) == col(OrderRow.id), condition
    )


def _is_claimed(business_id: str) -> ColumnElement[bool]:
    said = exists().where(
        col(ActRow.business_id) == business_id,
        col(ActRow.job_id) == col(JobRow.id),
        col(ActRow.decision) == OPEN,
    )
    return and_(col(JobRow.state) != State.CLOSED, said)


def _is_on(session: Session, business_id: str, day: date) -> ColumnElement[bool]:
    routed = (
        select(StopJobRow.job_id)
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(RouteRow.business_id == business_id, RouteRow.day == day)
    )
    wanted = _windowed(session, business_id, day)
    return _a_job(
        business_id,
        or_(col(JobRow.due_on) == day, col(JobRow.id).in_(wanted), col(JobRow.id).in_(routed)),
    )


def _windowed(session: Session, business_id: str, day: date) -> list[str]:
    """The jobs with a window on ``day``, which is the business's day, not that of its text."""
    zone = ZoneInfo(session.get_one(BusinessRow, business_id).zone)
    begins = datetime.combine(day, time(0), zone)
    ends = datetime.combine(day + timedelta(days=1), time(0), zone)
    text = cast(col(JobRow.windows), String)
    # A window's text may name the day before or after, as its source's zone has it.
    near = [text.like(f"%{day + timedelta(days=n)}T%") for n in (-1, 0, 1)]
    jobs = session.exec(select(JobRow).where(JobRow.business_id == business_id, or_(*near)))
    return [
        job.id for job in jobs if any(begins <= end and at < ends for at, end in windows_of(job))
    ]


def _lines(session: Session, business_id: str, rows: Sequence[OrderRow]) -> list[OrderLine]:
    ids = [row.id for row in rows]
    last: dict[str, JobRow] = {}
    at_door: dict[str, JobRow] = {}  # what is to be done at the address that the line names
    for job in session.exec(
        select(JobRow)
        .where(JobRow.business_id == business_id, col(JobRow.order_id).in_(ids))
        .order_by(col(JobRow.attempt), col(JobRow.leg))
    ):
        at_door[job.order_id] = job
        before = last.get(job.order_id)
        # Of a pair, the leg that is still to be done tells how far the order is.
        if before is None or before.attempt < job.attempt or before.state == State.CLOSED:
            last[job.order_id] = job
    claimed = set(
        session.exec(
            select(JobRow.order_id).where(
                JobRow.business_id == business_id,
                col(JobRow.order_id).in_(ids),
                _is_claimed(business_id),
            )
        )
    )
    lines = []
    for row in rows:
        report = OrderSeen(row, "", (), {}, None).report
        held, there = last.get(row.id), at_door.get(row.id)
        lines.append(
            OrderLine(
                row.id,
                row.number,
                report.recipient.name or report.recipient.company,
                report.address.one_line(),
                held,
                there.due_on if there else None,
                windows_of(there) if there else (),
                held.attempt if held else 0,
                row.id in claimed,
            )
        )
    return lines


def windows_of(job: JobRow) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in job.windows)
