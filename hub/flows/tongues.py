"""The languages customers are spoken to in: one catalogue each, ``hub/languages/CODE.po``.

Another language is another file. It is read as it is, so nothing has to be compiled; days,
times and the forms of numbers are those of Unicode's CLDR, by Babel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent.parent / "languages"
SOURCE = "en"
CLOCK, DAY, YEAR = "HH:mm", "EEEE d MMMM", "EEEE d MMMM y"
"""As in Unicode's TR 35; a catalogue may order them otherwise."""


@dataclass(frozen=True)
class Spoken:
    """A ``hub.core.tongue.Tongue`` of one catalogue."""

    code: str
    words: NullTranslations

    @property
    def direction(self) -> str:
        return "rtl" if self._locale.character_order == "right-to-left" else "ltr"

    @property
    def name(self) -> str:
        """The language's own name for itself."""
        return str(self._locale.get_display_name(self._locale) or self.code).capitalize()

    @property
    def english_name(self) -> str:
        return str(self._locale.get_display_name("en") or self.code)

    def say(self, words: str, **values: object) -> str:
        said = self.words.gettext(words) if words else ""
        if not values:
            return said
        if self.direction == "rtl":
            values = {name: _isolated(value) for name, value in values.items()}
        return said.format(**values)

    def count(self, one: str, many: str, n: int) -> str:
        return self.words.ngettext(one, many, n).format(n=n)

    def clock(self, local: datetime) -> str:
        return format_time(local, self.say(CLOCK), locale=self._locale)

    def day(self, day: date) -> str:
        return format_date(day, self.say(DAY), locale=self._locale)

    def day_and_year(self, day: date) -> str:
        return format_date(day, self.say(YEAR), locale=self._locale)

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(self.code, sep="-")


@lru_cache(maxsize=1)
def languages() -> dict[str, str]:
    """The codes of those there are, each with its own name for itself; English first."""
    found = sorted(path.stem for path in FOLDER.glob("*.po"))
    return {code: _spoken(code).name for code in (SOURCE, *found)}


@lru_cache(maxsize=1)
def in_english() -> dict[str, str]:
    """The same, each as it is called in English."""
    return {code: _spoken(code).english_name for code in languages()}


def tongue(*wanted: str) -> Spoken:
    """The first of ``wanted`` (BCP 47) that is spoken, be it without its country; else English."""
    for code in wanted:
        for one in (code, code.partition("-")[0]):
            if one.lower() in languages():
                return _spoken(one.lower())
    return _spoken(SOURCE)


def _isolated(value: object) -> object:
    """A name in Latin letters keeps its own direction, and what stands beside it keeps its place
    (Unicode's FSI and PDI); times and numbers go with the sentence.
    """
    is_latin = isinstance(value, str) and re.search("[A-Za-z]", value)
    return f"\u2068{value}\u2069" if is_latin and "://" not in str(value) else value


@lru_cache(maxsize=32)
def _spoken(code: str) -> Spoken:
    if code == SOURCE:
        return Spoken(code, NullTranslations())
    with (FOLDER / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Spoken(code, GNUTranslations(compiled))
