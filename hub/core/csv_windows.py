"""Days and times of day as people write them in six languages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from hub.core.csv_aliases import normalise

MOST_SPANS = 10  # as the API takes
APPOINTMENT_S = 15 * 60  # a single time of day means: a quarter of an hour either side
_MONTHS = {
    word: n
    for n, words in enumerate(
        [
            "jan ene gen janv januar january janvier",
            "feb fev fevr februar february fevrier",
            "mar mrt mars maa marz mae maerz march",
            "apr avr abr avril april",
            "may mai mei mag mayo maj",
            "jun juin giu juni june",
            "jul juil lug juli july juillet",
            "aug aou aout ago august",
            "sep sept set september",
            "oct okt ott october oktober",
            "nov november novembre",
            "dec dez dic des december dezember decembre",
        ],
        start=1,
    )
    for word in words.split()
}
_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}:\d{2})(?::\d{2}(?:\.\d+)?)?)?"
    r" ?(Z|[+-]\d{2}:?\d{2})?"
)
_NUMERIC = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})(?:[ ,]+(.+))?")
_NAMED = re.compile(
    r"(?:[^\W\d]+[,.]? )?(?:(\d{1,2})[.\- ]*([^\W\d_]+)|([^\W\d_]+)[.\- ]*(\d{1,2}))"
    r"[.,\- ]*(\d{4}|\d{2})?",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})? ?(a\.?m\.?|p\.?m\.?|uhr|uur|u|h|heures)?(?: ?\(\+1\))?"
)
_PARTS = {
    (9, 12): "morning matin vormittag manana ochtend mattina aamu aamupaiva am",
    (12, 18): "afternoon apresmidi nachmittag tarde middag pomeriggio iltapaiva pm",
    (18, 21): "evening soir abend noche avond sera ilta",
}
_DAY_PARTS = {word: hours for hours, words in _PARTS.items() for word in words.split()}
_BEFORE = re.compile(r"^(before|by|until|avant|vor|bis|voor|tot|antes de las?|prima delle|<) ?")
_AFTER = re.compile(
    r"^(after|from|apr[eè]s|d[eè]s|ab|nach|na|vanaf|despu[eé]s de las?|dopo le|>) ?"
)
_BETWEEN = re.compile(
    r"\b(?:between|entre|zwischen|tussen|tra le|deliver) (\d\S*(?: [ap]m)?)"
    r" ?(?:and|et|und|en|y|e|-|–) ?(\d\S*(?: ?[ap]m\b)?)",
    re.IGNORECASE,
)
_RANGE = re.compile(r" ?(?:-|–|—| to | till | bis | à | a | et | and | und | en | y | tot ) ?")


class Unclear(Exception):
    """A date or time that must be asked back. The text is a sentence for its author."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a date cell says; ``at`` where it says a time too."""

    on: date
    at: datetime | None = None


def day_first(values: Iterable[str], preferred: bool) -> tuple[bool, bool]:
    """(is the day written first, was that certain) for one column of dates."""
    firsts = seconds = seen = 0
    for value in values:
        if (match := _NUMERIC.fullmatch(value)) and match[2] != ".":
            seen += 1
            firsts += int(match[1]) > 12
            seconds += int(match[3]) > 12
    if bool(firsts) != bool(seconds):
        return firsts > 0, True
    return preferred, seen == 0


def read_day(text: str, first: bool, zone: datetime) -> Day:
    """The day in ``text``. ``zone`` is any moment of the business's clock. Raises ``Unclear``."""
    day = _day(text, first, zone)
    if not 2000 <= day.on.year <= 2100:
        raise Unclear(f"“{text[:60]}” is not a day of this century. Write it as 2026-12-31.")
    return day


def read_clock(text: str) -> tuple[time, int]:
    """The time of day in ``text`` and how many days later it is ("3:56pm (+1)")."""
    text = text.strip().lower()
    asked = Unclear(f"“{text[:60]}” is not a time of day we can read. Write it as 16:30.")
    later = int(text.endswith("(+1)"))
    if re.fullmatch(r"0?[.,]\d+", text):  # a spreadsheet's share of a day
        minutes = round(float(text.replace(",", ".")) * 1440)
        return time(minutes // 60 % 24, minutes % 60), later
    if military := re.fullmatch(r"(\d{1,2})(\d{2})", text):
        text = f"{military[1]}:{military[2]}"
    match = _CLOCK.fullmatch(text)
    if not match:
        raise asked
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "")[:1]
    if half in ("a", "p"):
        if not 1 <= hour <= 12:
            raise asked
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59:
        raise asked
    return time(hour, minute), later


def read_spans(text: str) -> list[tuple[time, time]]:
    """The spans of a day in ``text``, in the order written. Raises ``Unclear``."""
    text = re.sub(r"\s+", " ", text.strip().lower())
    try:
        return [_span(text)]
    except Unclear:
        parts = [part.strip() for part in re.split(r"[,;/&]", text) if part.strip()]
        if len(parts) < 2:
            raise
        if len(parts) > MOST_SPANS:
            raise Unclear(f"These are more than {MOST_SPANS} time windows. Write fewer.") from None
        return [_span(part) for part in parts]


