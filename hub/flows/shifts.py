"""Who works when: from what each driver's week says, changed for single days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.errors import ConfigError, Refused
from hub.core.values import moments
from hub.db.tables import AuditRow, BusinessRow, DepotRow, DriverRow, RouteRow, ShiftRow, VehicleRow

if TYPE_CHECKING:
    from hub.app import Hub

HOURS = re.compile(r"\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Working:
    """A driver and a day. ``hours`` in the business's zone; ``None``: not working."""

    driver_id: str
    driver: str
    hours: tuple[str, str] | None
    vehicle_id: str
    depot_id: str
    changed: bool  # not what the driver's week says
    published: bool  # drives a published route; the shift stays as it is


def shifts_on(hub: Hub, business_id: str, day: date) -> list[ShiftRow]:
    """The shifts that start on ``day``, made from the drivers' weeks where none exist yet.

    A shift that ends before it starts ends on the next day; a day off is none. Safe to repeat.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)  # one at a time
        zone = _zone(unit.session, business_id)
        depot = unit.session.exec(
            select(DepotRow).where(DepotRow.business_id == business_id).order_by(DepotRow.id)
        ).first()
        if depot is None:
            raise ConfigError("There is no depot yet. Add one first: routes start somewhere.")
        known = _known(unit.session, business_id, day)
        for driver in _drivers(unit.session, business_id):
            hours = driver.works.get(str(day.weekday()))
            if driver.id not in known and hours:
                starts_at, ends_at = _span(day, hours[0], hours[1], zone)
                known[driver.id] = ShiftRow(
                    business_id=business_id,
                    driver_id=driver.id,
                    vehicle_id=driver.vehicle_id,
                    depot_id=driver.depot_id or depot.id,
                    end_depot_id=_other_end(unit.session, driver),
                    day=day,
                    starts_at=starts_at,
                    ends_at=ends_at,
                )
                unit.session.add(known[driver.id])
        at_work = [shift for shift in known.values() if not is_off(shift)]
        return sorted(at_work, key=lambda shift: (shift.starts_at, shift.driver_id))


def is_off(shift: ShiftRow) -> bool:
    """A day off is kept as a shift without length, so that the week does not bring it back."""
    return shift.starts_at == shift.ends_at


def last_ends_at(session: Session, business_id: str, day: date) -> datetime | None:
    """When the last shift that starts on ``day`` ends, made or still to be made.

    ``None``: nobody works.
    """
    zone, known = _zone(session, business_id), _known(session, business_id, day)
    ends = [shift.ends_at for shift in known.values() if not is_off(shift)]
    for driver in _drivers(session, business_id):
        hours = driver.works.get(str(day.weekday()))
        if hours and driver.id not in known:
            ends.append(_span(day, hours[0], hours[1], zone)[1])
    return max(ends, default=None)


def working_on(hub: Hub, business_id: str, day: date) -> list[Working]:
    """Every active driver and whether they work on ``day``, by name. Changes nothing."""
    with hub.reading() as session:
        zone = _zone(session, business_id)
        known = _known(session, business_id, day)
        taken = set(
            session.exec(
                select(RouteRow.shift_id).where(
                    RouteRow.business_id == business_id,
                    RouteRow.day == day,
                    col(RouteRow.published_at).is_not(None),
                )
            )
        )
        drivers = sorted(_drivers(session, business_id), key=lambda driver: driver.name.casefold())
    seen = []
    for driver in drivers:
        shift = known.get(driver.id)
        usual = driver.works.get(str(day.weekday()))
        week = (usual[0], usual[1]) if usual else None
        hours = week if shift is None else _hours(shift, zone)
        seen.append(
            Working(
                driver.id,
                driver.name,
                hours,
                (shift.vehicle_id if shift else driver.vehicle_id) or "",
                (shift.depot_id if shift else driver.depot_id) or "",
                hours != week and not (shift and week and _is_span(shift, week, zone)),
                shift is not None and shift.id in taken,
            )
        )
    return seen


def set_hours(
    hub: Hub,
    business_id: str,
    driver_id: str,
    day: date,
    hours: tuple[str, str] | None,
    *,
    vehicle_id: str = "",
    depot_id: str = "",
    actor: str,
) -> ShiftRow:
    """Change one driver's ``day``: other hours (``HH:MM``), or ``None`` for a day off.

    Empty ids keep the driver's usual vehicle and depot. Raises ``Refused`` while the
    driver has a published route, ``ValueError`` for hours that are none, ``LookupError``
    for what is not this business's.
    """
    with hub.unit() as unit:
        session = unit.session
        zone = ZoneInfo(session.get_one(BusinessRow, business_id, with_for_update=True).zone)
        driver = _one(session, DriverRow, business_id, driver_id)
        depot = _depot(session, business_id, depot_id or driver.depot_id or "")
        shift = _known(session, business_id, day).get(driver_id)
        _not_on_the_road(session, business_id, driver, shift)
        starts_at, ends_at = _span(day, hours[0], hours[1], zone) if hours else _midnight(day, zone)
        if shift is None:
            shift = ShiftRow(
                business_id=business_id,
                driver_id=driver_id,
                vehicle_id=driver.vehicle_id,
                depot_id=depot.id,
                end_depot_id=_other_end(session, driver),
                day=day,
                starts_at=starts_at,
                ends_at=ends_at,
            )
        if vehicle_id:
            shift.vehicle_id = _one(session, VehicleRow, business_id, vehicle_id).id
        shift.depot_id, shift.starts_at, shift.ends_at = depot.id, starts_at, ends_at
        session.add(shift)
        session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="shift.changed" if hours else "shift.off",
                subject=f"{driver_id} {day}",
                at=hub.now(),
            )
        )
    return shift


def forget_derived(session: Session, driver: DriverRow, now: datetime) -> None:
    """Drop the coming shifts that say what ``driver``'s week says; the next look makes them anew.

    Before the week is changed. What has a route, or was set for its day, stays.
    """
    business_id = driver.business_id
    zone = _zone(session, business_id)
    for shift in _coming(session, business_id, now):
        if shift.driver_id == driver.id and _is_usual(session, shift, driver, zone):
            session.delete(shift)
    session.flush()


def in_new_zone(session: Session, business_id: str, zone: ZoneInfo, now: datetime) -> None:
    """The coming shifts keep what clocks show when the business's zone becomes ``zone``.

    Before the zone is changed. What says what a driver's week says is made anew at the
    next look; what was set for its day is moved. What has a route stays.
    """
    old = _zone(session, business_id)
    drivers = session.exec(select(DriverRow).where(DriverRow.business_id == business_id)).all()
    for driver in drivers:
        forget_derived(session, driver, now)
    for shift in _coming(session, business_id, now):
        shown = [at.astimezone(old).replace(tzinfo=zone) for at in (shift.starts_at, shift.ends_at)]
        shift.starts_at, shift.ends_at = moments(shown[0], shown[1])


def _other_end(session: Session, driver: DriverRow) -> str | None:
    """The other depot at which the driver's days end; ``None``: where they start, or nowhere."""
    return session.exec(
        select(DepotRow.id).where(
            DepotRow.business_id == driver.business_id,
            DepotRow.id == driver.planning.get("ends_at", ""),
        )
    ).one_or_none()


