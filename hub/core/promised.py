"""Which window a recipient is told, by when the plan has somebody at the door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.core.tracking_page import ceiled, floored, rounded
from hub.core.values import TimeWindow

LEAST = timedelta(minutes=10)  # nobody is promised a moment


def promised(
    at: datetime,
    width: timedelta,
    windows: Sequence[TimeWindow],
    shift: TimeWindow,
    soonest: datetime,
) -> TimeWindow:
    """What a recipient served ``at`` is told: round times around it, nothing impossible.

    Nobody comes outside the shift, before the vehicle can be there, nor before the window
    that was asked for opens. Nobody waits for a round time either: who comes a minute after
    it, by the plan, is promised from then on.
    """
    promise = rounded(at, width)
    first = ceiled(soonest) if ceiled(soonest) <= at else floored(at)
    if first > promise.opens:
        promise = TimeWindow(first, max(promise.closes, ceiled(first + width / 2)))
    for limit in (shift, *windows):
        if limit.opens <= at <= limit.closes:
            closes = min(promise.closes, limit.closes)
            # Asked for by a moment that is not round: as much of it as there is.
            opens = max(promise.opens, limit.opens) if promise.opens < closes else at
            promise = TimeWindow(opens, closes)
    if promise.closes - promise.opens >= LEAST:
        return promise
    # Who comes in the last minute is told some before it, and some after if he cannot be earlier.
    opens = max(min(promise.opens, promise.closes - LEAST), min(first, promise.opens))
    return TimeWindow(opens, max(promise.closes, opens + LEAST))
