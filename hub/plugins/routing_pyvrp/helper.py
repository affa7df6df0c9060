"""The program of a process that helps to plan: tasks come in by a pipe, routes go out."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from multiprocessing.connection import Connection

from hub.plugins.routing_pyvrp.search import improved

LOG = logging.getLogger("hub.routing.pyvrp")
_PR_SET_PDEATHSIG = 1  # prctl(2)


def serve(pipe: Connection) -> None:
    """Until the other side is silent for ever. A word during a task means: stop, keep the best."""
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        if task == "stop":  # it came when that task was over
            continue
        try:
            found = improved(task, pipe.poll)
        except Exception:  # its part stays as it was; the others go on
            LOG.exception("a part of a plan could not be improved")
            found = None
        try:
            pipe.send(found)
        except OSError:
            return


def main() -> None:
    fd, parent = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who began this decides what Ctrl-C means
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return  # it was gone before
    serve(Connection(fd))


if __name__ == "__main__":
    main()
