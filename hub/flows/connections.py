"""Look connections up by the name a business knows them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from hub.db.tables import ConnectionRow

if TYPE_CHECKING:
    from hub.app import Hub


def connection_id(hub: Hub, business_id: str, slug: str) -> str:
    """Raises ``LookupError`` when the business has no connection of that name."""
    with hub.reading() as session:
        found = session.exec(
            select(ConnectionRow.id).where(
                ConnectionRow.business_id == business_id, ConnectionRow.slug == slug
            )
        ).one_or_none()
    if found is None:
        raise LookupError(f"There is no connection named {slug!r}.")
    return found
