"""Rings of so many minutes about a depot, and a day's jobs, on the hub's own map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from markupsafe import Markup

from hub.core.values import Point
from hub.core.zones import Area
from hub.flows.reach import Reach, Ring, Spot
from hub.maps.tiles import Tiles
from hub.maps.view import Pixel, View
from hub.web.route_map import SIZES, ground

BESIDE = 0.5  # of the widest ring's width: jobs farther away than that would make it a dot
NAME = (60, 16)  # px that a name takes
AROUND = 0.02  # degrees about a depot without rings: two kilometres


def drawn(tiles: Tiles | None, reach: Reach, said: str, nonce: str) -> Markup:
    """The map in each of ``SIZES``; ``said`` is read out in place of it."""
    return Markup("").join(_drawn(tiles, reach, said, nonce, *size) for size in SIZES)


def _drawn(
    tiles: Tiles | None, reach: Reach, said: str, nonce: str, shape: str, width: int, height: int
) -> Markup:
    home = Point(reach.depot.lat, reach.depot.lon)
    reach = replace(reach, rings=tuple(_here(ring, home) for ring in reach.rings))
    corners = _corners(reach, home)
    svg, view = ground(tiles, corners, width, height, nonce)
    rings = "".join(_ring(view, ring) for ring in reversed(reach.rings))
    names = "".join(_names(view, reach.rings))
    x, y = view.pixel(home)
    depot = (
        f'<path class="depot" transform="translate({x:.1f} {y:.1f})" d="M-9 8v-10l9-7 9 7v10z"/>'
    )
    svg = svg.replace('class="', f'class="{shape} ', 1)
    svg = svg.replace('aria-label="Map"', f'aria-label="{escape(said)}"', 1)
    over = f"{rings}{_spots(view, reach.spots)}{names}{depot}"
    return Markup(svg.replace("</svg>", f"{over}</svg>"))  # noqa: S704  (ours, words escaped)


def _here(ring: Ring, home: Point) -> Ring:
    """Without what lies across 180 degrees, at the other edge of the map of the world."""
    area = tuple(one for one in ring.area if all(abs(x - home.lon) <= 180 for _, x in one[0]))
    return replace(ring, area=area)


def _corners(reach: Reach, home: Point) -> list[Point]:
    """What the map shows: the widest ring, and of the jobs outside those that lie near it."""
    edge = [Point(*corner) for ring in reach.rings for corner in _corners_of(ring.area)]
    if not edge:
        lat, lon = home.lat, home.lon
        edge = [Point(lat - AROUND, lon - AROUND * 2), Point(lat + AROUND, lon + AROUND * 2)]
    south, north = min(p.lat for p in edge), max(p.lat for p in edge)
    west, east = min(p.lon for p in edge), max(p.lon for p in edge)
    tall, wide = (north - south) * BESIDE, (east - west) * BESIDE
    near = [
        spot.point
        for spot in reach.spots
        if south - tall <= spot.point.lat <= north + tall
        and west - wide <= spot.point.lon <= east + wide
    ]
    every = [*near, home, Point(south, west), Point(north, east)]
    return [
        Point(min(p.lat for p in every), min(p.lon for p in every)),
        Point(max(p.lat for p in every), max(p.lon for p in every)),
    ]


def _corners_of(area: Area) -> Iterator[tuple[float, float]]:
    return (corner for shape in area for ring in shape for corner in ring)


def _ring(view: View, ring: Ring) -> str:
    lines = [
        [view.pixel(Point(*corner)) for corner in line] for shape in ring.area for line in shape
    ]
    path = "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in line) + "Z" for line in lines)
    return f'<path class="ring" d="{path}"><title>{ring.minutes} min</title></path>' if path else ""


def _names(view: View, rings: Sequence[Ring]) -> Iterator[str]:
    """Each at the end of its ring that has room: north, east, west or south, within the map."""
    taken: list[Pixel] = []
    for ring in rings:
        corners = [view.pixel(Point(*corner)) for corner in _corners_of(ring.area)]
        if not corners:
            continue
        ends = (
            min(corners, key=lambda at: at[1]),
            max(corners),
            min(corners),
            max(corners, key=lambda at: at[1]),
        )
        inside = [
            (min(max(x, 30), view.width - 30), min(max(y, 16), view.height - 16)) for x, y in ends
        ]
        free = [at for at in inside if all(_apart(at, other) for other in taken)]
        x, y = (free or inside)[0]
        taken.append((x, y))
        yield f'<text class="ring-name" x="{x:.0f}" y="{y:.0f}">{ring.minutes} min</text>'


def _apart(one: Pixel, other: Pixel) -> bool:
    return abs(one[0] - other[0]) > NAME[0] or abs(one[1] - other[1]) > NAME[1]


def _spots(view: View, spots: Sequence[Spot]) -> str:
    """A dot for each door; of doors that share a pixel one, or thousands would be sent."""
    dots = dict[tuple[int, int], str]()
    for spot in sorted(spots, key=lambda one: one.ring is None):
        x, y = view.pixel(spot.point)
        if 0 <= x <= view.width and 0 <= y <= view.height:
            look = "beyond" if spot.ring is None else "within"
            dots[round(x), round(y)] = f'<circle class="{look}" cx="{x:.0f}" cy="{y:.0f}" r="4"/>'
    return "".join(dots.values())
