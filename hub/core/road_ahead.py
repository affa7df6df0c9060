"""The piece of a route's line that lies between its driver and one door."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.stays import metres
from hub.core.values import Point

AT_DOOR_M = 60  # a line ends in the street, not in the house
ON_ROAD_M = 60  # further off he drives another way than was planned


def ahead(line: Sequence[Point], here: Point, door: Point) -> list[Point]:
    """From ``here`` along ``line`` to ``door``; empty where he is not on it or it leads not there.

    A line that passes the driver several times is entered at the last time before the door, so
    that nothing of the way to anybody else is in what is returned.
    """
    to_door = _nearest(line, door, AT_DOOR_M)
    if to_door is None:
        return []
    entered = _nearest(line[: to_door + 1], here, ON_ROAD_M, last=True)
    if entered is None:
        return []
    return [here, *line[entered + 1 : to_door + 1], door]


def _nearest(
    line: Sequence[Point], place: Point, within_m: float, *, last: bool = False
) -> int | None:
    """The corner at which ``line`` is about as near to ``place`` as anywhere; ``None``: too far.

    A piece counts by its nearest point, and stands for the corner it begins at.
    """
    off = [_off_m(line, n, place) for n in range(len(line))]
    least = min(off, default=within_m + 1)
    if least > within_m:
        return None
    near = [n for n, one in enumerate(off) if one <= least + 5]
    return near[-1] if last else near[0]


def _off_m(line: Sequence[Point], n: int, place: Point) -> float:
    """How far ``place`` is from the piece that begins at corner ``n``."""
    a = line[n]
    if n + 1 == len(line):
        return metres(place.lat, place.lon, a.lat, a.lon)
    b = line[n + 1]
    wide = metres(a.lat, a.lon, a.lat, b.lon) * (1 if b.lon >= a.lon else -1)
    high = metres(a.lat, a.lon, b.lat, a.lon) * (1 if b.lat >= a.lat else -1)
    east = metres(a.lat, a.lon, a.lat, place.lon) * (1 if place.lon >= a.lon else -1)
    north = metres(a.lat, a.lon, place.lat, a.lon) * (1 if place.lat >= a.lat else -1)
    length = wide * wide + high * high
    along = max(0.0, min(1.0, (east * wide + north * high) / length)) if length else 0.0
    return float(((east - along * wide) ** 2 + (north - along * high) ** 2) ** 0.5)
