"""Notices: which event tells whom, until when it helps, and what a carrier's answer means.

A notice that comes too late helps nobody, so one whose moment has passed or that
events have overtaken is dropped and says why; it is never sent late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from hub.core.contracts import Reaches
from hub.core.events import (
    DriverArrived,
    DriverHeaded,
    EtaChanged,
    Event,
    JobClosed,
    JobDispatched,
    JobWithdrawn,
    NextStepChosen,
    OrderCancelled,
    OrderPlaced,
    ShiftBegan,
)
from hub.core.jobs import ON_A_PHONE, Outcome, State
from hub.core.values import Contact, Role


class Trigger(StrEnum):
    PLACED = "placed"
    DISPATCHED = "dispatched"
    OUT = "out"  # the round that brings it has begun
    NEAR = "near"  # so many stops or minutes away, as the rule says
    ON_ITS_WAY = "on_its_way"
    ARRIVED = "arrived"
    NEW_TIME = "new_time"  # the driver comes at another time than was promised
    DELIVERED = "delivered"  # a job closed well, whatever its kind
    FAILED = "failed"  # a job closed without success; says what happens next
    NEXT_STEP = "next_step"  # a person chose what follows, after ``FAILED`` could not say
    WITHDRAWN = "withdrawn"  # a told window no longer holds
    CANCELLED = "cancelled"
    REVIEW = "review"  # how was it? some time after ``DELIVERED``


ON_REQUEST = frozenset({Trigger.OUT, Trigger.NEAR, Trigger.ARRIVED, Trigger.REVIEW})
"""Off until a business switches them on: three messages a delivery are what people expect."""
ONCE_A_JOB = frozenset({Trigger.OUT, Trigger.NEAR, Trigger.ARRIVED, Trigger.REVIEW})
"""Told once, however often a shift begins anew or a driver drives round the block."""


class NoticeState(StrEnum):
    DUE = "due"
    SENDING = "sending"  # claimed; if its lease has run out, nobody knows whether it left
    SENT = "sent"
    UNCERTAIN = "uncertain"  # it may have arrived twice, or not at all; never tried again
    FAILED = "failed"  # refused for good
    DROPPED = "dropped"  # never left, and why


HEARD: tuple[type[Event], ...] = (
    OrderPlaced,
    JobDispatched,
    DriverHeaded,
    EtaChanged,
    JobClosed,
    NextStepChosen,
    JobWithdrawn,
    OrderCancelled,
)
ASKED: tuple[type[Event], ...] = (ShiftBegan, DriverArrived)
"""Heard of for those businesses alone that tell what ``ON_REQUEST`` says of them."""
WELL = frozenset({Outcome.SUCCEEDED, Outcome.PARTIAL})
AFTER_S = {Trigger.WITHDRAWN: 600}
"""How long to wait first: a job moved to another route is withdrawn and told of again at once."""
NEED_NO_ADDRESS: frozenset[Reaches] = frozenset({"url", "nobody"})
PAIRED = frozenset({Trigger.FAILED, Trigger.NEXT_STEP})
"""What the first leg of a pair tells: its recipient waits for the second one."""


ON_A_ROUTE_AGAIN = "The job is on a route again."


def triggers_of(event: Event) -> tuple[Trigger, ...]:
    """What an event is a reason to tell; empty for one that recipients are not told of."""
    if isinstance(event, ShiftBegan):
        return (Trigger.OUT,)
    if isinstance(event, JobClosed) and event.outcome == Outcome.SUCCEEDED:
        return (Trigger.DELIVERED, Trigger.REVIEW)
    one = _trigger_of(event)
    return () if one is None else (one,)


def _trigger_of(event: Event) -> Trigger | None:
    match event:
        case JobWithdrawn(actor="recipient") | JobClosed(actor="recipient"):
            return None  # their own doing, which the page told them at once
        case OrderPlaced():
            return Trigger.PLACED
        case JobDispatched():
            return Trigger.DISPATCHED
        case DriverHeaded():
            return Trigger.ON_ITS_WAY
        case DriverArrived():
            return Trigger.ARRIVED
        case EtaChanged():
            return Trigger.NEW_TIME  # where it breaks a promise; else nobody is told
        case JobClosed():
            return Trigger.DELIVERED if event.outcome in WELL else Trigger.FAILED
        case NextStepChosen(actor="hub"):
            return None  # by rule, so ``FAILED`` said it already
        case NextStepChosen():
            return Trigger.NEXT_STEP
        case JobWithdrawn():
            return Trigger.WITHDRAWN
        case OrderCancelled():
            return Trigger.CANCELLED
    return None


def job_of_event(event: Event) -> str | None:
    """The job a notice is about; ``None``: the whole order."""
    job_id: str | None = getattr(event, "job_id", None)
    return job_id


def moment(
    trigger: Trigger, occurred_at: datetime, within_s: int, *, wait_s: int = 0
) -> tuple[datetime, datetime]:
    """When it is due, and when its moment has passed. ``wait_s``: as the rule wants it."""
    wait = timedelta(seconds=max(AFTER_S.get(trigger, 0), wait_s))
    return occurred_at + wait, occurred_at + wait + timedelta(seconds=within_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """How things stand when a notice is about to leave; ``job`` ``None``: it is about the order."""

    job: State | None = None
    cancelled: bool = False  # the order is
    succeeded: bool = False  # a job of the order did
    tried_again: bool = False  # the next attempt is on a phone, or over
    fetched: bool = False  # its goods, kept at the depot, have been handed over there
    on_time: bool = False  # the driver is expected within what was promised
    told_newer: bool = False  # the same rule has a newer notice about the same thing


def overtaken(trigger: Trigger, now: Situation) -> str:
    """Why this notice would no longer be true, as a sentence; empty while it still is."""
    if now.told_newer:
        return "A newer notice says the same."
    if now.cancelled and trigger is not Trigger.CANCELLED and trigger is not Trigger.DELIVERED:
        return "The order was cancelled meanwhile."
    match trigger:
        case Trigger.PLACED | Trigger.CANCELLED if now.succeeded:
            return "The order was already completed."
        case Trigger.DISPATCHED if now.job is State.CLOSED:
            return "The job was already closed."
        case Trigger.DISPATCHED if now.job is State.ARRIVED:
            return "The driver was already there."
        case Trigger.DISPATCHED if now.job not in ON_A_PHONE:
            return "The job was taken off its route meanwhile."
        case Trigger.OUT | Trigger.NEAR if now.job is State.CLOSED:
            return "The job was already closed."
        case Trigger.OUT | Trigger.NEAR if now.job is State.ARRIVED:
            return "The driver was already there."
        case Trigger.OUT if now.job is State.EN_ROUTE:
            return "The driver was already on the way to them."
        case Trigger.OUT | Trigger.NEAR if now.job not in ON_A_PHONE:
            return "The job was taken off its route meanwhile."
        case Trigger.ARRIVED if now.job is not State.ARRIVED:
            return "The driver was no longer there."
        case Trigger.ON_ITS_WAY if now.job is State.CLOSED:
            return "The job was already closed."
        case Trigger.ON_ITS_WAY if now.job is State.ARRIVED:
            return "The driver was already there."
        case Trigger.ON_ITS_WAY if now.job is not State.EN_ROUTE:
            return "The driver went elsewhere first."
        case Trigger.NEW_TIME if now.job is State.CLOSED:
            return "The job was already closed."
        case Trigger.NEW_TIME if now.job is State.ARRIVED:
            return "The driver was already there."
        case Trigger.NEW_TIME if now.job not in ON_A_PHONE:
            return "The job was taken off its route meanwhile."
        case Trigger.NEW_TIME if now.on_time:
            return "The driver is expected within the promised time again."
        case Trigger.WITHDRAWN if now.job in ON_A_PHONE:
            return ON_A_ROUTE_AGAIN
        case Trigger.WITHDRAWN if now.job is State.CLOSED:
            return "The job was already closed."
        case Trigger.FAILED | Trigger.NEXT_STEP if now.tried_again:
            return "The next attempt was already under way."
        case Trigger.FAILED | Trigger.NEXT_STEP if now.fetched:
            return "The goods were already collected."
    return ""


def address_for(reaches: Reaches, contact: Contact) -> str:
    """What a channel needs to reach this person; empty when that is not known.

    For a channel that needs no address: the best there is, else the name, to tell them apart.
    """
    match reaches:
        case "email":
            return contact.email
        case "phone":
            return contact.phone
        case "push":
            return ""  # a subscription belongs to an order, not to a contact
        case "url" | "nobody":
            return contact.email or contact.phone or contact.name


def reachable(contacts: Mapping[Role, Contact], role: Role, reaches: Reaches) -> Contact | None:
    """The contact of this role; ``None`` when it has no address.

    For a recipient without one there is the buyer: somebody waits at home. A channel that needs
    no address always gets a contact, be it one without a name.
    """
    roles = (role, Role.BUYER) if role is Role.RECIPIENT else (role,)
    known = [contacts[one] for one in roles if one in contacts]
    if reaches in NEED_NO_ADDRESS:
        return known[0] if known else Contact(role)
    return next((one for one in known if address_for(reaches, one)), None)


@dataclass(frozen=True, slots=True)
class Accepted:
    carrier_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It certainly did not leave. ``retry_after_s`` ``None``: the carrier named no pause.

    ``never``: nothing will ever reach this address (gone), or its owner wants no more (stop).
    """

    error: str
    permanent: bool
    retry_after_s: float | None = None
    never: Literal["", "gone", "stop"] = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have left: no answer came."""

    error: str


Verdict = Accepted | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a notice; ``wait_s`` until it is looked at again, if it will be."""

    state: NoticeState
    sends: int
    error: str = ""
    wait_s: float = 0.0


