"""A made-up city of any size: streets in a grid, faster roads for longer ways, a slow centre."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import cos, radians
from pathlib import Path

import numpy as np

from hub import (
    ArrayTravel,
    JobToPlan,
    PlanRequest,
    Point,
    RoadLeg,
    RoadRoute,
    TimeWindow,
    TravelMatrix,
    TravelTimes,
    VehicleToPlan,
)
from hub.core.travel import AskedTravel
from hub.lent import AskTravel

MIDDLE = Point(50.85, 4.35)
SIDE_KM = 40.0
M_A_DEGREE = 111_195.0
SLOW_MPS, FAST_MPS = 6.0, 18.0  # next door, and for ways of 15 km or more
CENTRE_M = 4_000.0  # inside it everything takes a third longer
JUNCTION_S = 15.0
EIGHT = datetime(2026, 11, 25, 8, tzinfo=UTC)


class CityTravel(TravelTimes):
    """Ways of the grid, turned by a fifth of a right angle so that no street runs due north."""

    key = "city"
    title = "A made-up city"

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        east = np.array([(p.lon - MIDDLE.lon) * cos(radians(MIDDLE.lat)) for p in places])
        north = np.array([p.lat - MIDDLE.lat for p in places])
        turn = radians(18)
        x = ((east * cos(turn) + north * np.sin(turn)) * M_A_DEGREE).astype(np.float32)
        y = ((north * cos(turn) - east * np.sin(turn)) * M_A_DEGREE).astype(np.float32)
        metres = np.abs(x[:, None] - x) + np.abs(y[:, None] - y)
        speed = np.interp(metres, [0, 1_000, 15_000], [SLOW_MPS, 9.0, FAST_MPS])
        inside = (np.hypot(x, y) < CENTRE_M).astype(np.float32)
        slower = 1 + (inside[:, None] + inside) / 6
        seconds = (metres / speed * slower).astype(np.float32)
        # Out of the side street one waits longer than into it: not the same both ways.
        seconds += JUNCTION_S * (1 + inside[:, None])
        np.fill_diagonal(seconds, 0)
        return ArrayTravel(seconds.astype(np.int32), metres.astype(np.int32))

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        table = self.matrix(places, depart_at, profile)
        legs = tuple(
            RoadLeg(table.seconds[n][n + 1], table.metres[n][n + 1]) for n in range(len(places) - 1)
        )
        return RoadRoute(tuple(places), legs)


def a_city_day(jobs: int, time_limit_s: float, seed: int) -> PlanRequest:
    """Half of the doors in a window of two hours, in quarters of differing density; shifts of
    eight hours, a van for each 75 doors with room for 120.
    """
    chance = random.Random(seed)
    half_km = SIDE_KM / 2 * (jobs / 10_000) ** 0.5
    quarters = [
        (chance.uniform(-half_km, half_km), chance.uniform(-half_km, half_km)) for _ in range(40)
    ]

    def a_door() -> Point:
        x, y = chance.choice(quarters)
        if chance.random() < 0.4:
            return _at(chance.uniform(-half_km, half_km), chance.uniform(-half_km, half_km))
        return _at(chance.gauss(x, half_km / 12), chance.gauss(y, half_km / 12))

    doors = [a_door() for _ in range(jobs)]
    places = [_at(half_km / 8, half_km / 8), *doors]
    ask = AskTravel((CityTravel.__module__, "CityTravel", {}), Path(), EIGHT, "car")
    shift = TimeWindow(EIGHT, EIGHT + timedelta(hours=8))
    return PlanRequest(
        places=tuple(places),
        travel={"car": AskedTravel(places, ask)},
        jobs=tuple(_job(n, chance) for n in range(1, jobs + 1)),
        vehicles=tuple(
            VehicleToPlan(
                id=f"v{n:03}",
                start=0,
                end=0,
                shift=shift,
                capacity={"parcels": 120},
                fixed_cost=6_000,
            )
            for n in range(-(-jobs // 60))
        ),
        time_limit_s=time_limit_s,
        seed=seed,
    )


def _job(n: int, chance: random.Random) -> JobToPlan:
    opens = EIGHT + timedelta(hours=chance.randint(0, 5), minutes=30)
    windows = (TimeWindow(opens, opens + timedelta(hours=2)),) if n % 2 else ()
    return JobToPlan(
        id=f"j{n:05}",
        place=n,
        service_s=chance.randint(60, 240),
        load={"parcels": 1},
        windows=windows,
    )


def _at(east_km: float, north_km: float) -> Point:
    lat = MIDDLE.lat + north_km * 1000 / M_A_DEGREE
    lon = MIDDLE.lon + east_km * 1000 / M_A_DEGREE / cos(radians(MIDDLE.lat))
    return Point(lat, lon)
