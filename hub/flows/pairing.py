"""A driver's phone becomes theirs by a short code, and is known by its token from then on."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.errors import Refused
from hub.db.tables import AuditRow, DeviceRow, DriverRow
from hub.db.unit import Unit
from hub.keys import hashed, tracker_hash

if TYPE_CHECKING:
    from hub.app import Hub

TRACKER = "tracker"
PAIRING = timedelta(minutes=10)
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that reads like something else


def pairing_code(hub: Hub, business_id: str, driver_id: str, *, valid: timedelta = PAIRING) -> str:
    """A code that pairs one phone, once, as long as it is ``valid`` and the driver works here.

    Raises ``LookupError`` for no driver of the business, ``Refused`` for one who left.
    """
    code = "".join(secrets.choice(ALPHABET) for _ in range(10))
    with hub.unit() as unit:
        _at_work(unit, business_id, driver_id)
        unit.session.add(
            DeviceRow(
                business_id=business_id,
                driver_id=driver_id,
                pairing_hash=hashed(code),
                pairing_until=hub.now() + valid,
            )
        )
    return code


def tracker_key(hub: Hub, business_id: str, driver_id: str, *, actor: str) -> str:
    """A key for an app that tells where the driver is, shown once; it opens nothing else.

    Raises as ``pairing_code`` does.
    """
    token = secrets.token_urlsafe(32)
    with hub.unit() as unit:
        driver = _at_work(unit, business_id, driver_id)
        device = DeviceRow(
            business_id=business_id,
            driver_id=driver.id,
            kind=TRACKER,
            token_hash=tracker_hash(token),
            paired_at=hub.now(),
        )
        unit.session.add(device)
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="tracking app added",
                subject=device.id,
                at=hub.now(),
            )
        )
    return token


def _at_work(unit: Unit, business_id: str, driver_id: str) -> DriverRow:
    driver = unit.session.exec(
        select(DriverRow).where(DriverRow.business_id == business_id, DriverRow.id == driver_id)
    ).one_or_none()
    if driver is None:
        raise LookupError(f"no driver {driver_id}")
    if not driver.active:
        raise Refused(f"{driver.name} does not work here. Say that they do, then pair a phone.")
    return driver


def plain_code(typed: str) -> str:
    """A code as the hub made it, however a person typed it."""
    return "".join(char for char in typed.upper() if char in ALPHABET)


def pair(hub: Hub, code: str) -> str | None:
    """The new device's token, shown once; ``None`` for a code unknown, used or too old."""
    token = secrets.token_urlsafe(32)
    now = hub.now()
    with hub.unit() as unit:
        device = unit.session.exec(
            select(DeviceRow)
            .where(DeviceRow.pairing_hash == hashed(plain_code(code)))
            .with_for_update()
        ).one_or_none()
        if device is None or device.pairing_until is None or device.pairing_until < now:
            return None
        if not unit.session.get_one(DriverRow, device.driver_id).active:
            return None
        device.token_hash, device.pairing_hash, device.pairing_until = hashed(token), None, None
        device.paired_at = device.seen_at = now
    return token


def device_for(hub: Hub, token: str) -> DeviceRow | None:
    """The paired device whose token this is; ``None`` for one unknown or revoked, or of a driver
    who no longer works here.
    """
    with hub.reading() as session:
        return session.exec(
            select(DeviceRow)
            .join(DriverRow, col(DriverRow.id) == col(DeviceRow.driver_id))
            .where(
                DeviceRow.token_hash == hashed(token),
                DriverRow.business_id == DeviceRow.business_id,
                col(DeviceRow.revoked_at).is_(None),
                col(DriverRow.active),
            )
        ).one_or_none()
