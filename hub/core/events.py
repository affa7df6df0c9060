"""Facts the hub announces, named in the past tense.

An event is stored in the transaction that made it true and delivered to every
subscriber at least once. Payloads are ids and small values, never rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hub.core.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``subject_id`` is what the event is about; events of one subject keep their order.

    ``occurred_at`` is when it happened, ``received_at`` when the hub learned of it.
    """

    business_id: str
    subject_id: str
    occurred_at: datetime
    received_at: datetime
    subject_kind: str = "order"
    actor: str = "hub"  # staff:…, device:…, connection:…, hub
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Event):
    """A new order is in the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAmended(Event):
    """The source changed an order; ``changed`` names the fields."""

    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentProposed(Event):
    """The source wants of an order that is on a phone what nobody may change under a driver's
    hands; ``changed`` names it (where, when, goods). A higher ``version`` replaces the question.
    """

    amendment_id: str
    changed: tuple[str, ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentDecided(Event):
    """Somebody decided, or the hub by rule. See ``hub.core.amending.Decision``."""

    amendment_id: str
    decision: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentSeen(Event):
    """The driver has acknowledged what changed about an order."""

    amendment_id: str
    route_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Event):
    """The source, or a person, cancelled an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLocated(Event):
    """A job's place is known, or (``sure`` false) waits for a dispatcher."""

    job_id: str
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDispatched(Event):
    """A job is on a driver's phone; ``window`` is what its recipient may be told."""

    job_id: str
    route_id: str
    eta: str  # ISO 8601


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWithdrawn(Event):
    """A job left a published route; ``rest_waits``: its other stops are yet to be timed anew."""

    job_id: str
    route_id: str
    rest_waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverHeaded(Event):
    """The driver is on the way to this job."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverArrived(Event):
    job_id: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverLeft(Event):
    job_id: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EtaChanged(Event):
    job_id: str
    eta: str  # ISO 8601, the median


@dataclass(frozen=True, slots=True, kw_only=True)
class JobClosed(Event):
    """A job ended, with proof if it needed any. See ``hub.core.jobs.Outcome``."""

    job_id: str
    outcome: str
    attempt: int = 1
    reason: str = ""
    proof_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofCompleted(Event):
    """Proof of a job that had ended is whole only now: it came late, or its pictures did."""

    job_id: str
    proof_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStepChosen(Event):
    """What follows a job that did not succeed; ``next_job_id`` is empty when nothing does."""

    job_id: str
    step: str
    next_job_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsFetched(Event):
    """What was kept at the depot for its recipient has been handed over there."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsNotFetched(Event):
    """That it was handed over there was noted by mistake: it is kept as before."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientAsked(Event):
    """A recipient changed or asked for something on the page behind the link.

    ``what`` is one of ``hub.core.self_service.Asked``. What was written is in no event.
    """

    job_id: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingGiven(Event):
    """Somebody rated how it was handed over, or (``changed``) rated it anew."""

    job_id: str
    rating_id: str
    stars: int
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePublished(Event):
    """A draft went to its driver's phone (subject: the route)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteChanged(Event):
    """A published route is not what the phone last acknowledged (subject: the route)."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteHandedOver(Event):
    """Another driver has a published route (subject: the route)."""

    from_driver_id: str
    to_driver_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftBegan(Event):
    """A driver is at work (subject: the shift)."""

    driver_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftEnded(Event):
    """A driver has gone home, whatever is left to do (subject: the shift)."""

    driver_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakBegan(Event):
    """A driver rests, by his own word (subject: the shift)."""

    driver_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEnded(Event):
    """A driver's break is over: he said so, or went on with his work (subject: the shift)."""

    driver_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSwitchedOff(Event):
    """The hub gave up telling a business's program, for ``problem`` (subject: the endpoint)."""

    problem: str


ALL: dict[str, type[Event]] = {
    cls.__name__: cls
    for cls in (
        OrderPlaced,
        OrderAmended,
        AmendmentProposed,
        AmendmentDecided,
        AmendmentSeen,
        OrderCancelled,
        JobLocated,
        JobDispatched,
        JobWithdrawn,
        DriverHeaded,
        DriverArrived,
        DriverLeft,
        EtaChanged,
        JobClosed,
        ProofCompleted,
        NextStepChosen,
        GoodsFetched,
        GoodsNotFetched,
        RecipientAsked,
        RatingGiven,
        RoutePublished,
        RouteChanged,
        RouteHandedOver,
        ShiftBegan,
        ShiftEnded,
        BreakBegan,
        BreakEnded,
        EndpointSwitchedOff,
    )
}
