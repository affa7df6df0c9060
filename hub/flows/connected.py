"""A business's connections as providers that are ready for work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from hub.core.connecting import Connection, OrderSource, RecordSink
from hub.core.contracts import Tokens, Tools
from hub.core.errors import ConfigError
from hub.db.tables import ConnectionRow
from hub.flows.secrets import WEBHOOKS, opened
from hub.flows.tokens import ConnectionTokens

if TYPE_CHECKING:
    from hub.app import Hub

TYPED_IN = "typed-in"
BORN = ("csv", "api", TYPED_IN)  # connections without a plugin: orders come in by themselves
HOOK, HOOK_SECRET = "hook", "hook_secret"
"""Names of two secrets of every connection that can be rung: what its address ends in, and what
the other side signs with."""
ELSEWHERE = "kept where this process cannot look"
KINDS = (OrderSource, RecordSink)


def class_of(hub: Hub, plugin: str) -> type[Connection]:
    """Raises ``ConfigError`` when its plugin is not installed."""
    for kind in KINDS:
        try:
            return hub.registry.get(kind, plugin)
        except KeyError:
            continue
    raise ConfigError(no_plugin(plugin))


def no_plugin(plugin: str) -> str:
    return f"The plugin for {plugin!r} is not installed."


def offered(hub: Hub) -> list[type[Connection]]:
    """Every connection that can be made, by title."""
    found: dict[str, type[Connection]] = {}
    for kind in KINDS:
        found |= {cls.key: cls for cls in hub.registry.all(kind)}
    return sorted(found.values(), key=lambda cls: cls.title.casefold())


def connected_businesses(session: Session) -> set[str]:
    """Those that have a connection by a plugin."""
    query = select(ConnectionRow.business_id).where(
        col(ConnectionRow.plugin).not_in(BORN), ConnectionRow.state != "off"
    )
    return set(session.exec(query.distinct()))


def row_of(session: Session, business_id: str, connection_id: str) -> ConnectionRow:
    """Raises ``LookupError`` when the business has no such connection."""
    row = session.exec(
        select(ConnectionRow).where(
            ConnectionRow.business_id == business_id,
            ConnectionRow.id == connection_id,
            col(ConnectionRow.plugin).not_in(BORN),
        )
    ).one_or_none()
    if row is None:
        raise LookupError(f"no connection {connection_id}")
    return row


def provider_of(hub: Hub, row: ConnectionRow) -> Connection:
    """The connection with its secrets and tokens. Raises ``ConfigError`` if that cannot work."""
    secrets = opened(hub, row.business_id, row.id)
    tokens = ConnectionTokens(hub, row.business_id, row.id)
    return made(hub, row.plugin, {**row.settings, **secrets}, tokens, secrets.get(HOOK_SECRET, ""))


def listener_of(hub: Hub, row: ConnectionRow) -> Connection:
    """The connection as far as it takes to tell a genuine webhook: with no credentials."""
    secrets = opened(hub, row.business_id, row.id, (WEBHOOKS,))
    fields = class_of(hub, row.plugin).Settings.model_fields
    missing = dict.fromkeys(set(fields) - set(row.settings) - set(secrets), ELSEWHERE)
    missing = {name: text for name, text in missing.items() if fields[name].is_required()}
    return made(
        hub,
        row.plugin,
        {**row.settings, **missing, **secrets},
        None,
        secrets.get(HOOK_SECRET, ""),
    )


def made(
    hub: Hub, plugin: str, values: dict[str, Any], tokens: Tokens | None, hook_secret: str
) -> Connection:
    cls = class_of(hub, plugin)
    tools: Tools = replace(hub.tools, tokens=tokens, webhook_secret=hook_secret)
    given = {name: value for name, value in values.items() if name in cls.Settings.model_fields}
    kind = next(kind for kind in KINDS if issubclass(cls, kind))
    return hub.provider(kind, plugin, given, tools)
