"""What a text message costs in parts, and its words as a phone shows them.

An SMS holds 140 octets: 160 characters of the phone network's own alphabet (GSM-7, 3GPP TS
23.038), or 70 of UTF-16 as soon as one character is not in it. A longer one is sent in parts
that lose some room to a header and are paid one by one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # two septets each, never apart
GSM_ALONE, GSM_PART = 160, 153  # septets
UCS_ALONE, UCS_PART = 70, 67  # UTF-16 units
PLAINER = {
    "–": "-",
    "—": "-",
    "‐": "-",
    "‑": "-",
    "−": "-",
    "―": "-",
    "‘": "'",
    "’": "'",
    "‚": ",",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "‹": "'",
    "›": "'",
    "´": "'",
    "…": "...",
    "•": "-",
    "·": "-",
    "×": "x",
    "\u00a0": " ",
    "\u202f": " ",
    "\u2009": " ",
    "\t": " ",
    "`": "'",
}
"""Typography that would make a text cost twice as much and that nobody misses on a phone."""
LIKE = {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "œ": "oe", "Œ": "OE", "ẞ": "SS"}
"""Letters that Unicode does not take apart."""
_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Sms:
    """``text`` as it is sent, in so many paid ``parts``."""

    text: str
    alphabet: Literal["gsm", "unicode"]
    parts: int


def as_sms(text: str, *, keeps_accents: bool = False, most_parts: int = 0) -> Sms:
    """``text`` shortened to ``most_parts`` (0: however many it takes); a link at its end stays.

    Unless they are kept, typography and accents that the alphabet lacks are made plain. What has
    no plain form, such as Arabic or an emoji, stays and makes it ``unicode``.
    """
    # Some machines write an accent as a sign of its own, which no alphabet of a phone has.
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if not keeps_accents:
        plain = _without_marks("".join(_without_accent(PLAINER.get(one, one)) for one in plain))
    if most_parts and count(plain)[1] > most_parts:
        plain = _shortened(plain, most_parts)
    return Sms(plain, *count(plain))


def count(text: str) -> tuple[Literal["gsm", "unicode"], int]:
    """Alphabet and number of parts; an empty text is one part."""
    if all(one in BASIC or one in EXTENDED for one in text):
        return "gsm", _parts([1 if one in BASIC else 2 for one in text], GSM_ALONE, GSM_PART)
    units = [2 if ord(one) > 0xFFFF else 1 for one in text]
    return "unicode", _parts(units, UCS_ALONE, UCS_PART)


def _parts(sizes: list[int], alone: int, part: int) -> int:
    """A character never lies in two parts, so a part may stay one unit short."""
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, part
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part
        room -= size
    return parts


def _without_accent(one: str) -> str:
    """The letter alone, where the alphabet lacks it with its accent."""
    if len(one) > 1 or one in BASIC or one in EXTENDED:
        return one
    bare = "".join(c for c in unicodedata.normalize("NFKD", one) if not unicodedata.combining(c))
    is_plain = bare and all(c in BASIC for c in bare)
    return bare if is_plain else LIKE.get(one, one)


def _without_marks(text: str) -> str:
    """``text`` without what is not seen, such as a soft hyphen in a name that was copied, where
    that alone would make it ``unicode``; letters that are joined or turned by it need it.
    """
    seen = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return (seen if count(seen)[0] == "gsm" else text).strip()


def _shortened(text: str, most_parts: int) -> str:
    found = list(_URL.finditer(text))
    last = found[-1] if found else None
    is_last = last is not None and not text[last.end() :].strip()
    head, tail = (text[: last.start()], last[0]) if last and is_last else (text, "")
    end = f"... {tail}" if tail else "..."
    low, high = 0, len(head)
    while low < high:  # the longest head that fits
        middle = (low + high + 1) // 2
        if count(head[:middle].rstrip() + end)[1] <= most_parts:
            low = middle
        else:
            high = middle - 1
    return head[:low].rstrip() + end
