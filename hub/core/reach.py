"""How far somebody gets in so many minutes, and who lies within.

Reach is told in drives on free roads; when these take longer is what the business says of the
hour in which they are driven.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from hub.core.pace import Traffic
from hub.core.values import Point
from hub.core.zones import Area, Corner, Ring

MOST_RINGS = 4
LONGEST_MIN = 120
EDGE = 0.003  # degrees, 300 m: an outline is not drawn finer than that
Box = tuple[float, float, float, float]  # west, south, east, north
MINUTES_LIKE = f"Write up to {MOST_RINGS} numbers from 1 to {LONGEST_MIN}, such as 10, 20, 30."


def read_minutes(text: str) -> tuple[int, ...]:
    """``10, 20 30`` as whole minutes, each once, the fewest first.

    Raises ``ValueError`` with what to write.
    """
    parts = [part for part in re.split(r"[,;\s]+", text) if part]
    if not all(part.isdecimal() and len(part) <= 3 for part in parts):
        raise ValueError(MINUTES_LIKE)
    found = tuple(sorted({int(part) for part in parts}))
    if not 1 <= len(found) <= MOST_RINGS or found[0] < 1 or found[-1] > LONGEST_MIN:
        raise ValueError(MINUTES_LIKE)
    return found


def free_s(traffic: Traffic | None, leave: datetime, minutes: int) -> float:
    """The undisturbed seconds of driving that fit in the ``minutes`` after ``leave``."""
    if traffic is None:
        return 60.0 * minutes
    until = leave + timedelta(minutes=minutes)
    return traffic.driven(round(leave.timestamp()), round(until.timestamp()))


def split_at_180(area: Area) -> Area:
    """``area`` with what crosses the meridian of 180 degrees in two, as GeoJSON has it (RFC 7946,
    3.1.9): each part on its side of the line. It may go on beyond 180, or jump to -180.
    """
    return tuple(part for shape in area for part in _split(shape))


def demand_drawable(area: Area) -> None:
    """Raises ``ValueError`` for what is no area on the globe, ``TypeError`` for no area at all."""
    for shape in area:
        if not shape:
            raise ValueError("a shape has no ring")
        for ring in shape:
            if len(ring) < 3:
                raise ValueError(f"a ring has {len(ring)} corners")
            for lat, lon in ring:
                if not (-90 <= lat <= 90 and -180 <= lon <= 180):
                    raise ValueError(f"{lat}, {lon} is no place on the globe")


def first_within(areas: Sequence[Area], points: Sequence[Point]) -> list[int | None]:
    """For each point the number of the first of ``areas`` that it lies in; ``None``: in none."""
    lats, lons = (np.array([getattr(p, name) for p in points]) for name in ("lat", "lon"))
    found = np.full(len(points), -1)
    for n in reversed(range(len(areas))):
        found[_within(areas[n], lats, lons)] = n
    return [None if n < 0 else n for n in found.tolist()]


def meets_edge(area: Area, box: Box) -> bool:
    """Whether ``area`` comes near the edge of a map or goes beyond, so that it may be cut off."""
    west, south, east, north = box
    return any(
        not (
            south + EDGE <= lat <= north - EDGE
            # At 180 it was cut in two, not cut off.
            and (abs(lon) == 180 or west + EDGE <= lon <= east - EDGE)
        )
        for shape in area
        for lat, lon in shape[0]
    )


def _split(shape: Sequence[Ring]) -> list[tuple[Ring, ...]]:
    rings = [_going_on(ring) for ring in shape]
    farthest = max((abs(lon) for ring in rings for _, lon in ring), default=0.0)
    if not 180 < farthest <= 360:  # what goes once round is no area: it stays, to be refused
        return [tuple(rings)]
    west, east = min(lon for _, lon in rings[0]), max(lon for _, lon in rings[0])
    holes = [_moved(ring, _turns(west, east, ring)) for ring in rings[1:]]
    found = []
    for turn in (-360, 0, 360):
        outer, *inner = (_moved(_cut(ring, turn), -turn) for ring in (rings[0], *holes))
        if len(set(outer)) > 2:
            found.append((outer, *(ring for ring in inner if len(set(ring)) > 2)))
    return found


def _going_on(ring: Ring) -> Ring:
    """Without jumps from one side of the globe to the other: beyond 180 instead."""
    found, turn = list(ring[:1]), 0
    for (_, before), (lat, lon) in pairwise(ring):
        turn += 360 * ((lon - before < -180) - (lon - before > 180))
        found.append((lat, lon + turn))
    return tuple(found)


def _turns(west: float, east: float, hole: Ring) -> int:
    """By how much ``hole`` has to be moved to lie between ``west`` and ``east``."""
    lon = hole[0][1] if hole else west
    return next((turn for turn in (0, 360, -360) if west <= lon + turn <= east), 0)


def _moved(ring: Ring, by: float) -> Ring:
    return tuple((lat, lon + by) for lat, lon in ring) if by else ring


def _cut(ring: Ring, turn: int) -> Ring:
    """What of it lies within 180 degrees of ``turn`` (Sutherland and Hodgman's method)."""
    return _clipped(_clipped(ring, turn - 180, 1), turn + 180, -1)


def _clipped(ring: Ring, at: float, side: int) -> Ring:
    """What lies to the east (``side`` 1) or the west (-1) of a meridian."""
    found = list[Corner]()
    for (lat, lon), (to_lat, to_lon) in zip(ring, (*ring[1:], *ring[:1]), strict=True):
        is_in, will_be_in = side * (lon - at) >= 0, side * (to_lon - at) >= 0
        if is_in:
            found.append((lat, lon))
        if is_in != will_be_in:
            found.append((lat + (to_lat - lat) * (at - lon) / (to_lon - lon), at))
    return tuple(found)


def _within(area: Area, lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
    """As ``Zone.has``, of thousands at once."""
    is_in = np.zeros(len(lats), dtype=bool)
    for shape in area:
        odd = np.zeros(len(lats), dtype=bool)
        for ring in shape:
            odd ^= _odd(ring, lats, lons)
        is_in |= odd
    return is_in


def _odd(ring: Ring, lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
    """Whether the ring is crossed an odd number of times on the way straight to the east."""
    odd = np.zeros(len(lats), dtype=bool)
    for (lat, lon), (to_lat, to_lon) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if lat != to_lat:
            crosses = (lat > lats) != (to_lat > lats)
            odd ^= crosses & (lons < lon + (to_lon - lon) * (lats - lat) / (to_lat - lat))
    return odd
