"""Keep proof: files in their store, tied to the proof of the act that names them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlmodel import Session, col, or_, select

from hub.core.errors import Refused
from hub.core.proof import names
from hub.db.tables import (
    ActRow,
    DeviceRow,
    EventRow,
    JobRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.chain import append, forget, lock_chain
from hub.flows.late_proof import completed
from hub.flows.proof_store import put, still_there
from hub.flows.sealed import file_fields
from hub.flows.verify import verify

if TYPE_CHECKING:
    from hub.app import Hub

__all__ = [
    "KINDS",
    "forget",
    "job_of",
    "lock_chain",
    "proof_of",
    "put_file",
    "verify",
]

KINDS = ("photo", "signature", "document")


def put_file(
    hub: Hub,
    business_id: str,
    job_id: str,
    kind: str,
    media_type: str,
    content: bytes,
    sha256: str,
    *,
    device: DeviceRow | None = None,
) -> ProofFileRow:
    """Store one file for a job. Safe to repeat; may come before or after the act that names it.

    It is proof only once an act that counts names it; until then it waits. ``device``
    is the phone that brings it, ``None`` when it comes from the hub itself. Raises
    ``Refused`` for content that is not ``sha256``, for a kind nobody knows or another than
    the same file came or was named with, ``LookupError`` for a job of another business, or
    one the phone's driver never had, the store's errors when it cannot take the file now.
    """
    if kind not in KINDS:
        raise Refused(f"A proof has no file of kind {kind!r}.")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused("The file changed on its way here. Send it again.")
    with hub.reading() as session:
        job = job_of(session, business_id, job_id)
        if device is not None and not _may_bring(session, device, job, sha256):
            raise LookupError(f"job {job_id} was never on device {device.id}")
        if (known := _file(session, business_id, job_id, sha256)) is not None:
            return _same(known, kind)
        _check_kind(proof_of(session, business_id, job_id), kind, sha256)
    there = put(hub, business_id, content, media_type=media_type, sha256=sha256)
    with hub.unit() as unit:
        lock_chain(unit, business_id)
        still_there(unit, business_id, there)
        if (known := _file(unit.session, business_id, job_id, sha256)) is not None:
            return _same(known, kind)
        proof = proof_of(unit.session, business_id, job_id)
        _check_kind(proof, kind, sha256)
        row = ProofFileRow(
            business_id=business_id,
            job_id=job_id,
            proof_id=proof.id if proof and names(proof.files, sha256, kind) else None,
            kind=kind,
            media_type=media_type,
            sha256=sha256,
            size=len(content),
            store=there.store,
            store_ref=there.ref,
            device_id=device.id if device else "",
            received_at=hub.now(),
        )
        unit.session.add(row)
        append(unit, hub.keys, business_id, job_id, file_fields(row), hub.now())
        if proof is not None and row.proof_id is not None:
            actor = f"device:{device.id}" if device else "hub"
            completed(unit, job_of(unit.session, business_id, job_id), proof, hub.now(), actor)
    return row


def job_of(session: Session, business_id: str, job_id: str) -> JobRow:
    """The job, if it is this business's. Raises ``LookupError``."""
    job = session.exec(
        select(JobRow).where(JobRow.business_id == business_id, JobRow.id == job_id)
    ).one_or_none()
    if job is None:
        raise LookupError(f"no job {job_id}")
    return job


def proof_of(session: Session, business_id: str, job_id: str) -> ProofRow | None:
    """The job's proof; ``None`` while it has none."""
    return session.exec(
        select(ProofRow).where(ProofRow.business_id == business_id, ProofRow.job_id == job_id)
    ).one_or_none()


def _same(known: ProofFileRow, kind: str) -> ProofFileRow:
    """The file that is here already. Raises ``Refused`` if it is here as something else."""
    if known.kind != kind:
        raise Refused(f"This file is here already, as {known.kind} and not as {kind}.")
    return known


def _check_kind(proof: ProofRow | None, kind: str, sha256: str) -> None:
    """Raises ``Refused`` for a file that the closing act named as another kind."""
    if proof and names(proof.files, sha256) and not names(proof.files, sha256, kind):
        raise Refused(f"The driver closed the job with this file as something else than {kind}.")


def _may_bring(session: Session, device: DeviceRow, job: JobRow, sha256: str) -> bool:
    """The driver has or had the job, or the phone already told of this very file."""
    business_id = device.business_id
    present = session.exec(
        select(RouteRow)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .where(RouteRow.business_id == business_id, StopJobRow.job_id == job.id)
    ).one_or_none()
    is_shown = present is not None and present.published_at is not None
    if present is not None and is_shown and present.driver_id == device.driver_id:
        return True
    phones = select(DeviceRow.id).where(
        DeviceRow.business_id == business_id, DeviceRow.driver_id == device.driver_id
    )
    told = session.exec(
        select(ActRow).where(
            ActRow.business_id == business_id,
            col(ActRow.device_id).in_(phones),
            or_(col(ActRow.job_id) == job.id, col(ActRow.route_id).in_(_routes(session, job))),
        )
    ).all()
    return any(act.route_id or names(act.body.get("files"), sha256) for act in told)


def _routes(session: Session, job: JobRow) -> set[str]:
    """The routes that ever showed ``job`` to a driver."""
    told = session.exec(
        select(EventRow).where(
            EventRow.business_id == job.business_id,
            EventRow.subject_id == job.order_id,
            EventRow.name == "JobDispatched",
        )
    )
    return {event.payload["route_id"] for event in told if event.payload["job_id"] == job.id}


def _file(session: Session, business_id: str, job_id: str, sha256: str) -> ProofFileRow | None:
    return session.exec(
        select(ProofFileRow).where(
            ProofFileRow.business_id == business_id,
            ProofFileRow.job_id == job_id,
            ProofFileRow.sha256 == sha256,
        )
    ).one_or_none()
