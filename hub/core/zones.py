"""Areas of a business: where one lies, how people write it, and who goes there.

A zone is an area on the map, some postal codes, or both; a job lies in it by either. A corner is
(latitude, longitude); a ring is its corners in order; an area is some shapes, each a ring and
the rings of its holes (as GeoJSON has them, RFC 7946, but for the order of a corner).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.core.plan_request import JobToPlan, VehicleToPlan
from hub.core.values import Point

Corner = tuple[float, float]
Ring = tuple[Corner, ...]
Area = tuple[tuple[Ring, ...], ...]
MOST_CORNERS = 5000
MOST_POSTCODES = 2000
CORNERS_LIKE = "Write a corner a line as latitude, longitude: 60.1712, 24.9310."
NO_GEOJSON = "This is not GeoJSON with a polygon in it."
POSTCODES_LIKE = "Write a code as 00100, all that begin alike as 001*, or 00100 to 00199."
_CODE = re.compile(r"[0-9A-Z]{1,12}")
_TO = re.compile(r"\s+to\s+|\.\.+|–", re.IGNORECASE)
_CORNER = re.compile(r"(-?\d{1,3}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Zone:
    """``boxes``: south, west, north and east of each shape; most doors lie outside of most."""

    id: str
    name: str
    area: Area = ()
    postcodes: tuple[str, ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", tuple(_box(shape[0]) for shape in self.area))

    def has(self, point: Point) -> bool:
        return any(
            south <= point.lat <= north and west <= point.lon <= east and _is_inside(shape, point)
            for shape, (south, west, north, east) in zip(self.area, self.boxes, strict=True)
        )


def zones_at(zones: Iterable[Zone], point: Point | None, postcode: str) -> frozenset[str]:
    """Ids of the zones that a place lies in."""
    code = _compact(postcode)
    return frozenset(
        zone.id
        for zone in zones
        if (point is not None and zone.has(point)) or (code and _has(zone, code))
    )


def zoned(job: JobToPlan, vehicles: Iterable[VehicleToPlan]) -> JobToPlan:
    """With what the zones of ``vehicles`` mean for it: who must not do it, and whom it costs."""
    outside = [
        (vehicle.id, own.outside_cost)
        for vehicle in vehicles
        for own in vehicle.keeps_to
        if not own.has(job)
    ]
    if not outside:
        return job
    costs = dict(job.vehicle_costs)
    for id, cost in outside:
        if cost:
            costs[id] = costs.get(id, 0) + cost
    barred = frozenset(id for id, cost in outside if cost is None)
    return replace(
        job,
        forbidden_vehicles=job.forbidden_vehicles | barred,
        vehicle_costs=costs,
        outside=barred - job.forbidden_vehicles,
    )


def is_barred(vehicle: VehicleToPlan, job: JobToPlan) -> bool:
    """Whether ``job`` lies outside zones that ``vehicle`` never leaves."""
    return any(own.outside_cost is None and not own.has(job) for own in vehicle.keeps_to)


def read_postcodes(text: str) -> tuple[str, ...]:
    """``00100, 001*, 00200 to 00299``, each once. Raises ``ValueError`` with what to write."""
    found: dict[str, None] = {}
    for part in re.split(r"[,;\n]", text):
        if not part.strip():
            continue
        first, *last = (_compact(half) for half in _TO.split(part, maxsplit=1))
        if not _CODE.fullmatch(first.removesuffix("*")) or (last and not _is_range(first, *last)):
            raise ValueError(f"“{part.strip()[:30]}” is no postal code. {POSTCODES_LIKE}")
        found[" to ".join((first, *last))] = None
    if len(found) > MOST_POSTCODES:
        raise ValueError(f"At most {MOST_POSTCODES} postal codes.")
    return tuple(found)


def read_area(text: str) -> Area:
    """An area from corners, one a line, or from GeoJSON. Empty text has none.

    Raises ``ValueError`` with what is wrong, and what to write instead.
    """
    if not text.strip():
        return ()
    found = _from_geojson(text) if text.lstrip().startswith("{") else ((_from_lines(text),),)
    corners = [corner for shape in found for ring in shape for corner in ring]
    if len(corners) > MOST_CORNERS:
        raise ValueError(f"The area has {len(corners)} corners. Keep it to {MOST_CORNERS}.")
    for lat, lon in corners:
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise ValueError(f"{lat:g}, {lon:g} is no place on the globe. {CORNERS_LIKE}")
    for shape in found:
        for ring in shape:
            if len(set(ring)) < 3:
                raise ValueError("An area has at least three corners.")
            if _crosses_itself(ring):
                raise ValueError("The edge of the area crosses itself. Go round it once, in order.")
    return found


def area_text(area: Area) -> str:
    """As ``read_area`` reads it: corners where it is one shape without holes, else GeoJSON."""
    if not area:
        return ""
    if len(area) == 1 and len(area[0]) == 1:
        return "\n".join(f"{lat:.6f}, {lon:.6f}" for lat, lon in area[0][0])
    shapes = [[[[lon, lat] for lat, lon in ring] for ring in shape] for shape in area]
    return json.dumps({"type": "MultiPolygon", "coordinates": shapes})


def _from_lines(text: str) -> Ring:
    corners = []
    for line in filter(None, map(str.strip, text.splitlines())):
        told = _CORNER.fullmatch(line)
        if told is None:
            raise ValueError(f"“{line[:40]}” is not understood. {CORNERS_LIKE}")
        corners.append((float(told[1]), float(told[2])))
    return _open(corners)


def _from_geojson(text: str) -> Area:
    try:
        shapes = tuple(
            tuple(_open([(float(at[1]), float(at[0])) for at in ring]) for ring in shape)
            for shape in _polygons(json.loads(text))
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError(NO_GEOJSON) from None
    if not shapes or not all(shapes):
        raise ValueError(NO_GEOJSON)
    return shapes


def _polygons(given: Any) -> Iterator[Any]:
    match given["type"]:
        case "FeatureCollection":
            for one in given["features"]:
                yield from _polygons(one)
        case "Feature" if given["geometry"] is not None:
            yield from _polygons(given["geometry"])
        case "GeometryCollection":
            for one in given["geometries"]:
                yield from _polygons(one)
        case "Polygon":
            yield given["coordinates"]
        case "MultiPolygon":
            yield from given["coordinates"]


def _open(corners: Sequence[Corner]) -> Ring:
    """Without the last corner where it is the first once more."""
    is_closed = len(corners) > 1 and corners[0] == corners[-1]
    return tuple(corners[:-1] if is_closed else corners)


def _box(ring: Ring) -> tuple[float, float, float, float]:
    lats, lons = [lat for lat, _ in ring], [lon for _, lon in ring]
    return min(lats), min(lons), max(lats), max(lons)


def _is_inside(shape: Sequence[Ring], point: Point) -> bool:
    """In its ring, and in none of its holes."""
    return sum(_crossings(ring, point) for ring in shape) % 2 == 1


def _crossings(ring: Ring, point: Point) -> int:
    """How often the ring is crossed on the way from ``point`` straight to the east."""
    return sum(
        (a[0] > point.lat) != (b[0] > point.lat)
        and point.lon < a[1] + (b[1] - a[1]) * (point.lat - a[0]) / (b[0] - a[0])
        for a, b in _edges(ring)
    )


def _edges(ring: Ring) -> list[tuple[Corner, Corner]]:
    return list(zip(ring, (*ring[1:], ring[0]), strict=True))


def _crosses_itself(ring: Ring) -> bool:
    """Whether two edges that are no neighbours meet; not looked for in long borders, which
    nobody drew by hand.
    """
    edges = _edges(ring)
    if len(edges) > 200:
        return False
    return any(
        _meet(*edges[n], *edges[m])
        for n in range(len(edges))
        for m in range(n + 2, len(edges))
        if (n, m) != (0, len(edges) - 1)
    )


def _meet(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    def side(p: Corner, q: Corner, r: Corner) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def _compact(postcode: str) -> str:
    """In capital letters, without what separates their groups."""
    return re.sub(r"[\s-]+", "", postcode).upper()


def _is_range(first: str, last: str) -> bool:
    return first.isdigit() and last.isdigit() and len(first) == len(last) and first <= last


def _has(zone: Zone, code: str) -> bool:
    for one in zone.postcodes:
        first, to, last = one.partition(" to ")
        if to:
            if len(code) == len(first) and code.isdigit() and first <= code <= last:
                return True
        elif code == one or (one.endswith("*") and code.startswith(one[:-1])):
            return True
    return False
