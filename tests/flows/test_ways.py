"""What would make room for a job that a plan left out, on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.core.values import TimeWindow
from hub.flows.overview import day_seen
from hub.flows.planning_run import ask_plan, solve_waiting
from hub.flows.shifts import set_hours
from tests.flows.plan_worlds import DAY, SOUTH, Town, a_town, kilos, near, open_hub


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Town:
    town = a_town(open_hub(database_url, tmp_path), capacity={"g": 50_000})
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, 4)})
    return town


def planned(town: Town) -> None:
    ask_plan(town.hub, town.business_id, town.south, DAY, actor="staff:1", time_limit_s=2)
    assert solve_waiting(town.hub)


def clock(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 23, hour - 2, minute, tzinfo=UTC)  # Helsinki's winter


def test_a_window_before_the_shift_offers_hours_that_would_do(town: Town) -> None:
    # The shifts begin at eight.
    early = TimeWindow(clock(7, 30), clock(7, 50))
    town.order("EARLY", near(SOUTH, 5), windows=(early,))
    planned(town)
    [left] = day_seen(town.hub, town.business_id, DAY).left_out
    ways = {way.said: way for way in left.known.ways}
    [start] = [said for said in ways if "starts" in said]
    assert re.fullmatch(r"(Mara|Otso) starts 1[0-9] min earlier, at 07:4[0-9]", start)
    assert any(re.fullmatch(r"its window closes 1\d min later, at 08:0\d", said) for said in ways)
    assert "when the shifts begin" in left.known.binding
    assert not left.known.looking

    way = ways[start]
    set_hours(
        town.hub,
        town.business_id,
        way.driver_id,
        DAY,
        (way.hours[0], way.hours[1]),
        actor="staff:1",
    )
    planned(town)
    assert day_seen(town.hub, town.business_id, DAY).left_out == ()


def test_a_load_that_no_van_carries_says_by_how_much(town: Town) -> None:
    town.order("HEAVY", near(SOUTH, 5), lines=kilos(62.3))
    planned(town)
    [left] = day_seen(town.hub, town.business_id, DAY).left_out
    assert [way.said for way in left.known.ways] in (
        ["Van 2 carries 12.3 kg more"],
        ["Van 3 carries 12.3 kg more"],
    )
    assert left.known.ways[0].hours == ()


def test_nothing_is_kept_as_being_looked_for_when_another_day_waits(town: Town) -> None:
    town.order("HEAVY", near(SOUTH, 5), lines=kilos(62.3))
    ask_plan(town.hub, town.business_id, town.south, DAY, actor="staff:1", time_limit_s=2)
    ask_plan(town.hub, town.business_id, town.north, DAY, actor="staff:1", time_limit_s=2)
    assert solve_waiting(town.hub)
    [left] = day_seen(town.hub, town.business_id, DAY).left_out
    assert not left.known.looking
    assert left.reason.startswith("It weighs 62.3 kg")
