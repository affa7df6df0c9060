"""What people write of breaks, further loads and kinds of goods; when a break is due."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from hub.core.plan_request import Break
from hub.core.values import TimeWindow, moments

MOST_BREAKS = 6
BREAKS_LIKE = "Write it as: 30 min between 11:30 and 13:30, 15 min at 10:00."
AMOUNTS_LIKE = "Write each as a name and a whole number: pallets: 6, crates: 40."
APART_LIKE = "Write two kinds with a stroke between them: raw fish / bread; bleach / bread."
MOST_GOODS, LONGEST_GOODS = 20, 60
MOST_APART = 200
OURS = frozenset({"g", "kg", "cm3", "litres", "parcels"})
"""Loads that have a box of their own."""
_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)"
_BREAK = re.compile(
    rf"(\d{{1,3}}) ?(?:min|mins|minutes)\.? (?:at {_CLOCK}|between {_CLOCK} and {_CLOCK})"
)
_AMOUNT = re.compile(r"([^:=,;\d][^:=,;]{0,39}?) ?[:=] ?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class UsualBreak:
    """A rest that begins between two times of day; at one of them where both are the same."""

    minutes: int
    opens: time
    closes: time

    def __str__(self) -> str:
        if self.opens == self.closes:
            return f"{self.minutes} min at {self.opens:%H:%M}"
        return f"{self.minutes} min between {self.opens:%H:%M} and {self.closes:%H:%M}"


def read_breaks(text: str) -> tuple[UsualBreak, ...]:
    """``30 min between 11:30 and 13:30, 15 min at 10:00``, as they follow each other there.

    Raises ``ValueError`` with what to write instead.
    """
    found = []
    for part in _parts(text):
        told = _BREAK.fullmatch(" ".join(part.lower().split()))
        if told is None:
            raise ValueError(f"“{part[:60]}” is not understood. {BREAKS_LIKE}")
        numbers = [int(digits) for digits in told.groups() if digits is not None]
        opens, closes = time(numbers[1], numbers[2]), time(numbers[-2], numbers[-1])
        if not 1 <= numbers[0] <= 240:
            raise ValueError("A break lasts 1 to 240 minutes.")
        found.append(UsualBreak(numbers[0], opens, closes))
    if len(found) > MOST_BREAKS:
        raise ValueError(f"At most {MOST_BREAKS} breaks.")
    return tuple(found)


def read_amounts(text: str) -> dict[str, int]:
    """``pallets: 6, crates: 40`` by name, in small letters.

    Raises ``ValueError`` with what to write instead.
    """
    found: dict[str, int] = {}
    for part in _parts(text):
        told = _AMOUNT.fullmatch(" ".join(part.lower().split()))
        if told is None:
            raise ValueError(f"“{part[:60]}” is not understood. {AMOUNTS_LIKE}")
        if told[1] in OURS:
            raise ValueError(f"“{told[1]}” has a field of its own. Write it there.")
        if told[1] in found:
            raise ValueError(f"“{told[1]}” stands here twice. Write it once.")
        found[told[1]] = int(told[2])
    return found


def amounts_text(amounts: Iterable[tuple[str, int]]) -> str:
    """As ``read_amounts`` reads them."""
    return ", ".join(f"{name}: {amount}" for name, amount in amounts)


def read_goods(text: str) -> frozenset[str]:
    """Names of kinds of goods, separated by commas, in small letters.

    Raises ``ValueError`` for one that is too long.
    """
    names = {" ".join(part.lower().split()) for part in _parts(text)}
    if any(len(name) > LONGEST_GOODS for name in names):
        raise ValueError(f"A kind of goods has at most {LONGEST_GOODS} letters.")
    if len(names) > MOST_GOODS:
        raise ValueError(f"At most {MOST_GOODS} kinds of goods.")
    return frozenset(names)


def read_apart(text: str) -> frozenset[tuple[str, str]]:
    """``raw fish / bread; bleach / bread``: kinds of goods that never share a load, two by two.

    Of three that are named together each stays apart from the others. Raises ``ValueError``
    with what to write instead.
    """
    found = set()
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        names = sorted({" ".join(name.lower().split()) for name in part.split("/")})
        if len(names) < 2 or not all(names) or any(len(n) > LONGEST_GOODS for n in names):
            raise ValueError(f"“{part[:60]}” is not understood. {APART_LIKE}")
        found |= set(combinations(names, 2))
    if len(found) > MOST_APART:
        raise ValueError(f"At most {MOST_APART} pairs.")
    return frozenset(found)


def apart_text(pairs: Iterable[tuple[str, str]]) -> str:
    """As ``read_apart`` reads it."""
    return "; ".join(f"{one} / {other}" for one, other in sorted(pairs))


def breaks_on(
    usual: Iterable[UsualBreak], day: date, shift: TimeWindow, zone: ZoneInfo
) -> tuple[Break, ...]:
    """The breaks that are due in ``shift``, which starts on ``day``, the earliest first.

    One at 02:00 is due after midnight in a night's shift, and not at all in a day's.
    """
    due = []
    for one in usual:
        for start in (day, day + timedelta(days=1)):
            last = start if one.closes >= one.opens else start + timedelta(days=1)
            window = _window(
                datetime.combine(start, one.opens, zone), datetime.combine(last, one.closes, zone)
            )
            if window.opens < shift.closes and window.closes >= shift.opens:
                due.append(Break(window, one.minutes * 60))
                break
    return tuple(sorted(due, key=lambda one: (one.window.opens, one.window.closes)))


def _window(opens: datetime, closes: datetime) -> TimeWindow:
    """A window of no length stays one."""
    if opens == closes:
        at = moments(opens, closes)[0]
        return TimeWindow(at, at)
    return TimeWindow(*moments(opens, closes))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
