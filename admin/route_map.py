"""The routes of a day on one map: a colour and the numbers of the stops for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import chain

from markupsafe import Markup

from hub.core.values import Point
from hub.flows.day_seen import RouteSeen, Unserved
from hub.maps.svg import draw
from hub.maps.tiles import Tiles
from hub.maps.view import View, outline

SIZES = (("wide", 900, 520), ("tall", 390, 420))
"""A drawing for desks and one for phones; style sheets show the one that fits."""
COLOURS = 10
"""Classes ``route-1`` to ``route-10`` of day.css; after that they begin again."""
_PLACED = re.compile(r'data-zoom="([^"]+)" data-left="([^"]+)" data-top="([^"]+)"')


def colour(n: int) -> str:
    """The class of the day's ``n``-th route, from 1."""
    return f"route-{(n - 1) % COLOURS + 1}"


def route_map(
    tiles: Tiles | None,
    routes: Sequence[RouteSeen],
    left_out: Sequence[Unserved] = (),
    *,
    nonce: str = "",
) -> Markup:
    """The map in each of ``SIZES``, empty while there is nothing to show on it."""
    drawn = (_drawn(tiles, routes, left_out, size, nonce) for size in SIZES)
    return Markup("").join(drawn)


def _drawn(
    tiles: Tiles | None,
    routes: Sequence[RouteSeen],
    left_out: Sequence[Unserved],
    size: tuple[str, int, int],
    nonce: str,
) -> Markup:
    shape, width, height = size
    lines = [_line(route) for route in routes]
    loose = [Point(one.lat, one.lon) for one in left_out if one.lat is not None and one.lon]
    corners = _corners([*chain.from_iterable(lines), *loose])
    if not corners:
        return Markup("")
    # A line of one point draws nothing but is kept in view.
    svg = draw(
        tiles,
        pins=(),
        lines=[[corner] for corner in corners],
        width=width,
        height=height,
        nonce=nonce,
    )
    placed = _PLACED.search(svg)
    assert placed, "a drawn map says where it is"
    zoom, left, top = map(float, placed.groups())
    view = View(zoom, left, top, width, height)
    ways = (_way(view, line, n) for n, line in enumerate(lines, 1))
    stops = (_stops(view, route, n) for n, route in enumerate(routes, 1))
    drawn = f"{''.join(ways)}{_loose(view, loose)}{''.join(stops)}{_depots(view, routes)}"
    spoken = escape(", ".join(f"{n} {route.driver}" for n, route in enumerate(routes, 1)))
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
