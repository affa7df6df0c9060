"""When a customer's page says something else though nobody did anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hub.core.tracking_page import OPEN, RIDING, ROUND_TO, Ride, Seen, Shows
from hub.core.visibility import Rule


def turns_at(seen: Seen, ride: Ride | None) -> datetime | None:
    """After this moment it is worth deciding anew; ``None``: the clock alone changes nothing.

    A promise runs out while nothing is heard of the driver; a late time and an expected one that
    are over move on with the clock; a shift comes to its end.
    """
    if ride is None or seen.unreached or seen.shows not in OPEN:
        return None
    found = (_times_change_at(seen, ride), ride.over_at)
    return min((at for at in found if at is not None), default=None)


def nears_at(seen: Seen, rules: Iterable[Rule], now: datetime) -> datetime | None:
    """When the next of ``rules`` begins to hold, so few minutes being left; ``None``: never."""
    if seen.shows not in RIDING or seen.away is None:
        return None
    ahead = (seen.away - timedelta(minutes=rule.at) for rule in rules if rule.since == "minutes")
    return min((now + left for left in ahead if left > timedelta(0)), default=None)


def _times_change_at(seen: Seen, ride: Ride) -> datetime | None:
    if seen.quoted is None or seen.shows is Shows.AT_THE_DOOR:
        return None
    over = seen.quoted.opens + ROUND_TO if seen.is_late else seen.quoted.closes
    if ride.estimate is None:  # the plan, later by as much as the round is behind
        return min(over, ride.next_departs_at + (over - ride.arrive_at))
    return min(over, seen.expected.p50 + ROUND_TO) if seen.expected else over
