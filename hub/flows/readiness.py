"""What would make a published route reach nobody: a driver without a phone, or no channel."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from hub.db.tables import ChoiceRow, DeviceRow, DriverRow


@dataclass(frozen=True, slots=True)
class Unready:
    """``no_phone``: the names of drivers who would see nothing."""

    no_phone: tuple[str, ...]
    no_channel: bool


def unready(session: Session, business_id: str, driver_ids: Collection[str]) -> Unready:
    """What keeps the routes of these drivers from being seen."""
    drivers = session.exec(
        select(DriverRow)
        .where(DriverRow.business_id == business_id, col(DriverRow.id).in_(driver_ids))
        .order_by(DriverRow.name)
    ).all()
    paired = set(
        session.exec(
            select(DeviceRow.driver_id).where(
                DeviceRow.business_id == business_id,
                col(DeviceRow.driver_id).in_(driver_ids),
                *_in_use(),
            )
        )
    )
    no_phone = tuple(driver.name for driver in drivers if driver.id not in paired)
    return Unready(no_phone, not has_channel(session, business_id))


def has_phone(session: Session, business_id: str) -> bool:
    """Whether any driver of the business has paired one."""
    query = select(DeviceRow.id).where(DeviceRow.business_id == business_id, *_in_use())
    return session.exec(query.limit(1)).first() is not None


def has_channel(session: Session, business_id: str) -> bool:
    """Whether customers can be told anything."""
    query = select(ChoiceRow.id).where(
        ChoiceRow.business_id == business_id,
        ChoiceRow.kind == "channel",
        col(ChoiceRow.active),
    )
    return session.exec(query.limit(1)).first() is not None


def _in_use() -> tuple[ColumnElement[bool], ...]:
    return col(DeviceRow.token_hash).is_not(None), col(DeviceRow.revoked_at).is_(None)
