"""Orders as sources report them, and what a report changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any, Literal

from hub.core.errors import BadRecord
from hub.core.values import Address, Contact, Line, Point, Role, TimeWindow, aware


class Kind(StrEnum):
    DELIVER = "deliver"
    COLLECT = "collect"
    SERVE = "serve"


@dataclass(frozen=True, slots=True, kw_only=True)
class PickUp:
    """Where the goods of a collect→deliver pair are fetched first."""

    address: Address
    point: Point | None = None  # None: the hub locates the address
    windows: tuple[TimeWindow, ...] = ()
    contact: Contact | None = None  # None: nobody to ask for
    service_s: int | None = None  # None: the business's usual time
    instructions: str = ""


WISHED_PER_HOUR = 1000
"""What an hour beside a wished time costs, in cents, where nobody says: less than half of an hour's
driving, so that nobody makes a long way for a wish."""
MOST_TO_DOOR_MIN = 60


def called(number: str) -> tuple[str, str]:
    """An order's number as people write it: without its hash, and with it."""
    bare = number.removeprefix("#")
    return bare, f"#{bare}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingOrder:
    """One order as a source sees it now.

    ``ref`` never changes and is unique within one connection; the hub's idea of
    "the same order" is (connection, ref). ``updated_at`` is the source's clock.
    ``due_on`` is the day it is wanted where no window says so; with neither, the
    order may go on any day. ``service_s`` None means the business's usual time;
    ``parcels`` None means one per line.

    ``optional``: it may stay undone when doing it costs more than ``prize``, in whole
    minor units of the vehicles' costs. ``ready_at``: no vehicle leaves the depot with it sooner.
    ``max_on_board_s``: from leaving (or fetching it) to its door. ``loads``: further than
    weight, volume and parcels, such as pallets. ``only_driver`` and ``not_drivers`` are names
    or ids of the business's drivers. ``goods``: kinds of what is in it, some of which the
    business does not let ride together. ``wished``: when somebody had better come, within the
    windows; each hour before or after it costs ``wished_per_hour``, in the same units as ``prize``.
    ``access_s``: from the parked van to the door; it is kept for the address. ``apart_from``: ids,
    refs or numbers of orders of the business that no vehicle takes on the same day as this one.
    ``brand``: the short name of one of the business's.
    """

    ref: str
    number: str
    updated_at: datetime
    address: Address
    contacts: tuple[Contact, ...] = ()
    kind: Kind = Kind.DELIVER
    pick_up: PickUp | None = None
    status: Literal["open", "cancelled"] = "open"
    lines: tuple[Line, ...] = ()
    parcels: int | None = None
    windows: tuple[TimeWindow, ...] = ()
    due_on: date | None = None
    point: Point | None = None
    service_s: int | None = None
    skills: frozenset[str] = frozenset()
    priority: int = 0  # 0 usual … 9 first
    payment_due: str = ""  # decimal text with currency: "12.50 EUR"
    instructions: str = ""
    tags: tuple[str, ...] = ()
    custom: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    prize: int = 0
    ready_at: datetime | None = None  # None: it is there
    max_on_board_s: int | None = None  # None: it keeps
    loads: Mapping[str, int] = field(default_factory=dict)
    only_driver: str = ""  # empty: whoever it is
    not_drivers: tuple[str, ...] = ()
    goods: frozenset[str] = frozenset()
    wished: TimeWindow | None = None
    wished_per_hour: int = 0
    access_s: int | None = None  # None: as is known of the address
    apart_from: tuple[str, ...] = ()
    brand: str = ""  # empty: its connection's, or the business's usual one

    def __post_init__(self) -> None:
        aware(self.updated_at, "updated_at")
        if self.ready_at is not None:
            aware(self.ready_at, "ready_at")
        if not self.ref:
            raise ValueError("ref is empty")
        if self.point is None and not self.address.one_line().strip():
            raise ValueError("address is empty")

    def contact(self, role: Role) -> Contact | None:
        """The first contact with ``role``; ``None`` when the order names none."""
        return next((c for c in self.contacts if c.role == role), None)

    @property
    def recipient(self) -> Contact:
        """Who is at the door: the recipient, else the buyer, else nobody by name."""
        return self.contact(Role.RECIPIENT) or self.contact(Role.BUYER) or Contact(Role.RECIPIENT)

    @property
    def all_goods(self) -> frozenset[str]:
        """The kinds of goods of the order and of its lines."""
        return self.goods | {line.goods for line in self.lines if line.goods}

    @property
    def load_g(self) -> int:
        return sum(line.weight_g * line.quantity for line in self.lines)

    @property
    def load_cm3(self) -> int:
        return sum(line.volume_cm3 * line.quantity for line in self.lines)

    @property
    def load_parcels(self) -> int:
        return self.parcels if self.parcels is not None else max(1, len(self.lines))


