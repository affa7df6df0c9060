"""How three kinds of travel service are asked, and what their answers mean.

What OSRM and Valhalla answer was seen in their engines (osrm-bindings 26.10, pyvalhalla 3.9.1); how
their servers are asked, and openrouteservice, is as their documentation has it (docs/http.md of
osrm-backend; docs/api of valhalla; docs/api-reference and MatrixErrorCodes of openrouteservice),
tried against no real server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hub import Measures, Point, Refused, RoadLeg, RoadRoute, measures_of
from hub.maps.polyline import decoded
from hub.plugins.travel_blocks import NONE_S, Cells, Question
from hub.plugins.travel_osrm import SNAP_M

OPENROUTE = {
    "car": "driving-car",
    "van": "driving-car",
    "truck": "driving-hgv",
    "bicycle": "cycling-regular",
    "cargo_bike": "cycling-regular",
    "walk": "foot-walking",
}
VALHALLA = {
    "car": "auto",
    "van": "auto",
    "truck": "truck",
    "bicycle": "bicycle",
    "cargo_bike": "bicycle",
    "walk": "pedestrian",
}
# A server of OSRM knows one kind of vehicle and does not look at the name in the address: a bicycle
# asked of a server for cars would be given motorways. Others have to be named.
OSRM = {"car": "driving", "van": "driving", "truck": "driving"}
VEHICLES = {"van": Measures(270, 600, 3_500), "truck": Measures(400, 1_200, 18_000)}
"""As OSRM's graphs have them (hub/maps/roads.py), where a vehicle's own are not known: Valhalla's
own truck is 21 m long and weighs 22 t."""
# Error codes by which a server says that it knows no road near one of the places, or none at all so
# far away. Valhalla: 154 path distance exceeds the limit, 170 unconnected regions, 171 no suitable
# edges near location. openrouteservice: 6010 and 2010 point not found. OSRM: NoSegment.
VALHALLA_LOST = {154, 170, 171}
OPENROUTE_LOST = {2010, 6010}


@dataclass(frozen=True, slots=True)
class Dialect:
    """``table`` and ``way`` make questions, their addresses from where the server's own end;
    ``cells`` reads seconds and metres of the first. ``is_lost``: of a refusal's body.
    """

    names: Mapping[str, str]
    table: Callable[[str, Sequence[Point], Sequence[Point], Measures], Question]
    cells: Callable[[Any], tuple[Cells, Cells]]
    way: Callable[[str, Sequence[Point], Measures], Question]
    route: Callable[[Any], RoadRoute]
    is_lost: Callable[[Any], bool]


def sized(profile: str) -> tuple[str, Measures]:
    """The kind of vehicle, and how large it is: by its own measures, else those of its kind."""
    kind, own = measures_of(profile)
    usual = VEHICLES.get(kind, Measures())
    return kind, Measures(
        usual.height_cm if own.height_cm is None else own.height_cm,
        usual.length_cm if own.length_cm is None else own.length_cm,
        usual.weight_kg if own.weight_kg is None else own.weight_kg,
    )


def _osrm_table(
    name: str, sources: Sequence[Point], targets: Sequence[Point], measures: Measures
) -> Question:
    first = len(sources)
    return Question(
        f"table/v1/{quote(name)}/{lonlats([*sources, *targets])}",
        {
            "annotations": "duration,distance",
            "sources": ";".join(str(n) for n in range(first)),
            "destinations": ";".join(str(n) for n in range(first, first + len(targets))),
        },
    )


def _osrm_cells(answer: Any) -> tuple[Cells, Cells]:
    if answer["code"] != "Ok":
        raise ValueError(answer["code"])
    near = [[_is_near(one) for one in answer.get(side, ())] for side in ("sources", "destinations")]
    found = _cells(answer["durations"]), _cells(answer["distances"])
    for cells in found:
        for i, row in enumerate(cells):
            for j in range(len(row)):
                if not (all(near[0][i : i + 1]) and all(near[1][j : j + 1])):
                    row[j] = NONE_S
    return found


def _is_near(snapped: Any) -> bool:
    """OSRM moves a pin to the nearest road it has, however far, and says how far that was."""
    return bool(snapped.get("distance", 0) <= SNAP_M)


def _osrm_way(name: str, places: Sequence[Point], measures: Measures) -> Question:
    path = f"route/v1/{quote(name)}/{lonlats(places)}"
    return Question(path, {"overview": "full", "geometries": "geojson"})


def _osrm_route(answer: Any) -> RoadRoute:
    if not all(_is_near(one) for one in answer.get("waypoints", ())):
        raise Refused("No road is near one of these places.")
    found = answer["routes"][0]
    return RoadRoute(
        _line(found["geometry"]["coordinates"]),
        tuple(RoadLeg(round(leg["duration"]), round(leg["distance"])) for leg in found["legs"]),
    )


def _valhalla_table(
    name: str, sources: Sequence[Point], targets: Sequence[Point], measures: Measures
) -> Question:
    asked = {"sources": _latlons(sources), "targets": _latlons(targets)}
    return Question("sources_to_targets", {}, {**asked, **costing(name, measures)})


def _valhalla_cells(answer: Any) -> tuple[Cells, Cells]:
    rows = answer["sources_to_targets"]
    return (
        _cells([[cell["time"] for cell in row] for row in rows]),
        _cells([[_metres(cell["distance"]) for cell in row] for row in rows]),
    )


def _valhalla_way(name: str, places: Sequence[Point], measures: Measures) -> Question:
    return Question("route", {}, {"locations": _latlons(places), **costing(name, measures)})


def _valhalla_route(answer: Any) -> RoadRoute:
    legs = answer["trip"]["legs"]
    shape = [point for leg in legs for point in decoded(leg["shape"])]
    return RoadRoute(
        tuple(shape),
        tuple(
            RoadLeg(round(leg["summary"]["time"]), round(leg["summary"]["length"] * 1000))
            for leg in legs
        ),
    )


def costing(name: str, measures: Measures) -> dict[str, Any]:
    """Valhalla's words for a vehicle; only trucks have a length and a weight for it."""
    sizes: dict[str, float] = {}
    if measures.height_cm is not None and name in ("auto", "truck"):
        sizes["height"] = measures.height_cm / 100
    if measures.length_cm is not None and name == "truck":
        sizes["length"] = measures.length_cm / 100
    if measures.weight_kg is not None and name == "truck":
        sizes["weight"] = measures.weight_kg / 1000
    said: dict[str, Any] = {"costing": name, "units": "kilometers"}
    return {**said, "costing_options": {name: sizes}} if sizes else said


