"""What recipients were told about when somebody comes, kept for ever.

A promise is in force until the next one: what was told when the route was published, and
what a notice said that came because it no longer held. What a page or a notice merely
expects is kept beside them and binds nobody.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, func, select

from hub.core import tracking_page
from hub.core.tracking_page import CHOSEN, Estimate
from hub.core.values import TimeWindow
from hub.db.tables import EstimateRow, JobRow, PromiseRow
from hub.flows.day_due import windows_of


def promise(
    session: Session, job: JobRow, window: TimeWindow, *, told_by: str, at: datetime
) -> None:
    """``window`` is in force from now on; nothing changes if it already is, unless its recipient
    chose it (again).
    """
    session.get_one(JobRow, job.id, with_for_update=True)
    if told_by == CHOSEN or _last(session, job, binds=True) != window:
        n = max(_end(session, job, func.max(PromiseRow.n)), 0) + 1
        session.add(_row(job, n, window, told_by, at))


def expect(
    session: Session, job: JobRow, window: TimeWindow, *, told_by: str, at: datetime
) -> None:
    """``window`` was told as what is expected; kept unless it was the last one told so."""
    session.get_one(JobRow, job.id, with_for_update=True)
    if _last(session, job, binds=False) != window:
        n = min(_end(session, job, func.min(PromiseRow.n)), 0) - 1
        session.add(_row(job, n, window, told_by, at))


def last_expected(session: Session, business_id: str, job_id: str) -> TimeWindow | None:
    """What was last told as expected; ``None``: nothing ever was."""
    row = session.exec(
        select(PromiseRow)
        .where(
            PromiseRow.business_id == business_id,
            PromiseRow.job_id == job_id,
            PromiseRow.n < 0,
        )
        .order_by(col(PromiseRow.n))
    ).first()
    return TimeWindow(row.opens, row.closes) if row else None


def in_force(session: Session, business_id: str, job_id: str) -> TimeWindow | None:
    """The promise in force; ``None``: none was made."""
    row = session.exec(
        select(PromiseRow.opens, PromiseRow.closes)
        .where(
            PromiseRow.business_id == business_id,
            PromiseRow.job_id == job_id,
            PromiseRow.n > 0,
        )
        .order_by(col(PromiseRow.n).desc())
        .limit(1)
    ).first()
    return TimeWindow(*row) if row else None


def told_of(session: Session, business_id: str, job_id: str) -> list[PromiseRow]:
    """All that was ever told of when somebody comes, the oldest first; ``n`` > 0 binds."""
    query = select(PromiseRow).where(
        PromiseRow.business_id == business_id, PromiseRow.job_id == job_id
    )
    return sorted(session.exec(query), key=lambda row: (row.at, row.n))


def work_begins(job: JobRow, estimate: EstimateRow, told: TimeWindow | None) -> Estimate:
    """When the driver's work begins at the door, by ``estimate`` of when he is there; ``told``:
    the promise in force.
    """
    there = Estimate(estimate.p10, estimate.p50, estimate.p90)
    return tracking_page.work_begins(there, windows_of(job), told)


def _last(session: Session, job: JobRow, *, binds: bool) -> TimeWindow | None:
    known = in_force if binds else last_expected
    return known(session, job.business_id, job.id)


def _end(session: Session, job: JobRow, end: object) -> int:
    query = select(end).where(  # type: ignore[call-overload]
        PromiseRow.business_id == job.business_id, PromiseRow.job_id == job.id
    )
    return session.exec(query).one() or 0


def _row(job: JobRow, n: int, window: TimeWindow, told_by: str, at: datetime) -> PromiseRow:
    return PromiseRow(
        business_id=job.business_id,
        job_id=job.id,
        n=n,
        opens=window.opens,
        closes=window.closes,
        told_by=told_by,
        at=at,
    )
