"""Take announced events to their subscribers: at least once, in order per subject."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, exists, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from hub.core import events
from hub.core.contracts import Subscriber, Tools
from hub.core.errors import BadRecord, ConfigError, RateLimited, Refused
from hub.db.tables import ErrandRow, EventRow
from hub.db.unit import BASE, took_one, unit

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)


def backoff(attempts: int) -> timedelta:
    """2 s, 4 s, 8 s … one hour."""
    return timedelta(seconds=min(2**attempts, 3600))


def fan_out(engine: Engine, subscribers: Mapping[str, Subscriber]) -> int:
    """Turn each new event into one errand per interested subscriber."""
    with unit(engine) as u:
        new = u.session.exec(
            select(EventRow)
            .where(col(EventRow.fanned_out).is_(False))
            .order_by(col(EventRow.seq))
            .limit(200)
        ).all()
        mine = [
            row
            for row in new
            if took_one(
                u.session.exec(
                    update(EventRow)
                    .where(col(EventRow.seq) == row.seq, col(EventRow.fanned_out).is_(False))
                    .values(fanned_out=True)
                )
            )
        ]
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
    batch = _claim(engine, tools.now(), limit, only, but)
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
            except Exception as caught:
                error = caught
                log.warning("%s failed on %s: %s", errand.subscriber, event, caught)
        _settle(engine, errand, error, late, tools.now())
    return len(batch)


def _claim(
    engine: Engine, now: datetime, limit: int, only: Collection[str], but: Collection[str]
) -> list[tuple[ErrandRow, events.Event]]:
    earlier = aliased(ErrandRow)
    blocked = exists().where(
        col(earlier.subscriber) == col(ErrandRow.subscriber),
        col(earlier.subject_id) == col(ErrandRow.subject_id),
        col(earlier.event_seq) < col(ErrandRow.event_seq),
        col(earlier.state) == "due",
    )
    due = [col(ErrandRow.state) == "due", col(ErrandRow.due_at) <= now]
    if only:
        due.append(col(ErrandRow.subscriber).in_(only))
    if but:
        due.append(col(ErrandRow.subscriber).not_in(but))
    with unit(engine) as u:
        rows = u.session.exec(
            select(ErrandRow, EventRow)
            .join(EventRow, col(EventRow.seq) == col(ErrandRow.event_seq))
            .where(*due, ~blocked)
            .order_by(col(ErrandRow.event_seq))
            .limit(limit)
        ).all()
        return [
            (errand, _to_event(row))
            for errand, row in rows
            if took_one(
                u.session.exec(
                    update(ErrandRow)
                    .where(col(ErrandRow.id) == errand.id, *due)
                    .values(due_at=now + LEASE, attempts=ErrandRow.attempts + 1)
                )
            )
        ]


def _settle(
    engine: Engine, errand: ErrandRow, error: Exception | None, late: bool, now: datetime
) -> None:
    with unit(engine) as u:
        row = u.session.get_one(ErrandRow, errand.id)
        match error:
            case None:
                row.state = "done"
            case Refused() | ConfigError() | BadRecord():
                row.state = "parked"
            case _ if late:
                row.state = "parked"
            case RateLimited(retry_after=seconds):
                row.due_at = now + timedelta(seconds=seconds)
            case _:
                row.due_at = now + backoff(row.attempts)
        row.last_error = "" if error is None else f"{type(error).__name__}: {error}"


def _to_event(row: EventRow) -> events.Event:
    payload = {k: tuple(v) if isinstance(v, list) else v for k, v in row.payload.items()}
    base: dict[str, Any] = {name: getattr(row, name) for name in BASE}
    return events.ALL[row.name](**{**base, **payload})
