"""The one way this program writes a file that must survive."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from hub.core.ids import new_id

PART = 1_000_000  # bytes of a copy that are in memory at once
_BESIDE = re.compile(r"\..+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def durable_write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put ``content`` at ``path``; on return it survives a power cut, whole or not at all.

    Writes beside it, syncs the file, renames, syncs the folder: leaving out any
    of these lost acknowledged photos in every power cut we tried.
    """
    durable_write_parts(path, [content], mode=mode)


def durable_copy(source: Path, path: Path, *, mode: int = 0o600) -> None:
    """``durable_write`` of what ``source`` holds, which need not fit into memory."""
    with source.open("rb") as file:
        durable_write_parts(path, parts_of(file), mode=mode)


def parts_of(file: BinaryIO) -> Iterator[bytes]:
    """What is left of an open file, a part at a time."""
    return iter(partial(file.read, PART), b"")


def durable_write_parts(path: Path, parts: Iterable[bytes], *, mode: int = 0o600) -> None:
    """``durable_write`` of ``parts`` in a row; if one of them raises, nothing was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path_beside(path)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
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


def path_beside(path: Path) -> Path:
    """Where a write to ``path`` puts it first; another name each time."""
    return path.with_name(f".{path.name}.{new_id()}")


def sweep(folder: Path, before: float) -> int:
    """Remove what killed writes left below ``folder``, last touched ``before`` (epoch seconds).

    How many. Anything not named by ``path_beside`` stays; safe beside writers and other sweeps.
    """
    swept = 0
    for path in folder.rglob(".*"):
        try:
            if _BESIDE.fullmatch(path.name) and path.stat().st_mtime < before:
                path.unlink()
                swept += 1
        except FileNotFoundError:  # written, or swept by somebody else
            continue
    return swept
