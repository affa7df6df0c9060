"""Addresses found by Signpost, a (made-up) geocoder with a small JSON API."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from hub import Address, Geocoder, Match, Point, hookimpl

Precision = Literal["rooftop", "interpolated", "street", "postcode", "city"]
EXACT: dict[str, tuple[Precision, float]] = {
    "door": ("rooftop", 1.0),
    "street": ("street", 0.5),  # somewhere on it: a dispatcher should look
    "town": ("city", 0.2),
}
"""What Signpost says of an answer, in words of the hub, and how sure it can be at most."""


class SignpostSettings(BaseModel):
    url: HttpUrl = Field(title="Address of the geocoder", description="As in https://geo.example")
    token: SecretStr = Field(title="API token", description="Signpost → Account → Keys")


class Signpost(Geocoder):
    key = "signpost"
    title = "Signpost"
    Settings = SignpostSettings

    def check(self) -> None:
        self._places("find", {"text": ""})

    def locate(self, address: Address) -> Match | None:
        text = address.one_line().strip()
        found = self._places("find", {"text": text, "country": address.country}) if text else []
        matches = [to_match(place) for place in found if place["exact"] in EXACT]
        return max(matches, key=lambda match: match.confidence, default=None)

    def reverse(self, point: Point) -> Match | None:
        found = self._places("near", {"lat": point.lat, "lng": point.lon})
        return to_match(found[0]) if found else None

    def _places(self, path: str, query: Mapping[str, Any]) -> Any:
        url = f"{self.settings.url}{path}"
        headers = {"X-Token": self.settings.token.get_secret_value()}
        return self.tools.http.get_json(url, params=query, headers=headers)["places"]


def to_match(place: Mapping[str, Any]) -> Match:
    precision, at_most = EXACT[place["exact"]]
    sure = min(at_most, place["score"])
    return Match(Point(place["lat"], place["lng"]), place["name"], precision, sure)


@hookimpl
def hub_geocoders() -> list[type[Geocoder]]:
    return [Signpost]
