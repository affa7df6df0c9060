"""When two addresses are the same place."""

from __future__ import annotations

import re
import unicodedata

from hub.core.values import Address


def place_key(address: Address) -> str:
    """One text for every way of writing the same address; at most 500 characters.

    Case, accents, punctuation and spacing do not matter; the order of the parts does.
    "" for one that names no place: without a letter or digit, or nothing but its country.
    """
    where = _words(*address.lines, address.postcode, address.city)
    return " ".join([*where, *_words(address.country)])[:500] if where else ""


def _words(*parts: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", " ".join(parts).replace("ß", "ss").casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return re.findall(r"\w+", plain)
