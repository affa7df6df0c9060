"""A street of one way round a block, and travel times on it that are right."""

from collections.abc import Sequence
from datetime import datetime
from math import cos, hypot, pi, radians, sin

import numpy as np

from hub import (
    AnswersInParts,
    Area,
    ConfigError,
    GivesDirections,
    GivesReach,
    Point,
    Refused,
    RoadLeg,
    RoadRoute,
    RoadStep,
    Tools,
    TravelMatrix,
    TravelTimes,
)
from hub.testing import TravelTimesConformance

SPEEDS = {"car": 8.0, "walk": 1.3}
FAR_S = 10_000_000


class Block(TravelTimes, AnswersInParts, GivesDirections, GivesReach):
    key = "block"
    title = "Block"

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        speed = self._speed(profile)
        metres = [[self._metres(a, b) for b in places] for a in places]
        seconds = [[min(FAR_S, round(m / speed)) for m in row] for row in metres]
        return TravelMatrix(seconds=seconds, metres=metres)

    def basis(self, depart_at: datetime, profile: str) -> str:
        return f"the block by {profile}"

    def part(
        self, sources: Sequence[Point], targets: Sequence[Point], depart_at: datetime, profile: str
    ) -> tuple[np.ndarray, np.ndarray]:
        told = np.array([[self._metres(a, b) for b in targets] for a in sources])
        return np.minimum(FAR_S, np.rint(told / self._speed(profile))), told

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        speed = self._speed(profile)
        ways = [self._metres(a, b) for a, b in zip(places, places[1:], strict=False)]
        if max(ways, default=0) >= FAR_S:
            raise Refused("No road leads to one of these places.")
        legs = tuple(RoadLeg(round(m / speed), m) for m in ways)
        return RoadRoute(geometry=tuple(places), legs=legs)

    def directions(
        self, places: Sequence[Point], depart_at: datetime, profile: str, language: str
    ) -> RoadRoute:
        plain = self.route(places, depart_at, profile)
        word = {"de": "Geradeaus."}.get(language[:2], "Straight on.")
        legs = [
            RoadLeg(leg.seconds, leg.metres, (RoadStep(word, leg.seconds, leg.metres),))
            for leg in plain.legs
        ]
        return RoadRoute(plain.geometry, tuple(legs))

    def reach(
        self, place: Point, seconds: Sequence[float], depart_at: datetime, profile: str
    ) -> Sequence[Area]:
        speed = self._speed(profile)
        if self._metres(place, Point(60.17, 24.94)) >= FAR_S:
            raise Refused("No road leads there.")
        return [((self._round(place, speed * each),),) for each in seconds]

    def _round(self, place: Point, way_m: float) -> tuple[tuple[float, float], ...]:
        corners = []
        for n in range(40):
            east, north = sin(2 * pi * n / 40), cos(2 * pi * n / 40)
            far = max(1.0, way_m - (600 if east < 0 else 0)) / 1.3 / 111_320
            lon = place.lon + far * east / cos(radians(place.lat))
            corners.append((place.lat + far * north, lon))
        return tuple(corners)

    def _speed(self, profile: str) -> float:
        if profile not in SPEEDS:
            raise ConfigError(f"There is no travel profile {profile!r}: use car or walk.")
        return SPEEDS[profile]

    def _metres(self, a: Point, b: Point) -> int:
        """Whoever drives west goes round the block."""
        line_m = hypot(a.lat - b.lat, (a.lon - b.lon) * cos(radians(a.lat))) * 111_320
        if line_m > 50_000:
            return FAR_S * 10
        return round(line_m * 1.3) + (600 if b.lon < a.lon else 0)


class TestReference(TravelTimesConformance):
    places = (
        Point(60.1710, 24.9414),
        Point(60.1680, 24.9520),
        Point(60.1760, 24.9440),
        Point(60.1655, 24.9411),
    )
    nowhere = Point(48.85, 2.35)
    profiles = ("car", "walk")

    def travel(self, tools: Tools) -> Block:
        return Block(Block.Settings(), tools)
