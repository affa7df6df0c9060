"""Days and hours are read as date pickers and plugins write them, and else left to people."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import TimeWindow, Wanted, wanted
from hub.core.wanted import day_of, hours_of, window

SYDNEY, HELSINKI = ZoneInfo("Australia/Sydney"), ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-24", date(2026, 11, 24)),
        ("2026/3/6", date(2026, 3, 6)),
        ("2026-11-24T00:00:00", date(2026, 11, 24)),
        ("20261124", date(2026, 11, 24)),
        ("24/11/2026", date(2026, 11, 24)),
        ("11/24/2026", date(2026, 11, 24)),
        ("24.11.2026", date(2026, 11, 24)),
        ("24-11-2026", date(2026, 11, 24)),
        ("3/4/2026", date(2026, 4, 3)),
        ("6 March 2026", date(2026, 3, 6)),
        ("Sept 6, 2026", date(2026, 9, 6)),
        ("24 November, 2026", date(2026, 11, 24)),
        ("Tue, 24th Nov 2026", date(2026, 11, 24)),
        ("Tuesday November 24, 2026", date(2026, 11, 24)),
        ("Tue Nov 24 2026", date(2026, 11, 24)),
        ("Tuesday 24/11/2026", date(2026, 11, 24)),
        ("1795996800", date(2026, 11, 30)),  # midnight of GMT: that day, wherever the shop is
        ("1795960800", date(2026, 11, 30)),  # 14:00 the day before, which is 01:00 in Sydney
    ],
)
def test_days_are_read_as_they_are_written(text: str, day: date) -> None:
    read = day_of(text, SYDNEY, month_first=False)
    assert read is not None
    assert read[0] == day


def test_the_business_says_whether_the_month_comes_first() -> None:
    assert day_of("3/4/2026", SYDNEY, month_first=True) == (date(2026, 3, 4), "")
    assert day_of("24/4/2026", SYDNEY, month_first=True) == (date(2026, 4, 24), "")
    assert day_of("3.4.2026", SYDNEY, month_first=True) == (date(2026, 4, 3), "")


@pytest.mark.parametrize(
    "text",
    ["", "soon", "tomorrow", "31/02/2026", "2026", "2026-13-06", "24 Brumaire 2026", "13/13/2026"]
    + ["before 24 Nov 2026", "not 24/11/2026"],
)
def test_what_is_no_day_is_not_guessed(text: str) -> None:
    assert day_of(text, SYDNEY, month_first=False) is None
    assert wanted(text, "9-11", SYDNEY) == Wanted(unclear=f"{text} 9-11".strip())


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("13:00 - 14:00", (time(13), time(14))),
        ("13:00–14:30", (time(13), time(14, 30))),
        ("09:00 AM - 11:00 AM", (time(9), time(11))),
        ("1:00 pm to 3:30 pm", (time(13), time(15, 30))),
        ("1-3 pm", (time(13), time(15))),
        ("11 - 1 pm", (time(11), time(13))),
        ("10:00 a.m. - 12:00 p.m.", (time(10), time(12))),
        ("9am–12pm", (time(9), time(12))),
        ("12-1pm", (time(12), time(13))),
        ("9.30-11.00", (time(9, 30), time(11))),
        ("from 8 to 10", (time(8), time(10))),
        ("20:00 - 24:00", (time(20), time(23, 59))),
    ],
)
def test_hours_are_read_as_they_are_written(text: str, hours: tuple[time, time]) -> None:
    assert hours_of(text) == hours


@pytest.mark.parametrize(
    "text",
    ["", "Morning", "after lunch", "14:00", "25:00 - 26:00", "13pm - 14pm", "9-12 or later"]
    + ["9m - 12m"],
)
def test_what_are_no_hours_is_not_guessed(text: str) -> None:
    assert hours_of(text) is None
    assert wanted("24/11/2026", text, SYDNEY) == Wanted((), date(2026, 11, 24), text)


def test_hours_may_follow_the_day() -> None:
    opens, closes = (datetime(2026, 11, 24, hour, tzinfo=UTC) for hour in (12, 14))
    there = Wanted((TimeWindow(opens, closes),))
    assert wanted("24/11/2026 14:00 - 16:00", "", HELSINKI) == there
    assert wanted("24/11/2026", "14:00 - 16:00", HELSINKI) == there
    assert wanted("2026-11-24T00:00:00", "", HELSINKI) == Wanted((), date(2026, 11, 24))


def test_a_window_may_go_past_midnight() -> None:
    night = window(date(2026, 11, 24), (time(22), time(1)), SYDNEY)
    assert (night.closes - night.opens).total_seconds() == 3 * 3600


def test_a_window_in_the_hour_that_spring_leaves_out_keeps_its_length() -> None:
    gap = window(date(2026, 3, 29), (time(3), time(3, 45)), HELSINKI)
    assert (gap.closes - gap.opens).total_seconds() == 45 * 60
    across = window(date(2026, 3, 29), (time(3, 30), time(4)), HELSINKI)
    assert across.closes > across.opens


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.times(),
    st.times(),
    st.sampled_from(["Europe/Helsinki", "America/New_York", "Australia/Lord_Howe"]),
)
def test_a_window_never_closes_before_it_opens(
    day: date, opens: time, closes: time, zone: str
) -> None:
    found = window(day, (opens, closes), ZoneInfo(zone))
    assert found.opens < found.closes
