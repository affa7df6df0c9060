"""Proof, the journal of events, what leaves the hub and by which plugins."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.db.columns import LONG, BigSerial, document, moment, owner, ref, row_id, text


class ProofRow(SQLModel, table=True):
    __tablename__ = "proof"
    id: str = row_id()
    business_id: str = owner()
    job_id: str = ref("job.id", unique=True)
    name: str = text(default="")
    note: str = text(1000, default="")
    pin_ok: bool | None = None  # None: none was asked for
    scans: list[str] = document(default_factory=list)
    lines: list[Any] = document(default_factory=list)  # DeliveredLine
    files: list[Any] = document(default_factory=list)  # {kind, sha256}: what its act named
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    position_age_s: float | None = None
    no_position: str = text(200, default="")  # why there is no place
    occurred_at: datetime = moment()
    received_at: datetime = moment()


class ProofFileRow(SQLModel, table=True):
    """``proof_id`` is ``None`` while no act that counts names the file; it is no proof then."""

    __tablename__ = "proof_file"
    __table_args__ = (UniqueConstraint("job_id", "sha256"),)
    id: str = row_id()
    business_id: str = owner()
    job_id: str = ref("job.id", index=True)
    proof_id: str | None = ref("proof.id", default=None, nullable=True)
    kind: str = text(20)  # photo | signature | document
    media_type: str = text(60)
    sha256: str = text(64, index=True)
    size: int = 0
    store: str = text(60)
    store_ref: str = text(300)
    device_id: str = text(36, default="")  # whose phone brought it; empty: none, or not known
    received_at: datetime = moment()


class LeavingRow(SQLModel, table=True):
    """Bytes that are being taken out of a store, or were within the hour: no new row may count on
    them, unless they were put after they had gone.
    """

    __tablename__ = "leaving"
    __table_args__ = (UniqueConstraint("business_id", "store", "store_ref"),)
    id: str = row_id()
    business_id: str = owner()
    store: str = text(60)
    store_ref: str = text(300)
    since: datetime = moment()
    gone_at: datetime | None = moment(default=None, nullable=True)  # None: being removed


class ChainRow(SQLModel, table=True):
    """Link ``n`` of a business's chain of evidence. See ``hub.core.proof.chained``."""

    __tablename__ = "chain"
    __table_args__ = (UniqueConstraint("business_id", "n"),)
    id: str = row_id()
    business_id: str = owner()
    n: int
    job_id: str = ref("job.id")
    commitments: dict[str, str] = document()  # field -> salted SHA-256
    salts: dict[str, str] = document()  # field -> salt; erased with the person
    previous: str = text(64)
    hash: str = text(64)
    signature: str = text(64, default="")  # empty: older than signing
    at: datetime = moment()


class ChainHeadRow(SQLModel, table=True):
    """How far a business's chain goes, signed: what is cut off its end is missed."""

    __tablename__ = "chain_head"
    id: str = row_id()
    business_id: str = Field(foreign_key="business.id", unique=True, sa_type=String(36))
    n: int
    hash: str = text(64)
    signed_from: int  # the first link that has a signature
    signature: str = text(64)


class EventRow(SQLModel, table=True):
    """An announced fact. ``seq`` gives one order per database."""

    __tablename__ = "event"
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigSerial)
    id: str = text(36, unique=True)
    business_id: str = owner()
    name: str = text(60)
    subject_kind: str = text(20)
    subject_id: str = text(36, index=True)
    actor: str = text(80)
    occurred_at: datetime = moment()
    received_at: datetime = moment()
    payload: dict[str, Any] = document()
    fanned_out: bool = Field(default=False, index=True)


class ErrandRow(SQLModel, table=True):
    """One event on its way to one subscriber."""

    __tablename__ = "errand"
    __table_args__ = (UniqueConstraint("event_seq", "subscriber"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=BigSerial)
    business_id: str = owner()
    event_seq: int = Field(foreign_key="event.seq", index=True, sa_type=BigInteger)
    subject_id: str = text(36, index=True)
    subscriber: str = text(80)
    state: str = text(20, default="due", index=True)  # due | done | parked | dismissed
    attempts: int = 0
    due_at: datetime = moment(index=True)
    last_error: str = text(LONG, default="")


class IdempotencyRow(SQLModel, table=True):
    """An answer kept so that the same request gets it again."""

    __tablename__ = "idempotency"
    __table_args__ = (UniqueConstraint("business_id", "key"),)
    id: str = row_id()
    business_id: str = owner()
    key: str = text(255)
    request_hash: str = text(64)
    status: int | None = None  # None: still being worked on
    answer: Any = document(default=None, nullable=True)
    at: datetime = moment(index=True)


class RecordRow(SQLModel, table=True):
    """What became of one closed job in the books: found, filed, or waiting for a person."""

    __tablename__ = "record"
    __table_args__ = (UniqueConstraint("connection_id", "job_id"),)
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id", index=True)
    job_id: str = ref("job.id", index=True)
    state: str = text(20)  # recorded | unmatched | parked | dismissed
    target: str = text(default="")  # a ``Candidate.ref``
    label: str = text(default="")  # what people call the target
    filed: str = text(LONG, default="")  # where, in the sink's words
    candidates: list[Any] = document(default_factory=list)  # {ref, label, why}
    problem: str = text(LONG, default="")
    proved: str = text(20, default="")  # filed with: part | whole of its proof; empty: nothing yet
    late_at: datetime | None = moment(default=None, nullable=True)  # when the rest was added
    at: datetime = moment(index=True)


class ChoiceRow(SQLModel, table=True):
    """A plugin a business uses for something, with its settings; secrets lie in ``secret``."""

    __tablename__ = "choice"
    __table_args__ = (UniqueConstraint("business_id", "kind", "plugin"),)
    id: str = row_id()
    business_id: str = owner()
    kind: str = text(20)  # channel | geocoder | pod_store | travel_times
    plugin: str = text(60)  # a provider's key
    position: int = 0  # which is tried first
    active: bool = True
    settings: dict[str, Any] = document(default_factory=dict)
    state: str = text(20, default="ok")  # ok | failing | needs_attention
    last_error: str = text(LONG, default="")
    # The hashed address at which it is called.
    hook: str | None = text(64, default=None, nullable=True, unique=True, index=True)
