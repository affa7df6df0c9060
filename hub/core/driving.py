"""One vehicle under way, door after door: when it is where, and when its driver rests.

All moments are whole epoch seconds; a day that crosses midnight or a change of clocks is
therefore nothing special.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import permutations

from hub.core.pace import Traffic
from hub.core.plan_request import Break, TravelMatrix, VehicleToPlan
from hub.core.values import TimeWindow

Span = tuple[int, int]
AT_ANY_TIME = 1 << 40
NEVER: tuple[Span, ...] = ((1, 0),)
MOST_TURNED = 6  # breaks of one driver that are tried in every order


def epoch(moment: datetime) -> int:
    """Whole seconds, rounded up: what is not yet open at a fraction is not open."""
    return math.ceil(moment.timestamp())


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def span_of(window: TimeWindow) -> Span:
    return epoch(window.opens), math.floor(window.closes.timestamp())


def spans_of(windows: Iterable[TimeWindow]) -> tuple[Span, ...]:
    """When it may begin, earliest first and apart: what overlaps of ``windows`` is one span.

    Only what holds a whole second counts; ``NEVER`` if nothing does.
    """
    spans = sorted(span_of(window) for window in windows)
    held: list[Span] = []
    for opens, closes in spans:
        if opens > closes:
            continue
        if held and opens <= held[-1][1]:
            held[-1] = held[-1][0], max(closes, held[-1][1])
        else:
            held.append((opens, closes))
    return tuple(held) or (NEVER if spans else ())


def opening(windows: Sequence[Span], ready: int) -> int | None:
    """The first moment from ``ready`` on at which a window is open."""
    for opens, closes in windows:
        if ready <= closes:
            return ready if ready > opens else opens
    return None if windows else ready


@dataclass(frozen=True, slots=True)
class _Rest:
    n: int
    opens: int
    closes: int
    lasts: int


class Drive:
    """A vehicle that left ``leave`` from its start. ``taken``: its breaks so far, by number.

    Where ``is_fixed`` nothing is refused: what is missed is missed.
    """

    __slots__ = ("metres", "now", "place", "_far", "_long", "_pending", "_traffic", "taken")

    def __init__(
        self, vehicle: VehicleToPlan, travel: TravelMatrix, traffic: Traffic | None, leave: int
    ) -> None:
        self.place, self.now, self.metres = vehicle.start, leave, 0
        self._long, self._far, self._traffic = travel.seconds, travel.metres, traffic
        self.taken: dict[int, Span] = {}
        self._pending = self._due(vehicle.breaks, leave) if vehicle.breaks else []

    def to(
        self, place: int, windows: Sequence[Span], access_s: int, service_s: int, is_fixed: bool
    ) -> tuple[int, int, int] | None:
        """Drive to ``place`` and work there: when one arrives, begins and departs.

        ``None`` if no window or no break allows it; then the drive is over.
        """
        way = self._long[self.place][place]
        self.metres += self._far[self.place][place]
        if self._traffic is None:
            arrive = self.now + way
        else:
            arrive = self._traffic.arrival(self.now, way)
        ready = arrive + access_s
        if self._pending:
            rested = self._rests(windows, way, arrive, ready, service_s, is_fixed)
            if rested is None:
                return None
            arrive, ready = rested
        start = opening(windows, ready) if windows else ready
        if start is None:
            if not is_fixed:
                return None
            start = ready
        self.place, self.now = place, start + service_s
        return arrive, start, start + service_s

    def home(self, end: int | None, is_fixed: bool) -> int | None:
        """When the day is over, every break taken; ``None`` if one cannot be."""
        end = self.place if end is None else end
        way: float = self._long[self.place][end]
        self.metres += self._far[self.place][end]
        busy = self.now
        home = self._arrival(busy, way)
        for rest in self._pending:
            begin = max(busy, rest.opens, home if home <= rest.closes else 0)
            if begin > rest.closes and not is_fixed:
                return None
            if begin < home:
                way -= self._driven(busy, begin)
                home = self._arrival(begin + rest.lasts, way)
            busy = begin + rest.lasts
            self.taken[rest.n] = (begin, busy)
        return home

    def _due(self, breaks: tuple[Break, ...], leave: int) -> list[_Rest]:
        """What is not rested before leaving, one rest after the other."""
        pending = []
        for rest in _in_turn(breaks):
            begin = _gap(sorted(self.taken.values()), rest)
            if begin <= rest.closes and begin + rest.lasts <= leave:
                self.taken[rest.n] = (begin, begin + rest.lasts)
            else:
                pending.append(rest)
        return pending

    def _rests(
        self,
        windows: Sequence[Span],
        way: float,
        arrive: int,
        ready: int,
        service_s: int,
        is_fixed: bool,
    ) -> Span | None:
        """When one arrives and is ready, with the rests that are due before this door's service.

        A rest is taken where it costs nothing, or where there is no later chance.
        """
        busy = self.now
        while self._pending:
            rest = self._pending[0]
            start = opening(windows, ready)
            begin = max(busy, rest.opens)
            if begin > rest.closes:
                if not is_fixed:
                    return None
                self._pending.pop(0)
                continue
            end = begin + rest.lasts
            if begin < arrive:
                left = way - self._driven(busy, begin)
                late = self._arrival(end, left)
                after = late + ready - arrive
            else:
                left, late = way, arrive
                after = ready + rest.lasts if begin < ready else end
            costs_nothing = start is not None and opening(windows, after) == start
            last_chance = (ready if start is None else start) + service_s > rest.closes
            if not (costs_nothing or last_chance):
                break
            self.taken[rest.n] = (begin, end)
            busy, way, arrive, ready = end, left, late, after
            self._pending.pop(0)
        return arrive, ready

    def _arrival(self, leave: int, way: float) -> int:
        return leave + int(way) if self._traffic is None else self._traffic.arrival(leave, way)

    def _driven(self, since: int, until: int) -> float:
        return until - since if self._traffic is None else self._traffic.driven(since, until)


@lru_cache(maxsize=256)
def _in_turn(breaks: tuple[Break, ...]) -> tuple[_Rest, ...]:
    """The rests as they close, but for one that another would keep from beginning in time."""
    rests = [_Rest(n, *span_of(due.window), due.duration_s) for n, due in enumerate(breaks)]
    rests.sort(key=lambda rest: rest.closes)
    turns = permutations(rests) if len(rests) <= MOST_TURNED else ()
    return next((turn for turn in turns if _can_follow(turn)), tuple(rests))


def _can_follow(rests: Iterable[_Rest]) -> bool:
    now = 0
    for rest in rests:
        begin = max(now, rest.opens)
        if begin > rest.closes:
            return False
        now = begin + rest.lasts
    return True


def _gap(taken: Iterable[Span], rest: _Rest) -> int:
    """The first moment from its opening on at which nothing is in the way of ``rest``."""
    begin = rest.opens
    for begins, ends in taken:
        if begins < begin + rest.lasts and begin < ends:
            begin = ends
    return begin