ASK_AGAIN_S = 30.0
MOST_SENDS = 2


def pause_s(attempts: int) -> float:
    """30 s, 1 min, 2 min … one hour."""
    return float(min(30 * 2 ** min(attempts - 1, 7), 3600))


def settled(verdict: Verdict, *, sends: int, attempts: int, harmless: bool) -> Settled:
    """What ``verdict`` makes of a notice that may have left ``sends`` times, this one included.

    ``harmless``: the carrier itself drops repeats. Where it does not, a notice leaves
    at most twice, and then nobody can say how often it arrived.
    """
    doubtful = sends > 1 and not harmless
    match verdict:
        case Accepted():
            if doubtful:
                return Settled(NoticeState.UNCERTAIN, sends, "It may have arrived twice.")
            return Settled(NoticeState.SENT, sends)
        case Rejected(error=error, permanent=True):
            state = NoticeState.UNCERTAIN if doubtful else NoticeState.FAILED
            return Settled(state, sends, error)
        case Rejected(error=error, retry_after_s=after_s):
            wait_s = pause_s(attempts) if after_s is None else after_s
            state = NoticeState.DUE if sends <= 1 else NoticeState.SENDING
            return Settled(state, sends - 1, error, wait_s)
        case Unknown(error=error):
            if doubtful:
                return Settled(NoticeState.UNCERTAIN, sends, f"It may have arrived. {error}")
            return Settled(NoticeState.SENDING, sends, error, ASK_AGAIN_S)
