"""How fast streets are now, written into a built map and seen by routers that have it open."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from hub.core.errors import ConfigError, Refused
from hub.core.stays import Fix
from hub.core.street_speeds import Speeds, drives_of, passed, speeds
from hub.core.values import Point
from hub.maps.present_speeds import (
    GOOD_FOR_S,
    HEADER_WORDS,
    _tiles,
    are_known,
    present,
    write_speeds,
)
from hub.maps.snapping import snapped
from hub.maps.turns import traffic, write_turns
from hub.plugins.travel_valhalla import ValhallaTravelTimes
from tests.core.gps_traces import DATA, GPX
from tests.street_worlds import fixes_along, points

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
STATION, MARKET = Point(60.1710, 24.9414), Point(60.1680, 24.9520)
ENDS = [Point(60.1694, 24.9433), Point(60.1702, 24.9530)]
PARIS = [Point(48.85, 2.35), Point(48.851, 2.351)]
ANDORRA = Path(os.environ.get("HUB_TEST_DATA", "/nowhere")) / "osm" / "andorra.osm.pbf"


@pytest.fixture
def turns(helsinki: Path, tools_for):  # type: ignore[no-untyped-def]
    return ValhallaTravelTimes(None, tools_for(helsinki))


def test_a_track_is_put_on_its_streets(turns, helsinki: Path) -> None:
    """Fixes five metres beside the way that was driven, and one in a yard."""
    way = turns.route([STATION, MARKET], AT, "car")
    beside = [Point(p.lat + 0.00004, p.lon) for p in way.geometry]
    current = helsinki / "map" / "current"
    found = snapped(current, beside)
    assert len(found.spots) == len(beside)
    known = [one for one in found.spots if one is not None]
    assert len(known) > 0.9 * len(beside)
    assert [one.at for one in known] == sorted(one.at for one in known)
    whole = sum(street.length_m for street in found.streets[1:-1])
    assert whole < way.legs[0].metres < sum(street.length_m for street in found.streets) + 20
    assert all(0 <= one.along_m <= found.streets[one.at].length_m + 1 for one in known)
    with pytest.raises(Refused):
        snapped(current, PARIS)


@pytest.fixture
def own(helsinki: Path, tmp_path: Path, tools_for):  # type: ignore[no-untyped-def]
    """A map of its own, which may be written to, and a router that has it open."""
    here = tmp_path / "map" / "current"
    shutil.copytree(helsinki / "map" / "current" / "turns", here / "turns")
    return here, ValhallaTravelTimes(None, replace(tools_for(tmp_path), now=lambda: AT))


def test_what_is_written_of_streets_holds_at_the_next_question(own) -> None:
    """In a router that is open already, until it is taken back; each way at least once."""
    here, travel = own
    now_s = round(AT.timestamp())
    free = travel.route(ENDS, AT, "car")
    asked = travel.matrix(ENDS, AT, "car").seconds
    streets = {street.number for street in snapped(here, free.geometry).streets}
    assert present(here) is None and not are_known(here, now_s)
    told = write_speeds(here, dict.fromkeys(streets, 4.0), now_s=now_s, slower=2)
    assert told.told == len(streets) and told == present(here) and are_known(here, now_s)
    [leg] = travel.route(ENDS, AT, "car").legs
    assert leg.seconds > 1.3 * free.legs[0].seconds
    assert leg.free_s is not None and leg.free_s < 1.2 * leg.seconds / 1.3
    assert travel.matrix(ENDS, AT, "car").seconds == asked  # what is remembered knows no jam
    some = dict.fromkeys(list(streets)[:1], 40.0)
    assert write_speeds(here, some, now_s=now_s).told == 1  # and of the others none is known
    write_speeds(here, {}, now_s=now_s)
    assert not traffic_words(here).any()
    assert travel.route(ENDS, AT, "car") == free
    assert write_speeds(here, {(1 << 45) + 7: 30.0}, now_s=3).told == 0


def traffic_words(here: Path) -> np.ndarray:
    """What is told of each street of the map; 0: nothing."""
    words = np.memmap(traffic(here), dtype="<u8", mode="r")
    spans = list(_tiles(traffic(here), words))
    return np.concatenate([words[b + HEADER_WORDS : b + HEADER_WORDS + n] for _, b, n in spans])


@pytest.mark.parametrize("later_s", [-GOOD_FOR_S - 1, 3600], ids=["long ago", "clock set back"])
def test_a_jam_is_not_believed_for_ever_should_nobody_write_any_more(own, later_s: int) -> None:
    here, travel = own
    free = travel.route(ENDS, AT, "car")
    streets = [street.number for street in snapped(here, free.geometry).streets]
    write_speeds(here, dict.fromkeys(streets, 4.0), now_s=round(AT.timestamp()) + later_s)
    assert travel.route(ENDS, AT, "car") == free


def test_a_map_without_turns_keeps_no_speeds(own) -> None:
    here, _ = own
    traffic(here).unlink()
    with pytest.raises(ConfigError, match="built without turns"):
        write_speeds(here, {}, now_s=4)


@pytest.fixture(scope="session")
def andorra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    map_dir = tmp_path_factory.mktemp("andorra") / "map" / "current"
    map_dir.mkdir(parents=True)
    write_turns(ANDORRA, map_dir)
    return map_dir


def andorran(map_dir: Path, jam_ms: float, vans: int = 2, noise_m: float = 6.0) -> Speeds:
    """Vans go along a way that a phone recorded there, part of it slowly."""
    gpx = ET.parse(DATA / "andorra_for_map_matching.gpx").iter(GPX)  # noqa: S314
    way = [Point(float(p.attrib["lat"]), float(p.attrib["lon"])) for p in gpx]
    streets, told = {}, []
    for seed in range(vans):
        fixes: list[Fix] = fixes_along(
            way,
            lambda m: jam_ms if m > 200 else 12.0,
            start_ms=1_790_000_000_000,
            noise_m=noise_m,
            seed=seed,
        )
        [drive] = drives_of(fixes, [])
        found = snapped(map_dir, list(points(drive.fixes)))
        streets |= {street.number: street for street in found.streets}
        told.append(passed(drive, found))
    return speeds(told, streets)


@pytest.mark.skipif(not ANDORRA.is_file(), reason="HUB_TEST_DATA names no map of Andorra")
@pytest.mark.parametrize("jam_ms", [1.5, 4.0, 12.0])
def test_a_jam_on_a_recorded_way_is_as_slow_as_it_was_driven(andorra: Path, jam_ms: float) -> None:
    found = andorran(andorra, jam_ms)
    [kmh] = found.kmh.values()
    assert kmh == pytest.approx(3.6 * jam_ms, rel=0.1)
    assert found.slower == (jam_ms < 11)
    assert andorran(andorra, jam_ms, vans=1).kmh == {}
