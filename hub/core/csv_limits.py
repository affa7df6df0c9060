"""How much a cell may hold: what the API takes too, and the tables have room for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub.core.csv_aliases import Field

GOODS = frozenset({Field.ITEM, Field.SKU, Field.BARCODE})
"""Each row's own; the other cells are the order's."""
_KEPT_WHOLE = {
    Field.ORDER_REF: 200,
    Field.ORDER_ID: 200,
    Field.ADDRESS: 500,  # street, postcode and city in one cell
    Field.LINE1: 200,
    Field.LINE2: 200,
    Field.LINE3: 200,
    Field.LINE4: 200,
    Field.HOUSE: 60,
    Field.CITY: 100,
    Field.REGION: 100,
    Field.POSTCODE: 20,
    Field.FETCH_ADDRESS: 500,
    Field.FETCH_LINE1: 200,
    Field.FETCH_LINE2: 200,
    Field.FETCH_CITY: 100,
    Field.FETCH_POSTCODE: 20,
}
"""Cut, it would be another order, or another door: the order stays out."""
_CUT = {
    Field.RECIPIENT: 200,
    Field.FIRST_NAME: 99,
    Field.LAST_NAME: 99,
    Field.COMPANY: 200,
    Field.INSTRUCTIONS: 1000,
    Field.ITEM: 500,
    Field.ATTRIBUTES: 4000,
    Field.DRIVER: 500,
    Field.FETCH_NAME: 200,
    Field.FETCH_NOTE: 1000,
}
"""Words for a person, who understands them without their end."""
_LEFT_OUT = {
    Field.PHONE: 60,
    Field.EMAIL: 254,
    Field.SKU: 120,
    Field.BARCODE: 120,
    Field.COD: 60,
    Field.TOTAL: 60,
    Field.CURRENCY: 20,
    Field.SKILLS: 1000,
    Field.LOADS: 500,
    Field.ONLY_DRIVER: 200,
    Field.NOT_DRIVERS: 1000,
    Field.APART: 1000,
    Field.FETCH_PHONE: 60,
    Field.GOODS: 1000,
    Field.BRAND: 60,
    Field.TAGS: 1000,
}
"""Cut, it would be a wrong one: the order comes in without it."""
LONGEST = {**_KEPT_WHOLE, **_CUT, **_LEFT_OUT}


@dataclass(frozen=True, slots=True)
class TooLong:
    meaning: Field
    written: str
    message: str
    is_fatal: bool


def shorten(cells: dict[Field, str], *, goods: bool) -> Iterator[TooLong]:
    """Make the cells of ``goods``, or the others, fit; say what became of each that did not."""
    for meaning, text in list(cells.items()):
        most = LONGEST.get(meaning, len(text))
        if len(text) <= most or (meaning in GOODS) is not goods:
            continue
        too_long = f"This is longer than {most:,} characters"
        if meaning in _KEPT_WHOLE:
            yield TooLong(meaning, text, f"{too_long}. Shorten it.", True)
        elif meaning in _CUT:
            cells[meaning] = text[:most]
            yield TooLong(meaning, text, f"{too_long}; the rest was left out.", False)
        else:
            del cells[meaning]
            yield TooLong(meaning, text, f"{too_long}; it was left out.", False)
