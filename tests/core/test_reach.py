"""How far one gets in some minutes, and who lies within: laws on any areas and paces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import cos, sin, tau

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.pace import Traffic, traffic_of
from hub.core.plan_request import Pace
from hub.core.reach import (
    demand_drawable,
    first_within,
    free_s,
    meets_edge,
    read_minutes,
    split_at_180,
)
from hub.core.values import Point
from hub.core.zones import Ring, Zone, area_text, read_area

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


BEYOND = ((-17.0, 179.0), (-17.0, 181.0), (-16.0, 181.0), (-16.0, 179.0))
JUMPS = ((-17.0, 179.0), (-17.0, -179.0), (-16.0, -179.0), (-16.0, 179.0))
LAKE = ((-16.6, 179.9), (-16.6, 180.1), (-16.4, 180.1), (-16.4, 179.9))


@pytest.mark.parametrize("ring", [BEYOND, JUMPS, tuple((a, b - 360) for a, b in BEYOND)])
def test_a_ring_over_180_degrees_has_a_part_on_each_side(ring: Ring) -> None:
    """RFC 7946, 3.1.9; whichever way it was told."""
    area = split_at_180(((ring, LAKE),))
    assert len(area) == 2
    demand_drawable(area)
    doors = [
        Point(-16.2, 179.5),
        Point(-16.2, -179.5),
        Point(-16.5, 179.95),
        Point(-16.5, -179.95),
        Point(-16.2, 178.5),
        Point(-16.2, -178.5),
        Point(-16.2, 0.0),
    ]
    assert first_within([area], doors) == [0, 0, None, None, None, None, None]
    zone = Zone("", "", read_area(area_text(area)))
    assert [zone.has(door) for door in doors] == [True, True, *([False] * 5)]
    assert not meets_edge(area, (-180.0, -18.0, 180.0, -15.0))


def test_a_ring_that_crosses_no_180_stays_as_it_is() -> None:
    odd = tuple((lat + 0.1, lon + 24.946521) for lat, lon in SQUARE)  # to the last digit
    area = ((SQUARE, HOLE), (odd,), (((-17.0, 179.0), (-17.0, 180.0), (-16.0, 180.0)),))
    assert split_at_180(area) == area
    assert split_at_180(()) == ()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0.05, 1), min_size=3, max_size=12), st.floats(170, 190))
def test_who_lies_in_a_ring_lies_in_its_parts(far: list[float], middle: float) -> None:
    """Any star about its middle, which lies where the globe is cut or near."""
    corners = [
        (r * sin(tau * n / len(far)), r * cos(tau * n / len(far))) for n, r in enumerate(far)
    ]
    ring = tuple((12 * y, middle + 12 * x) for y, x in corners)
    parts = split_at_180((((ring),),))
    demand_drawable(parts)
    plain = ((tuple((lat, lon - 90) for lat, lon in ring),),)
    spots = [(lat, lon) for lat in range(-11, 12, 4) for lon in range(159, 202, 3)]
    here = first_within([plain], [Point(lat + 0.1, lon - 90 + 0.1) for lat, lon in spots])
    there = first_within(
        [parts], [Point(lat + 0.1, (lon + 0.1 + 180) % 360 - 180) for lat, lon in spots]
    )
    assert here == there
