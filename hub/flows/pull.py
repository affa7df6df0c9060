"""Read connected sources on the clock, or sooner when one of them rings.

One process at a time reads a connection: it holds a lease, renewed with every page that it
stores, and a page is stored together with the cursor from which the rest can be read. So a
worker that is killed loses nothing, and its successor goes on from the last page.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import and_, col, delete, or_, select

from hub.core.connecting import OrderSource
from hub.core.errors import ConfigError, HubError, RateLimited, RetryLater
from hub.core.ids import new_id
from hub.core.orders import OrderPage
from hub.db.tables import BusinessRow, ConnectionRow, RejectRow
from hub.db.unit import Unit
from hub.flows.connected import BORN, provider_of, row_of
from hub.flows.pauses import lengthen, may_be_asked
from hub.flows.side_by_side import side_by_side
from hub.flows.sync import store
from hub.flows.works_again import note_again

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # of the real clock; longer than any single page takes
SWEPT_EVERY, NIGHT = timedelta(hours=20), range(1, 5)
"""All that is open is read again once a night, for a store that forgot to say what changed."""
GATHERED = timedelta(seconds=10)
"""A store rings at every change, some for each line: who was read just now waits so long."""
AT_ONCE, FOR_FAILING = 8, 4
FAILING_AFTER = 3  # an outage of some minutes is nobody's business
LONGEST_S = 3600


def pull_due(hub: Hub) -> int:
    """Read every source that is due, several at once. Returns how many were read."""

    def found(under_way: Collection[ConnectionRow], free: int) -> Iterator[ConnectionRow]:
        failing = sum(row.failures > 0 for row in under_way)
        while free and (row := _claimed(hub, also_failing=failing < FOR_FAILING)) is not None:
            free, failing = free - 1, failing + (row.failures > 0)
            yield row

    def read(row: ConnectionRow) -> int:
        _pull(hub, row)
        return 1

    return side_by_side(hub, found, read, AT_ONCE)


def sweep(hub: Hub, business_id: str, connection_id: str) -> None:
    """Look at all of it as soon as a worker is free: somebody asked, or repaired a record."""
    with hub.unit() as unit:
        row = row_of(unit.session, business_id, connection_id)
        if row.state in ("ok", "failing"):
            row.sweep_cursor, row.due_at = "", hub.now()


def _claimed(hub: Hub, *, also_failing: bool) -> ConnectionRow | None:
    """A connection that is due, with a lease on it; ``None`` when there is none."""
    now, real = hub.now(), datetime.now(UTC)
    due = (
        may_be_asked(now),
        *(() if also_failing else (col(ConnectionRow.failures) == 0,)),
        col(ConnectionRow.plugin).not_in(BORN),
        col(ConnectionRow.state).in_(("ok", "failing")),
        or_(
            and_(col(ConnectionRow.due_at) <= now, col(ConnectionRow.leased_until).is_(None)),
            col(ConnectionRow.leased_until) < real,  # whoever read it is no more
        ),
    )
    with hub.reading() as session:
        if session.exec(select(ConnectionRow.id).where(*due).limit(1)).first() is None:
            return None
    with hub.unit() as unit:
        row = unit.session.exec(
            select(ConnectionRow)
            .where(*due)
            .order_by(col(ConnectionRow.due_at))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is not None:
            row.leased_until, row.leased_by, row.due_at = real + LEASE, new_id(), None
        return row


def _pull(hub: Hub, row: ConnectionRow) -> None:
    """Read one source to its end, and say on its row how that went."""
    problem: Exception | None = None
    try:
        provider = provider_of(hub, row)
        if not isinstance(provider, OrderSource):
            _let_go(hub, row, None, every_s=LONGEST_S)
            return
        every_s = provider.every_s
        for page in provider.pages(row.cursor):
            if not _kept(hub, row, page, sweeps=False):
                return  # somebody else reads on: this process was away for too long
        if row.swept_at is None:  # the first look reads all of it by itself
            _swept(hub, row)
        elif _wants_sweep(hub, row, row.swept_at):
            for page in provider.pages(row.sweep_cursor or None):
                if not _kept(hub, row, page, sweeps=True):
                    return
            _swept(hub, row)
    except Exception as error:
        problem, every_s = error, LONGEST_S
        if not isinstance(error, HubError):
            log.exception("connection %s cannot be read", row.id)
    _let_go(hub, row, problem, every_s=every_s)


def _wants_sweep(hub: Hub, row: ConnectionRow, swept_at: datetime) -> bool:
    """One that was cut short goes on, whatever hour it is."""
    now = hub.now()
    if row.sweep_cursor is not None:
        return True
    with hub.reading() as session:
        zone = ZoneInfo(session.get_one(BusinessRow, row.business_id).zone)
    return now - swept_at > SWEPT_EVERY and now.astimezone(zone).hour in NIGHT


def _swept(hub: Hub, row: ConnectionRow) -> None:
    with hub.unit() as unit:
        again = row_of(unit.session, row.business_id, row.id)
        if again.leased_by == row.leased_by:
            again.swept_at, again.sweep_cursor = hub.now(), None


def _kept(hub: Hub, row: ConnectionRow, page: OrderPage, *, sweeps: bool) -> bool:
    """Whether the page and its cursor are stored; not when the lease is somebody else's.

    A sweep has a cursor of its own: what changed meanwhile is read from the other.
    """
    with hub.unit() as unit:
        again = row_of(unit.session, row.business_id, row.id)
        if again.leased_by != row.leased_by:
            return False
        stored = store(
            unit,
            hub.keys,
            row.business_id,
            row.id,
            page.orders,
            page.rejects,
            hub.now(),
            f"connection:{row.id}",
        )
        _no_longer_rejected(unit, row, page)
        if sweeps:
            again.sweep_cursor = page.cursor
        else:
            again.cursor = page.cursor
        again.orders_placed += stored.placed
        again.leased_until = datetime.now(UTC) + LEASE
    return True


def _no_longer_rejected(unit: Unit, row: ConnectionRow, page: OrderPage) -> None:
    refs = {order.ref for order in page.orders}
    if refs:
        unit.session.exec(
            delete(RejectRow).where(
                col(RejectRow.business_id) == row.business_id,
                col(RejectRow.connection_id) == row.id,
                col(RejectRow.ref).in_(refs),
            )
        )


def _let_go(hub: Hub, row: ConnectionRow, problem: Exception | None, *, every_s: float) -> None:
    now = hub.now()
    with hub.unit() as unit:
        again = row_of(unit.session, row.business_id, row.id)
        if again.leased_by != row.leased_by:
            return
        again.leased_until = None
        if again.state not in ("ok", "failing"):
            return  # somebody disconnected it meanwhile
        rung = again.due_at is not None  # since it was claimed
        match problem:
            case None:
                note_again(hub, unit, again, "hub")
                again.state, again.failures, again.last_error = "ok", 0, ""
                again.looked_at = now
                every = timedelta(seconds=every_s)
                again.due_at = now + (min(GATHERED, every) if rung else every)
            case ConfigError():
                again.state, again.last_error, again.due_at = "needs_reconnect", str(problem), None
            case RateLimited():
                again.due_at = lengthen(again, now, problem)
            case _:
                again.failures += 1
                if again.failures >= FAILING_AFTER or not isinstance(problem, RetryLater):
                    again.state = "failing"
                again.last_error = _said(problem)
                pause = min(2.0 ** (again.failures + 3), LONGEST_S)
                again.due_at = now + timedelta(seconds=pause)


def _said(problem: Exception) -> str:
    """For the business; what only a developer could use is in the log."""
    if isinstance(problem, HubError):
        return str(problem)[:4000]
    return "Something unexpected happened while reading it; the log says more."
