"""Proof that is whole only after its job had ended: no signal, or a person was faster."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from hub.core.events import ProofCompleted
from hub.core.jobs import Outcome
from hub.db.tables import ActRow, JobRow, ProofFileRow, ProofRow
from hub.db.unit import Unit


def is_whole(session: Session, proof: ProofRow) -> bool:
    """Whether every file that its act names has arrived."""
    named = {file["sha256"] for file in proof.files}
    here = session.exec(
        select(ProofFileRow.sha256).where(
            ProofFileRow.business_id == proof.business_id, ProofFileRow.proof_id == proof.id
        )
    ).all()
    return named <= set(here)


def is_late(job: JobRow, proof: ProofRow) -> bool:
    """Whether the job had ended, for all who were told, before anything proved it."""
    return job.closed_at is not None and proof.received_at > job.closed_at


def completed(unit: Unit, job: JobRow, proof: ProofRow, now: datetime, actor: str) -> None:
    """Announce it, if it is whole by now."""
    unit.session.flush()
    if is_whole(unit.session, proof):
        unit.announce(
            ProofCompleted(
                business_id=job.business_id,
                subject_id=job.order_id,
                occurred_at=now,
                received_at=now,
                actor=actor,
                job_id=job.id,
                proof_id=proof.id,
            )
        )


def said_with(session: Session, job: JobRow, proof: ProofRow) -> tuple[Outcome, str]:
    """How it ended by whoever gave the proof, and why: a cancelled job may have been delivered."""
    told = session.exec(
        select(ActRow)
        .where(
            ActRow.business_id == job.business_id,
            ActRow.job_id == job.id,
            ActRow.kind == "close",
            ActRow.occurred_at == proof.occurred_at,
        )
        .order_by(col(ActRow.received_at))
    ).first()
    body = told.body if told else {}
    if body.get("outcome") not in list(Outcome):  # let go of with the person
        return Outcome(job.outcome), job.reason
    return Outcome(body["outcome"]), body.get("reason") or ""
