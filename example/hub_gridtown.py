"""Travel times for Gridtown, where streets run north and east: along one, then along the other."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import cos, radians

from hub import ConfigError, Point, RoadLeg, RoadRoute, TravelMatrix, TravelTimes, hookimpl

DEGREE_M = 111_195  # of latitude, on a sphere of 6,371 km
SPEED_MPS = {"car": 7.0, "bicycle": 4.2, "walk": 1.3}  # with lights and crossings


class Gridtown(TravelTimes):
    key = "gridtown"
    title = "Gridtown (streets at right angles)"

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        speed = speed_mps(profile)
        rows = [[blocks_m(a, b) for b in places] for a in places]
        return TravelMatrix(
            seconds=tuple(tuple(round(m / speed) for m in row) for row in rows),
            metres=tuple(map(tuple, rows)),
        )

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        speed = speed_mps(profile)
        shape = list(places[:1])
        for a, b in pairwise(places):
            shape += [Point(b.lat, a.lon), b]
        ways = [blocks_m(a, b) for a, b in pairwise(places)]
        return RoadRoute(tuple(shape), tuple(RoadLeg(round(m / speed), m) for m in ways))


def blocks_m(a: Point, b: Point) -> int:
    north = abs(a.lat - b.lat)
    east = abs(a.lon - b.lon) * cos(radians((a.lat + b.lat) / 2))
    return round((north + east) * DEGREE_M)


def speed_mps(profile: str) -> float:
    try:
        return SPEED_MPS[profile]
    except KeyError:
        raise ConfigError(f"Gridtown knows no vehicle called {profile}.") from None


@hookimpl
def hub_travel_times() -> list[type[TravelTimes]]:
    return [Gridtown]