def span_in(note: str) -> tuple[time, time] | None:
    """The span a sentence names outright ("deliver between 9am and 5pm"), else ``None``."""
    if found := _BETWEEN.search(note):
        try:
            return _span(f"{found[1]} - {found[2].rstrip('.,;')}".lower())
        except Unclear:
            return None
    return None


def check_span(opens: time, closes: time, text: str) -> tuple[time, time]:
    if closes < opens:
        raise Unclear(f"“{text[:60]}” ends before it begins. Write both times of one day.")
    return opens, closes


def _day(text: str, first: bool, zone: datetime) -> Day:
    text = re.sub(r"\s+", " ", text.strip())
    try:
        if match := _ISO.fullmatch(text):
            on = date(int(match[1]), int(match[2]), int(match[3]))
            if not match[4]:
                return Day(on)
            if match[5]:
                moment = datetime.fromisoformat(f"{on}T{match[4].zfill(5)}{match[5]}")
                moment = moment.astimezone(zone.tzinfo)
                return Day(moment.date(), moment)
            return Day(on, datetime.combine(on, read_clock(match[4])[0], zone.tzinfo))
        if match := _NUMERIC.fullmatch(text):
            a, b, year = int(match[1]), int(match[3]), _year(match[4])
            on = date(year, b, a) if first or match[2] == "." else date(year, a, b)
            if not match[5]:
                return Day(on)
            clock, later = read_clock(match[5])
            return Day(on, datetime.combine(on + timedelta(later), clock, zone.tzinfo))
        if re.fullmatch(r"[3-5]\d{4}(?:[.,]\d+)?", text):
            return Day(date(1899, 12, 30) + timedelta(int(text[:5])))
        if re.fullmatch(r"20\d{6}", text):
            return Day(date(int(text[:4]), int(text[4:6]), int(text[6:])))
        if match := _NAMED.fullmatch(text):
            month = _MONTHS.get(normalise(match[2] or match[3]))
            month = month or _MONTHS.get(normalise(match[2] or match[3])[:3])
            if month:
                year = _year(match[5]) if match[5] else zone.year
                return Day(date(year, month, int(match[1] or match[4])))
    except (ValueError, OverflowError):
        pass
    raise Unclear(f"“{text[:60]}” is not a date we can read. Write it as 2026-12-31.")


def _span(text: str) -> tuple[time, time]:
    if hours := _DAY_PARTS.get(normalise(text)):
        return time(hours[0]), time(hours[1])
    eaten = re.fullmatch(r"(?:\d{4}-(\d\d)-(\d\d)|(\d{1,2})-([a-z]{3})|([a-z]{3})-(\d{1,2}))", text)
    if eaten:  # "9-12" typed into a spreadsheet has become the ninth of December
        month = eaten[1] or str(_MONTHS.get(eaten[4] or eaten[5] or "", 0))
        low, high = sorted((int(month), int(eaten[2] or eaten[3] or eaten[6])))
        if 6 <= low < high <= 23:
            return time(low), time(high)
        raise Unclear(f"“{text}” is a date, not a time window. Write it as 09:00-12:00.")
    if match := _BEFORE.match(text):
        return time(0), read_clock(text[match.end() :])[0]
    if match := _AFTER.match(text):
        if not _RANGE.search(text[match.end() :]):
            return read_clock(text[match.end() :])[0], time(23, 59)
        text = text[match.end() :]
    text = re.sub(r"^(between|entre|zwischen|tussen|tra le|von|van|de|dalle|deliver) ", "", text)
    ends = _RANGE.split(text)
    if len(ends) == 1:
        middle = datetime.combine(date(2000, 1, 2), read_clock(ends[0])[0])
        around = timedelta(seconds=APPOINTMENT_S)
        low_at, high_at = middle - around, middle + around
        return (
            low_at.time() if low_at.day == 2 else time(0),
            high_at.time() if high_at.day == 2 else time(23, 59),
        )
    if len(ends) != 2:
        raise Unclear(f"“{text[:60]}” is not a time window we can read. Write it as 09:00-12:00.")
    half = re.search(r"[ap]\.?m", ends[1])
    if re.fullmatch(r"\d{1,2}", ends[0].strip()) and half:
        opens = read_clock(ends[0] + half[0])[0]  # "9-11am"
        if opens > read_clock(ends[1])[0]:
            opens = read_clock(ends[0] + "am")[0]
    else:
        opens = read_clock(ends[0])[0]
    if opens < time(6) and re.fullmatch(r"[1-5] ?- ?\d{1,2}", text):
        raise Unclear(f"“{text}” could be night or afternoon. Write it as 13:00-16:00.")
    return check_span(opens, read_clock(ends[1])[0], text)


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)
