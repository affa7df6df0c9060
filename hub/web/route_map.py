"""The routes of a day on one map: a colour and the numbers of the stops for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from math import atan, degrees, pi, sinh

from markupsafe import Markup

from hub.core.values import Point
from hub.flows.day_seen import RouteSeen, Unserved
from hub.maps.svg import draw
from hub.maps.tiles import Tiles
from hub.maps.view import TILE, View, outline

SIZES = (("wide", 900, 520), ("tall", 390, 420))
"""A drawing for desks and one for phones; style sheets show the one that fits."""
COLOURS = 10
"""Classes ``route-1`` to ``route-10`` of hub.css; after that they begin again."""
EDGE = 46  # px; a drawn map keeps what it must show this far from its edges
_PLACED = re.compile(r'data-zoom="([^"]+)" data-left="([^"]+)" data-top="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver on the map, in the colour of route number ``n``. ``said``: for a tooltip."""

    driver_id: str
    n: int
    initials: str
    point: Point
    stale: bool
    said: str


def colour(n: int) -> str:
    """The class of the day's route number ``n``, from 1."""
    return f"route-{(n - 1) % COLOURS + 1}"


def numbers_of(routes: Sequence[RouteSeen]) -> dict[str, int]:
    """Route id -> its number of the day, from 1, in the order in which routes were made.

    Not by place in a list: who hands a route over would change everybody's colour.
    """
    return {id: n for n, id in enumerate(sorted(route.id for route in routes), 1)}


def route_map(
    tiles: Tiles | None,
    routes: Sequence[RouteSeen],
    left_out: Sequence[Unserved] = (),
    drivers: Sequence[Driver] = (),
    *,
    view: View | None = None,
    nonce: str = "",
) -> Markup:
    """The map in each of ``SIZES``, empty while there is nothing to show on it.

    With a ``view``: one map of that part of the world, at the nearest quarter zoom.
    """
    sizes = SIZES if view is None else (("near", view.width, view.height),)
    drawn = (_drawn(tiles, routes, left_out, drivers, size, view, nonce) for size in sizes)
    return Markup("").join(drawn)


def ground(
    tiles: Tiles | None, corners: Iterable[Point], width: int, height: int, nonce: str
) -> tuple[str, View]:
    """The map about ``corners`` as SVG, to draw on, and what part of the world it shows."""
    # A line of one point draws nothing but is kept in view.
    lines = [[corner] for corner in corners]
    svg = draw(tiles, pins=(), lines=lines, width=width, height=height, nonce=nonce)
    placed = _PLACED.search(svg)
    assert placed, "a drawn map says where it is"
    zoom, left, top = map(float, placed.groups())
    return svg, View(zoom, left, top, width, height)


def _drawn(
    tiles: Tiles | None,
    routes: Sequence[RouteSeen],
    left_out: Sequence[Unserved],
    drivers: Sequence[Driver],
    size: tuple[str, int, int],
    looked_at: View | None,
    nonce: str,
) -> Markup:
    shape, width, height = size
    lines = [_line(route) for route in routes]
    loose = [Point(one.lat, one.lon) for one in left_out if one.lat is not None and one.lon]
    here = [driver.point for driver in drivers]
    corners = _corners([*chain.from_iterable(lines), *loose, *here])
    if looked_at is not None:
        corners = _inside(looked_at)
    if not corners:
        return Markup("")
    svg, view = ground(tiles, corners, width, height, nonce)
    n_of = numbers_of(routes)
    ways = (_way(view, line, n_of[one.id]) for one, line in zip(routes, lines, strict=True))
    stops = (_stops(view, route, n_of[route.id]) for route in routes)
    drawn = f"{''.join(ways)}{_loose(view, loose)}{''.join(stops)}{_depots(view, routes)}"
    drawn += "".join(_driver(view, driver) for driver in drivers)
    spoken = escape(", ".join(f"{n_of[route.id]} {route.driver}" for route in routes))
    svg = svg.replace('class="', f'class="{shape} ', 1)
    svg = svg.replace('aria-label="Map"', f'aria-label="Map of the routes: {spoken}"', 1)
    return Markup(svg.replace("</svg>", f"{drawn}</svg>"))  # noqa: S704  (ours, names escaped)


def _line(route: RouteSeen) -> list[Point]:
    """The way it drives; from stop to stop where no road is known."""
    if route.geometry:
        return [Point(lat, lon) for lat, lon in route.geometry]
    home = Point(*route.depot)
    return [home, *_points(route), home]


def _points(route: RouteSeen) -> list[Point]:
    return [Point(s.lat, s.lon) for s in route.stops if s.lat is not None and s.lon is not None]


def _corners(points: Sequence[Point]) -> list[Point]:
    if not points:
        return []
    lats, lons = [p.lat for p in points], [p.lon for p in points]
    return [Point(min(lats), min(lons)), Point(max(lats), max(lons))]


def _inside(view: View) -> list[Point]:
    """Two corners that are drawn at ``EDGE`` from the edges of ``view``."""
    pixels = ((EDGE, EDGE), (view.width - EDGE, view.height - EDGE))
    return [_point(view, view.left + x, view.top + y) for x, y in pixels]


def _point(view: View, x: float, y: float) -> Point:
    """The place at a pixel of the whole world at the zoom of ``view``."""
    world = TILE * 2**view.zoom
    lat = degrees(atan(sinh(pi * (1 - 2 * y / world))))
    return Point(max(-85.0, min(85.0, lat)), max(-180.0, min(180.0, x / world * 360 - 180)))


def _way(view: View, line: Sequence[Point], n: int) -> str:
    path = outline([view.pixel(point) for point in line], tolerance=0.5)
    if not path:
        return ""
    return f'<g class="way {colour(n)}"><path class="casing" d="{path}"/><path d="{path}"/></g>'


def _stops(view: View, route: RouteSeen, n: int) -> str:
    drawn = []
    for stop in route.to_drive:
        if stop.lat is None or stop.lon is None:
            continue
        x, y = view.pixel(Point(stop.lat, stop.lon))
        done = " done" if stop.closed else ""
        drawn.append(
            f'<g class="stop {colour(n)}{done}" transform="translate({x:.1f} {y:.1f})">'
            f"<title>{escape(f'{stop.n}. {stop.address}')}</title>"
            f'<circle r="10"/><text y="3.5">{stop.n}</text></g>'
        )
    return "".join(drawn)


def _loose(view: View, points: Sequence[Point]) -> str:
    spots = (view.pixel(point) for point in points)
    return "".join(f'<circle class="loose" cx="{x:.1f}" cy="{y:.1f}" r="6"/>' for x, y in spots)


def _depots(view: View, routes: Sequence[RouteSeen]) -> str:
    spots = (view.pixel(Point(*depot)) for depot in sorted({route.depot for route in routes}))
    return "".join(
        f'<path class="depot" transform="translate({x:.1f} {y:.1f})" d="M-9 8v-10l9-7 9 7v10z"/>'
        for x, y in spots
    )


def _driver(view: View, driver: Driver) -> str:
    """A group that a script moves by its ``data-driver``."""
    x, y = view.pixel(driver.point)
    look = f"driver {colour(driver.n)}{' stale' if driver.stale else ''}"
    return (
        f'<g class="{look}" data-driver="{escape(driver.driver_id)}"'
        f' transform="translate({x:.1f} {y:.1f})"><title>{escape(driver.said)}</title>'
        f'<circle r="15"/><text y="4.5">{escape(driver.initials)}</text></g>'
    )
