"""Services that know the traffic, at the network's edge, as their own pages have them.

Every figure is OSRM's of the built map, one and a half times as slow at eight in the morning. They
refuse what their pages say is refused: too many ways, no key, a time that is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from hub.maps.polyline import FLEXIBLE
from tests.fakes.roads import RoadsService

KEY = "tr4ffic-key"
FAR_M = 2000
KINDS = {"car": "driving", "walk": "foot"}
SPOKEN = {
    **dict.fromkeys(("DRIVE", "car", "driving"), "car"),
    **dict.fromkeys(("WALK", "pedestrian", "walking"), "walk"),
}
Pair = tuple[float, float]  # longitude, latitude


class TrafficServices:
    """All four. ``asked``: how many ways each question was about; ``bodies``: what was said."""

    origins = (
        "https://routes.googleapis.com",
        "https://matrix.router.hereapi.com",
        "https://router.hereapi.com",
        "https://api.mapbox.com",
        "https://api.tomtom.com",
    )

    def __init__(self, data_dir: Path, now: datetime) -> None:
        self.roads, self.now = RoadsService(data_dir), now
        self.asked: list[int] = []
        self.bodies: list[Any] = []
        self.is_strict = False  # Mapbox: a place far from every road spoils the question
        self.app = Flask("traffic")
        add = self.app.add_url_rule
        add("/distanceMatrix/v2:computeRouteMatrix", view_func=self._google, methods=["POST"])
        add("/directions/v2:computeRoutes", view_func=self._google_way, methods=["POST"])
        add("/v8/matrix", view_func=self._here, methods=["POST"])
        add("/v8/routes", view_func=self._here_way)
        add("/directions-matrix/v1/mapbox/<name>/<places>", view_func=self._mapbox)
        add("/directions/v5/mapbox/<name>/<places>", view_func=self._mapbox_way)
        add("/routing/matrix/2", view_func=self._tomtom, methods=["POST"])
        add("/routing/1/calculateRoute/<places>/json", view_func=self._tomtom_way)

    def _slow(self, said: str | None) -> float:
        """How much slower the roads are at that time, which is not over."""
        leaves = self.now if said in (None, "now") else datetime.fromisoformat(said or "")
        assert leaves >= self.now, "refused: in the past"
        return 1.5 if leaves.hour == 8 else 1.0

    def _table(
        self, name: str, froms: Sequence[Pair], tos: Sequence[Pair], said: str | None
    ) -> list[list[tuple[int, int] | None]]:
        self.asked.append(len(froms) * len(tos))
        rows, columns = list(range(len(froms))), list(range(len(froms), len(froms) + len(tos)))
        (seconds, metres), moved = self.roads._table(
            KINDS[SPOKEN[name]], [*froms, *tos], rows, columns
        )
        slow = self._slow(said)
        return [
            [
                None if max(moved[0][i], moved[1][j]) > FAR_M else (round(s * slow), round(m))
                for j, (s, m) in enumerate(zip(row_s, row_m, strict=True))
            ]
            for i, (row_s, row_m) in enumerate(zip(seconds, metres, strict=True))
        ]

    def _way(self, name: str, through: list[Pair]) -> dict[str, Any] | None:
        found, moved = self.roads._way(KINDS[SPOKEN[name]], through)
        return None if max(moved) > FAR_M else found

    def _google(self) -> Any:
        asked = request.get_json()
        self.bodies.append(asked)
        if request.headers.get("X-Goog-Api-Key") != KEY:
            said = {"code": 400, "message": "API key not valid. Please pass a valid API key."}
            return jsonify({"error": {**said, "status": "INVALID_ARGUMENT"}}), 400
        fields = request.headers["X-Goog-FieldMask"].split(",")
        assert {"originIndex", "destinationIndex", "condition", "duration"} <= set(fields)
        assert ("routingPreference" in asked) == (asked["travelMode"] == "DRIVE")
        sides = [
            [_lonlat(one["waypoint"]["location"]["latLng"]) for one in asked[side]]
            for side in ("origins", "destinations")
        ]
        if len(sides[0]) * len(sides[1]) > 625:
            return jsonify({"error": {"code": 400, "message": "Too many elements."}}), 400
        cells = self._table(asked["travelMode"], *sides, asked.get("departureTime"))
        told: list[dict[str, Any]] = []
        for i, row in enumerate(cells):
            for j, cell in enumerate(row):
                one: dict[str, Any] = {"originIndex": i, "destinationIndex": j, "status": {}}
                one["condition"] = "ROUTE_NOT_FOUND" if cell is None else "ROUTE_EXISTS"
                if cell is not None:
                    one["duration"] = f"{cell[0]}s"
                    if cell[1]:
                        one["distanceMeters"] = cell[1]
                told.append(one)
        return jsonify(told[::-1])

    def _google_way(self) -> Any:
        asked = request.get_json()
        assert asked["polylineEncoding"] == "GEO_JSON_LINESTRING"
        ends = [asked["origin"], *asked.get("intermediates", []), asked["destination"]]
        assert len(ends) <= 27
        found = self._way(asked["travelMode"], [_lonlat(one["location"]["latLng"]) for one in ends])
        if found is None:
            return jsonify({})
        legs = [
            {"duration": f"{round(leg['duration'])}s", "distanceMeters": round(leg["distance"])}
            for leg in found["legs"]
        ]
        line = {"geoJsonLinestring": found["geometry"]}
        return jsonify({"routes": [{"legs": legs, "polyline": line}]})

    def _here(self) -> Any:
        asked = request.get_json()
        self.bodies.append(asked)
        if request.args["apiKey"] != KEY:
            return jsonify({"error": "Unauthorized"}), 401
        assert request.args["async"] == "false"
        assert asked["regionDefinition"] == {"type": "autoCircle"}
        assert asked["matrixAttributes"] == ["travelTimes", "distances"]
        sides = [[(p["lng"], p["lat"]) for p in asked[s]] for s in ("origins", "destinations")]
        assert max(map(len, sides)) <= 500
        cells = self._table(asked["transportMode"], *sides, asked.get("departureTime"))
        flat = [cell for row in cells for cell in row]
        matrix = {
            "numOrigins": len(sides[0]),
            "numDestinations": len(sides[1]),
            "travelTimes": [0 if cell is None else cell[0] for cell in flat],
            "distances": [0 if cell is None else cell[1] for cell in flat],
        }
        if None in flat:
            matrix["errorCodes"] = [2 if cell is None else 0 for cell in flat]
        return jsonify({"matrixId": "m", "matrix": matrix, "regionDefinition": {}})

    def _here_way(self) -> Any:
        assert request.args["return"] == "polyline,summary"
        ends = [request.args["origin"], *request.args.getlist("via"), request.args["destination"]]
        through = [(float(p.split(",")[1]), float(p.split(",")[0])) for p in ends]
        found = self._way(request.args["transportMode"], through)
        if found is None:
            notices = [{"title": "No route found", "code": "noRouteFound"}]
            return jsonify({"notices": notices, "routes": []})
        sections = []
        for n, leg in enumerate(found["legs"]):
            piece = self._way(request.args["transportMode"], through[n : n + 2])
            assert piece is not None
            sections.append(
                {
                    "type": "vehicle",
                    "summary": {
                        "duration": round(leg["duration"]),
                        "length": round(leg["distance"]),
                    },
                    "polyline": flexible(piece["geometry"]["coordinates"]),
                }
            )
        return jsonify({"routes": [{"id": "r", "sections": sections}]})

    def _mapbox(self, name: str, places: str) -> Any:
        if request.args["access_token"] != KEY:
            return jsonify({"message": "Not Authorized - Invalid Token"}), 401
        pairs = _lonlats(places)
        if len(pairs) > 25:
            return jsonify({"code": "InvalidInput", "message": "Too many coordinates"}), 422
        sources, targets = (
            [int(n) for n in request.args[side].split(";")] for side in ("sources", "destinations")
        )
        self.asked.append(len(sources) * len(targets))
        kind = KINDS[SPOKEN[name]]
        (seconds, metres), moved = self.roads._table(kind, pairs, sources, targets)
        slow = self._slow(request.args.get("depart_at"))
        if self.is_strict and max(map(max, moved)) > FAR_M:
            return jsonify({"code": "NoRoute", "message": "No route found"})
        return jsonify(
            {
                "code": "Ok",
                "durations": [[s * slow for s in row] for row in seconds],
                "distances": metres,
                "sources": [{"distance": far, "location": [0, 0]} for far in moved[0]],
                "destinations": [{"distance": far, "location": [0, 0]} for far in moved[1]],
            }
        )

    def _mapbox_way(self, name: str, places: str) -> Any:
        assert request.args["geometries"] == "geojson"
        found, moved = self.roads._way(KINDS[SPOKEN[name]], _lonlats(places))
        waypoints = [{"distance": far, "location": [0, 0]} for far in moved]
        return jsonify({"code": "Ok", "routes": [found], "waypoints": waypoints})

    def _tomtom(self) -> Any:
        asked = request.get_json()
        self.bodies.append(asked)
        if request.args["key"] != KEY:
            return Response("<h1>Developer Inactive</h1>", 403)
        sides = [
            [_lonlat(one["point"]) for one in asked[side]] for side in ("origins", "destinations")
        ]
        if len(sides[0]) * len(sides[1]) > 200:
            return jsonify({"detailedError": {"code": "BAD_REQUEST", "message": "too large"}}), 400
        options = asked["options"]
        cells = self._table(options["travelMode"], *sides, options.get("departAt"))
        told: list[dict[str, Any]] = []
        for i, row in enumerate(cells):
            for j, cell in enumerate(row):
                one: dict[str, Any] = {"originIndex": i, "destinationIndex": j}
                if cell is None:
                    one["detailedError"] = {"code": "MAP_MATCHING_FAILURE", "message": "Origin"}
                else:
                    one["routeSummary"] = {
                        "lengthInMeters": cell[1],
                        "travelTimeInSeconds": cell[0],
                        "trafficDelayInSeconds": 0,
                    }
                told.append(one)
        return jsonify({"data": told, "statistics": {"totalCount": len(told)}})

    def _tomtom_way(self, places: str) -> Any:
        pairs = [(float(p.split(",")[1]), float(p.split(",")[0])) for p in places.split(":")]
        found = self._way(request.args["travelMode"], pairs)
        if found is None:
            said = {"code": "MAP_MATCHING_FAILURE", "message": "Engine error"}
            return jsonify({"formatVersion": "0.0.12", "detailedError": said}), 400
        legs = []
        for n, leg in enumerate(found["legs"]):
            piece = self._way(request.args["travelMode"], pairs[n : n + 2])
            assert piece is not None
            legs.append(
                {
                    "summary": {
                        "lengthInMeters": round(leg["distance"]),
                        "travelTimeInSeconds": round(leg["duration"]),
                    },
                    "points": [
                        {"latitude": lat, "longitude": lon}
                        for lon, lat in piece["geometry"]["coordinates"]
                    ],
                }
            )
        return jsonify({"formatVersion": "0.0.12", "routes": [{"legs": legs}]})


def _lonlat(said: dict[str, float]) -> Pair:
    return said["longitude"], said["latitude"]


def _lonlats(text: str) -> list[Pair]:
    return [(float(lon), float(lat)) for lon, lat in (one.split(",") for one in text.split(";"))]


def flexible(line: Sequence[Sequence[float]]) -> str:
    """``line`` as HERE writes it, five decimals."""
    letters = [_letters(1), _letters(5)]
    before = [0, 0]
    for lon, lat in line:
        here = [round(lat * 1e5), round(lon * 1e5)]
        for now, was in zip(here, before, strict=True):
            step = (now - was) << 1
            letters.append(_letters(~step if step < 0 else step))
        before = here
    return "".join(letters)


def _letters(value: int) -> str:
    text = ""
    while value > 31:
        text += FLEXIBLE[32 | value & 31]
        value >>= 5
    return text + FLEXIBLE[value]
