"""A street of two houses, and a geocoder for it that is right."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from flask import Flask, request
from pydantic import BaseModel, Field, SecretStr

from hub import Address, Geocoder, Match, Point, Tools
from hub.testing import GeocoderConformance, WsgiAdapter

ORIGIN = "https://street.example"
HOUSES = {"10": (60.1655, 24.9411), "12": (60.1660, 24.9420)}


@dataclass
class Street:
    mood: str = "well"

    def __post_init__(self) -> None:
        self.app = Flask("street")
        self.app.add_url_rule("/find", "find", self._find)

    def _find(self) -> Any:
        if self.mood == "locked" or request.headers.get("X-Key") != "street-5ecret":
            return {"error": "no"}, 403
        match self.mood:
            case "busy":
                return {"error": "slow"}, 429, {"Retry-After": "7"}
            case "down":
                return "oops", 503
            case "babbling":
                return "<html>Back soon</html>"
        if request.args["street"] != "High St":
            return []
        return [{"number": n, "lat": lat, "lon": lon} for n, (lat, lon) in HOUSES.items()]


class Settings(BaseModel):
    secret: SecretStr = Field(default=SecretStr("street-5ecret"), title="Key")


class Doors(Geocoder):
    key = "doors"
    title = "Doors"
    Settings: ClassVar[type[BaseModel]] = Settings

    def check(self) -> None:
        self._houses("High St")

    def locate(self, address: Address) -> Match | None:
        for line in address.lines:
            known = re.fullmatch(r"(.*\w) (\d+)", line)
            street, number = known.groups() if known else (line, "")
            houses = self._houses(street.strip()) if street.strip() else []
            if houses:
                return self._rated(address, houses, number)
        return None

    def reverse(self, point: Point) -> Match | None:
        for house in self._houses("High St"):
            if abs(house["lat"] - point.lat) + abs(house["lon"] - point.lon) < 0.0005:
                return Match(Point(house["lat"], house["lon"]), "High St", "street", 0.5)
        return None

    def _rated(self, address: Address, houses: list[Any], number: str) -> Match:
        house = next((one for one in houses if one["number"] == number), None)
        sure = 0.95 if house else 0.5
        if address.city != "Leeds":
            sure = sure * 0.6
        if address.postcode not in ("", "LS1"):
            sure = sure * 0.8
        at = house or houses[0]
        point = Point(at["lat"], at["lon"])
        return Match(point, f"High St {at['number']}", "rooftop" if house else "street", sure)

    def _houses(self, street: str) -> Any:
        key = {"X-Key": self.settings.secret.get_secret_value()}
        return self.tools.http.get_json(f"{ORIGIN}/find", params={"street": street}, headers=key)


class TestReference(GeocoderConformance):
    known = Address(("High St 10",), "Leeds", postcode="LS1", country="GB")
    at = Point(60.1655, 24.9411)

    @pytest.fixture(autouse=True)
    def _street(self) -> None:
        self.street = Street()

    def geocoder(self, tools: Tools) -> Doors:
        tools.http.mount(ORIGIN, WsgiAdapter(self.street.app))
        return Doors(Doors.Settings(), tools)

    def be(self, mood: str) -> bool:
        self.street.mood = mood
        return True
