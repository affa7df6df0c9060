"""What recipients are shown and told."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.db.columns import LONG, document, moment, owner, ref, row_id, text


class BrandRow(SQLModel, table=True):
    """One of the looks of a business. ``slug`` is what connections and orders name it by."""

    __tablename__ = "brand"
    __table_args__ = (Index("ix_brand_slug", "business_id", "slug", unique=True),)
    id: str = row_id()
    business_id: str = owner()
    slug: str = text(40, default="main")
    is_usual: bool = True  # the one of whatever names none; just one of a business is
    name: str = text()
    colour: str = text(7, default="#0f6b5c")
    logo: bytes | None = None  # WebP, re-encoded by us
    phone: str = text(60, default="")
    email: str = text(254, default="")
    website: str = text(300, default="")
    texts: dict[str, Any] = document(default_factory=dict)  # in the business's own language
    texts_in: dict[str, Any] = document(default_factory=dict)  # {language: texts}
    sender_name: str = text(default="")
    reply_to: str = text(254, default="")  # empty: the address above
    sms_sender: str = text(11, default="")  # empty: the channel's own
    header_colour: str = text(7, default="")  # empty: the colour above
    font: str = text(20, default="system")  # hub.core.branding.FONTS


class BrandDomainRow(SQLModel, table=True):
    """A business's own name for its tracking pages, such as track.bakery.example.

    Several may claim a name, and only who can put ``token`` into its DNS gets it:
    ``proven_host`` is the name once that is so.
    """

    __tablename__ = "brand_domain"
    id: str = row_id()
    business_id: str = owner()
    brand_id: str = ref("brand.id", unique=True)
    host: str = text(253, index=True)
    token: str = text(60)
    proven_host: str | None = text(253, default=None, nullable=True, unique=True)
    state: str = text(20, default="waiting")  # waiting | proven | failing | broken
    said: str = text(LONG, default="")  # what the last check found
    proven_at: datetime | None = moment(default=None, nullable=True)
    checked_at: datetime | None = moment(default=None, nullable=True)
    failing_since: datetime | None = moment(default=None, nullable=True)


class LinkRow(SQLModel, table=True):
    """A tracking link; the token is derived, only its SHA-256 lies here."""

    __tablename__ = "link"
    __table_args__ = (UniqueConstraint("order_id", "role"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id")
    role: str = text(20, default="recipient")  # hub.core.values.Role: whose link it is
    epoch: int = 1
    token_hash: str = text(64, unique=True)


class NoticeRuleRow(SQLModel, table=True):
    __tablename__ = "notice_rule"
    __table_args__ = (UniqueConstraint("business_id", "trigger", "channel", "role"),)
    id: str = row_id()
    business_id: str = owner()
    trigger: str = text(40)  # hub.core.notices.Trigger
    channel: str = text(60)  # a channel's key
    role: str = text(20, default="recipient")
    active: bool = True
    subject: str = text(300, default="")
    body: str = text(LONG, default="")
    within_s: int = 3600  # its moment has passed after this
    in_quiet: str = text(10, default="send")  # hub.core.manners.InQuiet
    fallback: str = text(60, default="")  # the channel that tells it where this one cannot
    minutes: int = 0  # near: from so many before; review: so long afterwards
    stops: int = 0  # near: from so many before


class NoticeWordingRow(SQLModel, table=True):
    """A rule's words in a language, for one brand or (``brand`` empty) for all of them."""

    __tablename__ = "notice_wording"
    __table_args__ = (UniqueConstraint("rule_id", "brand", "language"),)
    id: str = row_id()
    business_id: str = owner()
    rule_id: str = ref("notice_rule.id")
    brand: str = text(40, default="")  # its slug
    language: str = text(12)  # BCP 47, in lower case
    subject: str = text(300, default="")
    body: str = text(LONG)


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
    # The notice that its rule's first channel could not tell.
    instead_of: str = text(36, default="")
    receipt: str = text(20, default="")  # the carrier's last word: hub.core.receipts
    receipt_at: datetime | None = moment(default=None, nullable=True)
    answer: str = text(1600, default="")  # the last that its recipient wrote back
    parts: int = 0  # paid parts, all sends together
    cost_micros: int = Field(default=0, sa_type=BigInteger)
    currency: str = text(3, default="")
    stop_hash: str | None = text(64, default=None, nullable=True, index=True)


class SuppressionRow(SQLModel, table=True):
    """An address that is not written to; kept as a hash, so that it is not kept."""

    __tablename__ = "suppression"
    __table_args__ = (UniqueConstraint("business_id", "reaches", "address_hash"),)
    id: str = row_id()
    business_id: str = owner()
    reaches: str = text(10)  # hub.core.contracts.Reaches
    address_hash: str = text(64)
    shown: str = text(80)  # as much of it as a person needs to know it again
    why: str = text(20)  # reply | link | staff | carrier | gone
    actor: str = text(80, default="")
    at: datetime = moment()
