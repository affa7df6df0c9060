"""The promise that a job gets when it goes on a phone, or is to be told another time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, func, select

from hub.core.events import JobDispatched
from hub.core.fit import Stage, begins_as_told
from hub.core.promised import promised
from hub.core.values import TimeWindow
from hub.db.tables import JobRow, PromiseRow, StopRow
from hub.flows.day_due import windows_of
from hub.flows.route_now import route_of, stops_of, work_of
from hub.flows.take_overs import fetches_of
from hub.flows.visits import driven

if TYPE_CHECKING:
    from hub.flows.route_change import Change


def promise_each(
    change: Change,
    route_id: str,
    shift: TimeWindow,
    work: Sequence[tuple[StopRow, JobRow]],
    told: Mapping[str, TimeWindow],
) -> None:
    """Promise each of ``work`` a window around when it is served, and announce that; what was
    ``told`` of it before, where that still holds.
    """
    ids = [job.id for _, job in work]
    last = dict(
        change.session.exec(
            select(PromiseRow.job_id, func.max(PromiseRow.n))
            .where(PromiseRow.business_id == change.business_id, col(PromiseRow.job_id).in_(ids))
            .group_by(col(PromiseRow.job_id))
        ).all()
    )
    width = timedelta(seconds=change.settings.window_s)
    soonest = _soonest(change, route_id)
    for stop, job in work:
        before = told.get(job.id)
        at = begins_as_told(windows_of(job), stop.arrive_at, before)
        window = promised(at, width, windows_of(job), shift, soonest[stop.id])
        if before is not None and before.opens <= at <= before.closes:
            window = before
        change.session.add(
            PromiseRow(
                business_id=change.business_id,
                job_id=job.id,
                n=last.get(job.id, 0) + 1,
                opens=window.opens,
                closes=window.closes,
                told_by="page",
                at=change.now,
            )
        )
        eta = max(at, window.opens).isoformat()
        change.unit.announce(
            JobDispatched(**change.about(job), job_id=job.id, route_id=route_id, eta=eta)
        )


def _soonest(change: Change, route_id: str) -> dict[str, datetime]:
    """Stop id -> when the van could be there from now on, if no door took any time."""
    leaves_at = route_of(change.session, change.business_id, route_id).leaves_at
    work = work_of(change.session, change.business_id, route_id)
    fetches = fetches_of(change.session, change.business_id, route_id)
    visits = driven(stops_of(change.session, change.business_id, route_id), work, fetches)
    first = min((visit.n for visit in visits if visit.stage is Stage.TO_DO), default=0)
    free_at, found = leaves_at or change.now, dict[str, datetime]()
    clock = max(free_at, change.now)
    for visit in visits:
        stop = visit.stop
        if visit.stage is Stage.TO_DO:
            clock += max(timedelta(0), stop.arrive_at - free_at)
            free_at = stop.depart_at
        elif visit.stage is Stage.DONE and visit.n > first:  # out of turn: left before planned
            clock = free_at = change.now
        elif visit.stage is not Stage.SKIPPED:
            clock, free_at = change.now, max(stop.depart_at, change.now)
        found[stop.id] = clock
    return found
