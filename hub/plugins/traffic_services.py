"""How services that know the traffic are asked, and what their answers mean.

Tried against none of them. What is from a service's own page, as of November 2026, and what is not:

- Google, Routes API: "computeRouteMatrix" and "Get a route matrix" (625 elements).
- HERE, Matrix Routing API v8 (OpenAPI 8.36): the question, one list row by row, a region of at most
  400 km, 500 x 500 in one answer. Error codes: "Upload a routing matrix" of its Tour Planning.
- Mapbox, "Matrix API": the address, 25 coordinates, ``sources`` and ``destinations``. Not from it:
  ``depart_at`` for ``driving`` (the reference of the R package mapboxapi has it), and how it says
  that it knows no road.
- TomTom, "Synchronous Matrix" (of 2025-08-18) and "FAQ": the address, 200 cells within 400 km, how
  places and times are written, that a cell has its indices and, if it failed, ``detailedError``.
  Not from them: ``options`` and ``routeSummary``, which are as in public code.
- Lines of routes: as in public code, of all four; TomTom's legs as its SDK's reference has them.

A time of departure that is over is refused by most, so none is sent for now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub import Point, Refused, RoadLeg, RoadRoute
from hub.maps.polyline import decoded_flexible
from hub.plugins.travel_blocks import NONE_S, Cells, Limits, OffRoads, Question
from hub.plugins.travel_dialects import DIALECTS, lonlats

NO_ROUTE = "No road leads through these places."
NO_ROAD = {"NoRoute", "NoSegment"}  # Mapbox's words for a question that a lost place spoils


@dataclass(frozen=True, slots=True)
class Drive:
    """``name``: the vehicle in the service's words. ``leave_at``: ``None`` for now."""

    key: str
    name: str
    leave_at: datetime | None


@dataclass(frozen=True, slots=True)
class Service:
    """``table`` and ``way`` make questions; ``cells`` and ``line`` read the answers.

    ``names``: kinds of vehicles; who is not among them is not asked for.
    """

    title: str
    names: Mapping[str, str]
    limits: Limits
    table: Callable[[Drive, Sequence[Point], Sequence[Point]], Question]
    cells: Callable[[Any, int, int], tuple[Cells, Cells]]
    way: Callable[[Drive, Sequence[Point]], Question]
    line: Callable[[Any], RoadRoute]


GOOGLE = {
    "car": "DRIVE",
    "van": "DRIVE",
    "bicycle": "BICYCLE",
    "cargo_bike": "BICYCLE",
    "walk": "WALK",
}
HERE = {
    "car": "car",
    "van": "car",
    "truck": "truck",
    "bicycle": "bicycle",
    "cargo_bike": "bicycle",
    "walk": "pedestrian",
}
MAPBOX = {
    "car": "driving",
    "van": "driving",
    "bicycle": "cycling",
    "cargo_bike": "cycling",
    "walk": "walking",
}
TOMTOM = {"car": "car", "van": "car", "truck": "truck", "walk": "pedestrian"}
IN_TRAFFIC = {"DRIVE", "driving", "car", "truck"}


def _google(drive: Drive, fields: str) -> tuple[dict[str, Any], dict[str, str]]:
    said: dict[str, Any] = {"travelMode": drive.name}
    if drive.name in IN_TRAFFIC:
        said["routingPreference"] = "TRAFFIC_AWARE"
        if drive.leave_at is not None:
            said["departureTime"] = _utc(drive.leave_at)
    return said, {"X-Goog-Api-Key": drive.key, "X-Goog-FieldMask": fields}


def _google_table(drive: Drive, froms: Sequence[Point], tos: Sequence[Point]) -> Question:
    said, headers = _google(
        drive, "originIndex,destinationIndex,status,condition,distanceMeters,duration"
    )
    said["origins"] = [{"waypoint": _google_point(p)} for p in froms]
    said["destinations"] = [{"waypoint": _google_point(p)} for p in tos]
    url = "https://routes.googleapis.com/distanceMatrix/v2:computeRouteMatrix"
    return Question(url, {}, said, headers)


def _google_point(place: Point) -> dict[str, Any]:
    return {"location": {"latLng": {"latitude": place.lat, "longitude": place.lon}}}


def _google_cells(answer: Any, rows: int, columns: int) -> tuple[Cells, Cells]:
    """Elements in any order; what is 0 may be left out of one."""
    if not isinstance(answer, list) or len(answer) != rows * columns:
        raise ValueError("not an element for each way")
    seconds, metres = _nowhere(rows, columns), _nowhere(rows, columns)
    for one in answer:
        if one.get("condition") == "ROUTE_EXISTS":
            i, j = one.get("originIndex", 0), one.get("destinationIndex", 0)
            seconds[i][j] = _google_s(one["duration"])
            metres[i][j] = float(one.get("distanceMeters", 0))
    return seconds, metres


