"""A driver's day as plain values, as his phone is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.core.business import Demand


@dataclass(frozen=True, slots=True)
class PhoneLine:
    n: int
    title: str
    quantity: int
    sku: str


@dataclass(frozen=True, slots=True)
class PhoneContact:
    role: str
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class PhoneJob:
    """``opens``/``closes``: the window asked for, else the one promised; ``None``: neither.

    ``arrive_at`` is when the van is there, ``eta`` when work begins. Who is there before
    ``not_before`` waits: until then neither the window asked for nor the one promised is open.
    ``wished_opens``/``wished_closes``: when somebody had better come, if anybody said so.
    ``others``: further windows asked for. ``told_opens``/``told_closes``: the promise in force, as
    its recipient was told it. ``from_door``: it is fetched at another door, not at the depot.
    """

    job_id: str
    kind: str
    state: str
    outcome: str
    reason: str
    attempt: int
    number: str
    name: str
    contacts: tuple[PhoneContact, ...]
    note: str
    opens: datetime | None
    closes: datetime | None
    others: tuple[tuple[datetime, datetime], ...]
    arrive_at: datetime
    not_before: datetime | None
    wished_opens: datetime | None
    wished_closes: datetime | None
    told_opens: datetime | None
    told_closes: datetime | None
    eta: datetime
    lines: tuple[PhoneLine, ...]
    parcels: int
    from_door: bool
    payment_due: str
    question: str  # what its source wants instead, while nobody has decided; empty: nothing
    wish: PhoneWish | None  # None: the customer said nothing
    demands: tuple[Demand, ...] | None  # for a success of this one; None: as of the day


@dataclass(frozen=True, slots=True)
class PhoneWish:
    """What the customer said for this door. ``leave``: where it may be left; empty: nowhere."""

    note: str
    access_code: str
    leave: str


@dataclass(frozen=True, slots=True)
class PhoneChange:
    """What changed about an order from ``version`` of the route on, and is not seen yet.

    ``changes``: what, was, is now. The order may be off the route by now.
    """

    version: int
    number: str
    job_ids: tuple[str, ...]
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class PhoneTakeOver:
    """Another van's load, to be taken over here; or (``reload``) the next load of this one, at
    the depot. ``done_at`` ``None``: it is not yet on board; ``ready_at`` ``None``: it is there
    already. ``needed``: somebody still waits for some of it.
    """

    van: str
    driver: str
    place: str
    numbers: tuple[str, ...]
    job_ids: tuple[str, ...]
    parcels: int
    arrive_at: datetime
    ready_at: datetime | None
    done_at: datetime | None
    needed: bool
    reload: bool = False


@dataclass(frozen=True, slots=True)
class PhoneStop:
    """``take_over`` ``None``: it is somebody's door; else it has no jobs."""

    stop_id: str
    n: int
    address: str
    lat: float | None
    lon: float | None
    access_note: str
    safe_place: str
    jobs: tuple[PhoneJob, ...]
    take_over: PhoneTakeOver | None = None


@dataclass(frozen=True, slots=True)
class PhoneRoute:
    route_id: str
    day: str
    version: int
    acknowledged: int
    starts_at: datetime
    ends_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    depot: str
    depot_lat: float
    depot_lon: float
    vehicle: str
    stops: tuple[PhoneStop, ...]
    changes: tuple[PhoneChange, ...]
    rests: tuple[tuple[datetime, datetime], ...] = ()  # breaks as planned, but for those told
    had: tuple[tuple[datetime, datetime | None], ...] = ()  # told; None: it is under way


@dataclass(frozen=True, slots=True)
class PhoneDay:
    """``demands`` for a success, ``failure_demands`` for a failure; skipping demands none.

    ``handed_to``: who drives now what this driver had begun to drive today.
    """

    driver: str
    business: str
    zone: str
    demands: tuple[Demand, ...]
    failure_demands: tuple[Demand, ...]
    routes: tuple[PhoneRoute, ...]
    handed_to: tuple[str, ...]
