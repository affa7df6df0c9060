"""Turn by turn to a stop, for the driver on whose route it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.contracts import GivesDirections
from hub.core.errors import HubError
from hub.core.pace import Traffic, arrives, traffic_of
from hub.core.plan_request import Pace
from hub.core.planning import RoadLeg
from hub.core.values import Point
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DeviceRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopRow,
    VehicleRow,
)
from hub.flows.fleet_rules import profile_of
from hub.flows.roads import Rush
from hub.flows.travel_able import able, knows_traffic, told

if TYPE_CHECKING:
    from hub.app import Hub

NOBODY = "There are no directions here: the hub's map was built without them."
NO_WAY = "The map knows no way from where you are. Use Navigate."


@dataclass(frozen=True, slots=True)
class Turn:
    text: str
    metres: int


@dataclass(frozen=True, slots=True)
class Directions:
    """``turns`` is empty where nobody can tell, and ``why`` says so to the driver."""

    turns: tuple[Turn, ...] = ()
    seconds: int = 0
    metres: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Drive:
    start: Point
    end: Point
    profile: str
    paces: tuple[Pace, ...]  # of the business's roads, today and tonight


def directions_to(
    hub: Hub, device: DeviceRow, stop_id: str, *, here: Point | None, language: str
) -> Directions:
    """From ``here``, or else from the stop before it. Raises ``LookupError`` for a stop that is
    on no published route of this phone's driver. Nothing is kept of where somebody is.
    """
    with hub.reading() as session:
        drive = _drive(session, device, stop_id, here, hub.now())
    if drive is None:
        return Directions(why="This address has no pin yet.")
    why = NOBODY
    guides, _ = able(hub, GivesDirections)
    for guide in guides:
        leave = hub.now()
        try:
            legs = guide.directions(
                [drive.start, drive.end], leave, told(guide, drive.profile), language
            ).legs
        except HubError as problem:
            hub.tools.log.info("directions: %s", problem)
            why = NO_WAY
        except Exception:  # a stranger's mistake; the driver has another map app
            hub.tools.log.exception("directions failed")
            why = NO_WAY
        else:
            traffic = None if knows_traffic(guide) else traffic_of(drive.paces)
            return _said(legs, leave, traffic)
    return Directions(why=why)


def _said(legs: tuple[RoadLeg, ...], leave: datetime, traffic: Traffic | None) -> Directions:
    """``traffic``: the map knows free roads, and the plan by which times it slows them.

    Where it knows too how fast streets are now, whichever is slower counts: together they would
    count one jam twice.
    """
    now_s = sum(leg.seconds for leg in legs)
    free_s = sum(leg.seconds if leg.free_s is None else leg.free_s for leg in legs)
    planned_s = round((arrives(traffic, leave, free_s) - leave).total_seconds())
    return Directions(
        tuple(Turn(step.text, step.metres) for leg in legs for step in leg.steps),
        planned_s if free_s == now_s else max(planned_s, now_s),
        sum(leg.metres for leg in legs),
    )


def _drive(
    session: Session, device: DeviceRow, stop_id: str, here: Point | None, now: datetime
) -> _Drive | None:
    """``None`` while the stop has no pin."""
    mine = session.exec(
        select(StopRow, RouteRow, PlaceRow)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .where(
            StopRow.business_id == device.business_id,
            StopRow.id == stop_id,
            RouteRow.driver_id == device.driver_id,
            col(RouteRow.published_at).is_not(None),
        )
    ).one_or_none()
    if mine is None:
        raise LookupError(f"no stop {stop_id}")
    stop, route, place = mine
    if place.lat is None or place.lon is None:
        return None
    start = here or _before(session, route, stop)
    van = session.exec(
        select(VehicleRow).where(
            VehicleRow.business_id == device.business_id, VehicleRow.id == route.vehicle_id
        )
    ).one_or_none()
    profile = profile_of(van)
    business = session.get_one(BusinessRow, device.business_id)
    today = now.astimezone(ZoneInfo(business.zone)).date()
    paces = Rush.of(business, today, today).paces(profile)
    return _Drive(start, Point(place.lat, place.lon), profile, paces)


def _before(session: Session, route: RouteRow, stop: StopRow) -> Point:
    """The stop before it that has a pin; the depot, where there is none."""
    earlier = session.exec(
        select(PlaceRow.lat, PlaceRow.lon)
        .join(StopRow, col(StopRow.place_id) == col(PlaceRow.id))
        .where(
            StopRow.business_id == route.business_id,
            StopRow.route_id == route.id,
            StopRow.n < stop.n,
            col(PlaceRow.lat).is_not(None),
        )
        .order_by(col(StopRow.n).desc())
    ).first()
    if earlier is not None and earlier[0] is not None and earlier[1] is not None:
        return Point(earlier[0], earlier[1])
    depot = session.exec(
        select(DepotRow)
        .join(ShiftRow, col(ShiftRow.depot_id) == col(DepotRow.id))
        .where(DepotRow.business_id == route.business_id, ShiftRow.id == route.shift_id)
    ).one()
    return Point(depot.lat, depot.lon)
