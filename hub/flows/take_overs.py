"""Stops without a customer, where a driver takes over what another van has on board, or is back
at the depot to load what he brings next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, delete, select

from hub.core.fit import Stage
from hub.core.jobs import Outcome, State
from hub.core.plan_request import JobToPlan
from hub.core.rescue import Load, from_it, take_over
from hub.db.tables import JobRow, StopJobRow, StopRow, TakeOverRow


@dataclass(frozen=True)
class Fetch:
    """One such stop of a route. ``waiting``: ids of its jobs that are still to do on that route.
    ``is_needed``: somebody still has to go there; nobody does once nothing waits for it, nor to
    the depot once the driver is on his way to a door with what he was to load.
    """

    row: TakeOverRow
    waiting: tuple[str, ...]
    is_needed: bool

    @property
    def stage(self) -> Stage:
        if self.row.done_at is not None:
            return Stage.DONE
        return Stage.TO_DO if self.is_needed else Stage.SKIPPED


def fetches_of(session: Session, business_id: str, route_id: str) -> dict[str, Fetch]:
    """Stop id -> what is taken over there, for every such stop of the route."""
    rows = session.exec(
        select(TakeOverRow)
        .join(StopRow, col(StopRow.id) == col(TakeOverRow.stop_id))
        .where(TakeOverRow.business_id == business_id, StopRow.route_id == route_id)
        .order_by(col(StopRow.n))
    ).all()
    if not rows:
        return {}
    at = dict(
        session.exec(
            select(StopRow.id, StopRow.n).where(
                StopRow.business_id == business_id, StopRow.route_id == route_id
            )
        ).all()
    )
    jobs = session.exec(
        select(StopJobRow.stop_id, JobRow)
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(StopJobRow.business_id == business_id, StopRow.route_id == route_id)
    ).all()
    last = max((at[stop_id] for stop_id, job in jobs if job.state != State.CLOSED), default=0)
    return {
        row.stop_id: _fetch(row, [job for _, job in jobs], at[row.stop_id], last) for row in rows
    }


def _fetch(row: TakeOverRow, jobs: Sequence[JobRow], n: int, last: int) -> Fetch:
    """``n``: the number of its stop; ``last``: of the last one where something is to do."""
    goods = [job for job in jobs if job.id in row.job_ids]
    waiting = {job.id for job in goods if job.state != State.CLOSED}
    in_order = tuple(id for id in row.job_ids if id in waiting)
    if not row.is_reload:
        return Fetch(row, in_order, bool(in_order))
    return Fetch(row, in_order, last > n and not any(_has_set_out(job) for job in goods))


def _has_set_out(job: JobRow) -> bool:
    if job.state == State.CLOSED:
        return job.outcome not in (Outcome.CANCELLED, Outcome.SKIPPED)
    return job.state in (State.EN_ROUTE, State.ARRIVED)


def forget(session: Session, business_id: str, stop_ids: Iterable[str]) -> None:
    """These stops are about to go, with what was to be loaded there."""
    session.exec(
        delete(TakeOverRow).where(
            col(TakeOverRow.business_id) == business_id,
            col(TakeOverRow.stop_id).in_(list(stop_ids)),
        )
    )


def next_loads(session: Session, business_id: str, route_id: str) -> list[Fetch]:
    """What of the route is still at the depot, to be loaded later in the day."""
    fetches = fetches_of(session, business_id, route_id).values()
    return [fetch for fetch in fetches if fetch.row.is_reload and fetch.stage is Stage.TO_DO]


def still_elsewhere(session: Session, business_id: str, job_ids: Sequence[str]) -> str:
    """The van that has goods of ``job_ids`` on board although another driver is to bring them;
    empty: none has.
    """
    stop_of = dict(
        session.exec(
            select(StopJobRow.job_id, StopRow.route_id)
            .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
            .where(StopJobRow.business_id == business_id, col(StopJobRow.job_id).in_(job_ids))
        ).all()
    )
    for route_id in dict.fromkeys(stop_of.values()):
        for fetch in fetches_of(session, business_id, route_id).values():
            if fetch.row.is_reload:
                continue  # what is at the depot anybody can load there
            if fetch.row.done_at is None and set(fetch.waiting) & stop_of.keys():
                return fetch.row.van
    return ""


def worked(fetch: Fetch, place: int, known: Mapping[str, JobToPlan]) -> JobToPlan:
    """The taking over as the core times it; ``known``: the jobs of its route."""
    goods = [known[id] for id in fetch.waiting if id in known]
    row = fetch.row
    load = Load(place, row.service_s, (), frozenset(), row.ready_at)
    return take_over(row.id, load, goods)


def with_origins(
    known: Mapping[str, JobToPlan], fetches: Mapping[str, Fetch]
) -> dict[str, JobToPlan]:
    """``known``, each job that is taken over on its route after that."""
    origin = {id: fetch.row.id for fetch in fetches.values() for id in fetch.waiting}
    return {id: from_it(job, origin[id]) if id in origin else job for id, job in known.items()}
