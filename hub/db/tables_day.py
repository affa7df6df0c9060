"""What happens on the day: acts, positions, estimates and what was promised."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.db.columns import document, moment, owner, ref, row_id, text


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
    """One batch of positions as a phone sent it; ``seq`` is the phone's count."""

    __tablename__ = "fix_chunk"
    __table_args__ = (UniqueConstraint("device_id", "seq"),)
    id: str = row_id()
    business_id: str = owner()
    device_id: str = ref("device.id", index=True)
    seq: int = Field(sa_type=BigInteger)
    fixes: list[Any] = document(default_factory=list)
    received_at: datetime = moment(index=True)


class EstimateRow(SQLModel, table=True):
    __tablename__ = "estimate"
    id: str = row_id()
    business_id: str = owner()
    job_id: str = ref("job.id", unique=True)
    p10: datetime = moment()
    p50: datetime = moment()
    p90: datetime = moment()
    version: int = 1
    updated_at: datetime = moment()


class PromiseRow(SQLModel, table=True):
    """A window or time a recipient was ever told; kept for ever."""

    __tablename__ = "promise"
    __table_args__ = (UniqueConstraint("job_id", "n"),)
    id: str = row_id()
    business_id: str = owner()
    job_id: str = ref("job.id", index=True)
    n: int
    opens: datetime = moment()
    closes: datetime = moment()
    told_by: str = text(60)  # page | notice:<id>
    at: datetime = moment()
