"""Rows by what their cells mean, those of one order together."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.core.csv_aliases import Field, normalise
from hub.core.csv_cells import clean
from hub.core.csv_columns import Columns
from hub.core.csv_reading import Table
from hub.core.orders import IncomingOrder

PLACE_FIELDS = (Field.ADDRESS, Field.LINE1, Field.CITY, Field.POSTCODE)
_LINE_FIELDS = frozenset({Field.ITEM, Field.SKU, Field.BARCODE, Field.QUANTITY})


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
class Preview:
    """What an import would bring. ``asked`` names date columns whose order was assumed.

    ``cancelled``: row and ref of orders the file calls cancelled; ``skipped`` has them too.
    """

    orders: list[IncomingOrder] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    asked: tuple[str, ...] = ()
    cancelled: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Row:
    """One row by meaning; only cells that hold something."""

    number: int
    cells: dict[Field, str]
    custom: dict[str, str]


def rows_of(table: Table, mapping: Columns, preview: Preview) -> list[Row]:
    """The rows of ``table`` by meaning; a ragged one becomes a problem."""
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
            continue
        cells: dict[Field, str] = {}
        custom: dict[str, str] = {}
        for index, text in enumerate(raw):
            meaning, value = mapping.get(index), clean(text)
            if meaning is None and value and table.headers[index].strip():
                custom.setdefault(table.headers[index].strip(), value[:500])
            elif meaning is not None and value:
                cells.setdefault(meaning, value)
        rows.append(Row(number_, cells, custom))
    return rows


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
        if not ref and not own_id:
            if groups and not has_place and _LINE_FIELDS & row.cells.keys():
                groups[-1].append(row)  # a continuation that leaves all order cells blank
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
            continue
        groups[at].append(row)
    return groups


def _place(row: Row) -> tuple[str, ...]:
    return tuple(normalise(row.cells.get(part, "")) for part in PLACE_FIELDS)
