"""Turn by turn on the built map, by Valhalla inside this process, and for vehicles with measures.

Its matrices take a hundred times as long as OSRM's, so the hub asks it for them only where a
vehicle's height, length or weight is known, and remembers what it said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from hub import (
    AnswersInParts,
    Area,
    ArrayTravel,
    ConfigError,
    GivesDirections,
    GivesReach,
    Point,
    Refused,
    RoadLeg,
    RoadRoute,
    RoadStep,
    TravelMatrix,
    TravelTimes,
)
from hub.maps.polyline import decoded
from hub.maps.present_speeds import are_known
from hub.maps.turns import CONNECTED, opened
from hub.plugins.travel_dialects import VALHALLA, costing, sized
from hub.plugins.travel_osrm import NO_MAP, OFF_MAP, SNAP_M, UNREACHABLE_S, Whole

ENGLISH = "en"
LANGUAGES = frozenset(
    "bg ca cs da de el en es et fi fr hi hu it ja mn nb nl pl pt ro ru sk sl sv tr uk vi".split()
)
"""In which every instruction is whole (3.9.1, checked on 36 turns of each). Its Arabic has Arabic
words in English sentences."""
NOW = {"date_time": {"type": 0}}  # by the present speeds of streets, where they are known


class ValhallaTravelTimes(TravelTimes, AnswersInParts, GivesDirections, GivesReach):
    key = "valhalla"
    title = "Turn by turn on the built map (Valhalla)"
    heeds_measures = True
    good_for = timedelta(days=90)  # a new map is a new basis

    def check(self) -> None:
        self._actor()

    def basis(self, depart_at: datetime, profile: str) -> str:
        _costing(profile)
        return f"valhalla {self._map_dir().name} {profile}"

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        """Raises ``ConfigError`` when no place is on the map, or there is no map."""
        asked = _costing(profile)
        if not places:
            return TravelMatrix(seconds=(), metres=())
        if len(places) > 1 and not any(self._near(places, asked)):
            raise ConfigError(OFF_MAP)
        return ArrayTravel(*self.part(places, places, depart_at, profile))

    def part(
        self, sources: Sequence[Point], targets: Sequence[Point], depart_at: datetime, profile: str
    ) -> tuple[Whole, Whole]:
        asked = _costing(profile)
        seconds = np.full((len(sources), len(targets)), UNREACHABLE_S, dtype=np.int64)
        metres = seconds.copy()
        near = self._near([*sources, *targets], asked)
        rows = [n for n in range(len(sources)) if near[n]]
        columns = [n for n in range(len(targets)) if near[len(sources) + n]]
        if rows and columns:
            question = {
                "sources": [_spot(sources[n]) for n in rows],
                "targets": [_spot(targets[n]) for n in columns],
                **asked,
            }
            cells = self._ask("matrix", question)["sources_to_targets"]
            at = np.ix_(rows, columns)
            seconds[at] = [[_or_far(cell["time"], 1) for cell in row] for row in cells]
            metres[at] = [[_or_far(cell["distance"], 1000) for cell in row] for row in cells]
        same = np.array([a == b for a in sources for b in targets], dtype=bool)
        seconds[same.reshape(seconds.shape)] = metres[same.reshape(seconds.shape)] = 0
        return seconds, metres

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        return self.directions(places, depart_at, profile, ENGLISH)

    def directions(
        self, places: Sequence[Point], depart_at: datetime, profile: str, language: str
    ) -> RoadRoute:
        """In English where it does not speak ``language``. Raises ``Refused`` without a way."""
        asked = _costing(profile)
        if len(places) < 2:
            return RoadRoute(geometry=tuple(places), legs=())
        if not all(self._near(places, asked)):
            raise Refused("The map has no road near one of the places.")
        spoken = language.partition("-")[0].lower()
        question = {
            "locations": [_spot(place) for place in places],
            "language": spoken if spoken in LANGUAGES else ENGLISH,
            **asked,
        }
        is_now = are_known(self._map_dir(), self.tools.now().timestamp())
        found = self._ask("route", {**question, **NOW} if is_now else question)["trip"]["legs"]
        shapes = [decoded(leg["shape"]) for leg in found]
        legs = [_leg(leg) for leg in found]
        if is_now:
            legs = [
                self._with_free(leg, shape, asked) for leg, shape in zip(legs, shapes, strict=True)
            ]
        return RoadRoute(tuple(point for shape in shapes for point in shape), tuple(legs))

    def reach(
        self, place: Point, seconds: Sequence[float], depart_at: datetime, profile: str
    ) -> Sequence[Area]:
        """Raises ``Refused`` too for more than ``MOST_RINGS`` or longer than ``LONGEST_MIN``.

        Edges are good to about a minute: Valhalla draws them by squares of 100 to 200 m. Islands
        beyond the edge, and holes within it, are left out.
        """
        asked = _costing(profile)
        if not all(self._near([place], asked)):
            raise Refused("The map has no road near the place.")
        hundredths = [round(each / 0.6) for each in seconds]  # of a minute
        told = sorted({*hundredths} - {0}, reverse=True)
        if not told:
            return [()] * len(hundredths)
        question = {
            "locations": [_spot(place)],
            "contours": [{"time": each / 100} for each in reversed(told)],
            "polygons": True,
            **asked,
        }
        # The widest first. What it says of each one's minutes is cut off: 15.86 for 15.87.
        found = self._ask("isochrone", question)["features"]
        areas = dict(zip(told, (_area(one["geometry"]) for one in found), strict=True))
        return [areas.get(each, ()) for each in hundredths]

    def _with_free(self, leg: RoadLeg, shape: Sequence[Point], asked: Mapping[str, Any]) -> RoadLeg:
        """With what the same way takes on free streets, if that is less."""
        question = {
            "shape": [{"lat": p.lat, "lon": p.lon} for p in shape],
            "shape_match": "walk_or_snap",
            **asked,
        }
        try:
            free = self._ask("trace_route", question)["trip"]["summary"]["time"]
        except Refused:  # a way of no length; what is known of it is how it is now
            return leg
        # The two engines round apart by a second.
        return leg if leg.seconds - free < 2 else replace(leg, free_s=round(free))

    def _near(self, places: Sequence[Point], asked: Mapping[str, Any]) -> list[bool]:
        """Whether each lies on the map; a vehicle's measures do not matter for that."""
        spots = {"locations": [_spot(p) for p in places], "costing": asked["costing"]}
        return [bool(found["edges"]) for found in self._ask("locate", spots)]

    def _ask(self, what: str, question: Mapping[str, Any]) -> Any:
        actor = self._actor()
        try:
            return getattr(actor, what)(dict(question))
        except RuntimeError as error:
            raise Refused(f"The map knows no such way ({error}).") from error

    def _actor(self) -> Any:
        return opened(self._map_dir())

    def _map_dir(self) -> Path:
        current = (self.tools.data_dir / "map" / "current").resolve()
        if not current.is_dir():
            raise ConfigError(NO_MAP)
        return current


def _costing(profile: str) -> dict[str, Any]:
    kind, measures = sized(profile)
    if kind not in VALHALLA:
        raise ConfigError(f"There is no travel profile {kind!r}. There are: {', '.join(VALHALLA)}.")
    return costing(VALHALLA[kind], measures)


def _spot(place: Point) -> dict[str, float]:
    return {
        "lat": place.lat,
        "lon": place.lon,
        "search_cutoff": SNAP_M,
        "minimum_reachability": CONNECTED,
    }


def _or_far(value: float | None, unit: int) -> int:
    return UNREACHABLE_S if value is None else round(value * unit)


def _area(geometry: Mapping[str, Any]) -> Area:
    """Of a polygon of GeoJSON; empty where there is none."""
    rings = (ring for ring in geometry["coordinates"][:1] if len(ring) > 3)
    return tuple((tuple((lat, lon) for lon, lat in ring[:-1]),) for ring in rings)


def _leg(leg: Mapping[str, Any]) -> RoadLeg:
    summary = leg["summary"]
    return RoadLeg(
        round(summary["time"]),
        round(summary["length"] * 1000),
        tuple(
            RoadStep(one["instruction"], round(one["time"]), round(one["length"] * 1000))
            for one in leg["maneuvers"]
        ),
    )
