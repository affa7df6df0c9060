"""How far a vehicle gets from a depot, and which of a day's jobs lie within."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.contracts import GivesReach
from hub.core.errors import HubError
from hub.core.measures import measures_of
from hub.core.pace import traffic_of
from hub.core.plan_request import Pace
from hub.core.reach import demand_drawable, first_within, free_s, split_at_180
from hub.core.values import Point
from hub.core.zones import Area
from hub.db.tables import BusinessRow, DepotRow, PlaceRow, VehicleRow
from hub.flows.day_open import open_jobs, without_pin
from hub.flows.fleet_rules import profile_of
from hub.flows.roads import Rush
from hub.flows.sync import address_document
from hub.flows.travel_able import able, is_of_map, knows_traffic, told
from hub.maps.roads import PROFILES

if TYPE_CHECKING:
    from hub.app import Hub

NOBODY = "No plugin that is installed can say how far a vehicle gets."
NOWHERE = "Nobody gets anywhere in so little time. Take more minutes."


@dataclass(frozen=True, slots=True)
class Leaving:
    """From which depot, as what (a travel profile), on which day, at what time of its clock."""

    depot_id: str
    profile: str
    day: date
    at: time


@dataclass(frozen=True, slots=True)
class Spot:
    """An open job. ``ring`` is the number of the first ring it lies in; ``None``: in none."""

    order_id: str
    number: str
    address: str
    point: Point
    ring: int | None


@dataclass(frozen=True, slots=True)
class Ring:
    """Where one gets in so many ``minutes``; ``jobs`` counts those of smaller rings too."""

    minutes: int
    area: Area
    jobs: int


@dataclass(frozen=True, slots=True)
class Reach:
    """``why_not``: nobody can say how far one gets, and what would help; then there are no rings.

    ``slowed``: the business's rush hours count at that time. ``of_map``: the built map said so, and
    knows no roads beyond its edge. ``elsewhere``: jobs that belong to other depots, and ``pinless``
    those without a place on the map; neither is among ``spots``.
    """

    depot: DepotRow
    rings: tuple[Ring, ...] = ()
    spots: tuple[Spot, ...] = ()
    elsewhere: int = 0
    pinless: int = 0
    slowed: bool = False
    of_map: bool = False
    why_not: str = ""

    @property
    def outside(self) -> tuple[Spot, ...]:
        return tuple(spot for spot in self.spots if spot.ring is None)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An area for each number of minutes, or why there are none; else as in ``Reach``."""

    areas: Sequence[Area] = ()
    slowed: bool = False
    of_map: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Mover:
    """What can be asked for: a kind of vehicle, or (with a ``name``) one of its own measures."""

    profile: str
    name: str = ""


def movers(session: Session, business_id: str) -> list[Mover]:
    """Kinds of vehicle, those the business has first; then its vehicles of known measures."""
    vans = session.exec(
        select(VehicleRow).where(VehicleRow.business_id == business_id).order_by(col(VehicleRow.id))
    ).all()
    had = dict.fromkeys(van.profile for van in vans if van.profile in PROFILES)
    sized = [Mover(profile_of(van), van.name) for van in vans if profile_of(van) != van.profile]
    return [*(Mover(kind) for kind in dict.fromkeys([*had, *PROFILES])), *sized]


def reach_of(hub: Hub, business_id: str, leaving: Leaving, minutes: Sequence[int]) -> Reach:
    """Rings in the order of ``minutes``, the fewest first. Raises ``LookupError`` for an unknown
    depot.
    """
    with hub.reading() as session:
        depot, paces, leaves_at = _start(session, business_id, leaving)
        mine, elsewhere = open_jobs(session, business_id, depot, leaving.day)
        pinless = without_pin(session, business_id, leaving.day)
    drawn = _drawn(hub, depot, leaving.profile, leaves_at, paces, minutes)
    points = [Point(place.lat or 0.0, place.lon or 0.0) for _, _, place in mine]
    spots = tuple(
        Spot(order.id, order.number or order.ref, _address(place), point, ring)
        for (_, order, place), point, ring in zip(
            mine, points, first_within(drawn.areas, points), strict=True
        )
    )
    rings = tuple(
        Ring(each, area, sum(spot.ring is not None and spot.ring <= n for spot in spots))
        for n, (each, area) in enumerate(zip(minutes, drawn.areas, strict=False))
    )
    return Reach(depot, rings, spots, elsewhere, pinless, drawn.slowed, drawn.of_map, drawn.why_not)


def area_within(
    hub: Hub, business_id: str, leaving: Leaving, minutes: Sequence[int], within: int
) -> Area:
    """The ring of ``within``, one of ``minutes``, as it is drawn beside the others: how fine an
    edge is depends on the widest. Raises ``HubError`` with what is in the way, ``LookupError``
    for an unknown depot.
    """
    with hub.reading() as session:
        depot, paces, leaves_at = _start(session, business_id, leaving)
    drawn = _drawn(hub, depot, leaving.profile, leaves_at, paces, minutes)
    found = dict(zip(minutes, drawn.areas, strict=False)).get(within)
    if not found:
        raise HubError(drawn.why_not or NOWHERE)
    return found


def _start(
    session: Session, business_id: str, leaving: Leaving
) -> tuple[DepotRow, tuple[Pace, ...], datetime]:
    depot = session.exec(
        select(DepotRow).where(DepotRow.business_id == business_id, DepotRow.id == leaving.depot_id)
    ).one_or_none()
    if depot is None:
        raise LookupError(f"no depot {leaving.depot_id}")
    business = session.get_one(BusinessRow, business_id)
    paces = Rush.of(business, leaving.day, leaving.day).paces(leaving.profile)
    leaves_at = datetime.combine(leaving.day, leaving.at, ZoneInfo(business.zone))
    return depot, paces, leaves_at


def _drawn(
    hub: Hub,
    depot: DepotRow,
    profile: str,
    leaves_at: datetime,
    paces: tuple[Pace, ...],
    minutes: Sequence[int],
) -> _Drawn:
    guides, why_not = able(hub, GivesReach)
    here = Point(depot.lat, depot.lon)
    for guide in guides:
        traffic = None if knows_traffic(guide) else traffic_of(paces)
        seconds = [free_s(traffic, leaves_at, each) for each in minutes]
        try:
            told_areas = guide.reach(here, seconds, leaves_at, told(guide, profile))
            areas = [split_at_180(area) for area in told_areas]
            if len(areas) != len(minutes):
                raise ValueError(f"{len(areas)} areas for {len(minutes)} times")
            for area in areas:
                demand_drawable(area)
            first_within(areas, [here])
        except HubError as problem:
            hub.tools.log.info("reach: %s", problem)
            why_not = str(problem)
        except Exception:  # a stranger's mistake
            hub.tools.log.exception("reach failed")
            why_not = "Its plugin failed."
        else:
            slowed = any(s != 60 * m for s, m in zip(seconds, minutes, strict=True))
            return _Drawn(areas, slowed, is_of_map(guide))
    return _Drawn(why_not=why_not or NOBODY)


def _address(place: PlaceRow) -> str:
    return address_document.validate_python(place.address).one_line()


def is_known(profile: str) -> bool:
    """Whether there is such a kind of vehicle."""
    return measures_of(profile)[0] in PROFILES
