"""What happens on the day: acts, positions, estimates and what was promised."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.db.columns import BigSerial, document, moment, owner, ref, row_id, text


class ActRow(SQLModel, table=True):
    """What a driver, dispatcher or geofence says happened; ``act_id`` is the phone's own."""

    __tablename__ = "act"
    __table_args__ = (UniqueConstraint("device_id", "act_id"),)
    id: str = row_id()
    business_id: str = owner()
    device_id: str = text(80)  # a device, or "staff:<id>"
    act_id: str = text(80)
    route_id: str | None = ref("route.id", default=None, nullable=True, index=True)
    job_id: str | None = ref("job.id", default=None, nullable=True, index=True)
    kind: str = text(40)
    body: dict[str, Any] = document(default_factory=dict)
    occurred_at: datetime = moment()
    received_at: datetime = moment()
    result: str = text(20, default="applied")  # applied | noted | refused
    why: str = text(500, default="")
    decision: str = text(20, default="")  # a close whose job had moved on: open | taken | left


class FixChunkRow(SQLModel, table=True):
    """Fixes of one phone as they were committed; ``data`` is for ``hub.live.store`` to read.

    This and the two below are written by the live process alone, thousands a second: on
    PostgreSQL they lie here, on SQLite in a file of their own with the same columns.
    They carry no foreign keys: who may write what was asked before.
    """

    __tablename__ = "fix_chunk"
    __table_args__ = (
        UniqueConstraint("device_id", "seq0"),
        Index("ix_fix_chunk_business_id_t1", "business_id", "t1"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigSerial)
    business_id: str = text(36)
    device_id: str = text(36)
    seq0: int = Field(sa_type=BigInteger)  # the phone's number of the first of them
    n: int
    t0: int = Field(sa_type=BigInteger)  # ms, the earliest
    t1: int = Field(sa_type=BigInteger)  # ms, the latest
    data: bytes
    received_ms: int = Field(sa_type=BigInteger)


class LastFixRow(SQLModel, table=True):
    """Where a phone was last; ``through`` is the highest number of it that is stored.

    Without a place: nothing believable was ever heard of it.
    """

    __tablename__ = "last_fix"
    device_id: str = Field(primary_key=True, sa_type=String(36), max_length=36)
    business_id: str = text(36, index=True)
    driver_id: str = text(36)
    through: int = Field(sa_type=BigInteger)
    seq: int = Field(default=0, sa_type=BigInteger)
    t: int = Field(default=0, sa_type=BigInteger)  # ms
    lat: float | None = None
    lon: float | None = None
    acc: float | None = None  # m
    spd: float | None = None  # m/s
    hdg: float | None = None  # degrees
    bat: float | None = None  # percent
    received_ms: int = Field(default=0, sa_type=BigInteger)


class MeaningRow(SQLModel, table=True):
    """What a fix means for a stop: arrived | left | not_arrived | not_left."""

    __tablename__ = "meaning"
    __table_args__ = (
        UniqueConstraint("device_id", "stop_id", "kind", "fix_seq"),
        Index("ix_meaning_business_id_at_ms", "business_id", "at_ms"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigSerial)
    business_id: str = text(36)
    device_id: str = text(36)
    driver_id: str = text(36)
    route_id: str = text(36)
    stop_id: str = text(36)
    kind: str = text(20)
    at_ms: int = Field(sa_type=BigInteger)
    confidence: float
    fix_seq: int = Field(sa_type=BigInteger)


class MeaningCursorRow(SQLModel, table=True):
    """How far somebody is: up to which meaning the acts know, when a worker was last at work."""

    __tablename__ = "meaning_cursor"
    id: str = text(20, primary_key=True)  # positions, worker
    last_id: int = Field(default=0, sa_type=BigInteger)


class EstimateRow(SQLModel, table=True):
    __tablename__ = "estimate"
    id: str = row_id()
    business_id: str = owner()
    job_id: str = ref("job.id", unique=True)
    p10: datetime = moment()
    p50: datetime = moment()
    p90: datetime = moment()
    version: int = 1
    updated_at: datetime = moment(index=True)
    told_p50: datetime | None = moment(default=None, nullable=True)  # None: never announced
    # None once the job is over and its errors are known
    route_id: str | None = ref("route.id", default=None, nullable=True, index=True)
    samples: list[Any] = document(default_factory=list)  # [[mark s, made at, p50], …] epoch s


class EtaErrorRow(SQLModel, table=True):
    """How far an estimate was off, once its arrival was known."""

    __tablename__ = "eta_error"
    id: str = row_id()
    business_id: str = owner()
    depot_id: str = ref("depot.id", index=True)
    ahead_s: int  # how long before the arrival it was made
    error_s: int  # arrival minus estimate
    at: datetime = moment(index=True)


class PromiseRow(SQLModel, table=True):
    """A window or time a recipient was ever told; kept for ever.

    ``n`` counts promises from 1; the highest is in force. Below 0, counting down, are
    estimates that were told within a promise or beside it, and bind nobody.
    """

    __tablename__ = "promise"
    __table_args__ = (UniqueConstraint("job_id", "n"),)
    id: str = row_id()
    business_id: str = owner()
    job_id: str = ref("job.id", index=True)
    n: int
    opens: datetime = moment()
    closes: datetime = moment()
    told_by: str = text(60)  # page | notice:<id> | recipient, who chose it
    at: datetime = moment()
