"""Bytes of a text file to a table: encoding, separator and header row are found.

A ladder, because statistics misread short shop files: byte-order mark, NUL pattern of
UTF-16, strict UTF-8, then the one-byte code page whose accents stand in likely places.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from hub.core.csv_aliases import KNOWN, normalise

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 500
_PAGES = ("cp1252", "mac-roman", "cp1250")
_SEPARATORS = (";", ",", "\t", "|")
NUMBER = re.compile(r"\S*\d\S*")  # what an order may be called, unlike a footer's sentence
_END = "\x02end\x02"  # a quote that never closes swallows it


class BadFile(Exception):
    """The file as a whole cannot be read. The text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and its rows. ``numbers`` are the rows' places in the file, from 1.

    ``header_row`` is -1 where the file has none; the columns are then "Column 1" and on.
    ``stray``: place and text of rows that hold one cell and are no order's, as footers are.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str
    delimiter: str
    header_row: int
    numbers: tuple[int, ...] = ()
    stray: tuple[tuple[int, str], ...] = ()


def read_table(content: bytes, filename: str) -> Table:
    """The table in a CSV, TSV or text file. Raises ``BadFile``, and nothing else."""
    check_size(content, filename)
    _refuse_other_kinds(content, filename)
    encoding, text = _decode(content)
    if encoding in _PAGES and _is_garbled(text[:20_000]):
        raise BadFile(
            f"{filename} is in an alphabet whose encoding we cannot tell. Save it as XLSX, or as"
            " CSV in UTF-8, and upload that."
        )
    if "\0" in text:
        raise BadFile(f"{filename} is not a text file. Save it as CSV or XLSX and try again.")
    text = text.lstrip("\ufeff")
    odd = sum(unicodedata.category(c) == "Cc" and c not in "\t\r\n\v\f" for c in text[:20000])
    if odd > max(2, len(text[:20000]) // 100):
        raise BadFile(f"{filename} is not a table of text. Save it as CSV or XLSX and try again.")
    if "\n" not in text and "\r" in text:
        text = text.replace("\r", "\n")
    forced = re.match(r"sep=(.)\r?\n", text)
    if forced and forced[1] in _SEPARATORS:
        rows = _parse(text, forced[1], filename)
        return table_of(rows, filename, encoding, forced[1], skip=1)
    delimiter = _separator(text)
    return table_of(_parse(text, delimiter, filename), filename, encoding, delimiter)


def check_size(content: bytes, filename: str) -> None:
    """Raises ``BadFile`` for an empty file and one over 20 MB."""
    if not content.strip():
        raise BadFile(f"{filename} is empty. Export it again and check that it has rows.")
    if len(content) > MAX_BYTES:
        raise BadFile(f"{filename} is larger than 20 MB. Split it into smaller files.")


def table_of(
    rows: Sequence[Sequence[str]],
    filename: str,
    encoding: str,
    delimiter: str,
    skip: int = 0,
) -> Table:
    """Find the header among ``rows``; leave out blank rows and preamble, set footers apart."""
    _, header = _header(rows, skip)
    filled = [i for i in range(skip, len(rows)) if any(cell.strip() for cell in rows[i])]
    if not filled:
        raise BadFile(f"{filename} is empty. Export it again and check that it has rows.")
    if header < 0 and not _looks_like_data(rows[filled[0]]):
        header = filled[0]
    if header >= 0:
        headers = tuple(cell.strip().lstrip("\ufeff") for cell in rows[header])
    else:
        headers = tuple(f"Column {n + 1}" for n in range(len(rows[filled[0]])))
    if len(headers) > MAX_COLUMNS:
        raise BadFile(f"{filename} has more than {MAX_COLUMNS} columns. Remove the unused ones.")
    below = [i for i in filled if i > header]
    kept = [i for i in below if not _is_stray(rows[i], len(headers))]
    if len(kept) > MAX_ROWS:
        raise BadFile(f"{filename} has more than 50,000 rows. Split it into smaller files.")
    if not kept:
        raise BadFile(f"{filename} has a header but no rows. Export it again with its orders.")
    body = tuple(tuple(rows[i]) for i in kept)
    alone = sorted(set(below) - set(kept))
    stray = tuple((i + 1, "".join(rows[i]).strip()) for i in alone)
    return Table(headers, body, encoding, delimiter, header, tuple(i + 1 for i in kept), stray)


def _is_stray(row: Sequence[str], width: int) -> bool:
    """Whether it holds one cell only that is not, by its place and look, an order's."""
    filled = [n for n, cell in enumerate(row) if cell.strip()]
    if len(filled) != 1 or width == 1:
        return False
    return len(row) != width or (filled == [0] and not NUMBER.fullmatch(row[0].strip()))


def _refuse_other_kinds(content: bytes, filename: str) -> None:
    head = content[:512].lstrip().lower()
    again = "Open it in your spreadsheet, save it as CSV or XLSX and upload that."
    if content[:4] == b"PK\x03\x04":
        raise BadFile(f"{filename} is a workbook or archive, not a text file. {again}")
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise BadFile(f"{filename} is an old Excel workbook (.xls). {again}")
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        raise BadFile(f"{filename} is a web page under another name. {again}")
    if head.startswith(b"%pdf"):
        raise BadFile(f"{filename} is a PDF. Export the orders as CSV or XLSX instead.")


def _decode(content: bytes) -> tuple[str, str]:
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8", content[3:].decode("utf-8", "replace")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", content.decode("utf-16", "replace")
    start = content[:4000]
    if len(start) > 8 and start.count(0) > len(start) * 0.2:
        little = start[1::2].count(0) > start[0::2].count(0)
        name = "utf-16-le" if little else "utf-16-be"
        return name, content.decode(name, "replace")
    try:
        return "utf-8", content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    text = content.decode("utf-8", "replace")
    if sum(c > "\x7f" and c != "\ufffd" for c in text) >= 2 * text.count("\ufffd"):
        return "utf-8", text
    best = min(_PAGES, key=lambda page: _oddness(content[:20000].decode(page, "replace")))
    return best, content.decode(best, "replace")


def _is_garbled(text: str) -> bool:
    """Whether most accents stand three or more together: no text of these pages does that."""
    runs = [len(run) for run in re.findall(r"[^\x00-\x7f]+", text)]
    return sum(runs) > 5 and sum(run for run in runs if run > 2) > 0.6 * sum(runs)


def _oddness(text: str) -> int:
    """How unlikely the accents of ``text`` stand, as under a wrong code page they do."""
    score = 0
    for i, char in enumerate(text):
        if char < "\x80":
            continue
        before, after = text[i - 1 : i] or " ", text[i + 1 : i + 2] or " "
        kind = unicodedata.category(char)
        if kind[0] == "C":
            score += 6
        elif kind in ("Ll", "Lu"):
            score += 4 * (kind == "Lu" and before.islower())
            score += 3 if char > "\u017f" else 1 if char > "\xff" else 0
            score += 2 * (char in "þÞðÐýÝ")
        elif char in "ªº":
            score += 0 if before.isdigit() or before in "Nn" else 3
        elif char in "€£°–—’‘“”…«»·•\u00a0№§":
            score += 4 * (before.isalpha() and after.isalpha() and char not in "’·")
        else:
            score += 4
    return score


def _separator(text: str) -> str:
    """The separator whose best header scores highest; by even row widths if no word is known."""
    sample = text[:65536]
    scored: list[tuple[float, str]] = []
    even: list[tuple[float, str]] = []
    for separator in _SEPARATORS:
        try:
            rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=separator))[:200]
        except csv.Error:
            continue
        score, header = _header(rows, 0)
        if header >= 0:
            scored.append((score, separator))
        widths = [len(row) for row in rows if any(cell.strip() for cell in row)]
        width = max(set(widths), key=widths.count, default=0)
        share = widths.count(width) / len(widths) if widths else 0.0
        if width > 1 and share >= 0.9:
            even.append((share * min(width, 12), separator))
    ranked = scored or even
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else ","


