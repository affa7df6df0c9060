"""The piece of a route's line that lies between its driver and one door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, hypot

from hub.core.stays import metres
from hub.core.values import Point

AT_DOOR_M = 60  # a line ends in the street, not in the house
ON_ROAD_M = 60  # further off he drives another way than was planned
SAME_M = 5  # two pieces of one street, there and back


def ahead(line: Sequence[Point], here: Point, door: Point) -> list[Point]:
    """From ``here`` along ``line`` to ``door``; empty where he is not on it or it leads not there.

    A line that passes the driver several times is entered at the last time before the door, so
    that nothing of the way to anybody else is in what is returned.
    """
    there = _nearest(line, door, AT_DOOR_M)
    if there is None:
        return []
    on = _nearest(line[: there.corner + 2], here, ON_ROAD_M, last=True)
    if on is None:
        return []
    return [here, *line[on.corner + 1 : there.corner + 1], there.point, door]


@dataclass(frozen=True, slots=True)
class _Foot:
    """The nearest point of the piece that begins at corner number ``corner``."""

    corner: int
    point: Point
    off_m: float


def _nearest(
    line: Sequence[Point], place: Point, within_m: float, *, last: bool = False
) -> _Foot | None:
    """Where ``line`` is about as near to ``place`` as anywhere; ``None``: too far."""
    feet = [_foot(line, n, place) for n in range(len(line) - 1)]
    least = min((foot.off_m for foot in feet), default=within_m + 1)
    if least > within_m:
        return None
    near = [foot for foot in feet if foot.off_m <= least + SAME_M]
    return near[-1] if last else near[0]


def _foot(line: Sequence[Point], corner: int, place: Point) -> _Foot:
    a, b = line[corner], line[corner + 1]
    east, north = _off(a, place)
    wide, high = _off(a, b)
    length = wide * wide + high * high
    along = max(0.0, min(1.0, (east * wide + north * high) / length)) if length else 0.0
    point = Point(a.lat + along * (b.lat - a.lat), a.lon + along * (b.lon - a.lon))
    return _Foot(corner, point, hypot(east - along * wide, north - along * high))


def _off(a: Point, b: Point) -> tuple[float, float]:
    """How far ``b`` is east and north of ``a``, in metres."""
    east, north = metres(a.lat, a.lon, a.lat, b.lon), metres(a.lat, a.lon, b.lat, a.lon)
    return copysign(east, b.lon - a.lon), copysign(north, b.lat - a.lat)
