"""The first sheet of an XLSX workbook as a table of text, whatever the workbook tries.

Numbers keep what their format shows: 0800 under "0000" stays 0800, 61491570006 gains no
".0", a day is written 2026-12-31. openpyxl's streaming reader, because faster ones end
the whole process at a workbook with one cell in XFD1048576 (tried 2026-11).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from xml.etree.ElementTree import ParseError

import openpyxl

from hub.core.csv_cells import NO_RESULT
from hub.core.csv_reading import (
    MAX_COLUMNS,
    MAX_ROWS,
    BadFile,
    Table,
    check_size,
    read_table,
    table_of,
)

MAX_UNPACKED = 200_000_000
BLANK_ROWS = 200  # that many in a row and the sheet has ended
_MAX_CELL = 131_072
_MAX_FORMULA = 9_000  # Excel's own limit is 8,192 characters
_NO_RESULT = re.compile(rb"<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>|</c>)")
# What the zip, XML and sheet readers raise for bytes that were changed one by one.
_BROKEN = (
    *(
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        ParseError,
        SyntaxError,
        LookupError,
    ),
    *(
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        OSError,
        EOFError,
        RuntimeError,
    ),
)


def read_file(content: bytes, filename: str) -> Table:
    """The table in an uploaded file, workbook or text, told by its content.

    Raises ``BadFile``, and nothing else.
    """
    if content[:4] == b"PK\x03\x04":
        check_size(content, filename)
        return table_of(rows_of(content, filename), filename, "xlsx", "")
    return read_table(content, filename)


def with_header(table: Table, has_header: bool) -> Table:
    """``table`` with its first row as header, or without any, whatever was guessed."""
    if has_header == (table.header_row >= 0):
        return table
    if has_header:
        if len(table.rows) < 2:
            raise BadFile("The file has one row only; it cannot be the header.")
        headers = tuple(cell.strip() for cell in table.rows[0])[:MAX_COLUMNS]
        at = table.numbers[0] - 1
        return replace(
            table, headers=headers, rows=table.rows[1:], numbers=table.numbers[1:], header_row=at
        )
    named = tuple(f"Column {n + 1}" for n in range(len(table.headers)))
    return replace(
        table,
        headers=named,
        rows=(table.headers, *table.rows),
        numbers=(table.header_row + 1, *table.numbers),
        header_row=-1,
    )


def rows_of(content: bytes, filename: str) -> list[list[str]]:
    """Rows of the first visible sheet, all of one width. Raises ``BadFile``."""
    _check_size_unpacked(content, filename)
    try:
        rows = _rows(_cells(content, filename, results=True), filename)
        if _lacks_results(content):
            for texts, cells in zip(rows, _cells(content, filename, results=False), strict=False):
                _name_formulas(texts, cells)
    except _BROKEN:
        raise BadFile(
            f"{filename} is a damaged workbook or another kind of archive. Open it in your"
            " spreadsheet, save it as XLSX or CSV and upload that."
        ) from None
    width = max((len(row) for row in rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _cells(content: bytes, filename: str, *, results: bool) -> Iterable[Iterable[object]]:
    """The cells of the first visible sheet; ``results`` of formulas, or the formulas."""
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=results, keep_links=False
    )
    sheets = [s for s in book.worksheets if s.sheet_state == "visible"]
    if not sheets:
        raise BadFile(f"{filename} has no visible sheet. Save the orders as CSV or XLSX.")
    sheets[0].reset_dimensions()
    cells: Iterable[Iterable[object]] = sheets[0].iter_rows(max_col=MAX_COLUMNS)
    return cells


def _lacks_results(content: bytes) -> bool:
    """Whether some formula was saved without what it comes to, as programs do."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.namelist():
            if member.startswith("xl/worksheets/") and member.endswith(".xml"):
                with archive.open(member) as sheet:
                    before = b""
                    while part := sheet.read(1_000_000):
                        if _NO_RESULT.search(before + part):
                            return True
                        before = part[-_MAX_FORMULA:]
    return False


def _name_formulas(texts: list[str], cells: Iterable[object]) -> None:
    for n, cell in enumerate(cells):
        if getattr(cell, "data_type", "") == "f" and not (n < len(texts) and texts[n]):
            texts += [""] * (n + 1 - len(texts))
            texts[n] = NO_RESULT


def _check_size_unpacked(content: bytes, filename: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            total = sum(member.file_size for member in archive.infolist())
            packed = max(1, len(content))
    except _BROKEN:
        raise BadFile(f"{filename} is damaged. Save it again and upload the new copy.") from None
    if total > MAX_UNPACKED or (total > 20_000_000 and total / packed > 200):
        raise BadFile(f"{filename} unpacks to more than we accept. Save only the orders' sheet.")


def _rows(cells: Iterable[Iterable[object]], filename: str) -> list[list[str]]:
    rows: list[list[str]] = []
    blank = 0
    for row in cells:
        texts = [_text(cell) for cell in row]
        while texts and not texts[-1]:
            texts.pop()
        blank = 0 if texts else blank + 1
        if blank > BLANK_ROWS:
            break
        rows.append(texts)
        if len(rows) - blank > MAX_ROWS + 100:
            raise BadFile(f"{filename} has more than 50,000 rows. Split it into smaller files.")
    return rows


def _text(cell: object) -> str:
    value = getattr(cell, "value", None)
    form = str(getattr(cell, "number_format", "") or "")
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            midnight = value.time() == time(0)
            return value.date().isoformat() if midnight else value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case timedelta():
            minutes = round(value.total_seconds() / 60)
            return f"{minutes // 60:02d}:{minutes % 60:02d}"
        case int() | float():
            return _number(value, form)
        case _:
            return str(value)[:_MAX_CELL]


def _number(value: float, form: str) -> str:
    if isinstance(value, float):
        if not value.is_integer() or abs(value) > 1e15:
            return repr(value)
        value = int(value)
    padded = re.fullmatch(r"(0{2,})(?:;.*)?", form)
    return str(value).zfill(len(padded[1])) if padded else str(value)
