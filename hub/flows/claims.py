"""A driver says a job was done that had moved on by the time the phone told: who is right?

The act is kept with all it says. A dispatcher takes it as done, or leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlmodel import Session, col, func, select

from hub.core.errors import Refused
from hub.core.events import JobClosed
from hub.core.jobs import NotNow, State
from hub.db.tables import (
    ActRow,
    DeviceRow,
    DriverRow,
    JobRow,
    ProofFileRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.closing import Closing, end_job
from hub.flows.prove import job_of, proof_of
from hub.flows.roads import Roads
from hub.flows.route_change import Change
from hub.flows.route_line import draw
from hub.flows.route_now import roads_for, stops_of

if TYPE_CHECKING:
    from hub.app import Hub

TAKEN, LEFT, OPEN = "taken", "left", "open"
MOVED = "The job moved to another route at this moment. Look again."


@dataclass(frozen=True, slots=True)
class Claim:
    """What a driver says of a job. ``files`` are those it names that have arrived."""

    act_id: str
    job_id: str
    driver: str
    said: Closing
    occurred_at: datetime
    received_at: datetime
    decision: str  # open | taken | left
    is_open: bool  # it can still be decided
    files: tuple[ProofFileRow, ...]


def claims_of(session: Session, business_id: str, job: JobRow) -> list[Claim]:
    """What was said of ``job`` after it had moved on, oldest first."""
    told = session.exec(
        select(ActRow, DriverRow.name)
        .join(DeviceRow, col(DeviceRow.id) == col(ActRow.device_id))
        .join(DriverRow, col(DriverRow.id) == col(DeviceRow.driver_id))
        .where(ActRow.business_id == business_id, ActRow.job_id == job.id, ActRow.decision != "")
        .order_by(col(ActRow.occurred_at), col(ActRow.id))
    ).all()
    files = session.exec(
        select(ProofFileRow)
        .where(ProofFileRow.business_id == business_id, ProofFileRow.job_id == job.id)
        .order_by(col(ProofFileRow.id))
    ).all()
    return [claim for act, name in told if (claim := _claim(act, name, job, files)) is not None]


def open_claims(session: Session, business_id: str) -> int:
    """How many orders' jobs wait for somebody to say whether a driver is right."""
    return session.exec(
        select(func.count(func.distinct(ActRow.job_id)))
        .join(JobRow, col(JobRow.id) == col(ActRow.job_id))
        .where(
            ActRow.business_id == business_id,
            ActRow.decision == OPEN,
            JobRow.state != State.CLOSED,
        )
    ).one()


def take_claim(hub: Hub, business_id: str, act_id: str, *, actor: str) -> None:
    """Close the job by the proof its driver gave, and take it off whoever has it now.

    Raises ``NotNow`` once the job ended otherwise, ``LookupError`` for another business's.
    """
    route = _route_now(hub, business_id, act_id)
    roads = roads_for(hub, business_id, (route.id,)) if route else None
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        act = _open(unit.session, business_id, act_id)
        job = job_of(unit.session, business_id, act.job_id or "")
        if job.state == State.CLOSED or proof_of(unit.session, business_id, job.id):
            raise NotNow(f"The job has ended meanwhile: {job.outcome}.")
        closing = _said(act)
        if closing is None:
            raise Refused("What the driver said is no longer kept.")
        proof = end_job(unit, hub.keys, job, closing, act.occurred_at, change.now)
        act.decision = TAKEN
        moved = _off(change, job, route, roads)
        change.audit("took a driver's word that a job is done", f"job:{job.id}")
        unit.announce(
            JobClosed(
                business_id=business_id,
                subject_id=job.order_id,
                occurred_at=act.occurred_at,
                received_at=change.now,
                actor=actor,
                job_id=job.id,
                outcome=job.outcome,
                attempt=job.attempt,
                reason=job.reason,
                proof_id=proof.id,
            )
        )
    if moved is not None:
        draw(hub, moved)


def leave_claim(hub: Hub, business_id: str, act_id: str, *, actor: str) -> None:
    """Nothing changes but that somebody looked; what the driver said stays on record."""
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        act = _open(unit.session, business_id, act_id)
        act.decision = LEFT
        change.audit("did not take a driver's word that a job is done", f"job:{act.job_id}")


def _claim(act: ActRow, name: str, job: JobRow, files: Sequence[ProofFileRow]) -> Claim | None:
    if (said := _said(act)) is None:
        return None  # let go of with the proof
    named = {(file.sha256, file.kind) for file in said.files}
    return Claim(
        act.id,
        job.id,
        name,
        said,
        act.occurred_at,
        act.received_at,
        act.decision,
        act.decision == OPEN and job.state != State.CLOSED,
        tuple(file for file in files if (file.sha256, file.kind) in named),
    )


def _said(act: ActRow) -> Closing | None:
    try:
        return Closing.model_validate(act.body)
    except ValidationError:
        return None


def _open(session: Session, business_id: str, act_id: str) -> ActRow:
    act = session.exec(
        select(ActRow).where(ActRow.business_id == business_id, ActRow.id == act_id)
    ).one_or_none()
    if act is None or not act.decision:
        raise LookupError(f"no claim {act_id}")
    if act.decision != OPEN:
        raise NotNow("Somebody has decided this already.")
    return act


def _route_now(hub: Hub, business_id: str, act_id: str) -> RouteRow | None:
    with hub.reading() as session:
        return session.exec(
            select(RouteRow)
            .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
            .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
            .join(ActRow, col(ActRow.job_id) == col(StopJobRow.job_id))
            .where(RouteRow.business_id == business_id, ActRow.id == act_id)
        ).one_or_none()


def _off(
    change: Change, job: JobRow, route: RouteRow | None, roads: Roads | None
) -> RouteRow | None:
    """Take the job off the route it is on now; the route, where it is another one by that.

    Nobody is told that the job was withdrawn: it is done.
    """
    link = change.session.exec(
        select(StopJobRow).where(
            StopJobRow.business_id == change.business_id, StopJobRow.job_id == job.id
        )
    ).one_or_none()
    if link is None:
        return None
    if route is None or roads is None:
        raise NotNow(MOVED)
    stops = stops_of(change.session, change.business_id, route.id)
    if link.stop_id not in {stop.id for stop in stops}:
        raise NotNow(MOVED)
    stored = change.route(route.id, None)
    change.session.delete(link)
    change.session.flush()
    change.retime(stored, roads)
    change.bump(stored)
    return stored
