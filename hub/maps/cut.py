"""Cutting a large extract down to the neighbourhood a business serves."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians
from pathlib import Path

import osmium

from hub.core.errors import ConfigError
from hub.core.values import Point
from hub.maps.coast import Bounds

KM_PER_DEGREE = 111.32
KINDS = ("multipolygon", "restriction")  # relations that a map or a router reads


def bounds_around(around: Sequence[Point], within_km: float, limit: Bounds) -> Bounds:
    """The box that holds every circle, no larger than ``limit``. ``ConfigError`` if apart."""
    boxes = [_box(point, within_km) for point in around]
    west = max(limit[0], min(box[0] for box in boxes))
    south = max(limit[1], min(box[1] for box in boxes))
    east = min(limit[2], max(box[2] for box in boxes))
    north = min(limit[3], max(box[3] for box in boxes))
    if west >= east or south >= north:
        raise ConfigError("None of the places lies inside this map extract.")
    return (west, south, east, north)


def write_cut(pbf: Path, out: Path, around: Sequence[Point], within_km: float) -> None:
    """Write what touches one of the boxes around ``around``, whole ways with all their nodes."""
    boxes = [_box(point, within_km) for point in around]

    def inside(location: osmium.osm.Location) -> bool:
        return location.valid() and any(
            west <= location.lon <= east and south <= location.lat <= north
            for west, south, east, north in boxes
        )

    ways: set[int] = set()
    with osmium.BackReferenceWriter(str(out), ref_src=str(pbf), overwrite=True) as writer:
        for thing in osmium.FileProcessor(str(pbf)).with_locations():
            if isinstance(thing, osmium.osm.Node):
                if len(thing.tags) and inside(thing.location):
                    writer.add(thing)
            elif isinstance(thing, osmium.osm.Way):
                if any(inside(node.location) for node in thing.nodes):
                    ways.add(thing.id)
                    writer.add(thing)
            elif isinstance(thing, osmium.osm.Relation) and thing.tags.get("type") in KINDS:
                members = [member.ref for member in thing.members if member.type == "w"]
                if members and ways.issuperset(members):
                    writer.add(thing)


def _box(point: Point, km: float) -> Bounds:
    dlat = km / KM_PER_DEGREE
    dlon = dlat / max(0.01, cos(radians(point.lat)))
    return (point.lon - dlon, point.lat - dlat, point.lon + dlon, point.lat + dlat)