def _google_s(text: str) -> float:
    """Of "165s"."""
    return float(text.removesuffix("s"))


def _google_way(drive: Drive, places: Sequence[Point]) -> Question:
    said, headers = _google(
        drive, "routes.legs.duration,routes.legs.distanceMeters,routes.polyline.geoJsonLinestring"
    )
    first, *between, last = map(_google_point, places)
    said |= {"origin": first, "destination": last, "polylineEncoding": "GEO_JSON_LINESTRING"}
    if between:
        said["intermediates"] = between
    return Question("https://routes.googleapis.com/directions/v2:computeRoutes", {}, said, headers)


def _google_line(answer: Any) -> RoadRoute:
    found = _first(answer.get("routes"))
    return RoadRoute(
        tuple(
            Point(lat, lon) for lon, lat in found["polyline"]["geoJsonLinestring"]["coordinates"]
        ),
        tuple(
            RoadLeg(round(_google_s(leg["duration"])), round(leg.get("distanceMeters", 0)))
            for leg in found["legs"]
        ),
    )


def _here_table(drive: Drive, froms: Sequence[Point], tos: Sequence[Point]) -> Question:
    said: dict[str, Any] = {
        "origins": [{"lat": p.lat, "lng": p.lon} for p in froms],
        "destinations": [{"lat": p.lat, "lng": p.lon} for p in tos],
        "regionDefinition": {"type": "autoCircle"},
        "transportMode": drive.name,
        "matrixAttributes": ["travelTimes", "distances"],
    }
    if drive.leave_at is not None:
        said["departureTime"] = _utc(drive.leave_at)
    query = {"async": "false", "apiKey": drive.key}
    return Question("https://matrix.router.hereapi.com/v8/matrix", query, said)


def _here_cells(answer: Any, rows: int, columns: int) -> tuple[Cells, Cells]:
    """Row by row in one list; errors only where there are some. A way that breaks a rule (a truck
    under a bridge that is too low) has one as well, and is none for us.
    """
    found = answer["matrix"]
    if (found["numOrigins"], found["numDestinations"]) != (rows, columns):
        raise ValueError("another matrix")
    errors = found.get("errorCodes") or [0] * (rows * columns)
    told = []
    for kind in ("travelTimes", "distances"):
        flat = [
            NONE_S if error else float(cell)
            for cell, error in zip(found[kind], errors, strict=True)
        ]
        told.append([flat[n * columns : (n + 1) * columns] for n in range(rows)])
    return told[0], told[1]


def _here_way(drive: Drive, places: Sequence[Point]) -> Question:
    first, *between, last = (f"{p.lat:.6f},{p.lon:.6f}" for p in places)
    query: dict[str, str | list[str]] = {
        "transportMode": drive.name,
        "origin": first,
        "destination": last,
        "return": "polyline,summary",
        "apiKey": drive.key,
    }
    if between:
        query["via"] = between
    if drive.leave_at is not None:
        query["departureTime"] = _utc(drive.leave_at)
    return Question("https://router.hereapi.com/v8/routes", query)


def _here_line(answer: Any) -> RoadRoute:
    sections = _first(answer.get("routes"))["sections"]
    return RoadRoute(
        tuple(point for one in sections for point in decoded_flexible(one["polyline"])),
        tuple(
            RoadLeg(round(one["summary"]["duration"]), round(one["summary"]["length"]))
            for one in sections
        ),
    )


def _mapbox_table(drive: Drive, froms: Sequence[Point], tos: Sequence[Point]) -> Question:
    first = len(froms)
    query = {
        "annotations": "duration,distance",
        "sources": ";".join(str(n) for n in range(first)),
        "destinations": ";".join(str(n) for n in range(first, first + len(tos))),
        **_mapbox(drive),
    }
    base = "https://api.mapbox.com/directions-matrix/v1/mapbox"
    return Question(f"{base}/{drive.name}/{lonlats([*froms, *tos])}", query)


def _mapbox(drive: Drive) -> dict[str, str]:
    """Traffic as it usually is then. Of this moment's, ``driving-traffic``, 10 places a question
    are too few for a day.
    """
    said = {"access_token": drive.key}
    if drive.name in IN_TRAFFIC and drive.leave_at is not None:
        said["depart_at"] = _utc(drive.leave_at)
    return said


