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
    ours = {"admin", "builtin", "console", "email"}
    ours |= {"sms_http", "sms_twilio", "web_push", "webhook"}
    stores = {"shipstation", "shopify", "woocommerce", "xero"}
    assert set(told.stdout.split()) == ours | stores


@pytest.mark.soak
def test_a_new_plugin_installed_beside_the_hub_is_offered_and_passes_its_kit(
    wheel: Path, tmp_path: Path
) -> None:
    """In an environment that holds both wheels; only what the hub depends on is lent to it."""
    env = {**os.environ, "HUB_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": ""}

    def run(*command: str | Path, at: Path = tmp_path) -> str:
        done = subprocess.run(command, cwd=at, env=env, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    venv = tmp_path / "venv"
    python = venv / "bin" / "python"
    uv = (sys.executable, "-m", "uv", "--offline", "--no-config")
    run(*uv, "venv", "--python", sys.executable, venv)
    run(*uv, "pip", "install", "--no-deps", "--python", python, wheel)
    [site] = (venv / "lib").glob("python*/site-packages")
    lent = Path(pytest.__file__).parents[1]  # after its own: what is in both, is found there first
    (site / "lent.pth").write_text(f"{lent}\n")
    run(venv / "bin" / "hub", "plugin", "new", "corner-shop")
    folder = tmp_path / "hub-corner-shop"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", at=folder)
    [built] = (folder / "dist").glob("*.whl")
    run(*uv, "pip", "install", "--no-deps", "--python", python, built)
    (folder / "hub_corner_shop.py").unlink()  # what is tested is what was installed

    told = run(venv / "bin" / "hub", "plugins")
    assert "corner_shop      explains   hub-corner-shop 0.1.0\n    Orders in: Corner shop\n" in told
    page = run(python, "-c", CHOOSE, str(venv))
    assert "/panel/connections/new/corner_shop" in page
    quick = ("-q", "-p", "no:cacheprovider", "-c", os.devnull)
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    assert " passed" in run(python, "-m", "pytest", *quick, ".", at=folder)


CHOOSE = """
import pathlib, sys
import hub, hub_corner_shop
from hub.app import Hub
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff, log_in
from hub.web.app import create_app
from hub.web.staff import COOKIE
for module in (hub, hub_corner_shop):
    assert pathlib.Path(module.__file__).is_relative_to(sys.argv[1]), module.__file__
it = Hub.in_memory()
assert not it.registry.problems, it.registry.problems
word = "a long enough password"
bakery = found(it, "Husk", zone="Europe/Helsinki", country="FI")
add_staff(it, bakery, email="o@example.com", password=word, role=Role.OWNER, name="Olga")
client = create_app(it).test_client()
client.set_cookie(COOKIE, log_in(it, "o@example.com", word, address="127.0.0.1"))
print(client.get("/panel/connections").text)
"""
