"""What is shipped holds everything it needs, and nothing it does not own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = {".html", ".css", ".js", ".svg", ".typ", ".ttf", ".pbf", ".png", ".webmanifest"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_owns_four_names_and_leaves_out_no_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "hub",
        "connectors",
        "notifiers",
        "admin",
    }
    for package in ("hub", "admin", "notifiers", "connectors"):
        for path in (ROOT / package).rglob("*"):
            if path.suffix in SHIPPED | {".py"} and "__pycache__" not in path.parts:
                assert str(path.relative_to(ROOT)) in names


def test_an_installed_wheel_finds_its_plugins_and_serves_a_page(
    wheel: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = """
import hub, pathlib, sys
from hub.app import Hub
from hub.settings import Settings
from hub.db.migrate import migrate
from hub.web.app import create_app
assert pathlib.Path(hub.__file__).is_relative_to(sys.argv[1]), hub.__file__
it = Hub.from_settings(Settings.from_environment())
migrate(it.engine)
app = create_app(it)
assert not it.registry.problems, it.registry.problems
page = app.test_client().get("/panel/start")
assert page.status_code == 200, page.status_code
print(*sorted(name for name, _ in it.registry.plugins.list_name_plugin()))
"""
    env = {**os.environ, "PYTHONPATH": str(site), "HUB_DATA_DIR": str(tmp_path / "data")}
    told = subprocess.run(
        [sys.executable, "-c", program, str(site)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == ["admin", "builtin", "console", "email"]
