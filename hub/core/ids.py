"""Ids that sort by the time they were made."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_id() -> str:
    """A UUIDv7 as text (RFC 9562, 5.7): 48 bits of milliseconds, 74 random bits."""
    ms = time.time_ns() // 1_000_000
    value = (ms << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(UUID(int=value))
