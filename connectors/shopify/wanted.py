"""When an order is wanted, from what date pickers write into a cart's attributes.

What cannot be read is left to people rather than guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from hub import TimeWindow

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.?,?\s+([a-z]{3,9})\.?,?\s+(\d{4})(?!\d)", re.I)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)", re.I)
_WEEKDAY = re.compile(r"[a-z]{3,9}day,?\s+|(?:mon|tue|wed|thu|fri|sat|sun)\.?,?\s+", re.I)
_CLOCK = r"(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?\s*(?:([ap])\.?m\.?)?"
_HOURS = re.compile(rf"(?:from\s+)?{_CLOCK}\s*(?:-|–|—|to|until|till)\s*{_CLOCK}", re.IGNORECASE)


def day_of(text: str, *, month_first: bool) -> date | None:
    """The day that ``text`` begins with, after a weekday maybe; ``None`` when none can be read."""
    text = _WEEKDAY.sub("", text.strip(), count=1) if _WEEKDAY.match(text.strip()) else text.strip()
    if found := _ISO.match(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _NUMBERS.match(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        us = month_first and found[2] == "/" and first <= 12
        month, day = (first, second) if us or second > 12 else (second, first)
    elif found := _DAY_MONTH.match(text):
        day, month, year = int(found[1]), _month(found[2]), int(found[3])
    elif found := _MONTH_DAY.match(text):
        month, day, year = _month(found[1]), int(found[2]), int(found[3])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def hours_of(text: str) -> tuple[time, time] | None:
    """From when to when, for "13:00 - 14:00", "9am–12pm", "1:00 PM - 3:00 PM", "1-3 pm"."""
    found = _HOURS.fullmatch(text.strip())
    if not found:
        return None
    hour, minute, half, hour2, minute2, half2 = found.groups()
    half, half2 = (half or "").lower(), (half2 or "").lower()
    if half2 and not half:  # "1-3 pm"; "11-1 pm" begins before noon
        half = half2
        if int(hour) % 12 > int(hour2) % 12:
            half = "a" if half2 == "p" else "p"
    try:
        return _clock(hour, minute, half), _clock(hour2, minute2, half2)
    except ValueError:
        return None


def window(day: date, hours: tuple[time, time], zone: tzinfo) -> TimeWindow:
    """``hours`` on ``day`` by the shop's clocks; past midnight when they end before they begin."""
    start, end = (datetime.combine(day, hour, zone) for hour in hours)
    if end <= start:
        end += timedelta(days=1)
    opens, closes = start.astimezone(UTC), end.astimezone(UTC)
    if closes <= opens:  # clocks leave this out in spring: it is later by as much
        closes = opens + (end - start)
    return TimeWindow(opens, closes)


def _month(name: str) -> int:
    start = name[:3].lower()
    return MONTHS.index(start) + 1 if start in MONTHS else 0


def _clock(hour: str, minute: str | None, half: str) -> time:
    on_face = int(hour)
    if half:
        if not 1 <= on_face <= 12:
            raise ValueError("no such hour")
        on_face = on_face % 12 + (12 if half == "p" else 0)
    if on_face == 24 and not int(minute or 0):
        return time(23, 59)
    return time(on_face, int(minute or 0))
