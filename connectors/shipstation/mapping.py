"""What both interfaces say in the same words: weights, days, texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub import Address, Line

# V1 OpenAPI 1.1.1, "DateTime Format and Time Zone": every time in and out is PST/PDT.
PACIFIC = ZoneInfo("America/Los_Angeles")

# V2 OpenAPI (2025-08), weight_unit: singular; V1 OpenAPI examples: plural.
_GRAMS = {"gram": 1.0, "kilogram": 1000.0, "ounce": 28.349523125, "pound": 453.59237}


def text(value: Any) -> str:
    """``value`` as text; nulls, which are everywhere in real answers, are empty."""
    return "" if value is None else str(value).strip()


def grams(weight: Mapping[str, Any] | None, unit_name: str) -> int:
    """Whole grams; 0 when nothing is known. Raises ``ValueError`` for an unknown unit."""
    if not weight or not weight.get("value"):
        return 0
    unit = text(weight.get(unit_name)).lower().rstrip("s")
    if unit not in _GRAMS:
        raise ValueError(f"weight in {unit!r}")
    return round(float(weight["value"]) * _GRAMS[unit])


def loaded(lines: Sequence[Line], total_g: int) -> tuple[Line, ...]:
    """``lines``, where none has a weight with the order's own spread over the pieces.

    An order without lines is one parcel: many accounts weigh parcels and list nothing.
    """
    if not lines:
        return (Line("Parcel", weight_g=total_g),) if total_g else ()
    pieces = sum(line.quantity for line in lines)
    if total_g and pieces and not any(line.weight_g for line in lines):
        each = round(total_g / pieces)
        return tuple(
            Line(line.title, line.quantity, line.sku, line.barcode, each) for line in lines
        )
    return tuple(lines)


def title(name: Any, options: Iterable[Mapping[str, Any]] | None) -> str:
    """'Blue Silk Tuxedo (Size: Large)'"""
    chosen = [f"{text(o.get('name'))}: {text(o.get('value'))}" for o in options or ()]
    return f"{text(name) or 'Item'} ({', '.join(chosen)})" if chosen else text(name) or "Item"


def day(value: Any) -> date | None:
    """The day meant by a date-time; ``None`` when there is none.

    Dates come as midnight UTC ("2026-08-31T00:00:00Z" for the 31st, captured 2026-08) and as
    midnight Pacific ("2026-09-03T07:00:00Z"); V1's have no offset and are Pacific already.
    """
    if not text(value):
        return None
    moment = datetime.fromisoformat(text(value))
    if moment.tzinfo is None or not (moment.hour or moment.minute or moment.second):
        return moment.date()
    return moment.astimezone(PACIFIC).date()


def starts(when: date) -> datetime:
    """The first moment of a day in ShipStation's own zone, in UTC."""
    return datetime(when.year, when.month, when.day, tzinfo=PACIFIC).astimezone(UTC)


def is_withdrawn(status: str, table: Mapping[str, bool]) -> bool:
    """Raises ``ValueError`` for a status nobody has told us of."""
    if status not in table:
        raise ValueError(f"its status {status!r} is new to the hub")
    return table[status]


def address(
    lines: Iterable[Any], city: Any, region: Any, postcode: Any, country: Any, *, withdrawn: bool
) -> Address:
    """Raises ``ValueError`` without a street, unless nobody will go there."""
    streets = tuple(line for line in map(text, lines) if line)
    if not streets:
        if not withdrawn:
            raise ValueError("the ship-to address has no street")
        streets = ("(no street)",)
    code = text(country).upper()
    return Address(
        streets,
        city=text(city),
        region=text(region),
        postcode=text(postcode),
        country=code if len(code) == 2 and code.isalpha() else "",
    )


def known(**values: Any) -> dict[str, str]:
    """Those of ``values`` that say something, as texts."""
    return {name: said for name, value in values.items() if (said := text(value))}
