"""Which errands can be done now, who has them, and what came of them.

Who has an errand has it until its lease is over. Whoever then took it over goes on, and whoever
had it before neither does it nor says what came of it: else one subject is told of in a muddle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, exists, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from hub.core import events
from hub.core.errors import BadRecord, ConfigError, HubError, RateLimited, Refused
from hub.db.tables import ErrandRow, EventRow
from hub.db.unit import BASE, reading, unit

LEASE, RENEWED_AFTER = timedelta(minutes=2), timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Turn:
    """One delivery, claimed ``until`` then."""

    errand_id: int | None
    subscriber: str
    event: events.Event
    attempts: int  # from 1
    until: datetime

    def is_old(self, now: datetime) -> bool:
        """Its lease has to be renewed, or it settled, before somebody takes it over."""
        return now >= self.until - LEASE + RENEWED_AFTER


@dataclass(frozen=True, slots=True)
class End:
    """What came of one delivery; ``late``: it is not tried again."""

    turn: Turn
    error: Exception | None
    late: bool
    at: datetime

    @property
    def is_parked(self) -> bool:
        match self.error:
            case None:
                return False
            case Refused() | ConfigError() | BadRecord():
                return True
        return self.late


def backoff(attempts: int) -> timedelta:
    """2 s, 4 s, 8 s … one hour."""
    return timedelta(seconds=min(2**attempts, 3600))


def again_at(end: End) -> datetime:
    """When others that ask the same are tried: before this one, which may be the only bad one."""
    match end.error:
        case RateLimited(retry_after=seconds):
            return end.at + timedelta(seconds=seconds)
    return end.at + backoff(end.turn.attempts) / 2


def has_due(engine: Engine, now: datetime, whose: Sequence[ColumnElement[bool]]) -> bool:
    with reading(engine) as session:
        query = select(ErrandRow.id).where(
            ErrandRow.state == "due", ErrandRow.due_at <= now, *whose
        )
        return session.exec(query.limit(1)).first() is not None


def claimed(
    engine: Engine, now: datetime, limit: int, whose: Sequence[ColumnElement[bool]]
) -> list[Turn]:
    """Up to ``limit`` of what is due, the oldest of each subject."""
    earlier = aliased(ErrandRow)
    blocked = exists().where(
        col(earlier.subscriber) == col(ErrandRow.subscriber),
        col(earlier.subject_id) == col(ErrandRow.subject_id),
        col(earlier.event_seq) < col(ErrandRow.event_seq),
        col(earlier.state) == "due",
    )
    due = (col(ErrandRow.state) == "due", col(ErrandRow.due_at) <= now, *whose)
    until = now + LEASE
    with unit(engine) as u:
        rows = u.session.exec(
            select(ErrandRow, EventRow)
            .join(EventRow, col(EventRow.seq) == col(ErrandRow.event_seq))
            .where(*due, ~blocked)
            .order_by(col(ErrandRow.event_seq))
            .limit(limit)
        ).all()
        now_held = u.session.exec(
            update(ErrandRow)
            .where(col(ErrandRow.id).in_([errand.id for errand, _ in rows]), *due)
            .values(due_at=until, attempts=ErrandRow.attempts + 1)
            .returning(col(ErrandRow.id), col(ErrandRow.attempts))
            .execution_options(synchronize_session=False)
        )
        taken = {row.id: row.attempts for row in now_held}
        return [
            Turn(errand.id, errand.subscriber, to_event(row), taken[errand.id], until)
            for errand, row in rows
            if errand.id in taken
        ]


def renewed(engine: Engine, turns: Sequence[Turn], now: datetime) -> list[Turn]:
    """Those of ``turns`` that are still ours, for a whole lease if they were claimed some time
    ago.
    """
    if not turns or not turns[0].is_old(now):
        return list(turns)
    held = _moved(engine, turns, now + LEASE)
    return [replace(turn, until=now + LEASE) for turn in turns if turn.errand_id in held]


def put_off(engine: Engine, turns: Sequence[Turn], until: datetime) -> None:
    """Give ``turns`` back untried."""
    if turns:
        _moved(engine, turns, until, attempts=ErrandRow.attempts - 1)


def settle(engine: Engine, ended: Sequence[End]) -> None:
    """Write down what came of these, but for those that somebody else has by now."""
    if not ended:
        return
    with unit(engine) as u:
        ids = [end.turn.errand_id for end in ended]
        query = select(ErrandRow).where(col(ErrandRow.id).in_(ids)).order_by(col(ErrandRow.id))
        rows = {row.id: row for row in u.session.exec(query.with_for_update())}
        for end in ended:
            row = rows.get(end.turn.errand_id)
            if row is not None and (row.state, row.due_at) == ("due", end.turn.until):
                _write(row, end)


def _moved(
    engine: Engine, turns: Sequence[Turn], due_at: datetime, **more: Any
) -> frozenset[int | None]:
    """Which of ``turns`` were still ours, now due at ``due_at``."""
    with unit(engine) as u:
        return frozenset(
            u.session.exec(
                update(ErrandRow)
                .where(
                    col(ErrandRow.id).in_([turn.errand_id for turn in turns]),
                    col(ErrandRow.state) == "due",
                    col(ErrandRow.due_at) == turns[0].until,
                )
                .values(due_at=due_at, **more)
                .returning(col(ErrandRow.id))
                .execution_options(synchronize_session=False)
            ).scalars()
        )


def _write(row: ErrandRow, end: End) -> None:
    if end.error is None:
        row.state = "done"
    elif end.is_parked:
        row.state = "parked"
    elif isinstance(end.error, RateLimited):
        row.due_at = end.at + timedelta(seconds=end.error.retry_after)
    else:
        row.due_at = end.at + backoff(row.attempts)
    row.last_error = "" if end.error is None else f"{_kind(end.error)}: {end.error}"


def _kind(error: Exception) -> str:
    """What is done about it goes by the hub's own type, whatever a plugin derived from it."""
    ours = (cls for cls in type(error).__mro__ if cls.__module__ == HubError.__module__)
    return next(ours, type(error)).__name__


def to_event(row: EventRow) -> events.Event:
    payload = {k: tuple(v) if isinstance(v, list) else v for k, v in row.payload.items()}
    base: dict[str, Any] = {name: getattr(row, name) for name in BASE}
    return events.ALL[row.name](**{**base, **payload})
