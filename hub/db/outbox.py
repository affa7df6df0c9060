"""Take announced events to their subscribers: at least once, in order per subject."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, update
from sqlmodel import Session, col, select

from hub.core import events
from hub.core.contracts import Subscriber, Tools
from hub.core.errors import HubError, NotYet, Refused, RetryLater
from hub.db.errand_turns import End, Turn, again_at, claimed, has_due, put_off, renewed, settle
from hub.db.tables import ErrandRow, EventRow
from hub.db.unit import reading, unit

log = logging.getLogger(__name__)
SETTLED_EVERY_S = 1.0
"""Real time. What was handled quickly is settled together; a crash before delivers it again."""


@dataclass(frozen=True, slots=True)
class ForSome(Subscriber):
    """One of the hub's own that concerns few businesses: the others' events make no errands.

    ``whose`` is asked in the unit that fans out, so it knows all that the events know.
    """

    whose: Callable[[Session], Collection[str]] = lambda _: ()


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
        some = _for_some(u.session, subscribers)
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


def _for_some(
    session: Session, subscribers: Mapping[str, Subscriber]
) -> dict[str, Collection[str]]:
    """Whose events those hear who do not hear everybody's. What several ask is asked once."""
    ones = {name: one.whose for name, one in subscribers.items() if isinstance(one, ForSome)}
    found = {whose: frozenset(whose(session)) for whose in set(ones.values())}
    return {name: found[whose] for name, whose in ones.items()}


def deliver_due(
    engine: Engine,
    subscribers: Mapping[str, Subscriber],
    tools: Tools,
    *,
    limit: int = 50,
    only: Collection[str] = (),
    but: Collection[str] = (),
    among: Sequence[ColumnElement[bool]] = (),
    stops: bool = False,
) -> int:
    """Deliver what is due. Returns how many were attempted.

    Given names, to ``only`` these subscribers, or to all ``but`` these; given conditions, only
    errands ``among`` these. ``stops``: after one that is to be tried later the rest waits too,
    for they all ask the same.
    """
    whose, now = (*_whose(only, but), *among), tools.now()
    turns = claimed(engine, now, limit, whose) if has_due(engine, now, whose) else []
    ended: list[End] = []
    tried, since = 0, time.monotonic()
    while turns := renewed(engine, turns, tools.now()):
        turn, turns = turns[0], turns[1:]
        end = _handled(turn, subscribers, tools)
        ended.append(end)
        tried += 1
        if stops and isinstance(end.error, RetryLater) and not isinstance(end.error, NotYet):
            put_off(engine, turns, again_at(end))
            turns = []
        if time.monotonic() - since > SETTLED_EVERY_S or turn.is_old(end.at):
            settle(engine, ended)
            ended, since = [], time.monotonic()
    settle(engine, ended)
    return tried


def _handled(turn: Turn, subscribers: Mapping[str, Subscriber], tools: Tools) -> End:
    try:
        subscriber = subscribers[turn.subscriber]
    except KeyError:
        error: Exception = Refused(f"no subscriber named {turn.subscriber}")
        return _noted(End(turn, error, True, tools.now()))
    late = tools.now() - turn.event.occurred_at > subscriber.within
    try:
        subscriber.handle(turn.event, tools)
    except (Exception, SystemExit) as caught:
        error = caught if isinstance(caught, Exception) else RuntimeError(f"it quit: {caught}")
        return _noted(End(turn, error, late, tools.now()))
    return End(turn, None, late, tools.now())


def _noted(end: End) -> End:
    """In the log: the first time, and when it is given up."""
    turn, error = end.turn, end.error
    if turn.attempts == 1 or end.is_parked:
        level = logging.INFO if isinstance(error, NotYet) else logging.WARNING
        log.log(
            level,
            "errand=%s subscriber=%s event=%s business=%s %s=%s %s: %s",
            turn.errand_id,
            turn.subscriber,
            type(turn.event).__name__,
            turn.event.business_id,
            turn.event.subject_kind,
            turn.event.subject_id,
            "is parked" if end.is_parked else "waits",
            error,
            exc_info=None if isinstance(error, HubError) else error,
        )
    return end


def _has_new(engine: Engine) -> bool:
    with reading(engine) as session:
        query = select(EventRow.seq).where(col(EventRow.fanned_out).is_(False)).limit(1)
        return session.exec(query).first() is not None


def _whose(only: Collection[str], but: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    if only:
        return (col(ErrandRow.subscriber).in_(only),)
    return (col(ErrandRow.subscriber).not_in(but),) if but else ()
