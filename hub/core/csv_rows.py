"""Rows by what their cells mean, those of one order together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from hub.core.csv_aliases import Field, normalise
from hub.core.csv_cells import NO_RESULT, clean, is_broken
from hub.core.csv_columns import Columns
from hub.core.csv_reading import NUMBER, Table
from hub.core.orders import IncomingOrder

PLACE_FIELDS = (Field.ADDRESS, Field.LINE1, Field.CITY, Field.POSTCODE)
_GOODS_FIELDS = frozenset({Field.ITEM, Field.SKU, Field.BARCODE})
_PERSON_FIELDS = (
    Field.RECIPIENT,
    Field.FIRST_NAME,
    Field.LAST_NAME,
    Field.COMPANY,
    Field.PHONE,
    Field.EMAIL,
)
_KEY_FIELDS = frozenset(
    {Field.ORDER_REF, Field.ORDER_ID, *PLACE_FIELDS, Field.HOUSE, Field.LAT, Field.LON}
)
"""Without these nobody knows which order a row is, or where it goes."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A doubt about one cell. ``row`` counts from 1 as a spreadsheet does.

    ``is_fatal``: the order did not come in because of it; else it came in, without the cell
    or with what the message says instead.
    """

    row: int
    column: str
    value: str
    message: str
    is_fatal: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """An order whose day is over: somebody has to say whether it is still to be done."""

    row: int
    column: str
    day: date
    order: IncomingOrder

    def taken(self) -> IncomingOrder:
        """The order as overdue: any hours on the next day that is planned."""
        return replace(self.order, windows=(), due_on=self.day)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would bring. ``asked`` names date columns whose order was assumed.

    ``cancelled``: row and ref of orders the file calls cancelled; ``skipped`` has them too.
    ``past`` are not among ``orders``. ``repaired``: row, postcode as written, as read with
    the zeros a spreadsheet ate. ``named``: row, column and what another order is called there.
    """

    orders: list[IncomingOrder] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    asked: tuple[str, ...] = ()
    cancelled: list[tuple[int, str]] = field(default_factory=list)
    past: list[Past] = field(default_factory=list)
    repaired: list[tuple[int, str, str]] = field(default_factory=list)
    named: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Row:
    """One row by meaning; only cells that hold something.

    ``is_out``: a problem says why; rows that belong to it stay out with it.
    """

    number: int
    cells: dict[Field, str]
    custom: dict[str, str]
    is_out: bool = False


def rows_of(table: Table, mapping: Columns, preview: Preview) -> list[Row]:
    """The rows of ``table`` by meaning; a ragged or broken one becomes a problem."""
    _note_stray(table, preview)
    rows = []
    for number_, raw in zip(table.numbers, table.rows, strict=True):
        if len(raw) != len(table.headers):
            preview.problems.append(
                RowProblem(
                    number_,
                    "",
                    "",
                    f"Row {number_} has {len(raw)} cells where the header has"
                    f" {len(table.headers)}. Look for a missing or extra separator or quote mark.",
                    True,
                )
            )
            rows.append(Row(number_, {}, {}, is_out=True))
            continue
        row = Row(number_, {}, {})
        for index, text in enumerate(raw):
            meaning, value = mapping.get(index), clean(text)
            header = table.headers[index].strip()
            if is_broken(value):
                _note_broken(row, header, value, meaning, preview)
            elif meaning is None and value and header:
                row.custom.setdefault(header, value[:500])
            elif meaning is not None and value:
                row.cells.setdefault(meaning, value)
        rows.append(row)
    return rows


def _note_stray(table: Table, preview: Preview) -> None:
    for number, text in table.stray:
        if NUMBER.fullmatch(text):
            message = f"Nothing stands in row {number} but “{text[:60]}”: no address."
            preview.problems.append(RowProblem(number, "", text[:200], message, True))
        else:
            preview.skipped.append((number, f"nothing but “{text[:60]}” stands in it"))


def _note_broken(
    row: Row, header: str, value: str, meaning: Field | None, preview: Preview
) -> None:
    if meaning is None or meaning is Field.IGNORE:
        return
    message = f"“{value}” is a spreadsheet's error. Correct the formula, or type what it means."
    if value == NO_RESULT:
        message = (
            "The formula here was saved without its result."
            " Open the file in your spreadsheet, save it and upload it again."
        )
    is_fatal = meaning in _KEY_FIELDS
    row.is_out = row.is_out or is_fatal
    preview.problems.append(RowProblem(row.number, header, value, message, is_fatal))


def grouped(rows: list[Row], preview: Preview) -> list[list[Row]]:
    """Rows of one order together, in the order of the file."""
    groups: list[list[Row]] = []
    by_key: dict[tuple[str, str], int] = {}
    last_by_ref: dict[str, int] = {}
    for row in rows:
        ref, own_id = (
            row.cells.get(Field.ORDER_REF, ""),
            row.cells.get(Field.ORDER_ID, ""),
        )
        has_place = any(row.cells.get(part) for part in PLACE_FIELDS)
        if row.is_out:
            groups.append([row])
            if ref or own_id:
                by_key.setdefault((ref, own_id), len(groups) - 1)
                last_by_ref.setdefault(ref, len(groups) - 1)
            continue
        if not ref and not own_id:
            if groups and _continues(row, groups[-1][0]):
                groups[-1].append(row)
            else:
                groups.append([row])
            continue
        at = by_key.get((ref, own_id)) if own_id else last_by_ref.get(ref)
        if at is None:
            by_key[ref, own_id] = last_by_ref[ref] = len(groups)
            groups.append([row])
            continue
        if has_place and _place(row) != _place(groups[at][0]) and any(_place(groups[at][0])):
            preview.problems.append(
                RowProblem(
                    row.number,
                    "",
                    ref,
                    f"Order {ref} stands in the file with two addresses. Row {row.number} was"
                    " left out; give it an order number of its own.",
                    True,
                )
            )
            row.is_out = True
            groups.append([row])
            continue
        groups[at].append(row)
    return groups


def _continues(row: Row, head: Row) -> bool:
    """Whether a row without an order number only adds goods to the order above."""
    if any(row.cells.get(part) for part in PLACE_FIELDS):
        return False
    others = [
        part
        for part in _PERSON_FIELDS
        if part in row.cells and row.cells[part] != head.cells.get(part)
    ]
    return not others and bool(_GOODS_FIELDS & row.cells.keys())


def _place(row: Row) -> tuple[str, ...]:
    return tuple(normalise(row.cells.get(part, "")) for part in PLACE_FIELDS)
