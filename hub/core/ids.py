"""Ids that sort by the time they were made."""

from __future__ import annotations

import secrets
import threading
import time
from uuid import UUID

_STEP = 1 << 32  # room for a random step, so that nobody guesses the next id
_RANDOM_BITS = 74
_lock = threading.Lock()
_last = 0  # milliseconds and the 74 random bits of the last id


def new_id() -> str:
    """A UUIDv7 as text (RFC 9562, 5.7): 48 bits of milliseconds, 74 random bits.

    Ids of one process sort in the order they were made, also within a millisecond: the
    random part goes up by a random step (RFC 9562, 6.2, method 2), and the clock's going
    back changes nothing.
    """
    global _last
    now = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS - 1)
    with _lock:
        is_newer = now >> _RANDOM_BITS > _last >> _RANDOM_BITS
        _last = now if is_newer else _last + 1 + secrets.randbelow(_STEP)
        value = _last
    low, rest = value & ((1 << 62) - 1), value >> 62
    high, ms = rest & ((1 << 12) - 1), rest >> 12
    return str(UUID(int=ms << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low))
