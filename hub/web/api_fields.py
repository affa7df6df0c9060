"""What single fields of the API may hold: lines, moments, windows, people, goods."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    model_validator,
)

from hub.core.crew_rules import OURS
from hub.core.phones import e164
from hub.core.values import Address, Contact, Line, Point, Role, TimeWindow
from hub.web.problems import unsafe

SINCE, UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BREAKS = re.compile(rf"{_CONTROLS.pattern}|[\t\n\r\u2028\u2029]")


def _safe(text: str) -> str:
    if unsafe(text):
        raise ValueError("holds characters that cannot be stored")
    return text


def _one_line(text: str) -> str:
    if _BREAKS.search(text):
        raise ValueError("must be one line, without control characters")
    return _safe(text)


def _plain(text: str) -> str:
    if _CONTROLS.search(text):
        raise ValueError("holds control characters other than line breaks and tabs")
    return _safe(text)


def _moment(value: datetime) -> datetime:
    if not SINCE <= value < UNTIL:
        raise ValueError("must lie in the years 2000 to 2100")
    return value


def _day(value: date) -> date:
    if not SINCE.date() <= value < UNTIL.date():
        raise ValueError("must lie in the years 2000 to 2100")
    return value


def _further(loads: dict[str, int]) -> dict[str, int]:
    """By name in small letters, as vehicles have them."""
    if own := sorted(OURS & {name.strip().lower() for name in loads}):
        raise ValueError(f"{own[0]} is told by lines and parcels")
    return {name.strip().lower(): amount for name, amount in loads.items()}


def _kind_of_goods(name: str) -> str:
    """In small letters, as the settings have it."""
    if "/" in name or ";" in name or "," in name:
        raise ValueError("is one kind of goods; leave out commas, semicolons and strokes")
    return " ".join(name.lower().split())


_LINE = AfterValidator(_one_line)
Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Day = Annotated[date, AfterValidator(_day)]
Tiny = Annotated[str, StringConstraints(max_length=20), _LINE]
Short = Annotated[str, StringConstraints(max_length=60), _LINE]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=60), _LINE]
Town = Annotated[str, StringConstraints(max_length=100), _LINE]
Code = Annotated[str, StringConstraints(max_length=120), _LINE]
Name = Annotated[str, StringConstraints(max_length=200), _LINE]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=200), _LINE]
Title = Annotated[str, StringConstraints(min_length=1, max_length=500), _LINE]
Note = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_plain)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]*$", max_length=12)]
Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$", max_length=2)]
Email = Annotated[
    str, StringConstraints(pattern=r"^([^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+)?$", max_length=254)
]
ServiceS = Annotated[int, Field(ge=0, le=86_400)]
Tags = Annotated[list[Short], Field(max_length=50)]
Goods = Annotated[Short, AfterValidator(_kind_of_goods)]
KindsOfGoods = Annotated[
    list[Goods], Field(max_length=20, description="kinds of goods, some of which ride apart")
]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PointIn(In):
    lat: Annotated[FiniteFloat, Field(ge=-90, le=90)]
    lon: Annotated[FiniteFloat, Field(ge=-180, le=180)]

    def value(self) -> Point:
        return Point(self.lat, self.lon)


class AddressIn(In):
    lines: Annotated[list[Name], Field(max_length=5)] = []
    city: Town = ""
    region: Town = ""
    postcode: Tiny = ""
    country: Annotated[Country, Field(description="two capital letters: FI")] = ""

    def value(self) -> Address:
        return Address(tuple(self.lines), self.city, self.region, self.postcode, self.country)


class WindowIn(In):
    opens: Moment
    closes: Moment

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes < self.opens:
            raise ValueError("closes before it opens")
        return self

    def value(self) -> TimeWindow:
        return TimeWindow(self.opens, self.closes)


class ContactIn(In):
    role: Role = Role.RECIPIENT
    name: Name = ""
    phone: Short = ""
    email: Email = ""
    company: Name = ""
    language: Language = ""

    def value(self, country: str) -> Contact:
        phone = e164(self.phone, country) or self.phone if self.phone else ""
        return Contact(self.role, self.name, phone, self.email, self.company, self.language)


class LineIn(In):
    title: Title
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    sku: Code = ""
    barcode: Code = ""
    weight_g: Annotated[int, Field(ge=0, le=100_000_000, description="of one piece")] = 0
    volume_cm3: Annotated[int, Field(ge=0, le=1_000_000_000, description="of one piece")] = 0
    goods: Annotated[Goods, Field(description="its kind, such as raw fish")] = ""

    def value(self) -> Line:
        return Line(**self.model_dump())


Windows = Annotated[list[WindowIn], Field(max_length=10)]
Contacts = Annotated[list[ContactIn], Field(max_length=10)]
Lines = Annotated[list[LineIn], Field(max_length=500)]
Parcels = Annotated[int, Field(ge=0, le=100_000)]
Priority = Annotated[int, Field(ge=0, le=9, description="0 usual … 9 first")]
Payment = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9]{1,12}(\.[0-9]{1,4})? [A-Z]{3})?$", max_length=24),
    Field(description='for example "12.50 EUR"'),
]
Worth = Annotated[
    int, Field(ge=0, le=100_000_000, description="in cents: it stays undone where it costs more")
]
OnBoard = Annotated[
    int, Field(ge=60, le=604_800, description="most seconds from loading it to its door")
]
WishedPrice = Annotated[
    int, Field(ge=0, le=1_000_000, description="in cents, for each hour before or after ``wished``")
]
Access = Annotated[
    int,
    Field(
        ge=0, le=3600, description="seconds from the parked van to the door; kept for its address"
    ),
]
LoadName = Annotated[
    str, StringConstraints(pattern=r"^[^:=,;\d\s][^:=,;\x00-\x1f]*$", max_length=40), _LINE
]
Loads = Annotated[
    dict[LoadName, Annotated[int, Field(ge=0, le=1_000_000_000)]],
    AfterValidator(_further),
    Field(max_length=10, description='what else it fills of a vehicle: {"pallets": 2}'),
]
Driver = Annotated[Name, Field(description="a driver's name or id: nobody else may do it")]
NotDrivers = Annotated[
    list[Name], Field(max_length=50, description="names or ids of drivers who may not do it")
]
ApartFrom = Annotated[
    list[Ref],
    Field(
        max_length=50,
        description="ids, refs or numbers of your other orders: no vehicle takes both on one day",
    ),
]
Brand = Annotated[
    Short, Field(description="the short name of one of your brands; the usual one if left out")
]
Custom = Annotated[dict[Slug, Note], Field(max_length=50)]
