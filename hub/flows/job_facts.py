"""What became of jobs at their doors: promised when, arrived when, and with which proof."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from hub.core.jobs import State
from hub.core.proof import given_by
from hub.core.values import TimeWindow
from hub.db.tables import ActRow, JobRow, ProofFileRow, ProofRow
from hub.flows.route_now import promises_of

CAME = frozenset({State.ARRIVED, State.CLOSED})


@dataclass(frozen=True, slots=True)
class Proved:
    """``given``: the demands it meets. ``files``: kind and SHA-256 of those that are kept."""

    given: tuple[str, ...]
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class JobFacts:
    """``None`` each: nothing was promised, nobody came yet, nothing is proved."""

    promise: TimeWindow | None = None
    arrived_at: datetime | None = None
    proof: Proved | None = None


def facts_of(
    session: Session, business_id: str, order_ids: Collection[str]
) -> Mapping[str, JobFacts]:
    """Job id -> its facts, for every job of these orders."""
    jobs = session.exec(
        select(JobRow.id, JobRow.state).where(
            JobRow.business_id == business_id, col(JobRow.order_id).in_(order_ids)
        )
    ).all()
    ids = [id for id, _ in jobs]
    promises = promises_of(session, business_id, ids)
    arrivals = _arrivals(session, business_id, [id for id, state in jobs if state in CAME])
    proofs = _proofs(session, business_id, ids)
    return {id: JobFacts(promises.get(id), arrivals.get(id), proofs.get(id)) for id in ids}


def _arrivals(
    session: Session, business_id: str, job_ids: Collection[str]
) -> Mapping[str, datetime]:
    """When somebody last came to the door, by his own word or by the geofence's."""
    rows = session.exec(
        select(ActRow.job_id, ActRow.occurred_at)
        .where(
            ActRow.business_id == business_id,
            col(ActRow.job_id).in_(job_ids),
            ActRow.kind == "arrive",
            ActRow.result == "applied",
        )
        .order_by(col(ActRow.occurred_at))
    )
    return {job_id: at for job_id, at in rows if job_id is not None}


def _proofs(session: Session, business_id: str, job_ids: Collection[str]) -> Mapping[str, Proved]:
    kept: dict[str, list[tuple[str, str]]] = {}
    for job_id, kind, sha256 in session.exec(
        select(ProofFileRow.job_id, ProofFileRow.kind, ProofFileRow.sha256)
        .where(
            ProofFileRow.business_id == business_id,
            col(ProofFileRow.job_id).in_(job_ids),
            col(ProofFileRow.proof_id).is_not(None),
        )
        .order_by(col(ProofFileRow.kind), col(ProofFileRow.sha256))
    ):
        kept.setdefault(job_id, []).append((kind, sha256))
    rows = session.exec(
        select(ProofRow).where(
            ProofRow.business_id == business_id, col(ProofRow.job_id).in_(job_ids)
        )
    )
    return {row.job_id: _proved(row, kept.get(row.job_id, [])) for row in rows}


def _proved(row: ProofRow, files: list[tuple[str, str]]) -> Proved:
    given = given_by(
        name=row.name,
        note=row.note,
        pin_ok=row.pin_ok,
        has_lines=bool(row.lines),
        file_kinds={kind for kind, _ in files},
    )
    return Proved(tuple(sorted(given)), tuple(files))
