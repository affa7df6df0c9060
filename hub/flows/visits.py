"""In which order the doors of a route are driven to, whatever the list says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.core.fit import Stage
from hub.core.jobs import Outcome, State
from hub.db.tables import JobRow, StopRow
from hub.flows.take_overs import Fetch


@dataclass(frozen=True)
class Visit:
    """A stop that somebody drives to, or drove; ``n``: its number among those of its route.

    ``jobs``: what is still to do there; once nothing is, what was. ``fetch`` ``None``: the stop
    is at a customer's door, and nothing is taken over there.
    """

    stop: StopRow
    n: int
    stage: Stage
    jobs: list[JobRow]
    fetch: Fetch | None = None


def driven(
    stops: Iterable[StopRow],
    work: Mapping[str, Sequence[JobRow]],
    fetches: Mapping[str, Fetch],
) -> list[Visit]:
    """In the order they are driven in, of ``stops`` in their listed one.

    A driver may do a door before its turn: what is done comes first, then where he is or is
    on the way to, then the rest as it is listed.
    """
    found: list[Visit] = []
    for stop in stops:
        if (fetch := fetches.get(stop.id)) is not None:
            found.append(Visit(stop, len(found) + 1, fetch.stage, [], fetch))
            continue
        here = [job for job in work.get(stop.id, ()) if job.outcome != Outcome.CANCELLED]
        if here:
            to_do = [job for job in here if job.state != State.CLOSED]
            found.append(Visit(stop, len(found) + 1, _stage(here), to_do or here))
    return sorted(found, key=_turn)


def _turn(visit: Visit) -> tuple[Stage, float, int]:
    ended = [job.closed_occurred_at for job in visit.jobs if job.closed_occurred_at is not None]
    if visit.fetch is not None and visit.fetch.row.done_at is not None:
        ended.append(visit.fetch.row.done_at)
    ended_s = max(ended).timestamp() if ended and visit.stage is Stage.DONE else 0.0
    return visit.stage, ended_s, visit.n


def _stage(jobs: Sequence[JobRow]) -> Stage:
    """Of a stop where not everything is cancelled."""
    states = {State(job.state) for job in jobs}
    visited = any(job.outcome not in ("", Outcome.SKIPPED) for job in jobs)
    if State.ARRIVED in states:
        return Stage.THERE
    if State.EN_ROUTE in states:
        return Stage.HEADED_FOR
    if states == {State.CLOSED}:
        return Stage.DONE if visited else Stage.SKIPPED
    return Stage.THERE if visited else Stage.TO_DO
