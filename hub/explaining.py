"""Looks for what would make room for jobs that are left out, in a process of its own.

It plans a day some hundred times over; whoever waits for it waits in vain at most ``within_s``.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection

from hub.apart import APART
from hub.core.planning import Plan, PlanRequest
from hub.core.ways_out import WayOut, ways_out
from hub.fork_server import begun

LOG = logging.getLogger("hub.explaining")
LOOK_S = 0.2
MOST_JOBS = 1_500  # of a day: whatever is larger is planned in parts and has no table of all ways

Found = tuple[str, list[WayOut]]


def explained(
    request: PlanRequest,
    plan: Plan,
    job_ids: Sequence[str],
    within_s: float,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Found]:
    """Job id and its ways out, one after the other as they are found; none of a day too large.

    Ends after ``within_s``, when ``stopped``, or when the process apart is no more.
    """
    if len(request.jobs) > MOST_JOBS or not job_ids:
        return
    ours, theirs = APART.Pipe()
    child = APART.Process(target=_serve, args=(theirs, request, plan, job_ids), daemon=True)
    try:
        begun(child)
    except OSError as problem:
        LOG.warning("nothing is explained: %s", problem)
        ours.close()
        return
    finally:
        theirs.close()
    until = time.monotonic() + within_s
    try:
        while time.monotonic() < until and not stopped():
            if not ours.poll(LOOK_S):
                continue
            said: Found | None = ours.recv()
            if said is None:
                return
            yield said
    except (EOFError, OSError):
        LOG.warning("explaining ended with code %s", child.exitcode)
    finally:
        ours.close()
        child.kill()
        child.join()


def _serve(pipe: Connection, request: PlanRequest, plan: Plan, job_ids: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for id in job_ids:
            pipe.send((id, ways_out(request, plan, id)))
        pipe.send(None)
    except OSError:
        return  # nobody waits any more
