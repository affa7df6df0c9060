"""What each column of a stranger's file means, guessed from its header and a few rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from hub.core.countries import country_code
from hub.core.csv_aliases import ALIASES, Field, normalise

Columns = Mapping[int, Field]

# The other party's block: whoever pays or sends. Its address is never a delivery address
# while the file has one of its own.
_OTHER = re.compile(
    r"billing|^bill|facturation|facturacion|rechnungs(?!nr|nummer)|factuur(?!nummer)|fatturazione"
    r"|sendfrom|absender|^sender|mittente|remitente|^buyer|laskutus"
)
_SHIP = re.compile(
    r"^(shipping|shipto|ship|deliverto|delivery|postto|recipient|consignee|empfanger|liefer"
    r"|livraison|destinataire)|(shipping|delivery|livraison|recipient)$"
)
_PLACE = frozenset(
    {Field.ADDRESS, Field.LINE1, Field.LINE2, Field.LINE3, Field.LINE4, Field.HOUSE}
    | {Field.CITY, Field.REGION, Field.POSTCODE, Field.COUNTRY}
)
_STREET = frozenset({Field.ADDRESS, Field.LINE1})
_NAMES = frozenset({Field.RECIPIENT, Field.FIRST_NAME, Field.LAST_NAME})
_PEOPLE = frozenset(
    {
        Field.RECIPIENT,
        Field.FIRST_NAME,
        Field.LAST_NAME,
        Field.COMPANY,
        Field.PHONE,
        Field.EMAIL,
    }
)
_BY_WORD: dict[str, list[tuple[Field, int]]] = {}
for _field, _aliases in ALIASES.items():
    for _rank, _alias in enumerate(_aliases):
        _BY_WORD.setdefault(_alias, []).append((_field, _rank))
# TrackRoad sheets have no header; positions as its upload page lists them (2026-11).
_TRACKROAD = {
    0: Field.ORDER_REF,
    1: Field.LINE1,
    2: Field.CITY,
    3: Field.REGION,
    4: Field.POSTCODE,
    5: Field.COUNTRY,
    6: Field.DRIVER,
    11: Field.INSTRUCTIONS,
    12: Field.FROM,
    13: Field.TO,
    15: Field.PHONE,
}


def guess_columns(headers: Sequence[str], sample: Sequence[Sequence[str]] = ()) -> Columns:
    """Column index → meaning; a column that is not in it becomes a custom field.

    Each meaning is given once, the first of equal headers wins. Billing columns count
    only where the file has no other address, and then for names and phones too.
    """
    if headers and all(h == f"Column {n + 1}" for n, h in enumerate(headers)):
        return _by_position(sample)
    words = [normalise(header) for header in headers]
    others = _other_block(words)
    special = _known_makes(words)
    candidates: list[tuple[int, int, int, Field]] = []
    for index, word in enumerate(words):
        if index in special:
            continue
        for block, rank, meaning in _meanings(word, index in others):
            candidates.append((block, rank, index, meaning))
    has_street = any(block < 2 and meaning in _STREET for block, _, _, meaning in candidates)
    found: dict[int, Field] = dict(special)
    taken = set(special.values())
    for block, _, index, meaning in sorted(candidates):
        if index in found or meaning in taken:
            continue
        if block == 2 and has_street and meaning in _PLACE | {Field.COMPANY}:
            continue
        if block == 2 and meaning in _NAMES and taken & _NAMES - {Field.FIRST_NAME}:
            continue
        found[index] = meaning
        taken.add(meaning)
    for index in others:
        found.setdefault(index, Field.IGNORE)
    return dict(sorted(found.items()))


def _meanings(word: str, other: bool) -> list[tuple[int, int, Field]]:
    """(block, rank, field): block 0 is a delivery column, 1 says nothing, 2 is the payer's."""
    if not word:
        return []
    ship = bool(_SHIP.search(word))
    exact = _BY_WORD.get(word, [])
    if exact:
        block = 2 if other else 0 if ship else 1
        return [(block, rank, meaning) for meaning, rank in exact]
    bare = (_OTHER if other else _SHIP).sub("", word)
    if (not ship and not other) or bare == word:
        return []
    return [
        (2 if other else 0, rank, meaning)
        for meaning, rank in _BY_WORD.get(bare, [])
        if meaning in _PLACE | _PEOPLE
    ]


def _other_block(words: Sequence[str]) -> set[int]:
    """Columns of the payer or sender, with bare ones that stand between two of them."""
    named = [i for i, word in enumerate(words) if _OTHER.search(word)]
    inside = set(named)
    for left, right in pairwise(named):
        between = range(left + 1, right)
        if 0 < len(between) <= 3 and not any(_SHIP.search(words[i]) for i in between):
            places = {meaning for i in between for meaning, _ in _BY_WORD.get(words[i], [])}
            if places and places <= _PLACE:
                inside |= set(between)
    return {i for i in inside if words[i] not in ("buyernote", "buyeremail", "buyerphonenumber")}


def _known_makes(words: Sequence[str]) -> dict[int, Field]:
    """Columns whose word means something else in a file of a recognised make."""
    at = {word: i for i, word in reversed(list(enumerate(words)))}
    found: dict[int, Field] = {}
    name = at.get("name")
    if "lineitemname" in at and "financialstatus" in at:  # Shopify orders export
        for word, meaning in (
            ("name", Field.ORDER_REF),
            ("id", Field.ORDER_ID),
            ("source", Field.CHANNEL),
            ("shippingstreet", Field.IGNORE),
            ("shippingprovincename", Field.IGNORE),
            ("createdat", Field.IGNORE),
            ("location", Field.IGNORE),  # of the till
        ):
            if word in at:
                found[at[word]] = meaning
        if "shippingaddress1" not in at and "shippingstreet" in at:
            found[at["shippingstreet"]] = Field.LINE1
    elif name is not None and "stopid" in at and "customer" in at:  # Locate2u stop sheet
        found[name] = Field.DRIVER
    elif "invoicenumber" in at and "contactname" in at:  # Xero: notes live in Reference
        if "reference" in at:
            found[at["reference"]] = Field.INSTRUCTIONS
        if "saaddressline1" in at:  # PO… is the postal address, often a box
            found |= {i: Field.IGNORE for i, word in enumerate(words) if word.startswith("po")}
    elif (
        name is not None
        and {"sku", "quantity"} <= at.keys()
        and "itemname" not in at
        and any(_SHIP.search(word) and word.endswith("name") for word in words)
    ):
        found[name] = Field.ITEM
    if {"zahlungsart", "einzelpreis"} & at.keys() and "datum" in at:
        found[at["datum"]] = Field.IGNORE  # the day of the purchase
    return found


def _by_position(sample: Sequence[Sequence[str]]) -> Columns:
    fits = [
        len(row) >= 16
        and country_code(row[5]) is not None
        and all(re.fullmatch(r"(\d{3,4})?", row[i].strip()) for i in (12, 13))
        for row in sample
    ]
    return dict(_TRACKROAD) if fits and all(fits) else {}
