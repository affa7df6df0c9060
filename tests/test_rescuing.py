"""Ways out are looked for apart, as long as somebody waits for them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hub import rescuing
from hub.core.rescue_said import Names
from tests.core.test_rescue_every import asked

NAMES = Names("M van", "Bakery", {f"job{n}": f"#{n}" for n in range(20)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / rescuing.ASKED).touch()
    return tmp_path


def ended(folder: Path, *, waits: bool = True) -> tuple[str, int]:
    """How it ended, and how many ways were found; who ``waits`` asks again and again."""
    for _ in range(1200):
        touched = (folder / rescuing.ASKED).stat()
        state, ways = rescuing.found(folder)
        if not waits:
            os.utime(folder / rescuing.ASKED, (touched.st_atime, touched.st_mtime))
        if state != rescuing.LOOKING:
            return state, len([way for way in ways if way["is_looked_at"]])
        time.sleep(0.05)
    raise AssertionError("it does not end")


def test_all_ways_are_found_by_another_process(folder: Path) -> None:
    rescuing.begin(folder, asked(), NAMES)
    state, count = ended(folder)
    assert state == rescuing.DONE
    assert count >= 4


def test_who_left_is_not_looked_for_any_further(folder: Path) -> None:
    long_ago = time.time() - 2 * rescuing.LEFT_S
    os.utime(folder / rescuing.ASKED, (long_ago, long_ago))
    rescuing.begin(folder, asked(), NAMES)
    assert ended(folder, waits=False)[0] == rescuing.LEFT


def test_when_time_is_up_what_was_found_counts(folder: Path) -> None:
    rescuing.begin(folder, asked(), NAMES, within_s=0)
    state, count = ended(folder)
    assert (state, count) == (rescuing.DONE, 1)  # that it does not drive needs no look
    [skipped] = [way["who"] for way in rescuing.found(folder)[1] if way["key"] == "shared"]
    assert skipped == "Those on the road share it"
