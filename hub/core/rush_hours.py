"""When roads are slower, as a business says it by weekday and clock, and as paces of some days.

The clock on the wall decides: on the day it changes an hour may come twice, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

from hub.core.plan_request import Pace

DAY_MIN, WEEK_MIN = 24 * 60, 7 * 24 * 60
QUARTER = timedelta(minutes=15)  # clocks of all zones change at full quarters of UTC's hours
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEAST, MOST = 0.3, 5.0
"""Factors outside of these are slips of the pen."""


@dataclass(frozen=True, slots=True)
class RushHour:
    """On weekdays ``first_day`` to ``last_day`` (0 is Monday), in minutes of the day, drives take
    ``factor`` times as long. ``profile`` empty: for every kind of vehicle without one of its own.

    ``ends_min`` not after ``begins_min``: in the night that follows. Days may go round a week's
    end, as Sat to Mon.
    """

    first_day: int
    last_day: int
    begins_min: int
    ends_min: int
    factor: float
    profile: str = ""

    def __str__(self) -> str:
        first, last = DAYS[self.first_day], DAYS[self.last_day]
        days = first if first == last else f"{first}–{last}"
        return f"{days} {_clock(self.begins_min)}–{_clock(self.ends_min)}"

    def spans(self) -> Iterator[tuple[int, int]]:
        """From and to, in minutes of a week; the last night's may end in the next week."""
        lasts = (self.ends_min - self.begins_min - 1) % DAY_MIN + 1
        for n in range((self.last_day - self.first_day) % 7 + 1):
            begins = (self.first_day + n) % 7 * DAY_MIN + self.begins_min
            yield begins, begins + lasts

    def holds_at(self, minute: float) -> bool:
        """Whether it is so in this minute of the week."""
        return any(a <= minute < b or a <= minute + WEEK_MIN < b for a, b in self.spans())


def overlap(rules: Sequence[RushHour]) -> tuple[RushHour, RushHour] | None:
    """Two rules for the same vehicles that say something of the same minute, if there are any."""
    for one, other in combinations(rules, 2):
        if one.profile == other.profile and _meet(one, other):
            return one, other
    return None


def paces_on(
    rules: Iterable[RushHour], profile: str, first: date, last: date, zone: ZoneInfo
) -> tuple[Pace, ...]:
    """The paces of a kind of vehicle from ``first`` on until the night after ``last`` is over.

    A kind with rules of its own goes by those alone. Empty where nothing is ever slower.
    """
    rules = list(rules)
    mine = [rule for rule in rules if rule.profile == profile]
    mine = mine or [rule for rule in rules if not rule.profile]
    if not mine:
        return ()
    found, factor = list[Pace](), 1.0
    for moment in sorted(_moments(mine, first, last + timedelta(days=1), zone)):
        now = _factor(mine, moment.astimezone(zone))
        if now != factor:
            found.append(Pace(moment, now))
            factor = now
    return tuple(found)


def _meet(one: RushHour, other: RushHour) -> bool:
    return any(
        a < d + week and c + week < b
        for a, b in one.spans()
        for c, d in other.spans()
        for week in (-WEEK_MIN, 0, WEEK_MIN)
    )


def _factor(rules: Sequence[RushHour], here: datetime) -> float:
    minute = here.weekday() * DAY_MIN + here.hour * 60 + here.minute
    return next((rule.factor for rule in rules if rule.holds_at(minute)), 1.0)


def _moments(rules: Sequence[RushHour], first: date, last: date, zone: ZoneInfo) -> set[datetime]:
    """Every moment at which the pace may change: where a rule's clock says so, and where clocks
    themselves are changed.
    """
    minutes = {0, *(m % DAY_MIN for rule in rules for m in (rule.begins_min, rule.ends_min))}
    clocks = [time(minute // 60, minute % 60) for minute in minutes]
    days = [first + timedelta(days=n) for n in range((last - first).days + 2)]
    found = {
        datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC)
        for day in days
        for clock in clocks
        for fold in (0, 1)
    }
    midnights = [datetime.combine(day, time.min, zone) for day in days]
    for begins, ends in pairwise(midnights):
        if begins.utcoffset() != ends.utcoffset():
            found |= {begins.astimezone(UTC) + n * QUARTER for n in range(100)}
    return {at for at in found if midnights[0] <= at < midnights[-1]}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
