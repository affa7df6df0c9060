"""When an order is wanted, from the texts that date pickers and shops' plugins write.

What cannot be read is left to people rather than guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from hub.core.values import TimeWindow, moments

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAY = re.compile(r"(?:[a-z]{3,6}day,?|(?:mon|tue|wed|thu|fri|sat|sun)\.?,?)\s+", re.I)
_ISO = re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)[T\s]*")
_SOLID = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?!\d)")
_NUMBERS = re.compile(r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4})(?!\d)")
_NAMED = re.compile(
    r"(?:(?P<d>\d{1,2})(?:st|nd|rd|th)?\.?,?\s+(?P<mon>[a-z]{3,9})\.?,?"
    r"|(?P<mon2>[a-z]{3,9})\.?\s+(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?)\s+(?P<y>\d{4})(?!\d)",
    re.IGNORECASE,
)
_CLOCK = r"(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?\s*(?:([ap])(?:\.?m\b\.?)?)?"
_HOURS = re.compile(rf"(?:from\s+)?{_CLOCK}\s*(?:-|–|—|to|until|till)\s*{_CLOCK}\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """``day`` only without ``windows``; ``None`` where no day can be read.

    ``unclear`` is what of the texts no program can read, for a person; "" if nothing.
    """

    windows: tuple[TimeWindow, ...] = ()
    day: date | None = None
    unclear: str = ""


def wanted(day: str, hours: str, zone: tzinfo, *, month_first: bool = False) -> Wanted:
    """When an order is wanted, by the shop's clocks: "24/11/2026" and "9am–12pm", for example.

    Hours may also follow the day in its own text. ``month_first``: 3/4/2026 is 4 March.
    """
    found = day_of(day, zone, month_first=month_first)
    if found is None:
        return Wanted(unclear=f"{day} {hours}".strip())
    hours = hours or found[1].removeprefix("00:00:00")
    if read := hours_of(hours):
        return Wanted((window(found[0], read, zone),))
    return Wanted((), found[0], hours)


def day_of(text: str, zone: tzinfo, *, month_first: bool) -> tuple[date, str] | None:
    """The day that ``text`` begins with, after a weekday maybe, and what follows it.

    ``None``: no day can be read.
    """
    text = text.strip()
    if re.fullmatch(r"\d{9,10}", text):
        moment = datetime.fromtimestamp(int(text), UTC)
        # WooCommerce's Order Delivery Date writes midnight of GMT (1795996800, 2026-11-22).
        midnight = moment.time() == time(0)
        return (moment if midnight else moment.astimezone(zone)).date(), ""
    if weekday := _WEEKDAY.match(text):
        text = text[weekday.end() :]
    if found := _ISO.match(text) or _SOLID.match(text):
        year, month, day = (int(found[part]) for part in "ymd")
    elif found := _NUMBERS.match(text):
        year, day, month = int(found["y"]), int(found["a"]), int(found["b"])
        if month > 12 or (found["sep"] == "/" and month_first and day <= 12):
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
    hour, minute, half, hour2, minute2, half2 = found.groups(default="")
    half, half2 = half.lower(), half2.lower()
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
    return TimeWindow(*moments(start, end))


def _clock(hour: str, minute: str, half: str) -> time:
    on_face = int(hour)
    if half:
        if not 1 <= on_face <= 12:
            raise ValueError("no such hour")
        on_face = on_face % 12 + (12 if half == "p" else 0)
    if on_face == 24 and not int(minute or 0):
        return time(23, 59)
    return time(on_face, int(minute or 0))
