"""What is tried and then kept of a connection, however it was made."""

from __future__ import annotations

import secrets as random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr
from sqlmodel import col, delete, select

from hub.core.connecting import Connection, Way
from hub.core.contracts import Tokens
from hub.core.errors import HubError
from hub.db.tables import (
    ApprovalRow,
    AuditRow,
    BusinessRow,
    ConnectionRow,
    RejectRow,
    SeenCallRow,
    TokenLeaseRow,
)
from hub.db.unit import Unit
from hub.flows.connected import HOOK, HOOK_SECRET, made, row_of
from hub.flows.missed import tell_missed
from hub.flows.one_shop import AlreadyConnected, has_history, refuse_second
from hub.flows.secrets import WEBHOOKS, forget, forget_lost, ring_of, seal, secret_values
from hub.flows.tokens import ConnectionTokens
from hub.flows.works_again import note_again, try_parked
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub


class TrialTokens:
    """Tokens of a connection that is still being checked."""

    def __init__(self, kept: Mapping[str, str] | None = None) -> None:
        self.kept = dict(kept or {})

    def load(self) -> Mapping[str, str]:
        return dict(self.kept)

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        self.kept = dict(refresh(dict(self.kept)))
        return dict(self.kept)


def way_of(cls: type[Connection], settings: BaseModel) -> Way | None:
    """How this one is connected; ``None`` where there is only one way."""
    return next((way for way in cls.ways if way.key == getattr(settings, "way", "")), None)


def on_trial(
    hub: Hub,
    cls: type[Connection],
    settings: BaseModel,
    tokens: Tokens,
    hook_secret: str,
) -> Connection:
    values = settings.model_dump(mode="json") | {
        name: SecretStr(text) for name, text in secret_values(settings).items()
    }
    return made(hub, cls.key, values, tokens, hook_secret)


def stored(
    hub: Hub,
    business_id: str,
    cls: type[Connection],
    settings: BaseModel,
    known: ConnectionRow | None,
    state: str,
    actor: str,
    tokens: Mapping[str, str],
    identity: str,
) -> str:
    secret = secret_values(settings)
    kept = {name: (ring_of(cls.Settings, name), text) for name, text in secret.items()}
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update={"key_share": True})
        row = row_of(unit.session, business_id, known.id) if known else _new(unit, business_id, cls)
        left = forget_lost(hub, unit, business_id, row.id) if known else set()
        if row.hook is None or not {HOOK, HOOK_SECRET} <= left:
            hook = random.token_urlsafe(24)
            row.hook = hashed(hook)
            kept |= {HOOK: (WEBHOOKS, hook), HOOK_SECRET: (WEBHOOKS, random.token_hex(20))}
        row.identity = identity or row.identity
        refuse_second(hub, unit.session, row)
        row.settings = settings.model_dump(mode="json", exclude=set(secret))
        if state == "ok":
            note_again(hub, unit, row, actor)
        row.state, row.last_error, row.failures = state, "", 0
        if state == "ok":
            row.due_at, row.subscribed_at, row.not_before = hub.now(), None, None
            row.unsubscribed = 0
            if known is not None:  # what other settings let in may be older than the cursor
                row.sweep_cursor = ""
            try_parked(hub, unit, row)
            tell_missed(hub, unit, row)
        unit.session.flush()
        seal(hub, unit, business_id, row.id, kept)
        audit(hub, unit, business_id, actor, f"connection.{state}", row.title)
        row_id = row.id
    if tokens:
        ConnectionTokens(hub, business_id, row_id).replace(tokens)
    return row_id


def goes_on(
    hub: Hub,
    cls: type[Connection],
    settings: BaseModel,
    row: ConnectionRow,
    same: ConnectionRow,
    identity: str,
    actor: str,
    tokens: Mapping[str, str],
) -> str:
    """What ``row`` found is the shop of ``same``, which goes on in its place, orders and all."""
    if has_history(hub, row):
        raise AlreadyConnected(same, cls.title)
    settings = with_what_it_was(cls, settings, same, way_of(cls, settings))
    on = (hub, row.business_id, cls, settings, same, "ok", actor, tokens, identity)
    row_id = stored(*on)
    with hub.unit() as unit:
        forget_all(unit, row)
        unit.session.delete(row_of(unit.session, row.business_id, row.id))
    return row_id


def with_what_it_was(
    cls: type[Connection], settings: BaseModel, same: ConnectionRow, way: Way | None
) -> BaseModel:
    """What is asked for on connecting is new; all else stays as it was set."""
    new = {name: getattr(settings, name) for name in cls.Settings.model_fields}
    asked = {"way", *(way.asks if way else ())}
    was = {name: value for name, value in same.settings.items() if name not in asked}
    return cls.Settings.model_validate({**new, **was})


def forget_all(unit: Unit, row: ConnectionRow) -> None:
    """Its secrets, tokens, approvals and calls, and what was set aside of it."""
    forget(unit, row.business_id, row.id)
    for table in (TokenLeaseRow, ApprovalRow, RejectRow, SeenCallRow):
        unit.session.exec(
            delete(table).where(
                col(table.business_id) == row.business_id,
                col(table.connection_id) == row.id,
            )
        )


def _new(unit: Unit, business_id: str, cls: type[Connection]) -> ConnectionRow:
    slugs = set(
        unit.session.exec(
            select(ConnectionRow.slug).where(ConnectionRow.business_id == business_id)
        )
    )
    n = next(n for n in range(1, 1000) if _slug(cls.key, n) not in slugs)
    title = cls.title if n == 1 else f"{cls.title} {n}"
    row = ConnectionRow(
        business_id=business_id, slug=_slug(cls.key, n), plugin=cls.key, title=title
    )
    unit.session.add(row)
    return row


def _slug(key: str, n: int) -> str:
    return key if n == 1 else f"{key}-{n}"


def note_problem(hub: Hub, row: ConnectionRow, problem: HubError, state: str) -> None:
    with hub.unit() as unit:
        again = row_of(unit.session, row.business_id, row.id)
        again.state, again.last_error = state, str(problem)[:4000]


def fields_of[V](cls: type[Connection], values: Mapping[str, V]) -> dict[str, V]:
    return {name: value for name, value in values.items() if name in cls.Settings.model_fields}


def audit(hub: Hub, unit: Unit, business_id: str, actor: str, action: str, what: str) -> None:
    unit.session.add(
        AuditRow(business_id=business_id, actor=actor, action=action, subject=what, at=hub.now())
    )
