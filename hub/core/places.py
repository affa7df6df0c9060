"""When two addresses are the same place."""

from __future__ import annotations

import re
import unicodedata

from hub.core.values import Address


def place_key(address: Address) -> str:
    """One text for every way of writing the same address; at most 500 characters.

    Case, accents, punctuation and spacing do not matter; the order of the parts does.
    """
    parts = (*address.lines, address.postcode, address.city, address.country)
    folded = unicodedata.normalize("NFKD", " ".join(parts).replace("ß", "ss").casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))[:500]
