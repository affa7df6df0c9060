"""How people write breaks and loads, and when a break is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.core.crew_rules import amounts_text, breaks_on, read_amounts, read_breaks
from hub.core.values import TimeWindow

ZONE = ZoneInfo("Europe/Helsinki")


def shift(day: date, begins: int, hours: int) -> TimeWindow:
    opens = datetime(day.year, day.month, day.day, begins, tzinfo=ZONE).astimezone(UTC)
    return TimeWindow(opens, opens + timedelta(hours=hours))


def test_breaks_read_as_they_are_shown() -> None:
    text = "30 min between 11:30 and 13:30, 15 min at 10:00"
    assert ", ".join(str(one) for one in read_breaks(text)) == text
    assert read_breaks(" 45 Minutes  at 9:05 ;") == read_breaks("45 min at 09:05")


@pytest.mark.parametrize("text", ["lunch", "30 min", "30 min at 25:00", "0 min at 10:00", "x" * 99])
def test_a_break_that_is_none_is_told_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="Write it as|lasts 1 to 240"):
        read_breaks(text)


def test_loads_read_as_they_are_shown() -> None:
    assert read_amounts("Pallets: 6, roll cages = 40") == {"pallets": 6, "roll cages": 40}
    text = amounts_text(read_amounts("pallets: 6; crates: 4").items())
    assert text == "pallets: 6, crates: 4"


@pytest.mark.parametrize(
    ("text", "why"),
    [("pallets", "Write each as"), ("kg: 4", "field of its own"), ("a: 1, A: 2", "twice")],
)
def test_a_load_that_is_none_is_told_how_to_write_it(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_amounts(text)


def test_breaks_go_by_the_clock_of_the_shifts_own_day() -> None:
    """Clocks go back in the night to 25 October 2026: 02:30 is six and a half hours on."""
    night = date(2026, 10, 24)
    [rest] = breaks_on(read_breaks("30 min at 02:30"), night, shift(night, 20, 10), ZONE)
    assert rest.window.opens == datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    noon = date(2026, 10, 25)
    [rest] = breaks_on(read_breaks("30 min at 12:00"), noon, shift(noon, 8, 8), ZONE)
    assert rest.window.opens == datetime(2026, 10, 25, 10, tzinfo=UTC)


def test_a_break_outside_the_shift_is_not_due() -> None:
    day = date(2026, 11, 23)
    usual = read_breaks("30 min at 07:00, 30 min at 20:00, 15 min between 23:00 and 01:00")
    assert breaks_on(usual, day, shift(day, 8, 8), ZONE) == ()
