"""Zones of a business: kept as a person typed or drew them, and read for planning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator
from sqlmodel import Session, col, select

from hub.core.errors import HubError
from hub.core.plan_request import KeepsTo
from hub.core.values import Point
from hub.core.zones import Area, Zone, area_text, read_area, read_postcodes, zones_at
from hub.db.tables import AuditRow, DriverRow, PlaceRow, ShiftRow, VehicleRow, ZoneRow
from hub.flows.fleet_rules import MUST
from hub.flows.log_in import NotAccepted

if TYPE_CHECKING:
    from hub.app import Hub

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
NEITHER = "Draw the area on the map, or write the postal codes that belong to it."


class ZoneIn(BaseModel):
    """A part of where a business delivers."""

    name: Name = Field(title="Name", description="Such as Centre or North.")
    postcodes: str = Field(
        default="",
        title="Postal codes",
        max_length=20_000,
        description="Separated by commas: 00100, all that begin with 001*, 00200 to 00299.",
        json_schema_extra={"control": "area"},
    )
    area: str = Field(
        default="",
        title="Area on the map",
        max_length=400_000,
        description="A corner a line as latitude, longitude. Or paste GeoJSON.",
        json_schema_extra={"control": "area"},
    )

    @field_validator("postcodes")
    @classmethod
    def _codes(cls, postcodes: str) -> str:
        return ", ".join(read_postcodes(postcodes))

    @field_validator("area")
    @classmethod
    def _area(cls, area: str) -> str:
        return area_text(read_area(area))

    @model_validator(mode="after")
    def _somewhere(self) -> ZoneIn:
        if not self.postcodes and not self.area:
            raise ValueError(NEITHER)
        return self


def save_zone(
    hub: Hub, business_id: str, given: ZoneIn, *, zone_id: str | None = None, actor: str
) -> ZoneRow:
    """The zone as stored; a new one without ``zone_id``.

    Raises ``NotAccepted``, ``LookupError``.
    """
    with hub.unit() as unit:
        rows = zone_rows(unit.session, business_id)
        if any(r.name.casefold() == given.name.casefold() and r.id != zone_id for r in rows):
            raise NotAccepted("name", "There is a zone of this name already. Choose another name.")
        row = _known(rows, zone_id) if zone_id else ZoneRow(business_id=business_id, name="")
        row.name = given.name
        row.area = _document(read_area(given.area))
        row.postcodes = list(read_postcodes(given.postcodes))
        unit.session.add(row)
        unit.session.flush()
        unit.session.add(_said(hub, row, "zone saved", actor))
    return row


def remove_zone(hub: Hub, business_id: str, zone_id: str, *, actor: str) -> None:
    """Forget a zone that nobody keeps to. Raises ``HubError`` with what to do, ``LookupError``."""
    with hub.unit() as unit:
        row = _known(zone_rows(unit.session, business_id), zone_id)
        drivers = select(DriverRow).where(DriverRow.business_id == business_id)
        vans = select(VehicleRow).where(VehicleRow.business_id == business_id)
        both = (*unit.session.exec(drivers), *unit.session.exec(vans))
        keepers = [one.name for one in both if zone_id in one.planning.get("zones", ())]
        if keepers:
            who = ", ".join(sorted(keepers))
            raise HubError(f"This zone stays: {who} keeps to it. Take it from them first.")
        unit.session.add(_said(hub, row, "zone removed", actor))
        unit.session.delete(row)


def zone_rows(session: Session, business_id: str) -> list[ZoneRow]:
    """By name."""
    query = select(ZoneRow).where(ZoneRow.business_id == business_id)
    return list(session.exec(query.order_by(col(ZoneRow.name))))


def zones_of(session: Session, business_id: str) -> tuple[Zone, ...]:
    return tuple(_value(row) for row in zone_rows(session, business_id))


def zones_here(zones: Iterable[Zone], place: PlaceRow) -> frozenset[str]:
    """Ids of the zones that a place lies in, by its pin or its postal code."""
    point = None
    if place.lat is not None and place.lon is not None:
        point = Point(place.lat, place.lon)
    return zones_at(zones, point, str(place.address.get("postcode") or ""))


def kept_to(shift: ShiftRow, driver: DriverRow, van: VehicleRow | None) -> tuple[KeepsTo, ...]:
    """The zones that driver and vehicle of a shift have, if any."""
    rules = [one for one in (driver.planning, van.planning if van else {}) if one.get("zones")]
    return tuple(_keeps_to(one, frozenset(shift.besides)) for one in rules)


def _keeps_to(rules: Mapping[str, Any], besides: frozenset[str]) -> KeepsTo:
    is_rule = rules.get("zone_rule", MUST) == MUST
    cost = None if is_rule else int(rules.get("outside_cost", 0))
    return KeepsTo(frozenset(rules["zones"]), cost, besides)


def zone_typed(row: ZoneRow) -> dict[str, str]:
    """As ``ZoneIn`` takes it."""
    return {
        "name": row.name,
        "postcodes": ", ".join(row.postcodes),
        "area": area_text(area_of(row)),
    }


def area_of(row: ZoneRow) -> Area:
    return tuple(
        tuple(tuple((float(lat), float(lon)) for lat, lon in ring) for ring in shape)
        for shape in row.area
    )


def _value(row: ZoneRow) -> Zone:
    return Zone(row.id, row.name, area_of(row), tuple(row.postcodes))


def _document(area: Area) -> list[Any]:
    return [[[list(corner) for corner in ring] for ring in shape] for shape in area]


def _known(rows: Iterable[ZoneRow], zone_id: str) -> ZoneRow:
    row = next((row for row in rows if row.id == zone_id), None)
    if row is None:
        raise LookupError(f"no zone {zone_id}")
    return row


def _said(hub: Hub, row: ZoneRow, action: str, actor: str) -> AuditRow:
    return AuditRow(
        business_id=row.business_id,
        actor=actor,
        action=action,
        subject=f"{row.name} ({row.id})"[:200],
        at=hub.now(),
    )
