"""A travel service at the network's edge, as the three kinds of it answer.

Every figure is OSRM's own, of the built map, whichever words it is told in. Valhalla's words are
those of its engine (3.9.1). OSRM's addresses and all of openrouteservice's words are from memory: no
recording of a real server stands behind them. It takes no more at once than it is told to.
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
        seconds, metres = self._table(name, pairs, sources, targets)
        return jsonify({"code": "Ok", "durations": seconds, "distances": metres})

    def _osrm_route(self, name: str, places: str) -> Any:
        if (found := self._way(name, _pairs(places))) is None:
            return jsonify({"code": "NoRoute", "message": "Impossible route"}), 400
        return jsonify({"code": "Ok", "routes": [found]})

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
        seconds, metres = self._table(asked["costing"], pairs, list(rows), list(columns))
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
        if (whole := self._way(asked["costing"], pairs)) is None:
            return jsonify({"error_code": 442, "error": "No path could be found for input"}), 400
        legs = []
        for n, leg in enumerate(whole["legs"]):
            piece = self._way(asked["costing"], pairs[n : n + 2])
            assert piece is not None
            summary = {"time": leg["duration"], "length": leg["distance"] / 1000}
            shape = encoded(piece["geometry"]["coordinates"])
            legs.append({"summary": summary, "shape": shape, "maneuvers": []})
        return jsonify({"trip": {"status": 0, "units": "kilometers", "legs": legs}})

    def _ors_table(self, name: str) -> Any:
        asked = request.get_json()
        sources, targets = asked["sources"], asked["destinations"]
        if self._is_too_much(len(sources) * len(targets), 0):
            return jsonify({"error": {"code": 6004, "message": "Too many routes"}}), 400
        assert (asked["metrics"], asked["units"]) == (["duration", "distance"], "m")
        seconds, metres = self._table(name, asked["locations"], sources, targets)
        return jsonify({"durations": seconds, "distances": metres, "metadata": {}})

    def _ors_route(self, name: str) -> Any:
        found = self._way(name, request.get_json()["coordinates"])
        if found is None:
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
        near = (
            [_is_near(one) for one in found["sources"]],
            [_is_near(one) for one in found["destinations"]],
        )
        return tuple(
            [
                [float(c) if near[0][i] and near[1][j] else None for j, c in enumerate(row)]
                for i, row in enumerate(found[kind])
            ]
            for kind in ("durations", "distances")
        )

    def _way(self, name: str, pairs: list[Any]) -> Any:
        params = osrm.RouteParameters(
            coordinates=[tuple(pair) for pair in pairs], geometries="geojson", overview="full"
        )
        found = self._engine(name).Route(params)
        if not all(_is_near(one) for one in found["waypoints"]):
            return None
        one = found["routes"][0]
        line = [[float(lon), float(lat)] for lon, lat in one["geometry"]["coordinates"]]
        legs = [{"duration": leg["duration"], "distance": leg["distance"]} for leg in one["legs"]]
        return {"geometry": {"type": "LineString", "coordinates": line}, "legs": legs}


def _is_near(snapped: Any) -> bool:
    return bool(snapped["distance"] < 2000)


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
