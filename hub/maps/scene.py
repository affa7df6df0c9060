"""What of the tiles is worth drawing in one view: outlines by kind, and names that fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan2, degrees, floor, hypot
from typing import Any

from hub.maps.tiles import Tiles
from hub.maps.view import TILE, Pixel, View, outline

GREEN = set(
    "forest wood grass park grassland scrub cemetery golf_course nature_reserve playground"
    " allotments orchard pitch".split()
)
URBAN = {"residential", "industrial", "commercial", "school", "hospital"}
ROADS = {
    "highway": "major",
    "major_road": "major",
    "minor_road": "minor",
    "path": "path",
    "rail": "rail",
}
LETTER = 0.56  # width of a letter for each unit of font size, about


@dataclass(frozen=True, slots=True)
class Label:
    text: str
    x: float
    y: float
    size: float
    angle: int = 0


@dataclass(slots=True)
class Scene:
    thickness: float
    id: str  # tells the outlines of two maps on one page apart
    outlines: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    labels: list[Label] = field(default_factory=list)

    def path(self, kind: str) -> str:
        return "".join(self.outlines.get(kind, ()))


def gather(tiles: Tiles, view: View, detail: int) -> Scene:
    """The scene of ``view``; ``detail`` from 0 (main roads and water) to 3 (houses, paths)."""
    thickness = 1.0 if view.zoom < 13 else 1.5 if view.zoom < 14.5 else 2.2
    scene = Scene(thickness, f"map{view.zoom * 4:.0f}-{view.left:.0f}-{view.top:.0f}")
    tolerance = 0.7 if detail > 1 else 1.2
    names: list[Label] = []
    for layer, feature, place in _features(tiles, view):
        properties, geometry = feature["properties"], feature["geometry"]
        kind = _kind(layer, properties, geometry["type"], view.zoom, detail)
        for part in _parts(geometry):
            drawn = [place(point) for point in part]
            if kind and len(drawn) > 1 and view.touches(drawn):
                closed = "Polygon" in geometry["type"]
                scene.outlines[kind].append(outline(drawn, closed=closed, tolerance=tolerance))
                if layer == "roads" and kind in ("minor", "major") and view.zoom >= 14:
                    names += _street_name(properties.get("name"), drawn, view)
        if layer == "places" and geometry["type"] == "Point":
            names += _place_name(properties, place(geometry["coordinates"]), view)
    scene.labels = _uncrowded(names)[: 14 if detail else 5]
    return scene


def _features(tiles: Tiles, view: View) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each feature with its layer and what turns its coordinates into pixels of the view."""
    z = max(0, min(tiles.max_zoom, floor(view.zoom + 0.35)))
    size = 2 ** (view.zoom - z) * TILE
    for tx in range(int(view.left // size), int((view.left + view.width) // size) + 1):
        for ty in range(int(view.top // size), int((view.top + view.height) // size) + 1):
            for layer, content in tiles.layers(z, tx, ty).items():
                scale = size / content["extent"]
                left, top = tx * size - view.left, ty * size - view.top

                def place(p: Any, k: float = scale, x: float = left, y: float = top) -> Pixel:
                    return (x + p[0] * k, y + p[1] * k)

                for feature in content["features"]:
                    yield layer, feature, place


def _kind(
    layer: str, properties: dict[str, Any], shape: str, zoom: float, detail: int
) -> str | None:
    kind = properties.get("kind")
    if layer == "landuse":
        return "green" if kind in GREEN else "urban" if kind in URBAN and detail else None
    if layer == "water":
        return "water" if "Polygon" in shape else "stream" if "Line" in shape else None
    if layer == "buildings":
        return "house" if zoom >= 15 and detail > 2 and "Polygon" in shape else None
    if layer != "roads":
        return None
    road = ROADS.get(str(kind))
    if road == "path" and (zoom < 15.5 or detail < 3):
        return None
    service = properties.get("kind_detail") == "service"
    if road == "minor" and (zoom < 12.5 or detail < 1 or (service and (zoom < 15 or detail < 2))):
        return None
    return road


def _parts(geometry: dict[str, Any]) -> Iterator[list[Any]]:
    """Every ring or line of a feature."""
    coordinates = geometry["coordinates"]
    match geometry["type"]:
        case "LineString":
            yield coordinates
        case "MultiLineString" | "Polygon":
            yield from coordinates
        case "MultiPolygon":
            for polygon in coordinates:
                yield from polygon


def _street_name(name: str | None, line: list[Pixel], view: View) -> list[Label]:
    """The name along the street's longest straight piece, if it fits there."""
    if not name:
        return []
    (ax, ay), (bx, by) = max(
        pairwise(line), key=lambda ab: hypot(ab[1][0] - ab[0][0], ab[1][1] - ab[0][1])
    )
    x, y = (ax + bx) / 2, (ay + by) / 2
    room = hypot(bx - ax, by - ay)
    if room < len(name) * 5 or not (24 < x < view.width - 24 and 14 < y < view.height - 18):
        return []
    angle = degrees(atan2(by - ay, bx - ax))
    upright = angle - 180 if angle > 90 else angle + 180 if angle < -90 else angle
    return [Label(name, x, y + 3, 9.5, round(upright))]


def _place_name(properties: dict[str, Any], at: Pixel, view: View) -> list[Label]:
    large = properties.get("kind_detail") in ("city", "town")
    inside = 24 < at[0] < view.width - 24 and 14 < at[1] < view.height - 18
    if not properties.get("name") or not inside or not (large or view.zoom >= 11):
        return []
    return [Label(properties["name"], at[0], at[1], 13 if large else 11.5)]


def _uncrowded(labels: list[Label]) -> list[Label]:
    """The larger names first, each once, none over another."""
    kept: list[Label] = []
    boxes: list[tuple[float, float, float, float]] = []
    for label in sorted(labels, key=lambda one: (-one.size, one.text)):
        half = len(label.text) * label.size * LETTER / 2
        tall = max(label.size, half * abs(label.angle) / 90)
        box = (label.x - half, label.y - tall, label.x + half, label.y + tall)
        free = all(box[2] < b[0] or box[0] > b[2] or box[3] < b[1] or box[1] > b[3] for b in boxes)
        if free and all(label.text != other.text for other in kept):
            kept.append(label)
            boxes.append(box)
    return kept
