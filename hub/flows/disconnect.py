"""Leave a shop or the books: nothing of it stays behind but its orders."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hub.core.connecting import AcceptsWebhooks, Connection, ConnectsByOAuth
from hub.core.errors import AuthError, ConfigError, HubError
from hub.db.tables import ConnectionRow
from hub.db.unit import forbid_open_unit
from hub.flows.connected import provider_of, row_of
from hub.flows.connection_kept import audit, forget_all
from hub.flows.missed import missed_from
from hub.flows.tokens import ConnectionTokens

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)


def disconnect(hub: Hub, business_id: str, connection_id: str, *, actor: str) -> str:
    """Stop: its webhooks, tokens and secrets are removed here, and there as far as it answers.

    Its orders stay. Returns what is left for a person to do there, in a sentence, else nothing.
    """
    forbid_open_unit("disconnecting")
    with hub.reading() as session:
        row = row_of(session, business_id, connection_id)
    left = _withdrawn(hub, row)
    with hub.unit() as unit:
        row = row_of(unit.session, business_id, connection_id)
        if row.state not in ("off", "approving"):
            row.off_since = missed_from(unit.session, row, hub.now())
        row.state, row.due_at, row.hook, row.last_error, row.to_do = "off", None, None, "", ""
        row.subscribed_at = row.leased_until = row.not_before = None
        # What was set aside comes again with the first look, should it be connected again.
        forget_all(unit, row)
        audit(hub, unit, business_id, actor, "connection.disconnected", row.title)
    return left


def _withdrawn(hub: Hub, row: ConnectionRow) -> str:
    """Stop its calls and its access there; a side that is away is no reason to stay connected."""
    try:
        provider = provider_of(hub, row)
        return " ".join(filter(None, (_told_to_end(hub, row, provider), provider.left_there())))
    except ConfigError as problem:
        return f"It could not be told to {row.title} that this ended: {problem}"
    except Exception:  # a plugin's bug, too, is no reason to stay connected
        log.exception("connection %s cannot be left in order", row.id)
        return (
            f"It could not be told to {row.title} that this ended; remove the hub there yourself."
        )


def _told_to_end(hub: Hub, row: ConnectionRow, provider: Connection) -> str:
    """What went wrong with it, in a sentence."""
    try:
        if isinstance(provider, AcceptsWebhooks):
            provider.unsubscribe()
        if isinstance(provider, ConnectsByOAuth):
            provider.revoke(ConnectionTokens(hub, row.business_id, row.id).load())
    except AuthError:
        return (
            f"{row.title} does not let the hub in, so it could not be told that this ended. If it"
            " still calls, nobody answers."
        )
    except HubError as problem:
        return f"It could not be told to {row.title} that this ended: {problem}"
    return ""
