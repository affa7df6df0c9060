"""Keep proof: files in their store, and every proof in the business's chain of evidence."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.contracts import PodStore
from hub.core.errors import HubError, Refused
from hub.core.proof import FIRST, chained, changed_fields, link_hash
from hub.db.tables import BusinessRow, ChainRow, JobRow, ProofFileRow, ProofRow
from hub.db.unit import Unit

if TYPE_CHECKING:
    from datetime import datetime

    from hub.app import Hub

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
    store: str = "disk",
) -> ProofFileRow:
    """Store one file of a job's proof. Safe to repeat; may come before or after the act.

    Raises ``Refused`` for content that is not ``sha256`` or a kind nobody knows,
    ``LookupError`` for a job of another business.
    """
    if kind not in KINDS:
        raise Refused(f"A proof has no file of kind {kind!r}.")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused("The file changed on its way here. Send it again.")
    with hub.reading() as session:
        job_of(session, business_id, job_id)
        if (known := _file(session, business_id, job_id, sha256)) is not None:
            return known
    at = hub.provider(PodStore, store, {}).put(content, media_type=media_type, sha256=sha256)
    with hub.unit() as unit:
        lock_chain(unit, business_id)
        if (known := _file(unit.session, business_id, job_id, sha256)) is not None:
            return known
        proof = proof_of(unit.session, business_id, job_id)
        row = ProofFileRow(
            business_id=business_id,
            job_id=job_id,
            proof_id=proof.id if proof else None,
            kind=kind,
            media_type=media_type,
            sha256=sha256,
            size=len(content),
            store=store,
            store_ref=at,
            received_at=hub.now(),
        )
        unit.session.add(row)
        append(unit, business_id, job_id, {f"file {row.id}": sha256}, hub.now())
    return row


def append(
    unit: Unit, business_id: str, job_id: str, fields: dict[str, str], at: datetime
) -> ChainRow:
    """Add a link for ``fields`` within the unit that stores what they say."""
    lock_chain(unit, business_id)
    last = unit.session.exec(
        select(ChainRow)
        .where(ChainRow.business_id == business_id)
        .order_by(col(ChainRow.n).desc())
        .limit(1)
    ).first()
    salts = {name: secrets.token_hex(16) for name in fields}
    link = chained(last.hash if last else FIRST, job_id, fields, salts)
    row = ChainRow(
        business_id=business_id,
        n=last.n + 1 if last else 1,
        job_id=job_id,
        commitments=link.commitments,
        salts=salts,
        previous=link.previous,
        hash=link.hash,
        at=at,
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def lock_chain(unit: Unit, business_id: str) -> None:
    """Make the writers of one chain wait for each other (SQLite has only one anyway)."""
    unit.session.exec(
        select(BusinessRow.id).where(BusinessRow.id == business_id).with_for_update()
    ).one()


def proof_fields(job: JobRow, proof: ProofRow) -> dict[str, str]:
    """What the chain commits to of a proof, as text."""
    return {
        "outcome": f"{job.outcome} {job.reason}".strip(),
        "name": proof.name,
        "note": proof.note,
        "pin": json.dumps(proof.pin_ok),
        "scans": json.dumps(proof.scans),
        "lines": json.dumps(proof.lines, sort_keys=True),
        "place": json.dumps([proof.lat, proof.lon, proof.accuracy_m, proof.no_position]),
        "occurred_at": proof.occurred_at.isoformat(),
    }


def verify(hub: Hub, business_id: str) -> list[str]:
    """One sentence for each link or file that was tampered with; empty when all is well."""
    found: list[str] = []
    with hub.reading() as session:
        links = session.exec(
            select(ChainRow).where(ChainRow.business_id == business_id).order_by(col(ChainRow.n))
        ).all()
        files = session.exec(
            select(ProofFileRow).where(ProofFileRow.business_id == business_id)
        ).all()
        previous = FIRST
        for n, link in enumerate(links, 1):
            if link.n != n or link.previous != previous:
                found.append(f"link {link.n}: does not follow the one before it")
            if link.hash != link_hash(link.previous, link.job_id, link.commitments):
                found.append(f"link {link.n}: its hash is wrong")
            previous = link.hash
            if link.salts:
                fields = _fields_now(session, business_id, link.job_id)
                for name in changed_fields(link.commitments, link.salts, fields):
                    found.append(f"link {link.n}: {name} of job {link.job_id} was changed")
    return found + [problem for file in files if (problem := _file_problem(hub, file))]


def forget(unit: Unit, business_id: str, job_id: str) -> None:
    """Erase the salts of a job's links; what they committed to can no longer be guessed."""
    for link in unit.session.exec(
        select(ChainRow).where(ChainRow.business_id == business_id, ChainRow.job_id == job_id)
    ):
        link.salts = {}


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


def _file(session: Session, business_id: str, job_id: str, sha256: str) -> ProofFileRow | None:
    return session.exec(
        select(ProofFileRow).where(
            ProofFileRow.business_id == business_id,
            ProofFileRow.job_id == job_id,
            ProofFileRow.sha256 == sha256,
        )
    ).one_or_none()


def _fields_now(session: Session, business_id: str, job_id: str) -> dict[str, str]:
    rows = session.exec(
        select(ProofFileRow).where(
            ProofFileRow.business_id == business_id, ProofFileRow.job_id == job_id
        )
    )
    fields = {f"file {row.id}": row.sha256 for row in rows}
    if (proof := proof_of(session, business_id, job_id)) is not None:
        fields |= proof_fields(job_of(session, business_id, job_id), proof)
    return fields


def _file_problem(hub: Hub, file: ProofFileRow) -> str:
    try:
        content = hub.provider(PodStore, file.store, {}).get(file.store_ref)
    except (KeyError, HubError) as problem:
        return f"file {file.id} of job {file.job_id}: cannot be read ({problem})"
    if hashlib.sha256(content).hexdigest() != file.sha256:
        return f"file {file.id} of job {file.job_id}: its content was changed"
    return ""
