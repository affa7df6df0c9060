"""Where a business's own programs listen, and what was sent to them."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.db.columns import LONG, document, moment, owner, ref, row_id, text

URL, BODY = 2000, 20_000


class EndpointRow(SQLModel, table=True):
    """``failing_since``: no attempt has succeeded since then. Its secrets lie in ``secret``."""

    __tablename__ = "endpoint"
    id: str = row_id()
    business_id: str = owner()
    url: str = text(URL)
    description: str = text(default="")
    types: list[str] = document(default_factory=list)  # of hub.core.webhook_types
    state: str = text(20, default="on")  # on | off | failing | gone: the last two by the hub
    problem: str = text(LONG, default="")  # why the hub switched it off, or what fails now
    failing_since: datetime | None = moment(default=None, nullable=True)
    paused_until: datetime | None = moment(default=None, nullable=True)  # it asked for that
    delivered_at: datetime | None = moment(default=None, nullable=True)  # the last time
    secret_changed_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()


class WebhookRow(SQLModel, table=True):
    """One event on its way to one endpoint. Its id is the ``webhook-id`` of every attempt."""

    __tablename__ = "webhook"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id", "type"),
        Index("ix_webhook_state_due_at", "state", "due_at"),
    )
    id: str = row_id()
    business_id: str = owner()
    endpoint_id: str = ref("endpoint.id", index=True)
    event_id: str = text(36)  # a test's own id, for which there is no event
    seq: int = Field(default=0, sa_type=BigInteger)  # the event's; 0 of a test
    subject_id: str = text(36, index=True)  # of one subject, one after the other
    type: str = text(60)
    body: str = text(BODY)
    state: str = text(20, default="due")  # due | delivered | dead
    attempts: int = 0  # since it was made, or was sent again by hand
    due_at: datetime = moment()
    claim: str = text(36, default="")  # of the worker that has it now
    leased_until: datetime | None = moment(default=None, nullable=True)  # real time
    problem: str = text(LONG, default="")  # of the last attempt
    occurred_at: datetime = moment(index=True)
    settled_at: datetime | None = moment(default=None, nullable=True)


class AttemptLogRow(SQLModel, table=True):
    """What one attempt to deliver a webhook was answered."""

    __tablename__ = "attempt_log"
    id: str = row_id()
    business_id: str = owner()
    webhook_id: str = ref("webhook.id", index=True)
    at: datetime = moment()
    status: int | None = None  # None: no answer came
    lasted_ms: int = 0
    answer: str = text(LONG, default="")
    problem: str = text(LONG, default="")
