"""What is stuck: errands that were parked, for a person to try again or let go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, func, select, update

from hub.core import errors
from hub.db.tables import AuditRow, ErrandRow, EventRow, JobRow, OrderRow
from hub.flows.connected import TYPED_IN, no_plugin

if TYPE_CHECKING:
    from hub.app import Hub


UNEXPECTED = "Something unexpected went wrong. Whoever runs this server finds more in the log."


@dataclass(frozen=True, slots=True)
class Stuck:
    """One parked errand. ``order_id`` and ``number`` are empty where it is about no order."""

    id: int
    event: str
    subscriber: str
    occurred_at: datetime
    attempts: int
    problem: str
    order_id: str
    number: str


def parked(hub: Hub, business_id: str, *, limit: int = 100) -> list[Stuck]:
    """The business's parked errands, newest first."""
    with hub.reading() as session:
        rows = session.exec(
            select(ErrandRow, EventRow, OrderRow)
            .join(EventRow, col(EventRow.seq) == col(ErrandRow.event_seq))
            .join(JobRow, col(JobRow.id) == col(ErrandRow.subject_id), isouter=True)
            .join(
                OrderRow,
                (col(OrderRow.business_id) == business_id)
                & (
                    (col(OrderRow.id) == col(ErrandRow.subject_id))
                    | (col(OrderRow.id) == col(JobRow.order_id))
                ),
                isouter=True,
            )
            .where(ErrandRow.business_id == business_id, ErrandRow.state == "parked")
            .order_by(col(ErrandRow.id).desc())
            .limit(limit)
        ).all()
    return [
        Stuck(
            errand.id or 0,
            event.name,
            errand.subscriber,
            event.occurred_at,
            errand.attempts,
            _for_people(errand.last_error),
            order.id if order else "",
            order.number if order else "",
        )
        for errand, event, order in rows
    ]


def _for_people(said: str) -> str:
    """An error without its type; of a bug no more than that it is one."""
    kind, _, words = said.partition(": ")
    return words if words and hasattr(errors, kind) else UNEXPECTED


def parked_count(hub: Hub, business_id: str) -> int:
    """How many errands wait for a person."""
    with hub.reading() as session:
        return session.exec(
            select(func.count())
            .select_from(ErrandRow)
            .where(ErrandRow.business_id == business_id, ErrandRow.state == "parked")
        ).one()


def let_needless_go(hub: Hub, business_id: str) -> None:
    """Deliver once more what was parked for want of a plugin that orders typed in never needed."""
    with hub.unit() as unit:
        unit.session.exec(
            update(ErrandRow)
            .where(
                col(ErrandRow.business_id) == business_id,
                col(ErrandRow.state) == "parked",
                col(ErrandRow.last_error) == f"ConfigError: {no_plugin(TYPED_IN)}",
            )
            .values(state="due", attempts=0, due_at=hub.now())
        )


def retry(hub: Hub, business_id: str, errand_id: int, *, actor: str) -> None:
    """Let it be tried again at once. Raises ``LookupError`` if it is not parked (any more)."""
    _move(hub, business_id, errand_id, "due", "errand.retried", actor)


def dismiss(hub: Hub, business_id: str, errand_id: int, *, actor: str) -> None:
    """Give it up; it stays in the records. Raises ``LookupError`` like ``retry``."""
    _move(hub, business_id, errand_id, "dismissed", "errand.dismissed", actor)


def _move(hub: Hub, business_id: str, errand_id: int, state: str, action: str, actor: str) -> None:
    with hub.unit() as unit:
        errand = unit.session.exec(
            select(ErrandRow)
            .where(
                ErrandRow.business_id == business_id,
                ErrandRow.id == errand_id,
                ErrandRow.state == "parked",
            )
            .with_for_update()
        ).one_or_none()
        if errand is None:
            raise LookupError(f"no parked errand {errand_id}")
        errand.state, errand.attempts, errand.due_at = state, 0, hub.now()
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action=action,
                subject=str(errand_id),
                at=hub.now(),
            )
        )
