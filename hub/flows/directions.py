"""Turn by turn to a stop, for the driver on whose route it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.contracts import GivesDirections, TravelTimes
from hub.core.errors import HubError
from hub.core.measures import measures_of
from hub.core.planning import RoadLeg
from hub.core.values import Point
from hub.db.tables import DepotRow, DeviceRow, PlaceRow, RouteRow, ShiftRow, StopRow, VehicleRow
from hub.flows.fleet_rules import profile_of

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


def directions_to(
    hub: Hub, device: DeviceRow, stop_id: str, *, here: Point | None, language: str
) -> Directions:
    """From ``here``, or else from the stop before it. Raises ``LookupError`` for a stop that is
    on no published route of this phone's driver. Nothing is kept of where somebody is.
    """
    with hub.reading() as session:
        drive = _drive(session, device, stop_id, here)
    if drive is None:
        return Directions(why="This address has no pin yet.")
    why = NOBODY
    for guide in _guides(hub):
        try:
            legs = guide.directions(
                [drive.start, drive.end], hub.now(), _told(guide, drive.profile), language
            ).legs
        except HubError as problem:
            hub.tools.log.info("directions: %s", problem)
            why = NO_WAY
        except Exception:  # a stranger's mistake; the driver has another map app
            hub.tools.log.exception("directions failed")
            why = NO_WAY
        else:
            return _said(legs)
    return Directions(why=why)


def _said(legs: tuple[RoadLeg, ...]) -> Directions:
    return Directions(
        tuple(Turn(step.text, step.metres) for leg in legs for step in leg.steps),
        sum(leg.seconds for leg in legs),
        sum(leg.metres for leg in legs),
    )


def _guides(hub: Hub) -> Iterator[GivesDirections]:
    """Those who can tell turns now: an installed plugin's before the built map's."""
    classes = [c for c in hub.registry.all(TravelTimes) if issubclass(c, GivesDirections)]
    for cls in sorted(classes, key=lambda one: one.key == "valhalla"):
        try:
            guide = hub.provider(TravelTimes, cls.key, {})
            guide.check()
        except HubError as problem:
            hub.tools.log.info("directions by %s: %s", cls.key, problem)
        else:
            assert isinstance(guide, GivesDirections)
            yield guide


def _told(guide: GivesDirections, profile: str) -> str:
    heeds = isinstance(guide, TravelTimes) and guide.heeds_measures
    return profile if heeds else measures_of(profile)[0]


def _drive(session: Session, device: DeviceRow, stop_id: str, here: Point | None) -> _Drive | None:
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
    return _Drive(start, Point(place.lat, place.lon), profile_of(van))


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
