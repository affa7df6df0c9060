"""A backup can be taken at work and put back elsewhere."""

from __future__ import annotations

import os
import shutil
import tarfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from hub import backup
from hub.app import Hub
from hub.core.errors import ConfigError
from hub.db.migrate import migrate
from hub.db.tables import BusinessRow
from hub.flows.found import found
from hub.settings import Settings


def settings_at(folder: Path) -> Settings:
    return replace(
        Settings.from_environment({}),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'hub.db'}",
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a hub with a business: migrating takes longer than most tests here."""
    folder: Path = tmp_path_factory.mktemp("kept") / "hub"
    hub = Hub.from_settings(settings_at(folder))
    migrate(hub.engine)
    found(hub, "Husk", zone="Europe/Helsinki")
    (folder / "proof").mkdir()
    (folder / "proof" / "photo").write_bytes(b"a photo")
    hub.engine.dispose()
    return folder


@pytest.fixture
def hub(kept: Path, tmp_path: Path) -> Hub:
    """Its own copy of it, in the folder ``one``."""
    return Hub.from_settings(settings_at(Path(shutil.copytree(kept, tmp_path / "one"))))


def test_what_was_backed_up_while_in_use_comes_back(hub: Hub, tmp_path: Path) -> None:
    with hub.reading() as session:
        session.exec(select(BusinessRow)).all()  # somebody is reading meanwhile
        backup.back_up(hub.settings, tmp_path / "backup.tar.gz")
    backup.restore(settings_at(tmp_path / "two"), tmp_path / "backup.tar.gz")
    again = Hub.from_settings(settings_at(tmp_path / "two"))
    migrate(again.engine)
    with again.reading() as session:
        assert [b.name for b in session.exec(select(BusinessRow))] == ["Husk"]
    assert (tmp_path / "two" / "proof" / "photo").read_bytes() == b"a photo"


def test_a_backup_holds_no_keys(hub: Hub, tmp_path: Path) -> None:
    backup.back_up(hub.settings, tmp_path / "backup.tar.gz")
    with tarfile.open(tmp_path / "backup.tar.gz") as archive:
        assert not [name for name in archive.getnames() if "key" in name]


def test_nothing_is_restored_over_a_hub_that_exists(hub: Hub, tmp_path: Path) -> None:
    backup.back_up(hub.settings, tmp_path / "backup.tar.gz")
    with pytest.raises(ConfigError, match="Already there"):
        backup.restore(hub.settings, tmp_path / "backup.tar.gz")


@pytest.mark.parametrize("left", ["proof", "map", "hub.db-wal"])
def test_nothing_is_restored_beside_what_an_old_hub_left(
    hub: Hub, tmp_path: Path, left: str
) -> None:
    """With the database alone moved away, the photos came to lie in proof/proof."""
    backup.back_up(hub.settings, tmp_path / "backup.tar.gz")
    (tmp_path / "two" / left).mkdir(parents=True)
    with pytest.raises(ConfigError, match=f"two/{left}.*move all"):
        backup.restore(settings_at(tmp_path / "two"), tmp_path / "backup.tar.gz")
    assert [path.name for path in (tmp_path / "two").iterdir()] == [left]


def test_a_backup_need_not_fit_into_memory(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "one" / "proof" / "film").write_bytes(os.urandom(20_000_000))
    tracemalloc.start()
    try:
        backup.back_up(hub.settings, tmp_path / "backup.tar.gz")
        backup.restore(settings_at(tmp_path / "two"), tmp_path / "backup.tar.gz")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_something_else_is_not_taken_for_a_backup(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir")
    with pytest.raises(ConfigError, match="not a backup"):
        backup.restore(settings_at(tmp_path / "two"), tmp_path / "letter.txt")
