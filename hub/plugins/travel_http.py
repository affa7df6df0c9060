"""Travel times of an outside service that speaks like OSRM, Valhalla or openrouteservice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isqrt
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import numpy as np
from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import (
    AnswersInParts,
    ArrayTravel,
    ConfigError,
    Point,
    RateLimited,
    Refused,
    RoadLeg,
    RoadRoute,
    Tools,
    TravelMatrix,
    TravelTimes,
    Unavailable,
    measures_of,
)
from hub.maps.roads import PROFILES
from hub.plugins.travel_dialects import DIALECTS, Question, sized
from hub.plugins.travel_osrm import UNREACHABLE_S, Whole

PATIENCE_S = 10.0  # a longer pause than that is somebody else's turn
AGAIN_S = 1.0  # after a service that hung up or was busy
NEAR_DEG = 0.005  # half a kilometre: what a check asks for


class HttpTravelSettings(BaseModel):
    """An outside service; of a hosted one, its page on limits says what it takes at once."""

    dialect: Literal["osrm", "valhalla", "openrouteservice"] = Field(
        title="Speaks like",
        json_schema_extra={"labels": {"osrm": "OSRM", "openrouteservice": "openrouteservice"}},
    )
    url: str = Field(
        title="Its address",
        description="https://… up to where /table, /sources_to_targets or /v2/matrix begins",
        max_length=500,
    )
    key: SecretStr = Field(
        default=SecretStr(""), title="Key", description="From the service's account page, if any"
    )
    key_name: str = Field(
        default="Authorization",
        title="Header or parameter that carries the key",
        pattern=r"^[A-Za-z0-9_-]*$",
    )
    key_in: Literal["header", "address"] = Field(default="header", title="The key goes in the")
    names: str = Field(
        default="",
        title="Its names for your vehicles",
        description="Only where they differ: van=driving-car, truck=driving-hgv",
        max_length=300,
    )
    try_at: str = Field(
        default="",
        title="A place to try it with",
        description="Latitude and longitude, 60.17, 24.94. Empty: the middle of the built map",
        max_length=60,
    )
    at_once: int = Field(default=2500, title="Most times in one question", ge=1, le=1_000_000)
    most_places: int = Field(default=100, title="Most places in one question", ge=2, le=10_000)
    good_for_h: int = Field(
        default=24 * 7,
        title="Hours an answer is believed",
        description="1 where it knows the traffic of this moment",
        ge=1,
        le=24 * 90,
    )
    timeout_s: float = Field(default=20, title="Seconds to wait for an answer", gt=0, le=60)

    @field_validator("url")
    @classmethod
    def is_an_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or not urlsplit(url).hostname:
            raise ValueError("Begin the address with https://.")
        if urlsplit(url).query or urlsplit(url).fragment:
            raise ValueError("Leave out what follows the question mark; the key has its own field.")
        return url.rstrip("/")

    @field_validator("names")
    @classmethod
    def are_pairs(cls, names: str) -> str:
        for pair in filter(None, (one.strip() for one in names.split(","))):
            kind, equals, name = (part.strip() for part in pair.partition("="))
            if not equals or not name:
                raise ValueError("Write pairs like truck=driving-hgv, with commas between.")
            if kind not in PROFILES:
                raise ValueError(f"There is no {kind!r}. There are: {', '.join(PROFILES)}.")
        return names

    @field_validator("try_at")
    @classmethod
    def is_a_place(cls, text: str) -> str:
        if text.strip():
            _place(text)
        return text


class HttpTravelTimes(TravelTimes, AnswersInParts):
    """Asks by blocks that the service takes; once more after a hang-up or a short pause."""

    key = "http"
    title = "An outside service (OSRM, Valhalla or openrouteservice)"
    Settings: ClassVar[type[BaseModel]] = HttpTravelSettings
    heeds_measures = True
    settings: HttpTravelSettings

    def __init__(self, settings: HttpTravelSettings, tools: Tools) -> None:
        super().__init__(settings, tools)
        self.dialect = DIALECTS[settings.dialect]
        self.good_for = timedelta(hours=settings.good_for_h)

    def check(self) -> None:
        """Ask for one way. Raises ``ConfigError`` where it does not answer as it should."""
        here = self._middle()
        there = Point(here.lat + NEAR_DEG, here.lon)
        try:
            self.part([here], [there], self.tools.now(), "car")
        except Refused as problem:
            raise ConfigError(f"The service refuses the question: {problem}", field="url") from None

    def basis(self, depart_at: datetime, profile: str) -> str:
        said = "|".join((self.settings.dialect, self.settings.url, self._name(profile), profile))
        return f"http {hashlib.sha256(said.encode()).hexdigest()[:32]}"

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        if not places:
            return TravelMatrix(seconds=(), metres=())
        return ArrayTravel(*self.part(places, places, depart_at, profile))

    def part(
        self, sources: Sequence[Point], targets: Sequence[Point], depart_at: datetime, profile: str
    ) -> tuple[Whole, Whole]:
        name, (_, measures) = self._name(profile), sized(profile)
        seconds = np.zeros((len(sources), len(targets)), dtype=np.int64)
        metres = np.zeros_like(seconds)
        tall, wide = self._block(len(sources), len(targets))
        for row in range(0, len(sources), tall):
            for column in range(0, len(targets), wide):
                froms, tos = sources[row : row + tall], targets[column : column + wide]
                if list(froms) == list(tos) and len(froms) == 1:
                    continue  # from a door to itself
                answer = self._ask(self.dialect.table(name, froms, tos, measures))
                cells = self._read(answer, (len(froms), len(tos)))
                block = np.s_[row : row + len(froms), column : column + len(tos)]
                seconds[block], metres[block] = cells
        same = np.array([[a == b for b in targets] for a in sources], dtype=bool)
        seconds[same.reshape(seconds.shape)] = metres[same.reshape(seconds.shape)] = 0
        return seconds, metres

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        name, (_, measures) = self._name(profile), sized(profile)
        if len(places) < 2:
            return RoadRoute(geometry=tuple(places), legs=())
        geometry, legs = list[Point](), list[RoadLeg]()
        step = self.settings.most_places - 1
        for first in range(0, len(places) - 1, step):
            some = places[first : first + step + 1]
            answer = self._ask(self.dialect.way(name, some, measures))
            try:
                found = self.dialect.route(answer)
                if len(found.legs) != len(some) - 1:
                    raise ValueError("another number of legs")
            except (LookupError, TypeError, ValueError, AttributeError):
                raise self._strange() from None
            geometry += found.geometry
            legs += found.legs
        return RoadRoute(tuple(geometry), tuple(legs))

    def _block(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of one question: near to a square, or all of the shorter side."""
        most, places = self.settings.at_once, self.settings.most_places
        side = max(1, min(isqrt(most), places // 2))
        tall = max(1, min(rows, side))
        wide = max(1, min(columns, most // tall, places - tall))
        return max(1, min(rows, most // wide, places - wide)), wide

    def _name(self, profile: str) -> str:
        kind, _ = measures_of(profile)
        own = (pair.partition("=") for pair in self.settings.names.split(","))
        names = {**self.dialect.names, **{k.strip(): name.strip() for k, eq, name in own if eq}}
        if kind in names:
            return names[kind]
        if kind in PROFILES:
            raise ConfigError(
                f"The service for travel times has no vehicle like a {kind}. Name it in its"
                " settings, under Its names for your vehicles.",
                field="names",
            )
        raise ConfigError(f"There is no travel profile {kind!r}. There are: {', '.join(PROFILES)}.")

    def _ask(self, question: Question) -> Any:
        """The answer; asked once more where waiting a little may help."""
        until = time.monotonic() + (self.tools.within_s or PATIENCE_S)
        try:
            return self._once(question)
        except RateLimited as problem:
            pause_s, why = problem.retry_after, problem
        except Unavailable as problem:
            pause_s, why = AGAIN_S, problem  # type: ignore[assignment]
        if self.tools.within_s is not None or time.monotonic() + pause_s > until:
            raise why
        time.sleep(pause_s)
        return self._once(question)

    def _once(self, question: Question) -> Any:
        secret = self.settings.key.get_secret_value()
        query, headers = dict(question.query), dict[str, str]()
        if secret and self.settings.key_name:
            (headers if self.settings.key_in == "header" else query)[self.settings.key_name] = (
                secret
            )
        url = f"{self.settings.url}/{question.path}"
        wait_s = min(self.settings.timeout_s, self.tools.within_s or self.settings.timeout_s)
        limits = (min(5.0, wait_s), wait_s)
        if question.body is None:
            return self.tools.http.get_json(url, params=query, headers=headers, timeout=limits)
        return self.tools.http.post_json(
            url, dict(question.body), params=query, headers=headers, timeout=limits
        )

    def _read(self, answer: Any, shape: tuple[int, int]) -> tuple[Whole, Whole]:
        try:
            seconds, metres = (np.array(cells, dtype=np.float64) for cells in self._cells(answer))
        except (LookupError, TypeError, ValueError, AttributeError):
            raise self._strange() from None
        if seconds.shape != shape or metres.shape != shape:
            raise self._strange()
        none = ~(np.isfinite(seconds) & np.isfinite(metres)) | (seconds < 0) | (metres < 0)
        none |= (seconds > UNREACHABLE_S) | (metres > UNREACHABLE_S * 50)
        return _whole(seconds, none), _whole(metres, none)

    def _cells(self, answer: Any) -> Any:
        return self.dialect.cells(answer)

    def _strange(self) -> ConfigError:
        return ConfigError(
            f"{urlsplit(self.settings.url).hostname} does not answer as {self.settings.dialect}"
            " does. Look at the address and the kind of the service for travel times.",
            field="url",
        )

    def _middle(self) -> Point:
        if self.settings.try_at.strip():
            return _place(self.settings.try_at)
        try:
            about = (self.tools.data_dir / "map" / "current" / "map.json").read_text("utf-8")
        except OSError:
            raise ConfigError(
                "Name a place to try the service with: no map is built.", field="try_at"
            ) from None
        west, south, east, north = json.loads(about)["bbox"]
        return Point((south + north) / 2, (west + east) / 2)


def _place(text: str) -> Point:
    try:
        lat, lon = (float(part) for part in text.replace(";", ",").split(","))
        return Point(lat, lon)
    except ValueError:
        raise ValueError("Write latitude and longitude, like 60.17, 24.94.") from None


def _whole(cells: np.ndarray[Any, np.dtype[np.float64]], none: Any) -> Whole:
    return np.where(none, UNREACHABLE_S, np.rint(np.where(none, 0, cells))).astype(np.int64)
