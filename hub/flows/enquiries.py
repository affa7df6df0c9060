"""Who asked where an order is: kept with what the hub told at that moment.

Pages that are opened and "Call us" that is tapped are kept once for each ten minutes. They are
written after the answer has left, so that nobody waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session, col, select

from hub.core.asked import CHANNELS, Asked, Figures, Kind, figures, once
from hub.core.jobs import Outcome
from hub.core.tracking_page import Life, Shows
from hub.core.values import Role, TimeWindow
from hub.db.tables import EnquiryRow, JobRow, OrderRow
from hub.db.unit import Unit
from hub.flows.tracking_link import Link, of_order, opened

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
MOST_NOTE = 500
SPAN = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Subject:
    """What was told of an order at a moment. Times are ``None`` where none were told."""

    business_id: str
    order_id: str
    job_id: str
    role: Role
    shows: Shows
    p10: datetime | None = None
    p50: datetime | None = None
    p90: datetime | None = None
    promise: TimeWindow | None = None

    def row(
        self,
        kind: Kind,
        at: datetime,
        *,
        channel: str,
        role: str = "",
        note: str = "",
        actor: str = "",
        once: str | None = None,
    ) -> EnquiryRow:
        return EnquiryRow(
            business_id=self.business_id,
            order_id=self.order_id,
            job_id=self.job_id,
            at=at,
            kind=kind,
            shows=self.shows,
            p10=self.p10,
            p50=self.p50,
            p90=self.p90,
            opens=self.promise.opens if self.promise else None,
            closes=self.promise.closes if self.promise else None,
            channel=channel,
            role=role,
            note=note,
            actor=actor,
            once=once,
        )


def subject_of(link: Link) -> Subject:
    estimate = link.ride.estimate if link.ride else None
    return Subject(
        link.business.id,
        link.order_id,
        link.job.id,
        link.role,
        link.seen.shows,
        estimate.p10 if estimate else None,
        estimate.p50 if estimate else None,
        estimate.p90 if estimate else None,
        link.promise,
    )


def note_view(hub: Hub, subject: Subject) -> bool:
    """That the page was opened; whether it was not just before. A page is never worse for it."""
    return _note(hub, subject, Kind.VIEW, "page")


def note_tap(hub: Hub, token: str) -> bool | None:
    """That "Call us" was tapped on the page; ``None``: the link opens none that says so."""
    with hub.reading() as session:
        link = opened(session, token, hub.now())
    if link is None or link.life is not Life.FULL:
        return None
    return _note(hub, subject_of(link), Kind.CONTACT_TAP, "phone")


def somebody_asked(
    unit: Unit,
    business_id: str,
    order_id: str,
    now: datetime,
    *,
    channel: str = "phone",
    note: str = "",
    actor: str,
) -> tuple[EnquiryRow, Link]:
    """In a unit: what a person was asked, and what there is to tell. Raises ``LookupError``."""
    known = unit.session.exec(
        select(OrderRow.id).where(OrderRow.business_id == business_id, OrderRow.id == order_id)
    ).one_or_none()
    if known is None:
        raise LookupError(f"no order {order_id}")
    if channel not in CHANNELS:
        raise ValueError(f"channel must be one of {', '.join(CHANNELS)}")
    link = of_order(unit.session, business_id, order_id, Role.RECIPIENT, now)
    row = subject_of(link).row(
        Kind.ASKED, now, channel=channel, note=" ".join(note.split())[:MOST_NOTE], actor=actor
    )
    unit.session.add(row)
    return row, link


def asked_now(
    hub: Hub, business_id: str, order_id: str, *, channel: str, note: str, actor: str
) -> str:
    """That a person of the business was asked just now; the enquiry's id. As ``somebody_asked``."""
    with hub.unit() as unit:
        row, _ = somebody_asked(
            unit, business_id, order_id, hub.now(), channel=channel, note=note, actor=actor
        )
        return row.id


def order_of_job(hub: Hub, business_id: str, job_id: str) -> str | None:
    with hub.reading() as session:
        return session.exec(
            select(JobRow.order_id).where(JobRow.business_id == business_id, JobRow.id == job_id)
        ).one_or_none()


def enquiries_of(session: Session, business_id: str, order_id: str) -> Sequence[EnquiryRow]:
    """All about one order, the oldest first."""
    return session.exec(
        select(EnquiryRow)
        .where(EnquiryRow.business_id == business_id, EnquiryRow.order_id == order_id)
        .order_by(col(EnquiryRow.at), col(EnquiryRow.id))
    ).all()


@dataclass(frozen=True, slots=True)
class Line:
    """A contact in the list of them, with its order's number."""

    row: EnquiryRow
    number: str


def contacts_lately(
    session: Session, business_id: str, *, before: str = "", limit: int = 50
) -> list[Line]:
    """Taps and questions, the newest first; ``before``: the id of one shown already."""
    wanted = (
        select(EnquiryRow, OrderRow.number)
        .join(OrderRow, col(OrderRow.id) == col(EnquiryRow.order_id))
        .where(EnquiryRow.business_id == business_id, EnquiryRow.kind != Kind.VIEW)
    )
    if before:
        wanted = wanted.where(col(EnquiryRow.id) < before)
    rows = session.exec(wanted.order_by(col(EnquiryRow.id).desc()).limit(limit)).all()
    return [Line(row, number) for row, number in rows]


def figures_of(
    session: Session, business_id: str, now: datetime, span: timedelta = SPAN
) -> Figures:
    """Of what was delivered within ``span``, whenever it was asked for."""
    delivered = session.exec(
        select(JobRow.order_id)
        .where(
            JobRow.business_id == business_id,
            col(JobRow.closed_at) >= now - span,
            col(JobRow.outcome).in_((Outcome.SUCCEEDED, Outcome.PARTIAL)),
        )
        .distinct()
    ).all()
    # An order is asked after in the days before it comes: a little longer than the span itself.
    asked = session.exec(
        select(EnquiryRow.order_id, EnquiryRow.kind, EnquiryRow.at).where(
            EnquiryRow.business_id == business_id, EnquiryRow.at >= now - 2 * span
        )
    ).all()
    return figures(delivered, [Asked(order_id, Kind(kind), at) for order_id, kind, at in asked])


def _note(hub: Hub, subject: Subject, kind: Kind, channel: str) -> bool:
    now = hub.now()
    key = once(kind, now, subject.role)
    try:
        with hub.reading() as session:  # cheap, and most often there is nothing to write
            if _is_known(session, subject, key):
                return False
        with hub.unit() as unit:
            if _is_known(unit.session, subject, key):
                return False
            unit.session.add(subject.row(kind, now, channel=channel, role=subject.role, once=key))
    except IntegrityError:  # somebody else wrote the same in this moment
        return False
    except (SQLAlchemyError, OSError):
        log.exception("an enquiry about order=%s cannot be kept", subject.order_id)
        return False
    return True


def _is_known(session: Session, subject: Subject, key: str) -> bool:
    return (
        session.exec(
            select(EnquiryRow.id).where(
                EnquiryRow.business_id == subject.business_id,
                EnquiryRow.order_id == subject.order_id,
                EnquiryRow.once == key,
            )
        ).first()
        is not None
    )
