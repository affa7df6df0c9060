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
from hub.core.jobs import State
from hub.core.orders import IncomingOrder
from hub.db.tables import (
    AuditRow,
    ConnectionRow,
    RecordRow,
)
from hub.db.unit import forbid_open_unit
from hub.flows.connected import BORN, class_of, provider_of, row_of
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
BROUGHT_BACK = "It was put back, and is not filed yet."
NO_MATCH = "Nothing in the books belongs to it by the rule set."
PART, WHOLE = "part", "whole"


class Disconnected(ConfigError):
    """There is no book to file in now; ``connection_id`` is the one that was, if any."""

    def __init__(self, message: str, *, connection_id: str = "") -> None:
        super().__init__(message)
        self.connection_id = connection_id


def record(hub: Hub, event: JobClosed) -> None:
    """File a closed job in every book the business keeps. Safe to repeat.

    Raises ``NotYet`` for half an hour while pictures of its proof are on their way. Books
    that fail do not keep it from the next; the first problem is raised after the last.
    """
    if event.outcome == "cancelled":
        return  # nobody drove, so there is nothing to file
    books = _books(hub, event.business_id)
    if books and _pictures_come(hub, event):
        raise NotYet("The driver's phone still has pictures of this delivery.")
    _file_in_all(hub, books, event.job_id)


def add_proof(hub: Hub, event: ProofCompleted) -> None:
    """Add proof to what was filed without it, or in part. Safe to repeat; nothing where it was
    whole.
    """
    _file_in_all(hub, _books(hub, event.business_id), event.job_id)


def _file_in_all(hub: Hub, books: list[ConnectionRow], job_id: str) -> None:
    problems: list[Exception] = []
    for connection in books:
        try:
            _file(hub, connection, job_id)
        except Exception as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


def file_at(
    hub: Hub, business_id: str, record_id: str, target: str = "", *, actor: str
) -> RecordRow:
    """Try again, at the candidate a person chose if one is named; also what was left out.

    Raises ``LookupError`` for a record of nobody here, or a target that is no candidate;
    ``Disconnected``, with the record as it was, while its book is.
    """
    with hub.unit() as unit:
        row = _by_id(unit.session, business_id, record_id)
        _demand_connected(row_of(unit.session, business_id, row.connection_id))
        if target:
            chosen = next((one for one in row.candidates if one["ref"] == target), None)
            if chosen is None:
                raise LookupError(f"{target} is no candidate")
            if row.target != target:
                row.proved = ""  # what another document holds
            row.target, row.label = chosen["ref"], chosen["label"]
        again = "record.brought back" if row.state == "dismissed" else "record.retried"
        if row.state == "dismissed":
            row.state, row.problem = "parked", BROUGHT_BACK
        _audit(hub, unit.session, row, actor, again)
    with hub.reading() as session:
        connection = row_of(session, business_id, row.connection_id)
    _file(hub, connection, row.job_id)
    with hub.reading() as session:
        return _by_id(session, business_id, record_id)


def take_numbers(hub: Hub) -> frozenset[str]:
    """The keys of books in which a person may name a document by its number."""
    kinds = hub.registry.all(RecordSink)
    return frozenset(cls.key for cls in kinds if cls.numbered is not RecordSink.numbered)


def file_numbered(
    hub: Hub, business_id: str, record_id: str, number: str, *, actor: str
) -> RecordRow:
    """File it at the document a person names, once the book says that there is one.

    Of several it becomes a choice. Raises ``Refused`` where there is none, else as ``file_at``.
    """
    with hub.reading() as session:
        row = _by_id(session, business_id, record_id)
        connection = row_of(session, business_id, row.connection_id)
    _demand_connected(connection)
    if not number:
        raise Refused("Write the number of the document, or press Try again.")
    if connection.plugin not in take_numbers(hub):
        raise LookupError(f"nothing can be named by number in {connection.plugin}")
    found = list(_sink(hub, connection).numbered(number))
    if not found:
        raise Refused(f"{connection.title} has no document {number} that takes a delivery.")
    with hub.unit() as unit:
        row = _by_id(unit.session, business_id, record_id)
        row.candidates = _kept(found)
        if len(found) > 1:
            row.state, row.problem, row.at = "unmatched", "", hub.now()
            return row
    return file_at(hub, business_id, record_id, found[0].ref, actor=actor)


def file_job(hub: Hub, business_id: str, job_id: str) -> list[RecordRow]:
    """File a closed job that no book has, in every book there is.

    Raises ``LookupError`` for a job of nobody here or one that is open, ``Disconnected`` while
    there is no book.
    """
    with hub.reading() as session:
        if job_of(session, business_id, job_id).state != State.CLOSED:
            raise LookupError(f"job {job_id} is open")
    books = _books(hub, business_id)
    if not books:
        raise Disconnected("No books are connected. Connect them under Connections.")
    _file_in_all(hub, books, job_id)
    with hub.reading() as session:
        return list(
            session.exec(
                select(RecordRow).where(
                    RecordRow.business_id == business_id, RecordRow.job_id == job_id
                )
            )
        )


def let_go(hub: Hub, business_id: str, record_id: str, *, actor: str) -> None:
    """It is not to be filed, and asks nobody any more. Raises ``LookupError`` as ``file_at``."""
    with hub.unit() as unit:
        row = _by_id(unit.session, business_id, record_id)
        row.state, row.at = "dismissed", hub.now()
        _audit(hub, unit.session, row, actor, "record.dismissed")


def _demand_connected(connection: ConnectionRow) -> None:
    if connection.state in ("off", "approving"):
        raise Disconnected(
            f"{connection.title} is disconnected. Connect it again under Connections.",
            connection_id=connection.id,
        )


def _file(hub: Hub, connection: ConnectionRow, job_id: str) -> None:
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
        sink = _sink(hub, connection)
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


def _sink(hub: Hub, connection: ConnectionRow) -> RecordSink:
    sink: Provider = provider_of(hub, connection)
    assert isinstance(sink, RecordSink)
    return sink


def _books(hub: Hub, business_id: str) -> list[ConnectionRow]:
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
                _audit(hub, unit.session, row, "hub", "record.moved")
            row.target, row.label, row.filed = target, label[:200], filed[:4000]
        if candidates is not None:
            row.candidates = _kept(candidates)


def _kept(candidates: list[Candidate]) -> list[dict[str, str]]:
    return [{"ref": one.ref, "label": one.label, "why": one.why} for one in candidates]


def _known(session: Session, connection: ConnectionRow, job_id: str) -> RecordRow | None:
    return session.exec(
        select(RecordRow).where(
            RecordRow.business_id == connection.business_id,
            RecordRow.connection_id == connection.id,
            RecordRow.job_id == job_id,
        )
    ).one_or_none()


def _by_id(session: Session, business_id: str, record_id: str) -> RecordRow:
    row = session.exec(
        select(RecordRow).where(RecordRow.business_id == business_id, RecordRow.id == record_id)
    ).one_or_none()
    if row is None:
        raise LookupError(f"no record {record_id}")
    return row


def _audit(hub: Hub, session: Session, row: RecordRow, actor: str, action: str) -> None:
    session.add(
        AuditRow(
            business_id=row.business_id,
            actor=actor,
            action=action,
            subject=row.job_id,
            at=hub.now(),
        )
    )
