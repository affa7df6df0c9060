"""Sources that call when something changes: asked to, heard, and asked again when they stop.

A call only rings the bell: what changed is read by ``hub.flows.pull``.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, or_, select

from hub.core.connecting import AcceptsWebhooks
from hub.core.contracts import WebhookRequest
from hub.core.errors import HubError, RateLimited, RetryLater
from hub.db.tables import ConnectionRow, SeenCallRow
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.connected import BORN, HOOK, listener_of, provider_of, row_of
from hub.flows.pauses import lengthen, may_be_asked
from hub.flows.pull import GATHERED
from hub.flows.secrets import WEBHOOKS, opened
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
SUBSCRIBED_EVERY = timedelta(hours=12)
MENDED_AFTER = timedelta(minutes=1)  # where it could not be asked; then twice as long, and so on


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
            _rung(again, hub.now())
    return True


def mend_webhooks(hub: Hub) -> int:
    """Have every source call that can and does not (any more). Returns how many were looked at.

    A hub without an address in the internet is not called, and looks by itself. One that could
    not be asked is asked again some minutes later.
    """
    base, count = hub.settings.public_url, 0
    if not base.startswith("https://") and not hub.settings.http_instead:
        return 0
    for row in _unsubscribed(hub):
        said, problem = "", None
        try:
            provider = provider_of(hub, row)
            if isinstance(provider, AcceptsWebhooks):
                secret = opened(hub, row.business_id, row.id, (WEBHOOKS,))[HOOK]
                said = provider.subscribe(f"{base}/hooks/in/{secret}")
        except Exception as error:  # one plugin's bug must not keep the others from being called
            problem = error
            if not isinstance(error, HubError):
                log.exception("webhooks of connection %s cannot be looked after", row.id)
        with hub.unit() as unit:
            _seen_to(row_of(unit.session, row.business_id, row.id), said, problem, hub.now())
        count += 1
    return count


def _rung(row: ConnectionRow, now: datetime) -> None:
    """Also while it is read. Neither a pause it asked for nor our own, while it fails, is over."""
    if row.due_at is not None and row.failures:
        return
    earliest = max(now, row.not_before or now, (row.looked_at or now - GATHERED) + GATHERED)
    row.due_at = min(row.due_at or earliest, earliest)


def _seen_to(row: ConnectionRow, said: str, problem: Exception | None, now: datetime) -> None:
    row.subscribed_at = now
    match problem:
        case None:
            row.unsubscribed, row.to_do = 0, said[:4000]
        case RetryLater():
            row.unsubscribed += 1
            if isinstance(problem, RateLimited):
                lengthen(row, now, problem)
        case HubError():
            row.unsubscribed, row.to_do = 0, str(problem)[:4000]
        case _:
            row.unsubscribed += 1
            row.to_do = "Its webhooks could not be looked after; the log says more."


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
    now, last = hub.now(), col(ConnectionRow.subscribed_at)
    with hub.reading() as session:
        rows = session.exec(
            select(ConnectionRow).where(
                col(ConnectionRow.plugin).not_in(BORN),
                ConnectionRow.state == "ok",
                may_be_asked(now),
                or_(
                    last.is_(None),
                    last < now - SUBSCRIBED_EVERY,
                    col(ConnectionRow.unsubscribed) > 0,
                ),
            )
        ).all()
    return [row for row in rows if row.subscribed_at is None or now > _mended_at(row)]


def _mended_at(row: ConnectionRow) -> datetime:
    assert row.subscribed_at is not None
    if not row.unsubscribed:
        return row.subscribed_at + SUBSCRIBED_EVERY
    doubled = 1 << min(row.unsubscribed - 1, 10)
    return row.subscribed_at + min(MENDED_AFTER * doubled, SUBSCRIBED_EVERY)
