"""The hub's business time, moved by hand: as fast as the hub can follow, or some times faster
than the sun.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.core.errors import Unavailable
from hub.stepping import go_file, near_file, put, settled_file
from hub.watched import Watched

PATIENCE_S = 120.0
LOOK_S = 0.0004
TICK = timedelta(milliseconds=1)


class Clock:
    """A file with the time that every process of the hub reads. It never goes back."""

    def __init__(self, file: Path, at: datetime) -> None:
        self.file, self.now = file, at.astimezone(UTC)
        for beside in (go_file(file), near_file(file), settled_file(file)):
            beside.unlink(missing_ok=True)
        self._near, self._settled = Watched(near_file(file)), Watched(settled_file(file))
        self._told = ""
        put(file, self.now.isoformat())
        self.waits = True

    def move(self, to: datetime) -> None:
        """Nothing happens for a moment that has passed already."""
        if to > self.now:
            self.now = to.astimezone(UTC)
            put(self.file, self.now.isoformat())

    def go(self) -> str:
        """Let the hub begin with all that is due by now; the moment as it is told."""
        self.move(self.now + TICK)  # one that was not settled before
        told = self.now.isoformat()
        put(go_file(self.file), told)
        self._told = told
        return told

    def near(self) -> None:
        """Let the hub do all that is due by now, and wait until everything is that can be seen
        in it: messages may still leave. There must be ``rest`` before anything is said to it that
        would make them other messages.
        """
        self.go()
        self._wait_for(self._near)

    def settle(self) -> None:
        """Let the hub do all that is due by now, and wait until it has; not where nobody
        ``waits``. Raises ``Unavailable`` if it does not come to rest.
        """
        self.go()
        self.rest()

    def rest(self) -> None:
        """Wait until the hub has done all it was let do."""
        if self._told:
            self._wait_for(self._settled)

    def _wait_for(self, file: Watched) -> None:
        if not self.waits:
            return
        began = time.monotonic()
        while not self._says(file):
            if time.monotonic() - began > PATIENCE_S:
                raise Unavailable(f"The hub's worker is not done with {self._told}; see its log.")
            time.sleep(LOOK_S)

    def _says(self, file: Watched) -> bool:
        try:
            return file.text() == self._told
        except FileNotFoundError:
            return False
