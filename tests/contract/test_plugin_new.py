"""A new plugin works before its author has changed a line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from contextlib import chdir
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from xml.etree import ElementTree

import pytest

import hub
from hub.cli import main
from hub.cli.plugin_kinds import KINDS
from hub.core.contracts import Provider
from hub.core.levels import Judged, Level, judge
from hub.registry import Registry

ROOT = Path(__file__).parents[2]
CONTRACTS: dict[str, type[Provider]] = {
    "order-source": hub.OrderSource,
    "record-sink": hub.RecordSink,
    "routing-strategy": hub.RoutingStrategy,
    "notification-channel": hub.NotificationChannel,
    "pod-store": hub.PodStore,
    "geocoder": hub.Geocoder,
    "travel-times": hub.TravelTimes,
}


@dataclass(frozen=True)
class Made:
    """A folder of new plugins, one of each kind, and what became of their own tests."""

    folder: Path
    told: str
    passed: Counter[str]
    failed: Counter[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """All are tested by one process: starting it takes longer than their tests."""
    folder = tmp_path_factory.mktemp("made")
    with chdir(folder):
        for kind in KINDS:
            assert main(["plugin", "new", f"My-{kind}", "--kind", kind]) == 0
    report = folder / "report.xml"
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
        + [f"--rootdir={folder}", f"--junitxml={report}", str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    passed, failed = Counter[str](), Counter[str]()
    for case in ElementTree.parse(report).iter("testcase"):
        module = str(case.get("classname")).partition("test_")[2].partition(".")[0]
        bad = case.find("failure") is not None or case.find("error") is not None
        (failed if bad else passed)[module] += 1
    return Made(folder, told.stdout, passed, failed)


@pytest.mark.parametrize(("kind", "contract"), CONTRACTS.items())
def test_a_new_plugin_passes_its_own_tests_and_is_found(
    made: Made, monkeypatch: pytest.MonkeyPatch, kind: str, contract: type[Provider]
) -> None:
    name = f"my_{kind.replace('-', '_')}"
    assert made.failed.total() == 0, made.told
    assert made.passed[name] >= 5
    folder = made.folder / f"hub-my-{kind}"
    example = KINDS[kind].example
    for path in folder.glob("*.*"):
        assert example not in path.read_text().lower()
    monkeypatch.syspath_prepend(folder)
    registry = Registry()
    named = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]
    [(entry, module)] = named["hub.plugins"].items()
    registry.add_entry_point(EntryPoint(entry, module, "hub.plugins"))
    assert registry.problems == []
    cls = registry.get(contract, name)
    assert cls.title.startswith("My ")
    assert judge([cls], described=(folder / "README.md").exists()) == Judged(Level.EXPLAINS)


@pytest.mark.parametrize("kind", KINDS)
def test_its_readme_names_files_that_are_there(made: Made, kind: str) -> None:
    folder = made.folder / f"hub-my-{kind}"
    named = set(re.findall(r"`(\w+\.py)`", (folder / "README.md").read_text()))
    assert named
    assert named <= {path.name for path in folder.iterdir()}


def test_every_kind_that_can_be_written_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "plugins.md").read_text()
    assert [kind for kind in KINDS if f"--kind {kind}" not in text] == []


def test_a_plugin_that_is_there_already_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plugin", "new", "shop"]) == 0
    mine = tmp_path / "hub-shop" / "hub_shop.py"
    mine.write_text("# my own\n")
    assert main(["plugin", "new", "shop"]) == 1
    told = capsys.readouterr().err
    assert told == (
        "hub: There is a hub-shop in this folder already. Choose another name, or remove it.\n"
    )
    assert mine.read_text() == "# my own\n"


@pytest.mark.parametrize("name", ["1shop", "a", "my shop", "../up", ""])
def test_a_name_that_is_none_is_refused_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plugin", "new", name]) == 1
    assert "module's name" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
