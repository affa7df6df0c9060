"""What a business's people and programs do to single orders: look, change, cancel."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from hub.core.amending import Group, changed
from hub.core.errors import Refused
from hub.core.jobs import State
from hub.core.orders import IncomingOrder
from hub.core.places import place_key
from hub.core.values import Role
from hub.db.tables import ConnectionRow, EstimateRow, JobRow, LinkRow, OrderRow
from hub.db.unit import Unit
from hub.flows.job_facts import JobFacts, facts_of
from hub.flows.sync import call_off, order_report, store
from hub.keys import Keys


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An order with its jobs; ``estimates`` by job id, only for jobs that have one.

    ``facts``, by job id too, are what was promised, noticed and proved. ``source`` is its
    connection's slug, ``title`` what people call it.
    ``link_epoch`` is ``None`` while the order has no tracking link.
    """

    row: OrderRow
    source: str
    jobs: tuple[JobRow, ...]
    estimates: dict[str, EstimateRow]
    link_epoch: int | None
    facts: Mapping[str, JobFacts] = field(default_factory=dict)
    source_title: str = ""  # as the business calls it

    @property
    def report(self) -> IncomingOrder:
        return order_report.validate_python(self.row.report)

    @property
    def said(self) -> IncomingOrder:
        """What its source said last, also where that is not in force."""
        return order_report.validate_python(self.row.said or self.row.report)

    @property
    def held_back(self) -> tuple[Group, ...]:
        """In which of these its source wants something else than what is in force."""
        return changed(self.report, self.said) if self.row.said else ()

    @property
    def is_open(self) -> bool:
        return self.row.status == "open" and any(job.state != State.CLOSED for job in self.jobs)


def connection_ids(session: Session, business_id: str) -> dict[str, str]:
    """The ids of the business's connections by slug."""
    rows = session.exec(select(ConnectionRow).where(ConnectionRow.business_id == business_id))
    return {row.slug: row.id for row in rows}


def one_order(session: Session, business_id: str, order_id: str) -> OrderSeen | None:
    """``None`` when the business has no such order, whoever else has."""
    row = session.exec(
        select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id == order_id)
    ).one_or_none()
    return None if row is None else _seen(session, business_id, [row])[0]


def orders_by_ref(
    session: Session, business_id: str, connection_id: str, refs: Collection[str]
) -> dict[str, OrderSeen]:
    rows = session.exec(
        select(OrderRow).where(
            OrderRow.business_id == business_id,
            OrderRow.connection_id == connection_id,
            col(OrderRow.ref).in_(refs),
        )
    ).all()
    return {seen.row.ref: seen for seen in _seen(session, business_id, list(rows))}


def known_as(
    session: Session, business_id: str, name: str, connection_id: str = ""
) -> Sequence[str]:
    """Ids of the orders of that id, else of that ref, else of that number; few of them are many.

    A number is found with or without the ``#`` that shops write before it and nobody says.
    """
    bare = name.removeprefix("#")
    for is_it in (
        col(OrderRow.id) == name,
        col(OrderRow.ref) == name,
        col(OrderRow.number) == name,
        col(OrderRow.number).in_([bare, f"#{bare}"]),
    ):
        wanted = select(OrderRow.id).where(OrderRow.business_id == business_id, is_it)
        if connection_id:
            wanted = wanted.where(OrderRow.connection_id == connection_id)
        if found := session.exec(wanted.limit(2)).all():
            return found
    return ()


def orders_after(
    session: Session,
    business_id: str,
    after: str,
    limit: int,
    *,
    connection_id: str = "",
    ref: str = "",
    status: str = "",
) -> list[OrderSeen]:
    """Up to ``limit`` orders with a greater id than ``after``, oldest first."""
    wanted = select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id > after)
    if connection_id:
        wanted = wanted.where(OrderRow.connection_id == connection_id)
    if ref:
        wanted = wanted.where(OrderRow.ref == ref)
    if status:
        wanted = wanted.where(OrderRow.status == status)
    rows = session.exec(wanted.order_by(col(OrderRow.id)).limit(limit)).all()
    return _seen(session, business_id, list(rows))


def amend_order(
    unit: Unit, keys: Keys, seen: OrderSeen, changes: dict[str, Any], now: datetime, actor: str
) -> None:
    """Store ``changes`` to what was said of it last. Raises ``Refused`` once all is done.

    Raises ``ValueError`` for what would be no order, such as one for nowhere.
    """
    if not seen.is_open:
        raise Refused("This order is closed or cancelled; it can no longer be changed.")
    report = replace(seen.said, **changes)
    if report.point is None and not place_key(report.address):
        raise ValueError("address names no place")
    _report(unit, keys, seen, report, now, actor)


def cancel_order(unit: Unit, keys: Keys, seen: OrderSeen, now: datetime, actor: str) -> None:
    """Cancel its open jobs. Safe to repeat; raises ``Refused`` if all of them are done."""
    if seen.row.status == "cancelled":
        return
    if not seen.is_open:
        raise Refused("This order is done; there is nothing left to cancel.")
    call_off(unit, keys, seen.row, now, actor)


def _report(
    unit: Unit, keys: Keys, seen: OrderSeen, report: IncomingOrder, now: datetime, actor: str
) -> None:
    # A source's clock may be ahead of ours; an older report than the known one would be stale.
    report = replace(report, updated_at=max(now, report.updated_at))
    row = seen.row
    store(unit, keys, row.business_id, row.connection_id, [report], (), now, actor)


def _seen(session: Session, business_id: str, rows: list[OrderRow]) -> list[OrderSeen]:
    ids = [row.id for row in rows]
    sources = {
        source.id: source
        for source in session.exec(
            select(ConnectionRow).where(ConnectionRow.business_id == business_id)
        )
    }
    jobs: dict[str, list[JobRow]] = {id_: [] for id_ in ids}
    for job in session.exec(
        select(JobRow)
        .where(JobRow.business_id == business_id, col(JobRow.order_id).in_(ids))
        .order_by(col(JobRow.attempt), col(JobRow.leg))
    ):
        jobs[job.order_id].append(job)
    estimates = {
        estimate.job_id: estimate
        for estimate in session.exec(
            select(EstimateRow)
            .join(JobRow, col(JobRow.id) == EstimateRow.job_id)
            .where(EstimateRow.business_id == business_id, col(JobRow.order_id).in_(ids))
        )
    }
    facts = facts_of(session, business_id, ids)
    epochs = {
        link.order_id: link.epoch
        for link in session.exec(
            select(LinkRow).where(
                LinkRow.business_id == business_id,
                col(LinkRow.order_id).in_(ids),
                LinkRow.role == Role.RECIPIENT,
            )
        )
    }
    return [
        OrderSeen(
            row,
            sources[row.connection_id].slug,
            tuple(jobs[row.id]),
            {job.id: estimates[job.id] for job in jobs[row.id] if job.id in estimates},
            epochs.get(row.id),
            facts,
            sources[row.connection_id].title,
        )
        for row in rows
    ]
