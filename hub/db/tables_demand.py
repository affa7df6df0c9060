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
    off_since: datetime | None = moment(default=None, nullable=True)  # from when it heard nothing
    brand: str = text(40, default="")  # the slug of its orders' brand; "": the usual one
    identity: str = text(300, default="")  # which shop that is at the other side; "": not known
    settings: dict[str, Any] = document(default_factory=dict)
    state: str = text(20, default="ok")  # approving | ok | failing | needs_reconnect | off
    last_error: str = text(LONG, default="")
    failures: int = 0
    cursor: str | None = text(LONG, default=None, nullable=True)
    due_at: datetime | None = moment(default=None, nullable=True, index=True)
    # The pause that the other side asked for: until then nothing is asked of it, whatever is due.
    not_before: datetime | None = moment(default=None, nullable=True)
    leased_until: datetime | None = moment(default=None, nullable=True)  # by the real clock
    leased_by: str = text(36, default="")
    looked_at: datetime | None = moment(default=None, nullable=True)  # the last look that went well
    swept_at: datetime | None = moment(default=None, nullable=True)  # when all of it was read
    # How far reading all of it again has come: "" is to begin, None is not under way.
    sweep_cursor: str | None = text(LONG, default=None, nullable=True)
    orders_placed: int = 0
    hook: str | None = text(64, default=None, nullable=True, unique=True, index=True)  # hashed
    subscribed_at: datetime | None = moment(default=None, nullable=True)  # when it was last seen to
    # How often in a row it could not be.
    unsubscribed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    to_do: str = text(LONG, default="")  # what a person still has to do at the other side


class OrderRow(SQLModel, table=True):
    __tablename__ = "order"
    __table_args__ = (UniqueConstraint("connection_id", "ref"),)
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id", index=True)
    ref: str = text(index=True)
    number: str = text(index=True)
    report: dict[str, Any] = document()  # IncomingOrder as it is in force
    # What its source said last, where that is not all in force; None: it is. See ``AmendmentRow``.
    said: dict[str, Any] | None = document(default=None, nullable=True)
    status: str = text(20, default="open")  # open | cancelled
    version: int = 1
    received_at: datetime = moment(index=True)
    updated_at: datetime = moment()


class AmendmentRow(SQLModel, table=True):
    """What changed about an order that was on a phone: a question, or told as it was taken.

    At most one of an order is ``open``. ``told_version`` is the route's from which the phone
    shows it; ``route_id`` ``None``: no phone does.
    """

    __tablename__ = "amendment"
    __table_args__ = (UniqueConstraint("order_id", "n"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    n: int
    version: int = 1  # counts what its source added before anybody decided
    state: str = text(20, default="open", index=True)  # open | told | a ``Decision``
    asked: list[str] = document(default_factory=list)  # ``Group``; empty: it asked nobody
    changes: list[Any] = document(default_factory=list)  # [[what, was, now], …] in words
    why: str = text(LONG, default="")  # why the hub did not take it by itself
    proposed_at: datetime = moment()
    proposed_by: str = text(80)
    weighed_at: datetime | None = moment(default=None, nullable=True)  # None: the hub did not yet
    decided_at: datetime | None = moment(default=None, nullable=True)
    decided_by: str = text(80, default="")
    route_id: str | None = ref("route.id", default=None, nullable=True, index=True)
    told_version: int = 0
    seen_at: datetime | None = moment(default=None, nullable=True)


class ApartRow(SQLModel, table=True):
    """An order that no vehicle takes on the same day as another one; either may have said so.

    ``name``: the other's id, ref or number, as it was written. ``by_hand``: a person here said it,
    so that no report of its source changes it.
    """

    __tablename__ = "order_apart"
    __table_args__ = (UniqueConstraint("order_id", "name"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    # None: there is no such order of the business yet.
    other_id: str | None = ref("order.id", default=None, nullable=True, index=True)
    name: str = text()
    by_hand: bool = False


class WishRow(SQLModel, table=True):
    """What a recipient said on the page behind the link; of each kind the last one counts.

    ``key`` makes a form that is sent twice one wish. ``said`` is emptied once nobody needs it.
    """

    __tablename__ = "wish"
    __table_args__ = (UniqueConstraint("order_id", "key"),)
    id: str = row_id()
    business_id: str = owner()
    order_id: str = ref("order.id", index=True)
    job_id: str | None = ref("job.id", default=None, nullable=True)
    n: int
    key: str = text(64)
    kind: str = text(20)  # an ``Action`` of hub.core.self_service; "in_person" takes a place back
    said: str = text(300, default="")
    at: datetime = moment()


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
    access_s: int | None = Field(default=None)  # from the parked van to the door; None: at once
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
    # When its goods, kept at the depot, were handed over there; see ``hub.flows.kept_goods``.
    fetched_at: datetime | None = moment(default=None, nullable=True)


class RejectRow(SQLModel, table=True):
    """A record that could not become an order, kept until a person has seen to it."""

    __tablename__ = "reject"
    __table_args__ = (UniqueConstraint("connection_id", "ref"),)
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id", index=True)
    ref: str = text()
    number: str = text(default="")  # what people at the source call it; empty: as ``ref``
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


class ApprovalRow(SQLModel, table=True):
    """Somebody went to the other side to approve a connection; known by the hash of its state."""

    __tablename__ = "approval"
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id", index=True)
    state_hash: str = text(64, unique=True)
    staff_id: str = text(36)
    expires_at: datetime = moment()  # by the real clock


class TokenLeaseRow(SQLModel, table=True):
    """Who refreshes a connection's tokens, and how often they were; they lie in ``secret``."""

    __tablename__ = "token_lease"
    __table_args__ = (UniqueConstraint("connection_id"),)
    id: str = row_id()
    business_id: str = owner()
    connection_id: str = ref("connection.id")
    version: int = 0
    holder: str = text(36, default="")
    until: datetime | None = moment(default=None, nullable=True)  # by the real clock


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
