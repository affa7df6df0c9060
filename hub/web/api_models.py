"""What the API takes and gives. Strict: unknown fields, wrong types and odd values are refused."""

from __future__ import annotations

from collections.abc import Set
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    model_validator,
)

from hub.core.amending import Group
from hub.core.jobs import NextStep, Outcome, State
from hub.core.orders import IncomingOrder, Kind, PickUp
from hub.core.places import place_key
from hub.web.api_fields import (
    Access,
    AddressIn,
    ApartFrom,
    Brand,
    ContactIn,
    Contacts,
    Custom,
    Day,
    Driver,
    In,
    KindsOfGoods,
    Lines,
    Loads,
    Moment,
    Name,
    NotDrivers,
    Note,
    OnBoard,
    Parcels,
    Payment,
    PointIn,
    Priority,
    Ref,
    ServiceS,
    Slug,
    Tags,
    WindowIn,
    Windows,
    WishedPrice,
    Worth,
)

SOURCE = "the connection it comes by: api, or csv for an order that came in by a file"
UPDATED = "when it last changed at your side; a report older than the known one changes nothing"
HELD_BACK = (
    "what was sent last of these waits for a dispatcher, or was not taken:"
    " a driver has the order as shown"
)
DUE_ON = "the day it is wanted, where no window says so; with neither, any day"
AHEAD = timedelta(minutes=5)  # clocks differ, and order matters between reports close together
READY_AT = "when it can leave the depot, if it is not there yet"
WISHED = "when somebody had better come, within the windows, at a price"
FETCHED = "when its recipient collected at the depot what was kept there (next_step: collect)"
FETCHED_FIRST = "where the goods are fetched first; null: they come from the depot"
SAID_APART = "as it was sent; people may have named more in the panel"
OPTIONAL = "it may stay undone when doing it costs more than its prize"


class PickUpIn(In):
    address: AddressIn
    point: PointIn | None = None
    windows: Windows = []
    contact: ContactIn | None = None
    service_s: ServiceS | None = None
    instructions: Note = ""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        return _findable(self, self.address, self.point)

    def value(self, country: str) -> PickUp:
        return PickUp(
            address=self.address.value(),
            point=self.point.value() if self.point else None,
            windows=tuple(window.value() for window in self.windows),
            contact=self.contact.value(country) if self.contact else None,
            service_s=self.service_s,
            instructions=self.instructions,
        )


class OrderIn(In):
    """One order. The same ``ref`` from the same source again amends the order."""

    ref: Annotated[Ref, Field(description="your own id of it; it never changes")]
    source: Annotated[Slug, Field(description=SOURCE)] = "api"
    number: Annotated[Name, Field(description="what people call it; the ref if left out")] = ""
    updated_at: Annotated[Moment | None, Field(description=UPDATED)] = None
    kind: Annotated[Kind, Field(description="what is done at the address")] = Kind.DELIVER
    address: AddressIn
    point: Annotated[PointIn | None, Field(description="where the door is, if you know")] = None
    pick_up: Annotated[PickUpIn | None, Field(description=FETCHED_FIRST)] = None
    contacts: Contacts = []
    lines: Annotated[Lines, Field(description="the goods")] = []
    parcels: Annotated[Parcels | None, Field(description="one per line if left out")] = None
    windows: Annotated[Windows, Field(description="when it suits; any one of them")] = []
    due_on: Annotated[Day | None, Field(description=DUE_ON)] = None
    service_s: Annotated[ServiceS | None, Field(description="seconds at the door")] = None
    skills: Annotated[Tags, Field(description="what driver or vehicle must offer")] = []
    priority: Priority = 0
    payment_due: Payment = ""
    instructions: Note = ""
    tags: Tags = []
    custom: Custom = {}
    optional: Annotated[bool, Field(description=OPTIONAL)] = False
    prize: Worth = 0
    ready_at: Annotated[Moment | None, Field(description=READY_AT)] = None
    max_on_board_s: OnBoard | None = None
    loads: Loads = {}
    only_driver: Driver = ""
    not_drivers: NotDrivers = []
    goods: KindsOfGoods = []
    wished: Annotated[WindowIn | None, Field(description=WISHED)] = None
    wished_per_hour: WishedPrice = 0
    access_s: Access | None = None
    apart_from: ApartFrom = []
    brand: Brand = ""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        return _findable(self, self.address, self.point)

    def value(self, country: str, now: datetime, known_at: datetime | None = None) -> IncomingOrder:
        """As the core knows it; numbers without a prefix are read as of ``country``.

        ``known_at``: when what is known of it was told; ``None``: nothing is known.
        """
        return IncomingOrder(
            ref=self.ref,
            number=self.number or self.ref,
            updated_at=self._told_at(now, known_at or now),
            kind=self.kind,
            pick_up=self.pick_up.value(country) if self.pick_up else None,
            **_values(self, country, _SHARED),
        )

    def _told_at(self, now: datetime, known_at: datetime) -> datetime:
        """The sender's clock, but hardly ahead of ours: what comes later would be old news."""
        if self.updated_at is None:
            return max(now, known_at)
        return min(self.updated_at, now + AHEAD)


