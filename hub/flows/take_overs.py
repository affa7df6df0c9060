"""Stops without a customer, where a driver takes over what another van has on board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from hub.core.fit import Stage
from hub.core.jobs import State
from hub.core.plan_request import JobToPlan
from hub.core.rescue import Load, from_it, take_over
from hub.db.tables import JobRow, StopJobRow, StopRow, TakeOverRow


@dataclass(frozen=True)
class Fetch:
    """One such stop of a route. ``waiting``: ids of its jobs that are still to do on that route;
    once there are none nobody needs to go there.
    """

    row: TakeOverRow
    waiting: tuple[str, ...]

    @property
    def stage(self) -> Stage:
        if self.row.done_at is not None:
            return Stage.DONE
        return Stage.TO_DO if self.waiting else Stage.SKIPPED


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
    to_do = set(
        session.exec(
            select(StopJobRow.job_id)
            .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
            .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
            .where(
                StopJobRow.business_id == business_id,
                StopRow.route_id == route_id,
                JobRow.state != State.CLOSED,
            )
        )
    )
    return {row.stop_id: Fetch(row, tuple(id for id in row.job_ids if id in to_do)) for row in rows}


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
