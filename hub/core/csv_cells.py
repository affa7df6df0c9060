"""One cell: what a spreadsheet wrapped around it comes off; what it could run is guarded."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

_GUARD = "'"
_RUNS = frozenset("=+-@\t\r\n\0")
_QUOTED = re.compile(r'="([^"]*)"')
_MONEY = re.compile(r"-?\d[\d.,'\u2019 \u00a0\u202f]*")
NO_RESULT = "#RESULT!"  # our own, for a formula whose workbook does not say what it comes to
_BROKEN = frozenset(
    """
    #REF! #VALUE! #NAME? #NUM! #NULL! #DIV/0! #N/A #SPILL! #CALC! #RESULT!
    #BEZUG! #WERT! #ZAHL! #NV #VALEUR! #NOM? #NOMBRE! #NUL! #¡REF! #¡VALOR! #¿NOMBRE? #¡NUM!
    #¡NULO! #¡DIV/0! #N/D #RIF! #VALORE! #NOME? #NULLO! #VALOR! #NÚM! #NULO! #VERW! #WAARDE!
    #NAAM? #GETAL! #LEEG! #DEEL/0! #N/B #VIITTAUS! #ARVO! #NIMI? #LUKU! #TYHJÄ! #JAKO/0! #PUUTTUU!
    #REFERENS! #VÄRDEFEL! #NAMN? #OGILTIGT! #SKÄRNING! #DIVISION/0! #SAKNAS!
    """.split()
)
"""As spreadsheets in ten languages write them into files. "#12!" may be a door."""
_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "zł": "PLN"}


def safe_cell(text: str) -> str:
    """``text`` for a cell of an export: no spreadsheet takes it for a formula.

    ``unguarded(safe_cell(text)) == text`` for every text.
    """
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in plain if unicodedata.category(c) != "Cf").lstrip(" \u00a0")
    first = visible.lstrip()[:1]
    danger = plain[:1] in _RUNS or visible[:1] in _RUNS or (first != "" and first in _RUNS)
    return _GUARD + text if danger or text.startswith(_GUARD) else text


def unguarded(text: str) -> str:
    """``text`` without the one apostrophe that keeps a spreadsheet from reading it."""
    return text[1:] if text.startswith(_GUARD) else text


def is_broken(text: str) -> bool:
    """Whether a spreadsheet shows an error there: #REF!, #N/A, #WERT!, #¡VALOR!"""
    return text in _BROKEN


def clean(text: str) -> str:
    """A cell as its author meant it: no guard, no ``="…"``, no stray white space."""
    text = text.strip().strip("\ufeff\u200b")
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1]
    text = unguarded(text).replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def number(text: str, *, decimal_comma: bool = False) -> Decimal | None:
    """The first number in ``text``: "1 234,56 €", "$1,110.03", "2,50". ``None``: there is none.

    ``decimal_comma`` settles "1,250", which is 1.25 in one half of the world.
    """
    found = _MONEY.search(text)
    if not found:
        return None
    digits = re.sub(r"['\u2019 \u00a0\u202f]", "", found[0]).rstrip(".,")
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands = "," if dot > comma else "."
        digits = digits.replace(thousands, "").replace(",", ".")
    elif digits.count(",") == 1 and (decimal_comma or len(digits) - comma != 4):
        digits = digits.replace(",", ".")
    elif digits.count(".") > 1 or comma >= 0:
        digits = digits.replace(",", "").replace(".", "")
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None


def currency(text: str) -> str:
    """The currency a cell of money names, "" when it names none ("$" is many)."""
    for sign, code in _SIGNS.items():
        if sign in text:
            return code
    named = re.search(r"\b[A-Z]{3}\b", text)
    return named[0] if named else ""
