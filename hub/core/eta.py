"""When the driver comes: the rest of the round driven in thought, and how sure that is.

Ways, waits and work one after another give the middle; how far earlier estimates were off
that long before gives the margin. ``hub.core.told`` decides what of it is announced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.contracts import Arrival, PastError
from hub.core.told import MOVED_S, is_news
from hub.core.values import TimeWindow

MARKS_S = (300, 900, 1800, 3600, 7200)
"""Errors are compared with those made about as long before: the nearest of these."""
ENOUGH = 20  # errors about as far ahead, from which on they are believed
LEAST_S = 60  # nobody stops the clock at the very door
USUAL_S, USUAL_SHARE, USUAL_MOST_S = 60, 0.2, 900  # until then: a minute and a fifth of the way
PACE_KNOWN_S = 600
"""So much of a round counts as gone as planned before the first of it has: one red light, or one
customer who likes to talk, says little about the rest of the day."""
PACES = (0.7, 2.0)  # outside of them it was a lunch break, or a clock that was wrong


@dataclass(frozen=True, slots=True)
class Ahead:
    """A stop that is left: the drive to it, the work there, and when that can begin.

    The first drive begins now. ``opens_at`` ``None``: whenever the driver comes.
    """

    stop_id: str
    travel_s: float
    service_s: float
    opens_at: datetime | None = None


def estimate(
    now: datetime, ahead: Sequence[Ahead], errors: Sequence[PastError] = ()
) -> tuple[Arrival, ...]:
    """One arrival for each of ``ahead``, in their order, none of it before ``now``."""
    by_mark: dict[int, list[int]] = {}
    for past in errors:
        by_mark.setdefault(_mark(past.ahead_s), []).append(past.error_s)
    return tuple(
        _arrival(now, at, by_mark.get(_mark((at - now).total_seconds()), ()))
        for at in _doors(now, ahead)
    )


def pace(planned_s: Sequence[float], took_s: Sequence[float]) -> float:
    """How long what is left will take, as a multiple of the plan, by what is done: 1 is as
    planned, 1.2 a fifth longer. Between 0.7 and 2; 1 while nothing is known.

    The ratio of the sums, drawn towards 1 by ``PACE_KNOWN_S``; it is measured against the
    plan, never against an estimate that it has moved already. ``planned_s`` and ``took_s``
    belong together, one by one.
    """
    known = [
        (planned, took)
        for planned, took in zip(planned_s, took_s, strict=True)
        if planned > 0 and 0 <= took <= PACES[1] * planned + PACE_KNOWN_S
    ]
    whole_s = sum(planned for planned, _ in known) + PACE_KNOWN_S
    ratio = (sum(took for _, took in known) + PACE_KNOWN_S) / whole_s
    return min(max(ratio, PACES[0]), PACES[1])


def spread(
    errors_s: Sequence[float], ahead_s: float = USUAL_MOST_S / USUAL_SHARE, level: float = 0.8
) -> tuple[float, float]:
    """By how many seconds an arrival may be earlier, and later, in ``level`` of all cases.

    Each at least 60. The quantiles of past errors (arrival minus estimate): rounds run late
    more often than early, so the two sides differ. With fewer than 20 errors both are a
    minute and a fifth of ``ahead_s``, at most 900. Raises ``ValueError`` for a ``level``
    outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"A level lies between 0 and 1, not at {level}.")
    if len(errors_s) < ENOUGH:
        usual_s = min(USUAL_S + USUAL_SHARE * ahead_s, USUAL_MOST_S)
        return usual_s, usual_s
    in_order = sorted(errors_s)
    tail = (1 - level) / 2
    low, high = (in_order[round(part * (len(in_order) - 1))] for part in (tail, 1 - tail))
    return max(LEAST_S, -low), max(LEAST_S, high)


def changed(
    told: datetime, fresh: datetime, promise: TimeWindow | None, *, moved_s: int = MOVED_S
) -> bool:
    """Whether ``fresh`` is announced after ``told`` was, by the margin the business set.

    At least five minutes, however small that is set: pages show full five minutes.
    """
    return is_news(told, fresh, promise, moved_s=max(MOVED_S, moved_s))


def _doors(now: datetime, ahead: Sequence[Ahead]) -> list[datetime]:
    """When the driver is at each door."""
    found, clock = [], now
    for stop in ahead:
        clock += timedelta(seconds=stop.travel_s)
        found.append(clock)
        starts_at = clock if stop.opens_at is None else max(clock, stop.opens_at)
        clock = starts_at + timedelta(seconds=stop.service_s)
    return found


def _arrival(now: datetime, at: datetime, errors_s: Sequence[int]) -> Arrival:
    # The middle is not moved by the median error: later errors would be measured from the
    # moved one, shrink, and take the move back.
    early_s, late_s = spread(errors_s, (at - now).total_seconds())
    return Arrival(max(now, at - timedelta(seconds=early_s)), at, at + timedelta(seconds=late_s))


def _mark(ahead_s: float) -> int:
    return min(MARKS_S, key=lambda mark: abs(mark - ahead_s))
