"""One transaction, and the events that become true with it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import asdict
from threading import Lock, RLock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, select

from hub.core.events import Event
from hub.db.engine import ONE_MOMENT, WRITE
from hub.db.tables import BusinessRow, EventRow

TURN_S = 0.02
PATIENCE_S = 10.0
_open: ContextVar[bool] = ContextVar("unit_open", default=False)
_locks: WeakKeyDictionary[Engine, Lock | RLock] = WeakKeyDictionary()
_finding = Lock()


def _let_go() -> None:
    """A process that was forked has none of the threads that were writing."""
    global _finding
    _finding = Lock()
    _locks.clear()


os.register_at_fork(after_in_child=_let_go)


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

    SQLite's waiters do not queue, they look again each few milliseconds. Those of PostgreSQL queue.
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
        with _turn(engine), Session(engine.execution_options(**WRITE), expire_on_commit=False) as s:
            yield Unit(s)
            s.commit()
    finally:
        _open.reset(token)


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Threads of one process write to SQLite one after the other, and the next goes on at once.

    Left to themselves they would look again and again, in no order; so a worker's chores that began
    together kept other processes from writing for half a second.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    with _finding:
        lock = _locks.setdefault(engine, RLock() if _is_shared(engine) else Lock())
    is_mine = lock.acquire(timeout=PATIENCE_S)  # else SQLite says that it is locked
    try:
        yield
    finally:
        if is_mine:
            lock.release()


def _is_shared(engine: Engine) -> bool:
    """Whether all threads have one connection, as with a database in memory."""
    return isinstance(engine.pool, StaticPool)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A consistent look at the data that takes no write lock and keeps nothing.

    All of its queries see one moment. SQLite gives that to every transaction. Where threads share
    one connection they take turns: the end of a look would end what another is writing.
    """
    turn = _turn(engine) if _is_shared(engine) else nullcontext()
    look = engine if engine.dialect.name == "sqlite" else engine.execution_options(**ONE_MOMENT)
    with turn, Session(look, expire_on_commit=False) as session:
        yield session
