"""A driver's breaks as his route has them, kept beside its stops and read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.core.values import TimeWindow


def rests_kept(rests: Sequence[TimeWindow | None]) -> list[Any]:
    """One for each of the driver's breaks; what was missed is kept as nothing."""
    return [
        None if one is None else [one.opens.isoformat(), one.closes.isoformat()] for one in rests
    ]


def rests_read(kept: Sequence[Any]) -> tuple[TimeWindow | None, ...]:
    return tuple(
        None
        if one is None
        else TimeWindow(datetime.fromisoformat(one[0]), datetime.fromisoformat(one[1]))
        for one in kept
    )
