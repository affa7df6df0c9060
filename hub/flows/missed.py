"""What a disconnected shop or book did not hear: it is told when it is connected again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from hub.core.connecting import RecordSink, WritesBack
from hub.core.errors import ConfigError
from hub.db.tables import ConnectionRow, ErrandRow, EventRow, OrderRow
from hub.db.unit import Unit
from hub.flows import records, write_back
from hub.flows.connected import class_of

if TYPE_CHECKING:
    from hub.app import Hub

ENDS = ("JobClosed", "ProofCompleted")
STAGES = tuple(event.__name__ for event in write_back.TOLD if event.__name__ != "ProofCompleted")


def missed_from(session: Session, row: ConnectionRow, now: datetime) -> datetime:
    """From when it hears nothing, on disconnecting: what still waited for it is lost on it too."""
    waits = session.exec(
        select(func.min(EventRow.received_at))
        .join(ErrandRow, col(ErrandRow.event_seq) == col(EventRow.seq))
        .where(
            ErrandRow.business_id == row.business_id,
            EventRow.business_id == row.business_id,
            col(ErrandRow.subscriber).in_((write_back.NAME, records.NAME)),
            col(ErrandRow.state).in_(("due", "parked")),
        )
    ).one()
    return min(waits or now, now)


def tell_missed(hub: Hub, unit: Unit, row: ConnectionRow) -> None:
    """Errands for what came while ``row`` was off, in the unit that connects it again.

    A shop hears the newest of each of its orders, and the proof that came late; books file every
    job that ended. What they know already is left as it is.
    """
    if row.off_since is None:
        return
    try:
        cls = class_of(hub, row.plugin)
    except ConfigError:
        return
    if issubclass(cls, WritesBack):
        _due_again(hub, unit, row, write_back.NAME, _newest(unit.session, row))
    if issubclass(cls, RecordSink):
        ended = select(EventRow.seq).where(*_since(row), col(EventRow.name).in_(ENDS))
        _due_again(hub, unit, row, records.NAME, unit.session.exec(ended).all())
    row.off_since = None


def _newest(session: Session, row: ConnectionRow) -> list[int | None]:
    mine = select(OrderRow.id).where(
        OrderRow.business_id == row.business_id, OrderRow.connection_id == row.id
    )
    about = (*_since(row), col(EventRow.subject_id).in_(mine))
    newest = (
        select(func.max(EventRow.seq))
        .where(*about, col(EventRow.name).in_(STAGES))
        .group_by(col(EventRow.subject_id))
    )
    late = select(EventRow.seq).where(*about, EventRow.name == "ProofCompleted")
    return sorted({*session.exec(newest), *session.exec(late)} - {None})


def _since(row: ConnectionRow) -> tuple[ColumnElement[bool], ...]:
    """Those not fanned out yet make errands of their own."""
    return (
        col(EventRow.business_id) == row.business_id,
        col(EventRow.received_at) >= row.off_since,
        col(EventRow.fanned_out).is_(True),
    )


def _due_again(
    hub: Hub, unit: Unit, row: ConnectionRow, subscriber: str, seqs: Collection[int | None]
) -> None:
    for some in _in_parts(list(seqs)):
        events = unit.session.exec(
            select(EventRow)
            .where(EventRow.business_id == row.business_id, col(EventRow.seq).in_(some))
            .order_by(col(EventRow.seq))
        ).all()
        known = {
            errand.event_seq: errand
            for errand in unit.session.exec(
                select(ErrandRow).where(
                    ErrandRow.business_id == row.business_id,
                    ErrandRow.subscriber == subscriber,
                    col(ErrandRow.event_seq).in_(some),
                )
            )
        }
        for event in events:
            errand = known.get(event.seq or 0)
            if errand is None:
                errand = ErrandRow(
                    event_seq=event.seq,  # type: ignore[arg-type]
                    business_id=event.business_id,
                    subject_id=event.subject_id,
                    subscriber=subscriber,
                    due_at=hub.now(),
                )
                unit.session.add(errand)
            if errand.state != "dismissed":
                errand.state, errand.attempts, errand.due_at = "due", 0, hub.now()


def _in_parts[T](many: list[T], size: int = 500) -> Iterable[list[T]]:
    return (many[n : n + size] for n in range(0, len(many), size))
