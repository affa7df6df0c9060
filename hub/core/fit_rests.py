"""When a driver rests on a route that is timed anew: where it costs nothing, or at the last chance.

By the same rule as planning has it. A rest that was to have begun by now, or that its driver told,
is a fact and stays where it is; each other one is due again. One that cannot begin in time begins
as soon as it can, late.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from math import ceil, floor

from hub.core.pace import Traffic, arrives
from hub.core.plan_request import Break
from hub.core.values import TimeWindow

Rest = TimeWindow | None  # None: its window was over before anybody knew of it
Begins = Callable[[datetime], datetime]  # when service does, for who is ready at that moment


class Rests:
    """Those of one driver. ``taken`` so far, one for each of his ``breaks``.

    ``known``: when they were to be taken, as far as that is known; looked at once he ``has_left``.
    ``had``: the numbers of those that he said he had, or has: then ``known`` is a fact.
    """

    def __init__(
        self,
        breaks: Sequence[Break],
        known: Sequence[Rest],
        leave: datetime,
        now: datetime,
        *,
        has_left: bool,
        had: Collection[int] = (),
    ) -> None:
        self.taken: list[Rest] = [None] * len(breaks)
        self._due: list[tuple[int, Break]] = []
        self._free_at = datetime.min.replace(tzinfo=now.tzinfo)
        at_home = self._free_at
        for n, one in sorted(enumerate(breaks), key=lambda pair: pair[1].window.closes):
            was = known[n] if (has_left or n in had) and n < len(known) else None
            if was is not None and was.opens < one.window.opens and n not in had:
                was = None  # of another break: they were set anew since
            begin = max(one.window.opens, at_home)
            end = begin + timedelta(seconds=one.duration_s)
            if was is not None and was.opens <= now:
                self.taken[n] = was
                self._free_at = max(self._free_at, was.closes)
            elif has_left and one.window.closes < now:
                continue
            elif not has_left and end <= leave and begin <= one.window.closes:
                self.taken[n], at_home = TimeWindow(begin, end), end
            else:
                self._due.append((n, one))

    @property
    def all_taken(self) -> bool:
        return not self._due

    def up(self, clock: datetime) -> datetime:
        """When who is free at ``clock`` has ended the rest that he is in, if he is in one."""
        return max(clock, self._free_at)

    def before(
        self,
        busy: datetime,
        way_s: float,
        walk_s: int,
        service: timedelta,
        begins: Begins,
        traffic: Traffic | None,
    ) -> tuple[datetime, datetime]:
        """When one arrives, and when one is ready to serve, with the rests that come before that.

        ``busy``: until when he is where he sets off.
        """
        arrive = arrives(traffic, busy, way_s)
        ready = arrive + timedelta(seconds=walk_s)
        while self._due:
            n, one = self._due[0]
            lasts = timedelta(seconds=one.duration_s)
            start = begins(ready)
            begin = max(busy, one.window.opens)
            end = begin + lasts
            left_s, later = way_s, arrive
            if begin < arrive:
                left_s = way_s - _driven_s(traffic, busy, begin)
                later = arrives(traffic, end, left_s)
                after = later + (ready - arrive)
            else:
                after = ready + lasts if begin < ready else end
            last_chance = start + service > one.window.closes
            if not last_chance and begins(after) != start:
                break
            self.taken[n] = TimeWindow(begin, end)
            busy, way_s, arrive, ready = end, left_s, later, after
            self._due.pop(0)
        return arrive, ready

    def home(self, busy: datetime, way_s: float, traffic: Traffic | None) -> datetime:
        """When the day's way is over; what rest is left is had then, where that is in time."""
        home = arrives(traffic, busy, way_s)
        for n, one in self._due:
            begin = max(busy, one.window.opens)
            if home <= one.window.closes:
                begin = max(begin, home)
            end = begin + timedelta(seconds=one.duration_s)
            if begin < home:
                way_s -= _driven_s(traffic, busy, begin)
                home = arrives(traffic, end, way_s)
            busy = end
            self.taken[n] = TimeWindow(begin, end)
        self._due.clear()
        return home


def awake(rests: Sequence[Rest], since: datetime, until: datetime) -> datetime:
    """When that is over which takes from ``since`` to ``until``, for who rests meanwhile."""
    for rest in _in_order(rests):
        if since < rest.closes and rest.opens < until:
            until += rest.closes - max(rest.opens, since)
    return until


def undisturbed(
    rests: Sequence[Rest], start: datetime, service: timedelta, begins: Begins
) -> datetime:
    """When service begins that no rest interrupts, if else it did at ``start``."""
    for rest in _in_order(rests):
        if rest.opens < start + service and start < rest.closes:
            start = begins(rest.closes)
    return start


def resting(rests: Sequence[Rest], since: datetime, until: datetime) -> timedelta:
    """How much of the time between two moments is rest."""
    total = timedelta(0)
    for rest in _in_order(rests):
        total += max(timedelta(0), min(rest.closes, until) - max(rest.opens, since))
    return total


def _in_order(rests: Sequence[Rest]) -> list[TimeWindow]:
    return sorted((one for one in rests if one is not None), key=lambda one: one.opens)


def _driven_s(traffic: Traffic | None, since: datetime, until: datetime) -> float:
    """Undisturbed seconds of driving; none that would not be there in whole seconds."""
    if traffic is None:
        return (until - since).total_seconds()
    return traffic.driven(ceil(since.timestamp()), floor(until.timestamp()))
