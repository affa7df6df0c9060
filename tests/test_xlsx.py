"""Workbooks come in as they look, and none of them can hurt the hub."""

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.csv_reading import BadFile
from hub.xlsx import read_file

HEADER = [
    "Order",
    "Name",
    "Address",
    "Postcode",
    "Phone",
    "Delivery Date",
    "Time window",
]


def workbook(rows, formats=None, far=None):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for place, form in (formats or {}).items():
        sheet[place].number_format = form
    if far:
        sheet[far] = "x"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_cells_come_in_as_the_sheet_shows_them():
    row = [1001, "Ann", "1 Road", 800, 61491570006.0, date(2026, 12, 3), time(9, 30)]
    table = read_file(workbook([HEADER, row], {"D2": "0000"}), "day.xlsx")
    assert table.headers == tuple(HEADER)
    assert table.rows == (("1001", "Ann", "1 Road", "0800", "61491570006", "2026-12-03", "09:30"),)


def test_a_moment_keeps_its_time_and_a_short_row_its_width():
    row = ["a", "Ann", "1 Road", None, None, datetime(2026, 12, 3, 9, 30)]
    table = read_file(workbook([HEADER, row]), "day.xlsx")
    assert table.rows == (("a", "Ann", "1 Road", "", "", "2026-12-03 09:30", ""),)


@pytest.mark.parametrize("far", ["XFD1048576", "A1048576", "XFD3"])
def test_a_far_cell_neither_stops_nor_fills_the_hub(far):
    content = workbook([HEADER, ["1", "Ann", "1 Road", "", "", "", ""]], far=far)
    assert read_file(content, "day.xlsx").rows[0][:3] == ("1", "Ann", "1 Road")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "damaged"),
        ({"a.txt": b"x"}, "archive"),
        ({"a": b"0" * 30_000_000}, "unpacks"),
    ],
)
def test_other_archives_are_refused_with_a_reason(members, said):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    content = buffer.getvalue() if members else b"PK\x03\x04" + b"x" * 100
    with pytest.raises(BadFile, match=said):
        read_file(content, "day.xlsx")


def test_a_text_file_is_known_by_its_content():
    assert read_file(b"Order,Name,Address\n1,Ann,1 Road\n", "day.xlsx").delimiter == ","


GOOD = workbook([HEADER, ["1", "Ann", "1 Road"]])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=40))
def test_a_damaged_workbook_raises_nothing_but_a_bad_file(at, noise):
    content = GOOD[:at] + noise + GOOD[at + len(noise) :]
    try:
        read_file(content, "day.xlsx")
    except BadFile as problem:
        assert "day.xlsx" in str(problem)


def test_words_between_a_hash_and_an_exclamation_mark_are_no_error():
    """They came in as empty cells, and the order under another number or none."""
    row = ["#1001!", "#5 or #6?", "#4 Kaivokatu!", "00100"]
    table = read_file(workbook([HEADER, [*row, "", "", "#12 ring twice!"]]), "day.xlsx")
    assert table.rows == ((*row, "", "", "#12 ring twice!"),)


def test_a_formula_without_its_result_is_an_error_of_its_own_row():
    """Its row's goods joined the order above."""
    header = ["Order", "Name", "Address", "Item Name"]
    rows = [header, ["1001", "Ann", "1 Road", "Cake"], ["=1+1", None, '=A1&"x"', "Pie"]]
    table = read_file(workbook(rows), "day.xlsx")
    assert table.rows[1] == ("#RESULT!", "", "#RESULT!", "Pie")
