"""Where the hand-over was, against where the address is: in metres and on a map."""

from __future__ import annotations

from math import cos, hypot, pi, radians
from typing import TYPE_CHECKING

from hub.core.values import Point
from hub.flows.document.told import Told
from hub.maps.svg import draw
from hub.maps.tiles import current_tiles
from hub.maps.view import TILE, View
from hub.pdf.pod import MapShown

if TYPE_CHECKING:
    from hub.app import Hub

MAP_PX = (560, 220)
EARTH_M = 6_371_009
WORLD_M = 6_378_137  # the radius Web Mercator is drawn with


def map_of(hub: Hub, told: Told) -> MapShown | None:
    """The address, and the hand-over with how sure its position is."""
    door, at = told.door, told.at
    if door is None and at is None:
        return None
    width, height = MAP_PX
    svg = draw(
        current_tiles(hub.settings.data_dir / "map"),
        pins=[(door, "stop", "")] if door else [],
        lines=[[at, door or at]] if at else [],
        width=width,
        height=height,
        theme="light",
        accent=told.colour,
    )
    if at is None:
        return MapShown(svg, "Map with the address")
    spot = _spot(svg, at, told.proof.accuracy_m, told.colour)
    spoken = "Map with the address and where the hand-over was recorded"
    return MapShown(svg.replace("</svg>", f"{spot}</svg>"), spoken)


def _spot(svg: str, at: Point, accuracy_m: float | None, colour: str) -> str:
    """A dot for ``at`` and a circle as wide as its accuracy, on a map that ``draw`` made."""
    shown = {
        name: float(svg.partition(f'data-{name}="')[2].partition('"')[0])
        for name in ("zoom", "left", "top")
    }
    x, y = View(shown["zoom"], shown["left"], shown["top"], *MAP_PX).pixel(at)
    metres_per_px = 2 * pi * WORLD_M * cos(radians(at.lat)) / (TILE * 2 ** shown["zoom"])
    radius = (accuracy_m or 0) / metres_per_px
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity=".15"'
        f' stroke="{colour}" stroke-opacity=".6"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}" stroke="#fff"'
        ' stroke-width="2.5"/>'
    )


def distance_m(a: Point, b: Point) -> float:
    """Good to a per mille within a city."""
    east = radians(b.lon - a.lon) * cos(radians((a.lat + b.lat) / 2))
    return hypot(east, radians(b.lat - a.lat)) * EARTH_M
