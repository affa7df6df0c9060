"""A town of one straight street and a way round it: who may take the street?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import osmium
import pytest

from hub.core.errors import ConfigError
from hub.core.values import Point
from hub.maps.build import build
from hub.maps.roads import PROFILES
from hub.plugins.travel_osrm import OsrmTravelTimes

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
WEST, EAST = Point(60.17, 24.940), Point(60.17, 24.950)
STRAIGHT_M, ROUND_M = 560, 1660


def town(path: Path, *, tags: dict[str, str]) -> Path:
    """Four crossings in a row; between the middle two the street has ``tags``."""
    spots = {1: (24.940, 60.17), 2: (24.943, 60.17), 3: (24.947, 60.17), 4: (24.950, 60.17)}
    spots |= {5: (24.940, 60.175), 6: (24.950, 60.175)}
    ways = {
        1: ([1, 2], {}),
        2: ([2, 3], tags),
        3: ([3, 4], {}),
        4: ([1, 5, 6, 4], {}),
    }
    with osmium.SimpleWriter(str(path)) as writer:
        for id_, at in spots.items():
            writer.add_node(osmium.osm.mutable.Node(id=id_, location=at))
        for id_, (nodes, more) in ways.items():
            kind = {"highway": "residential"} | more
            writer.add_way(osmium.osm.mutable.Way(id=id_, nodes=nodes, tags=kind))
    return path


def metres(tmp_path, tools_for, tags, asked, built=None) -> dict[str, int]:
    pbf = town(tmp_path / "town.osm.pbf", tags=tags)
    build(pbf, tmp_path / "map", built_at=AT, profiles=built or asked)
    travel = OsrmTravelTimes(None, tools_for(tmp_path))
    return {name: travel.matrix([WEST, EAST], AT, name).metres[0][1] for name in asked}


@pytest.mark.parametrize(
    ("tags", "kept_out"),
    [
        ({"maxheight": "2.3"}, {"van", "truck"}),
        pytest.param({"maxheight": "3.2"}, {"truck"}, marks=pytest.mark.soak),
        pytest.param({"maxweight": "3"}, {"van", "truck"}, marks=pytest.mark.soak),
        pytest.param({"maxweight": "7.5"}, {"truck"}, marks=pytest.mark.soak),
        pytest.param({"maxlength": "10"}, {"truck"}, marks=pytest.mark.soak),
        pytest.param({"maxwidth": "2.3"}, {"truck"}, marks=pytest.mark.soak),
        ({"hgv": "no"}, {"truck"}),
    ],
)
def test_who_is_too_high_heavy_long_or_wide_goes_round(tmp_path, tools_for, tags, kept_out):
    found = metres(tmp_path, tools_for, tags, ("car", "van", "truck"))
    for name, length_m in found.items():
        expected = ROUND_M if name in kept_out else STRAIGHT_M
        assert length_m == pytest.approx(expected, rel=0.05), (name, found)


def test_a_cargo_bike_takes_no_stairs(tmp_path, tools_for):
    found = metres(tmp_path, tools_for, {"highway": "steps"}, ("walk", "bicycle", "cargo_bike"))
    assert found["walk"] == pytest.approx(STRAIGHT_M, rel=0.05)
    assert found["cargo_bike"] == pytest.approx(ROUND_M, rel=0.05)


def test_on_a_map_built_for_cars_a_van_drives_as_a_car(tmp_path, tools_for):
    found = metres(tmp_path, tools_for, {"maxheight": "2.3"}, ("car", "van"), built=("car",))
    assert found["van"] == found["car"]


def test_what_a_map_was_not_built_for_says_how_to_build_it(tmp_path, tools_for):
    with pytest.raises(ConfigError, match="--profile walk"):
        metres(tmp_path, tools_for, {}, ("walk",), built=("car",))


def test_an_unknown_profile_is_told_which_there_are(tmp_path, tools_for):
    with pytest.raises(ConfigError) as caught:
        metres(tmp_path, tools_for, {}, ("hovercraft",), built=("car",))
    assert all(name in str(caught.value) for name in PROFILES)
