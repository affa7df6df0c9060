"""A map as one small SVG, drawn on the server: no script, no third party, both themes.

Colours are CSS variables (``--map-land``, ``--map-water``, …) with the light or dark
theme as fallback, so a page may restyle the map or switch it with ``PALETTE_CSS``.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from hub.core.values import Point
from hub.maps.basemap import ATTRIBUTION
from hub.maps.scene import Scene, gather
from hub.maps.tiles import Tiles
from hub.maps.view import View, fit, outline

Theme = Literal["light", "dark", "auto"]
Pin = tuple[Point, str, str]  # where, kind (stop | driver | depot | done), label

BUDGET = 11_000  # bytes gzipped; the whole tracking page must stay under 20 kB
LIGHT = {
    "land": "#f3f1ec",
    "green": "#d5e6cf",
    "water": "#a9d3e6",
    "urban": "#ebe7df",
    "house": "#e2dcd2",
    "edge": "#d6cfc2",
    "road": "#ffffff",
    "major": "#fff3cf",
    "rail": "#c9c3b8",
    "text": "#40474c",
    "pin": "#1d2126",
}
DARK = {
    "land": "#1d2126",
    "green": "#1f2f28",
    "water": "#1c3a4d",
    "urban": "#23282e",
    "house": "#2a3037",
    "edge": "#15181c",
    "road": "#3a424b",
    "major": "#565a50",
    "rail": "#454b52",
    "text": "#c8cfd6",
    "pin": "#f2f4f6",
}


def _variables(palette: dict[str, str]) -> str:
    return ";".join(f"--map-{name}:{colour}" for name, colour in palette.items())


PALETTE_CSS = (
    f".hub-map-auto{{{_variables(LIGHT)}}}"
    f"@media (prefers-color-scheme:dark){{.hub-map-auto{{{_variables(DARK)}}}}}"
)
"""What makes a map follow the reader's theme; drawn into ``auto`` maps."""


def draw(
    tiles: Tiles | None,
    *,
    pins: Sequence[Pin],
    lines: Sequence[Sequence[Point]] = (),
    width: int = 390,
    height: int = 300,
    theme: Theme = "auto",
    accent: str = "#0f6b5c",
    nonce: str = "",
    name: str = "Map",
) -> str:
    """The SVG that shows all ``pins`` and ``lines``, at most about 11 kB gzipped.

    Without ``tiles`` the ground is a plain grid. The root carries ``data-zoom``,
    ``data-left`` and ``data-top`` (Web Mercator pixels of a 256-pixel world at that
    zoom), so a script can place a pin; each pin is a group with ``data-pin``.
    ``nonce`` goes on the style of an ``auto`` map, for pages with a strict CSP; ``name`` is
    what whoever cannot see it is told it is, in the language of the labels.
    Raises ``ValueError`` when there is nothing to show.
    """
    points = [pin[0] for pin in pins] + [point for line in lines for point in line]
    if not points:
        raise ValueError("a map needs at least one pin or line")
    view = fit(points, width, height)
    paint = _paint(theme == "dark")
    foreground = _lines(view, lines, accent) + _pins(view, pins, paint, accent)
    style, look = "", "hub-map"
    if theme == "auto":
        look = "hub-map hub-map-auto"
        style = f"<style{f' nonce={quoteattr(nonce)}' if nonce else ''}>{PALETTE_CSS}</style>"
    svg = ""
    for detail in (3, 2, 1, 0):  # houses and paths go first, then small streets, then names
        ground = _kept(tiles, view, detail, theme == "dark") if tiles else _grid(view, paint)
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{look}" role="img"'
            f' aria-label={quoteattr(_spoken(name, pins))} viewBox="0 0 {width} {height}"'
            f' data-zoom="{view.zoom:g}" data-left="{view.left:.2f}" data-top="{view.top:.2f}">'
            f'{style}<rect width="{width}" height="{height}" fill="{paint("land")}"/>'
            f"{ground}{foreground}{_credit(view, paint) if tiles else ''}</svg>"
        )
        if not tiles or len(gzip.compress(svg.encode())) <= BUDGET:
            break
    return svg


class _Paint:
    def __init__(self, palette: dict[str, str]) -> None:
        self._palette = palette

    def __call__(self, name: str) -> str:
        return f"var(--map-{name},{self._palette[name]})"


def _paint(is_dark: bool) -> _Paint:
    return _Paint(DARK if is_dark else LIGHT)


@lru_cache(maxsize=64)
def _kept(tiles: Tiles, view: View, detail: int, is_dark: bool) -> str:
    """The ground of a view. Who looks at a day looks at it again, and it takes longer to draw
    than all else on the page; at most about 50 kB each.
    """
    return _ground(gather(tiles, view, detail), _paint(is_dark))


