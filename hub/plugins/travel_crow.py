"""Travel times without a map: the straight line, a detour factor and a usual speed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import asin, cos, radians, sin, sqrt

import numpy as np

from hub import ArrayTravel, ConfigError, Point, RoadLeg, RoadRoute, TravelMatrix, TravelTimes

EARTH_M = 6_371_008.8
DETOUR = 1.35  # streets are that much longer than the straight line in towns
SPEED_KMH = {  # door to door in a town
    "car": 30.0,
    "van": 28.0,
    "truck": 24.0,
    "bicycle": 15.0,
    "cargo_bike": 13.0,
    "walk": 4.8,
}


class CrowTravelTimes(TravelTimes):
    """Good enough to start with; the panel says that a map makes it right."""

    key = "crow"
    title = "Straight lines (no map needed)"

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        speed = _speed_mps(profile)
        lat = np.radians([place.lat for place in places])
        lon = np.radians([place.lon for place in places])
        across = np.sin((lat[None, :] - lat[:, None]) / 2) ** 2
        along = np.cos(lat)[:, None] * np.cos(lat)[None, :]
        along = along * np.sin((lon[None, :] - lon[:, None]) / 2) ** 2
        metres = 2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(1.0, across + along))) * DETOUR
        return ArrayTravel(
            np.rint(metres / speed).astype(np.int64), np.rint(metres).astype(np.int64)
        )

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        speed = _speed_mps(profile)
        ways = [_road_m(a, b) for a, b in zip(places, places[1:], strict=False)]
        legs = tuple(RoadLeg(seconds=round(m / speed), metres=round(m)) for m in ways)
        return RoadRoute(geometry=tuple(places), legs=legs)


def _speed_mps(profile: str) -> float:
    if profile not in SPEED_KMH:
        known = ", ".join(SPEED_KMH)
        raise ConfigError(f"There is no travel profile {profile!r}. There are: {known}.")
    return SPEED_KMH[profile] / 3.6


def _road_m(a: Point, b: Point) -> float:
    """Haversine distance, lengthened by ``DETOUR``."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    across = sin((lat_b - lat_a) / 2) ** 2
    along = cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(min(1.0, across + along))) * DETOUR
