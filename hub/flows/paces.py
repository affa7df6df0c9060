"""How fast a round goes, beside how fast it was planned.

A way is held against what the plan would have had for it when it was driven: a driver who is late
and comes into the rush hour is not slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hub.core.eta import pace
from hub.core.fit import begins_as_told
from hub.core.fit_rests import resting
from hub.core.jobs import Outcome, State
from hub.core.pace import Traffic, arrives, drive_s
from hub.core.values import TimeWindow
from hub.db.tables import JobRow, StopRow
from hub.flows.day_due import windows_of


@dataclass(frozen=True, slots=True)
class _Visit:
    """A stop that is over, as planned and as it was."""

    n: int
    arrive_at: datetime
    starts_at: datetime
    depart_at: datetime
    came_at: datetime
    began_at: datetime
    ended_at: datetime


def paces(
    stops: Sequence[Sequence[tuple[StopRow, JobRow, object]]],
    arrivals: Mapping[str, datetime],
    promises: Mapping[str, TimeWindow],
    traffic: Traffic | None = None,
    planned_rests: Sequence[TimeWindow] = (),
    had: Sequence[TimeWindow] = (),
) -> tuple[float, float]:
    """Of the ways and of the work of one route, as ``RouteProgress`` has them.

    ``stops`` in their order, each with its jobs; ``arrivals``: job id -> when somebody came;
    ``promises``: job id -> what was promised last. ``had``: the breaks that the driver said he
    had; a way or a door with one in it says nothing, as many forget to end it. ``planned_rests``:
    the planned ones that they were, which are neither driving nor work.
    """
    visits = [one for here in stops if (one := _visit(here, arrivals, promises)) is not None]
    ways = [
        (a, b)
        for a, b in pairwise(visits)
        if b.n == a.n + 1 and not resting(had, a.ended_at, b.came_at)
    ]
    worked = [one for one in visits if not resting(had, one.began_at, one.ended_at)]
    return (
        pace(
            [_planned_s(a, b, traffic, planned_rests) for a, b in ways],
            [_s(b.came_at - a.ended_at) for a, b in ways],
        ),
        pace(
            [_awake_s(one.starts_at, one.depart_at, planned_rests) for one in worked],
            [_s(one.ended_at - one.began_at) for one in worked],
        ),
    )


def way_between_s(
    traffic: Traffic | None, rests: Sequence[TimeWindow], since: datetime, until: datetime
) -> float:
    """Seconds of a way between two moments where nothing holds one up, without ``rests``."""
    clock, driven_s = since, 0.0
    for rest in rests:
        if clock <= rest.opens < until:
            driven_s += drive_s(traffic, clock, rest.opens)
            clock = min(rest.closes, until)
    return driven_s + drive_s(traffic, clock, until)


def _planned_s(a: _Visit, b: _Visit, traffic: Traffic | None, rests: Sequence[TimeWindow]) -> float:
    """The way between two stops as planned, had it been planned for when ``a`` was over."""
    way_s = way_between_s(traffic, rests, a.depart_at, b.arrive_at)
    return _s(arrives(traffic, a.ended_at, way_s) - a.ended_at)


def _visit(
    here: Sequence[tuple[StopRow, JobRow, object]],
    arrivals: Mapping[str, datetime],
    promises: Mapping[str, TimeWindow],
) -> _Visit | None:
    """``None`` unless somebody came, and ended all that was to be done."""
    stop = here[0][0]
    jobs = [job for _, job, _ in here if job.outcome != Outcome.CANCELLED]
    came = [arrivals[job.id] for job in jobs if job.id in arrivals]
    ended = [job.closed_occurred_at for job in jobs if job.closed_occurred_at is not None]
    if not came or len(ended) < len(jobs) or any(job.state != State.CLOSED for job in jobs):
        return None
    return _Visit(
        stop.n,
        stop.arrive_at,
        _starts(jobs, stop.arrive_at, promises),
        stop.depart_at,
        min(came),
        _starts(jobs, min(came), promises),
        max(ended),
    )


def _starts(jobs: Sequence[JobRow], at: datetime, promises: Mapping[str, TimeWindow]) -> datetime:
    """When work begins for who is there ``at`` that time."""
    return max(
        (begins_as_told(windows_of(job), at, promises.get(job.id)) for job in jobs), default=at
    )


def _awake_s(since: datetime, until: datetime, rests: Sequence[TimeWindow]) -> float:
    return _s(until - since - resting(rests, since, until))


def _s(span: timedelta) -> float:
    return span.total_seconds()
