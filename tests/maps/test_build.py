from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.core.errors import ConfigError
from hub.core.values import Address, Point
from hub.maps.build import build, read_info
from hub.maps.coast import land_and_sea
from hub.maps.search import AddressSearch
from hub.maps.tiles import current_tiles
from hub.maps.view import fit

HELSINKI = Path(__file__).parents[2] / "hub" / "demo" / "helsinki.osm.pbf"
AT = datetime(2026, 11, 1, tzinfo=UTC)
KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from hub.maps.build import build
def progress(step, share):
    if step.startswith("roads"):
        os._exit(9)
build(Path(sys.argv[1]), Path(sys.argv[2]), built_at=datetime.now(UTC), progress=progress)
"""


def test_a_built_map_says_what_it_covers(helsinki):
    info = read_info(helsinki / "map")
    assert info is not None
    assert info.bbox == pytest.approx((24.9352, 60.1642, 24.9534, 60.1791), abs=1e-4)
    assert info.counts["addresses"] > 1000
    assert info.profiles == ("car", "bicycle", "walk")
    assert info.attribution == "© OpenStreetMap contributors"


@pytest.mark.soak
def test_a_build_that_is_killed_leaves_the_map_in_use_and_the_next_one_clears_up(tmp_path, block):
    map_dir = tmp_path / "map"
    first = build(block, map_dir, built_at=AT, profiles=())
    command = [sys.executable, "-c", KILLED, str(block), str(map_dir)]
    root = str(Path(__file__).parents[2])
    died = subprocess.run(command, env={**os.environ, "PYTHONPATH": root}, check=False)
    assert died.returncode == 9
    assert read_info(map_dir) == first
    second = build(block, map_dir, built_at=AT, profiles=())
    assert read_info(map_dir) == second
    assert [p.name for p in map_dir.glob("build-*")] == [second.id]


def test_a_build_that_fails_leaves_the_map_in_use_and_nothing_behind(tmp_path, block):
    map_dir = tmp_path / "map"
    first = build(block, map_dir, built_at=AT, profiles=())

    def stop(step: str, share: float) -> None:
        if step == "addresses":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(block, map_dir, built_at=AT, profiles=(), progress=stop)
    assert read_info(map_dir) == first
    assert [p.name for p in map_dir.glob("build-*")] == [first.id]


def test_a_missing_extract_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.osm\.pbf"):
        build(tmp_path / "nowhere.osm.pbf", tmp_path / "map", built_at=AT)


def test_a_cut_covers_only_the_neighbourhood_asked_for(tmp_path, helsinki):
    senate_square = Point(60.1695, 24.9525)
    whole = read_info(helsinki / "map")
    info = build(
        HELSINKI, tmp_path / "map", built_at=AT, around=[senate_square], within_km=0.3, profiles=()
    )
    assert whole is not None
    assert 0 < info.counts["addresses"] < whole.counts["addresses"] / 2
    assert info.bbox[1] > whole.bbox[1]


def test_places_outside_the_extract_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="inside"):
        build(HELSINKI, tmp_path / "map", built_at=AT, around=[Point(0, 0)], profiles=())


def test_streets_are_in_the_tiles_and_the_south_harbour_is_water(helsinki):
    tiles = current_tiles(helsinki / "map")
    assert tiles is not None
    assert "ocean" in _kinds(tiles, Point(60.1657, 24.95335))  # South Harbour
    assert "ocean" not in _kinds(tiles, Point(60.1699, 24.9384))  # railway station


def test_a_tile_the_map_does_not_reach_is_none(helsinki):
    tiles = current_tiles(helsinki / "map")
    assert tiles is not None
    assert tiles.get(15, 0, 0) is None
    assert tiles.get(30, 1, 1) is None
    assert tiles.get(15, -1, 0) is None


def test_no_map_has_no_tiles_and_no_info(tmp_path):
    assert current_tiles(tmp_path) is None
    assert read_info(tmp_path) is None


def test_land_lies_left_of_the_coast():
    land, sea = land_and_sea([[(0.0, 0.5), (1.0, 0.5)]], (0.0, 0.0, 1.0, 1.0))
    assert land.area == pytest.approx(0.5)
    assert land.centroid.y == pytest.approx(0.75)
    assert sea.centroid.y == pytest.approx(0.25)


def test_an_island_is_land_in_the_sea():
    island = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.4)]
    land, sea = land_and_sea([island], (0.0, 0.0, 1.0, 1.0))
    assert land.area == pytest.approx(0.04)
    assert sea.area == pytest.approx(0.96)


def _kinds(tiles, point):
    """The kinds of water that cover ``point`` in its deepest tile."""
    from shapely.geometry import Point as Dot
    from shapely.geometry import shape

    view = fit([point], 256, 256)
    z = 15
    x = (view.left + 128) / 2 ** (view.zoom - z) / 256
    y = (view.top + 128) / 2 ** (view.zoom - z) / 256
    layer = tiles.layers(z, int(x), int(y)).get("water", {"features": [], "extent": 4096})
    dot = Dot((x % 1) * layer["extent"], (y % 1) * layer["extent"])
    return {
        f["properties"]["kind"]
        for f in layer["features"]
        if "Polygon" in f["geometry"]["type"] and shape(f["geometry"]).buffer(0).contains(dot)
    }


@pytest.mark.soak
def test_an_inland_country_builds_with_land_all_over(tmp_path):
    data = os.environ.get("HUB_TEST_DATA")
    if not data:
        pytest.skip("HUB_TEST_DATA names no folder with larger extracts")
    info = build(
        Path(data) / "osm" / "liechtenstein.osm.pbf", tmp_path / "map", built_at=AT, profiles=()
    )
    tiles = current_tiles(tmp_path / "map")
    assert tiles is not None
    assert info.counts["addresses"] > 900
    assert "ocean" not in _kinds(tiles, Point(47.1410, 9.5209))
    match = AddressSearch(tmp_path / "map" / "current" / "addresses.db").locate(
        Address(("Aeulestrase 20",), city="Vaduz")
    )
    assert match is not None
    assert match.label.startswith("Aeulestrasse 20")
