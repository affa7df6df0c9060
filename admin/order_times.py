"""When a typed-in order may come, at one time or another: rows of hours, as the API takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from admin.words import a_day
from hub.core.values import moments

Window = dict[str, datetime]


@dataclass(frozen=True, slots=True)
class Desk:
    """The business at whose desk it is typed, and when. ``depots``: their names."""

    zone: ZoneInfo
    country: str
    now: datetime
    depots: tuple[str, ...] = ()

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Row:
    """The names of its fields. ``day`` empty: it is always on the order's own day."""

    opens: str
    closes: str
    day: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.day, self.opens, self.closes)))


MORE_TIMES = tuple(Row(f"opens{n}", f"closes{n}", f"day{n}") for n in (2, 3, 4))
TIMES = (Row("opens", "closes"), *MORE_TIMES)
TIME_NAMES = ("day", *(name for row in TIMES for name in row.names))


def read_day(
    typed: Mapping[str, str], name: str, desk: Desk, errors: dict[str, str]
) -> date | None:
    day = a_day(typed[name])
    if typed[name] and day is None:
        errors[name] = "This is not a day. Write it as 2026-12-31."
    elif day and day < desk.today:
        errors[name] = "This day is over. Choose today or a later one."
    return day


def read_when(
    typed: Mapping[str, str], desk: Desk, errors: dict[str, str]
) -> tuple[date | None, list[Window]]:
    """The first day it is wanted on, and its windows, the earliest first."""
    day = read_day(typed, "day", desk, errors)
    windows = read_windows(typed, TIMES, day, desk, errors)
    first = windows[0]["opens"].astimezone(desk.zone).date() if windows else day
    has_hours = typed["opens"] or typed["closes"]
    if day and windows and not has_hours and all(_day(w, desk) != day for w in windows):
        errors["opens"] = "Say from when until when on this day too, or leave the day empty."
    return (min(day, first) if day and first else day), windows


def read_windows(
    typed: Mapping[str, str],
    rows: Sequence[Row],
    day: date | None,
    desk: Desk,
    errors: dict[str, str],
) -> list[Window]:
    """What the rows say, the earliest first; ``day``: of those without one of their own."""
    found = [window for row in rows if (window := _window(typed, row, day, desk, errors))]
    return sorted(found, key=lambda window: window["opens"])


def _window(
    typed: Mapping[str, str], row: Row, day: date | None, desk: Desk, errors: dict[str, str]
) -> Window | None:
    before = len(errors)
    own = read_day(typed, row.day, desk, errors) if row.day else None
    ends = {name: _clock(typed, name, errors) for name in (row.opens, row.closes) if typed[name]}
    if len(errors) > before:
        return None
    if not ends:
        if own is not None:
            errors[row.opens] = "Say from when until when, or leave the whole row empty."
        return None
    if (on := own or day) is None:
        if not typed["day"]:
            errors.setdefault("day", "Hours need a day. Choose one, or leave the hours empty.")
        return None
    opens, closes = ends.get(row.opens) or time(0), ends.get(row.closes) or time(23, 59)
    if closes <= opens:
        errors[row.closes] = "This is not after the time it begins."
        return None
    shown = moments(*(datetime.combine(on, at, desk.zone) for at in (opens, closes)))
    span = (at.astimezone(desk.zone) for at in shown)
    return dict(zip(("opens", "closes"), span, strict=True))


def _clock(typed: Mapping[str, str], name: str, errors: dict[str, str]) -> time | None:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", typed[name]):
        errors[name] = "This is not a time of day. Write it as 16:30."
        return None
    return time.fromisoformat(typed[name])


def _day(window: Window, desk: Desk) -> date:
    return window["opens"].astimezone(desk.zone).date()
