"""Depots, vehicles and drivers, kept as a person typed them into a form.

Each ``…In`` model is what may be typed; its messages are for the fields. What only the
database knows (whose depot is it?) comes back as ``NotAccepted`` with the field's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, field_validator
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from hub.core.contracts import RoutingStrategy
from hub.core.crew_rules import read_amounts
from hub.core.errors import HubError
from hub.core.phones import e164
from hub.core.values import Point
from hub.db.tables import BusinessRow, DepotRow, DeviceRow, DriverRow, VehicleRow, ZoneRow
from hub.db.unit import Unit
from hub.flows.audit import note
from hub.flows.day_rules import LAST_STOP
from hub.flows.fleet_rules import DriverRulesIn, VehicleRulesIn
from hub.flows.log_in import NotAccepted
from hub.flows.shifts import forget_derived
from hub.flows.swapped import looks_swapped

if TYPE_CHECKING:
    from hub.app import Hub

Row = DepotRow | VehicleRow | DriverRow
Profile = Literal["car", "van", "truck", "bicycle", "cargo_bike", "walk"]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _words(value: Any) -> Any:
    """``fridge, lift`` as a list, each skill once and in small letters."""
    if isinstance(value, str):
        value = value.split(",")
    if isinstance(value, list):
        return list(dict.fromkeys(str(word).strip().lower() for word in value if str(word).strip()))
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Skills = Annotated[list[str], BeforeValidator(_words), Field(max_length=30)]
Amount = Annotated[float | None, Field(gt=0, le=1_000_000), BeforeValidator(_blank_is_none)]
Count = Annotated[int | None, Field(gt=0, le=100_000), BeforeValidator(_blank_is_none)]
Latitude = Annotated[float | None, Field(ge=-90, le=90), BeforeValidator(_blank_is_none)]
Longitude = Annotated[float | None, Field(ge=-180, le=180), BeforeValidator(_blank_is_none)]
Chosen = Annotated[str | None, BeforeValidator(_blank_is_none)]


class DepotIn(BaseModel):
    """Where routes start. Without coordinates the address is looked up."""

    name: Name = Field(title="Name")
    address: str = Field(
        default="",
        title="Address",
        max_length=500,
        description="Street and number, postcode and town. The pin follows what you choose.",
    )
    lat: Latitude = Field(default=None, title="Latitude")
    lon: Longitude = Field(default=None, title="Longitude")
    strategy: str = Field(
        default="pyvrp", title="How routes are planned", description="PyVRP suits most days."
    )
    service_min: float | None = Field(
        default=None,
        title="Usual minutes at a door",
        ge=0,
        le=240,
        description="Where neither the order nor the place says otherwise. Empty: as in Settings.",
    )
    reload_min: float | None = Field(
        default=None,
        title="Minutes to load again",
        ge=0,
        le=720,
        description="For vehicles with several loads a day. Empty: 15.",
    )


class VehicleIn(VehicleRulesIn):
    """What carries the goods. An empty capacity means: no limit worth planning for."""

    name: Name = Field(title="Name", description="Such as its number plate.")
    profile: Profile = Field(
        default="car",
        title="Moves like a",
        description="A van keeps to ways for 2.7 m of height and 3.5 t, a truck for 4 m and 18 t.",
    )
    parcels: Count = Field(default=None, title="Most parcels")
    kg: Amount = Field(default=None, title="Most weight, in kg")
    litres: Amount = Field(default=None, title="Most volume, in litres")
    skills: Skills = Field(
        default=[],
        title="Equipment",
        description="Separated by commas, such as fridge, tail lift. Jobs can ask for it.",
    )
    active: bool = Field(default=True, title="In use")

    def capacity(self) -> dict[str, int]:
        """By dimension, in whole grams, cubic centimetres, parcels and what else was named."""
        return read_amounts(self.further) | {
            name: round(amount * factor)
            for name, amount, factor in (
                ("parcels", self.parcels, 1),
                ("g", self.kg, 1000),
                ("cm3", self.litres, 1000),
            )
            if amount is not None
        }


class DriverIn(DriverRulesIn):
    """Who drives, and when. Hours that end before they begin go over midnight."""

    name: Name = Field(title="Name")
    phone: str = Field(
        default="", title="Phone", max_length=60, description="Recipients never see it."
    )
    vehicle_id: Chosen = Field(default=None, title="Vehicle")
    depot_id: Chosen = Field(default=None, title="Starts from")
    works: dict[str, list[str]] = Field(
        default={},
        title="Working hours",
        description="Leave a day empty when it is free. 22:00 to 06:00 ends the next morning.",
    )
    skills: Skills = Field(
        default=[],
        title="Skills",
        description="Separated by commas, such as cold chain, age check. Jobs can ask for them.",
    )
    active: bool = Field(default=True, title="Works here")

    @field_validator("works")
    @classmethod
    def _hours(cls, works: dict[str, list[str]]) -> dict[str, list[str]]:
        kept: dict[str, list[str]] = {}
        for day, hours in works.items():
            if day not in "0123456" or len(day) != 1 or len(hours) != 2:
                raise ValueError("Give each day a time to begin and a time to end.")
            if any(hours):
                kept[day] = [_hour(hour, DAYS[int(day)]) for hour in hours]
        return kept


def _hour(text: str, day: str) -> str:
    if not text:
        raise ValueError(f"{day} has a beginning or an end, but not both.")
    try:
        return time.fromisoformat(text).strftime("%H:%M")
    except ValueError:
        raise ValueError(f"{day}: {text[:20]!r} is not a time like 08:30.") from None


def save_depot(
    hub: Hub, business_id: str, given: DepotIn, *, depot_id: str | None = None, actor: str
) -> DepotRow:
    """The depot as stored; a new one without ``depot_id``.

    Raises ``NotAccepted``, ``LookupError``.
    """
    if given.lat is None or given.lon is None:
        raise NotAccepted("address", "Choose where this is: type an address and press Find.")
    if given.strategy not in {strategy.key for strategy in hub.registry.all(RoutingStrategy)}:
        raise NotAccepted("strategy", "This way of planning is not installed.")
    with hub.unit() as unit:
        zone = unit.session.get_one(BusinessRow, business_id).zone
        if looks_swapped(Point(given.lat, given.lon), zone):
            raise NotAccepted(
                "lat",
                f"Latitude and longitude look swapped: {given.lat:g}, {given.lon:g} is far from"
                f" {zone}, but {given.lon:g}, {given.lat:g} is not. Exchange them.",
            )
        _named_once(unit.session, DepotRow, business_id, given.name, depot_id)
        row = (
            _known(unit.session, DepotRow, business_id, depot_id)
            if depot_id
            else DepotRow(business_id=business_id, name="", lat=given.lat, lon=given.lon)
        )
        row.name, row.address = given.name, given.address.strip()
        row.lat, row.lon, row.strategy = given.lat, given.lon, given.strategy
        minutes = given.service_min
        row.service_s = None if minutes is None else round(minutes * 60)
        row.reload_s = None if given.reload_min is None else round(given.reload_min * 60)
        _kept(hub, unit, row, "depot", actor)
    return row


def save_vehicle(
    hub: Hub, business_id: str, given: VehicleIn, *, vehicle_id: str | None = None, actor: str
) -> VehicleRow:
    """The vehicle as stored; a new one without ``vehicle_id``.

    Raises ``NotAccepted``, ``LookupError``.
    """
    with hub.unit() as unit:
        _named_once(unit.session, VehicleRow, business_id, given.name, vehicle_id)
        row = (
            _known(unit.session, VehicleRow, business_id, vehicle_id)
            if vehicle_id
            else VehicleRow(business_id=business_id, name="")
        )
        row.name, row.profile, row.active = given.name, given.profile, given.active
        row.capacity, row.skills = given.capacity(), given.skills
        _our_zones(unit.session, business_id, given.zones)
        row.planning = given.planning()
        _kept(hub, unit, row, "vehicle", actor)
    return row


def save_driver(
    hub: Hub, business_id: str, given: DriverIn, *, driver_id: str | None = None, actor: str
) -> DriverRow:
    """The driver as stored; a new one without ``driver_id``. Coming shifts follow the new week.

    Raises ``NotAccepted``, ``LookupError``.
    """
    with hub.unit() as unit:
        row = (
            _known(unit.session, DriverRow, business_id, driver_id)
            if driver_id
            else DriverRow(business_id=business_id, name="")
        )
        if driver_id:
            forget_derived(unit.session, row, hub.now())
        row.name, row.active, row.skills = given.name, given.active, given.skills
        row.phone = _phone(unit.session, business_id, given.phone)
        row.vehicle_id = _ours(
            unit.session, VehicleRow, business_id, given.vehicle_id, "vehicle_id"
        )
        row.depot_id = _ours(unit.session, DepotRow, business_id, given.depot_id, "depot_id")
        row.works = dict(given.works)
        if given.ends_at != LAST_STOP:
            _ours(unit.session, DepotRow, business_id, given.ends_at, "ends_at")
        _our_zones(unit.session, business_id, given.zones)
        row.planning = given.planning()
        _kept(hub, unit, row, "driver", actor)
    return row


def drivers_at_work(hub: Hub, business_id: str) -> dict[str, str]:
    """Id -> name of everybody who drives for the business now, by name."""
    with hub.reading() as session:
        return dict(
            session.exec(
                select(DriverRow.id, DriverRow.name)
                .where(DriverRow.business_id == business_id, col(DriverRow.active))
                .order_by(DriverRow.name)
            ).all()
        )


def depot_names(hub: Hub, business_id: str) -> tuple[str, ...]:
    with hub.reading() as session:
        mine = select(DepotRow.name).where(DepotRow.business_id == business_id)
        return tuple(session.exec(mine.order_by(DepotRow.name)))


def remove_depot(hub: Hub, business_id: str, depot_id: str, *, actor: str) -> None:
    """Forget a depot nothing starts from. Raises ``HubError`` with what to do, ``LookupError``."""
    with hub.reading() as session:
        drivers = session.exec(select(DriverRow).where(DriverRow.business_id == business_id))
        ends = sorted(one.name for one in drivers if one.planning.get("ends_at") == depot_id)
    if ends:
        raise HubError(f"This depot stays: the day of {', '.join(ends)} ends at it.")
    _remove(hub, DepotRow, business_id, depot_id, "depot", "drivers or routes start from it", actor)


def remove_vehicle(hub: Hub, business_id: str, vehicle_id: str, *, actor: str) -> None:
    """Forget a vehicle nobody drives. Raises ``HubError`` with what to do, ``LookupError``."""
    why = "a driver or a route uses it. Mark it as not in use instead"
    _remove(hub, VehicleRow, business_id, vehicle_id, "vehicle", why, actor)


def remove_driver(hub: Hub, business_id: str, driver_id: str, *, actor: str) -> None:
    """Forget a driver who never drove, with their phones. Raises ``HubError``, ``LookupError``."""
    why = "there are shifts of this driver. Mark the driver as not working here instead"
    _remove(hub, DriverRow, business_id, driver_id, "driver", why, actor)


def _known[R: DepotRow | VehicleRow | DriverRow](
    session: Session, table: type[R], business_id: str, row_id: str
) -> R:
    row = session.exec(
        select(table).where(col(table.business_id) == business_id, col(table.id) == row_id)
    ).one_or_none()
    if row is None:
        raise LookupError(f"no {table.__tablename__} {row_id}")
    return row


def _named_once[R: DepotRow | VehicleRow](
    session: Session, table: type[R], business_id: str, name: str, row_id: str | None
) -> None:
    """Drivers and dispatchers choose these by name. Raises ``NotAccepted`` for a second one."""
    rows = session.exec(select(table).where(col(table.business_id) == business_id)).all()
    if any(row.name.casefold() == name.casefold() and row.id != row_id for row in rows):
        raise NotAccepted(
            "name", f"There is a {table.__tablename__} of this name already. Choose another name."
        )


def _ours(
    session: Session,
    table: type[VehicleRow] | type[DepotRow],
    business_id: str,
    row_id: str | None,
    field: str,
) -> str | None:
    if row_id is None:
        return None
    try:
        return _known(session, table, business_id, row_id).id
    except LookupError:
        raise NotAccepted(field, "This one is not there any more. Choose another.") from None


def _our_zones(session: Session, business_id: str, ids: Sequence[str]) -> None:
    known = set(session.exec(select(ZoneRow.id).where(ZoneRow.business_id == business_id)))
    if not known.issuperset(ids):
        raise NotAccepted("zones", "One of these zones is not there any more. Choose again.")


def _phone(session: Session, business_id: str, typed: str) -> str:
    if not typed.strip():
        return ""
    country = session.get_one(BusinessRow, business_id).country
    found = e164(typed, country)
    if found is None:
        raise NotAccepted("phone", "This is not a telephone number. Try it with + and the country.")
    return found


def _kept(hub: Hub, unit: Unit, row: Row, what: str, actor: str) -> None:
    unit.session.add(row)
    unit.session.flush()
    note(hub, unit.session, row.business_id, actor, f"{what} saved", f"{row.name} ({row.id})")


def _remove(
    hub: Hub,
    table: type[DepotRow] | type[VehicleRow] | type[DriverRow],
    business_id: str,
    row_id: str,
    what: str,
    why: str,
    actor: str,
) -> None:
    try:
        with hub.unit() as unit:
            row = _known(unit.session, table, business_id, row_id)
            if isinstance(row, DriverRow):
                unit.session.exec(
                    delete(DeviceRow).where(
                        col(DeviceRow.business_id) == business_id,
                        col(DeviceRow.driver_id) == row_id,
                    )
                )
            unit.session.delete(row)
            unit.session.flush()
            note(hub, unit.session, business_id, actor, f"{what} removed", f"{row.name} ({row.id})")
    except IntegrityError:
        raise HubError(f"This {what} stays: {why}.") from None
