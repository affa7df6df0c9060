"""A driver's week, and the days that differ from it."""

from __future__ import annotations

from datetime import date

from hub.db.tables import DriverRow
from hub.flows.fleet import DriverIn, save_driver
from hub.flows.shifts import set_hours, shifts_on, working_on
from tests.driving_worlds import DAY, Morning, a_morning

NEXT, LATER = date(2026, 11, 30), date(2026, 12, 7)  # Mondays


def new_week(day: Morning, works: dict[str, list[str]]) -> None:
    with day.hub.reading() as session:
        driver = session.get_one(DriverRow, day.drivers[0])
    given = DriverIn(name=driver.name, depot_id=driver.depot_id, works=works)
    save_driver(day.hub, day.business_id, given, driver_id=driver.id, actor="staff:1")


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
