"""The streets of the built map that a drive was on, by Valhalla.

Their numbers are of this build alone, the same that ``present_speeds`` writes by.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.core.errors import Refused
from hub.core.street_speeds import Snapped, Spot, Street
from hub.core.values import Point
from hub.maps.turns import opened

OFF_ROAD_M = 30  # farther from the street it is put on, a fix lies in a yard or on no road we know
SEEN = (
    "edge.id",
    "edge.length",
    "edge.speed",
    "edge.source_percent_along",
    "edge.target_percent_along",
    "matched.type",
    "matched.edge_index",
    "matched.distance_along_edge",
    "matched.distance_from_trace_point",
    "matched.begin_route_discontinuity",
)


def snapped(map_dir: Path, track: Sequence[Point]) -> Snapped:
    """The streets that fixes of one drive by car or van, in their order, were on.

    Raises ``Refused`` where the map knows no way through them, ``ConfigError`` where it has no
    turns. Present speeds do not count: a street's ``free_kmh`` is what the map says.
    """
    question = {
        "shape": [{"lat": p.lat, "lon": p.lon} for p in track],
        "shape_match": "map_snap",
        "costing": "auto",
        "filters": {"action": "include", "attributes": SEEN},
    }
    try:
        found = opened(map_dir).trace_attributes(question)
    except RuntimeError as error:
        raise Refused(f"The map knows no such way ({error}).") from error
    streets = tuple(_street(one) for one in found["edges"])
    return Snapped(streets, tuple(_spot(one, streets) for one in found["matched_points"]))


def _street(edge: dict[str, Any]) -> Street:
    """Whole: of one where a track begins or ends, Valhalla tells the length that was driven."""
    share = edge.get("target_percent_along", 1.0) - edge.get("source_percent_along", 0.0)
    length_m = 1000 * edge["length"] / share if share > 0 else 0.0
    return Street(int(edge["id"]), length_m, float(edge["speed"]))


def _spot(matched: dict[str, Any], streets: Sequence[Street]) -> Spot | None:
    at = matched.get("edge_index", len(streets))
    if matched["type"] == "unmatched" or at >= len(streets):
        return None
    if matched["distance_from_trace_point"] > OFF_ROAD_M:
        return None
    along_m = matched["distance_along_edge"] * streets[at].length_m
    return Spot(at, along_m, not matched.get("begin_route_discontinuity", False))
