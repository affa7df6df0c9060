"""What takes long to make is made once in a process; each test gets a copy of its own."""

from __future__ import annotations

import shutil
from contextlib import closing

from hub.app import Hub


def can_be_copied(url: str) -> bool:
    """Whether a hub at ``url`` (empty: in memory) can have the rows of one in memory."""
    return not url.startswith("postgres")


def copied(kept: Hub, hub: Hub) -> None:
    """Give ``hub``, whose database is a new one of SQLite, the rows and the keys of ``kept``."""
    with closing(kept.engine.raw_connection()) as source:
        with closing(hub.engine.raw_connection()) as target:
            source.driver_connection.backup(target.driver_connection)  # type: ignore[union-attr]
    shutil.copy(kept.settings.data_dir / "keys.json", hub.settings.data_dir / "keys.json")
    hub.keys = kept.keys
