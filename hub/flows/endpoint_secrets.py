"""What webhooks of an endpoint are signed with, sealed in ``secret``. Shown to nobody but whoever
made it, once; an old one signs beside the new one for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, select

from hub.core.errors import ConfigError
from hub.core.webhooks import OLD_SIGNS
from hub.db.tables import SecretRow
from hub.db.unit import Unit
from hub.flows.endpoints import NOW, Made, endpoint_of, new_secret, noted
from hub.flows.secrets import CREDENTIALS, opened, opens, seal

if TYPE_CHECKING:
    from hub.app import Hub

UNTIL = "until "  # and up to when: the name of one that was
MOST_SECRETS = 5  # that sign at a time; who changes it more often loses the oldest


def change_secret(hub: Hub, business_id: str, endpoint_id: str, *, actor: str) -> Made:
    """A new secret; the old one signs beside it for 24 hours. Raises ``LookupError``."""
    with hub.unit() as unit:
        return renew_secret(hub, unit, business_id, endpoint_id, actor)


def renew_secret(hub: Hub, unit: Unit, business_id: str, endpoint_id: str, actor: str) -> Made:
    """In a unit: as ``change_secret``."""
    row = endpoint_of(unit.session, business_id, endpoint_id, lock=True)
    kept = {secret.name: secret for secret in _secrets(unit.session, business_id, endpoint_id)}
    old = sorted((name for name in kept if name.startswith(UNTIL)), reverse=True)
    for name, one in kept.items():
        is_over = name in old and (_until(name) <= hub.now() or name in old[MOST_SECRETS - 2 :])
        if is_over or not opens(hub, one):
            unit.session.delete(one)
        elif name == NOW:
            one.name = f"{UNTIL}{(hub.now() + OLD_SIGNS).isoformat()}"
    unit.session.flush()
    secret = new_secret()
    seal(hub, unit, business_id, endpoint_id, {NOW: (CREDENTIALS, secret)})
    row.secret_changed_at = hub.now()
    noted(hub, unit, row, "endpoint.secret_changed", actor)
    return Made(row, secret)


def signing_secrets(hub: Hub, business_id: str, endpoint_id: str) -> list[str]:
    """Those that sign now, the newest first. Raises ``ConfigError`` when they cannot be read."""
    try:
        known = opened(hub, business_id, endpoint_id, (CREDENTIALS,))
    except ConfigError:
        known = {}
    if NOW not in known:
        raise ConfigError("Its secret can no longer be read here. Make a new one.")
    old = sorted((name for name in known if name.startswith(UNTIL)), reverse=True)
    return [known[NOW], *(known[name] for name in old if _until(name) > hub.now())]


def _secrets(session: Session, business_id: str, endpoint_id: str) -> Sequence[SecretRow]:
    return session.exec(
        select(SecretRow).where(
            SecretRow.business_id == business_id, SecretRow.owner_id == endpoint_id
        )
    ).all()


def _until(name: str) -> datetime:
    return datetime.fromisoformat(name.removeprefix(UNTIL))
