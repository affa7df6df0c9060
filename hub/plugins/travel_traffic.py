"""Travel times of a service that knows the traffic: Google, HERE, Mapbox or TomTom."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import AuthError, ConfigError, HubError, Point, RoadRoute, Tools, measures_of
from hub.maps.roads import PROFILES
from hub.plugins.traffic_services import SERVICES, Drive
from hub.plugins.travel_blocks import AskedInBlocks, Cells, Limits, Question, without
from hub.plugins.travel_http import try_place, typed_place

SOON = timedelta(minutes=1)  # a clock of theirs may be ahead of ours


class TrafficSettings(BaseModel):
    """A service that you pay by the way. Its page on prices says how much; its terms, how long an
    answer may be kept."""

    service: Literal["google", "here", "mapbox", "tomtom"] = Field(
        title="Service",
        json_schema_extra={"labels": {key: one.title for key, one in SERVICES.items()}},
    )
    key: SecretStr = Field(title="Key", description="From the service's account page")
    try_at: str = Field(
        default="",
        title="A place to try it with",
        description="Latitude and longitude, 60.17, 24.94. Empty: the middle of the built map",
        max_length=60,
    )
    most_places: int = Field(
        default=100,
        title="Most places of a day that it is asked for",
        description="Larger days go by whoever is next. 100 places are 9,900 ways, and each costs",
        ge=2,
        le=1_500,
    )
    good_for_h: int = Field(
        default=24,
        title="Hours an answer is believed",
        description="For the same hour of the same weekday; see what your contract lets you keep",
        ge=1,
        le=24 * 90,
    )

    @field_validator("try_at")
    @classmethod
    def is_a_place(cls, text: str) -> str:
        return typed_place(text)


class TrafficTravelTimes(AskedInBlocks):
    """Asked for the hour of leaving; never for where drivers just are: each answer costs."""

    key = "traffic"
    title = "A service that knows the traffic (Google, HERE, Mapbox, TomTom)"
    Settings: ClassVar[type[BaseModel]] = TrafficSettings
    knows_traffic = True
    in_passing = False
    settings: TrafficSettings

    def __init__(self, settings: TrafficSettings, tools: Tools) -> None:
        super().__init__(settings, tools)
        self.service = SERVICES[settings.service]
        self.good_for = timedelta(hours=settings.good_for_h)
        self.up_to_places = settings.most_places

    def check(self) -> None:
        """Ask for one way. Raises ``ConfigError`` where it does not answer as it should."""
        self.ask_near(try_place(self.settings.try_at, self.tools), "key")

    def basis(self, depart_at: datetime, profile: str) -> str:
        """The hour of the week belongs to it: at eight on a Monday roads are not as on a Sunday.

        The account too: what one business pays for is not another's, by most contracts.
        """
        hour = max(depart_at, self.tools.now()).astimezone(UTC).strftime("%a %H")
        self._drive(depart_at, profile)
        account = hashlib.sha256(self.settings.key.get_secret_value().encode()).hexdigest()[:16]
        return f"traffic {self.settings.service} {account} {measures_of(profile)[0]} {hour}"

    def limits(self) -> Limits:
        return self.service.limits

    def table(
        self, froms: Sequence[Point], tos: Sequence[Point], depart_at: datetime, profile: str
    ) -> Question:
        return self.service.table(self._drive(depart_at, profile), froms, tos)

    def cells(self, answer: Any, rows: int, columns: int) -> tuple[Cells, Cells]:
        return self.service.cells(answer, rows, columns)

    def way(self, places: Sequence[Point], depart_at: datetime, profile: str) -> Question:
        return self.service.way(self._drive(depart_at, profile), places)

    def line(self, answer: Any) -> RoadRoute:
        return self.service.line(answer)

    def hidden(self, said: str) -> str:
        return without(self.settings.key.get_secret_value(), said)

    def refusal(self, question: Question, answer: Any, said: str) -> HubError:
        """Google answers 400 to a key that it does not know."""
        if "API_KEY_INVALID" in said or "API key not valid" in said:
            return AuthError(f"{urlsplit(question.url).hostname} does not accept this key")
        return super().refusal(question, answer, said)

    def strange(self) -> ConfigError:
        return ConfigError(f"{self.service.title} does not answer as it did when this was written.")

    def _drive(self, depart_at: datetime, profile: str) -> Drive:
        kind, _ = measures_of(profile)
        if kind not in PROFILES:
            known = ", ".join(PROFILES)
            raise ConfigError(f"There is no travel profile {kind!r}. There are: {known}.")
        if kind not in self.service.names:
            raise ConfigError(f"{self.service.title} knows no vehicle like a {kind}.")
        is_ahead = depart_at > self.tools.now() + SOON
        key = self.settings.key.get_secret_value()
        return Drive(key, self.service.names[kind], depart_at if is_ahead else None)
