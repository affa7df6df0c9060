"""The commands the README names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.cli import main


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
