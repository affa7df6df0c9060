"""The one way this program writes a file that must survive."""

from __future__ import annotations

import os
from pathlib import Path

from hub.core.ids import new_id


def durable_write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put ``content`` at ``path``; on return it survives a power cut, whole or not at all.

    Writes beside it, syncs the file, renames, syncs the folder: leaving out any
    of these lost acknowledged photos in every power cut we tried.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{new_id()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
