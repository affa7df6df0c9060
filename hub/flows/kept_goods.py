"""Goods kept at the depot for their recipient, and that they were fetched there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, select

from hub.core.errors import Refused
from hub.core.events import GoodsFetched, GoodsNotFetched, NextStepChosen
from hub.core.jobs import NextStep, State
from hub.core.orders import Kind
from hub.db.tables import BusinessRow, JobRow, OrderRow
from hub.db.unit import Unit
from hub.flows.prove import job_of

if TYPE_CHECKING:
    from hub.app import Hub


def is_kept(job: JobRow) -> bool:
    """Whether they wait to be fetched."""
    to_be_fetched = job.kind == Kind.DELIVER and job.next_step == NextStep.COLLECT
    return to_be_fetched and job.state == State.CLOSED and job.fetched_at is None


def are_kept() -> ColumnElement[bool]:
    """The same of rows of ``job``, as a condition."""
    return and_(
        col(JobRow.kind) == Kind.DELIVER,
        col(JobRow.state) == State.CLOSED,
        col(JobRow.next_step) == NextStep.COLLECT,
        col(JobRow.fetched_at).is_(None),
    )


def keep_no_more(
    unit: Unit, business_id: str, order_ids: Collection[str], now: datetime, actor: str
) -> None:
    """What is kept for cancelled orders goes back: else their pages would go on inviting people to
    collect it. In a unit that has the business to itself.
    """
    query = select(JobRow).where(
        JobRow.business_id == business_id, col(JobRow.order_id).in_(order_ids), are_kept()
    )
    for job in unit.session.exec(query):
        job.next_step, job.version = NextStep.RETURN, job.version + 1
        unit.announce(
            NextStepChosen(
                business_id=business_id,
                subject_id=job.order_id,
                occurred_at=now,
                received_at=now,
                actor=actor,
                job_id=job.id,
                step=NextStep.RETURN,
            )
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many jobs' goods are kept to be fetched, and since when the first of them are."""

    count: int
    since: datetime | None


def waiting(session: Session, business_id: str) -> Waiting:
    query = select(func.count(), func.min(JobRow.closed_at)).where(
        JobRow.business_id == business_id, are_kept()
    )
    return Waiting(*session.exec(query).one())


def note_fetched(hub: Hub, business_id: str, job_id: str, *, actor: str) -> None:
    """They have been handed over at the depot. Safe to repeat.

    Raises ``LookupError`` for a job of another business, ``Refused`` where nothing is kept.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        job = job_of(unit.session, business_id, job_id)
        if job.fetched_at is not None:
            return
        if not is_kept(job):
            raise Refused("Nothing of this job is kept to be collected.")
        job.fetched_at, job.version = hub.now(), job.version + 1
        _announce(unit, GoodsFetched, job, hub.now(), actor)


def note_not_fetched(hub: Hub, business_id: str, job_id: str, *, actor: str) -> None:
    """That was noted by mistake: they are kept as before, or go back if their order was cancelled
    meanwhile. Safe to repeat. Raises as ``note_fetched``.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        job = job_of(unit.session, business_id, job_id)
        if is_kept(job):
            return
        if job.fetched_at is None:
            raise Refused("Nothing of this job was collected.")
        job.fetched_at, job.version = None, job.version + 1
        _announce(unit, GoodsNotFetched, job, hub.now(), actor)
        if unit.session.get_one(OrderRow, job.order_id).status == "cancelled":
            unit.session.flush()
            keep_no_more(unit, business_id, [job.order_id], hub.now(), actor)


def _announce(
    unit: Unit,
    what: type[GoodsFetched] | type[GoodsNotFetched],
    job: JobRow,
    now: datetime,
    actor: str,
) -> None:
    unit.announce(
        what(
            business_id=job.business_id,
            subject_id=job.order_id,
            occurred_at=now,
            received_at=now,
            actor=actor,
            job_id=job.id,
        )
    )
