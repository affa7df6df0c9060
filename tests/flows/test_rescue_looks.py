"""What is found of the ways out of a lost van, for whoever asks how far it is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hub import rescuing
from hub.core.values import Point
from hub.flows.rescue_looks import FRESH_S, LOST_S, OutSeen, ways_looked_for
from hub.flows.rescue_ways import Happened, ways_out
from tests.board_worlds import MINUTE, TEN, Running, a_running_day

AT = Point(60.1668, 24.9420)


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path)
    day.now[0] = TEN
    day.begin("Mara", "Otso")
    day.now[0] = TEN + MINUTE
    return day


def look(day: Running, at: Point = AT) -> OutSeen:
    return ways_looked_for(day.hub, day.business_id, day.route("Mara").id, Happened.VAN, at)


def whole(day: Running) -> OutSeen:
    for _ in range(1200):
        if not (seen := look(day)).is_open:
            return seen
        time.sleep(0.05)
    raise AssertionError("looking for ways out does not end")


def folders(day: Running) -> list[Path]:
    return list((day.hub.settings.data_dir / "looks").iterdir())


def test_what_is_found_apart_is_what_would_be_found_here(day: Running) -> None:
    assert look(day).is_open
    seen = whole(day)
    here = ways_out(day.hub, day.business_id, day.route("Mara").id, Happened.VAN, AT)
    assert [(way.key, way.cost, way.moved, way.why_not) for way in seen.ways] == [
        (way.key, way.cost, way.moved, way.why_not) for way in here.ways
    ]
    assert seen.facts.versions == here.scene.versions
    assert len(folders(day)) == 1  # who asks again is told of the same search


def test_another_place_or_version_is_another_question(day: Running) -> None:
    whole(day)
    assert look(day, Point(60.1700, 24.9500)).is_open
    assert len(folders(day)) == 2
    assert not look(day).is_open


def test_what_was_found_is_looked_for_anew_once_everybody_drove_on(day: Running) -> None:
    whole(day)
    [folder] = folders(day)
    long_ago = time.time() - FRESH_S - 1
    os.utime(folder / rescuing.FOUND, (long_ago, long_ago))
    assert look(day).is_open


def test_a_search_that_is_gone_with_its_process_is_begun_again(day: Running) -> None:
    whole(day)
    [folder] = folders(day)
    rescuing.write(folder, rescuing.LOOKING, [])
    long_ago = time.time() - LOST_S - 1
    os.utime(folder / rescuing.FOUND, (long_ago, long_ago))
    assert whole(day).ways


def test_a_search_nobody_waited_for_is_begun_again(day: Running) -> None:
    whole(day)
    [folder] = folders(day)
    rescuing.write(folder, rescuing.LEFT, [])
    assert look(day).is_open
    assert whole(day).ways
