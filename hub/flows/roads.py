"""Ways and times between places: by road where there is a map, else in straight lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hub.core.contracts import TravelTimes
from hub.core.errors import ConfigError, HubError
from hub.core.planning import TravelMatrix
from hub.core.values import Point

if TYPE_CHECKING:
    from hub.app import Hub

TRAVEL = ("osrm", "crow")
"""Roads if there is a map, else straight lines."""
NO_ROAD_S = 1_000_000
"""Whoever measures travel says so much, or more, where no road leads: eleven days."""
OFF_MAP = "Its pin lies off the map: no road leads there."
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


def travel_between(
    hub: Hub, points: Sequence[Point], depart_at: datetime, profile: str
) -> TravelMatrix:
    """By road where there is a map for this kind of vehicle, else in straight lines."""
    for key in TRAVEL[:-1]:
        try:
            return hub.provider(TravelTimes, key, {}).matrix(points, depart_at, profile)
        except ConfigError as problem:  # no map, or none for this kind of vehicle
            hub.tools.log.info("travel times %s: %s", key, problem)
    return hub.provider(TravelTimes, TRAVEL[-1], {}).matrix(points, depart_at, profile)


def way_through(hub: Hub, points: Sequence[Point], depart_at: datetime, profile: str) -> Way:
    """The way through ``points`` in this order. Never fails: at worst it is ``UNKNOWN``."""
    for key in TRAVEL:
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
