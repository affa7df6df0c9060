"""Addresses found by an outside service that speaks like Nominatim, Photon or Pelias.

Confidence is the hub's, not the service's: Nominatim's ``importance`` and Photon's order
say how famous a place is, not whether it is the address that was asked for. So it starts
from how exact the answer is (``SURE``) and falls for each part that does not agree:

==========================================  =======================================
the house number is another one, or missing  no more than a place on the street
the street is spelt otherwise                times how alike the two are, if below 0.85
the postcode, or else the town, differs      times 0.6
a second door as good, over a kilometre off  times 0.55
Pelias's own ``confidence`` is lower         that one
==========================================  =======================================
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from math import cos, hypot, radians
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import Address, ConfigError, Geocoder, Match, Point, Refused, Tools

Precision = Literal["rooftop", "interpolated", "street", "postcode", "city"]
SURE: dict[Precision, float] = {
    "rooftop": 0.95,
    "interpolated": 0.75,
    "street": 0.5,
    "postcode": 0.35,
    "city": 0.2,
}
FAR_M = 1000
ALIKE = 0.85  # "Mannerheimint." and "Mannerheimintie" are 0.83 alike; two streets mostly below 0.7


class HttpGeocoderSettings(BaseModel):
    """``{q}`` is the address, ``{country}`` its two letters, ``{key}`` the secret below."""

    dialect: Literal["nominatim", "photon", "pelias"] = Field(title="Speaks like")
    url: str = Field(
        title="Search address",
        description="https://…/search?format=jsonv2&addressdetails=1&q={q}&countrycodes={country}",
        max_length=1000,
    )
    key: SecretStr = Field(
        default=SecretStr(""), title="Key", description="From the service's account page, if any"
    )
    key_header: str = Field(
        default="", title="Header that carries the key", pattern=r"^[A-Za-z0-9-]*$"
    )
    contact: str = Field(
        default="", title="Your e-mail or website, told to the service", pattern=r"^[\x20-\x7e]*$"
    )
    pause_s: float = Field(default=0, title="Seconds between two questions", ge=0, le=60)
    timeout_s: float = Field(default=10, title="Seconds to wait for an answer", gt=0, le=60)

    @field_validator("url")
    @classmethod
    def asks_something(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("Begin the address with https://.")
        if "{q}" not in url:
            raise ValueError("Put {q} where the address goes.")
        if "{" in urlsplit(url).netloc:
            raise ValueError("The server's name cannot depend on the address.")
        return url


class HttpGeocoder(Geocoder):
    key = "http"
    title = "An outside geocoder (Nominatim, Photon or Pelias)"
    Settings: ClassVar[type[BaseModel]] = HttpGeocoderSettings
    settings: HttpGeocoderSettings

    def __init__(self, settings: HttpGeocoderSettings, tools: Tools) -> None:
        super().__init__(settings, tools)
        self._free_at = 0.0

    def check(self) -> None:
        """Ask one question. Raises ``ConfigError`` for a service of another kind."""
        try:
            self._ask("Helsinki", "FI")
        except Refused as problem:
            raise ConfigError(f"The geocoder refuses the question: {problem}") from None

    def locate(self, address: Address) -> Match | None:
        """The surest answer; ``None`` when there is none. Errors are the hub's own."""
        found = self._ask(address.one_line(), address.country)
        rated = sorted(
            ((_confidence(address, one), one) for one in found), key=lambda pair: -pair[0]
        )
        if not rated:
            return None
        sure, best = rated[0]
        if any(
            other_sure >= sure - 0.01 and _metres(best.point, other.point) > FAR_M
            for other_sure, other in rated[1:]
        ):
            sure *= 0.55  # nothing that was written tells the two apart
        precision = "street" if _is_other_door(address, best) else best.precision
        return Match(best.point, best.label, precision, round(sure, 2))

    def _ask(self, text: str, country: str) -> list[_Found]:
        self._wait()
        url, query = self._filled(text, country)
        headers = {"User-Agent": f"LastMileHub/1 ({self.settings.contact or 'no contact given'})"}
        if self.settings.key_header:
            headers[self.settings.key_header] = self.settings.key.get_secret_value()
        timeout = (5, self.settings.timeout_s)
        answer = self.tools.http.get_json(url, params=query, headers=headers, timeout=timeout)
        try:
            return READ[self.settings.dialect](answer)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise ConfigError(
                f"{urlsplit(url).hostname} does not answer as {self.settings.dialect} does. "
                "Look at the geocoder's address and kind."
            ) from None

    def _wait(self) -> None:
        time.sleep(max(0.0, self._free_at - time.monotonic()))
        self._free_at = time.monotonic() + self.settings.pause_s

    def _filled(self, text: str, country: str) -> tuple[str, list[tuple[str, str]]]:
        """The address without its query, and the query without the parts that are empty."""
        values = {
            "{q}": text,
            "{country}": country,
            "{key}": self.settings.key.get_secret_value(),
        }
        at = urlsplit(self.settings.url)
        path = _fill(at.path, {name: quote(value, safe="") for name, value in values.items()})
        query = [(name, _fill(value, values)) for name, value in parse_qsl(at.query)]
        return urlunsplit((at.scheme, at.netloc, path, "", "")), [pair for pair in query if pair[1]]


@dataclass(frozen=True, slots=True)
class _Found:
    """One answer in words of ours. ``said`` is what the service itself thinks of it."""

    point: Point
    label: str
    precision: Precision
    number: str = ""
    street: str = ""
    postcode: str = ""
    towns: tuple[str, ...] = ()
    said: float = 1.0


