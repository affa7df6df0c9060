"""What will go wrong on this day. Decided before it begins, by the seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.jobs import Reason
from hub.core.orders import IncomingOrder, Kind
from hub.demo.day import chance_for

Span = tuple[float, float]  # from second to second
AT_10_40, NOON = timedelta(hours=10, minutes=40), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Fate:
    """``fails``: order number -> why its first attempt fails. Drivers by their number from 0.

    ``broken``: whose van breaks down at ``breaks_at_s``; ``dead``: whose phone is dead for an
    hour; ``offline``: whose phone has no signal for a while, and when.
    """

    fails: dict[str, Reason]
    broken: int
    breaks_at_s: float
    dead: int
    dead_s: Span
    offline: int
    offline_s: Span


def fate_of(
    orders: Sequence[IncomingOrder], drivers: int, midnight: datetime, *, seed: int
) -> Fate:
    chance = chance_for(seed, "fate")
    doors = [one.number for one in orders if one.kind is Kind.DELIVER and one.pick_up is None]
    chance.shuffle(doors)
    some = max(1, len(orders) // 40)
    fails = {
        **dict.fromkeys(doors[:some], Reason.NOBODY_HOME),
        **dict.fromkeys(doors[some : some + max(1, some // 2)], Reason.OTHER),
        **dict.fromkeys(doors[some + max(1, some // 2) :][: some // 2], Reason.REFUSED),
    }
    first = chance.randrange(drivers)
    dead_at = midnight + timedelta(hours=chance.uniform(8.5, 11.5))
    offline_at = midnight + timedelta(hours=chance.uniform(8.2, 9.5))
    return Fate(
        fails,
        first,
        (midnight + AT_10_40).timestamp(),
        (first + 1) % drivers,
        (dead_at.timestamp(), dead_at.timestamp() + 3600),
        (first + 2) % drivers,
        (offline_at.timestamp(), offline_at.timestamp() + chance.uniform(1500, 3000)),
    )
