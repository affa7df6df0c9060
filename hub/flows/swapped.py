"""Whether somebody typed longitude for latitude: the time zone says where a business roughly is."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from math import acos, cos, radians, sin

from hub.core.values import Point

EARTH_M = 6_371_009
FAR_M, NEAR_M = 1_500_000, 1_000_000  # a zone's city is seldom further from its own depots
LINE = re.compile(r"^[A-Z,]+\t([+-]\d{4,6})([+-]\d{5,7})\t(\S+)", re.MULTILINE)


def looks_swapped(point: Point, zone: str) -> bool:
    """Whether ``point`` is far from the zone's city, and its mirror image is near.

    ``False`` for a zone without a city, such as UTC.
    """
    city = _cities().get(zone)
    if city is None or abs(point.lon) > 90:
        return False
    mirrored = Point(point.lon, point.lat)
    return _apart_m(point, city) > FAR_M and _apart_m(mirrored, city) < NEAR_M


def _apart_m(a: Point, b: Point) -> float:
    """Along the globe, so good for continents too."""
    north = sin(radians(a.lat)) * sin(radians(b.lat))
    flat = cos(radians(a.lat)) * cos(radians(b.lat)) * cos(radians(a.lon - b.lon))
    return acos(max(-1.0, min(1.0, north + flat))) * EARTH_M


@cache
def _cities() -> dict[str, Point]:
    """Zone -> its principal city, from the time zone database's own table."""
    text = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    return {
        zone: Point(_degrees(lat, 2), _degrees(lon, 3)) for lat, lon, zone in LINE.findall(text)
    }


def _degrees(text: str, digits: int) -> float:
    """``+6010`` or ``+601000``: degrees, minutes and perhaps seconds, without separators."""
    whole, minutes, seconds = (
        int(text[1 : 1 + digits]),
        int(text[1 + digits : 3 + digits]),
        int(text[3 + digits :] or 0),
    )
    return (whole + minutes / 60 + seconds / 3600) * (-1 if text[0] == "-" else 1)