class OrderPatch(In):
    """The fields to change; each replaces the whole of what was there."""

    number: Ref = Field(default_factory=str)  # a default no caller sees or sends
    address: AddressIn = Field(default_factory=AddressIn)
    point: PointIn | None = None
    contacts: Contacts = []
    lines: Lines = []
    parcels: Parcels | None = None
    windows: Windows = []
    due_on: Day | None = None
    service_s: ServiceS | None = None
    skills: Tags = []
    priority: Priority = 0
    payment_due: Payment = ""
    instructions: Note = ""
    tags: Tags = []
    custom: Custom = {}
    optional: Annotated[bool, Field(description=OPTIONAL)] = False
    prize: Worth = 0
    ready_at: Annotated[Moment | None, Field(description=READY_AT)] = None
    max_on_board_s: OnBoard | None = None
    loads: Loads = {}
    only_driver: Driver = ""
    not_drivers: NotDrivers = []
    goods: KindsOfGoods = []
    wished: Annotated[WindowIn | None, Field(description=WISHED)] = None
    wished_per_hour: WishedPrice = 0
    access_s: Access | None = None
    apart_from: ApartFrom = []
    brand: Brand = ""

    def values(self, country: str) -> dict[str, Any]:
        """Only what was sent. A new address without a point forgets the old point."""
        found = _values(self, country, self.model_fields_set)
        if "address" in found:
            found.setdefault("point", None)
        return found


_SHARED = frozenset(OrderPatch.model_fields) - {"number"}


def _values(order: OrderIn | OrderPatch, country: str, names: Set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(order, name)
        match name:
            case "address" | "point" | "wished":
                found[name] = value.value() if value is not None else None
            case "contacts":
                found[name] = tuple(contact.value(country) for contact in value)
            case "lines" | "windows":
                found[name] = tuple(part.value() for part in value)
            case "skills" | "goods":
                found[name] = frozenset(value) - {""}
            case "tags" | "not_drivers" | "apart_from":
                found[name] = tuple(value)
            case _:
                found[name] = value
    return found


def _findable[M](model: M, address: AddressIn, point: PointIn | None) -> M:
    if point is None and not place_key(address.value()):
        raise ValueError("needs an address or a point")
    return model


class WindowOut(BaseModel):
    opens: datetime
    closes: datetime


class ProofFileOut(BaseModel):
    kind: Literal["photo", "signature", "document"]
    sha256: str


class ProofOut(BaseModel):
    """``given``: what the proof holds (photo, signature, name, note, pin, lines)."""

    given: list[str]
    files: list[ProofFileOut]


class JobOut(BaseModel):
    """``promise``: the time its recipient was told last. ``arrived_at``: when the driver came,
    by his word or by his position; each is null as long as there is none.
    """

    id: str
    kind: Kind
    attempt: int
    leg: int
    state: Annotated[str, Field(description=", ".join(State))]
    outcome: Annotated[str, Field(description=f"once closed: {', '.join(Outcome)}")]
    reason: Annotated[str, Field(description="why it failed or was skipped")]
    windows: list[list[str]]
    due_on: date | None
    eta: Annotated[datetime | None, Field(description="the likeliest arrival, once planned")]
    promise: WindowOut | None
    arrived_at: datetime | None
    closed_at: datetime | None
    next_step: Annotated[str, Field(description=f"what follows: {', '.join(NextStep)}")]
    fetched_at: Annotated[datetime | None, Field(description=FETCHED)]
    proof: ProofOut | None


class PickUpOut(BaseModel):
    """``service_s`` null: the business's usual time. ``point`` null: its address is looked up."""

    address: dict[str, Any]
    point: dict[str, float] | None
    windows: list[WindowOut]
    contact: dict[str, Any] | None
    service_s: int | None
    instructions: str


class OrderOut(BaseModel):
    id: str
    ref: str
    number: str
    source: str
    status: Literal["open", "cancelled"]
    version: int
    received_at: datetime
    updated_at: datetime
    kind: Kind
    address: dict[str, Any]
    point: dict[str, float] | None
    pick_up: Annotated[PickUpOut | None, Field(description=FETCHED_FIRST)]
    contacts: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    parcels: int | None
    service_s: int | None
    skills: list[str]
    priority: int
    payment_due: str
    instructions: str
    tags: list[str]
    custom: dict[str, str]
    optional: bool
    prize: int
    ready_at: datetime | None
    max_on_board_s: int | None
    loads: dict[str, int]
    only_driver: str
    not_drivers: list[str]
    goods: list[str]
    wished: WindowOut | None
    wished_per_hour: int
    access_s: int | None
    apart_from: Annotated[list[str], Field(description=SAID_APART)]
    brand: str
    held_back: Annotated[list[Group], Field(description=HELD_BACK)]
    jobs: list[JobOut]
    tracking_url: str | None


class StoredOut(BaseModel):
    """What became of the orders sent, and the orders as they are now, in the order sent."""

    placed: int
    amended: int
    unchanged: int
    orders: list[OrderOut]


class PageOut(BaseModel):
    """``next`` is the cursor of the next page, sent as ``after``; ``None`` on the last."""

    orders: list[OrderOut]
    next: str | None


class ErrorOut(BaseModel):
    pointer: str
    detail: str


class ProblemOut(BaseModel):
    """RFC 9457. ``error_id`` is what to quote when asking for help."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    error_id: str
    errors: list[ErrorOut] = []
