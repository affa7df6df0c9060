"""Cells of one order as values; what cannot be read is noted at its row and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from math import ceil

from hub.core import csv_windows
from hub.core.csv_aliases import Field
from hub.core.csv_cells import number
from hub.core.csv_columns import Columns
from hub.core.csv_reading import Table
from hub.core.csv_rows import Preview, RowProblem
from hub.core.csv_windows import Day, Unclear
from hub.core.values import Point, TimeWindow, moments

_GRAMS = {
    "kg": Decimal(1000),
    "g": Decimal(1),
    "lb": Decimal("453.59237"),
    "lbs": Decimal("453.59237"),
    "oz": Decimal("28.349523125"),
}
MOST_GRAMS = 100_000_000
_MOST = {Field.SERVICE: 24 * 60, Field.FETCH_MINUTES: 24 * 60, Field.PARCELS: 100_000}
_NO_WEIGHT = "; it counts as nothing"
_ANY_HOUR = "It comes in for any hour of the day."
_INSTEAD = {
    Field.QUANTITY: "; it counts as 1",
    Field.SERVICE: "; your usual time is taken",
    Field.FETCH_MINUTES: "; your usual time is taken",
    Field.PARCELS: "; each line counts as one",
    Field.WEIGHT: _NO_WEIGHT,
}


@dataclass(slots=True)
class Cells:
    """One file being read: what its columns mean and where its problems are noted."""

    table: Table
    mapping: Columns
    preview: Preview
    country: str
    local: datetime
    now: datetime
    first: Mapping[Field, bool]
    zeros_kept: bool  # some postcode begins with 0: no spreadsheet ate the zeros of this file

    @property
    def zone(self) -> tzinfo:
        """The business's."""
        zone = self.local.tzinfo
        assert zone is not None, "local is aware"  # noqa: S101
        return zone

    def point(
        self,
        row: int,
        cells: Mapping[Field, str],
        north: Field = Field.LAT,
        east: Field = Field.LON,
    ) -> Point | None:
        """The coordinates, when both halves are on Earth and not the zero point."""
        written = cells.get(north, ""), cells.get(east, "")
        if not any(written):
            return None
        try:
            lat, lon = (float(value.replace(",", ".")) for value in written)
            if (lat, lon) != (0, 0):
                return Point(lat, lon)
        except ValueError:
            pass
        self.problem(
            row,
            north,
            ", ".join(written),
            "These are not coordinates. Write degrees, such as 60.1699 and 24.9384.",
        )
        return None

    def when(
        self, row: int, cells: Mapping[Field, str]
    ) -> tuple[tuple[TimeWindow, ...], date | None]:
        """The windows of an order and the day it is wanted."""
        spans: list[tuple[time, time]] = []
        text = cells.get(Field.WINDOW, "")
        day = self.day(row, cells, Field.DATE)
        start, stop = self.end(row, cells, Field.FROM), self.end(row, cells, Field.TO)
        dated = next((e.date() for e in (start, stop) if isinstance(e, datetime)), None)
        on = day.on if day else dated
        if isinstance(start, datetime) or isinstance(stop, datetime):
            base = on or self.local.date()
            opens = self.at(base, start or time(0))
            closes = self.at(opens.date(), stop or time(23, 59))
            try:
                return (_window(opens, closes),), on
            except ValueError:
                self.backwards(row, cells)
                return (), on
        try:
            if start or stop:
                whole = f"{cells.get(Field.FROM, '')} - {cells.get(Field.TO, '')}"
                spans = [csv_windows.check_span(start or time(0), stop or time(23, 59), whole)]
            elif text:
                if ":" in text and (parts := text.rsplit(",", 1)) and not day and len(parts) == 2:
                    day, text = self.dated_text(parts[0], text, parts[1])
                    on = day.on if day else on
                spans = csv_windows.read_spans(text)
            elif on and (said := csv_windows.span_in(cells.get(Field.INSTRUCTIONS, ""))):
                spans = [said]
        except Unclear as unclear:
            meaning = Field.WINDOW if text and not (start or stop) else Field.FROM
            self.problem(row, meaning, cells.get(meaning, ""), f"{unclear} {_ANY_HOUR}")
        if not spans and day and day.at:
            return (), on
        on = on or (self.local.date() if spans else None)
        if on is None:
            return (), None
        return tuple(self.span(on, opens, closes) for opens, closes in spans), on

    def span(self, on: date, opens: time, closes: time) -> TimeWindow:
        """From one time of day to another, on a day of the business."""
        return _window(self.at(on, opens), self.at(on, closes))

    def dated_text(self, before: str, text: str, after: str) -> tuple[Day | None, str]:
        """“Dec 3, 2026, 9 AM - 12 PM”: the day apart from the hours."""
        try:
            return csv_windows.read_day(before, self.first.get(Field.WINDOW, True), self.local), (
                after
            )
        except Unclear:
            return None, text

    def day(self, row: int, cells: Mapping[Field, str], meaning: Field) -> Day | None:
        """What a date cell says; ``None`` when it is blank or unclear."""
        written = cells.get(meaning)
        if not written:
            return None
        try:
            return csv_windows.read_day(written, self.first.get(meaning, True), self.local)
        except Unclear as unclear:
            # Hours without a day would be taken for today's.
            has_hours = any(part in cells for part in (Field.FROM, Field.TO, Field.WINDOW))
            then = "Its hours need a day." if has_hours else "It is taken for any day."
            self.problem(row, meaning, written, f"{unclear} {then}", fatal=has_hours)
            return None

    def end(self, row: int, cells: Mapping[Field, str], meaning: Field) -> time | datetime | None:
        """One end of a window: a time of day, or a moment where the cell names its day."""
        written = cells.get(meaning)
        if not written:
            return None
        try:
            clock, later = csv_windows.read_clock(written)
            if later:
                base = self.day(row, cells, Field.DATE)
                day = base.on if base else self.local.date()
                return self.at(day + timedelta(days=1), clock)
            return clock
        except Unclear as unclear:
            problem = str(unclear)
        try:
            moment = csv_windows.read_day(written, self.first.get(meaning, True), self.local).at
        except Unclear:
            moment = None
        if moment is None:
            self.problem(row, meaning, written, problem)
        return moment

    def at(self, on: date, clock: time | datetime) -> datetime:
        """``clock`` on a day of the business; a full moment stays itself."""
        if isinstance(clock, datetime):
            return clock
        return datetime.combine(on, clock, self.local.tzinfo)

    def backwards(self, row: int, cells: Mapping[Field, str]) -> None:
        """Note a window that ends before it begins."""
        self.problem(
            row,
            Field.TO,
            cells.get(Field.TO, ""),
            f"The window ends before it begins. Correct one of its ends. {_ANY_HOUR}",
        )

    def grams(self, row: int, cells: Mapping[Field, str]) -> int:
        """Weight of one piece; kilograms unless cell or header name another unit."""
        amount = self.decimal(row, cells, Field.WEIGHT)
        if amount is None:
            return 0
        words = f"{cells[Field.WEIGHT]} {self.header(Field.WEIGHT)}".lower()
        for symbol in "()_0123456789.,":
            words = words.replace(symbol, " ")
        unit = next((_GRAMS[word] for word in words.split() if word in _GRAMS), _GRAMS["kg"])
        grams = round(amount * unit)
        if grams > MOST_GRAMS:
            self.problem(row, Field.WEIGHT, cells[Field.WEIGHT], f"More than 100 t{_NO_WEIGHT}.")
        return grams if grams <= MOST_GRAMS else 0

    def minutes(self, row: int, cells: Mapping[Field, str]) -> Decimal | None:
        """Time at the stop, also written 0:15. ``None``: the business's usual."""
        clock = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?", cells.get(Field.SERVICE, ""))
        if clock:
            return Decimal(int(clock[1]) * 60 + int(clock[2]))
        return self.decimal(row, cells, Field.SERVICE)

    def whole(self, row: int, cells: Mapping[Field, str], meaning: Field) -> int | None:
        """A whole number, a broken one rounded up; ``None`` when the cell is blank or is none."""
        amount = self.decimal(row, cells, meaning)
        if amount is None:
            return None
        if (count := ceil(amount)) != amount:
            written = cells[meaning]
            message = f"“{written[:40]}” is not a whole number; it counts as {count}."
            self.problem(row, meaning, written, message)
        return count

    def decimal(self, row: int, cells: Mapping[Field, str], meaning: Field) -> Decimal | None:
        """An amount from 0 to what can be; ``None`` when the cell is blank or holds none."""
        written = cells.get(meaning)
        if not written:
            return None
        amount = number(written, decimal_comma=self.table.delimiter == ";")
        most, instead = _MOST.get(meaning, 999_999), _INSTEAD.get(meaning, "")
        if amount is not None and 0 <= amount <= most:
            return amount
        unit = " minutes" if meaning is Field.SERVICE else ""
        why = f"more than {most:,}{unit}" if amount and amount > most else "not an amount"
        self.problem(row, meaning, written, f"“{written[:40]}” is {why}{instead}.")
        return None

    def header(self, meaning: Field) -> str:
        """The file's own word for a meaning."""
        found = (i for i, known in self.mapping.items() if known == meaning)
        index = next(found, -1)
        if not 0 <= index < len(self.table.headers):
            return meaning.value.replace("_", " ")
        return self.table.headers[index]

    def problem(
        self, row: int, meaning: Field, value: str, message: str, *, fatal: bool = False
    ) -> None:
        """Note a doubt about one cell, once."""
        problem = RowProblem(row, self.header(meaning), value[:200], message, fatal)
        if problem not in self.preview.problems[-20:]:
            self.preview.problems.append(problem)


def _window(opens: datetime, closes: datetime) -> TimeWindow:
    """The window that clocks of one zone show. Raises ``ValueError`` when it runs backwards.

    Its ends keep their offset but not the zone: a time that clocks show twice would never
    equal itself once it was stored.
    """
    shown = (at.astimezone(opens.tzinfo) for at in moments(opens, closes))
    return TimeWindow(*(at.replace(tzinfo=timezone(at.utcoffset() or timedelta())) for at in shown))
