"""What people call who did something."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session, col, select

from hub.db.tables import ApiKeyRow, ConnectionRow, DeviceRow, DriverRow, StaffRow

KINDS = {
    "api_key": "an API key",
    "connection": "its source",
    "device": "a driver's phone",
    "staff": "somebody of the staff",
}


def names_of(session: Session, business_id: str, actors: Collection[str]) -> dict[str, str]:
    """A name for each of the ``actors`` of events; for one that is gone, what it was."""
    ids: dict[str, list[str]] = {}
    names = {"hub": "the hub", "api": "the API", "recipient": "the customer"}
    for actor in actors:
        kind, _, actor_id = actor.partition(":")
        ids.setdefault(kind, []).append(actor_id)
        names.setdefault(actor, KINDS.get(kind, kind))
    for key in session.exec(
        select(ApiKeyRow).where(
            ApiKeyRow.business_id == business_id, col(ApiKeyRow.id).in_(ids.get("api_key", []))
        )
    ):
        names[f"api_key:{key.id}"] = f"API key {key.title}"
    for staff in session.exec(select(StaffRow).where(col(StaffRow.id).in_(ids.get("staff", [])))):
        names[f"staff:{staff.id}"] = staff.name or staff.email
    for row in session.exec(
        select(ConnectionRow).where(
            ConnectionRow.business_id == business_id,
            col(ConnectionRow.id).in_(ids.get("connection", [])),
        )
    ):
        names[f"connection:{row.id}"] = row.title or row.slug
    for device_id, name in session.exec(
        select(DeviceRow.id, DriverRow.name)
        .join(DriverRow, col(DriverRow.id) == col(DeviceRow.driver_id))
        .where(DeviceRow.business_id == business_id, col(DeviceRow.id).in_(ids.get("device", [])))
    ):
        names[f"device:{device_id}"] = name
    return names
