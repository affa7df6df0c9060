"""A depot as a place of its own, for stops at it: nobody's address, and never asked about."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from hub.db.tables import DepotRow, PlaceRow


def place_of_depot(session: Session, depot: DepotRow, now: datetime) -> PlaceRow:
    """Where it is now; made where there is none yet. Safe to repeat."""
    key = f"depot {depot.id}"
    place = session.exec(
        select(PlaceRow).where(PlaceRow.business_id == depot.business_id, PlaceRow.key == key)
    ).one_or_none()
    if place is None:
        place = PlaceRow(business_id=depot.business_id, key=key, address={}, updated_at=now)
    place.address = {"lines": [depot.name], "city": "", "country": ""}
    place.lat, place.lon, place.label = depot.lat, depot.lon, depot.name
    place.confidence, place.source = 1.0, "staff"
    session.add(place)
    session.flush()
    return place
