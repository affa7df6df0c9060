"""Keys that rotate: everything sealed is sealed anew under the newest, and older ones are dropped.

All of it lies in ``secret``: what opens connections, their tokens, endpoints, channels, geocoders
and proof stores. Safe while the hub runs, and to repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlmodel import Session, col, select

from hub.core.errors import ConfigError
from hub.db.tables import BusinessRow, SecretRow
from hub.flows.secrets import opens
from hub.keys import Keys

if TYPE_CHECKING:
    from hub.app import Hub

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many were sealed anew, and how many nobody can read any more: their key is lost."""

    anew: int
    lost: int


def reseal(hub: Hub) -> Resealed:
    """Seal under the newest key what is sealed under an older one, in short units."""
    anew = lost = 0
    for business_id in _businesses(hub):
        after = ""
        while True:
            with hub.unit() as unit:
                rows = unit.session.exec(
                    select(SecretRow)
                    .where(SecretRow.business_id == business_id, col(SecretRow.id) > after)
                    .order_by(col(SecretRow.id))
                    .limit(AT_ONCE)
                    .with_for_update()
                ).all()
                for row in rows:
                    if not opens(hub, row):
                        lost += 1
                    elif not hub.keys.is_newest(row.ring, row.sealed):
                        row.sealed = hub.keys.seal(row.ring, hub.keys.open(row.ring, row.sealed))
                        anew += 1
                after = rows[-1].id if rows else ""
            if not after:
                break
    return Resealed(anew, lost)


def under_older_keys(hub: Hub) -> int:
    """How much an older key still has to open."""
    businesses = _businesses(hub)
    with hub.reading() as session:
        return _older(session, hub.keys, businesses)


def demand_unneeded(hub: Hub) -> None:
    """Raises ``ConfigError`` while an older key is needed."""
    if count := under_older_keys(hub):
        raise ConfigError(
            f"{count} secrets are still sealed under an older key. Run `hub keys reseal` first."
        )


def drop_older_keys(hub: Hub) -> None:
    """Only the newest key of each ring stays in the file.

    Raises ``ConfigError`` while an older one is needed; then they are all still there.
    """
    demand_unneeded(hub)
    before, businesses = replace(hub.keys, file=None), _businesses(hub)
    hub.keys.change(Keys.newest_alone)
    with hub.unit() as unit:  # waits for who was writing, and may have sealed just before
        if hub.engine.dialect.name == "postgresql":
            unit.session.connection().execute(text("LOCK TABLE secret IN SHARE MODE"))
        count = _older(unit.session, before, businesses)
    if count:
        hub.keys.change(lambda now: replace(now, rings=before.rings))
        raise ConfigError(
            "Something was sealed under an older key just now, so they were kept. Run"
            " `hub keys reseal` again."
        )


def _older(session: Session, keys: Keys, businesses: list[str]) -> int:
    older = 0
    for business_id in businesses:
        for row in session.exec(select(SecretRow).where(SecretRow.business_id == business_id)):
            is_newest = keys.is_newest(row.ring, row.sealed)
            older += not is_newest and keys.opens(row.ring, row.sealed)
    return older


def _businesses(hub: Hub) -> list[str]:
    with hub.reading() as session:
        return list(session.exec(select(BusinessRow.id).order_by(col(BusinessRow.id))))
