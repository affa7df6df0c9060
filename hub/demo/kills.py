"""Parts of the hub that fall over in the middle of the day, and are started again.

The seed chooses the part, the minute of the day, and how long after it: somewhere between two
requests, or in the middle of one, while something is being settled, or a mail is sent.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress

from hub.demo.day import chance_for
from hub.demo.run import Played
from hub.up import Process

log = logging.getLogger(__name__)
WITHIN_S = 0.5  # real time; what a moment of a fast day takes, and some more
FIRST_S, LAST_S = 1800.0, 8 * 3600.0  # after the first shift's beginning


class Parts:
    """The processes of a hub, as its supervisor has them."""

    def __init__(self) -> None:
        self.processes: Sequence[Process] = ()

    def meet(self, processes: Sequence[Process]) -> None:
        self.processes = processes

    def fall_over(self, played: Played, kills: int, seed: int) -> None:
        """Choose, by the seed, when and which."""
        chance = chance_for(seed, "kills")
        begins_s = played.bakery.starts_at.timestamp()
        for _ in range(kills):
            at_s, one = begins_s + chance.uniform(FIRST_S, LAST_S), chance.choice(self.processes)
            later = threading.Timer(chance.uniform(0, WITHIN_S), kill, (one,))
            later.daemon = True
            played.kill_at(at_s, later.start)


def kill(part: Process) -> None:
    """At once, without a word; nothing if it is down already."""
    child = part.child
    if child is not None:
        log.warning("killing name=%s pid=%s", part.name, child.pid)
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
