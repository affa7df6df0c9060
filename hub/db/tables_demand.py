"""What is wanted: connections, orders, their jobs and the places they are for."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.db.columns import LONG, document, moment, owner, ref, row_id, text


class ConnectionRow(SQLModel, table=True):
    """One configured order source or record sink. Every business has ``csv`` and ``api``."""

    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("business_id", "slug"),)
    id: str = row_id()
    business_id: str = owner()
    slug: str = text(60)
    plugin: str = text(60)  # a provider key; "csv" and "api" have none
    title: str = text()
    settings: dict[str, Any] = document(default_factory=dict)
    state: str = text(20, default="ok")  # ok | failing | needs_reconnect | paused
    last_error: str = text(LONG, default="")
    failures: int = 0
    cursor: str | None = text(LONG, default=None, nullable=True)
    due_at: datetime | None = moment(default=None, nullable=True, index=True)
    leased_until: datetime | None = moment(default=None, nullable=True)


class OrderRow(SQLModel, table=True):
    __tablename__ = "order"
    __table_args__ = (UniqueConstraint("connection_id", "ref"),)
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id", index=True)
    ref: str = text(index=True)
    number: str = text(index=True)
    report: dict[str, Any] = document()  # IncomingOrder as last accepted
    status: str = text(20, default="open")  # open | cancelled
    version: int = 1
    received_at: datetime = moment(index=True)
    updated_at: datetime = moment()


class ContactRow(SQLModel, table=True):
    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("order_id", "role"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    role: str = text(20)
    name: str = text(default="")
    phone: str = text(60, default="")
    email: str = text(254, default="")
    language: str = text(12, default="")


class LineRow(SQLModel, table=True):
    __tablename__ = "line"
    __table_args__ = (UniqueConstraint("order_id", "n"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    n: int
    title: str = text(500)
    sku: str = text(120, default="")
    barcode: str = text(120, default="")
    quantity: int = 1
    weight_g: int = 0
    volume_cm3: int = 0


class PlaceRow(SQLModel, table=True):
    """An address a business knows. ``key`` is the normalised address."""

    __tablename__ = "place"
    __table_args__ = (UniqueConstraint("business_id", "key"),)
    id: str = row_id()
    business_id: str = owner()
    key: str = text(500)
    address: dict[str, Any] = document()
    lat: float | None = Field(default=None)
    lon: float | None = Field(default=None)
    confidence: float = 0.0
    source: str = text(40, default="")  # order | staff | a geocoder's key
    label: str = text(500, default="")  # what the geocoder called it
    access_note: str = text(1000, default="")
    safe_place: str = text(500, default="")
    contacts: list[Any] = document(default_factory=list)
    service_s: int | None = Field(default=None)  # learned; None: not enough visits
    updated_at: datetime = moment()


class JobRow(SQLModel, table=True):
    """One thing to do at one place; leg 1 fetches and leg 2 delivers in a pair, else leg 1."""

    __tablename__ = "job"
    __table_args__ = (UniqueConstraint("order_id", "attempt", "leg"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    attempt: int = 1
    leg: int = 1
    kind: str = text(20)  # deliver | collect | serve
    state: str = text(20, default="created", index=True)
    outcome: str = text(20, default="")
    reason: str = text(40, default="")
    next_step: str = text(20, default="")
    place_id: str | None = ref("place.id", default=None, nullable=True)
    windows: list[Any] = document(default_factory=list)  # [[opens, closes], …] ISO 8601
    due_on: date | None = Field(default=None, index=True)
    not_before: date | None = Field(default=None)
    service_s: int | None = Field(default=None)
    driver_note: str = text(1000, default="")
    version: int = 1
    created_at: datetime = moment()
    closed_at: datetime | None = moment(default=None, nullable=True)
    closed_occurred_at: datetime | None = moment(default=None, nullable=True)


class RejectRow(SQLModel, table=True):
    """A record that could not become an order, kept until a person has seen to it."""

    __tablename__ = "reject"
    __table_args__ = (UniqueConstraint("connection_id", "ref"),)
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id", index=True)
    ref: str = text()
    problem: str = text(LONG)
    at: datetime = moment()


class SeenCallRow(SQLModel, table=True):
    __tablename__ = "seen_call"
    __table_args__ = (UniqueConstraint("connection_id", "remote_id"),)
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id", index=True)
    remote_id: str = text()
    at: datetime = moment()


class ImportRow(SQLModel, table=True):
    """A file somebody uploaded, between its preview and its storing, and after."""

    __tablename__ = "import"
    id: str = row_id()
    business_id: str = owner()
    file_name: str = text(300)
    sha256: str = text(64, index=True)
    state: str = text(20, default="preview")  # preview | stored
    report: dict[str, Any] = document(default_factory=dict)
    content: bytes = b""
    mapping: dict[str, Any] = document(default_factory=dict)
    at: datetime = moment()
