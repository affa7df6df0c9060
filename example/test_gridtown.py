"""The plugin keeps the contract of travel times."""

from pathlib import Path

import pytest
from hub_gridtown import Gridtown

from hub import ConfigError, Point, Tools
from hub.testing import MONDAY, TravelTimesConformance, lent

HOME, NORTH, CORNER = Point(40.0, -74.0), Point(40.01, -74.0), Point(40.01, -73.98)


@pytest.fixture
def travel(tmp_path: Path) -> Gridtown:
    return Gridtown(Gridtown.Settings(), lent(tmp_path, now=MONDAY))


def test_a_matrix_is_square_whole_and_zero_on_its_diagonal(travel: Gridtown) -> None:
    found = travel.matrix([HOME, NORTH, CORNER], MONDAY)
    for rows in (found.seconds, found.metres):
        assert [len(row) for row in rows] == [3, 3, 3]
        assert all(type(value) is int and value >= 0 for row in rows for value in row)
        assert [rows[n][n] for n in range(3)] == [0, 0, 0]


def test_round_a_corner_is_both_ways_together(travel: Gridtown) -> None:
    metres = travel.matrix([HOME, NORTH, CORNER], MONDAY).metres
    assert metres[0][1] == pytest.approx(1112, abs=1)
    assert metres[0][2] == pytest.approx(metres[0][1] + metres[1][2], abs=2)


def test_who_walks_takes_longer(travel: Gridtown) -> None:
    seconds = [
        travel.matrix([HOME, CORNER], MONDAY, profile).seconds[0][1]
        for profile in ("car", "bicycle", "walk")
    ]
    assert seconds == sorted(set(seconds))


def test_a_way_has_a_leg_for_each_part_and_ends_where_it_should(travel: Gridtown) -> None:
    places = [HOME, CORNER, NORTH]
    way, table = travel.route(places, MONDAY), travel.matrix(places, MONDAY)
    assert (way.geometry[0], way.geometry[-1]) == (HOME, NORTH)
    assert CORNER in way.geometry
    assert [leg.seconds for leg in way.legs] == [table.seconds[0][1], table.seconds[1][2]]


def test_a_vehicle_it_does_not_know_is_said(travel: Gridtown) -> None:
    with pytest.raises(ConfigError, match="balloon"):
        travel.matrix([HOME, NORTH], MONDAY, "balloon")


@pytest.mark.parametrize("places", [[], [HOME], [HOME, HOME]])
def test_few_places_are_no_mistake(travel: Gridtown, places: list[Point]) -> None:
    assert len(travel.matrix(places, MONDAY).seconds) == len(places)
    assert len(travel.route(places, MONDAY).legs) == max(0, len(places) - 1)


class TestGridtown(TravelTimesConformance):
    places = (HOME, NORTH, CORNER, Point(39.99, -73.99))
    profiles = ("car", "bicycle", "walk")

    def travel(self, tools: Tools) -> Gridtown:
        return Gridtown(Gridtown.Settings(), tools)
