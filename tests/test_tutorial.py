"""The tutorial is carried out as it stands, block after block, and ends where it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import hatchling.build
import pytest
from sqlmodel import select

from hub.app import Hub
from hub.cli import main
from hub.core.connecting import OrderSource
from hub.db.tables import ConnectionRow, OrderRow
from hub.flows.order_rows import order_report
from hub.flows.pull import pull_due
from hub.registry import _named
from hub.testing import MONDAY, WsgiAdapter
from tests.admin.panel_worlds import a_bakery, a_panel

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(sh|text|python|diff)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MODULES = ("hub_granary", "fake_granary")


class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, self.monkeypatch = folder, monkeypatch
        self.said = ""

    def do(self, kind: str, name: str, text: str) -> None:
        match kind:
            case "sh":
                for command in text.splitlines():
                    self.run(command)
            case "text":
                assert text in self.said
            case "python":
                path = self.at / name
                path.write_text(f"{path.read_text()}\n\n{text}")
            case "diff":
                self.change(self.at / name, text.splitlines())

    def run(self, command: str) -> None:
        match command.split():
            case ["cd", folder]:
                self.at = self.at / folder
            case ["hub", *words]:
                with chdir(self.at):
                    assert main(words) == 0
            case ["pytest"]:
                status, told = pytest_in(self.at)
                assert status == 0, told
                assert " passed" in told
            case ["pip", "install", "-e", "."]:
                with chdir(self.at):  # what pip would do, but for fetching hatchling
                    wheel = hatchling.build.build_editable(str(self.at))
                    zipfile.ZipFile(wheel).extractall(self.at)
                self.monkeypatch.syspath_prepend(self.at)
                _named.cache_clear()
            case _:
                pytest.fail(f"nobody knows how to {command!r}")

    def change(self, path: Path, lines: list[str]) -> None:
        """What stays and goes has to be there, once."""
        old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in (" ", "-", ""))
        new = "".join(f"{line[1:]}\n" for line in lines if line[:1] in (" ", "+", ""))
        text = path.read_text()
        assert text.count(old) == 1, f"{path.name} does not hold this once:\n{old}"
        path.write_text(text.replace(old, new))


def pytest_in(folder: Path) -> tuple[int, str]:
    """How `pytest` ends in ``folder``, and what it says."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(folder)]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    yield Reader(tmp_path, monkeypatch)
    _named.cache_clear()
    for name in MODULES:
        sys.modules.pop(name, None)


def test_an_erp_is_connected_by_doing_what_the_page_says(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "erp.md").read_text())
    assert len(blocks) > 15
    for kind, name, text in blocks:
        reader.do(kind, name, text)
        reader.said += capsys.readouterr().out
    hub = Hub.in_memory(now=lambda: MONDAY)
    assert hub.registry.problems == []
    panel = a_panel(hub, a_bakery(hub))
    plugins = panel.get("/panel/plugins").text
    assert "hub-granary 0.1.0" in plugins
    assert "Granary" in panel.get("/panel/connections").text

    from fake_granary import FakeGranary  # type: ignore[import-not-found]  # the reader wrote it

    erp = FakeGranary()
    hub.tools.http.mount("https://granary.test", WsgiAdapter(erp.app))
    erp.put("R1", MONDAY)
    form = {"url": "https://granary.test", "token": erp.secret}
    assert panel.post("/panel/connections/new/granary", **form).status_code == 200
    assert pull_due(hub) == 1
    with hub.reading() as session:
        assert session.exec(select(ConnectionRow.plugin, ConnectionRow.state)).all()[-1] == (
            "granary",
            "ok",
        )
        report = order_report.validate_python(session.exec(select(OrderRow)).one().report)
    assert [line.sku for line in report.lines] == ["RYE-5", "OAT-1"]
    assert "#R1" in panel.get("/panel/orders").text
    assert issubclass(hub.registry.get(OrderSource, "granary"), OrderSource)
