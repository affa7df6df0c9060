"""How three kinds of travel service are asked, and what their answers mean.

What OSRM and Valhalla answer was seen in their engines (osrm-bindings 26.10, pyvalhalla 3.9.1);
how their servers are asked, and all of openrouteservice, was written down from memory and tried
against no real server. Those who sell travel times mostly speak one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hub import Measures, Point, RoadLeg, RoadRoute, measures_of
from hub.maps.polyline import decoded

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
NONE_S: float = float("nan")  # no road leads there


@dataclass(frozen=True, slots=True)
class Question:
    """What goes over the wire; ``body`` ``None``: it is a GET."""

    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None = None


Cells = list[list[float]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """``table`` and ``way`` make questions; ``cells`` reads seconds and metres of the first."""

    names: Mapping[str, str]
    table: Callable[[str, Sequence[Point], Sequence[Point], Measures], Question]
    cells: Callable[[Any], tuple[Cells, Cells]]
    way: Callable[[str, Sequence[Point], Measures], Question]
    route: Callable[[Any], RoadRoute]


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
        f"table/v1/{quote(name)}/{_lonlats([*sources, *targets])}",
        {
            "annotations": "duration,distance",
            "sources": ";".join(str(n) for n in range(first)),
            "destinations": ";".join(str(n) for n in range(first, first + len(targets))),
        },
    )


def _osrm_cells(answer: Any) -> tuple[Cells, Cells]:
    if answer["code"] != "Ok":
        raise ValueError(answer["code"])
    return _cells(answer["durations"]), _cells(answer["distances"])


def _osrm_way(name: str, places: Sequence[Point], measures: Measures) -> Question:
    path = f"route/v1/{quote(name)}/{_lonlats(places)}"
    return Question(path, {"overview": "full", "geometries": "geojson"})


def _osrm_route(answer: Any) -> RoadRoute:
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
        "sources": list(range(first)),
        "destinations": list(range(first, first + len(targets))),
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


DIALECTS = {
    "osrm": Dialect(OSRM, _osrm_table, _osrm_cells, _osrm_way, _osrm_route),
    "valhalla": Dialect(VALHALLA, _valhalla_table, _valhalla_cells, _valhalla_way, _valhalla_route),
    "openrouteservice": Dialect(
        OPENROUTE, _openroute_table, _openroute_cells, _openroute_way, _openroute_route
    ),
}


def _cells(rows: Any) -> Cells:
    return [[NONE_S if cell is None else float(cell) for cell in row] for row in rows]


def _metres(kilometres: float | None) -> float:
    return NONE_S if kilometres is None else kilometres * 1000


def _line(coordinates: Any) -> tuple[Point, ...]:
    return tuple(Point(float(lat), float(lon)) for lon, lat, *_ in coordinates)


def _lonlats(places: Sequence[Point]) -> str:
    return ";".join(f"{p.lon:.6f},{p.lat:.6f}" for p in places)


def _latlons(places: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lat": p.lat, "lon": p.lon} for p in places]
