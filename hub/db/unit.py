"""One transaction, and the events that become true with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from hub.core.events import Event
from hub.db.engine import ONE_MOMENT, WRITE
from hub.db.tables import BusinessRow, EventRow

TURN_S = 0.12
_open: ContextVar[bool] = ContextVar("unit_open", default=False)


class UnitOpen(RuntimeError):
    """Something slow or foreign was called while a transaction was open."""


def forbid_open_unit(what: str) -> None:
    if _open.get():
        raise UnitOpen(f"{what} inside a unit; do it before or after")


def took_one(result: Any) -> bool:
    """Whether a conditional UPDATE won its row; the loser of a race gets ``False``."""
    return bool(result.rowcount)


def one_at_a_time(session: Session, business_id: str, *, key_share: bool = False) -> None:
    """In a unit: of those who call this for one business, one goes on and the others wait.

    SQLite has only one writer, who has the whole database: there nothing is asked. ``key_share``:
    those do not wait who merely write rows that belong to the business.
    """
    if session.get_bind().dialect.name != "sqlite":
        mine = select(BusinessRow.id).where(BusinessRow.id == business_id)
        session.exec(mine.with_for_update(key_share=key_share)).one()


def let_others(engine: Engine) -> None:
    """Between two of many units of one piece of work: whoever waits to write has a turn.

    SQLite's waiters do not queue, they ask again each 100 ms. Those of PostgreSQL queue.
    """
    forbid_open_unit("letting others write")
    if engine.dialect.name == "sqlite":
        time.sleep(TURN_S)


class Unit:
    def __init__(self, session: Session) -> None:
        self.session = session

    def announce(self, event: Event) -> None:
        """Record ``event``; subscribers hear of it only if this unit commits."""
        payload: dict[str, Any] = asdict(event)
        columns = {name: payload.pop(name) for name in BASE}
        self.session.add(EventRow(name=type(event).__name__, payload=payload, **columns))


BASE = (
    "id",
    "business_id",
    "subject_kind",
    "subject_id",
    "occurred_at",
    "received_at",
    "actor",
)
"""The fields of ``Event`` itself; those of its subclasses are the payload."""


@contextmanager
def unit(engine: Engine) -> Iterator[Unit]:
    """Commit on the way out, roll back on any exception. Units do not nest."""
    forbid_open_unit("opening a unit")
    token = _open.set(True)
    try:
        with Session(engine.execution_options(**WRITE), expire_on_commit=False) as session:
            yield Unit(session)
            session.commit()
    finally:
        _open.reset(token)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A consistent look at the data that takes no write lock and keeps nothing.

    All of its queries see one moment. SQLite gives that to every transaction.
    """
    look = engine if engine.dialect.name == "sqlite" else engine.execution_options(**ONE_MOMENT)
    with Session(look, expire_on_commit=False) as session:
        yield session