def _ground(scene: Scene, paint: _Paint) -> str:
    s = scene.thickness
    areas = [("urban", "urban"), ("green", "green"), ("water", "water"), ("house", "house")]
    roads = [
        ("stream", "water", 1.5 * s, ""),
        ("path", "edge", 1.0, ' stroke-dasharray="3 2"'),
        ("minor", "edge", 2.6 * s, ""),
        ("major", "edge", 4.2 * s, ""),
        ("rail", "rail", 1.2, ' stroke-dasharray="4 3"'),
        ("minor", "road", 1.7 * s, ""),
        ("major", "major", 3.2 * s, ""),
    ]
    filled = "".join(
        f'<path d="{scene.path(kind)}" fill="{paint(colour)}"/>'
        for kind, colour in areas
        if scene.path(kind)
    )
    # A casing and its filling share one outline: <use> halves the size of the streets.
    drawn, named = [], set()
    for kind, colour, thick, extra in roads:
        if not scene.path(kind):
            continue
        pen = f'stroke="{paint(colour)}" stroke-width="{thick:g}"{extra}'
        if kind in named:
            drawn.append(f'<use href="#{scene.id}-{kind}" {pen}/>')
        elif kind in ("minor", "major"):
            drawn.append(f'<defs><path id="{scene.id}-{kind}" d="{scene.path(kind)}"/></defs>')
            drawn.append(f'<use href="#{scene.id}-{kind}" {pen}/>')
            named.add(kind)
        else:
            drawn.append(f'<path d="{scene.path(kind)}" {pen}/>')
    texts = "".join(
        f'<text x="{t.x:.0f}" y="{t.y:.0f}" font-size="{t.size:g}"'
        + (f' transform="rotate({t.angle} {t.x:.0f} {t.y:.0f})"' if t.angle else "")
        + f">{escape(t.text)}</text>"
        for t in scene.labels
    )
    return (
        f'{filled}<g fill="none" stroke-linecap="round" stroke-linejoin="round">{"".join(drawn)}'
        f'</g><g font-family="system-ui,sans-serif" text-anchor="middle" fill="{paint("text")}"'
        f' stroke="{paint("land")}" stroke-width="3" paint-order="stroke">{texts}</g>'
    )


def _grid(view: View, paint: _Paint) -> str:
    across = "".join(f"M{x} 0v{view.height}" for x in range(30, view.width, 60))
    down = "".join(f"M0 {y}h{view.width}" for y in range(30, view.height, 60))
    return f'<path d="{across}{down}" fill="none" stroke="{paint("edge")}"/>'


def _lines(view: View, lines: Sequence[Sequence[Point]], accent: str) -> str:
    paths = [outline([view.pixel(p) for p in line], tolerance=0.5) for line in lines if line]
    return "".join(
        f'<g class="map-line" fill="none" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{path}" stroke="#fff" stroke-width="8"/>'
        f'<path d="{path}" stroke={quoteattr(accent)} stroke-width="4.5"/></g>'
        for path in paths
        if path
    )


def _pins(view: View, pins: Sequence[Pin], paint: _Paint, accent: str) -> str:
    return "".join(_pin(view, pin, paint, accent) for pin in pins)


def _pin(view: View, pin: Pin, paint: _Paint, accent: str) -> str:
    point, kind, label = pin
    x, y = view.pixel(point)
    colour = quoteattr(accent)
    if kind == "driver":
        shape = f'<circle r="11" fill={colour} stroke="#fff" stroke-width="3"/>'
        shape += '<path d="M-4-3h5v6h-5zm6 2h2l1.500 2v2h-3.500z" fill="#fff"/>'
    elif kind == "depot":
        shape = f'<path d="M-9 8v-10l9-7 9 7v10z" fill="{paint("pin")}" stroke="#fff"/>'
    else:
        fill = f'"{paint("rail")}"' if kind == "done" else colour
        shape = f'<path d="M0 0c-7-9-9-12-9-17a9 9 0 0 1 18 0c0 5-2 8-9 17z" fill={fill}'
        shape += ' stroke="#fff" stroke-width="2"/>'
        if label and len(label) <= 3:
            shape += '<text y="-13" font-family="system-ui,sans-serif" font-size="10"'
            shape += f' text-anchor="middle" fill="#fff">{escape(label)}</text>'
    title = f"<title>{escape(label)}</title>" if label else ""
    return (
        f'<g data-pin={quoteattr(kind)} transform="translate({x:.1f} {y:.1f})">{title}{shape}</g>'
    )


def _credit(view: View, paint: _Paint) -> str:
    return (
        f'<text x="{view.width - 4}" y="{view.height - 4}" text-anchor="end" font-size="9"'
        f' font-family="system-ui,sans-serif" fill="{paint("text")}" stroke="{paint("land")}"'
        f' stroke-width="2" paint-order="stroke">{ATTRIBUTION}</text>'
    )


def _spoken(name: str, pins: Sequence[Pin]) -> str:
    named = [label or kind for _, kind, label in pins[:5]]
    return f"{name}: {', '.join(named)}" if named else name
