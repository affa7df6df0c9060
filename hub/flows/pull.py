"""Read connected sources on the clock, or sooner when one of them rings.

One process at a time reads a connection: it holds a lease, renewed with every page that it
stores, and a page is stored together with the cursor from which the rest can be read. So a
worker that is killed loses nothing, and its successor goes on from the last page.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import and_, col, delete, or_, select

from hub.core.connecting import AcceptsWebhooks, OrderSource
from hub.core.contracts import WebhookRequest
from hub.core.errors import ConfigError, HubError, RateLimited, RetryLater
from hub.core.ids import new_id
from hub.core.orders import OrderPage
from hub.db.tables import BusinessRow, ConnectionRow, RejectRow, SeenCallRow
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.connected import BORN, HOOK, listener_of, provider_of, row_of
from hub.flows.secrets import WEBHOOKS, opened
from hub.flows.sync import store
from hub.flows.works_again import note_again
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # of the real clock; longer than any single page takes
SWEPT_EVERY, NIGHT = timedelta(hours=20), range(1, 5)
"""All that is open is read again once a night, for a store that forgot to say what changed."""
SUBSCRIBED_EVERY = timedelta(hours=12)
FAILING_AFTER = 3  # an outage of some minutes is nobody's business
LONGEST_S = 3600


def pull_due(hub: Hub) -> int:
    """Read every source that is due. Returns how many were read."""
    count = 0
    while (row := _claimed(hub)) is not None:
        _pull(hub, row)
        count += 1
    return count


def ring(hub: Hub, token: str, request: WebhookRequest) -> bool:
    """A source calls: look at it now. Answers whether the call was news.

    Raises ``LookupError`` for a call at an address nobody has, ``BadSignature`` for a forged one.
    """
    forbid_open_unit("verifying a webhook")
    with hub.reading() as session:
        row = session.exec(
            select(ConnectionRow).where(ConnectionRow.hook == hashed(token))
        ).one_or_none()
    if row is None:
        raise LookupError("no connection has this address")
    listener = listener_of(hub, row)
    if not isinstance(listener, AcceptsWebhooks):
        raise LookupError("this connection takes no calls")
    remote_id = listener.verify(request)
    if remote_id is None:
        return False
    with hub.unit() as unit:
        again = row_of(unit.session, row.business_id, row.id)
        # The same call twice at once: the second waits here, and then is no news.
        unit.session.refresh(again, with_for_update={"key_share": True})
        if remote_id and not _first(unit, again, remote_id[:200], hub.now()):
            return False
        if again.state in ("ok", "failing"):
            again.due_at = min(again.due_at or hub.now(), hub.now())  # also while it is read
    return True


def sweep(hub: Hub, business_id: str, connection_id: str) -> None:
    """Look at all of it as soon as a worker is free: somebody asked, or repaired a record."""
    with hub.unit() as unit:
        row = row_of(unit.session, business_id, connection_id)
        if row.state in ("ok", "failing"):
            row.sweep_cursor, row.due_at = "", hub.now()


def mend_webhooks(hub: Hub) -> int:
    """Have every source call that can and does not (any more). Returns how many were looked at.

    A hub without an address in the internet is not called, and looks by itself.
    """
    base, count = hub.settings.public_url, 0
    if not base.startswith("https://") and not hub.settings.http_instead:
        return 0
    for row in _unsubscribed(hub):
        said, problem = "", ""
        try:
            provider = provider_of(hub, row)
            if isinstance(provider, AcceptsWebhooks):
                secret = opened(hub, row.business_id, row.id, (WEBHOOKS,))[HOOK]
                said = provider.subscribe(f"{base}/hooks/in/{secret}")
        except HubError as error:
            problem = str(error)
        except Exception:  # one plugin's bug must not keep the others from being called
            log.exception("webhooks of connection %s cannot be looked after", row.id)
            problem = "Its webhooks could not be looked after; the log says more."
        with hub.unit() as unit:
            again = row_of(unit.session, row.business_id, row.id)
            again.subscribed_at = hub.now()
            again.to_do = (said or problem)[:4000]
        count += 1
    return count


def _first(unit: Unit, row: ConnectionRow, remote_id: str, now: datetime) -> bool:
    seen = unit.session.exec(
        select(SeenCallRow.id).where(
            SeenCallRow.business_id == row.business_id,
            SeenCallRow.connection_id == row.id,
            SeenCallRow.remote_id == remote_id,
        )
    ).first()
    if seen is None:
        unit.session.add(
            SeenCallRow(
                business_id=row.business_id, connection_id=row.id, remote_id=remote_id, at=now
            )
        )
    return seen is None


def _unsubscribed(hub: Hub) -> list[ConnectionRow]:
    with hub.reading() as session:
        return list(
            session.exec(
                select(ConnectionRow).where(
                    col(ConnectionRow.plugin).not_in(BORN),
                    ConnectionRow.state == "ok",
                    or_(
                        col(ConnectionRow.subscribed_at).is_(None),
                        col(ConnectionRow.subscribed_at) < hub.now() - SUBSCRIBED_EVERY,
                    ),
                )
            )
        )


def _claimed(hub: Hub) -> ConnectionRow | None:
    """A connection that is due, with a lease on it; ``None`` when there is none."""
    now, real = hub.now(), datetime.now(UTC)
    due = (
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
                again.due_at = now if rung else now + timedelta(seconds=every_s)
            case ConfigError():
                again.state, again.last_error, again.due_at = "needs_reconnect", str(problem), None
            case RateLimited(retry_after=seconds):
                again.due_at = now + timedelta(seconds=seconds)
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
