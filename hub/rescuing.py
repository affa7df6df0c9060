"""Look for the ways out of a lost van in a process of its own, as long as somebody waits for it.

It is pure reckoning. What was found so far lies in a file that any process of the hub can read;
another, ``ASKED``, is touched by whoever looks at it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hub.apart import APART
from hub.core.rescue_every import Asked, each_way
from hub.core.rescue_said import Names, said
from hub.fork_server import begun

LOG = logging.getLogger("hub.rescuing")
FOUND, ASKED = "found.json", "asked"
WITHIN_S = 20.0  # then the rest is not looked at: a dispatcher has to decide
LEFT_S = 6.0  # the page asks every second or two; who has not asked for so long is gone
LOOK_S = 0.25
STOP_S = 5.0  # one place may be under way when time is up
LOOKING, DONE, LEFT = "looking", "done", "left"


def begin(folder: Path, asked: Asked, names: Names, within_s: float = WITHIN_S) -> None:
    """Have every way looked for, and come back at once; ``found`` tells how far it is."""
    write(folder, LOOKING, [])
    threading.Thread(target=_watch, args=(folder, asked, names, within_s), daemon=True).start()


def found(folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """``looking``, ``done`` or ``left``, and the ways so far. Somebody waits for them."""
    os.utime(folder / ASKED)
    told = json.loads((folder / FOUND).read_text())
    return told["state"], told["ways"]


def write(folder: Path, state: str, ways: list[dict[str, Any]]) -> None:
    """Whole, or not at all; nobody needs it after a power cut."""
    beside = folder / f"{FOUND}.{os.getpid()}"
    beside.write_text(json.dumps({"state": state, "ways": ways}))
    os.replace(beside, folder / FOUND)


def _watch(folder: Path, asked: Asked, names: Names, within_s: float) -> None:
    """Until it is over, however it ends: else a page would wait for ever."""
    child = APART.Process(target=_serve, args=(folder, asked, names, within_s), daemon=True)
    try:
        begun(child)
        child.join(within_s + STOP_S)
        if child.is_alive():
            child.kill()
            child.join()
        if child.exitcode == 0:
            return  # it said itself how it ended; by now somebody else may look in this folder
        state, ways = found(folder)
        if state == LOOKING:
            LOG.warning("looking for ways out ended early, with %s", child.exitcode)
            write(folder, DONE, ways)
    except OSError as problem:
        LOG.warning("nobody looks for ways out: %s", problem)
        if folder.exists():
            write(folder, DONE, [])


def _serve(folder: Path, asked: Asked, names: Names, within_s: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    patience = _Patience(folder, within_s)
    ways: list[dict[str, Any]] = []
    for some in each_way(asked, patience):
        ways = [asdict(said(way, asked, names)) for way in some]
        write(folder, LOOKING, ways)
    write(folder, LEFT if patience.has_left else DONE, ways)


class _Patience:
    """Whether to go on: there is time, and somebody waits."""

    def __init__(self, folder: Path, within_s: float) -> None:
        self.asked = folder / ASKED
        self.until = time.monotonic() + within_s
        self.look_at, self.has_left = 0.0, False

    def __call__(self) -> bool:
        now = time.monotonic()
        if now >= self.look_at:
            self.look_at = now + LOOK_S
            self.has_left = time.time() - self.asked.stat().st_mtime > LEFT_S
        return now < self.until and not self.has_left
