"""Small immutable values: places, windows, people, goods.

Units are in the names: ``_s`` seconds, ``_m`` metres, ``_g`` grams, ``_cm3``
cubic centimetres. Degrees are WGS 84. Every datetime is timezone-aware.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


def aware(moment: datetime, name: str) -> datetime:
    """``moment`` itself. Raises ``ValueError`` when it has no timezone."""
    if moment.tzinfo is None:
        raise ValueError(f"{name} has no timezone: {moment!r}")
    return moment


def moments(opens: datetime, closes: datetime) -> tuple[datetime, datetime]:
    """In UTC, when clocks show these, both of one zone.

    A time they leave out in spring is as much later as they jump; of one that they show
    twice in autumn, the first is meant.
    """
    start, end = opens.astimezone(UTC), closes.astimezone(UTC)
    if end <= start:  # it begins in what is left out: all of it is later
        end = start + (closes - opens)  # of one zone, so what the clocks' faces say
    return start, end


@dataclass(frozen=True, slots=True)
class Point:
    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise ValueError(f"not on Earth: {self.lat}, {self.lon}")


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """From ``opens`` up to and including ``closes``."""

    opens: datetime
    closes: datetime

    def __post_init__(self) -> None:
        aware(self.opens, "opens")
        aware(self.closes, "closes")
        if self.closes.astimezone(UTC) < self.opens.astimezone(UTC):  # in one zone faces compare
            raise ValueError(f"closes before it opens: {self.opens} .. {self.closes}")


@dataclass(frozen=True, slots=True)
class Address:
    """``lines`` as a person would write them, without city and below."""

    lines: tuple[str, ...]
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""  # ISO 3166-1 alpha-2

    def one_line(self) -> str:
        town = " ".join(part for part in (self.postcode, self.city) if part)
        return ", ".join(part for part in (*self.lines, town, self.region) if part)


class Role(StrEnum):
    BUYER = "buyer"
    RECIPIENT = "recipient"
    SITE = "site"  # who opens the gate: a caretaker, a foreman
    SHIPPER = "shipper"


@dataclass(frozen=True, slots=True)
class Contact:
    role: Role
    name: str = ""
    phone: str = ""  # E.164 where it could be read, else as the source gave it
    email: str = ""
    company: str = ""
    language: str = ""  # BCP 47; empty: the business's own


@dataclass(frozen=True, slots=True)
class Line:
    """One line of goods. Weight and volume are for one piece; ``goods`` is their kind."""

    title: str
    quantity: int = 1
    sku: str = ""
    barcode: str = ""
    weight_g: int = 0
    volume_cm3: int = 0
    goods: str = ""


@dataclass(frozen=True, slots=True)
class DeliveredLine:
    """What happened to line number ``n`` of an order (counted from 0).

    ``title`` is empty where the business keeps from a reader what was in the order.
    """

    n: int
    title: str
    ordered: int
    delivered: int
    reason: str = ""

    @property
    def called(self) -> str:
        """Its title; where a business keeps that back, which line of the order it is."""
        return self.title or f"of line {self.n + 1}"


@dataclass(frozen=True, slots=True)
class ProofFile:
    """One piece of evidence. ``store_ref`` opens it in the store named ``store``."""

    kind: str  # photo | signature | document
    media_type: str
    sha256: str
    store: str = ""
    store_ref: str = ""
