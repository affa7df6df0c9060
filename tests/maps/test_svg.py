from __future__ import annotations

import gzip
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from hub.core.values import Point
from hub.maps.svg import draw
from hub.maps.tiles import current_tiles
from hub.plugins.travel_osrm import OsrmTravelTimes

DOOR, DRIVER, FAR = Point(60.1680, 24.9510), Point(60.1710, 24.9414), Point(60.1785, 24.9370)
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("driver", [DRIVER, FAR, Point(60.1682, 24.9505), Point(60.30, 25.10)])
@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_a_map_is_well_formed_small_and_credited(helsinki, theme, driver):
    tiles = current_tiles(helsinki / "map")
    svg = draw(tiles, pins=[(DOOR, "stop", "1"), (driver, "driver", "Mara & co")], theme=theme)
    root = ElementTree.fromstring(svg)
    assert len(gzip.compress(svg.encode())) <= 11_000
    assert "© OpenStreetMap contributors" in svg
    assert {e.get("data-pin") for e in root.iter() if e.get("data-pin")} == {"stop", "driver"}


def test_a_route_is_drawn_in_the_accent_colour(helsinki, tools_for):
    way = OsrmTravelTimes(None, tools_for(helsinki)).route([DRIVER, DOOR], AT).geometry
    tiles = current_tiles(helsinki / "map")
    svg = draw(tiles, pins=[(DOOR, "stop", "")], lines=[way], accent="#b00020")
    assert 'stroke="#b00020"' in svg
    assert len(gzip.compress(svg.encode())) <= 11_000


def test_a_script_can_place_a_pin_from_what_the_map_carries(helsinki):
    svg = draw(None, pins=[(DOOR, "stop", "1"), (DRIVER, "driver", "")], width=400, height=300)
    root = ElementTree.fromstring(svg)
    world = 256 * 2 ** float(root.get("data-zoom"))
    x = (DRIVER.lon + 180) / 360 * world - float(root.get("data-left"))
    pin = next(e for e in root.iter() if e.get("data-pin") == "driver")
    assert pin.get("transform").startswith(f"translate({x:.1f} ")


def test_without_a_map_there_is_a_plain_grid():
    svg = draw(None, pins=[(DOOR, "stop", "<b>")])
    ElementTree.fromstring(svg)
    assert len(gzip.compress(svg.encode())) < 2000
    assert "OpenStreetMap" not in svg


def test_an_auto_map_follows_the_reader_and_obeys_a_nonce():
    svg = draw(None, pins=[(DOOR, "stop", "")], theme="auto", nonce="abc")
    assert "prefers-color-scheme:dark" in svg
    assert '<style nonce="abc">' in svg
    assert "<style" not in draw(None, pins=[(DOOR, "stop", "")], theme="dark")


def test_what_was_drawn_before_is_drawn_the_same_and_each_theme_has_its_own_ground(helsinki):
    tiles = current_tiles(helsinki / "map")
    drawn = {}
    for theme in ("light", "dark", "light", "dark"):
        svg = draw(tiles, pins=[(DOOR, "stop", "1"), (DRIVER, "driver", "")], theme=theme)
        assert drawn.setdefault(theme, svg) == svg
    assert "--map-road,#ffffff" in drawn["light"] and "--map-road,#3a424b" in drawn["dark"]
    moved = draw(tiles, pins=[(DOOR, "stop", "1"), (FAR, "driver", "")], theme="light")
    assert moved.partition("<rect")[2] != drawn["light"].partition("<rect")[2]
