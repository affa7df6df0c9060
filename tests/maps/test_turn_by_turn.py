"""Turns, measures, tracks and reach on the built map."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from hub.core.errors import ConfigError, Refused
from hub.core.reach import first_within
from hub.core.values import Point
from hub.plugins.travel_osrm import UNREACHABLE_S, OsrmTravelTimes
from hub.plugins.travel_valhalla import ValhallaTravelTimes

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
STATION, MARKET, PARK = Point(60.1710, 24.9414), Point(60.1680, 24.9520), Point(60.1760, 24.9440)
PLACES = [STATION, MARKET, PARK]
PARIS = Point(48.85, 2.35)


@pytest.fixture
def turns(helsinki: Path, tools_for):  # type: ignore[no-untyped-def]
    return ValhallaTravelTimes(None, tools_for(helsinki))


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("en", "Turn right onto Kaivokatu."),
        ("de-DE", "Rechts auf Kaivokatu abbiegen."),
        ("fi", "Käänny oikealle kadulle Kaivokatu."),
        ("ar", "Turn right onto Kaivokatu."),  # its own is half English
        ("tlh", "Turn right onto Kaivokatu."),
    ],
)
def test_a_driver_is_told_where_to_turn_in_his_language(turns, language, word) -> None:
    route = turns.directions(PLACES, AT, "van", language)
    assert [len(leg.steps) > 3 for leg in route.legs] == [True, True]
    first = route.legs[0]
    assert first.steps[1].text == word
    assert sum(step.metres for step in first.steps) == pytest.approx(first.metres, abs=20)
    assert sum(step.seconds for step in first.steps) == pytest.approx(first.seconds, abs=20)


def test_lengths_agree_with_the_other_engine(turns, helsinki, tools_for) -> None:
    ours = turns.matrix(PLACES, AT, "car").metres
    theirs = OsrmTravelTimes(None, tools_for(helsinki)).matrix(PLACES, AT, "car").metres
    for i in range(3):
        for j in range(3):
            assert ours[i][j] == pytest.approx(theirs[i][j], rel=0.35, abs=200)


def test_a_high_truck_goes_another_way_or_none(turns) -> None:
    doors = [Point(60.165 + n / 1500, 24.930 + n % 5 / 150) for n in range(16)]
    low = turns.matrix(doors, AT, "truck/h200/w3000/l500")
    high = turns.matrix(doors, AT, "truck/h410/w40000/l1650")
    ways = [(i, j) for i in range(16) for j in range(16)]
    lost = {(i, j) for i, j in ways if high.seconds[i][j] == UNREACHABLE_S}
    assert {(i, j) for i, j in ways if low.seconds[i][j] == UNREACHABLE_S} < lost
    assert any(high.metres[i][j] > low.metres[i][j] + 50 for i, j in {*ways} - lost)
    assert turns.basis(AT, "truck/h200") != turns.basis(AT, "truck/h410")


def test_a_place_off_the_map_is_out_of_reach_and_hides_nothing(turns) -> None:
    matrix = turns.matrix([STATION, PARIS, MARKET], AT)
    assert [row[1] for row in matrix.seconds] == [UNREACHABLE_S, 0, UNREACHABLE_S]
    assert matrix.seconds[0][2] < 3600
    with pytest.raises(Refused, match="no road near"):
        turns.directions([STATION, PARIS], AT, "car", "en")
    with pytest.raises(ConfigError, match="no road near"):
        turns.matrix([PARIS, Point(48.86, 2.36)], AT)


def test_reach_grows_with_the_seconds_whatever_their_order(turns) -> None:
    few, many = turns.reach(STATION, [120, 240], AT, "van")
    assert turns.reach(STATION, [240, 120], AT, "van") == [many, few]
    spans = [
        max(lat for lat, _ in area[0][0]) - min(lat for lat, _ in area[0][0])
        for area in (few, many)
    ]
    assert 0.002 < spans[0] < spans[1]
    assert turns.reach(STATION, [0.1, 0], AT, "van") == [(), ()]
    with pytest.raises(Refused, match="no road near"):
        turns.reach(PARIS, [300], AT, "van")
    with pytest.raises(Refused, match="Exceeded max"):
        turns.reach(STATION, [7 * 3600], AT, "van")


def test_reach_agrees_with_the_time_to_doors(turns, helsinki: Path) -> None:
    """But for doors within a minute of an edge, and few others."""
    with sqlite3.connect(helsinki / "map" / "current" / "addresses.db") as db:
        doors = [Point(*row) for row in db.execute("select lat, lon from address where id % 5 = 0")]
    seconds = turns.matrix([STATION, *doors], AT, "car").seconds[0][1:]
    [area] = turns.reach(STATION, [360], AT, "car")
    told = zip(first_within([area], doors), seconds, strict=True)
    clear = [(ring is not None, s <= 360) for ring, s in told if abs(s - 360) > 60]
    assert len(clear) > 100
    assert sum(drawn != true for drawn, true in clear) < 0.1 * len(clear)


def test_threads_do_not_share_a_router(turns) -> None:
    """It keeps state of its question: two threads on one would answer nonsense or crash."""
    whole = turns.matrix(PLACES, AT, "car").seconds
    said: list[object] = []

    def ask() -> None:
        said.extend(turns.matrix(PLACES, AT, "car").seconds == whole for _ in range(5))

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 15


def test_a_map_without_turns_says_how_to_get_them(tmp_path, tools_for) -> None:
    travel = ValhallaTravelTimes(None, tools_for(tmp_path))
    with pytest.raises(ConfigError, match="hub map build"):
        travel.check()
    (tmp_path / "map" / "build-1").mkdir(parents=True)
    (tmp_path / "map" / "current").symlink_to("build-1")
    with pytest.raises(ConfigError, match="has no turns"):
        travel.check()
