"""A file that is replaced is read again, however fast that happens."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from hub.stepping import put
from hub.watched import Watched


def test_every_new_text_is_seen_at_once(tmp_path: Path) -> None:
    """Also where the new file has the number, the size and the time of one before the last."""
    watched = Watched(tmp_path / "clock")
    for n in range(500):
        put(tmp_path / "clock", f"{n:04}\n")
        if n % 3 == 0:
            assert watched.text() == f"{n:04}"


def test_a_file_that_is_not_there_yet_is_said(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "clock")
    with pytest.raises(FileNotFoundError):
        watched.text()
    put(tmp_path / "clock", "now")
    assert watched.text() == "now"


def test_no_file_stays_open_of_one_who_is_gone(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "clock")
    for n in range(9):
        put(tmp_path / "clock", str(n))
        watched.text()
    assert len(open_in(tmp_path)) == 1
    del watched
    gc.collect()
    assert open_in(tmp_path) == []


def open_in(folder: Path) -> list[str]:
    links = [f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")]
    targets = [os.readlink(one) for one in links if os.path.lexists(one)]
    return [one for one in targets if one.startswith(str(folder))]
