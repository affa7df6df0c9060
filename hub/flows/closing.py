"""A phone closes a job: the outcome counts once its proof is complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field
from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.business import BusinessSettings, Demand
from hub.core.jobs import Outcome, Reason, State
from hub.core.proof import given_by, missing, names
from hub.db.tables import BusinessRow, JobRow, ProofFileRow, ProofRow
from hub.db.unit import Unit
from hub.flows.prove import proof_of
from hub.flows.sealed import seal
from hub.flows.wishes import wished
from hub.keys import Keys


class ClosingLine(BaseModel):
    """Line number ``n`` of the order (from 0), as it was handed over."""

    n: int = Field(ge=0, le=10_000)
    title: str = Field(default="", max_length=500)
    ordered: int = Field(default=1, ge=0, le=1_000_000)
    delivered: int = Field(ge=0, le=1_000_000)
    reason: str = Field(default="", max_length=200)


class NamedFile(BaseModel):
    """A file of the proof by its hash; it may come before the act or after."""

    kind: Literal["photo", "signature", "document"]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Closing(BaseModel):
    """The body of a ``close``: how it ended and the proof that is not a file."""

    outcome: Literal["succeeded", "partial", "failed", "skipped"]
    reason: Reason | None = None
    name: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=1000)
    pin_ok: bool | None = None
    scans: list[str] = Field(default_factory=list, max_length=500)
    lines: list[ClosingLine] = Field(default_factory=list, max_length=500)
    files: list[NamedFile] = Field(default_factory=list, max_length=50)
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    accuracy_m: float | None = Field(default=None, ge=0, le=1e9)
    position_age_s: float | None = Field(default=None, ge=0, le=1e9)
    no_position: str = Field(default="", max_length=200)


class Impossible(Exception):
    """The job cannot be closed like this; the text is for the driver."""


def lacking(session: Session, job: JobRow, closing: Closing) -> list[str]:
    """What the business demands for such an ending and the phone did not bring."""
    business = session.get_one(BusinessRow, job.business_id)
    settings = BusinessSettings.model_validate(business.settings)
    given = _given(session, job, closing)
    lack = missing(demands(settings, closing.outcome), given)
    if lack and closing.outcome in (Outcome.SUCCEEDED, Outcome.PARTIAL):
        # Where it may be left there may be less to ask for; who is home all the same gives as ever.
        leave = wished(session, job.business_id, job.order_id).leave
        if not missing(settings.self_service.demands(leave, settings.demands), given):
            return []
    return lack


def demands(settings: BusinessSettings, outcome: str) -> Sequence[Demand]:
    """The proof a business wants for an outcome; skipping a door proves nothing."""
    match outcome:
        case "skipped":
            return ()
        case "failed":
            return settings.failure_demands
    return settings.demands


def check(session: Session, job: JobRow, closing: Closing) -> None:
    """Raises ``Impossible`` for an ending without its reason or its proof."""
    if closing.outcome in (Outcome.FAILED, Outcome.SKIPPED) and closing.reason is None:
        raise Impossible("Say why it did not succeed.")
    if lack := lacking(session, job, closing):
        raise Impossible(f"Proof is missing: {', '.join(lack)}.")


def close_job(
    unit: Unit, keys: Keys, job: JobRow, closing: Closing, occurred_at: datetime, now: datetime
) -> ProofRow:
    """Close ``job`` and keep its proof. Raises ``Impossible`` or, from its state, ``NotNow``."""
    check(unit.session, job, closing)
    jobs.close(State(job.state), Outcome(closing.outcome))
    return end_job(unit, keys, job, closing, occurred_at, now)


def end_job(
    unit: Unit, keys: Keys, job: JobRow, closing: Closing, occurred_at: datetime, now: datetime
) -> ProofRow:
    """Close ``job`` whatever state it is in: somebody found that it is done."""
    job.state = State.CLOSED
    job.outcome, job.reason = closing.outcome, closing.reason or ""
    job.closed_at, job.closed_occurred_at = now, occurred_at
    job.version += 1
    return keep_proof(unit, keys, job, closing, occurred_at, now)


def keep_proof(
    unit: Unit, keys: Keys, job: JobRow, closing: Closing, occurred_at: datetime, now: datetime
) -> ProofRow:
    """Store the job's proof, tie the files it names that came before, and chain what it says."""
    has_place = closing.lat is not None and closing.lon is not None
    proof = ProofRow(
        business_id=job.business_id,
        job_id=job.id,
        occurred_at=occurred_at,
        received_at=now,
        **closing.model_dump(exclude={"outcome", "reason", "no_position"}),
        no_position="" if has_place else closing.no_position or "the phone gave no position",
    )
    unit.session.add(proof)
    unit.session.flush()
    for file in _here(unit.session, job, closing):
        if names(proof.files, file.sha256, file.kind):
            file.proof_id = proof.id
    seal(unit, keys, job, proof, now)
    return proof


def keep_late_proof(
    unit: Unit, keys: Keys, job: JobRow, closing: Closing, occurred_at: datetime, now: datetime
) -> ProofRow | None:
    """Keep what was given at the door of a job that had ended without it; ``None``: it has some."""
    if proof_of(unit.session, job.business_id, job.id) is not None:
        return None
    return keep_proof(unit, keys, job, closing, occurred_at, now)


def _given(session: Session, job: JobRow, closing: Closing) -> set[Demand]:
    # Only files the act itself names count, though they may still be on their way up:
    # what somebody else brought for the job proves nothing about this hand-over. A file
    # is one thing only: what it was named last and, if it is here, what it came as.
    named = {file.sha256: file.kind for file in closing.files}
    otherwise = {
        file.sha256 for file in _here(session, job, closing) if file.kind != named[file.sha256]
    }
    return given_by(
        name=closing.name,
        note=closing.note,
        pin_ok=closing.pin_ok,
        has_lines=bool(closing.lines),
        file_kinds={kind for sha256, kind in named.items() if sha256 not in otherwise},
    )


def _here(session: Session, job: JobRow, closing: Closing) -> Sequence[ProofFileRow]:
    """The job's files that the act names, as far as they have arrived."""
    return session.exec(
        select(ProofFileRow).where(
            ProofFileRow.business_id == job.business_id,
            ProofFileRow.job_id == job.id,
            col(ProofFileRow.sha256).in_([file.sha256 for file in closing.files]),
        )
    ).all()
