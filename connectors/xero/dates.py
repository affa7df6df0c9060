"""A date that somebody wrote into a text: "deliver 28/11/2026", "for Fri 28 Nov"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WHOLE = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_NAME = rf"(?P<name>{_WHOLE})\b\.?"  # whole words: "12 Market Street" is no day in March
_YEAR = r"(?P<year>\d{4})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
ISO = re.compile(rf"\b{_YEAR}-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})\b")
NUMBERS = re.compile(r"\b(?P<a>\d{1,2})([/.-])(?P<b>\d{1,2})\2(?P<year>\d{4}|\d{2})\b")
DAY_NAME = re.compile(rf"\b{_DAY}\s+{_NAME}(?:,?\s+{_YEAR})?(?!\w)", re.I)
NAME_DAY = re.compile(rf"\b{_NAME}\s+{_DAY}(?:,?\s+{_YEAR})?\b", re.I)


def date_in(text: str, *, issued: date, month_first: bool = False) -> date | None:
    """The first date in ``text``; one without a year is the first such after ``issued``.

    ``None`` when there is none, or none of those that look like one is in the calendar.
    """
    return next((day for _, day in sorted(_dates(text, issued, month_first))), None)


def _dates(text: str, issued: date, month_first: bool) -> Iterator[tuple[int, date]]:
    for match in ISO.finditer(text):
        yield from _at(match, int(match["year"]), int(match["month"]), int(match["day"]))
    for match in NUMBERS.finditer(text):
        first, second = int(match["a"]), int(match["b"])
        month, day = (first, second) if month_first else (second, first)
        yield from _at(match, _full(int(match["year"])), month, day)
    for pattern in (DAY_NAME, NAME_DAY):
        for match in pattern.finditer(text):
            month, day = MONTHS.index(match["name"][:3].lower()) + 1, int(match["day"])
            if match["year"]:
                yield from _at(match, int(match["year"]), month, day)
            else:
                yield from _after(match, issued, month, day)


def _at(match: re.Match[str], year: int, month: int, day: int) -> Iterator[tuple[int, date]]:
    try:
        yield match.start(), date(year, month, day)
    except ValueError:
        return


def _after(match: re.Match[str], issued: date, month: int, day: int) -> Iterator[tuple[int, date]]:
    """An order may be billed some days after it was wanted, so a week before counts too."""
    for _, found in (
        *_at(match, issued.year, month, day),
        *_at(match, issued.year + 1, month, day),
    ):
        if found >= issued - timedelta(days=7):
            yield match.start(), found
            return


def _full(year: int) -> int:
    return year if year > 99 else 2000 + year
