"""What recipients do with their pages: ask, rate, listen."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from hub.db.columns import document, moment, owner, ref, row_id, text


class EnquiryRow(SQLModel, table=True):
    """Somebody wanted to know where an order is, and what the hub told at that moment."""

    __tablename__ = "enquiry"
    __table_args__ = (UniqueConstraint("order_id", "once"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    job_id: str | None = ref("job.id", default=None, nullable=True)
    at: datetime = moment(index=True)
    kind: str = text(20)  # hub.core.asked.Kind
    channel: str = text(20, default="")  # page, phone, mail, chat, counter, other
    role: str = text(20, default="")  # whose link it was; empty: nobody's
    note: str = text(500, default="")
    actor: str = text(80, default="")
    once: str | None = text(60, default=None, nullable=True)  # the same again within minutes is one
    shows: str = text(20)  # hub.core.tracking_page.Shows
    p10: datetime | None = moment(default=None, nullable=True)
    p50: datetime | None = moment(default=None, nullable=True)
    p90: datetime | None = moment(default=None, nullable=True)
    opens: datetime | None = moment(default=None, nullable=True)  # the promise in force
    closes: datetime | None = moment(default=None, nullable=True)


class RatingRow(SQLModel, table=True):
    """What somebody thought of a delivery; one of each link."""

    __tablename__ = "rating"
    __table_args__ = (UniqueConstraint("order_id", "role"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    role: str = text(20)
    job_id: str = ref("job.id")
    driver_id: str | None = ref("driver.id", default=None, nullable=True)
    route_id: str | None = ref("route.id", default=None, nullable=True)
    stars: int
    comment: str = text(1000, default="")
    at: datetime = moment(index=True)  # when it was first given
    changed_at: datetime = moment()
    handled_at: datetime | None = moment(default=None, nullable=True)  # a person has seen to it
    handled_by: str = text(80, default="")


class PushRow(SQLModel, table=True):
    """A browser that wants to hear of one order."""

    __tablename__ = "push"
    __table_args__ = (UniqueConstraint("order_id", "role", "endpoint_hash"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    role: str = text(20)
    endpoint_hash: str = text(64)
    subscription: dict[str, object] = document(default_factory=dict)  # as the browser made it
    at: datetime = moment()
