"""Deliveries filed in the books by a person's hand: again, somewhere else, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from hub.core.connecting import RecordSink
from hub.core.errors import ConfigError, Refused
from hub.core.jobs import State
from hub.db.tables import ConnectionRow, RecordRow
from hub.flows.connected import row_of
from hub.flows.prove import job_of
from hub.flows.records import (
    as_kept,
    books_of,
    file_in_all,
    file_one,
    note_audit,
    record_of,
    sink_of,
)

if TYPE_CHECKING:
    from hub.app import Hub

BROUGHT_BACK = "It was put back, and is not filed yet."


class Disconnected(ConfigError):
    """There is no book to file in now; ``connection_id`` is the one that was, if any."""

    def __init__(self, message: str, *, connection_id: str = "") -> None:
        super().__init__(message)
        self.connection_id = connection_id


def file_at(
    hub: Hub, business_id: str, record_id: str, target: str = "", *, actor: str
) -> RecordRow:
    """Try again, at the candidate a person chose if one is named; also what was left out.

    Raises ``LookupError`` for a record of nobody here, or a target that is no candidate;
    ``Disconnected``, with the record as it was, while its book is.
    """
    with hub.unit() as unit:
        row = record_of(unit.session, business_id, record_id)
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
        note_audit(hub, unit.session, row, actor, again)
    with hub.reading() as session:
        connection = row_of(session, business_id, row.connection_id)
    file_one(hub, connection, row.job_id)
    with hub.reading() as session:
        return record_of(session, business_id, record_id)


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
        row = record_of(session, business_id, record_id)
        connection = row_of(session, business_id, row.connection_id)
    _demand_connected(connection)
    if not number:
        raise Refused("Write the number of the document, or press Try again.")
    if connection.plugin not in take_numbers(hub):
        raise LookupError(f"nothing can be named by number in {connection.plugin}")
    found = list(sink_of(hub, connection).numbered(number))
    if not found:
        raise Refused(f"{connection.title} has no document {number} that takes a delivery.")
    with hub.unit() as unit:
        row = record_of(unit.session, business_id, record_id)
        row.candidates = as_kept(found)
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
    books = books_of(hub, business_id)
    if not books:
        raise Disconnected("No books are connected. Connect them under Connections.")
    file_in_all(hub, books, job_id)
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
        row = record_of(unit.session, business_id, record_id)
        row.state, row.at = "dismissed", hub.now()
        note_audit(hub, unit.session, row, actor, "record.dismissed")


def _demand_connected(connection: ConnectionRow) -> None:
    if connection.state in ("off", "approving"):
        raise Disconnected(
            f"{connection.title} is disconnected. Connect it again under Connections.",
            connection_id=connection.id,
        )
