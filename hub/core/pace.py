"""How far one comes when drives take longer at some times of the day.

The one place where a leg is timed at a moment: whoever makes, checks, moves or foretells a route
asks ``traffic_of`` and drives by it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from hub.core.plan_request import Pace


class Traffic:
    """The paces of one profile; moments are epoch seconds.

    Each piece of a drive goes at the pace of its own moment (Ichoua, Gendreau and Potvin,
    2003): a factor that held for the whole drive would let who leaves later arrive sooner.
    """

    __slots__ = ("_begins", "_factors")

    def __init__(self, paces: Sequence[Pace]) -> None:
        self._begins = [math.ceil(pace.begins.timestamp()) for pace in paces]
        self._factors = [1.0, *(pace.factor for pace in paces)]

    def arrival(self, leave: int, drive_s: float) -> int:
        """When a drive of ``drive_s`` undisturbed seconds is over; whole seconds, rounded up."""
        begins, factors = self._begins, self._factors
        n = bisect_right(begins, leave)
        now: float = leave
        left, factor = drive_s, factors[n]
        while n < len(begins) and left * factor > begins[n] - now:
            left -= (begins[n] - now) / factor
            now = begins[n]
            n += 1
            factor = factors[n]
        # A millionth of a second is no reason to be a whole one later.
        return math.ceil(now + left * factor - 1e-6)

    def departure(self, arrive: int, drive_s: float) -> int:
        """The last whole second to leave for who wants to be there by ``arrive``."""
        begins, factors = self._begins, self._factors
        n = bisect_right(begins, arrive)
        now, left, factor = float(arrive), drive_s, factors[n]
        while n and left * factor > now - begins[n - 1]:
            left -= (now - begins[n - 1]) / factor
            n -= 1
            now, factor = begins[n], factors[n]
        leave = math.floor(now - left * factor)
        while self.arrival(leave + 1, drive_s) <= arrive:
            leave += 1
        while self.arrival(leave, drive_s) > arrive:
            leave -= 1
        return leave

    def driven(self, since: int, until: int) -> float:
        """The undisturbed seconds of driving that fit between two moments."""
        now, done = float(since), 0.0
        n = bisect_right(self._begins, since)
        while n < len(self._begins) and self._begins[n] < until:
            done += (self._begins[n] - now) / self._factors[n]
            now = self._begins[n]
            n += 1
        return done + max(0.0, until - now) / self._factors[n]

    def factor_at(self, moment: float) -> float:
        return self._factors[bisect_right(self._begins, moment)]


@lru_cache(maxsize=64)
def traffic_of(paces: tuple[Pace, ...]) -> Traffic | None:
    """``None`` where every drive always takes what it takes."""
    return Traffic(paces) if any(pace.factor != 1.0 for pace in paces) else None


def arrives(traffic: Traffic | None, leave: datetime, way_s: float) -> datetime:
    """When who leaves at ``leave`` is there, after a drive of ``way_s`` undisturbed seconds; in
    whole seconds where there is traffic.
    """
    if traffic is None:
        return leave + timedelta(seconds=way_s)
    return _instant(traffic.arrival(math.ceil(leave.timestamp()), way_s))


def departs(traffic: Traffic | None, arrive: datetime, way_s: float) -> datetime:
    """When to leave at the latest so as to be there by ``arrive``."""
    if traffic is None:
        return arrive - timedelta(seconds=way_s)
    return _instant(traffic.departure(math.floor(arrive.timestamp()), way_s))


def drive_s(traffic: Traffic | None, leave: datetime, arrive: datetime) -> float:
    """The undisturbed seconds of a drive that lasted from one moment to the other."""
    if traffic is None:
        return max(0.0, (arrive - leave).total_seconds())
    return traffic.driven(math.floor(leave.timestamp()), math.floor(arrive.timestamp()))


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
