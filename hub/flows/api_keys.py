"""Keys with which a business's own programs use the API. Only their hash is kept."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlmodel import col, select, update

from hub.db.tables import ApiKeyRow, AuditRow
from hub.db.unit import took_one
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

PREFIX = "lmh_"  # lets secret scanners and people recognise one
USE_NOTED_EVERY = timedelta(minutes=1)  # a write for each call would serialise all callers


class Scope(StrEnum):
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    ENQUIRIES_WRITE = "enquiries:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds a valid key, and what it opens."""

    key_id: str
    business_id: str
    scopes: frozenset[str]


def make_key(
    hub: Hub, business_id: str, title: str, scopes: Collection[str], *, actor: str = "hub"
) -> tuple[str, str]:
    """The new key's id, and the key itself, which cannot be shown again.

    Raises ``ValueError`` for a scope the API does not know.
    """
    wanted = sorted({Scope(scope).value for scope in scopes})
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiKeyRow(
        business_id=business_id,
        title=title,
        key_hash=hashed(key),
        hint=key[-4:],
        scopes=wanted,
        created_at=hub.now(),
    )
    with hub.unit() as unit:
        unit.session.add(row)
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="api_key.made",
                subject=row.id,
                at=hub.now(),
            )
        )
    return row.id, key


def revoke_key(hub: Hub, business_id: str, key_id: str, *, actor: str = "hub") -> bool:
    """Whether there was such a key to revoke; it opens nothing from now on."""
    with hub.unit() as unit:
        revoked = took_one(
            unit.session.exec(
                update(ApiKeyRow)
                .where(
                    col(ApiKeyRow.business_id) == business_id,
                    col(ApiKeyRow.id) == key_id,
                    col(ApiKeyRow.revoked_at).is_(None),
                )
                .values(revoked_at=hub.now())
            )
        )
        if revoked:
            unit.session.add(
                AuditRow(
                    business_id=business_id,
                    actor=actor,
                    action="api_key.revoked",
                    subject=key_id,
                    at=hub.now(),
                )
            )
    return revoked


def caller(hub: Hub, key: str) -> Caller | None:
    """Whose ``key`` this is; ``None`` when it is unknown or revoked."""
    with hub.reading() as session:
        row = session.exec(
            select(ApiKeyRow).where(
                ApiKeyRow.key_hash == hashed(key), col(ApiKeyRow.revoked_at).is_(None)
            )
        ).one_or_none()
    if row is None:
        return None
    now = hub.now()
    if row.used_at is None or now - row.used_at >= USE_NOTED_EVERY:
        with hub.unit() as unit:
            unit.session.exec(
                update(ApiKeyRow).where(col(ApiKeyRow.id) == row.id).values(used_at=now)
            )
    return Caller(row.id, row.business_id, frozenset(row.scopes))
