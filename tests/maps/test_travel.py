from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.core.errors import ConfigError, Refused
from hub.core.values import Point
from hub.plugins.travel_crow import CrowTravelTimes
from hub.plugins.travel_osrm import UNREACHABLE_S, OsrmTravelTimes

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
STATION, MARKET, PARK = Point(60.1710, 24.9414), Point(60.1680, 24.9520), Point(60.1760, 24.9440)
PLACES = [STATION, MARKET, PARK]


@pytest.mark.parametrize("profile", ["car", "van", "truck", "bicycle", "cargo_bike", "walk"])
def test_roads_are_longer_than_the_straight_line(helsinki, tools_for, profile):
    roads = OsrmTravelTimes(None, tools_for(helsinki)).matrix(PLACES, AT, profile)
    crow = CrowTravelTimes(None, tools_for(helsinki)).matrix(PLACES, AT, profile)
    for i in range(3):
        assert roads.seconds[i][i] == roads.metres[i][i] == 0
        for j in range(3):
            if i != j:
                assert 0.9 * crow.metres[i][j] / 1.35 < roads.metres[i][j] < 8000
                assert 0 < roads.seconds[i][j] < 3600


def test_a_route_follows_streets_and_its_legs_are_the_matrix(helsinki, tools_for):
    travel = OsrmTravelTimes(None, tools_for(helsinki))
    route = travel.route(PLACES, AT, "car")
    matrix = travel.matrix(PLACES, AT, "car")
    assert len(route.geometry) > 20
    assert [leg.metres for leg in route.legs] == pytest.approx(
        [matrix.metres[0][1], matrix.metres[1][2]], rel=0.05, abs=5
    )


@pytest.mark.parametrize("kind", [OsrmTravelTimes, CrowTravelTimes])
def test_few_places_are_no_error(helsinki, tools_for, kind):
    travel = kind(None, tools_for(helsinki))
    assert travel.matrix([STATION], AT).seconds == ((0,),)
    assert travel.matrix([], AT).seconds == ()
    assert travel.route([STATION], AT).legs == ()


def test_without_a_map_roads_say_how_to_get_one(tmp_path, tools_for):
    travel = OsrmTravelTimes(None, tools_for(tmp_path))
    with pytest.raises(ConfigError, match="hub map build"):
        travel.check()
    with pytest.raises(ConfigError, match="hub map build"):
        travel.matrix(PLACES, AT)


@pytest.mark.parametrize("kind", [OsrmTravelTimes, CrowTravelTimes])
def test_an_unknown_profile_is_refused(helsinki, tools_for, kind):
    with pytest.raises(ConfigError, match="hovercraft"):
        kind(None, tools_for(helsinki)).matrix(PLACES, AT, "hovercraft")


def test_a_place_off_the_map_is_not_moved_to_the_nearest_road(helsinki, tools_for):
    """Paris was five minutes from Helsinki's station."""
    travel = OsrmTravelTimes(None, tools_for(helsinki))
    paris = Point(48.85, 2.35)
    matrix = travel.matrix([STATION, paris, MARKET], AT)
    assert [row[1] for row in matrix.seconds] == [UNREACHABLE_S, 0, UNREACHABLE_S]
    assert matrix.seconds[0][2] < 3600
    with pytest.raises(Refused, match="no road near"):
        travel.route([STATION, paris], AT)
    with pytest.raises(ConfigError, match="no road near"):
        travel.matrix([paris, Point(48.86, 2.36)], AT)
