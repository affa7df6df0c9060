"""Ways and times between places: by road where there is a map, else in straight lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.core.business import BusinessSettings
from hub.core.contracts import TravelTimes
from hub.core.errors import ConfigError, HubError
from hub.core.plan_request import Pace
from hub.core.planning import TravelMatrix
from hub.core.rush_hours import RushHour, paces_on
from hub.core.travel import AskedTravel
from hub.core.values import Point
from hub.db.tables import BusinessRow
from hub.lent import AskTravel, Make

if TYPE_CHECKING:
    from hub.app import Hub

BUILT_IN = ("osrm", "crow")
"""Roads if there is a map, else straight lines."""
NO_ROAD_S = 1_000_000
"""Whoever measures travel says so much, or more, where no road leads: eleven days."""
OFF_MAP = "Its pin lies off the map: no road leads there."
WHOLE_UP_TO = 1_500
"""Places whose whole matrix is asked for at once: it takes 160 MB as Python's numbers. A day with
more is asked for in parts, where they are planned."""
PROBED = 20  # places by which it is seen who can answer for a large day
DEGREES = 5  # decimals kept of a shape's coordinates: about one metre


@dataclass(frozen=True, slots=True)
class Way:
    """The line a route drives, ``[[lat, lon], …]``, and how long it is; empty: not known."""

    geometry: list[list[float]]
    distance_m: int


UNKNOWN = Way([], 0)


@dataclass(frozen=True, slots=True)
class Roads:
    """Travel between places and depots (``index`` by their ids), for each vehicle profile."""

    index: Mapping[str, int]
    travel: Mapping[str, TravelMatrix]

    def lead_to(self, place_id: str) -> bool:
        """Whether any kind of vehicle can come there from anywhere."""
        here = self.index[place_id]
        return any(
            n != here and row[here] < NO_ROAD_S
            for matrix in self.travel.values()
            for n, row in enumerate(matrix.seconds)
        )


@dataclass(frozen=True, slots=True)
class Rush:
    """When a business's roads are slower, on the days ``first`` to ``last``."""

    rules: Sequence[RushHour]
    zone: ZoneInfo
    first: date
    last: date

    @classmethod
    def of(cls, business: BusinessRow, first: date, last: date) -> Rush:
        settings = BusinessSettings.model_validate(business.settings)
        return cls(settings.rush_hours, ZoneInfo(business.zone), first, last)

    def paces(self, profile: str) -> tuple[Pace, ...]:
        return paces_on(self.rules, profile, self.first, self.last, self.zone)

    def slow(self, travel: TravelMatrix, profile: str) -> TravelMatrix:
        """``travel`` at these paces; as it is if whoever measured it knows the time of day."""
        paces = self.paces(profile)
        return travel.paced(paces) if paces and not travel.pace else travel


def travel_between(
    hub: Hub, points: Sequence[Point], depart_at: datetime, profile: str
) -> TravelMatrix:
    """By what was installed for it, else by road where there is a map, else in straight lines."""
    for key in asked_in_order(hub)[:-1]:
        try:
            found = hub.provider(TravelTimes, key, {}).matrix(points, depart_at, profile)
            return found if key in BUILT_IN else _believable(found, len(points))
        except HubError as problem:  # no map, or none for this kind of vehicle
            hub.tools.log.info("travel times %s: %s", key, problem)
        except Exception:
            if key in BUILT_IN:
                raise
            hub.tools.log.exception("travel times %s failed", key)
    return hub.provider(TravelTimes, BUILT_IN[-1], {}).matrix(points, depart_at, profile)


def travel_of_day(
    hub: Hub, points: Sequence[Point], depart_at: datetime, profile: str
) -> TravelMatrix:
    """Like ``travel_between``; of a large day it is asked when and where it is needed.

    Then by whoever answers for some places of it first.
    """
    if len(points) <= WHOLE_UP_TO:
        return travel_between(hub, points, depart_at, profile)
    some = points[:: max(1, len(points) // PROBED)]
    for key in asked_in_order(hub):
        provider = hub.provider(TravelTimes, key, {})
        try:
            found = provider.matrix(some, depart_at, profile)
            if key not in BUILT_IN:
                _believable(found, len(some))
        except HubError as problem:
            hub.tools.log.info("travel times %s: %s", key, problem)
        except Exception:
            if key in BUILT_IN:
                raise
            hub.tools.log.exception("travel times %s failed", key)
        else:
            make: Make = (type(provider).__module__, type(provider).__qualname__, {})
            ask = AskTravel(make, hub.settings.data_dir, depart_at, profile)
            return AskedTravel(points, ask)
    raise ConfigError(f"Nobody tells travel times for the profile {profile!r}.")


def asked_in_order(hub: Hub) -> list[str]:
    """Keys of all travel times: an installed plugin's first, the one that always answers last."""
    known = [cls.key for cls in hub.registry.all(TravelTimes)]
    return [*(key for key in known if key not in BUILT_IN), *BUILT_IN]


def _believable(found: TravelMatrix, size: int) -> TravelMatrix:
    """A stranger's matrix, square and of whole seconds and metres. Raises ``ValueError``."""
    for rows in (found.seconds, found.metres):
        if len(rows) != size or any(len(row) != size for row in rows):
            raise ValueError(f"not a matrix of {size} places")
        if any(type(value) is not int or value < 0 for row in rows for value in row):
            raise ValueError("a time or length is no whole number from 0")
    return found


def way_through(hub: Hub, points: Sequence[Point], depart_at: datetime, profile: str) -> Way:
    """The way through ``points`` in this order. Never fails: at worst it is ``UNKNOWN``."""
    for key in asked_in_order(hub):
        try:
            road = hub.provider(TravelTimes, key, {}).route(points, depart_at, profile)
        except HubError as problem:  # no map, or no road joins two of the places
            hub.tools.log.info("way by %s: %s", key, problem)
        except Exception:  # a drawing is not worth a plan, whatever is wrong with it
            hub.tools.log.exception("way by %s failed", key)
        else:
            line = [[round(p.lat, DEGREES), round(p.lon, DEGREES)] for p in road.geometry]
            return Way(line, sum(leg.metres for leg in road.legs))
    return UNKNOWN
