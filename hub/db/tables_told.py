"""What recipients are shown and told."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from hub.db.columns import LONG, document, moment, owner, ref, row_id, text


class BrandRow(SQLModel, table=True):
    __tablename__ = "brand"
    id: str = row_id()
    business_id: str = owner()
    name: str = text()
    colour: str = text(7, default="#0f6b5c")
    logo: bytes | None = None  # WebP, re-encoded by us
    phone: str = text(60, default="")
    email: str = text(254, default="")
    website: str = text(300, default="")
    texts: dict[str, Any] = document(default_factory=dict)
    sender_name: str = text(default="")


class LinkRow(SQLModel, table=True):
    """A tracking link; the token is derived, only its SHA-256 lies here."""

    __tablename__ = "link"
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", unique=True)
    epoch: int = 1
    token_hash: str = text(64, unique=True)


class NoticeRuleRow(SQLModel, table=True):
    __tablename__ = "notice_rule"
    __table_args__ = (UniqueConstraint("business_id", "trigger", "channel"),)
    id: str = row_id()
    business_id: str = owner()
    trigger: str = text(40)  # hub.core.notices.Trigger
    channel: str = text(60)  # a channel's key
    role: str = text(20, default="recipient")
    active: bool = True
    subject: str = text(300, default="")
    body: str = text(LONG, default="")
    within_s: int = 3600  # its moment has passed after this


class NoticeRow(SQLModel, table=True):
    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("event_id", "rule_id"),)
    id: str = row_id()
    business_id: str = owner()
    event_id: str = text(36)
    rule_id: str = ref("notice_rule.id")
    order_id: str = ref("order.id", index=True)
    job_id: str | None = ref("job.id", default=None, nullable=True)  # None: about the order
    trigger: str = text(40)
    channel: str = text(60)
    recipient: str = text(254)
    subject: str = text(300, default="")
    body: str = text(LONG, default="")
    html: str = text(200_000, default="")
    message_id: str = text(120, default="")
    state: str = text(20, default="due", index=True)  # hub.core.notices.NoticeState
    sends: int = 0  # how often it may have left: 2 is the most
    attempts: int = 0  # how often it was tried, refusals at the door included
    claim: str = text(36, default="")  # whose turn it is; only that worker may settle it
    leased_until: datetime | None = moment(default=None, nullable=True)
    carrier_id: str = text(300, default="")
    error: str = text(LONG, default="")
    due_at: datetime = moment(index=True)
    expires_at: datetime = moment()
    created_at: datetime = moment()
    sent_at: datetime | None = moment(default=None, nullable=True)
