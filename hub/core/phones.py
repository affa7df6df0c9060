"""Telephone numbers in E.164, whatever a spreadsheet or a shop made of them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import phonenumbers

_APART = re.compile(r"\s*(?:[/;,|\n]|\bor\b|\boder\b|\bou\b)\s*", re.IGNORECASE)
_DIGITS = re.compile(r"\d")


def e164(text: str, country: str) -> str | None:
    """The first number in ``text`` that can exist, as "+61491570006"; else ``None``.

    ``country`` (ISO 3166-1 alpha-2) reads numbers without a prefix. "Can exist" is
    the length test: numbers kept for fiction are possible though never valid.
    """
    if lost_digits(text):
        return None
    whole = _unfloated(text.strip().lstrip("'").strip())
    for part in (whole, *_APART.split(whole)):
        if found := _read(part, country):
            return found
    return None


def lost_digits(text: str) -> bool:
    """Whether a spreadsheet kept the start of a number only: 3.58401E+11.

    It shows six figures of a long one. Written whole, a number lacks no more than the
    zeros at its end, of which two are taken on trust.
    """
    found = re.fullmatch(r"['+]*(\d+)(?:[.,](\d+))?[eE]\+?(\d{1,3})", text.strip())
    return found is not None and len(found[1] + (found[2] or "")) + 2 < int(found[3]) + 1


def _read(text: str, country: str) -> str | None:
    if lost_digits(text) or not 6 <= len(_DIGITS.findall(text)) <= 17 or len(text) > 40:
        return None
    text = re.sub(r"^00(?=[1-9])", "+", text)
    candidates = [text] if text.startswith("+") else [text, "+" + re.sub(r"\D", "", text)]
    possible: list[phonenumbers.PhoneNumber] = []
    for candidate in candidates:
        try:
            number = phonenumbers.parse(candidate, country or None)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_possible_number(number):
            possible.append(number)
    if not possible:
        return None
    return phonenumbers.format_number(possible[0], phonenumbers.PhoneNumberFormat.E164)


def _unfloated(text: str) -> str:
    """Spreadsheets turn numbers into 61491570006.0 and 6.1491570006E+10."""
    if not re.fullmatch(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d{1,2}|\d{6,}[.,]0+", text):
        return text
    try:
        return str(int(Decimal(text.lstrip("+").replace(",", "."))))
    except (InvalidOperation, ValueError):
        return text
