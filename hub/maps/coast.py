"""Land and sea from coastlines.

OpenStreetMap draws a coast as lines with land on their left and water on their
right (wiki: Tag:natural=coastline), never as an area. An extract cuts them, so
the pieces are closed along the box's edge.
"""

from __future__ import annotations

from collections.abc import Sequence

import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge, nearest_points, polygonize, unary_union

Bounds = tuple[float, float, float, float]  # west, south, east, north
Coords = list[tuple[float, float]]  # lon, lat

# Extracts keep nodes inside the box only, so a cut line ends up to one node gap short of it.
REACH = 0.003  # degrees, about 300 m


def land_and_sea(coast: Sequence[Coords], bounds: Bounds) -> tuple[BaseGeometry, BaseGeometry]:
    """The box ``bounds`` split into land and sea. Without a coast all of it is land."""
    frame = box(*bounds)
    lines = [LineString(way) for way in coast if len(way) > 1]
    if not lines:
        return frame, MultiPolygon()
    merged = linemerge(lines) if len(lines) > 1 else lines[0]
    pieces = list(getattr(merged, "geoms", [merged]))
    cuts = [_reach_edge(piece, frame).intersection(frame) for piece in pieces]
    faces = list(polygonize(unary_union([frame.exterior, *cuts])))
    land: list[Polygon] = []
    sea: list[Polygon] = []
    for face, votes in zip(faces, _votes(faces, pieces), strict=True):
        (sea if votes < 0 else land).append(face)
    return unary_union(land), unary_union(sea)


def _reach_edge(line: LineString, frame: Polygon) -> LineString:
    """``line`` with loose ends that lie near the frame's edge drawn out to it."""
    points = list(line.coords)
    if points[0] == points[-1]:
        return line
    for at_start in (True, False):
        end = Point(points[0] if at_start else points[-1])
        if frame.contains(end) and frame.exterior.distance(end) < REACH:
            edge = nearest_points(frame.exterior, end)[0]
            beyond = (2 * edge.x - end.x, 2 * edge.y - end.y)
            points.insert(0 if at_start else len(points), beyond)
    return LineString(points)


def _votes(faces: Sequence[Polygon], coast: Sequence[LineString]) -> list[int]:
    """For each face, how many coast segments have it on their land side, less those that do not."""
    left, right = [], []
    step = 2e-6  # degrees; well under a metre, so the point falls beside its own segment
    for line in coast:
        points = list(line.coords)
        for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
            length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
            if length > 0:
                x, y = (ax + bx) / 2, (ay + by) / 2
                dx, dy = (bx - ax) / length * step, (by - ay) / length * step
                left.append((x - dy, y + dx))
                right.append((x + dy, y - dx))
    votes = [0] * len(faces)
    tree = shapely.STRtree(faces)
    for side, vote in ((left, 1), (right, -1)):
        if side:
            for face in tree.query(shapely.points(side), predicate="within")[1]:
                votes[int(face)] += vote
    return votes
