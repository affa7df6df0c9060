"""How far each job of a route is, worked out from everything that was said of it.

A driver's own tap outranks the geofence: what a fix seems to say never undoes an arrival
that he told himself, until something is heard of him at another door. His "not there yet"
takes back every arrival at that door since he last left it, as if it had not been said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from hub.core import jobs
from hub.core.jobs import NotNow, State
from hub.db.tables import ActRow, JobRow, StopJobRow, StopRow
from hub.flows.take_overs import fetches_of

FENCE = "fence:"
"""How the ids of those acts begin that a geofence, not a person, told."""
NOT_ARRIVED = "not_arrived"
TAKEN_BACK = "The driver took this back."
HANDED_OVER = "The route was handed to another driver."
ON_A_JOB = {act.value: act for act in (jobs.Act.LOAD, jobs.Act.HEAD_FOR, jobs.Act.ARRIVE)} | {
    "leave": jobs.Act.LEAVE
}

SAYS_HOW_FAR = frozenset({*ON_A_JOB, NOT_ARRIVED, "take_over"})
"""The kinds of acts from which it is worked out; no other changes a state by itself."""


def work_out(
    session: Session,
    business_id: str,
    route_id: str,
    states: Mapping[str, State] | None = None,
) -> None:
    """Set the states of a route's open jobs from all its acts in the order they occurred;
    ``states`` are those of ``told_states``, where they are known.
    """
    if states is None:
        states = told_states(session, business_id, route_id)
    for job in session.exec(
        select(JobRow).where(JobRow.business_id == business_id, col(JobRow.id).in_(states))
    ):
        if State(job.state) in jobs.ON_A_PHONE and job.state != states[job.id]:
            job.state, job.version = states[job.id], job.version + 1


def told_states(session: Session, business_id: str, route_id: str) -> Mapping[str, State]:
    """Job id -> how far it is by what was said of it, for every job of a route.

    An end is not told by these acts: a closed job is as far as it was before.
    """
    stop_of = dict(
        session.exec(
            select(StopJobRow.job_id, StopJobRow.stop_id)
            .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
            .where(StopJobRow.business_id == business_id, StopRow.route_id == route_id)
        ).all()
    )
    said = session.exec(
        select(ActRow.act_id, ActRow.kind, ActRow.job_id)
        .where(
            ActRow.business_id == business_id,
            ActRow.route_id == route_id,
            ActRow.result == "applied",
            col(ActRow.kind).in_(list(ON_A_JOB)),
        )
        .order_by(col(ActRow.occurred_at), col(ActRow.act_id))
    )
    acts = [_Said(*one) for one in said]
    found = {job_id: _state(job_id, stop_id, stop_of, acts) for job_id, stop_id in stop_of.items()}
    # Who said "all loaded" meant what was at the depot: goods in another van are aboard once they
    # were taken over from it, and not before.
    for fetch in fetches_of(session, business_id, route_id).values():
        is_aboard = fetch.row.done_at is not None
        for job_id in fetch.row.job_ids:
            if found.get(job_id) in (State.DISPATCHED, State.LOADED):
                found[job_id] = State.LOADED if is_aboard else State.DISPATCHED
    return found


def settle_arrivals(session: Session, business_id: str, job_id: str) -> None:
    """Arrivals at a job that its driver took back count no more; others count (again).

    The same whatever order the acts come in. Safe to repeat.
    """
    said = session.exec(
        select(ActRow)
        .where(
            ActRow.business_id == business_id,
            ActRow.job_id == job_id,
            col(ActRow.kind).in_(["arrive", "leave", NOT_ARRIVED]),
            or_(ActRow.result == "applied", ActRow.why == TAKEN_BACK),
        )
        .order_by(col(ActRow.occurred_at), col(ActRow.act_id))
    )
    here: list[ActRow] = []  # what says that he is at the door now
    for act in said:
        if act.kind == "arrive":
            act.result, act.why = "applied", ""
            here.append(act)
        elif act.kind == NOT_ARRIVED and _by_hand(act):
            for arrival in here:
                arrival.result, arrival.why = "noted", TAKEN_BACK
            here = []
        elif act.kind == "leave" and (_by_hand(act) or not any(map(_by_hand, here))):
            here = []
    session.flush()


def begin_anew(session: Session, business_id: str, route_id: str) -> list[JobRow]:
    """Another driver takes a route: nobody is at a door of it, or on the way to one, any more.

    What was loaded is still loaded. Answers the open jobs that were at the door.
    """
    open_jobs = session.exec(
        select(JobRow)
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .where(
            JobRow.business_id == business_id,
            StopRow.route_id == route_id,
            JobRow.state != State.CLOSED,
        )
        .order_by(col(StopRow.n), col(JobRow.id))
    ).all()
    at_door = [job for job in open_jobs if job.state == State.ARRIVED]
    for act in session.exec(
        select(ActRow).where(
            ActRow.business_id == business_id,
            ActRow.route_id == route_id,
            or_(ActRow.result == "applied", ActRow.why == TAKEN_BACK),
            col(ActRow.job_id).in_([job.id for job in open_jobs]),
            col(ActRow.kind).in_(["head_for", "arrive", "leave", NOT_ARRIVED]),
        )
    ):
        act.result, act.why = "noted", HANDED_OVER
    session.flush()
    work_out(session, business_id, route_id)
    return at_door


def _by_hand(act: ActRow) -> bool:
    return not act.act_id.startswith(FENCE)


@dataclass(frozen=True, slots=True)
class _Said:
    """An act that counts. ``job_id`` ``None``: it is about the whole route."""

    act_id: str
    kind: str
    job_id: str | None

    @property
    def by_fence(self) -> bool:
        return self.act_id.startswith(FENCE)


@dataclass(slots=True)
class _Told:
    """``is_sworn``: the driver himself said that he is there; ``has_left``: a fix, that not."""

    state: State = State.DISPATCHED
    is_sworn: bool = False
    has_left: bool = False

    def here(self, act: _Said) -> None:
        if act.by_fence and act.kind == "leave" and self.is_sworn:
            self.has_left = True
            return
        if act.by_fence and act.kind == "leave" and self.state is not State.ARRIVED:
            return  # from a door that he took back: he may be on the way to it
        self.state = _moved(self.state, ON_A_JOB[act.kind])
        if not act.by_fence and act.kind == "arrive":
            self.is_sworn = True
        if self.state is not State.ARRIVED:
            self.is_sworn = False
        if act.kind == "arrive":
            self.has_left = False

    def elsewhere(self, act: _Said) -> None:
        """He is on the way to another door instead, or there."""
        on_the_way = act.kind == "head_for" and self.state is State.EN_ROUTE
        if on_the_way or (act.kind == "arrive" and self.has_left):
            self.state, self.is_sworn, self.has_left = State.DISPATCHED, False, False


def _state(job_id: str, stop_id: str, stop_of: Mapping[str, str], acts: Sequence[_Said]) -> State:
    told = _Told()
    for act in acts:
        if act.job_id in (job_id, None):
            told.here(act)
        elif stop_of.get(act.job_id or "") != stop_id:
            told.elsewhere(act)
    return told.state


def _moved(state: State, act: jobs.Act) -> State:
    try:
        return jobs.after(state, act)
    except NotNow:
        return state
