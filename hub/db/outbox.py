"""Take announced events to their subscribers: at least once, in order per subject."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, exists, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from hub.core import events
from hub.core.contracts import Subscriber, Tools
from hub.core.errors import BadRecord, ConfigError, HubError, RateLimited, Refused
from hub.db.tables import ErrandRow, EventRow
from hub.db.unit import BASE, reading, unit

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
SETTLED_EVERY_S = 1.0
"""Real time. What was handled quickly is settled together; a crash before delivers it again."""


@dataclass(frozen=True, slots=True)
class ForSome(Subscriber):
    """One of the hub's own that concerns few businesses: the others' events make no errands.

    ``whose`` is asked in the unit that fans out, so it knows all that the events know.
    """

    whose: Callable[[Session], Collection[str]] = lambda _: ()


def backoff(attempts: int) -> timedelta:
    """2 s, 4 s, 8 s … one hour."""
    return timedelta(seconds=min(2**attempts, 3600))


def fan_out(engine: Engine, subscribers: Mapping[str, Subscriber]) -> int:
    """Turn each new event into one errand per interested subscriber."""
    if not _has_new(engine):
        return 0
    with unit(engine) as u:
        new = u.session.exec(
            select(EventRow)
            .where(col(EventRow.fanned_out).is_(False))
            .order_by(col(EventRow.seq))
            .limit(200)
        ).all()
        taken = set(
            u.session.exec(
                update(EventRow)
                .where(
                    col(EventRow.seq).in_([row.seq for row in new]),
                    col(EventRow.fanned_out).is_(False),
                )
                .values(fanned_out=True)
                .returning(col(EventRow.seq))
                .execution_options(synchronize_session=False)
            ).scalars()
        )
        mine = [row for row in new if row.seq in taken]
        some = {
            name: frozenset(one.whose(u.session))
            for name, one in subscribers.items()
            if isinstance(one, ForSome)
        }
        u.session.add_all(
            ErrandRow(
                event_seq=row.seq,  # type: ignore[arg-type]
                business_id=row.business_id,
                subject_id=row.subject_id,
                subscriber=subscriber.name,
                due_at=row.received_at,
            )
            for row in mine
            for subscriber in subscribers.values()
            if issubclass(events.ALL[row.name], subscriber.events)
            and row.business_id in some.get(subscriber.name, (row.business_id,))
        )
        return len(mine)


def deliver_due(
    engine: Engine,
    subscribers: Mapping[str, Subscriber],
    tools: Tools,
    *,
    limit: int = 50,
    only: Collection[str] = (),
    but: Collection[str] = (),
) -> int:
    """Deliver what is due. Returns how many were attempted.

    Given names, to ``only`` these subscribers, or to all ``but`` these.
    """
    now, whose = tools.now(), _whose(only, but)
    batch = _claim(engine, now, limit, whose) if _has_due(engine, now, whose) else []
    ended: list[_End] = []
    since = time.monotonic()
    for errand, event in batch:
        error: Exception | None = None
        try:
            subscriber = subscribers[errand.subscriber]
        except KeyError:
            error, late = Refused(f"no subscriber named {errand.subscriber}"), True
        else:
            late = tools.now() - event.occurred_at > subscriber.within
            try:
                subscriber.handle(event, tools)
            except (Exception, SystemExit) as caught:
                error = (
                    caught if isinstance(caught, Exception) else RuntimeError(f"it quit: {caught}")
                )
                log.warning("%s failed on %s: %s", errand.subscriber, event, caught)
        ended.append(_End(errand.id, error, late, tools.now()))
        if time.monotonic() - since > SETTLED_EVERY_S:
            _settle(engine, ended)
            ended, since = [], time.monotonic()
    _settle(engine, ended)
    return len(batch)


@dataclass(frozen=True, slots=True)
class _End:
    """What came of one delivery."""

    errand_id: int | None
    error: Exception | None
    late: bool
    at: datetime


def _has_new(engine: Engine) -> bool:
    with reading(engine) as session:
        query = select(EventRow.seq).where(col(EventRow.fanned_out).is_(False)).limit(1)
        return session.exec(query).first() is not None


def _whose(only: Collection[str], but: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    if only:
        return (col(ErrandRow.subscriber).in_(only),)
    return (col(ErrandRow.subscriber).not_in(but),) if but else ()


def _has_due(engine: Engine, now: datetime, whose: Sequence[ColumnElement[bool]]) -> bool:
    with reading(engine) as session:
        query = select(ErrandRow.id).where(
            ErrandRow.state == "due", ErrandRow.due_at <= now, *whose
        )
        return session.exec(query.limit(1)).first() is not None


def _claim(
    engine: Engine, now: datetime, limit: int, whose: Sequence[ColumnElement[bool]]
) -> list[tuple[ErrandRow, events.Event]]:
    earlier = aliased(ErrandRow)
    blocked = exists().where(
        col(earlier.subscriber) == col(ErrandRow.subscriber),
        col(earlier.subject_id) == col(ErrandRow.subject_id),
        col(earlier.event_seq) < col(ErrandRow.event_seq),
        col(earlier.state) == "due",
    )
    due = (col(ErrandRow.state) == "due", col(ErrandRow.due_at) <= now, *whose)
    with unit(engine) as u:
        rows = u.session.exec(
            select(ErrandRow, EventRow)
            .join(EventRow, col(EventRow.seq) == col(ErrandRow.event_seq))
            .where(*due, ~blocked)
            .order_by(col(ErrandRow.event_seq))
            .limit(limit)
        ).all()
        taken = set(
            u.session.exec(
                update(ErrandRow)
                .where(col(ErrandRow.id).in_([errand.id for errand, _ in rows]), *due)
                .values(due_at=now + LEASE, attempts=ErrandRow.attempts + 1)
                .returning(col(ErrandRow.id))
                .execution_options(synchronize_session=False)
            ).scalars()
        )
        return [(errand, _to_event(row)) for errand, row in rows if errand.id in taken]


def _settle(engine: Engine, ended: Sequence[_End]) -> None:
    if not ended:
        return
    with unit(engine) as u:
        query = select(ErrandRow).where(col(ErrandRow.id).in_([end.errand_id for end in ended]))
        rows = {row.id: row for row in u.session.exec(query)}
        for end in ended:
            _write(rows[end.errand_id], end)


def _write(row: ErrandRow, end: _End) -> None:
    match end.error:
        case None:
            row.state = "done"
        case Refused() | ConfigError() | BadRecord():
            row.state = "parked"
        case _ if end.late:
            row.state = "parked"
        case RateLimited(retry_after=seconds):
            row.due_at = end.at + timedelta(seconds=seconds)
        case _:
            row.due_at = end.at + backoff(row.attempts)
    row.last_error = "" if end.error is None else f"{_kind(end.error)}: {end.error}"


def _kind(error: Exception) -> str:
    """What is done about it goes by the hub's own type, whatever a plugin derived from it."""
    ours = (cls for cls in type(error).__mro__ if cls.__module__ == HubError.__module__)
    return next(ours, type(error)).__name__


def _to_event(row: EventRow) -> events.Event:
    payload = {k: tuple(v) if isinstance(v, list) else v for k, v in row.payload.items()}
    base: dict[str, Any] = {name: getattr(row, name) for name in BASE}
    return events.ALL[row.name](**{**base, **payload})
