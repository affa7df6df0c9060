"""When an order is wanted, from the texts that stores' plugins write. What cannot be read is
left to people rather than guessed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from hub import TimeWindow

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ISO = re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)[T\s]*")
_SOLID = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?!\d)")
_NUMBERS = re.compile(r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4})(?!\d)")
_NAMED = re.compile(
    r"(?:[a-z]+,?\s+)?(?:(?P<d>\d{1,2})(?:st|nd|rd|th)?\.?\s+(?P<mon>[a-z]{3,9})\.?,?"
    r"|(?P<mon2>[a-z]{3,9})\.?\s+(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?)\s+(?P<y>\d{4})(?!\d)",
    re.IGNORECASE,
)
_CLOCK = r"(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?\s*([ap])?\.?(?:m\b\.?)?"
_HOURS = re.compile(
    rf"(?:from\s+)?{_CLOCK}\s*(?:-|–|—|to|until|till)\s*{_CLOCK}\s*$", re.IGNORECASE
)


def day_of(text: str, zone: tzinfo, *, month_first: bool) -> tuple[date, str] | None:
    """The day that ``text`` begins with, and what follows it. ``None``: no day can be read."""
    text = text.strip()
    if re.fullmatch(r"\d{9,10}", text):
        moment = datetime.fromtimestamp(int(text), UTC)
        # Order Delivery Date writes midnight of GMT (1795996800, recorded 2026-11-22).
        midnight = moment.time() == time(0)
        return (moment if midnight else moment.astimezone(zone)).date(), ""
    if found := _ISO.match(text) or _SOLID.match(text):
        year, month, day = (int(found[part]) for part in "ymd")
    elif found := _NUMBERS.match(text):
        year, day, month = int(found["y"]), int(found["a"]), int(found["b"])
        if found["sep"] == "/" and (month > 12 or (month_first and day <= 12)):
            day, month = month, day
    elif found := _NAMED.match(text):
        name = (found["mon"] or found["mon2"])[:3].lower()
        month = MONTHS.index(name) + 1 if name in MONTHS else 0
        year, day = int(found["y"]), int(found["d"] or found["d2"])
    else:
        return None
    try:
        return date(year, month, day), text[found.end() :].strip(" ,;")
    except ValueError:
        return None


def hours_of(text: str) -> tuple[time, time] | None:
    """From when to when, for "13:00 - 14:00", "9am–12pm", "1:00 PM - 3:00 PM", "1-3 pm"."""
    found = _HOURS.fullmatch(text.strip())
    if not found:
        return None
    hour, minute, half, hour2, minute2, half2 = found.groups()
    half2 = half2 and half2.lower()
    half = half.lower() if half else half2
    if half and half == half2 and int(hour) % 12 > int(hour2) % 12 and not found[3]:
        half = "a" if half2 == "p" else "p"  # "11 - 1 pm" begins before noon
    try:
        return _clock(hour, minute, half), _clock(hour2, minute2, half2)
    except ValueError:
        return None


def window(day: date, hours: tuple[time, time], zone: tzinfo) -> TimeWindow:
    """``hours`` on ``day`` by the store's clocks; past midnight when they end before they begin."""
    start, end = (datetime.combine(day, hour, zone) for hour in hours)
    if end <= start:
        end += timedelta(days=1)
    opens, closes = start.astimezone(UTC), end.astimezone(UTC)
    if closes <= opens:  # clocks leave this out in spring: it is later by as much
        closes = opens + (end - start)
    return TimeWindow(opens, closes)


def _clock(hour: str, minute: str | None, half: str | None) -> time:
    on_face = int(hour)
    if half:
        if not 1 <= on_face <= 12:
            raise ValueError("no such hour")
        on_face = on_face % 12 + (12 if half == "p" else 0)
    if on_face == 24 and not int(minute or 0):
        return time(23, 59)
    return time(on_face, int(minute or 0))
