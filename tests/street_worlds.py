"""Vans that drive along a way whose speeds are known, as phones would tell it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import cos, radians

from hub.core.stays import DEGREE_M, Fix, metres
from hub.core.values import Point

FREE_MS = 10.0


def fixes_along(
    way: Sequence[Point],
    speed_ms: Callable[[float], float],
    *,
    start_ms: int,
    every_s: int = 5,
    noise_m: float = 4.0,
    stands: Sequence[tuple[float, int]] = (),
    seed: int = 1,
) -> list[Fix]:
    """``speed_ms``: how fast at so many metres from the start; ``stands``: metres, seconds."""
    rng = random.Random(seed)
    halts, at_m, at_s, found = dict(stands), 0.0, 0, list[Fix]()
    length_m = way_m(way)
    while at_m < length_m:
        due = next((halt for halt in halts if halt <= at_m), None)
        holds_s = halts.pop(due) if due is not None else 0
        for second in range(max(holds_s, 1)):
            if at_s % every_s == 0:
                here = at(way, at_m)
                north, east = rng.gauss(0, noise_m), rng.gauss(0, noise_m)
                lat = here.lat + north / DEGREE_M
                lon = here.lon + east / DEGREE_M / cos(radians(here.lat))
                is_moving = second == holds_s - 1 or not holds_s
                speed = speed_ms(at_m) if is_moving else 0.0
                found.append(Fix(len(found) + 1, start_ms + at_s * 1000, lat, lon, 6.0, speed))
            at_s += 1
        at_m += speed_ms(at_m)
    return found


def way_m(way: Sequence[Point]) -> float:
    return sum(metres(a.lat, a.lon, b.lat, b.lon) for a, b in pairwise(way))


def at(way: Sequence[Point], along_m: float) -> Point:
    for a, b in pairwise(way):
        far_m = metres(a.lat, a.lon, b.lat, b.lon)
        if along_m <= far_m and far_m > 0:
            share = along_m / far_m
            return Point(a.lat + share * (b.lat - a.lat), a.lon + share * (b.lon - a.lon))
        along_m -= far_m
    return way[-1]


def points(fixes: Sequence[Fix]) -> Iterator[Point]:
    return (Point(fix.lat, fix.lon) for fix in fixes)
