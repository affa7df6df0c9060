"""What was sent to an endpoint, over the API: ``…/webhook-endpoints/{endpoint_id}/webhooks``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from flask import Blueprint, Response, request
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from hub.core.errors import Refused
from hub.db.tables import WebhookRow
from hub.db.unit import Unit
from hub.flows.api_keys import Caller, Scope
from hub.flows.webhook_log import (
    Shown,
    WebhookSeen,
    endpoint_seen,
    send_again,
    send_dead,
    webhook_seen,
    webhooks_of,
)
from hub.web.api_asking import actor_of, asks, no_body, no_query, page_of, query_of, respond, valid
from hub.web.api_fields import In
from hub.web.idempotency import Answer, once
from hub.web.problems import Problem, json_body

if TYPE_CHECKING:
    from hub.app import Hub

Status = Literal["waiting", "delivered", "given_up"]
STATUSES: Mapping[str, Status] = {"due": "waiting", "delivered": "delivered", "dead": "given_up"}
SHOWN: Mapping[str, Shown] = {
    "": "all",
    "waiting": "waiting",
    "delivered": "delivered",
    "given_up": "dead",
}
NEXT_AT = "when it is tried next, where nothing before it fails; null unless it waits"
SINCE = "what happened from this moment on"


class WebhookOut(BaseModel):
    """One event for one endpoint. ``attempts`` since it was made or sent again by hand."""

    id: Annotated[str, Field(description="the webhook-id of every attempt")]
    type: str
    status: Status
    attempts: int
    problem: Annotated[str, Field(description="of the last attempt")]
    occurred_at: datetime
    next_attempt_at: Annotated[datetime | None, Field(description=NEXT_AT)]
    ended_at: Annotated[datetime | None, Field(description="when it was delivered or given up")]


class WebhooksOut(BaseModel):
    webhooks: list[WebhookOut]
    next: Annotated[str | None, Field(description="asks for the next page; null on the last")]


class WebhookAttemptOut(BaseModel):
    """``status`` is null when no answer came; then ``problem`` says why."""

    at: datetime
    status: int | None
    answer: Annotated[str, Field(description="the beginning of what came back")]
    problem: str
    lasted_ms: int


class WebhookSeenOut(WebhookOut):
    body: Annotated[str, Field(description="as it is signed and sent, to the byte")]
    log: Annotated[list[WebhookAttemptOut], Field(description="every attempt, oldest first")]


class WebhooksSendIn(In):
    """All that was given up is sent again, in its order."""

    since: Annotated[AwareDatetime, Field(description=SINCE)]


class WebhooksSentOut(BaseModel):
    sent: Annotated[int, Field(description="how many are sent again now")]


TAKEN = (WebhooksSendIn,)
GIVEN = (WebhookOut, WebhooksOut, WebhookAttemptOut, WebhookSeenOut, WebhooksSentOut)
_send: TypeAdapter[WebhooksSendIn] = TypeAdapter(WebhooksSendIn)


def api_webhook_log(hub: Hub) -> Blueprint:
    at = "/api/v1/webhook-endpoints/<row_id:endpoint_id>/webhooks"
    routes = Blueprint("api_webhook_log", __name__, url_prefix=at)

    @routes.get("")
    def list_webhooks(endpoint_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_READ)
        query = query_of("limit", "after", "status")
        limit, after = page_of(query)
        if (status := query.get("status", "")) not in SHOWN:
            raise Problem(422, "status must be waiting, delivered or given_up.")
        _endpoint(hub, who, endpoint_id)
        about = (who.business_id, endpoint_id, SHOWN[status], after)
        rows, more = webhooks_of(hub, *about, limit=limit)
        page = WebhooksOut(webhooks=[_out(row) for row in rows], next=more or None)
        return respond((200, page.model_dump(mode="json")))

    @routes.post("/send")
    def send_given_up(endpoint_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_WRITE)
        no_query()
        body = json_body(request)
        since = valid(_send, body).since

        def work(unit: Unit) -> Answer:
            about = (who.business_id, endpoint_id, since, actor_of(who))
            try:
                sent = send_dead(hub, unit, *about)
            except LookupError:
                raise Problem(404, "There is no such endpoint.") from None
            except Refused as problem:
                raise Problem(409, str(problem)) from None
            return 200, WebhooksSentOut(sent=sent).model_dump(mode="json")

        return respond(once(hub, who.business_id, request, body, work))

    @routes.get("/<row_id:webhook_id>")
    def show(endpoint_id: str, webhook_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_READ)
        no_query()
        seen = _seen(hub, who, endpoint_id, webhook_id)
        shown = WebhookSeenOut(
            **_out(seen.row).model_dump(), body=seen.row.body, log=_log(seen.attempts)
        )
        return respond((200, shown.model_dump(mode="json")))

    @routes.post("/<row_id:webhook_id>/send")
    def send(endpoint_id: str, webhook_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_WRITE)
        no_query()
        no_body()

        def work(unit: Unit) -> Answer:
            try:
                row = send_again(hub, unit, who.business_id, webhook_id, actor_of(who), endpoint_id)
            except LookupError:
                raise _no_webhook() from None
            except Refused as problem:
                raise Problem(409, str(problem)) from None
            return 200, _out(row).model_dump(mode="json")

        return respond(once(hub, who.business_id, request, b"", work))

    return routes


def _endpoint(hub: Hub, who: Caller, endpoint_id: str) -> None:
    try:
        endpoint_seen(hub, who.business_id, endpoint_id)
    except LookupError:
        raise Problem(404, "There is no such endpoint.") from None


def _seen(hub: Hub, who: Caller, endpoint_id: str, webhook_id: str) -> WebhookSeen:
    try:
        seen = webhook_seen(hub, who.business_id, webhook_id)
    except LookupError:
        raise _no_webhook() from None
    if seen.row.endpoint_id != endpoint_id:
        raise _no_webhook()
    return seen


def _no_webhook() -> Problem:
    detail = "This endpoint has no such webhook. What was sent is kept for 30 days."
    return Problem(404, detail)


def _out(row: WebhookRow) -> WebhookOut:
    return WebhookOut(
        id=row.id,
        type=row.type,
        status=STATUSES[row.state],
        attempts=row.attempts,
        problem=row.problem,
        occurred_at=row.occurred_at,
        next_attempt_at=row.due_at if row.state == "due" else None,
        ended_at=row.settled_at,
    )


def _log(attempts: Sequence[object]) -> list[WebhookAttemptOut]:
    return [WebhookAttemptOut.model_validate(one, from_attributes=True) for one in attempts]
