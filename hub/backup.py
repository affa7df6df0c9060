"""Copy a running hub's data aside, and put a copy back."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from hub.core.errors import ConfigError
from hub.db.engine import sqlite_module
from hub.settings import Settings
from hub.storage import durable_copy

FORMAT = 1
KEPT = ("proof", "map")
"""Folders of the data directory that belong to a backup. ``keys`` never does."""


def back_up(settings: Settings, target: Path) -> None:
    """Write one archive of database, proof and map; the hub may go on working meanwhile.

    The keys stay out: who finds a backup must not be able to open its secrets.
    Raises ``ConfigError`` for a database that is not SQLite (use ``pg_dump``).
    """
    source = _database(settings)
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
        copy = Path(folder, "hub.db")
        sqlite = sqlite_module()
        with closing(sqlite.connect(source)) as live, closing(sqlite.connect(copy)) as aside:
            live.backup(aside)
            [(verdict,)] = aside.execute("PRAGMA integrity_check").fetchall()
        if verdict != "ok":
            raise ConfigError(f"The database is damaged, so it was not backed up: {verdict}")
        note = Path(folder, "backup.json")
        note.write_text(json.dumps({"format": FORMAT}))
        archive = Path(folder, "archive.tar.gz")
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(note, "backup.json")
            tar.add(copy, "hub.db")
            for name in KEPT:
                if (settings.data_dir / name).exists():
                    tar.add(settings.data_dir / name, name, filter=_kept)
        durable_copy(archive, target)


def restore(settings: Settings, archive: Path) -> None:
    """Put a backup into a data directory without a hub's data; else raises ``ConfigError``."""
    target = _database(settings)
    # A write-ahead log of another database would be replayed into this one.
    beside = (target.with_name(f"{target.name}{end}") for end in ("-wal", "-shm"))
    wanted = (target, *beside, *(settings.data_dir / name for name in KEPT))
    if there := [str(path) for path in wanted if path.exists()]:
        raise ConfigError(
            f"Already there: {', '.join(there)}. Restore into a new HUB_DATA_DIR, or move all"
            " of these away first."
        )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            note = json.loads(Path(folder, "backup.json").read_text())
        except (OSError, EOFError, tarfile.TarError, ValueError) as error:
            raise ConfigError(f"{archive} is not a backup of this hub ({error}).") from error
        if note["format"] != FORMAT:
            raise ConfigError(f"This backup has format {note['format']}; this hub reads {FORMAT}.")
        for name in KEPT:
            if Path(folder, name).exists():
                shutil.move(Path(folder, name), settings.data_dir / name)
        durable_copy(Path(folder, "hub.db"), target)


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Everything but extracts that wait to be built: they are large and can be had again."""
    return None if entry.name == "map/incoming" else entry


def _database(settings: Settings) -> Path:
    if not settings.database_url.startswith("sqlite:///"):
        raise ConfigError("hub backup copies SQLite. For PostgreSQL use pg_dump and pg_restore.")
    return Path(settings.database_url.removeprefix("sqlite:///"))
