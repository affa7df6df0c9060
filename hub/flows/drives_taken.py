"""What drives took, from door to door, beside what the roads say they take when free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.core.pace_learned import Drive, HourTaken, hours_taken, joined, lines_for
from hub.core.rush_hours import RushHour
from hub.core.values import Point
from hub.db.tables import BusinessRow, PlaceRow, RouteRow, ShiftRow, StopRow, VehicleRow
from hub.flows.business import MOST_LINES
from hub.flows.drives_read import MOST_ROUTES, rounds_over
from hub.flows.drives_read import WEEKS as WEEKS
from hub.flows.fleet_rules import MEASURED, profile_of
from hub.flows.roads import travel_between

if TYPE_CHECKING:
    from hub.app import Hub

KNOWN_ALREADY = (
    "Your travel times know the time of day themselves, so there is nothing to learn from drives."
)


@dataclass(frozen=True, slots=True)
class DrivesTaken:
    """``hours`` of vehicles with an engine; ``lines`` say the same as rush hours; ``kinds`` are of
    all vehicles; ``unread``: rounds that are over and not read yet. ``why_not``: the travel times
    know the hours themselves, or cannot be asked.
    """

    drives: int
    hours: tuple[HourTaken, ...]
    lines: tuple[RushHour, ...]
    kinds: frozenset[str] = frozenset()
    unread: int = 0
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class _Way:
    """Any of the newest round: who is asked for it is asked for all."""

    ends: tuple[Point, ...]
    profile: str
    at: datetime


def drives_taken(hub: Hub, business_id: str) -> DrivesTaken:
    """Of the last ``WEEKS``, by rounds that are over and read. Changes nothing, and asks for the
    way between two doors at most.
    """
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        over = rounds_over(business, hub.now())
        rounds = (
            select(RouteRow, VehicleRow)
            .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
            .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
            .where(*over)
            .order_by(col(RouteRow.day).desc(), col(RouteRow.id))
            .limit(MOST_ROUTES)
        )
        newest = session.exec(rounds).all()
        kinds = frozenset(
            session.exec(select(VehicleRow.profile).where(VehicleRow.business_id == business_id))
        )
        way = _some_way(session, *newest[0]) if newest else None
    if way is not None:
        try:
            if travel_between(hub, business_id, way.ends, way.at, way.profile).pace:
                return DrivesTaken(0, (), (), why_not=KNOWN_ALREADY)
        except HubError as problem:
            return DrivesTaken(0, (), (), why_not=str(problem))
    drives = [
        Drive(datetime.fromisoformat(left_at), took_s, free_s)
        for route, _ in newest
        for left_at, took_s, free_s in route.drives or ()
    ]
    unread = sum(route.drives is None for route, _ in newest)
    hours = hours_taken(drives, ZoneInfo(business.zone))
    return DrivesTaken(len(drives), tuple(hours), tuple(lines_for(hours)), kinds, unread)


def with_lines(settings: BusinessSettings, taken: DrivesTaken) -> BusinessSettings:
    """``settings`` with what was learned, in the place of what they said of the same hours."""
    if all(hour.factor is None for hour in taken.hours):
        return settings
    engines, alone = taken.kinds & MEASURED, taken.kinds <= MEASURED
    rules = joined(settings.rush_hours, taken.hours, engines, alone=alone, most=MOST_LINES)
    return settings.model_copy(update={"rush_hours": rules})


def _some_way(session: Session, route: RouteRow, van: VehicleRow | None) -> _Way | None:
    """``None`` where it has no two doors with a pin."""
    doors = session.exec(
        select(PlaceRow.lat, PlaceRow.lon, StopRow.depart_at)
        .join(StopRow, col(StopRow.place_id) == col(PlaceRow.id))
        .where(
            StopRow.business_id == route.business_id,
            StopRow.route_id == route.id,
            col(PlaceRow.lat).is_not(None),
            col(PlaceRow.lon).is_not(None),
        )
        .order_by(col(StopRow.n))
        .limit(2)
    ).all()
    ends = tuple(Point(lat or 0.0, lon or 0.0) for lat, lon, _ in doors)
    return _Way(ends, profile_of(van), doors[0][2]) if len(ends) == 2 else None
