"""The streets themselves, as couriers drive them: the simulator's own world, not the hub's.

A ride is a line in time: knots of (second, latitude, longitude), straight and steady between
two of them. It follows the real road, is slower or faster than free-flowing traffic, and
stands at some lights.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.core.planning import RoadRoute
from hub.core.stays import metres
from hub.core.values import Point

Knot = tuple[float, float, float]
Road = Callable[[Point, Point], RoadRoute]

SLOWEST, FASTEST = 1.2, 0.8  # times what a map says: traffic, a pedestrian, an empty road
LIGHTS_EVERY_M = 700
LIGHTS_S = (8, 24)  # a red phase; nobody delivers in so short a time
WALK_S = 12.0  # from the van to the door, of the time that is usual there


@dataclass(frozen=True, slots=True)
class Ride:
    knots: tuple[Knot, ...]

    @property
    def ends_s(self) -> float:
        return self.knots[-1][0]

    def where(self, at_s: float) -> tuple[float, float, float]:
        """Latitude, longitude and speed in m/s."""
        n = bisect_right(self.knots, at_s, key=lambda knot: knot[0])
        if n == 0 or n == len(self.knots):
            _, lat, lon = self.knots[min(n, len(self.knots) - 1)]
            return lat, lon, 0.0
        (t0, lat0, lon0), (t1, lat1, lon1) = self.knots[n - 1], self.knots[n]
        share = (at_s - t0) / (t1 - t0)
        speed_ms = metres(lat0, lon0, lat1, lon1) / (t1 - t0)
        return lat0 + (lat1 - lat0) * share, lon0 + (lon1 - lon0) * share, speed_ms


def standing(at: Point, since_s: float) -> Ride:
    return Ride(((since_s, at.lat, at.lon),))


def ride(road: Road, here: Point, there: Point, at_s: float, chance: random.Random) -> Ride:
    """From door to door, with what it takes to park and to walk."""
    way = road(here, there)
    free_s = sum(leg.seconds for leg in way.legs)
    line = [(here.lat, here.lon), *((p.lat, p.lon) for p in way.geometry)]
    lengths = [metres(*a, *b) for a, b in pairwise(line)]
    whole_m = sum(lengths)
    drive_s = max(free_s, whole_m / 14) * chance.uniform(FASTEST, SLOWEST) + WALK_S
    lights = _lights(whole_m, chance)
    knots, at, gone_m = [(at_s, *line[0])], at_s, 0.0
    for length_m, (lat, lon) in zip(lengths, line[1:], strict=True):
        if length_m < 0.5:
            continue
        gone_m += length_m
        at += drive_s * length_m / whole_m
        knots.append((at, lat, lon))
        while lights and lights[0][0] <= gone_m:
            at += lights.pop(0)[1]
            knots.append((at, lat, lon))
    knots.append((at + WALK_S, there.lat, there.lon))
    return Ride(tuple(knots))


def length_m(here: Point, there: Point) -> float:
    return metres(here.lat, here.lon, there.lat, there.lon)


def off(lat: float, lon: float, north_m: float, east_m: float) -> tuple[float, float]:
    """So many metres away."""
    return lat + north_m / 111_195, lon + east_m / (111_195 * math.cos(math.radians(lat)))


def _lights(whole_m: float, chance: random.Random) -> list[tuple[float, float]]:
    """Where on the way it is red, and how long."""
    met = round(whole_m / LIGHTS_EVERY_M * chance.uniform(0.4, 1.4))
    spots: Sequence[float] = sorted(chance.uniform(0.1, 0.9) * whole_m for _ in range(met))
    return [(spot, chance.uniform(*LIGHTS_S)) for spot in spots]
