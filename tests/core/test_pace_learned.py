"""What drives took, as rush hours: the middle of many, by the clock on the wall."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from hub.core.pace_learned import (
    FEWEST,
    MOST_LINES,
    Drive,
    HourTaken,
    hours_taken,
    joined,
    lines_for,
)
from hub.core.rush_hours import RushHour, overlap

HELSINKI = ZoneInfo("Europe/Helsinki")
MONDAY = datetime(2026, 11, 23, tzinfo=HELSINKI)


def drives(
    hour: int, times: float, n: int = FEWEST, day: int = 0, free_s: float = 600
) -> list[Drive]:
    """Each begins so that its middle lies within the hour."""
    took_s = times * free_s
    middle = MONDAY + timedelta(days=day, hours=hour, minutes=30)
    return [Drive((middle - timedelta(seconds=took_s / 2)).astimezone(UTC), took_s, free_s)] * n


def test_an_hour_is_as_slow_as_the_middle_of_its_drives() -> None:
    some = drives(8, 1.5, 15) + drives(8, 1.0, 3) + drives(8, 5.5, 4)
    assert hours_taken(some, HELSINKI) == [HourTaken(0, 4, 8, 22, 1.5)]


def test_too_few_drives_say_nothing_and_a_lunch_or_a_parking_lot_counts_for_none() -> None:
    assert hours_taken(drives(8, 1.5, FEWEST - 1), HELSINKI)[0].factor is None
    assert hours_taken(drives(12, 7.0, 50), HELSINKI) == []
    assert hours_taken(drives(12, 3.0, 50, free_s=60), HELSINKI) == []
    assert hours_taken([Drive(MONDAY, -60.0, 600)] * 50, HELSINKI) == []


def test_a_job_that_was_closed_only_at_the_next_door_tells_nothing_of_the_way() -> None:
    """Its drive seems to have taken seconds; half of them would make every road twice as fast."""
    some = drives(8, 1.5) + drives(8, 0.01, 30)
    assert hours_taken(some, HELSINKI) == [HourTaken(0, 4, 8, FEWEST, 1.5)]


def test_saturdays_are_not_working_days_and_the_wall_clock_decides() -> None:
    summer = datetime(2026, 7, 6, 8, 10, tzinfo=HELSINKI).astimezone(UTC)
    some = [Drive(summer, 900.0, 600.0)] * FEWEST + drives(8, 1.5) + drives(8, 1.1, day=5)
    found = hours_taken(some, HELSINKI)
    assert found == [HourTaken(0, 4, 8, 2 * FEWEST, 1.5), HourTaken(5, 5, 8, FEWEST, 1.1)]


def test_a_long_drive_weighs_more_than_a_short_one() -> None:
    some = drives(8, 2.0, 20, free_s=200) + drives(8, 1.2, 15, free_s=1000)
    assert hours_taken(some, HELSINKI)[0].factor == 1.2


def test_hours_that_are_alike_are_one_line_and_free_ones_none() -> None:
    hours = [
        HourTaken(0, 4, 6, 30, 1.05),
        HourTaken(0, 4, 7, 30, 1.4),
        HourTaken(0, 4, 8, 90, 1.5),
        HourTaken(0, 4, 9, 30, 1.2),
        HourTaken(0, 4, 11, 30, 1.2),
        HourTaken(0, 4, 23, 30, 0.8),
        HourTaken(5, 5, 0, 30, 0.8),
        HourTaken(5, 5, 1, 3, None),
    ]
    assert lines_for(hours, "van") == [
        RushHour(0, 4, 7 * 60, 9 * 60, 1.5, "van"),
        RushHour(0, 4, 9 * 60, 10 * 60, 1.2, "van"),
        RushHour(0, 4, 11 * 60, 12 * 60, 1.2, "van"),
        RushHour(0, 4, 23 * 60, 0, 0.8, "van"),
        RushHour(5, 5, 0, 60, 0.8, "van"),
    ]


def test_a_slow_hour_and_a_quick_one_are_not_one_like_free_roads() -> None:
    """Many lines are made fewer by taking hours that are less alike as one."""
    turns = [0.85, 1.15, 2.0, 3.0] * 6
    hours = [HourTaken(0, 4, hour, 30, factor) for hour, factor in enumerate(turns)]
    assert all(abs(line.factor - 1) > 0.1 for line in lines_for(hours))


EIGHT = [HourTaken(0, 4, 8, 40, 1.5), HourTaken(0, 4, 9, 3, None), HourTaken(0, 4, 12, 40, 1.0)]
LEARNED = RushHour(0, 4, 8 * 60, 9 * 60, 1.5)


def test_hours_that_nothing_was_learned_of_stay_as_they_were_said() -> None:
    seven, nine = RushHour(0, 4, 420, 540, 1.2), RushHour(0, 4, 540, 600, 1.3)
    noon, night = RushHour(0, 6, 700, 800, 2.0), RushHour(4, 0, 1320, 360, 0.8)
    bikes = RushHour(0, 6, 0, 0, 1.0, "bicycle")
    rules = [seven, nine, noon, night, bikes]
    assert joined(rules, EIGHT, {"van"}, alone=True, most=40) == [bikes, LEARNED, nine, night]
    assert joined([], EIGHT, {"van"}, alone=True, most=40) == [LEARNED]


def test_vehicles_with_lines_of_their_own_get_what_was_learned_as_their_own() -> None:
    """Else they would go by their old lines alone."""
    nine, vans = RushHour(0, 4, 540, 600, 1.3), RushHour(5, 5, 540, 600, 1.1, "van")
    found = joined([nine, vans], EIGHT, {"van", "car"}, alone=True, most=40)
    car, van = replace(LEARNED, profile="car"), replace(LEARNED, profile="van")
    assert found == [nine, car, replace(nine, profile="car"), van, vans]
    assert overlap(found) is None


def test_where_settings_hold_no_more_lines_each_kind_gets_as_many_and_what_was_said_stays() -> None:
    """Else vans would lose theirs, being last."""
    hours = [HourTaken(0, 4, hour, 30, 1.5 if hour % 2 else 3.0) for hour in range(6, 18)]
    kinds = ("car", "truck", "van")
    said = [RushHour(6, 6, 60 * n, 60 * (n + 1), 1.2, kind) for kind in kinds for n in range(4)]
    found = joined(said, hours, kinds, alone=False, most=40)
    assert len(found) <= 40 and set(said) <= set(found)
    assert len({sum(rule.profile == kind for rule in found) for kind in kinds}) == 1
    assert len(joined(said, hours, kinds, alone=False, most=12)) == 12


def test_who_is_never_slow_does_not_fall_back_on_what_is_said_of_all() -> None:
    noon, evening = RushHour(0, 4, 720, 780, 2.0), RushHour(0, 4, 1020, 1080, 1.7)
    free = [HourTaken(0, 4, 12, 40, 1.0)]
    assert joined([noon], free, {"van"}, alone=True, most=40) == []
    assert joined([noon], free, {"van"}, alone=False, most=40) == [
        noon,
        RushHour(0, 6, 0, 0, 1.0, "van"),
    ]
    assert joined([evening], free, {"van"}, alone=False, most=40) == [evening]


@pytest.mark.parametrize("seed", range(20))
def test_lines_never_overlap_and_are_never_too_many(seed: int) -> None:
    random = Random(seed)
    hours = [
        HourTaken(*days, hour, random.randint(1, 90), random.choice([None, 0.3, 1.0, 1.6, 3.0]))
        for days in ((0, 4), (5, 5), (6, 6))
        for hour in range(24)
    ]
    lines = lines_for(hours)
    assert 0 < len(lines) <= MOST_LINES
    assert overlap(lines) is None


def test_twenty_drives_tell_how_slow_an_hour_is() -> None:
    """Where single drives scatter by a third either way: 19 of 20 times."""
    random, off = Random(15), 0
    for _ in range(400):
        some = [
            drive for _ in range(FEWEST) for drive in drives(8, 1.5 * random.uniform(0.67, 1.33), 1)
        ]
        factor = hours_taken(some, HELSINKI)[0].factor
        off += factor is None or abs(factor / 1.5 - 1) > 0.2
    assert off <= 20
