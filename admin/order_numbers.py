"""Numbers and goods as people type them into the order form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_COUNTED = re.compile(r"(\d{1,7}) ?[x×*] ?(\S.*)|(\d{1,7}) +(\S.*)")
_MEASURED = re.compile(r"(\S.*?) ?, ?(\d{1,6}(?:[.,]\d{1,3})?) ?(kg|g|l)", re.IGNORECASE)
_UNITS = {"kg": ("weight_g", 1000), "g": ("weight_g", 1), "l": ("volume_cm3", 1000)}


def read_number(
    typed: Mapping[str, str], name: str, example: str, errors: dict[str, str]
) -> float | None:
    """With a point or a comma; ``None``: nothing was typed, or nothing that is a number."""
    text = typed[name].replace(",", ".")
    if not text:
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d{1,2})?", text):
        errors[name] = f"This is not understood. Write {example}."
        return None
    return float(text)


def read_minutes(
    typed: Mapping[str, str], name: str, errors: dict[str, str], *, most: int = 24 * 60
) -> int | None:
    """As seconds; ``None``: nothing was typed, or nothing that can be."""
    minutes = read_number(typed, name, "minutes, such as 3", errors)
    if minutes is not None and minutes > most:
        errors[name] = f"At most {most} minutes."
        return None
    return None if minutes is None else round(minutes * 60)


def read_whole(
    typed: Mapping[str, str], name: str, example: str, errors: dict[str, str]
) -> int | None:
    """As ``read_number``, without fractions."""
    if not typed[name]:
        return None
    if not re.fullmatch(r"\d{1,6}", typed[name]):
        errors[name] = f"This is not understood. Write {example}."
        return None
    return int(typed[name])


def read_line(text: str) -> dict[str, Any]:
    """ "2 x Rye bread, 0.8 kg" or "2 Rye bread": how many of what, one where no number stands;
    behind commas, what one of them weighs or fills.
    """
    text = " ".join(text.split())
    given: dict[str, Any] = {}
    while found := _MEASURED.fullmatch(text):
        name, factor = _UNITS[found[3].lower()]
        given.setdefault(name, round(float(found[2].replace(",", ".")) * factor))
        text = found[1]
    if counted := _COUNTED.fullmatch(text):
        return {
            "quantity": int(counted[1] or counted[3]),
            "title": counted[2] or counted[4],
        } | given
    return {"title": text} | given
