"""Folders of published instances: what cannot be read is said before anything is measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import matrix
from benchmarks.instances import instances

SQUARE = """NAME : square
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 0 10
3 10 10
4 10 0
DEMAND_SECTION
1 0
2 3
3 3
4 3
DEPOT_SECTION
1
-1
EOF
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "square.vrp").write_text(SQUARE)
    (tmp_path / "square.sol").write_text("Route #1: 1 2 3\nCost 40\n")
    return tmp_path


def test_an_instance_without_windows_is_a_day_at_any_time(folder: Path) -> None:
    [square] = instances(folder)
    assert square.cost([[1, 2, 3]]) == square.best_known == 40
    assert all(not job.windows for job in square.request(1.0, 1).jobs)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "square.sol").unlink(),
        lambda folder: (folder / "square.sol").write_text("nothing"),
        lambda folder: (folder / "square.vrp").write_text(SQUARE[:140]),
        lambda folder: (folder / "square.vrp").write_bytes(b"\xff\xfe\x00"),
    ],
    ids=["no solution", "no cost", "cut off", "no text"],
)
def test_a_pair_that_cannot_be_read_is_named(folder: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    spoil(folder)
    with pytest.raises(ValueError, match=r"square\.vrp and square\.sol cannot be read"):
        list(instances(folder))


def test_a_name_that_the_folder_has_not_is_no_measurement_of_nothing(folder: Path) -> None:
    asked = [sys.executable, "-m", "benchmarks.large", "--dir", str(folder), "square", "cube"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "has no cube." in ended.stderr and not ended.stdout
    with pytest.raises(ValueError, match="no instances"):
        list(instances(folder / "square.vrp"))


def test_an_extract_nobody_knows_where_people_live_in_is_said_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "moon.osm.pbf").touch()
    for name in ("moon", "andorra"):  # the second is not there
        with pytest.raises(SystemExit):
            matrix.main(["--extract", str(folder / f"{name}.osm.pbf")])
        assert "There is no extract" in capsys.readouterr().err
