"""A driver's week, and the days that differ from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.db.tables import DriverRow
from hub.flows.business import BusinessIn, business_of, save_business
from hub.flows.fleet import DriverIn, save_driver
from hub.flows.shifts import _span, set_hours, shifts_on, working_on
from tests.driving_worlds import DAY, Morning, a_morning

NEXT, LATER = date(2026, 11, 30), date(2026, 12, 7)  # Mondays


def new_week(day: Morning, works: dict[str, list[str]]) -> None:
    with day.hub.reading() as session:
        driver = session.get_one(DriverRow, day.drivers[0])
    typed = DriverIn(name=driver.name, depot_id=driver.depot_id, works=works)
    save_driver(day.hub, day.business_id, typed, driver_id=driver.id, actor="staff:1")


def hours(day: Morning, on: date) -> tuple[str, str] | None:
    shifts_on(day.hub, day.business_id, on)
    return next(
        one.hours for one in working_on(day.hub, day.business_id, on) if one.driver == "Mara"
    )


def test_a_new_week_counts_for_days_that_were_looked_at_already() -> None:
    """Shifts that somebody's look had made kept the old hours for ever."""
    day = a_morning()
    assert hours(day, NEXT) == ("08:00", "17:00")
    new_week(day, {"0": ["10:00", "14:00"]})
    assert hours(day, NEXT) == ("10:00", "14:00")
    new_week(day, {})
    assert hours(day, NEXT) is None


def test_a_day_set_by_hand_and_one_with_a_route_stay() -> None:
    day = a_morning()
    set_hours(day.hub, day.business_id, day.drivers[0], LATER, ("06:00", "09:00"), actor="staff:1")
    new_week(day, {"0": ["10:00", "14:00"]})
    assert hours(day, LATER) == ("06:00", "09:00")
    assert hours(day, DAY) == ("08:00", "17:00")


def in_zone(day: Morning, zone: str) -> None:
    row, settings = business_of(day.hub, day.business_id)
    typed = BusinessIn(name=row.name, zone=zone, country=row.country)
    save_business(day.hub, day.business_id, typed, settings, actor="staff:1")


def test_in_another_zone_the_coming_weeks_keep_their_hours() -> None:
    """They kept their moments: 08:00 in Helsinki was shown as 01:00 in New York, and changed."""
    day = a_morning()
    assert hours(day, NEXT) == ("08:00", "17:00")
    set_hours(day.hub, day.business_id, day.drivers[0], LATER, ("06:00", "09:00"), actor="staff:1")
    set_hours(day.hub, day.business_id, day.drivers[0], date(2026, 12, 14), None, actor="staff:1")
    in_zone(day, "America/New_York")
    assert hours(day, NEXT) == ("08:00", "17:00")
    assert hours(day, LATER) == ("06:00", "09:00")
    assert hours(day, date(2026, 12, 14)) is None
    [shift] = shifts_on(day.hub, day.business_id, NEXT)
    assert shift.starts_at == datetime(2026, 11, 30, 13, tzinfo=UTC)
    [routed] = shifts_on(day.hub, day.business_id, DAY)
    assert routed.starts_at == datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("on", "begins", "ends", "utc"),
    [
        (date(2026, 3, 29), "03:30", "04:10", ("01:30", "02:10")),  # both would be in the gap
        (date(2026, 3, 29), "03:00", "04:00", ("01:00", "02:00")),
        (date(2026, 3, 29), "02:30", "03:10", ("00:30", "01:10")),
        (date(2026, 10, 25), "03:00", "04:00", ("00:00", "02:00")),  # 03:00 comes twice
        (date(2026, 10, 25), "02:30", "03:30", ("23:30", "00:30")),
    ],
)
def test_a_shift_in_the_hour_clocks_change_is_one(
    on: date, begins: str, ends: str, utc: tuple[str, str]
) -> None:
    day = a_morning()
    new_week(day, {str(on.weekday()): [begins, ends]})
    [shift] = shifts_on(day.hub, day.business_id, on)
    assert (f"{shift.starts_at:%H:%M}", f"{shift.ends_at:%H:%M}") == utc
    [seen] = [o for o in working_on(day.hub, day.business_id, on) if o.driver == "Mara"]
    assert (seen.hours is not None, seen.changed) == (True, False)


@given(
    zone=st.timezone_keys().filter(lambda key: not key.startswith("right/")),
    day=st.dates(date(1990, 1, 1), date(2037, 12, 31)),
    begins=st.times(),
    ends=st.times(),
)
def test_every_shift_has_a_length_whatever_clocks_do(
    zone: str, day: date, begins: time, ends: time
) -> None:
    assume((begins.hour, begins.minute) != (ends.hour, ends.minute))
    starts_at, ends_at = _span(day, f"{begins:%H:%M}", f"{ends:%H:%M}", ZoneInfo(zone))
    assert ends_at > starts_at
