"""The process that others are forked from: one that hangs is replaced.

Whoever asks it for a process waits for its answer, and hears from it alone that a process has
ended. Where it hangs, as after a broken disk or a signal that stopped it, nothing would ever be
started again.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

log = logging.getLogger(__name__)

ANSWERS_S = 20.0  # it forks in milliseconds, however busy the machine is otherwise
STARTS_S = 120.0  # a busy small machine takes half a minute to import everything
_answered: set[int] = set()  # pids of servers that did so


def begun(process: BaseProcess, answers_s: float = ANSWERS_S) -> None:
    """Start ``process``, by another server where the one there is does not answer.

    Raises ``OSError`` if neither does.
    """
    for last in (False, True):
        try:
            with _watched(answers_s):
                process.start()
        except (OSError, EOFError) as problem:
            if last:
                detail = "What forks processes ended, or does not answer; see the lines above."
                raise OSError(detail) from problem
        else:
            _answered.clear()
            _answered.update({_pid()} - {0})
            return


def start() -> None:
    """Start the server if there is none, and do not wait for what it imports.

    Ctrl-C meanwhile is for whoever calls this; the server hears of it once it ignores it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def replace(why: str) -> None:
    """End the server there is: who asks next gets another, and what it started is known to end."""
    if not (pid := _pid()):
        return
    log.warning("fork server replaced pid=%s: %s", pid, why)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    """Whether a process is over, also where its parent has not heard of it (Linux only)."""
    if sys.platform != "linux":
        return False
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")


@contextmanager
def _watched(answers_s: float) -> Iterator[None]:
    """Who waits for a server's answer gets ``EOFError`` from one that is ended meanwhile."""
    before = _pid()
    within_s = answers_s if before in _answered and not has_ended(before) else STARTS_S
    watch = threading.Timer(within_s, replace, [f"it did not answer within {within_s:.0f} s"])
    watch.daemon = True
    watch.start()
    try:
        yield
    except (OSError, EOFError):
        _wait_for(before)
        raise
    finally:
        watch.cancel()


def _wait_for(pid: int) -> None:
    """A killed server takes a moment; before it is gone nobody starts another."""
    until = time.monotonic() + 1
    while pid and not has_ended(pid) and time.monotonic() < until:
        time.sleep(0.01)


def _pid() -> int:
    """0 while there is none. By the name in ``multiprocessing.forkserver``: it tells nobody."""
    return getattr(forkserver._forkserver, "_forkserver_pid", None) or 0
