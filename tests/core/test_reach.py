"""How far one gets in some minutes, and who lies within: laws on any areas and paces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.pace import Traffic, traffic_of
from hub.core.plan_request import Pace
from hub.core.reach import first_within, free_s, meets_edge, read_minutes
from hub.core.values import Point
from hub.core.zones import Zone

EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
NINE = EIGHT + timedelta(hours=1)
RUSH = Traffic([Pace(EIGHT, 2.0), Pace(NINE, 1.0)])
SQUARE = ((0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0))
HOLE = ((1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (2.0, 1.0))


@pytest.mark.parametrize(
    ("typed", "read"),
    [("10, 20, 30", (10, 20, 30)), ("30;10 20", (10, 20, 30)), ("5,5", (5,)), ("120", (120,))],
)
def test_minutes_are_read_as_people_write_them(typed: str, read: tuple[int, ...]) -> None:
    assert read_minutes(typed) == read


@pytest.mark.parametrize("typed", ["", "0", "121", "1,2,3,4,5", "ten", "-5", "1.5", "9999", "²"])
def test_other_minutes_are_refused_with_what_to_write(typed: str) -> None:
    with pytest.raises(ValueError, match=r"such as 10, 20, 30\."):
        read_minutes(typed)


def test_the_part_of_a_drive_in_the_rush_hour_leads_half_as_far() -> None:
    assert free_s(None, EIGHT, 20) == 1200
    assert free_s(RUSH, EIGHT, 20) == 600
    assert free_s(RUSH, NINE - timedelta(minutes=10), 20) == 300 + 600
    assert free_s(RUSH, EIGHT - timedelta(minutes=10), 20) == 600 + 300


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 180), st.integers(1, 120), st.floats(0.3, 5))
def test_whoever_drives_what_fits_is_there_when_the_minutes_are_over(
    after: int, minutes: int, factor: float
) -> None:
    """By the very clock that plans go by."""
    traffic = traffic_of((Pace(EIGHT, factor), Pace(NINE, 1.0)))
    leave = EIGHT + timedelta(minutes=after - 60)
    way_s = free_s(traffic, leave, minutes)
    if traffic is not None:
        there = traffic.arrival(int(leave.timestamp()), way_s) - leave.timestamp()
        assert there == pytest.approx(60 * minutes, abs=1)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.floats(-1, 5), st.floats(-1, 5)), max_size=30))
def test_many_doors_at_once_lie_where_each_lies_by_itself(doors: list[tuple[float, float]]) -> None:
    points = [Point(*door) for door in doors]
    area = ((SQUARE, HOLE), (((4.5, 4.5), (4.5, 5.0), (5.0, 4.75)),))
    found = first_within([area], points)
    zone = Zone("", "", area)
    assert found == [0 if zone.has(point) else None for point in points]


def test_each_door_is_of_the_first_ring_that_holds_it() -> None:
    inner = (((((1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (2.0, 1.0))),),)
    doors = [Point(1.5, 1.5), Point(3.0, 3.0), Point(9.0, 9.0)]
    assert first_within([inner, ((SQUARE,),)], doors) == [0, 1, None]
    assert first_within([(), ()], doors) == [None] * 3
    assert first_within([inner], []) == []


def test_a_ring_that_comes_near_the_edge_of_the_map_may_be_cut_off() -> None:
    area = ((SQUARE,),)
    assert not meets_edge(area, (-1.0, -1.0, 5.0, 5.0))
    for cut in ((0.0, -1.0, 5.0, 5.0), (-1.0, -0.001, 5.0, 5.0), (-1.0, -1.0, 3.0, 5.0)):
        assert meets_edge(area, cut)
    assert meets_edge(area, (-1.0, -1.0, 5.0, 4.001)) and not meets_edge((), (0, 0, 0, 0))
