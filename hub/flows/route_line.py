"""The line that a route drives, drawn once whatever changed it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.fit import Stage
from hub.core.values import Point
from hub.db.tables import DepotRow, PlaceRow, RouteRow, ShiftRow, VehicleRow
from hub.flows.fleet_rules import profile_of
from hub.flows.roads import way_through
from hub.flows.route_now import route_of, stops_of, work_of
from hub.flows.take_overs import fetches_of
from hub.flows.visits import driven

if TYPE_CHECKING:
    from hub.app import Hub


def draw(hub: Hub, route: RouteRow) -> RouteRow:
    """Give ``route`` the line it now drives; not while a unit is open. Never fails for the line."""
    with hub.reading() as session:
        stops = stops_of(session, route.business_id, route.id)
        work = work_of(session, route.business_id, route.id)
        visits = driven(stops, work, fetches_of(session, route.business_id, route.id))
        places = {
            place.id: Point(place.lat, place.lon)
            for place in session.exec(
                select(PlaceRow).where(
                    PlaceRow.business_id == route.business_id,
                    col(PlaceRow.id).in_([stop.place_id for stop in stops]),
                )
            )
            if place.lat is not None and place.lon is not None
        }
        ends = {
            depot.id: Point(depot.lat, depot.lon)
            for depot in session.exec(
                select(DepotRow).where(DepotRow.business_id == route.business_id)
            )
        }
        shift, van = session.exec(
            select(ShiftRow, VehicleRow)
            .select_from(ShiftRow)
            .outerjoin(VehicleRow, col(VehicleRow.id) == route.vehicle_id)
            .where(ShiftRow.business_id == route.business_id, ShiftRow.id == route.shift_id)
        ).one()
    to = [visit.stop.place_id for visit in visits if visit.stage is not Stage.SKIPPED]
    through = [places[id] for id in to if id in places]
    points = [ends[shift.depot_id], *through, ends[shift.end_depot_id or shift.depot_id]]
    leaves_at = route.leaves_at or shift.starts_at
    way = way_through(hub, route.business_id, points, leaves_at, profile_of(van))
    with hub.unit() as unit:
        stored = route_of(unit.session, route.business_id, route.id)
        if stored.version == route.version:  # else whoever changed it draws it
            stored.geometry, stored.distance_m = way.geometry, way.distance_m
    route.geometry, route.distance_m = way.geometry, way.distance_m
    return route
