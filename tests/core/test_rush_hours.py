"""When roads are slower, said by weekday and clock: which moments that means."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.core.pace import Traffic
from hub.core.rush_hours import RushHour, overlap, paces_on

HELSINKI = ZoneInfo("Europe/Helsinki")
MONDAY = date(2026, 11, 23)
MORNING = RushHour(0, 4, 7 * 60, 9 * 60, 1.4)


def clocks(rules: list[RushHour], day: date, profile: str = "van") -> list[tuple[str, float]]:
    paces = paces_on(rules, profile, day, day, HELSINKI)
    here = [(pace.begins.astimezone(HELSINKI), pace.factor) for pace in paces]
    return [(f"{at:%a %H:%M}", factor) for at, factor in here]


def test_a_rule_holds_on_its_days_by_the_clock_on_the_wall() -> None:
    found = clocks([MORNING], MONDAY)
    assert found == [("Mon 07:00", 1.4), ("Mon 09:00", 1), ("Tue 07:00", 1.4), ("Tue 09:00", 1)]
    assert clocks([MORNING], date(2026, 11, 28)) == []  # Saturday and Sunday
    assert paces_on([MORNING], "van", MONDAY, MONDAY, HELSINKI)[0].begins.hour == 5  # of UTC


def test_one_rule_may_follow_on_another() -> None:
    rules = [MORNING, RushHour(0, 0, 9 * 60, 10 * 60, 1.2)]
    assert clocks(rules, MONDAY)[:3] == [("Mon 07:00", 1.4), ("Mon 09:00", 1.2), ("Mon 10:00", 1)]


def test_a_kind_of_vehicle_with_rules_of_its_own_goes_by_those_alone() -> None:
    rules = [MORNING, RushHour(0, 6, 0, 0, 1.0, "bicycle")]
    assert clocks(rules, MONDAY, "bicycle") == []
    assert clocks(rules, MONDAY, "car")


def test_a_night_goes_on_after_midnight_and_after_the_week() -> None:
    night = [RushHour(6, 6, 22 * 60, 2 * 60, 0.8)]
    sunday = MONDAY - timedelta(days=1)
    assert clocks(night, sunday) == [("Sun 22:00", 0.8), ("Mon 02:00", 1)]
    assert clocks(night, MONDAY) == [("Mon 00:00", 0.8), ("Mon 02:00", 1)]
    weekend = [RushHour(5, 0, 10 * 60, 11 * 60, 1.5)]  # Saturday to Monday
    assert clocks(weekend, MONDAY) == [("Mon 10:00", 1.5), ("Mon 11:00", 1)]


def test_an_hour_that_does_not_come_is_not_slow_and_one_that_comes_twice_is_so_twice() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    gone = [RushHour(6, 6, 3 * 60, 4 * 60, 2.0)]
    assert clocks(gone, spring) == []
    half = [RushHour(6, 6, 3 * 60 + 30, 5 * 60, 2.0)]
    assert clocks(half, spring) == [("Sun 04:00", 2.0), ("Sun 05:00", 1)]
    twice = [RushHour(6, 6, 3 * 60 + 15, 3 * 60 + 45, 2.0)]
    assert [clock for clock, _ in clocks(twice, autumn)] == ["Sun 03:15", "Sun 03:45"] * 2
    whole = [RushHour(6, 6, 3 * 60, 4 * 60, 2.0)]
    first, last = paces_on(whole, "van", autumn, autumn, HELSINKI)
    assert last.begins - first.begins == timedelta(hours=2)


@pytest.mark.parametrize("seed", range(20))
def test_the_clock_on_the_wall_decides_at_every_moment(seed: int) -> None:
    dice = random.Random(seed)
    rules: list[RushHour] = []
    for _ in range(40):
        begins, lasts = dice.randrange(0, 1440, 5), dice.randrange(5, 700, 5)
        rule = RushHour(
            *(dice.randrange(7), dice.randrange(7)),
            *(begins, (begins + lasts) % 1440, dice.choice((0.7, 1.3, 2.0))),
        )
        if overlap([*rules, rule]) is None:
            rules.append(rule)
    for day in (date(2026, 3, 28), date(2026, 10, 24), MONDAY, date(2026, 12, 31)):
        traffic = Traffic(paces_on(rules, "van", day, day, HELSINKI))
        since = datetime.combine(day, datetime.min.time(), HELSINKI).astimezone(UTC)
        for _ in range(300):
            at = since + timedelta(minutes=dice.randrange(47 * 60))
            here = at.astimezone(HELSINKI)
            minute = here.weekday() * 1440 + here.hour * 60 + here.minute
            named = [rule.factor for rule in rules if rule.holds_at(minute)]
            assert len(named) <= 1
            assert traffic.factor_at(at.timestamp()) == (named or [1.0])[0]


def test_rules_that_speak_of_the_same_minute_are_found() -> None:
    assert overlap([MORNING, RushHour(2, 2, 8 * 60, 10 * 60, 1.2)])
    assert overlap([MORNING, RushHour(6, 6, 23 * 60, 7 * 60 + 30, 1.2)])  # into Monday
    assert overlap([MORNING, RushHour(4, 0, 0, 0, 1.2)])
    assert overlap([MORNING, RushHour(0, 4, 9 * 60, 7 * 60, 1.2)]) is None  # all but the morning
    assert overlap([MORNING, RushHour(0, 4, 8 * 60, 9 * 60, 1.2, "van")]) is None
