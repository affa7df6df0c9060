"""Look for a better rest of a day in a process of its own.

It is pure reckoning. It tells of each better one as it is found, so that whoever began it can end
it at any moment and has the best until then.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from hub.apart import APART
from hub.core.rest_of_day import Better, Rest, improved
from hub.fork_server import begun

LOG = logging.getLogger("hub.improving")
LOOK_S = 0.25  # how often the caller hears that time passes
NICE = 10  # plans and phones go first
PATIENCE_S, EACH_S = 3.0, 0.03
"""Of a processor, without anything better: then there is little left to find. Less where there is
little to move: so much for each unit of work."""
WALL = 10  # times its processor time may pass on a machine that has other things to do
START_S = 20.0  # to hand over a day of 1,000 stops with its roads


def search(rest: Rest, cpu_s: float, on_better: Callable[[Better | None], bool]) -> None:
    """Tell ``on_better`` of one better rest of the day after the other, and ``None`` now and then
    in between, until it says ``False`` or ``cpu_s`` of a processor are used.

    Ends as well where whoever searches dies. What ``on_better`` raises ends it too.
    """
    ours, theirs = APART.Pipe()
    child = APART.Process(target=_serve, args=(theirs, rest, cpu_s), daemon=True)
    try:
        begun(child)
    except OSError as problem:
        LOG.warning("nobody looks for a better rest of the day: %s", problem)
        ours.close()
        return
    finally:
        theirs.close()
    try:
        until = time.monotonic() + START_S + WALL * cpu_s
        goes_on = True
        while goes_on and time.monotonic() < until:
            if not ours.poll(LOOK_S):
                goes_on = on_better(None)
            elif (better := ours.recv()) is None:
                return
            else:
                goes_on = on_better(better)
    except (EOFError, OSError):
        LOG.warning("looking for a better rest of the day ended early")
    finally:
        ours.close()
        child.kill()  # it has nothing to tidy up
        child.join()


def _serve(pipe: Connection, rest: Rest, cpu_s: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    os.nice(NICE)
    patience_s = min(PATIENCE_S, EACH_S * (10 + len(rest.units)), cpu_s)
    began = better_at = time.process_time()

    def share() -> float:
        now = time.process_time()
        return max((now - began) / cpu_s, (now - better_at) / patience_s)

    def told(better: Better) -> None:
        nonlocal better_at
        better_at = time.process_time()
        pipe.send(better)

    improved(rest, share, told, seed=time.time_ns() & 0xFFFF)
    pipe.send(None)
