"""One shop is connected once: a second connection to it would bring every order twice."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.connecting import Connection
from hub.core.errors import AuthError, ConfigError, HubError
from hub.db.tables import ConnectionRow, OrderRow, RecordRow
from hub.flows.connected import class_of, listener_of, provider_of, row_of
from hub.flows.strangers import failed

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
AT_REST = ("off", "approving")


class AlreadyConnected(ConfigError):
    """The shop has a connection, ``connection_id``, called ``title``."""

    def __init__(self, row: ConnectionRow, kind: str) -> None:
        off = row.state == "off"
        way_on = "Connect that one again." if off else "Change that one, or disconnect it first."
        super().__init__(
            f"This {kind} has a connection already, {row.title}. A second one would bring every"
            f" order twice. {way_on}"
        )
        self.connection_id, self.title = row.id, row.title


def identity_of(provider: Connection) -> str:
    """Its ``identity``. Raises ``HubError`` only, whatever the plugin raises."""
    try:
        return provider.identity().strip()[:300]
    except HubError:
        raise
    except Exception as error:
        log.exception("the identity of a %s cannot be told", provider.key)
        raise failed(provider, "say which one this is") from error


def identity_before(provider: Connection) -> str:
    """As far as it is known before its owner has approved."""
    try:
        return identity_of(provider)
    except AuthError:
        return ""


def at_rest(
    hub: Hub, business_id: str, identity: str, plugin: str, but: str = ""
) -> ConnectionRow | None:
    """The connection to go on with: to the same shop, and disconnected or not approved.

    Raises ``AlreadyConnected`` for one that is live; ``None`` when there is none but ``but``.
    """
    if not identity:
        return None
    _learn(hub, business_id, plugin)
    with hub.reading() as session:
        others = _others(session, business_id, identity, plugin, but)
    refuse_live(others, hub)
    return others[0] if others else None


def refuse_second(hub: Hub, session: Session, row: ConnectionRow) -> None:
    """In the unit that stores ``row``, under its business's lock."""
    if row.identity:
        refuse_live(_others(session, row.business_id, row.identity, row.plugin, row.id), hub)


def refuse_live(others: list[ConnectionRow], hub: Hub) -> None:
    for one in others:
        if one.state not in AT_REST:
            raise AlreadyConnected(one, class_of(hub, one.plugin).title)


def has_history(hub: Hub, row: ConnectionRow) -> bool:
    """Whether orders or records hang on it."""
    with hub.reading() as session:
        return any(
            session.exec(
                select(table.id)
                .where(table.business_id == row.business_id, table.connection_id == row.id)
                .limit(1)
            ).first()
            for table in (OrderRow, RecordRow)
        )


def _others(
    session: Session, business_id: str, identity: str, plugin: str, but: str
) -> list[ConnectionRow]:
    """The oldest first: that is the one with the orders."""
    return list(
        session.exec(
            select(ConnectionRow)
            .where(
                ConnectionRow.business_id == business_id,
                ConnectionRow.plugin == plugin,
                ConnectionRow.identity == identity,
                ConnectionRow.id != but,
            )
            .order_by(col(ConnectionRow.id))
        )
    )


def _learn(hub: Hub, business_id: str, plugin: str) -> None:
    """Note it for connections from before it was noted."""
    with hub.reading() as session:
        rows = session.exec(
            select(ConnectionRow).where(
                ConnectionRow.business_id == business_id,
                ConnectionRow.plugin == plugin,
                ConnectionRow.identity == "",
            )
        ).all()
    for row in rows:
        with suppress(HubError):
            told = listener_of(hub, row) if row.state in AT_REST else provider_of(hub, row)
            identity = identity_of(told)
            with hub.unit() as unit:
                row_of(unit.session, business_id, row.id).identity = identity
