"""A whole day, from the shop's first order to the last proof, by the public doors alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

LIECHTENSTEIN = Path(os.environ.get("HUB_TEST_DATA", "")) / "osm" / "liechtenstein.osm.pbf"
WALL_S = 60  # what the whole day may take on two cores; a busy machine gets three times that


def a_day(folder: Path, *options: str, map_from: Path | None = None, url: str = "") -> Any:
    """The report of ``hub demo --fast``; fails with all that was said when it is not well."""
    if map_from is not None:
        (folder / "demo").mkdir(parents=True)
        shutil.copytree(map_from / "map", folder / "demo" / "map", symlinks=True)
    env = {**os.environ, "HUB_DATA_DIR": str(folder), "HUB_PORT": str(free_port())}
    env |= {"HUB_DATABASE_URL": url} if url else {}
    command = [sys.executable, "-m", "hub.cli", "demo", "--fast", "--report", "json", *options]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def counts(report: Any) -> dict[str, int]:
    """What the seed alone decides; who drives where is searched for by the clock."""
    names = ("orders", "jobs", "closed", "succeeded", "failed", "with_proof", "violations")
    return {name: report[name] for name in names}


def test_a_small_day_loses_nothing_and_tells_everybody_once(tmp_path: Path, helsinki: Path) -> None:
    report = a_day(tmp_path, "--orders", "12", "--drivers", "2", map_from=helsinki)
    assert report["orders"] == 13  # and the one from noon
    assert report["closed"] == report["jobs"] > report["orders"]
    assert report["succeeded"] == report["with_proof"]
    assert report["failed"] >= 2
    assert report["notices_sent"] == report["notices_expected"] > 4 * 12
    assert report["acts_sent"] > 2 * report["jobs"]
    assert report["fixes_sent"] > 1000
    for nothing in (
        "violations",
        "notices_duplicated",
        "acts_lost",
        "fixes_lost",
    ):
        assert report[nothing] == 0, nothing
    assert report["arrivals_missed"] + report["arrivals_false"] <= 2
    assert report["eta_mae_s_by_horizon"]["0-10"] < 300


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_large_day_is_the_same_on_both_databases_and_over_in_a_minute(
    tmp_path: Path, helsinki: Path, new_postgres: Callable[[], str]
) -> None:
    options = ("--orders", "120", "--drivers", "6", "--seed", "1")
    embedded = a_day(tmp_path / "sqlite", *options, map_from=helsinki)
    server = a_day(tmp_path / "postgres", *options, map_from=helsinki, url=new_postgres())
    assert counts(embedded) == counts(server)
    assert embedded["wall_s"] < 3 * WALL_S


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, 6))
def test_parts_that_are_killed_cost_nothing(tmp_path: Path, helsinki: Path, seed: int) -> None:
    options = ("--orders", "12", "--drivers", "2", "--seed", str(seed))
    calm = a_day(tmp_path / "calm", *options, map_from=helsinki)
    wild = a_day(tmp_path / "wild", *options, "--kills", "6", map_from=helsinki)
    assert counts(wild) == counts(calm)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.skipif(not LIECHTENSTEIN.is_file(), reason="HUB_TEST_DATA names no data")
def test_any_map_makes_a_day(tmp_path: Path) -> None:
    options = ("--orders", "120", "--drivers", "6", "--map", str(LIECHTENSTEIN))
    assert a_day(tmp_path, *options)["violations"] == 0