def _nominatim(answer: list[Mapping[str, Any]]) -> list[_Found]:
    """Format ``json`` or ``jsonv2`` with ``addressdetails=1`` (nominatim.org, API "Output")."""
    if not isinstance(answer, list):
        raise TypeError("not a list")
    found = []
    for place in answer:
        parts = place.get("address", {})
        kind = place.get("type", "")
        number, street = parts.get("house_number", ""), parts.get("road", "")
        precision: Precision = "city"
        if number:
            # "Housenumber interpolations … The class and type are place=house and osm_type
            # and osm_id correspond to the interpolation way" (the same page).
            is_guess = kind == "house" and place.get("osm_type") == "way"
            precision = "interpolated" if is_guess else "rooftop"
        elif street:
            precision = "street"
        elif kind == "postcode":
            precision = "postcode"
        towns = tuple(
            parts[name]
            for name in ("city", "town", "village", "municipality", "suburb", "hamlet")
            if name in parts
        )
        point = Point(float(place["lat"]), float(place["lon"]))
        postcode = parts.get("postcode", "")
        found.append(
            _Found(point, place["display_name"], precision, number, street, postcode, towns)
        )
    return found


def _photon(answer: Mapping[str, Any]) -> list[_Found]:
    """GeoJSON with GeocodeJSON properties (photon, "docs/api-v1.md")."""
    found = []
    for feature in answer["features"]:
        is_ = feature["properties"]
        kind, number = is_.get("type", ""), is_.get("housenumber", "")
        street = is_.get("street", "") or (is_.get("name", "") if kind == "street" else "")
        precision: Precision = "city"
        if number:
            precision = "rooftop"
        elif street:
            precision = "street"
        elif is_.get("osm_value") == "postcode":
            precision = "postcode"
        towns = tuple(is_[name] for name in ("city", "district", "locality") if name in is_)
        postcode = is_.get("postcode", "")
        town = " ".join(part for part in (postcode, is_.get("city", "")) if part)
        first = f"{street} {number}".strip() or is_.get("name", "")
        label = ", ".join(part for part in (first, town, is_.get("country", "")) if part)
        found.append(_Found(_lonlat(feature), label, precision, number, street, postcode, towns))
    return found


def _pelias(answer: Mapping[str, Any]) -> list[_Found]:
    """GeoJSON with ``layer``, ``confidence``, ``accuracy`` (pelias/documentation, "response")."""
    by_layer: dict[str, Precision] = {
        "address": "rooftop",
        "venue": "rooftop",
        "street": "street",
        "postalcode": "postcode",
    }
    found = []
    for feature in answer["features"]:
        is_ = feature["properties"]
        precision = by_layer.get(is_.get("layer", ""), "city")
        if precision == "rooftop" and "interpolated" in (
            is_.get("match_type"),
            is_.get("accuracy"),
        ):
            precision = "interpolated"
        towns = tuple(
            is_[name]
            for name in ("locality", "localadmin", "borough", "neighbourhood")
            if name in is_
        )
        found.append(
            _Found(
                _lonlat(feature),
                is_["label"],
                precision,
                is_.get("housenumber", ""),
                is_.get("street", ""),
                is_.get("postalcode", ""),
                towns,
                float(is_.get("confidence", 1.0)),
            )
        )
    return found


READ: dict[str, Callable[[Any], list[_Found]]] = {
    "nominatim": _nominatim,
    "photon": _photon,
    "pelias": _pelias,
}


def _confidence(asked: Address, found: _Found) -> float:
    precision = "street" if _is_other_door(asked, found) else found.precision
    sure = SURE[precision]
    if found.street and (alike := _street_alike(asked, found.street)) < ALIKE:
        sure *= alike
    if asked.postcode and found.postcode:
        sure *= 1.0 if _plain(asked.postcode) == _plain(found.postcode) else 0.6
    elif asked.city and found.towns:
        sure *= 1.0 if _plain(asked.city) in map(_plain, found.towns) else 0.6
    return min(sure, found.said)


def _is_other_door(asked: Address, found: _Found) -> bool:
    """Whether ``found`` is a door, but not the one of any line that was written."""
    if found.precision not in ("rooftop", "interpolated"):
        return False
    written = {word for line in asked.lines for word in _words(line)}
    together = {a + b for line in asked.lines for a, b in pairwise(_words(line)) if a.isdigit()}
    numbers = {"".join(_words(number)) for number in re.split(r"[;,]", found.number)}
    return not numbers & (written | together)


def _street_alike(asked: Address, street: str) -> float:
    """How alike ``street`` is to the closest of the lines without their numbers."""
    wanted = _plain(street)
    names = [_plain(re.sub(r"\b\d+\s?\w?\b", " ", line)) for line in asked.lines]
    if any(f" {wanted} " in f" {name} " for name in names):
        return 1.0
    return max((SequenceMatcher(None, wanted, name).ratio() for name in names), default=0.0)


def _fill(template: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{q\}|\{country\}|\{key\}", lambda hole: values[hole[0]], template)


def _plain(text: str) -> str:
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text.replace("ß", "ss").casefold())
    return re.findall(r"\w+", "".join(c for c in folded if not unicodedata.combining(c)))


def _lonlat(feature: Mapping[str, Any]) -> Point:
    lon, lat = feature["geometry"]["coordinates"][:2]
    return Point(float(lat), float(lon))


def _metres(a: Point, b: Point) -> float:
    return hypot(a.lat - b.lat, (a.lon - b.lon) * cos(radians(a.lat))) * 111_320