def _header(rows: Sequence[Sequence[str]], skip: int) -> tuple[float, int]:
    """(score, index) of the likeliest header row; index -1 when no known word is met."""
    best = (-1.0, -1)
    for i, row in enumerate(rows[:25]):
        filled = sum(cell.strip() != "" for cell in row)
        hits = sum(normalise(cell) in KNOWN for cell in row)
        if i < skip or not hits:
            continue
        below = [len(r) == len(row) for r in rows[i + 1 : i + 60] if any(c.strip() for c in r)]
        steady = sum(below) / len(below) if below else 0.0
        score = hits * 3 + hits / filled * 4 + steady * 2 + 0.5 * (len(row) > 1) - i * 0.2
        if hits * 4 >= filled:
            best = max(best, (score, i))
    return best


def _looks_like_data(row: Sequence[str]) -> bool:
    return len(row) > 3 and sum(any(c.isdigit() for c in cell) for cell in row) * 3 >= len(row)


def _parse(text: str, delimiter: str, filename: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(f"{text}\n{_END}\n", newline=""), delimiter=delimiter))
        if rows[-1] != [_END] and delimiter == "\t":  # marketplaces' tab files never quote
            loose = io.StringIO(f"{text}\n{_END}\n", newline="")
            rows = list(csv.reader(loose, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    except csv.Error as error:
        raise BadFile(
            f"{filename} has a cell with more text than a cell can hold, often a quote mark that"
            f" never closes. Correct it and upload the file again. ({error})"
        ) from None
    if not rows or rows[-1] != [_END]:
        raise BadFile(
            f"{filename} has a quote mark in row {len(rows)} that never closes."
            " Close it or remove it and upload the file again."
        )
    return rows[:-1]
