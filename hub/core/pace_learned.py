"""How much longer drives took than on free roads, by the hour, as lines for the rush hours.

What one drive took says little (a lunch, a closed street, a search for parking); the middle of
dozens in the same hour says how fast that hour is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.core.rush_hours import LEAST, MOST, RushHour, overlap

DAYS = ((0, 4), (5, 5), (6, 6))  # working days are alike; Saturdays and Sundays are not
FEWEST = 20
"""Drives of an hour before it is believed. The middle of 20 whose lengths scatter by a third either
way is off by a fifth at most, nineteen times of twenty; the tests try it."""
SHORTEST_S = 120  # finding a place to park is half of a shorter one
MOST_TIMES = 6.0  # longer than that, and somebody had lunch
LEAST_TIMES = LEAST / 2  # quicker than that, and the door before was closed only on the way
ALIKE = (0.1, 0.2, 0.4)  # factors closer than this are one line; the more, the fewer lines
NONE = 0.1  # closer to 1 than this it is a free road, and no line
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Drive:
    """From one door to the next: ``free_s`` is what it takes on free roads."""

    left_at: datetime
    took_s: float
    free_s: float


@dataclass(frozen=True, slots=True)
class HourTaken:
    """In the hour that begins at ``hour`` o'clock of weekdays ``first_day`` to ``last_day``,
    ``drives`` took ``factor`` times as long; ``None``: there were too few to say.
    """

    first_day: int
    last_day: int
    hour: int
    drives: int
    factor: float | None


def hours_taken(drives: Iterable[Drive], zone: ZoneInfo) -> list[HourTaken]:
    """Every hour somebody drove in, by days and clock; a drive is of the hour of its middle."""
    found: defaultdict[tuple[int, int, int], list[Drive]] = defaultdict(list)
    for drive in drives:
        times = drive.took_s / drive.free_s if drive.free_s >= SHORTEST_S else 0.0
        if LEAST_TIMES <= times <= MOST_TIMES:
            middle = (drive.left_at + timedelta(seconds=drive.took_s / 2)).astimezone(zone)
            days = next(days for days in DAYS if days[0] <= middle.weekday() <= days[1])
            found[(*days, middle.hour)].append(drive)
    return [HourTaken(*hour, len(some), _middle(some)) for hour, some in sorted(found.items())]


def lines_for(
    hours: Sequence[HourTaken], profile: str = "", most: int = MOST_LINES
) -> list[RushHour]:
    """The rush hours that say so, at most ``most``: neighbouring hours that are alike are one
    line, and those like free roads none. Hours of too few drives are left out.
    """
    told = [h for h in hours if h.factor is not None and abs(h.factor - 1) >= NONE]
    runs = next(
        (some for alike in ALIKE if len(some := _runs(told, alike)) <= most),
        _runs(told, ALIKE[-1]),
    )
    busiest = sorted(runs, key=lambda run: -sum(hour.drives for hour in run))[:most]
    return [_line(run, profile) for run in runs if run in busiest]


def joined(
    rules: Sequence[RushHour],
    hours: Sequence[HourTaken],
    kinds: Iterable[str],
    *,
    alone: bool,
    most: int,
) -> list[RushHour]:
    """``rules`` with what was learned of vehicles of these ``kinds``; ``alone``: there are no
    others. Lines that touch no hour something was learned of stay, and so do those for other
    vehicles: what was learned takes no more than they leave of ``most``, each kind as much.
    """
    kinds = sorted(kinds)
    if alone and all(not rule.profile or rule.profile not in kinds for rule in rules):
        kinds, others = [""], [rule for rule in rules if rule.profile]
    else:
        others = [rule for rule in rules if rule.profile not in kinds]
    kept = {kind: _kept(kind, rules, hours) for kind in kinds}
    left = most - len(others) - sum(map(len, kept.values()))
    each = min(MOST_LINES, max(left, 0) // max(len(kinds), 1))
    mine = {kind: [*lines_for(hours, kind, each), *kept[kind]] for kind in kinds}
    return [*others, *(rule for kind in kinds for rule in _said(kind, mine[kind], rules))]


def _said(kind: str, mine: list[RushHour], rules: Sequence[RushHour]) -> list[RushHour]:
    """``mine``, where it is not what ``rules`` say of every kind already. Without a line of its own
    a kind would go by theirs, so one that is never slow is said to be so.
    """
    of_all = [rule for rule in rules if not rule.profile]
    has_own = any(rule.profile == kind for rule in rules)
    if not kind or not of_all:
        return mine
    if not has_own and [replace(rule, profile="") for rule in mine] == of_all:
        return []
    return mine or [RushHour(0, 6, 0, 0, 1.0, kind)]


def _kept(kind: str, rules: Sequence[RushHour], hours: Sequence[HourTaken]) -> list[RushHour]:
    """What held for ``kind`` in hours of which nothing was learned."""
    held = [rule for rule in rules if rule.profile == kind] or [r for r in rules if not r.profile]
    known = [
        RushHour(h.first_day, h.last_day, h.hour * 60, (h.hour + 1) % 24 * 60, 1.0)
        for h in hours
        if h.factor is not None
    ]
    kept = [replace(rule, profile="") for rule in held]
    kept = [rule for rule in kept if not any(overlap((rule, one)) for one in known)]
    return [replace(rule, profile=kind) for rule in kept]


def _runs(told: Sequence[HourTaken], alike: float) -> list[list[HourTaken]]:
    runs: list[list[HourTaken]] = []
    for hour in told:
        if runs and _goes_on(runs[-1], hour, alike):
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return runs


def _middle(drives: Sequence[Drive]) -> float | None:
    """The median of how many times as long, each as heavy as it is long; to a twentieth."""
    if len(drives) < FEWEST:
        return None
    ranked = sorted((drive.took_s / drive.free_s, drive.free_s) for drive in drives)
    half, gone = sum(weight for _, weight in ranked) / 2, 0.0
    for times, weight in ranked:
        gone += weight
        if gone >= half:
            return round(min(max(times, LEAST), MOST) * 20) / 20
    return None


def _goes_on(run: Sequence[HourTaken], hour: HourTaken, alike: float) -> bool:
    last = run[-1]
    is_next = (last.first_day, last.hour + 1) == (hour.first_day, hour.hour)
    mean, factor = _mean(run), hour.factor or 1.0
    # A slow hour and a quick one together would be one like free roads, which neither is.
    return is_next and (mean > 1) == (factor > 1) and abs(mean - factor) <= alike + 1e-9


def _mean(run: Sequence[HourTaken]) -> float:
    drives = sum(hour.drives for hour in run)
    return sum((hour.factor or 1.0) * hour.drives for hour in run) / drives


def _line(run: Sequence[HourTaken], profile: str) -> RushHour:
    first, last = run[0], run[-1]
    factor = round(_mean(run) * 20) / 20
    ends_min = (last.hour + 1) % 24 * 60
    return RushHour(first.first_day, first.last_day, first.hour * 60, ends_min, factor, profile)
