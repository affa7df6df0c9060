"""What a business's programs can be told: a small catalogue, made from the hub's own events.

Each webhook's body is ``{type, timestamp, data}``. It holds ids and what changed, and nothing of
a person: who wants more asks the API by the order's id. Texts of ``ABOUT`` stand in the panel,
in OpenAPI and in the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from hub.core.events import (
    DriverArrived,
    DriverHeaded,
    DriverLeft,
    EtaChanged,
    Event,
    GoodsFetched,
    GoodsNotFetched,
    JobClosed,
    JobDispatched,
    JobWithdrawn,
    NextStepChosen,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    RatingGiven,
    RecipientAsked,
    RoutePublished,
)
from hub.core.jobs import NextStep, Outcome
from hub.core.orders import Kind
from hub.core.self_service import Asked

WebhookType = Literal[
    "order.placed",
    "order.amended",
    "order.cancelled",
    "route.published",
    "job.dispatched",
    "job.withdrawn",
    "job.on_its_way",
    "job.eta_changed",
    "job.arrived",
    "job.left",
    "job.succeeded",
    "job.partial",
    "job.failed",
    "job.skipped",
    "job.cancelled",
    "job.next_step",
    "job.fetched",
    "job.not_fetched",
    "recipient.asked",
    "proof.ready",
    "rating.given",
]
TYPES: tuple[WebhookType, ...] = get_args(WebhookType)
TEST = "endpoint.test"
ABOUT: Mapping[str, str] = {
    "order.placed": "a new order was accepted",
    "order.amended": "an order was changed",
    "order.cancelled": "an order was withdrawn",
    "route.published": "a route went to its driver",
    "job.dispatched": "a job is on a driver's phone, and a time is promised",
    "job.withdrawn": "a job was taken off its route; the time no longer holds",
    "job.on_its_way": "the driver is on the way to it",
    "job.eta_changed": "the driver is expected at another time",
    "job.arrived": "the driver is there",
    "job.left": "the driver left without ending it, or was not there after all",
    "job.succeeded": "delivered, collected or done",
    "job.partial": "done in part",
    "job.failed": "tried at the door without success",
    "job.skipped": "not tried at the door",
    "job.cancelled": "not wanted any more",
    "job.next_step": "it was decided what follows a job that did not succeed",
    "job.fetched": "its goods, kept to be collected, were handed over at the depot",
    "job.not_fetched": "that was noted by mistake: its goods are kept as before",
    "recipient.asked": "a recipient changed or asked for something on the tracking page",
    "proof.ready": "the proof of a job can be had",
    "rating.given": "somebody rated a delivery on the tracking page, or rated it anew",
    TEST: "somebody pressed Send a test; every endpoint takes it",
}
_PLAIN: Mapping[type[Event], WebhookType] = {
    OrderPlaced: "order.placed",
    OrderAmended: "order.amended",
    OrderCancelled: "order.cancelled",
    RoutePublished: "route.published",
    JobDispatched: "job.dispatched",
    JobWithdrawn: "job.withdrawn",
    DriverHeaded: "job.on_its_way",
    EtaChanged: "job.eta_changed",
    DriverArrived: "job.arrived",
    DriverLeft: "job.left",
    NextStepChosen: "job.next_step",
    GoodsFetched: "job.fetched",
    GoodsNotFetched: "job.not_fetched",
    RecipientAsked: "recipient.asked",
    RatingGiven: "rating.given",
}
_ENDED: Mapping[str, WebhookType] = {
    Outcome.SUCCEEDED: "job.succeeded",
    Outcome.PARTIAL: "job.partial",
    Outcome.FAILED: "job.failed",
    Outcome.SKIPPED: "job.skipped",
    Outcome.CANCELLED: "job.cancelled",
}
HEARD: tuple[type[Event], ...] = (*_PLAIN, JobClosed)


def types_of(event: Event) -> tuple[WebhookType, ...]:
    """What ``event`` is to the outside, in the order in which it is told."""
    if isinstance(event, JobClosed):
        ended = _ENDED[event.outcome]
        return (ended, "proof.ready") if event.proof_id else (ended,)
    return (_PLAIN[type(event)],) if type(event) in _PLAIN else ()


class OrderPart(BaseModel):
    id: Annotated[str, Field(description="as in the API")]
    ref: Annotated[str, Field(description="its id at the source")]
    source: Annotated[str, Field(description="the connection it came by")]
    number: Annotated[str, Field(description="what people call it")]


class JobPart(BaseModel):
    id: Annotated[str, Field(description="as in the order's jobs in the API")]
    kind: Kind
    attempt: int
    leg: Annotated[int, Field(description="1, or 2 for the delivery of what was collected first")]


class RoutePart(BaseModel):
    id: str
    day: date


class ProofFilePart(BaseModel):
    kind: str
    sha256: str


class ProofPart(BaseModel):
    given: Annotated[list[str], Field(description="which demands it meets")]
    files: list[ProofFilePart]


class OrderData(BaseModel):
    order: OrderPart


class AmendedData(OrderData):
    changed: Annotated[list[str], Field(description="the fields that are another now")]


class JobData(OrderData):
    job: JobPart


class EtaData(JobData):
    eta: datetime


class DispatchedData(EtaData):
    route_id: str


class WithdrawnData(JobData):
    route_id: str


class EndedData(JobData):
    outcome: Outcome
    reason: Annotated[str, Field(description='why it failed or was skipped; else ""')]


class NextStepData(JobData):
    step: NextStep
    next_job_id: Annotated[str | None, Field(description="the next attempt, if there is one")]


class AskedData(JobData):
    what: Annotated[Asked, Field(description="what it was about; what was written is not told")]


class ProofData(JobData):
    proof: ProofPart


class RatingPart(BaseModel):
    id: Annotated[str, Field(description="as in the API's ratings, which have its words")]
    stars: Annotated[int, Field(ge=1, le=5)]
    changed: Annotated[bool, Field(description="it was rated before, and is rated anew")]


class RatingData(JobData):
    rating: RatingPart


class RouteData(BaseModel):
    route: RoutePart


class TestData(BaseModel):
    message: str


DATA: Mapping[str, type[BaseModel]] = {
    "order.placed": OrderData,
    "order.amended": AmendedData,
    "order.cancelled": OrderData,
    "route.published": RouteData,
    "job.dispatched": DispatchedData,
    "job.withdrawn": WithdrawnData,
    "job.on_its_way": JobData,
    "job.eta_changed": EtaData,
    "job.arrived": JobData,
    "job.left": JobData,
    "job.succeeded": EndedData,
    "job.partial": EndedData,
    "job.failed": EndedData,
    "job.skipped": EndedData,
    "job.cancelled": EndedData,
    "job.next_step": NextStepData,
    "job.fetched": JobData,
    "job.not_fetched": JobData,
    "recipient.asked": AskedData,
    "proof.ready": ProofData,
    "rating.given": RatingData,
    TEST: TestData,
}


class Body(BaseModel):
    """What is sent, as JSON without spaces."""

    type: str
    timestamp: datetime  # when it happened, in UTC
    data: BaseModel

    def written(self) -> str:
        return self.model_dump_json(serialize_as_any=True)