OVERDUE_DAYS = 7
"""So long after its day a program may still send an order: it was late, not history."""


def too_old(order: IncomingOrder, known: IncomingOrder | None, today: date, zone: tzinfo) -> str:
    """Why its day cannot be meant, for the program that sent it; empty: it can.

    An order that is here already may be sent again with the day it had.
    """
    gone = day_gone(order, today, zone)
    if gone is None or (today - gone).days <= OVERDUE_DAYS:
        return ""
    if known and (known.windows, known.due_on) == (order.windows, order.due_on):
        return ""
    return (
        f"{gone} is more than {OVERDUE_DAYS} days ago, and the order would go on the next day"
        " planned; send the day it is to be done, or none for any day"
    )


def day_gone(order: IncomingOrder, today: date, zone: tzinfo) -> date | None:
    """The last day it was wanted, if that is before ``today``. ``None``: it can still be done."""
    closes = [window.closes.astimezone(zone).date() for window in order.windows]
    last = max(closes, default=order.due_on)
    return last if last is not None and last < today else None


def what_is_wrong(error: Exception) -> str:
    """With a record that could not be read, for a person who knows the source."""
    match error:
        case KeyError():
            return f"it has no {error.args[0]!r}" if error.args else "something is missing"
        case ValueError():
            return str(error)
    return f"something in it is not as expected ({error})"


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders, and the cursor from which the rest can be read.

    The hub stores the orders and ``cursor`` in one transaction, so ``cursor``
    must not skip anything that is not on this or an earlier page.
    """

    orders: tuple[IncomingOrder, ...]
    cursor: str
    rejects: tuple[BadRecord, ...] = ()

    @classmethod
    def read(
        cls,
        records: Iterable[Mapping[str, Any]],
        to_order: Callable[[Any], IncomingOrder],
        *,
        ref: str,
        cursor: str,
        number: str = "",
    ) -> OrderPage:
        """Map each record; one that does not fit is set aside, not fatal.

        ``ref`` names the key of a record's own id, and ``number``, where that is another, the key
        of what people there call it, so that a person can find it.
        """
        orders, rejects = [], []
        for record in records:
            try:
                orders.append(to_order(record))
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                named = str(record.get(number) or "")
                rejects.append(BadRecord(str(record.get(ref, "?")), what_is_wrong(error), named))
        return cls(tuple(orders), cursor, tuple(rejects))


@dataclass(frozen=True, slots=True)
class Change:
    """What an incoming order means for the one the hub has."""

    kind: Literal["placed", "amended", "cancelled", "unchanged", "stale"]
    fields: tuple[str, ...] = field(default=())


def compare(known: IncomingOrder | None, incoming: IncomingOrder) -> Change:
    """Decide what ``incoming`` changes. Safe to repeat with the same report."""
    if known is None:
        return Change("placed" if incoming.status == "open" else "unchanged")
    if incoming.updated_at < known.updated_at:
        return Change("stale")
    if incoming.status == "cancelled" and known.status != "cancelled":
        return Change("cancelled")
    changed = tuple(
        f.name
        for f in fields(incoming)
        if f.name != "updated_at" and getattr(known, f.name) != getattr(incoming, f.name)
    )
    return Change("amended", changed) if changed else Change("unchanged")
