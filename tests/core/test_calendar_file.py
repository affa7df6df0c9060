"""A calendar file that any calendar takes: folded, escaped, the same entry at another time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.core.calendar_file import MOST_OCTETS, Appointment, calendar_file, escaped, folded
from hub.core.values import TimeWindow

TEN = datetime(2026, 11, 23, 8, tzinfo=UTC)
ONE = Appointment(
    uid="1@hub",
    sequence=2,
    window=TimeWindow(TEN, TEN + timedelta(hours=1)),
    title="Delivery from Husk, bakers; & co",
    text="Line one\nline two \\ end",
    place="Yrjönkatu 2, Helsinki",
    url="https://hub.example/t/x",
)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=300))
def test_no_line_is_too_long_and_unfolded_it_is_what_it_was(text: str) -> None:
    line = folded(f"SUMMARY:{text}")
    assert all(len(one.encode()) <= MOST_OCTETS for one in line.split("\r\n"))
    assert line.replace("\r\n ", "") == f"SUMMARY:{text}"


def test_what_would_end_a_value_is_escaped() -> None:
    assert escaped("a,b;c\\d\ne\r\nf") == "a\\,b\\;c\\\\d\\ne\\nf"


def test_a_file_holds_one_entry_in_utc() -> None:
    lines = calendar_file(ONE, TEN).replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    for line in ("UID:1@hub", "SEQUENCE:2", "DTSTART:20261123T080000Z", "DTEND:20261123T090000Z"):
        assert line in lines
    assert "SUMMARY:Delivery from Husk\\, bakers\\; & co" in lines


def test_another_time_is_the_same_entry() -> None:
    later = replace(ONE, sequence=3, window=TimeWindow(TEN, TEN + timedelta(hours=3)))
    first, second = (calendar_file(one, TEN).split("\r\n") for one in (ONE, later))
    changed = {a.split(":")[0] for a, b in zip(first, second, strict=True) if a != b}
    assert changed == {"SEQUENCE", "DTEND"}