def _coming(session: Session, business_id: str, now: datetime) -> Sequence[ShiftRow]:
    """Shifts that nobody began and no route was made for."""
    routed = select(RouteRow.shift_id).where(RouteRow.business_id == business_id)
    return session.exec(
        select(ShiftRow).where(
            ShiftRow.business_id == business_id,
            ShiftRow.starts_at > now,
            col(ShiftRow.began_at).is_(None),
            col(ShiftRow.id).not_in(routed),
        )
    ).all()


def _is_usual(session: Session, shift: ShiftRow, driver: DriverRow, zone: ZoneInfo) -> bool:
    usual = driver.works.get(str(shift.day.weekday()))
    return (
        usual is not None
        and _is_span(shift, (usual[0], usual[1]), zone)
        and shift.vehicle_id == driver.vehicle_id
        and shift.depot_id == _depot(session, driver.business_id, driver.depot_id or "").id
    )


def _is_span(shift: ShiftRow, hours: tuple[str, str], zone: ZoneInfo) -> bool:
    return (shift.starts_at, shift.ends_at) == _span(shift.day, *hours, zone)


def _not_on_the_road(
    session: Session, business_id: str, driver: DriverRow, shift: ShiftRow | None
) -> None:
    if shift is None:
        return
    route = session.exec(
        select(RouteRow).where(RouteRow.business_id == business_id, RouteRow.shift_id == shift.id)
    ).one_or_none()
    if route is not None and route.published_at is not None:
        raise Refused(f"{driver.name} has a published route that day. Hand it over first.")


def _zone(session: Session, business_id: str) -> ZoneInfo:
    return ZoneInfo(session.get_one(BusinessRow, business_id).zone)


def _known(session: Session, business_id: str, day: date) -> dict[str, ShiftRow]:
    """Each driver's shift of the day; of several, one with a route: that driver is not free."""
    rows = session.exec(
        select(ShiftRow)
        .outerjoin(RouteRow, col(RouteRow.shift_id) == col(ShiftRow.id))
        .where(ShiftRow.business_id == business_id, ShiftRow.day == day)
        .order_by(col(RouteRow.published_at).is_not(None), col(RouteRow.id).is_not(None))
    )
    return {shift.driver_id: shift for shift in rows}  # the last one of a driver stays


def _drivers(session: Session, business_id: str) -> list[DriverRow]:
    return list(
        session.exec(
            select(DriverRow).where(DriverRow.business_id == business_id, DriverRow.active)
        )
    )


def _one[R: (DriverRow, VehicleRow, DepotRow)](
    session: Session, table: type[R], business_id: str, row_id: str
) -> R:
    row = session.get(table, row_id)
    if row is None or row.business_id != business_id:
        raise LookupError(f"no {table.__tablename__} {row_id}")
    return row


def _depot(session: Session, business_id: str, depot_id: str) -> DepotRow:
    if depot_id:
        return _one(session, DepotRow, business_id, depot_id)
    depot = session.exec(
        select(DepotRow).where(DepotRow.business_id == business_id).order_by(DepotRow.id)
    ).first()
    if depot is None:
        raise Refused("There is no depot yet. Add one first: routes start somewhere.")
    return depot


def _hours(shift: ShiftRow, zone: ZoneInfo) -> tuple[str, str] | None:
    if is_off(shift):
        return None
    opens, closes = shift.starts_at.astimezone(zone), shift.ends_at.astimezone(zone)
    return f"{opens:%H:%M}", f"{closes:%H:%M}"


def _midnight(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    at = datetime.combine(day, time(0), zone).astimezone(UTC)
    return at, at


def _span(day: date, begins: str, ends: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if not (HOURS.fullmatch(begins) and HOURS.fullmatch(ends)):
        raise ValueError("Hours are written as 08:00.")
    opens, closes = time.fromisoformat(begins), time.fromisoformat(ends)
    if opens == closes:
        raise ValueError("A shift begins and ends at different times.")
    last = day if closes > opens else day + timedelta(days=1)
    return moments(datetime.combine(day, opens, zone), datetime.combine(last, closes, zone))
