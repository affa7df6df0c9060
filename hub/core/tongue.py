"""How a language is spoken to; which ones there are, and their words, lie in catalogues."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol


class Tongue(Protocol):
    """One language. The words of the program are English; what has no translation stays so."""

    @property
    def code(self) -> str:
        """As in HTML's ``lang``."""

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, as in HTML's ``dir``."""

    def say(self, words: str, **values: object) -> str:
        """``words`` in this language, ``{name}`` in them replaced by the value of that name."""

    def count(self, one: str, many: str, n: int) -> str:
        """The form for ``n``, which replaces ``{n}`` in it."""

    def clock(self, local: datetime) -> str:
        """Hours and minutes."""

    def day(self, day: date) -> str:
        """The weekday, the day and the month."""

    def day_and_year(self, day: date) -> str: ...


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


class English:
    """The words as they are in the program."""

    code, direction = "en", "ltr"

    def say(self, words: str, **values: object) -> str:
        return words.format(**values) if values else words

    def count(self, one: str, many: str, n: int) -> str:
        return (one if n == 1 else many).format(n=n)

    def clock(self, local: datetime) -> str:
        return f"{local:%H:%M}"

    def day(self, day: date) -> str:
        return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"

    def day_and_year(self, day: date) -> str:
        return f"{self.day(day)} {day.year}"


ENGLISH: Tongue = English()
