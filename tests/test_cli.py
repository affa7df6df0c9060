"""The commands the README names."""

from __future__ import annotations

import fcntl
import io
import shutil
import socket
import sys
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.cli import main
from hub.core.errors import ConfigError
from hub.db.tables import BusinessRow
from hub.demo.day import EXTRACT
from hub.demo.play import built_map
from hub.flows.log_in import Role, add_staff, log_in
from hub.settings import Settings


def test_the_demo_serves_every_order_or_says_why(
    tmp_path: Path,
    helsinki: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    shutil.copytree(helsinki / "map", tmp_path / "demo" / "map", symlinks=True)
    assert main(["demo", "--orders", "60", "--exit"]) == 0
    told = capsys.readouterr().out
    served = {word.rstrip(")") for word in told.replace(",", " ").split() if word.startswith("#1")}
    assert "60 orders" in told
    assert len(served) >= 55
    assert "stops" in told


@pytest.mark.parametrize("held", ["up.lock", "demo.lock"])
@pytest.mark.parametrize("options", [["--exit"], ["--fast"], []])
def test_a_demo_beside_a_running_one_leaves_its_day_alone(
    options: list[str],
    held: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HUB_PORT", "1")
    its_own = tmp_path / "demo"
    its_own.mkdir()
    (its_own / "hub.db").write_text("a day that somebody watches")
    with open(its_own / held, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["demo", *options]) == 1
    assert "already runs" in capsys.readouterr().err
    assert (its_own / "hub.db").read_text() == "a day that somebody watches"


@pytest.mark.parametrize("command", [["map", "build"], ["demo", "--exit", "--map"]])
def test_a_map_that_is_none_is_refused_in_a_sentence(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    extract = tmp_path / "garbage.osm.pbf"
    extract.write_bytes(b"nothing that could be a map" * 100)
    assert main([*command, str(extract)]) == 1
    [told] = capsys.readouterr().err.splitlines()
    assert "The extract cannot be read" in told
    assert "Download it again" in told


def test_a_map_of_the_same_name_that_is_another_is_built_anew(
    tmp_path: Path, helsinki: Path
) -> None:
    shutil.copytree(helsinki / "map", tmp_path / "map", symlinks=True)
    hub = Hub.in_memory(data_dir=tmp_path)
    same = tmp_path / "copy.osm.pbf"
    same.write_bytes(EXTRACT.read_bytes())
    assert built_map(hub, same).is_file()
    another = tmp_path / EXTRACT.name
    another.write_bytes(b"another region")
    with pytest.raises(ConfigError, match="cannot be read"):
        built_map(hub, another)


def test_a_database_that_does_not_answer_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://hub:not-for-logs@127.0.0.1:1/day")
    for command in (["migrate"], ["demo", "--exit"]):
        assert main(command) == 1
        [told] = capsys.readouterr().err.splitlines()
        assert "127.0.0.1:1/day cannot be opened" in told
        assert "HUB_DATABASE_URL" in told
        assert "not-for-logs" not in told


def test_a_demo_whose_port_is_taken_says_so_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("HUB_PORT", str(port))
        for options in ([], ["--fast"]):
            assert main(["demo", *options]) == 1
            assert f"Something answers at port {port} already" in (told := capsys.readouterr().err)
            assert "set HUB_PORT" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--kills 2", "--kills"),
        ("--kills 0 --exit", "--kills"),
        ("--report json", "--report"),
        ("--report json --exit", "--report"),
        ("--fast --exit", "--exit"),
        ("--fast --speed 60", "--speed"),
        ("--exit --speed 60", "--speed"),
        ("--speed 0", "--speed"),
        ("--fast --kills -1", "--kills"),
    ],
)
def test_options_of_the_demo_that_would_do_nothing_together_are_refused(
    options: str,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    assert main(["demo", *options.split()]) == 1
    assert named in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_option_of_the_demo_says_what_it_does_and_what_is_usual(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    for words in (
        "how many orders the day has; 60 if left out",
        "how many drivers and vans; 4 if left out",
        "another number is another day; 1 if left out",
        "its seconds in one of yours; 10 if left out",
        "text if left out",
        "kills one of the hub's processes in the middle of the day",
    ):
        assert words in told


def test_a_file_that_is_no_table_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    assert main(["found", "Husk", "--zone", "Europe/Helsinki", "--country", "FI"]) == 0
    business = capsys.readouterr().out.strip()
    (tmp_path / "orders.csv").write_bytes(b"%PDF-1.7 not a table")
    assert main(["import", business, str(tmp_path / "orders.csv")]) == 1
    assert "PDF" in capsys.readouterr().err


def test_the_template_comes_in_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    main(["found", "Husk", "--zone", "Europe/Helsinki", "--country", "FI"])
    business = capsys.readouterr().out.strip()
    main(["template"])
    (tmp_path / "orders.csv").write_text(capsys.readouterr().out)
    assert main(["import", business, str(tmp_path / "orders.csv")]) == 0
    assert " new, 0 changed" in capsys.readouterr().out


def test_every_installed_plugin_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    assert main(["plugins"]) == 0
    assert "builtin" in capsys.readouterr().out


class Piped(io.StringIO):
    """Standard input that is no terminal."""


def test_a_password_comes_by_a_pipe_and_none_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    assert main(["found", "Husk", "--zone", "UTC"]) == 0
    hub = Hub.from_settings(Settings.from_environment())
    with hub.reading() as session:
        ours = session.exec(select(BusinessRow.id)).one()
    add_staff(hub, ours, email="a@b.fi", password="four loaves of rye", role=Role.OWNER, name="A")
    monkeypatch.setattr(sys, "stdin", Piped("four loaves of spelt\n"))
    assert main(["password", "a@b.fi"]) == 0
    assert log_in(hub, "a@b.fi", "four loaves of spelt", address="127.0.0.1")
    for nothing in (Piped(""), None):  # a closed pipe, and none at all, as of a service
        monkeypatch.setattr(sys, "stdin", nothing)
        assert main(["password", "a@b.fi"]) == 1
        assert "No password came, and nothing was changed." in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", Piped("short\n"))
    assert main(["password", "a@b.fi"]) == 1
    assert log_in(hub, "a@b.fi", "four loaves of spelt", address="127.0.0.1")
