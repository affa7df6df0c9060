"""Where a van stands, as one says it: the nearest address, the stop beside it, or how far off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.errors import HubError
from hub.core.values import Point
from hub.db.tables import PlaceRow, StopRow
from hub.flows.document.where import distance_m
from hub.flows.locate import AddressBook

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.flows.rescue_ways import Scene

BESIDE_M = 150


def where_stands(hub: Hub, scene: Scene) -> str:
    """A few words; ``at`` the depot or beside a stop of its route before any address."""
    depot_m = distance_m(scene.at, Point(scene.depot.lat, scene.depot.lon))
    if depot_m <= BESIDE_M:
        return f"at {scene.depot.name}"
    if (stop := _beside(hub, scene)) is not None:
        return stop
    if (address := _address(hub, scene)) is not None:
        return f"near {address}"
    return f"{depot_m / 1000:.1f} km from {scene.depot.name}"


def _beside(hub: Hub, scene: Scene) -> str | None:
    business_id = scene.route.business_id
    with hub.reading() as session:
        places = session.exec(
            select(StopRow.n, PlaceRow.lat, PlaceRow.lon, PlaceRow.address)
            .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
            .where(StopRow.business_id == business_id, StopRow.route_id == scene.route.id)
        ).all()
    near = [
        (distance_m(scene.at, Point(lat, lon)), n, address)
        for n, lat, lon, address in places
        if lat is not None and lon is not None
    ]
    away_m, n, address = min(near, key=lambda one: one[:2], default=(BESIDE_M + 1, 0, {}))
    if away_m > BESIDE_M:
        return None
    street = next(iter(address.get("lines", ())), "")
    return f"beside stop {n}" + (f", {street}" if street else "")


def _address(hub: Hub, scene: Scene) -> str | None:
    """Of the built map, or whichever geocoder knows one; a fault of theirs costs no question."""
    for geocoder in AddressBook.of(hub, scene.route.business_id).geocoders:
        try:
            match = geocoder.reverse(scene.at)
        except HubError:
            continue
        except Exception:
            hub.tools.log.exception("geocoder %s failed", geocoder.key)
            continue
        if match is not None:
            return match.label
    return None
