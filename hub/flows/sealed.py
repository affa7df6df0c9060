"""What the chain commits to: what was said at the door, its files, and what it was about.

A later link about the same thing takes the place of the one before. So a source may amend
an order that was delivered, and the chain says that it did.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from hub.core.proof import changed_fields
from hub.db.tables import ChainRow, JobRow, LineRow, OrderRow, PlaceRow, ProofFileRow, ProofRow
from hub.db.unit import Unit
from hub.flows.chain import append
from hub.keys import Keys


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job is about, as its order says now. ``lines`` in their order."""

    number: str
    lines: Sequence[LineRow]
    address: Mapping[str, Any]


def asked_of(session: Session, business_id: str, *which: ColumnElement[bool]) -> dict[str, Asked]:
    """Of every job for which ``which`` holds, by its id; two queries however many there are."""
    these = (col(JobRow.business_id) == business_id, *which)
    lines: dict[str, list[LineRow]] = {}
    for line in session.exec(
        select(LineRow)
        .where(
            LineRow.business_id == business_id,
            col(LineRow.order_id).in_(select(JobRow.order_id).where(*these)),
        )
        .order_by(col(LineRow.order_id), col(LineRow.n))
    ):
        lines.setdefault(line.order_id, []).append(line)
    rows = session.exec(
        select(JobRow.id, JobRow.order_id, OrderRow.number, PlaceRow.address)
        .outerjoin(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .outerjoin(PlaceRow, col(PlaceRow.id) == col(JobRow.place_id))
        .where(*these)
    )
    return {
        job_id: Asked(number or "", lines.get(order_id, ()), address or {})
        for job_id, order_id, number, address in rows
    }


def has_proof(business_id: str) -> ColumnElement[bool]:
    """Whether a job has a proof, for a query."""
    return col(JobRow.id).in_(select(ProofRow.job_id).where(ProofRow.business_id == business_id))


def seal(unit: Unit, keys: Keys, job: JobRow, proof: ProofRow, now: datetime) -> ChainRow:
    """Chain a new proof, and what its job was about."""
    business_id = job.business_id
    asked = asked_of(unit.session, business_id, col(JobRow.id) == job.id)[job.id]
    fields = {**proof_fields(job, proof), **job_fields(job, asked)}
    return append(unit, keys, business_id, job.id, fields, now)


def seal_amended(
    unit: Unit, keys: Keys, business_id: str, order_ids: Collection[str], now: datetime
) -> None:
    """Chain what these orders say now, for each job whose proof was sealed with other words."""
    if not order_ids:
        return
    unit.session.flush()
    amended = col(JobRow.order_id).in_(order_ids)
    asked = asked_of(unit.session, business_id, amended, has_proof(business_id))
    if not asked:
        return
    links = unit.session.exec(
        select(ChainRow)
        .where(ChainRow.business_id == business_id, col(ChainRow.job_id).in_(asked))
        .order_by(col(ChainRow.n))
    ).all()
    fields = {job_id: order_fields(one) for job_id, one in asked.items()}
    for link, promised in in_force(links):
        now_said = fields[link.job_id]
        sealed = {name: to for name, to in promised.items() if name in now_said}
        if changed_fields(sealed, link.salts, now_said):
            append(unit, keys, business_id, link.job_id, now_said, now)


def in_force(links: Sequence[ChainRow]) -> Iterator[tuple[ChainRow, dict[str, str]]]:
    """Each link with those of its commitments that no later link of its job renews."""
    newest = {(link.job_id, name): link.id for link in links for name in link.commitments}
    for link in links:
        promised = link.commitments.items()
        yield link, {name: to for name, to in promised if newest[link.job_id, name] == link.id}


def proof_fields(job: JobRow, proof: ProofRow) -> dict[str, str]:
    """What was said and seen at the door, as text."""
    return {
        "outcome": f"{job.outcome} {job.reason}".strip(),
        "name": proof.name,
        "note": proof.note,
        "pin": json.dumps(proof.pin_ok),
        "scans": json.dumps(proof.scans),
        "lines": json.dumps(proof.lines, sort_keys=True),
        "files": json.dumps(proof.files, sort_keys=True),
        "place": json.dumps([proof.lat, proof.lon, proof.accuracy_m, proof.no_position]),
        "position_age_s": json.dumps(proof.position_age_s),
        "occurred_at": _utc(proof.occurred_at),
        "received_at": _utc(proof.received_at),
        "proof": proof.id,
    }


def job_fields(job: JobRow, asked: Asked) -> dict[str, str]:
    """What it was about, as text; links of older hubs do not commit to this."""
    ended = [_utc(at) if at else "" for at in (job.closed_occurred_at, job.closed_at)]
    return {
        "order": json.dumps([job.order_id, job.attempt, job.leg]),
        "kind": job.kind,
        "address": json.dumps([job.place_id, dict(asked.address)], sort_keys=True),
        "ended_at": json.dumps(ended),
        **order_fields(asked),
    }


def order_fields(asked: Asked) -> dict[str, str]:
    """The part of it that a source may still amend."""
    lines = [
        [one.n, one.title, one.sku, one.barcode, one.quantity, one.weight_g, one.volume_cm3]
        for one in asked.lines
    ]
    return {"order_number": asked.number, "order_lines": json.dumps(lines)}


def file_fields(file: ProofFileRow) -> dict[str, str]:
    """What the chain commits to of a file. Whose proof it is follows from the proof's own."""
    about = [file.kind, file.media_type, file.size, file.store, file.store_ref, file.device_id]
    return {
        f"file {file.id}": file.sha256,
        f"about file {file.id}": json.dumps([*about, _utc(file.received_at)]),
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
