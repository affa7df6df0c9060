"""Travel times of an outside service that speaks like OSRM, Valhalla or openrouteservice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import ConfigError, Point, RoadRoute, Tools, measures_of
from hub.maps.roads import PROFILES
from hub.plugins.travel_blocks import AskedInBlocks, Cells, Limits, Question, without
from hub.plugins.travel_dialects import DIALECTS, sized


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
        return typed_place(text)


class HttpTravelTimes(AskedInBlocks):
    """A server of the business's, or one that it pays, that speaks like one of three."""

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
        self.ask_near(try_place(self.settings.try_at, self.tools), "url")

    def basis(self, depart_at: datetime, profile: str) -> str:
        said = "|".join((self.settings.dialect, self.settings.url, self._name(profile), profile))
        return f"http {hashlib.sha256(said.encode()).hexdigest()[:32]}"

    def limits(self) -> Limits:
        places = self.settings.most_places
        at_once, wait_s = self.settings.at_once, self.settings.timeout_s
        return Limits(at_once, places, rows=places, wait_s=wait_s, way_places=places)

    def table(
        self, froms: Sequence[Point], tos: Sequence[Point], depart_at: datetime, profile: str
    ) -> Question:
        _, measures = sized(profile)
        return self._addressed(self.dialect.table(self._name(profile), froms, tos, measures))

    def cells(self, answer: Any, rows: int, columns: int) -> tuple[Cells, Cells]:
        return self.dialect.cells(answer)

    def way(self, places: Sequence[Point], depart_at: datetime, profile: str) -> Question:
        _, measures = sized(profile)
        return self._addressed(self.dialect.way(self._name(profile), places, measures))

    def line(self, answer: Any) -> RoadRoute:
        return self.dialect.route(answer)

    def is_off_roads(self, answer: Any) -> bool:
        return self.dialect.is_lost(answer)

    def hidden(self, said: str) -> str:
        return without(self.settings.key.get_secret_value(), said)

    def strange(self) -> ConfigError:
        return ConfigError(
            f"{urlsplit(self.settings.url).hostname} does not answer as {self.settings.dialect}"
            " does. Look at the address and the kind of the service for travel times.",
            field="url",
        )

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

    def _addressed(self, question: Question) -> Question:
        """With the server's address and the key."""
        secret = self.settings.key.get_secret_value()
        query, headers = dict(question.query), dict[str, str]()
        if secret and self.settings.key_name:
            carrier = headers if self.settings.key_in == "header" else query
            carrier[self.settings.key_name] = secret
        url = f"{self.settings.url}/{question.url}"
        return replace(question, url=url, query=query, headers=headers)


def try_place(text: str, tools: Tools) -> Point:
    """``text`` as a place, or the middle of the built map. Raises ``ConfigError`` without one."""
    if text.strip():
        return _place(text)
    try:
        about = (tools.data_dir / "map" / "current" / "map.json").read_text("utf-8")
    except OSError:
        raise ConfigError(
            "Name a place to try the service with: no map is built.", field="try_at"
        ) from None
    west, south, east, north = json.loads(about)["bbox"]
    return Point((south + north) / 2, (west + east) / 2)


def typed_place(text: str) -> str:
    """``text`` if it is empty or a place. Raises ``ValueError``."""
    if text.strip():
        _place(text)
    return text


def _place(text: str) -> Point:
    try:
        lat, lon = (float(part) for part in text.replace(";", ",").split(","))
        return Point(lat, lon)
    except ValueError:
        raise ValueError("Write latitude and longitude, like 60.17, 24.94.") from None
