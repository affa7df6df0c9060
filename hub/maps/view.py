"""Where things fall on a drawn map: Web Mercator pixels, and the arithmetic of outlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot, log, pi, radians, sin

from hub.core.values import Point

Pixel = tuple[float, float]
TILE = 256


@dataclass(frozen=True, slots=True)
class View:
    """A zoom and the top left corner, in pixels of that zoom's whole world."""

    zoom: float
    left: float
    top: float
    width: int
    height: int

    def pixel(self, point: Point) -> Pixel:
        return (_x(point.lon, self.zoom) - self.left, _y(point.lat, self.zoom) - self.top)

    def touches(self, line: Iterable[Pixel], margin: float = 20) -> bool:
        xs, ys = zip(*line, strict=True)
        return bool(
            max(xs) >= -margin
            and min(xs) <= self.width + margin
            and max(ys) >= -margin
            and min(ys) <= self.height + margin
        )


def fit(points: Sequence[Point], width: int, height: int, pad: int = 44) -> View:
    """The closest view, in quarter zooms up to 16.5, that shows all ``points``."""
    zoom = 2.0
    for quarter in range(66, 7, -1):
        zoom = quarter / 4
        xs = [_x(p.lon, zoom) for p in points]
        ys = [_y(p.lat, zoom) for p in points]
        if max(xs) - min(xs) <= width - 2 * pad and max(ys) - min(ys) <= height - 2 * pad:
            break
    left = (min(xs) + max(xs)) / 2 - width / 2
    top = (min(ys) + max(ys)) / 2 - height / 2
    return View(zoom, left, top, width, height)


def outline(points: Sequence[Pixel], *, closed: bool = False, tolerance: float = 0.7) -> str:
    """``points`` as SVG path data in whole pixels, without what the eye would miss."""
    parts: list[str] = []
    x = y = 0
    for px, py in simplified(points, tolerance):
        nx, ny = round(px), round(py)
        if not parts:
            parts.append(f"M{nx} {ny}")
        elif (nx, ny) != (x, y):
            parts.append(f"l{nx - x} {ny - y}")
        x, y = nx, ny
    if len(parts) < 2:
        return ""
    return "".join(parts).replace(" -", "-") + ("z" if closed else "")


def simplified(points: Sequence[Pixel], tolerance: float) -> list[Pixel]:
    """Douglas and Peucker's method, without recursion."""
    if len(points) < 3:
        return list(points)
    keep = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        dx, dy = bx - ax, by - ay
        length = hypot(dx, dy)
        worst, at = 0.0, first
        for n in range(first + 1, last):
            px, py = points[n]
            if length > 1e-6:
                off = abs(dx * (py - ay) - dy * (px - ax)) / length
            else:
                off = hypot(px - ax, py - ay)
            if off > worst:
                worst, at = off, n
        if worst > tolerance:
            keep.add(at)
            spans += [(first, at), (at, last)]
    return [points[n] for n in sorted(keep)]


def _x(lon: float, zoom: float) -> float:
    return float((lon + 180) / 360 * TILE * 2**zoom)


def _y(lat: float, zoom: float) -> float:
    s = sin(radians(max(-85.05, min(85.05, lat))))
    return float((0.5 - log((1 + s) / (1 - s)) / (4 * pi)) * TILE * 2**zoom)