def _mapbox_cells(answer: Any, rows: int, columns: int) -> tuple[Cells, Cells]:
    """Raises ``OffRoads`` where it answers, with a status of 200, that it knows no road there."""
    if answer["code"] in NO_ROAD:
        raise OffRoads(f"Mapbox says {answer['code']}.")
    return DIALECTS["osrm"].cells(answer)


def _mapbox_way(drive: Drive, places: Sequence[Point]) -> Question:
    query = {"overview": "full", "geometries": "geojson", **_mapbox(drive)}
    base = "https://api.mapbox.com/directions/v5/mapbox"
    return Question(f"{base}/{drive.name}/{lonlats(places)}", query)


def _mapbox_line(answer: Any) -> RoadRoute:
    _first(answer.get("routes"))
    return DIALECTS["osrm"].route(answer)


def _tomtom_table(drive: Drive, froms: Sequence[Point], tos: Sequence[Point]) -> Question:
    options: dict[str, str] = {"travelMode": drive.name, "routeType": "fastest"}
    if drive.name in IN_TRAFFIC:
        leaves = "now" if drive.leave_at is None else _utc(drive.leave_at)
        options |= {"traffic": "live", "departAt": leaves}
    said = {
        "origins": [_tomtom_point(p) for p in froms],
        "destinations": [_tomtom_point(p) for p in tos],
        "options": options,
    }
    return Question("https://api.tomtom.com/routing/matrix/2", {"key": drive.key}, said)


def _tomtom_point(place: Point) -> dict[str, Any]:
    return {"point": {"latitude": place.lat, "longitude": place.lon}}


def _tomtom_cells(answer: Any, rows: int, columns: int) -> tuple[Cells, Cells]:
    """A cell without a summary has an error instead; one that is not named is no way either."""
    seconds, metres = _nowhere(rows, columns), _nowhere(rows, columns)
    for one in answer["data"]:
        if (found := one.get("routeSummary")) is not None:
            i, j = one["originIndex"], one["destinationIndex"]
            seconds[i][j] = float(found["travelTimeInSeconds"])
            metres[i][j] = float(found["lengthInMeters"])
    return seconds, metres


def _tomtom_way(drive: Drive, places: Sequence[Point]) -> Question:
    through = ":".join(f"{p.lat:.6f},{p.lon:.6f}" for p in places)
    query = {"key": drive.key, "travelMode": drive.name, "routeType": "fastest"}
    if drive.name in IN_TRAFFIC:
        query["traffic"] = "true"
        if drive.leave_at is not None:
            query["departAt"] = _utc(drive.leave_at)
    return Question(f"https://api.tomtom.com/routing/1/calculateRoute/{through}/json", query)


def _tomtom_line(answer: Any) -> RoadRoute:
    legs = _first(answer.get("routes"))["legs"]
    return RoadRoute(
        tuple(Point(one["latitude"], one["longitude"]) for leg in legs for one in leg["points"]),
        tuple(
            RoadLeg(
                round(leg["summary"]["travelTimeInSeconds"]),
                round(leg["summary"]["lengthInMeters"]),
            )
            for leg in legs
        ),
    )


WAIT_S = 20.0
SERVICES = {
    "google": Service(
        "Google",
        GOOGLE,
        Limits(at_once=625, places=650, rows=625, wait_s=WAIT_S, way_places=27),
        _google_table,
        _google_cells,
        _google_way,
        _google_line,
    ),
    "here": Service(
        "HERE",
        HERE,
        Limits(at_once=10_000, places=1_000, rows=500, wait_s=WAIT_S, way_places=50),
        _here_table,
        _here_cells,
        _here_way,
        _here_line,
    ),
    "mapbox": Service(
        "Mapbox",
        MAPBOX,
        Limits(at_once=625, places=25, rows=24, wait_s=WAIT_S, way_places=25),
        _mapbox_table,
        _mapbox_cells,
        _mapbox_way,
        _mapbox_line,
    ),
    "tomtom": Service(
        "TomTom",
        TOMTOM,
        Limits(at_once=200, places=400, rows=200, wait_s=WAIT_S, way_places=150),
        _tomtom_table,
        _tomtom_cells,
        _tomtom_way,
        _tomtom_line,
    ),
}


def _utc(moment: datetime) -> str:
    """RFC 3339, in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _nowhere(rows: int, columns: int) -> Cells:
    return [[NONE_S] * columns for _ in range(rows)]


def _first(routes: Any) -> Any:
    """Raises ``Refused`` where there is none, whatever the service's own word for it."""
    if not routes:
        raise Refused(NO_ROUTE)
    return routes[0]
