"""A travel service at the network's edge, as the three kinds of it answer.

Every figure is OSRM's own, of the built map, whichever words it is told in. Valhalla's words are
those of its engine (3.9.1); OSRM's addresses and openrouteservice's words are their documentation's.
No recording of a real server stands behind them. It takes no more at once than it is told to. Of a
place far from every road OSRM says how far it moved it; the others refuse the whole question.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import osrm
from flask import Flask, Response, jsonify, request

from hub.maps.roads import graph

KEY = "r0ads-key"
NAMES = {  # theirs -> ours, of whose roads it answers
    "driving": "car",
    "foot": "walk",
    "auto": "car",
    "pedestrian": "walk",
    "driving-car": "car",
    "foot-walking": "walk",
}
Pair = tuple[float, float]  # longitude, latitude


class RoadsService:
    """``mood`` is how it feels; ``asked`` counts the ways of each question."""

    def __init__(self, data_dir: Path, most_pairs: int = 2500, most_places: int = 100) -> None:
        self.map_dir = (data_dir / "map" / "current").resolve()
        self.most_pairs, self.most_places = most_pairs, most_places
        self.mood, self.moods = "well", list[str]()
        self.asked: list[int] = []
        self.bodies: list[Any] = []
        self.engines: dict[str, Any] = {}
        self.app = Flask("roads")
        add = self.app.add_url_rule
        add("/table/v1/<name>/<path:places>", view_func=self._osrm_table)
        add("/route/v1/<name>/<path:places>", view_func=self._osrm_route)
        add("/sources_to_targets", view_func=self._valhalla_table, methods=["POST"])
        add("/route", view_func=self._valhalla_route, methods=["POST"])
        add("/v2/matrix/<name>", view_func=self._ors_table, methods=["POST"])
        add("/v2/directions/<name>/geojson", view_func=self._ors_route, methods=["POST"])
        self.app.before_request(self._answers)

    def _answers(self) -> Any:
        mood = self.moods.pop(0) if self.moods else self.mood
        match mood:
            case "busy":
                return Response("slow down", 429, {"Retry-After": "7"})
            case "short of breath":
                return Response("slow down", 429, {"Retry-After": "1"})
            case "down":
                return Response("oops", 503)
            case "babbling":
                return jsonify({"code": "Ok", "hello": "world"})
        said = request.headers.get("Authorization") or request.args.get("api_key")
        if mood == "locked" or said != KEY:
            return Response('{"error": "no"}', 403)
        self.bodies.append(request.get_json(silent=True))
        return None

    def _osrm_table(self, name: str, places: str) -> Any:
        pairs = _pairs(places)
        sources = [int(n) for n in request.args["sources"].split(";")]
        targets = [int(n) for n in request.args["destinations"].split(";")]
        assert request.args["annotations"] == "duration,distance"
        if self._is_too_much(len(sources) * len(targets), len(pairs)):
            return jsonify({"code": "TooBig", "message": "Too many table coordinates"}), 400
        (seconds, metres), moved = self._table(name, pairs, sources, targets)
        sides = {
            side: [{"distance": far, "name": "", "location": [0, 0]} for far in moved[n]]
            for n, side in enumerate(("sources", "destinations"))
        }
        return jsonify({"code": "Ok", "durations": seconds, "distances": metres, **sides})

    def _osrm_route(self, name: str, places: str) -> Any:
        found, moved = self._way(name, _pairs(places))
        waypoints = [{"distance": far, "name": "", "location": [0, 0]} for far in moved]
        return jsonify({"code": "Ok", "routes": [found], "waypoints": waypoints})

    def _valhalla_table(self) -> Any:
        asked = request.get_json()
        sources, targets = (
            [(p["lon"], p["lat"]) for p in asked[side]] for side in ("sources", "targets")
        )
        if self._is_too_much(len(sources) * len(targets), len(sources) + len(targets)):
            return jsonify({"error_code": 150, "error": "Exceeded max locations"}), 400
        rows = range(len(sources))
        columns = range(len(sources), len(sources) + len(targets))
        pairs = [*sources, *targets]
        (seconds, metres), moved = self._table(asked["costing"], pairs, list(rows), list(columns))
        if _is_lost(moved):
            return jsonify({"error_code": 171, "error": "No suitable edges near location"}), 400
        assert asked["units"] == "kilometers"
        cells = [
            [
                {
                    "from_index": i,
                    "to_index": j,
                    "time": None if s is None else round(s),
                    "distance": None if m is None else round(m / 1000, 3),
                }
                for j, (s, m) in enumerate(zip(row_s, row_m, strict=True))
            ]
            for i, (row_s, row_m) in enumerate(zip(seconds, metres, strict=True))
        ]
        return jsonify({"sources_to_targets": cells, "units": "kilometers"})

    def _valhalla_route(self) -> Any:
        asked = request.get_json()
        pairs = [(p["lon"], p["lat"]) for p in asked["locations"]]
        whole, moved = self._way(asked["costing"], pairs)
        if _is_lost([moved]):
            return jsonify({"error_code": 171, "error": "No suitable edges near location"}), 400
        legs = []
        for n, leg in enumerate(whole["legs"]):
            piece, _ = self._way(asked["costing"], pairs[n : n + 2])
            summary = {"time": leg["duration"], "length": leg["distance"] / 1000}
            shape = encoded(piece["geometry"]["coordinates"])
            legs.append({"summary": summary, "shape": shape, "maneuvers": []})
        return jsonify({"trip": {"status": 0, "units": "kilometers", "legs": legs}})

    def _ors_table(self, name: str) -> Any:
        asked = request.get_json()
        sources, targets = ([int(n) for n in asked[s]] for s in ("sources", "destinations"))
        if self._is_too_much(len(sources) * len(targets), 0):
            return jsonify({"error": {"code": 6004, "message": "Too many routes"}}), 400
        assert (asked["metrics"], asked["units"]) == (["duration", "distance"], "m")
        (seconds, metres), moved = self._table(name, asked["locations"], sources, targets)
        if _is_lost(moved):
            said = "Source point(s) 1 out of bounds."
            return jsonify({"error": {"code": 6010, "message": said}}), 404
        return jsonify({"durations": seconds, "distances": metres, "metadata": {}})

    def _ors_route(self, name: str) -> Any:
        found, moved = self._way(name, request.get_json()["coordinates"])
        if _is_lost([moved]):
            return jsonify({"error": {"code": 2010, "message": "no routable point"}}), 404
        segments = [
            {"distance": leg["distance"], "duration": leg["duration"], "steps": []}
            for leg in found["legs"]
        ]
        feature = {
            "type": "Feature",
            "properties": {"segments": segments, "summary": {}},
            "geometry": found["geometry"],
        }
        return jsonify({"type": "FeatureCollection", "features": [feature]})

    def _is_too_much(self, pairs: int, places: int) -> bool:
        self.asked.append(pairs)
        return pairs > self.most_pairs or places > self.most_places

    def _engine(self, name: str) -> Any:
        if (ours := NAMES.get(name)) is None:
            raise AssertionError(f"it was asked for {name!r}")
        if name not in self.engines:
            path = str(graph(self.map_dir, ours))
            self.engines[name] = osrm.OSRM(
                algorithm="CH", storage_config=path, use_shared_memory=False
            )
        return self.engines[name]

    def _table(self, name: str, pairs: list[Any], sources: list[int], targets: list[int]) -> Any:
        params = osrm.TableParameters(
            coordinates=[tuple(pair) for pair in pairs],
            sources=sources,
            destinations=targets,
            annotations=["duration", "distance"],
        )
        found = self._engine(name).Table(params)
        moved = [[float(one["distance"]) for one in found[s]] for s in ("sources", "destinations")]
        cells = [
            [[float(cell) for cell in row] for row in found[kind]]
            for kind in ("durations", "distances")
        ]
        return cells, moved

    def _way(self, name: str, pairs: list[Any]) -> Any:
        params = osrm.RouteParameters(
            coordinates=[tuple(pair) for pair in pairs], geometries="geojson", overview="full"
        )
        found = self._engine(name).Route(params)
        one = found["routes"][0]
        line = [[float(lon), float(lat)] for lon, lat in one["geometry"]["coordinates"]]
        legs = [{"duration": leg["duration"], "distance": leg["distance"]} for leg in one["legs"]]
        whole = {"geometry": {"type": "LineString", "coordinates": line}, "legs": legs}
        return whole, [float(point["distance"]) for point in found["waypoints"]]


def _is_lost(moved: list[list[float]]) -> bool:
    return any(far > 2000 for side in moved for far in side)


def _pairs(text: str) -> list[Pair]:
    return [tuple(map(float, one.split(","))) for one in text.split(";")]  # type: ignore[misc]


def encoded(line: list[list[float]]) -> str:
    """``line`` as Valhalla writes it, six decimals."""
    text, before = "", (0, 0)
    for lon, lat in line:
        here = round(lat * 1e6), round(lon * 1e6)
        for now, was in zip(here, before, strict=True):
            value = (now - was) << 1
            value = ~value if value < 0 else value
            while value >= 32:
                text += chr((32 | value & 31) + 63)
                value >>= 5
            text += chr(value + 63)
        before = here
    return text