def _openroute_table(
    name: str, sources: Sequence[Point], targets: Sequence[Point], measures: Measures
) -> Question:
    first = len(sources)
    body = {
        "locations": [[p.lon, p.lat] for p in (*sources, *targets)],
        "sources": [str(n) for n in range(first)],
        "destinations": [str(n) for n in range(first, first + len(targets))],
        "metrics": ["duration", "distance"],
        "units": "m",
    }
    return Question(f"v2/matrix/{quote(name)}", {}, body)


def _openroute_cells(answer: Any) -> tuple[Cells, Cells]:
    return _cells(answer["durations"]), _cells(answer["distances"])


def _openroute_way(name: str, places: Sequence[Point], measures: Measures) -> Question:
    body: dict[str, Any] = {"coordinates": [[p.lon, p.lat] for p in places], "units": "m"}
    sizes = {
        "height": measures.height_cm and measures.height_cm / 100,
        "length": measures.length_cm and measures.length_cm / 100,
        "weight": measures.weight_kg and measures.weight_kg / 1000,
    }
    known = {word: size for word, size in sizes.items() if size}
    if known and name == "driving-hgv":
        body["options"] = {"profile_params": {"restrictions": known}}
    return Question(f"v2/directions/{quote(name)}/geojson", {}, body)


def _openroute_route(answer: Any) -> RoadRoute:
    found = answer["features"][0]
    segments = found["properties"]["segments"]
    return RoadRoute(
        _line(found["geometry"]["coordinates"]),
        tuple(RoadLeg(round(one["duration"]), round(one["distance"])) for one in segments),
    )


def _osrm_lost(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("code") == "NoSegment"


def _valhalla_lost(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("error_code") in VALHALLA_LOST


def _openroute_lost(answer: Any) -> bool:
    error = answer.get("error") if isinstance(answer, dict) else None
    return isinstance(error, dict) and error.get("code") in OPENROUTE_LOST


DIALECTS = {
    "osrm": Dialect(OSRM, _osrm_table, _osrm_cells, _osrm_way, _osrm_route, _osrm_lost),
    "valhalla": Dialect(
        VALHALLA, _valhalla_table, _valhalla_cells, _valhalla_way, _valhalla_route, _valhalla_lost
    ),
    "openrouteservice": Dialect(
        OPENROUTE,
        _openroute_table,
        _openroute_cells,
        _openroute_way,
        _openroute_route,
        _openroute_lost,
    ),
}


def _cells(rows: Any) -> Cells:
    return [[NONE_S if cell is None else float(cell) for cell in row] for row in rows]


def _metres(kilometres: float | None) -> float:
    return NONE_S if kilometres is None else kilometres * 1000


def _line(coordinates: Any) -> tuple[Point, ...]:
    return tuple(Point(float(lat), float(lon)) for lon, lat, *_ in coordinates)


def lonlats(places: Sequence[Point]) -> str:
    """As OSRM and those who speak like it have them in their addresses."""
    return ";".join(f"{p.lon:.6f},{p.lat:.6f}" for p in places)


def _latlons(places: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lat": p.lat, "lon": p.lon} for p in places]
