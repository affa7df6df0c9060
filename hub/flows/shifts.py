"""Who works when, from what each driver's week says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import select

from hub.core.errors import ConfigError
from hub.db.tables import BusinessRow, DepotRow, DriverRow, ShiftRow

if TYPE_CHECKING:
    from hub.app import Hub


def shifts_on(hub: Hub, business_id: str, day: date) -> list[ShiftRow]:
    """The shifts that start on ``day``, made from the drivers' weeks where none exist yet.

    A shift that ends before it starts ends on the next day. Safe to repeat.
    """
    with hub.unit() as unit:
        zone = ZoneInfo(unit.session.get_one(BusinessRow, business_id).zone)
        depot = unit.session.exec(
            select(DepotRow).where(DepotRow.business_id == business_id).order_by(DepotRow.id)
        ).first()
        if depot is None:
            raise ConfigError("There is no depot yet. Add one first: routes start somewhere.")
        known = {
            shift.driver_id: shift
            for shift in unit.session.exec(
                select(ShiftRow).where(ShiftRow.business_id == business_id, ShiftRow.day == day)
            )
        }
        for driver in unit.session.exec(
            select(DriverRow).where(DriverRow.business_id == business_id, DriverRow.active)
        ):
            hours = driver.works.get(str(day.weekday()))
            if driver.id not in known and hours:
                starts_at, ends_at = _span(day, hours, zone)
                known[driver.id] = ShiftRow(
                    business_id=business_id,
                    driver_id=driver.id,
                    vehicle_id=driver.vehicle_id,
                    depot_id=driver.depot_id or depot.id,
                    day=day,
                    starts_at=starts_at,
                    ends_at=ends_at,
                )
                unit.session.add(known[driver.id])
        return sorted(known.values(), key=lambda shift: (shift.starts_at, shift.driver_id))


def _span(day: date, hours: list[str], zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins, ends = (time.fromisoformat(hour) for hour in hours)
    last = day if ends > begins else day + timedelta(days=1)
    opens = datetime.combine(day, begins, zone).astimezone(UTC)
    return opens, datetime.combine(last, ends, zone).astimezone(UTC)
