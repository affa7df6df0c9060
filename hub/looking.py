"""Look for what would have to give for jobs that are left out, in a process of its own.

It is pure reckoning and may take as long as it is given: what was found until then counts.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from hub.apart import APART
from hub.core.planning import Plan, PlanRequest
from hub.core.ways_out import WayOut, each_way
from hub.core.whole_ways import room_without, whole
from hub.fork_server import begun

LOG = logging.getLogger("hub.looking")
LOOK_S = 0.5  # how often the caller hears that time passes
NICE = 10  # plans and phones go first
STOP_S = 5.0  # one kind of change for one job may be under way when time is up


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one job. ``room``: lawful routes with it and nothing changed, by
    vehicle; then there are no ``ways``. ``is_whole``: every kind of change was tried.
    """

    job_id: str
    room: dict[str, tuple[str, ...]] | None
    ways: tuple[WayOut, ...]
    is_whole: bool


def look(
    request: PlanRequest,
    plan: Plan,
    job_ids: Sequence[str],
    within_s: float,
    on_found: Callable[[Found | None], None],
) -> None:
    """Tell ``on_found`` of one job after the other, and ``None`` now and then in between.

    ``plan`` is lawful and leaves ``job_ids`` out. Ends after about ``within_s`` at the latest,
    also where whoever looks dies: then some jobs were not looked at. What ``on_found`` raises
    ends it too.
    """
    ours, theirs = APART.Pipe()
    child = APART.Process(
        target=_serve, args=(theirs, request, plan, tuple(job_ids), within_s), daemon=True
    )
    try:
        begun(child)
    except OSError as problem:
        LOG.warning("nobody looks for ways out: %s", problem)
        ours.close()
        return
    finally:
        theirs.close()
    try:
        until = time.monotonic() + within_s + STOP_S
        while time.monotonic() < until:
            if not ours.poll(LOOK_S):
                on_found(None)
            elif (found := ours.recv()) is None:
                return
            else:
                on_found(found)
    except (EOFError, OSError):
        LOG.warning("looking for ways out ended early")
    finally:
        ours.close()
        child.kill()  # it has nothing to tidy up
        child.join()


def _serve(
    pipe: Connection, request: PlanRequest, plan: Plan, ids: tuple[str, ...], within_s: float
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    os.nice(NICE)
    until = time.monotonic() + within_s
    for n, job_id in enumerate(ids):
        left_s = until - time.monotonic()
        if left_s <= 0:
            break
        pipe.send(_found(request, plan, job_id, left_s / (len(ids) - n)))
    pipe.send(None)


def _found(request: PlanRequest, plan: Plan, job_id: str, within_s: float) -> Found:
    """The kinds that are tried within a job's share of the time."""
    until = time.monotonic() + within_s
    if (room := room_without(request, plan, job_id)) is not None:
        return Found(job_id, dict(room), (), True)
    ways: list[WayOut] = []
    for way in each_way(request, plan, job_id):
        if way is not None:
            ways.append(whole(request, plan, way))
        if time.monotonic() > until:
            return Found(job_id, None, tuple(ways), False)
    return Found(job_id, None, tuple(ways), True)
