"""The phones a driver has paired, and taking one away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.db.tables import AuditRow, DeviceRow

if TYPE_CHECKING:
    from hub.app import Hub


def devices_of(hub: Hub, business_id: str, driver_id: str) -> list[DeviceRow]:
    """The phones that are the driver's now, the last paired first. No waiting codes."""
    with hub.reading() as session:
        return list(
            session.exec(
                select(DeviceRow)
                .where(
                    DeviceRow.business_id == business_id,
                    DeviceRow.driver_id == driver_id,
                    col(DeviceRow.paired_at).is_not(None),
                    col(DeviceRow.revoked_at).is_(None),
                )
                .order_by(col(DeviceRow.paired_at).desc())
            )
        )


def last_heard(hub: Hub, business_id: str, driver_id: str) -> dict[str, datetime]:
    """Device id -> when it last said anything, be it a tap or a position."""
    heard = {one.id: one.seen_at for one in devices_of(hub, business_id, driver_id) if one.seen_at}
    for fix in hub.positions.last(business_id, [driver_id]):
        at = datetime.fromtimestamp(fix.received_ms / 1000, UTC)
        heard[fix.device_id] = max(at, heard.get(fix.device_id, at))
    return heard


def revoke(hub: Hub, business_id: str, device_id: str, *, actor: str) -> str:
    """Shut a phone out at its next call; whose it was. Safe to repeat. Raises ``LookupError``."""
    with hub.unit() as unit:
        device = unit.session.exec(
            select(DeviceRow).where(DeviceRow.business_id == business_id, DeviceRow.id == device_id)
        ).one_or_none()
        if device is None:
            raise LookupError(f"no device {device_id}")
        if device.revoked_at is None:
            device.revoked_at = hub.now()
            device.pairing_hash = device.pairing_until = None
            unit.session.add(
                AuditRow(
                    business_id=business_id,
                    actor=actor,
                    action="phone revoked",
                    subject=device.id,
                    at=hub.now(),
                )
            )
    return device.driver_id
