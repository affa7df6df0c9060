"""A month's deliveries beside the documents they belong to, for whoever keeps the books."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from hub.core.csv_cells import safe_cell
from hub.core.jobs import State
from hub.db.tables import ConnectionRow, JobRow, OrderRow, RecordRow
from hub.flows.order_rows import order_report
from hub.flows.records import PART

if TYPE_CHECKING:
    from hub.app import Hub

NOT_YET = "not yet"
SEVERAL = "More than one document fits. Choose where it belongs."
STATES = ("recorded", "parked", "unmatched", "dismissed", NOT_YET)


@dataclass(frozen=True, slots=True)
class Entry:
    """One closed job in one book; without a book ``state`` is ``not yet`` and the rest empty."""

    job_id: str
    order_id: str
    number: str
    customer: str
    amount: str  # to be collected at the door: "12.50 EUR"; mostly empty
    at: datetime
    outcome: str
    attempt: int
    book: str
    record_id: str
    state: str
    document: str
    filed: str
    problem: str
    candidates: tuple[Mapping[str, Any], ...]
    late_at: datetime | None  # when proof was added that came later
    is_incomplete: bool  # filed without some of its proof, which may still come
    plugin: str = ""  # the book's


def month(hub: Hub, business_id: str, zone: str, first: date) -> list[Entry]:
    """Every job that was closed in the month that begins with ``first``, in its order.

    Those of which nobody drove (cancelled) are none; one that was done all the same is.
    """
    here = ZoneInfo(zone)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    begins, ends = (datetime.combine(day, time(), here) for day in (first, after))
    with hub.reading() as session:
        return _entries(
            session,
            business_id,
            col(JobRow.state) == State.CLOSED,
            or_(col(JobRow.outcome) != "cancelled", col(RecordRow.id).is_not(None)),
            col(JobRow.closed_occurred_at) >= begins,
            col(JobRow.closed_occurred_at) < ends,
        )


def records_of(hub: Hub, business_id: str, order_id: str) -> list[Entry]:
    """What the books have, or lack, of the order's jobs; those that no book knows are left out."""
    with hub.reading() as session:
        mine = col(JobRow.order_id) == order_id, col(RecordRow.id).is_not(None)
        return _entries(session, business_id, *mine)


def _entries(session: Session, business_id: str, *where: ColumnElement[bool]) -> list[Entry]:
    rows = session.exec(
        select(JobRow, OrderRow, RecordRow, ConnectionRow)
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .join(RecordRow, col(RecordRow.job_id) == col(JobRow.id), isouter=True)
        .join(ConnectionRow, col(ConnectionRow.id) == col(RecordRow.connection_id), isouter=True)
        .where(JobRow.business_id == business_id, OrderRow.business_id == business_id, *where)
        .order_by(col(JobRow.closed_occurred_at), col(JobRow.id))
    ).all()
    return [_entry(*row) for row in rows]


def as_csv(entries: list[Entry], zone: str) -> str:
    """For a spreadsheet: one line an entry, times in the business's zone."""
    here, text = ZoneInfo(zone), io.StringIO()
    text.write("\ufeff")  # else Excel takes the letters of Käpylä for others
    writer = csv.writer(text)
    writer.writerow(
        ["order", "closed", "outcome", "attempt", "book", "state", "document", "filed", "problem"]
        + ["late proof", "customer", "to collect"]
    )
    for one in entries:
        closed = one.at.astimezone(here).strftime("%Y-%m-%d %H:%M")
        cells = [one.number, closed, one.outcome, one.attempt, one.book, one.state]
        late = one.late_at.astimezone(here).strftime("%Y-%m-%d %H:%M") if one.late_at else ""
        rest = (one.document, one.filed, one.problem, late, one.customer, one.amount)
        writer.writerow([safe_cell(str(cell)) for cell in (*cells, *rest)])
    return text.getvalue()


def _problem(row: RecordRow) -> str:
    """What keeps it from being filed; nothing of what was left out, or is filed by now."""
    if row.state not in ("parked", "unmatched"):
        return ""
    return row.problem or (SEVERAL if row.candidates else "")


def _entry(
    job: JobRow, order: OrderRow, row: RecordRow | None, book: ConnectionRow | None
) -> Entry:
    at = job.closed_occurred_at or job.created_at
    report = order_report.validate_python(order.report)
    return Entry(
        job.id,
        order.id,
        order.number,
        report.recipient.name or report.recipient.company,
        report.payment_due,
        at,
        job.outcome,
        job.attempt,
        book.title if book else "",
        row.id if row else "",
        row.state if row else NOT_YET,
        row.label if row else "",
        row.filed if row else "",
        _problem(row) if row else "",
        tuple(row.candidates) if row else (),
        row.late_at if row else None,
        row is not None and row.state == "recorded" and row.proved == PART,
        book.plugin if book else "",
    )
