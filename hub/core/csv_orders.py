"""A table of strangers' rows to orders, with every doubt said at its row and column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.core import csv_windows
from hub.core.branding import slug_of
from hub.core.countries import (
    CURRENCIES,
    HOUSE_FIRST,
    MONTH_FIRST,
    country_code,
    repaired_postcode,
)
from hub.core.csv_aliases import Field, normalise
from hub.core.csv_cells import currency, number, safe_cell, unguarded
from hub.core.csv_columns import Columns, guess_columns
from hub.core.csv_fetch import pick_up_of
from hub.core.csv_limits import LONGEST, shorten
from hub.core.csv_planning import planning_of
from hub.core.csv_reading import BadFile, Table, read_table
from hub.core.csv_rows import PLACE_FIELDS, Past, Preview, Row, RowProblem, grouped, rows_of
from hub.core.csv_template import template_csv
from hub.core.csv_values import Cells
from hub.core.orders import IncomingOrder, Kind, day_gone
from hub.core.phones import e164, lost_digits
from hub.core.places import place_key
from hub.core.values import Address, Contact, Line, Role

__all__ = [
    "BadFile",
    "Columns",
    "Field",
    "Preview",
    "RowProblem",
    "Table",
    "guess_columns",
    "orders_from",
    "read_table",
    "safe_cell",
    "template_csv",
    "unguarded",
]

_DATED = (Field.DATE, Field.FROM, Field.TO, Field.WINDOW)
_IDENTITY = (
    Field.RECIPIENT,
    Field.FIRST_NAME,
    Field.LAST_NAME,
    Field.COMPANY,
    *PLACE_FIELDS,
)
_CANCELLED = frozenset(
    [
        "cancelled",
        "canceled",
        "storniert",
        "annulliert",
        "annule",
        "annulee",
        "cancelado",
        "annullato",
        "geannuleerd",
        "peruttu",
        "peruutettu",
    ]
)
_GONE = _CANCELLED | {"refunded", "voided", "failed", "wccancelled", "wcrefunded", "wcfailed"}
_PICKS_UP = (
    "pickup",
    "clickandcollect",
    "clickcollect",
    "abholung",
    "retrait",
    "nouto",
    "afhalen",
)
_KINDS = {
    **dict.fromkeys(
        ["d", "deliver", "delivery", "dropoff", "drop", "false", "no", "0"],
        Kind.DELIVER,
    ),
    **dict.fromkeys(
        [
            "p",
            "pickup",
            "collect",
            "collection",
            "return",
            "abholung",
            "true",
            "yes",
            "1",
        ],
        Kind.COLLECT,
    ),
    **dict.fromkeys(["t", "task", "service", "serve", "visit", "install", "repair"], Kind.SERVE),
}
_PRIORITIES = {"l": 0, "low": 0, "m": 0, "medium": 0, "normal": 0, "h": 6, "high": 6}
_PRIORITIES |= {"c": 9, "critical": 9, "urgent": 9}
_ON_DELIVERY = frozenset({"cashondelivery", "cod", "nachnahme", "contreremboursement"})
_TILLS = frozenset({"pos", "pointofsale"})


def orders_from(
    table: Table,
    mapping: Columns,
    *,
    zone: ZoneInfo,
    country: str,
    now: datetime,
    day_first: bool | None = None,
    brands: frozenset[str] | None = None,
) -> Preview:
    """Every order the table holds, problems and rows left out with why. Safe to repeat.

    ``country`` reads phones and addresses that name none. ``day_first`` settles 3/12 where
    the column itself does not; ``None`` takes the country's habit. Times without a day are
    meant for the day of ``now`` in ``zone``. ``brands``: the short names that brands go by, none
    for a business with one brand; ``None`` keeps what is written. An order whose day is over is
    under ``past``.
    """
    preview = Preview()
    rows = rows_of(table, mapping, preview)
    preferred = day_first if day_first is not None else country not in MONTH_FIRST
    first: dict[Field, bool] = {}
    asked: list[str] = []
    for index, meaning in mapping.items():
        if meaning in _DATED and index < len(table.headers):
            column = [row.cells.get(meaning, "") for row in rows]
            first[meaning], certain = csv_windows.day_first(column, preferred)
            if not certain and day_first is None:
                asked.append(table.headers[index])
    zeros_kept = any(row.cells.get(Field.POSTCODE, "").startswith("0") for row in rows)
    local = now.astimezone(zone)
    reader = _Reader(table, mapping, preview, country, local, now, first, zeros_kept, brands)
    refs: dict[str, int] = {}
    for group in grouped(rows, preview):
        reader.order(group, refs)
    preview.problems.sort(key=lambda problem: problem.row)
    preview.skipped.sort()
    return replace(preview, asked=tuple(asked))


@dataclass(slots=True)
class _Reader(Cells):
    """One file being read into orders."""

    brands: frozenset[str] | None = None

    def order(self, group: list[Row], refs: dict[str, int]) -> None:
        if group[0].is_out:
            self._leave_out(group)
            return
        cells: dict[Field, str] = {}
        custom: dict[str, str] = {}
        for part in group:
            for meaning, value in part.cells.items():
                cells.setdefault(meaning, value)
            for header, value in part.custom.items():
                custom.setdefault(header[:200], value)
        row = group[0].number
        shipped = [r for r in group if not _is_no(r.cells.get(Field.NEEDS_SHIPPING, ""))]
        if reason := _why_cancelled(cells):
            self.preview.skipped.append((row, reason))
            self.preview.cancelled.append((row, _ref(cells)))
            return
        if reason := self._why_not(cells, shipped):
            self.preview.skipped.append((row, reason))
            return
        if not self._fits(row, cells):
            return
        for line in cells.get(Field.ATTRIBUTES, "").splitlines():
            key, _, value = line.partition(":")
            if value.strip():
                self._attribute(key.strip(), value.strip(), cells, custom)
        self._doubt_status(row, cells)
        place = self._country(row, cells)
        address = self._address(row, cells, place)
        point = self.point(row, cells)
        if point is None and not place_key(address):
            said = next((part for part in PLACE_FIELDS if part in self.mapping.values()), None)
            column = self.header(said) if said else ""
            message = "This row has no address. Add one."
            self.preview.problems.append(RowProblem(row, column, "", message, True))
            return
        before = len(self.preview.problems)
        windows, due_on = self.when(row, cells)
        if any(problem.is_fatal for problem in self.preview.problems[before:]):
            return
        pick_up = pick_up_of(self, row, cells, windows, due_on)
        if any(problem.is_fatal for problem in self.preview.problems[before:]):
            return
        lines = self._lines(shipped, cells)
        parcels = self.whole(row, cells, Field.PARCELS)
        if parcels is None and not {Field.ITEM, Field.SKU} & cells.keys():
            parcels = self.whole(row, cells, Field.QUANTITY)
        again = ref = _ref(cells)
        while again in refs:
            refs[ref] += 1
            again = f"{ref}-{refs[ref]}"
        refs[again], ref = 1, again
        if len(ref) > LONGEST[Field.ORDER_REF]:  # as long as it may be, and twice in the file
            message = "This number stands in the file twice. Give each order its own."
            self.problem(row, Field.ORDER_REF, ref, message, fatal=True)
            return
        minutes = self.minutes(row, cells)
        if (driver := cells.get(Field.DRIVER)) and Field.DRIVER in self.mapping.values():
            custom.setdefault(self.header(Field.DRIVER), driver)
        order = IncomingOrder(
            ref=ref,
            number=cells.get(Field.ORDER_REF) or ref,
            updated_at=self.now,
            address=address,
            contacts=self._contacts(row, cells, place),
            kind=self._kind(row, cells, is_fetched=pick_up is not None),
            pick_up=pick_up,
            lines=lines,
            parcels=parcels,
            windows=windows,
            due_on=due_on,
            point=point,
            service_s=int(minutes * 60) if minutes is not None else None,
            skills=frozenset(_split(cells.get(Field.SKILLS, ""))),
            priority=self._priority(row, cells),
            payment_due=self._payment(cells, place),
            instructions=cells.get(Field.INSTRUCTIONS, ""),
            tags=tuple(_split(cells.get(Field.TAGS, ""))),
            custom=custom,
            brand=self._brand(row, cells),
            **planning_of(self, row, cells, windows, due_on),
        )
        if gone := day_gone(order, self.local.date(), self.zone):
            said = next((part for part in _DATED if part in cells), Field.DATE)
            self.preview.past.append(Past(row, self.header(said), gone, order))
        else:
            self.preview.orders.append(order)

    def _brand(self, row: int, cells: Mapping[Field, str]) -> str:
        """As written, or empty where the business has no such brand. With one brand alone the
        column is of something else, who made the goods perhaps.
        """
        written = cells.get(Field.BRAND, "")
        if not written or self.brands is None or slug_of(written) in self.brands:
            return written
        if self.brands:
            message = f"You have no brand “{written[:40]}”; the order takes the usual one."
            self.problem(row, Field.BRAND, written, message)
        return ""

    def _leave_out(self, group: list[Row]) -> None:
        for row in group[1:]:
            message = f"This row belongs to row {group[0].number}, which was left out."
            self.preview.problems.append(RowProblem(row.number, "", "", message, True))

    def _fits(self, row: int, cells: dict[Field, str], *, goods: bool = False) -> bool:
        """Shorten what is too long, and say so. ``False``: the order cannot come in."""
        found = list(shorten(cells, goods=goods))
        for one in found:
            self.problem(row, one.meaning, one.written, one.message, fatal=one.is_fatal)
        return not any(one.is_fatal for one in found)

    def _why_not(self, cells: Mapping[Field, str], shipped: list[Row]) -> str:
        if not shipped:
            return "nothing in it needs shipping"
        method = cells.get(Field.SHIPPING_METHOD, "")
        if any(word in normalise(method) for word in _PICKS_UP):
            return f"the customer picks it up (“{method[:60]}”)"
        at_till = normalise(cells.get(Field.CHANNEL, "")) in _TILLS
        if at_till and not any(cells.get(part) for part in PLACE_FIELDS):
            return "sold at the till, no delivery address"
        return ""

    def _attribute(
        self, key: str, value: str, cells: dict[Field, str], custom: dict[str, str]
    ) -> None:
        known = guess_columns([key]).get(0)
        if known in (*_DATED, Field.INSTRUCTIONS, Field.PHONE) and known not in cells:
            cells[known] = value[: LONGEST.get(known, 200)]
        else:
            custom.setdefault(key[:200], value[:500])

    def _doubt_status(self, row: int, cells: Mapping[Field, str]) -> None:
        status = cells.get(Field.STATUS, "")
        if _CANCELLED.intersection(normalise(word) for word in re.findall(r"\w+", status)):
            message = f"“{status[:60]}” may mean cancelled; it is taken as an order."
            self.problem(row, Field.STATUS, status, message)

    def _country(self, row: int, cells: Mapping[Field, str]) -> str:
        written = cells.get(Field.COUNTRY, "")
        code = country_code(written) if written else self.country
        if code is None:
            self.problem(
                row,
                Field.COUNTRY,
                written,
                f"“{written[:60]}” is not a country we know; taken as yours.",
            )
        return code or self.country

    def _contacts(self, row: int, cells: Mapping[Field, str], place: str) -> tuple[Contact, ...]:
        halves = (cells.get(Field.FIRST_NAME, ""), cells.get(Field.LAST_NAME, ""))
        company = cells.get(Field.COMPANY, "")
        name = cells.get(Field.RECIPIENT) or " ".join(filter(None, halves)) or company
        phone = cells.get(Field.PHONE, "")
        if phone and (read := e164(phone, place)):
            phone = read
        elif phone:
            why = f"“{phone[:40]}” is not a phone number we can dial."
            if lost_digits(phone):
                why = f"Of “{phone[:40]}” a spreadsheet kept the start only."
            self.problem(row, Field.PHONE, phone, f"{why} Write it as +358401234567.")
        email = cells.get(Field.EMAIL, "")
        if not (name or phone or email):
            return ()
        return (Contact(Role.RECIPIENT, name, phone, email, company),)

    def _address(self, row: int, cells: Mapping[Field, str], place: str) -> Address:
        address = _address(cells, place, zeros_kept=self.zeros_kept)
        written = cells.get(Field.POSTCODE, "")
        if len(address.postcode) > len(written) and address.postcode == written.zfill(5):
            self.preview.repaired.append((row, written, address.postcode))
        return address

    def _lines(self, rows: list[Row], cells: Mapping[Field, str]) -> tuple[Line, ...]:
        lines = []
        for row in rows:
            self._fits(row.number, row.cells, goods=True)
            title = row.cells.get(Field.ITEM) or row.cells.get(Field.SKU)
            if not title:
                continue
            count = self.whole(row.number, row.cells, Field.QUANTITY)
            if count == 0:
                continue
            lines.append(
                Line(
                    title,
                    1 if count is None else count,
                    row.cells.get(Field.SKU, ""),
                    row.cells.get(Field.BARCODE, ""),
                    self.grams(row.number, row.cells),
                )
            )
        if not lines and Field.WEIGHT in cells:
            grams = self.grams(rows[0].number, cells)
            return (Line("Goods", weight_g=grams),) if grams else ()
        return tuple(lines)

    def _kind(self, row: int, cells: Mapping[Field, str], *, is_fetched: bool) -> Kind:
        written = cells.get(Field.STOP_TYPE, "")
        if not written:
            return Kind.DELIVER
        kind = _KINDS.get(normalise(written))
        if kind is None:
            self.problem(
                row,
                Field.STOP_TYPE,
                written,
                f"“{written[:40]}” is not a kind of stop; taken as a delivery."
                " Write delivery, pickup or service.",
            )
        elif is_fetched and kind is not Kind.DELIVER:
            message = "What is fetched somewhere first is brought then; taken as a delivery."
            self.problem(row, Field.STOP_TYPE, written, message)
            return Kind.DELIVER
        return kind or Kind.DELIVER

    def _priority(self, row: int, cells: Mapping[Field, str]) -> int:
        written = normalise(cells.get(Field.PRIORITY, ""))
        if not written:
            return 0
        if written.isdigit() and len(written) == 1:
            return int(written)
        if written not in _PRIORITIES:
            self.problem(
                row,
                Field.PRIORITY,
                cells[Field.PRIORITY],
                "This is not a priority. Write low, medium, high, critical or 0 to 9.",
            )
        return _PRIORITIES.get(written, 0)

    def _payment(self, cells: Mapping[Field, str], place: str) -> str:
        written = cells.get(Field.COD, "")
        if not written and normalise(cells.get(Field.PAYMENT, "")) in _ON_DELIVERY:
            written = cells.get(Field.TOTAL, "")
        amount = number(written, decimal_comma=self.table.delimiter == ";") if written else None
        if not amount or amount <= 0:
            return ""
        money = currency(written) or cells.get(Field.CURRENCY, "") or CURRENCIES.get(place, "")
        return f"{amount} {money}".strip()


def _address(cells: Mapping[Field, str], place: str, *, zeros_kept: bool) -> Address:
    street = cells.get(Field.LINE1, "")
    if (house := cells.get(Field.HOUSE, "")) and house.lower() not in street.lower().split():
        street = f"{house} {street}" if place in HOUSE_FIRST else f"{street} {house}"
    whole = cells.get(Field.ADDRESS, "") if not street else ""
    parts = whole.replace("\n", ", ").rsplit(",", 1)
    named = country_code(parts[1]) if len(parts) == 2 and Field.COUNTRY not in cells else None
    if named and (len(parts[1].strip()) > 3 or named == place):  # ", MA" is no country
        whole, place = parts[0], named
    extra = (cells.get(part, "") for part in (Field.LINE2, Field.LINE3, Field.LINE4))
    texts = (piece.strip(" ,") for text in (street, whole, *extra) for piece in text.splitlines())
    region = cells.get(Field.REGION, "")
    return Address(
        tuple(text for text in texts if text),
        cells.get(Field.CITY, ""),
        region,
        repaired_postcode(cells.get(Field.POSTCODE, ""), place, region, zeros_kept=zeros_kept),
        place,
    )


def _why_cancelled(cells: Mapping[Field, str]) -> str:
    status = cells.get(Field.STATUS, "")
    if cells.get(Field.CANCELLED):
        return f"cancelled on {cells[Field.CANCELLED][:10]}"
    words = [normalise(word) for word in re.findall(r"\w+", status)]
    is_gone = normalise(status) in _GONE or bool(words and words[0] in _CANCELLED)
    return f"its status is “{status[:60]}”" if is_gone else ""


def _ref(cells: Mapping[Field, str]) -> str:
    return cells.get(Field.ORDER_ID) or cells.get(Field.ORDER_REF) or _content_ref(cells)


def _content_ref(cells: Mapping[Field, str]) -> str:
    """A name for an order without a number: the same person, place and day, the same name."""
    told = "\n".join(normalise(cells.get(part, "")) for part in (*_IDENTITY, Field.DATE))
    return f"row-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]


def _is_no(text: str) -> bool:
    return normalise(text) in ("false", "no", "0", "nein", "non")
