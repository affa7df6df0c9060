"""What a carrier calls back to say became of a message: in any order, and more than once.

Calls are independent requests, so a late "sent" may come after "delivered". Each word has a
rank; a lower one never replaces a higher one, and of two last words the first stays. Receipts
may also lie (some are made by a carrier in the middle), so they never change what the hub did;
they are shown beside it, as the carrier's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Receipt = Literal[
    "accepted", "queued", "sending", "sent", "delivered", "undelivered", "failed", "cancelled"
]
WORDS: frozenset[str] = frozenset(get_args(Receipt))
LAST = 9
RANK: Mapping[str, int] = {
    "": -1,
    "accepted": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    **dict.fromkeys(("delivered", "undelivered", "failed", "cancelled"), LAST),
}
NOT_RECEIVED = frozenset({"undelivered", "failed", "cancelled"})


def later(known: str, came: str) -> str:
    """The word that stands once ``came`` came after ``known``; an unknown one changes nothing.

    Only "delivered" replaces a last word, and only "undelivered": a phone that was off was
    switched on after its carrier had given up.
    """
    if came not in RANK:
        return known
    if RANK[known] == LAST:
        return came if (known, came) == ("undelivered", "delivered") else known
    return came if RANK[came] > RANK[known] else known
