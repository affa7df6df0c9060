"""Malformed files are refused with a sentence; a bad row never costs the others."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.core.csv_reading import BadFile, read_table

GOOD = b"Order,Name,Address\n1,Ann,1 Road\n2,Bob,2 Road\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b",,,\n,,,\n", "empty"),
        (b"Order,Name,Address\n", "no rows"),
        (GOOD.replace(b"Ann", b"A\0n"), "not a text file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, ".xls"),
        (b"<html><table><tr><td>1", "web page"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04abc", "archive"),
        (b"Order,Name\n" + b"1,x\n" * 50_001, "50,000 rows"),
        (b"Order,Name\n" + b"x" * 20_000_001, "20 MB"),
        (GOOD + b'3,"Cy,3 Road\n4,Di,4 Road\n', "quote mark in row 4"),
        (GOOD + b"3," + b"x" * 200_000 + b",3 Road\n", "cell"),
        (bytes(range(1, 32)) * 40, "not a table"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(content, said):
    with pytest.raises(BadFile, match=said):
        read_table(content, "day.csv")


def test_rows_keep_the_numbers_a_spreadsheet_shows():
    table = read_table(b"Report\n\nOrder,Name,Address\n\n1,Ann,1 Road\n", "day.csv")
    assert (table.header_row, table.numbers) == (2, (5,))


def test_a_sep_line_settles_the_separator():
    table = read_table(b"sep=;\r\nOrder;Name;Address\r\n1;A, B;1 Road\r\n", "day.csv")
    assert table.delimiter == ";"
    assert table.rows == (("1", "A, B", "1 Road"),)


def test_quotes_inside_a_marketplace_tab_file_are_text():
    content = b'order-id\trecipient-name\tship-city\n1\t"Ann\tYork\n2\tBob\tLeeds\n'
    assert read_table(content, "report.txt").rows[0] == ("1", '"Ann', "York")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000) | st.text(max_size=400).map(lambda t: t.encode("utf-8", "replace")))
@example(b"\xff\xfe\x00")
@example(b"\xef\xbb\xbf")
def test_no_bytes_raise_anything_but_a_bad_file(content):
    try:
        table = read_table(content, "day.csv")
    except BadFile as problem:
        assert str(problem).startswith("day.csv")
    else:
        assert len(table.rows) == len(table.numbers) > 0


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("cp1251", "улица Ленина 1;Москва"),
        ("shift_jis", "東京都港区 1;東京"),
        ("gbk", "北京市朝阳区建国路 1;北京"),
        ("cp1253", "Οδός Ερμού 1;Αθήνα"),
        ("cp1256", "شارع الملك 1;الرياض"),
    ],
)
def test_an_alphabet_we_cannot_tell_is_refused_not_garbled(page, text):
    with pytest.raises(BadFile, match="UTF-8"):
        read_table(f"Order;Address;City\n1;{text}\n".encode(page), "day.csv")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("cp1250", "Żółkiewskiego 1;Łódź\n2;Świętokrzyska 5;Kraków\n3;Náměstí Míru;Kroměříž"),
        ("cp1252", "Hämeentie 1;Hyvinkää\n2;Rue de l’Église;Nîmes\n3;Straße;Köln"),
    ],
)
def test_western_and_central_european_pages_still_come_in(page, text):
    table = read_table(f"Order;Address;City\n1;{text}\n".encode(page), "day.csv")
    assert table.rows[0][1:] == tuple(text.split("\n")[0].split(";"))
