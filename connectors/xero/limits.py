"""What Xero allows, as its replies tell it.

60 calls a minute, 5 at a time and 5,000 a day for each organisation and app; every reply says
what is left (developer.xero.com/faq/limits, 2026-11). One client makes one call after the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub import RateLimited

KEPT_FOR_RECORDS = 100
"""Calls of a day that reading leaves for delivery records: a record takes five at most."""
MINUTE_S, HOUR_S = 60.0, 3600.0


class Allowance:
    """What is left of the minute and the day, as far as replies have said."""

    def __init__(self) -> None:
        self._minute: int | None = None  # None: no reply has said
        self._day: int | None = None

    def noted(self, headers: Mapping[str, str]) -> None:
        self._minute = _number(headers.get("X-MinLimit-Remaining"))
        self._day = _number(headers.get("X-DayLimit-Remaining"))

    def demand(self, *, writes: bool) -> None:
        """Raise ``RateLimited`` rather than make a call that Xero would refuse.

        A day is a rolling one, so that something is free again within the hour.
        """
        if self._minute is not None and self._minute <= 0:
            self._minute = None  # the next try asks Xero
            raise RateLimited("Xero allows 60 calls a minute.", retry_after=MINUTE_S)
        if self._day is not None and self._day <= (0 if writes else KEPT_FOR_RECORDS):
            self._day = None
            raise RateLimited(_day_is_used(HOUR_S), retry_after=HOUR_S)


def refused(headers: Mapping[str, str]) -> RateLimited:
    """The pause that a 429 asks for: ``X-Rate-Limit-Problem`` says which limit was met."""
    pause = float(_number(headers.get("Retry-After")) or 0)
    problem = headers.get("X-Rate-Limit-Problem", "").lower()
    if problem == "day":
        return RateLimited(_day_is_used(pause or HOUR_S), retry_after=pause or HOUR_S)
    if problem == "concurrent":
        return RateLimited("Xero allows 5 calls at a time.", retry_after=pause or 5.0)
    return RateLimited("Xero asks for a pause.", retry_after=pause or MINUTE_S)


def _day_is_used(pause_s: float) -> str:
    hours, minutes = divmod(round(pause_s / 60), 60)
    return (
        "Xero's calls for today are used up (5,000 a day for each organisation)."
        f" The hub goes on in {hours} h {minutes} min."
    )


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None
