"""When an estimate is told anew: often enough to be true, seldom enough to be read."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.core.values import TimeWindow

BEYOND = timedelta(minutes=2)  # nobody writes to say that half past is now a minute later
MOVED_S = 300  # five minutes: what a person at a window notices


def is_news(
    told: datetime, fresh: datetime, promise: TimeWindow | None, *, moved_s: int = MOVED_S
) -> bool:
    """Whether ``fresh`` is to be announced after ``told`` was.

    It is when it moved by ``moved_s``, or when it left the promise that ``told`` still kept.
    What lies beyond a promise already needs to move again, so an estimate that trembles
    about a promise's end is announced once.
    """
    if abs((fresh - told).total_seconds()) >= moved_s:
        return True
    return leaves(promise, fresh) and not leaves(promise, told)


def leaves(promise: TimeWindow | None, at: datetime, *, by: timedelta = BEYOND) -> bool:
    """Whether ``at`` lies outside of ``promise`` by more than ``by``."""
    if promise is None:
        return False
    return at > promise.closes + by or at < promise.opens - by
