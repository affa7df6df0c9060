"""How far each job of a route is, worked out from everything its phones said."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.jobs import NotNow, State
from hub.db.tables import ActRow, JobRow, StopJobRow, StopRow

ON_A_JOB = {act.value: act for act in (jobs.Act.LOAD, jobs.Act.HEAD_FOR, jobs.Act.ARRIVE)} | {
    "leave": jobs.Act.LEAVE
}


def work_out(session: Session, business_id: str, route_id: str) -> None:
    """Set the states of a route's open jobs from all its acts in the order they occurred."""
    found = session.exec(
        select(JobRow, StopRow.id)
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .where(JobRow.business_id == business_id, StopRow.route_id == route_id)
    ).all()
    acts = session.exec(
        select(ActRow)
        .where(
            ActRow.business_id == business_id,
            ActRow.route_id == route_id,
            ActRow.result == "applied",
            col(ActRow.kind).in_(list(ON_A_JOB)),
        )
        .order_by(col(ActRow.occurred_at), col(ActRow.act_id))
    ).all()
    stop_of = {job.id: stop_id for job, stop_id in found}
    for job, stop_id in found:
        if State(job.state) not in jobs.ON_A_PHONE:
            continue
        elsewhere = [act.job_id for act in acts if stop_of.get(act.job_id or "") != stop_id]
        state = _state(job.id, acts, elsewhere)
        if job.state != state:
            job.state, job.version = state, job.version + 1


def _state(job_id: str, acts: Sequence[ActRow], elsewhere: Sequence[str | None]) -> State:
    state = State.DISPATCHED
    for act in acts:
        if act.job_id in (job_id, None):
            state = _moved(state, ON_A_JOB[act.kind])
        elif act.kind == "head_for" and state is State.EN_ROUTE and act.job_id in elsewhere:
            state = State.DISPATCHED  # on the way to another door instead
    return state


def _moved(state: State, act: jobs.Act) -> State:
    try:
        return jobs.after(state, act)
    except NotNow:
        return state
