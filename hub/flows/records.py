"""Deliveries in the books: each closed job is filed at the one document it belongs to.

None, or two, and a person chooses; what cannot be filed is parked with the books' own words.
Pictures that are still on the phone are waited for; proof that comes later is added, once. A
document that was withdrawn is looked for anew, by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.connecting import Candidate, DeliveryRecord, Document, RecordSink
from hub.core.contracts import Provider
from hub.core.errors import BadRecord, ConfigError, NotYet, RateLimited, Refused
from hub.core.events import JobClosed, ProofCompleted
from hub.core.orders import IncomingOrder
from hub.db.tables import AuditRow, ConnectionRow, RecordRow
from hub.db.unit import forbid_open_unit
from hub.flows.connected import BORN, class_of, provider_of
from hub.flows.delivery import delivery_of, documents_of
from hub.flows.late_proof import is_whole
from hub.flows.pauses import hold, respect
from hub.flows.prove import job_of, proof_of
from hub.flows.write_back import needs_reconnect

if TYPE_CHECKING:
    from hub.app import Hub

NAME = "hub.records"
PATIENCE = timedelta(minutes=30)
"""A phone sends its pictures within seconds of the act; without signal, at the next street."""
NO_MATCH = "Nothing in the books belongs to it by the rule set."
PART, WHOLE = "part", "whole"


def record(hub: Hub, event: JobClosed) -> None:
    """File a closed job in every book the business keeps. Safe to repeat.

    Raises ``NotYet`` for half an hour while pictures of its proof are on their way. Books
    that fail do not keep it from the next; the first problem is raised after the last.
    """
    if event.outcome == "cancelled":
        return  # nobody drove, so there is nothing to file
    books = books_of(hub, event.business_id)
    if books and _pictures_come(hub, event):
        raise NotYet("The driver's phone still has pictures of this delivery.")
    file_in_all(hub, books, event.job_id)


def add_proof(hub: Hub, event: ProofCompleted) -> None:
    """Add proof to what was filed without it, or in part. Safe to repeat; nothing where it was
    whole.
    """
    file_in_all(hub, books_of(hub, event.business_id), event.job_id)


def file_in_all(hub: Hub, books: list[ConnectionRow], job_id: str) -> None:
    problems: list[Exception] = []
    for connection in books:
        try:
            file_one(hub, connection, job_id)
        except Exception as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


def file_one(hub: Hub, connection: ConnectionRow, job_id: str) -> None:
    forbid_open_unit("filing a delivery")
    with hub.reading() as session:
        known = _known(session, connection, job_id)
        order, delivery, whole = delivery_of(hub, session, connection.business_id, job_id)
    if known is not None and (known.state == "dismissed" or not _is_missing(known, whole)):
        return
    late = delivery.late_proof or (known is not None and known.proved != "")
    added = replace(delivery, late_proof=late)
    documents = partial(documents_of, hub, connection.business_id, job_id, added, whole)
    target, label = (known.target, known.label) if known else ("", "")
    try:
        sink = sink_of(hub, connection)
        respect(hub, connection)
        where, refused = _added(sink, replace(added, target=target), documents)
        if not target or refused is not None:
            found = list(sink.find(order))
            if refused is not None and target in [one.ref for one in found]:
                raise refused  # for another reason than that it is gone
            if len(found) != 1:
                state = "unmatched" if refused is None else "parked"
                problem = _unfound(sink, order, found, refused)
                _note(hub, connection, job_id, state, candidates=found, problem=problem)
                return
            target, label = found[0].ref, found[0].label
            where = sink.record(replace(delivery, target=target, documents=documents()))
    except RateLimited as pause:
        hold(hub, connection, pause)
        raise
    except (Refused, BadRecord) as problem:
        _note(hub, connection, job_id, "parked", problem=str(problem))
    except ConfigError as problem:
        needs_reconnect(hub, connection, problem)
        _note(hub, connection, job_id, "parked", problem=str(problem))
        raise
    else:
        proved = WHOLE if whole else PART
        about = (hub, connection, job_id, "recorded")
        _note(*about, target=target, label=label, filed=where, proved=proved, late=late)


def _added(
    sink: RecordSink, delivery: DeliveryRecord, documents: Callable[[], tuple[Document, ...]]
) -> tuple[str, Refused | BadRecord | None]:
    """Where it was filed at the target that is known, or nothing and why that took it not."""
    if not delivery.target:
        return "", None
    try:
        return sink.record(replace(delivery, documents=documents())), None
    except (Refused, BadRecord) as problem:
        return "", problem


def _unfound(
    sink: RecordSink, order: IncomingOrder, found: Sequence[Candidate], refused: Exception | None
) -> str:
    """With the rule that was tried, so that a person knows what to mend."""
    said = [str(refused)] if refused is not None else []
    if not found:
        rule = sink.rule(order)
        said.append(f"{rule} There is none." if rule else NO_MATCH)
    elif refused is not None:
        said.append("More than one other fits. Choose where it belongs.")
    return " ".join(said)


def _is_missing(known: RecordRow, whole: bool) -> bool:
    """Whether something is still to be filed of what there is now."""
    return known.state != "recorded" or (known.proved == PART and whole)


def _pictures_come(hub: Hub, event: JobClosed) -> bool:
    with hub.reading() as session:
        proof = proof_of(session, event.business_id, event.job_id)
        if proof is None or is_whole(session, proof):
            return False
        closed_at = job_of(session, event.business_id, event.job_id).closed_at
    return closed_at is not None and hub.now() - closed_at < PATIENCE


def sink_of(hub: Hub, connection: ConnectionRow) -> RecordSink:
    sink: Provider = provider_of(hub, connection)
    assert isinstance(sink, RecordSink)
    return sink


def books_of(hub: Hub, business_id: str) -> list[ConnectionRow]:
    with hub.reading() as session:
        rows = session.exec(
            select(ConnectionRow)
            .where(
                ConnectionRow.business_id == business_id,
                col(ConnectionRow.plugin).not_in(BORN),
                col(ConnectionRow.state).not_in(("off", "approving")),
            )
            .order_by(col(ConnectionRow.id))
        ).all()
    return [row for row in rows if _keeps_books(hub, row)]


def _keeps_books(hub: Hub, row: ConnectionRow) -> bool:
    try:
        return issubclass(class_of(hub, row.plugin), RecordSink)
    except ConfigError:
        return False


def _note(
    hub: Hub,
    connection: ConnectionRow,
    job_id: str,
    state: str,
    *,
    target: str = "",
    label: str = "",
    filed: str = "",
    problem: str = "",
    candidates: list[Candidate] | None = None,
    proved: str = "",
    late: bool = False,
) -> None:
    with hub.unit() as unit:
        row = _known(unit.session, connection, job_id)
        if row is None:
            row = RecordRow(
                business_id=connection.business_id,
                connection_id=connection.id,
                job_id=job_id,
                state=state,
                at=hub.now(),
            )
            unit.session.add(row)
        row.state, row.problem, row.at = state, problem[:4000], hub.now()
        if proved:
            row.proved = proved
        if late and state == "recorded":
            row.late_at = hub.now()
        if target:
            if row.target not in ("", target):
                note_audit(hub, unit.session, row, "hub", "record.moved")
            row.target, row.label, row.filed = target, label[:200], filed[:4000]
        if candidates is not None:
            row.candidates = as_kept(candidates)


def as_kept(candidates: list[Candidate]) -> list[dict[str, str]]:
    return [{"ref": one.ref, "label": one.label, "why": one.why} for one in candidates]


def _known(session: Session, connection: ConnectionRow, job_id: str) -> RecordRow | None:
    return session.exec(
        select(RecordRow).where(
            RecordRow.business_id == connection.business_id,
            RecordRow.connection_id == connection.id,
            RecordRow.job_id == job_id,
        )
    ).one_or_none()


def record_of(session: Session, business_id: str, record_id: str) -> RecordRow:
    row = session.exec(
        select(RecordRow).where(RecordRow.business_id == business_id, RecordRow.id == record_id)
    ).one_or_none()
    if row is None:
        raise LookupError(f"no record {record_id}")
    return row


def note_audit(hub: Hub, session: Session, row: RecordRow, actor: str, action: str) -> None:
    session.add(
        AuditRow(
            business_id=row.business_id,
            actor=actor,
            action=action,
            subject=row.job_id,
            at=hub.now(),
        )
    )
