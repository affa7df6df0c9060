"""What a business must keep to itself, sealed under the operator's keys; never in settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr
from sqlmodel import Session, col, select

from hub.core.errors import ConfigError
from hub.db.tables import SecretRow
from hub.db.unit import Unit

if TYPE_CHECKING:
    from hub.app import Hub

CREDENTIALS, WEBHOOKS = "credentials", "webhooks"
WHERE = frozenset({"host", "port", "server", "url", "endpoint", "address", "shop", "domain"})
"""A word of a setting's name that says who is talked to, as in ``api_url``."""


def secret_values(settings: BaseModel) -> dict[str, str]:
    """The fields of ``settings`` that are secret, by name; empty where nothing was given."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return {
        name: value.get_secret_value()
        for name, value in values.items()
        if isinstance(value, SecretStr)
    }


def demand_typed(settings: BaseModel) -> None:
    """Raises ``ConfigError`` at the first secret that cannot be what the other side gave.

    Keys, tokens and passwords travel in headers and log-ins, which hold ASCII alone. What is not
    was copied from where it is shown shortened, or with a line break within.
    """
    for name, secret in secret_values(settings).items():
        if not (secret.isascii() and secret.isprintable()):
            title = type(settings).model_fields[name].title or name
            raise ConfigError(
                f"{title}: {_oddity(secret)} in it. Copy it again, whole and in one line, from"
                " where it is shown in full.",
                field=name,
            )


def _oddity(secret: str) -> str:
    odd = next(one for one in secret if not (one.isascii() and one.isprintable()))
    return f"there is {odd!r}" if odd.isprintable() else "there is a line break or the like"


def ring_of(settings: type[BaseModel], name: str) -> str:
    """Under which ring of keys the field ``name`` lies."""
    extra = settings.model_fields[name].json_schema_extra
    return str(extra.get("ring", CREDENTIALS)) if isinstance(extra, dict) else CREDENTIALS


def goes_elsewhere(before: Mapping[str, object], settings: BaseModel) -> bool:
    """Whether what is secret would be told to somebody else than ``before``."""
    new = settings.model_dump(mode="json", exclude=set(secret_values(settings)))
    # As they are now: a port that is left empty has its default.
    return any(
        name in before and new[name] != before[name]
        for name in new
        if not WHERE.isdisjoint(name.split("_"))
    )


def is_filled(value: object) -> bool:
    """Whether something was typed into the box of a secret."""
    secret = value.get_secret_value() if isinstance(value, SecretStr) else value
    return secret not in ("", None)


def seal(
    hub: Hub, unit: Unit, business_id: str, owner_id: str, secrets: Mapping[str, tuple[str, str]]
) -> None:
    """Keep ``secrets``, name -> (ring, text), of ``owner_id``; an empty one is forgotten."""
    known = {
        row.name: row for row in _rows(unit.session, business_id, owner_id) if row.name in secrets
    }
    for name, (ring, secret) in secrets.items():
        row = known.get(name)
        if not secret:
            if row is not None:
                unit.session.delete(row)
            continue
        if row is None:
            row = SecretRow(business_id=business_id, owner_id=owner_id, name=name, ring="")
            unit.session.add(row)
        row.ring, row.sealed = ring, hub.keys.seal(ring, secret)
    unit.session.flush()


def forget(unit: Unit, business_id: str, owner_id: str, but: Collection[str] = ()) -> None:
    """Delete every secret of ``owner_id`` that is not named."""
    for row in _rows(unit.session, business_id, owner_id):
        if row.name not in but:
            unit.session.delete(row)
    unit.session.flush()


def opened(
    hub: Hub, business_id: str, owner_id: str, rings: Collection[str] = (CREDENTIALS, WEBHOOKS)
) -> dict[str, str]:
    """The secrets of ``owner_id`` under these rings. Raises ``ConfigError`` for a lost key."""
    with hub.reading() as session:
        rows = [row for row in _rows(session, business_id, owner_id) if row.ring in rings]
    if not all(opens(hub, row) for row in rows):
        raise ConfigError("A stored password can no longer be read. Enter it again.")
    return {row.name: hub.keys.open(row.ring, row.sealed) for row in rows}


def readable(
    hub: Hub, business_id: str, owner_id: str, rings: Collection[str] = (CREDENTIALS, WEBHOOKS)
) -> dict[str, str]:
    """As ``opened`` without those whose key is lost: they are as good as never given."""
    with hub.reading() as session:
        rows = [row for row in _rows(session, business_id, owner_id) if row.ring in rings]
    return {row.name: hub.keys.open(row.ring, row.sealed) for row in rows if opens(hub, row)}


def forget_lost(hub: Hub, unit: Unit, business_id: str, owner_id: str) -> set[str]:
    """Delete what cannot be read any more; the names of the rest."""
    left = {row.name for row in _rows(unit.session, business_id, owner_id) if opens(hub, row)}
    forget(unit, business_id, owner_id, but=left)
    return left


def opens(hub: Hub, row: SecretRow) -> bool:
    """Not after a restore without its keys."""
    return hub.keys.opens(row.ring, row.sealed)


def _rows(session: Session, business_id: str, owner_id: str) -> list[SecretRow]:
    return list(
        session.exec(
            select(SecretRow)
            .where(SecretRow.business_id == business_id, SecretRow.owner_id == owner_id)
            .order_by(col(SecretRow.name))
        )
    )
