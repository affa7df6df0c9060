"""Where a business's programs listen, over the API: ``/api/v1/webhook-endpoints``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter
from sqlmodel import Session

from hub.core.errors import ConfigError
from hub.core.webhook_types import TYPES, WebhookType
from hub.core.webhooks import OLD_SIGNS
from hub.db.tables import EndpointRow
from hub.db.unit import Unit
from hub.flows.api_keys import Caller, Scope
from hub.flows.endpoint_secrets import renew_secret
from hub.flows.endpoints import (
    EndpointIn,
    Made,
    add_endpoint,
    amend_endpoint,
    checked_url,
    drop_endpoint,
    endpoint_of,
    endpoints_of,
)
from hub.flows.webhook_send import send_test
from hub.web.api_asking import actor_of, asks, no_body, no_query, respond, valid
from hub.web.api_fields import In, Name
from hub.web.idempotency import Answer, once, once_prepared
from hub.web.problems import Problem, json_body, pointer

if TYPE_CHECKING:
    from hub.app import Hub

URL = "where it listens; https, and no address inside a private network"
TOLD = "what it is told; left out: everything there is today"
SHOWN_ONCE = "shown in this answer alone; null where the request was made before"
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000), Field(description=URL)]
Types = Annotated[list[WebhookType], Field(min_length=1, max_length=50, description=TOLD)]


class WebhookEndpointIn(In):
    url: Url
    description: Annotated[Name, Field(description="for people")] = ""
    types: Types = list(TYPES)


class WebhookEndpointPatch(In):
    """The fields to change. ``active`` false: what waits is not sent by itself any more."""

    url: Url = Field(default_factory=str)  # a default no caller sees or sends
    description: Name = ""
    types: Types = Field(default_factory=list)
    active: bool = True


class WebhookEndpointOut(BaseModel):
    """``state``: on, off (by somebody), failing or gone (switched off by the hub)."""

    id: str
    url: str
    description: str
    types: list[str]
    state: str
    problem: Annotated[str, Field(description="why it was switched off, or what fails now")]
    failing_since: datetime | None
    created_at: datetime


class WebhookEndpointMade(WebhookEndpointOut):
    secret: Annotated[str | None, Field(description=SHOWN_ONCE)]


class WebhookEndpointsOut(BaseModel):
    endpoints: list[WebhookEndpointOut]


class WebhookSecretOut(BaseModel):
    """The new secret. Both sign until ``old_signs_until``."""

    secret: Annotated[str | None, Field(description=SHOWN_ONCE)]
    old_signs_until: datetime


class WebhookTestOut(BaseModel):
    """``status`` is null when no answer came; then ``problem`` says why."""

    delivered: bool
    status: int | None
    answer: Annotated[str, Field(description="the beginning of what came back")]
    problem: str
    lasted_ms: int


TAKEN = (WebhookEndpointIn, WebhookEndpointPatch)
GIVEN = (
    WebhookEndpointOut,
    WebhookEndpointMade,
    WebhookEndpointsOut,
    WebhookSecretOut,
    WebhookTestOut,
)
_new: TypeAdapter[WebhookEndpointIn] = TypeAdapter(WebhookEndpointIn)
_patch: TypeAdapter[WebhookEndpointPatch] = TypeAdapter(WebhookEndpointPatch)


def api_webhooks(hub: Hub) -> Blueprint:
    routes = Blueprint("api_webhooks", __name__, url_prefix="/api/v1/webhook-endpoints")

    def once_secret(
        who: Caller,
        body: bytes,
        prepare: Callable[[], Callable[[Unit], Made]],
        says: Callable[[EndpointRow], Any],
    ) -> Response:
        """As ``once_prepared``, but the answer that is kept holds no secret."""
        made: list[Made] = []

        def prepared() -> Callable[[Unit], Answer]:
            work = prepare()

            def keep(unit: Unit) -> Answer:
                made.append(work(unit))
                return 201, says(made[0].endpoint)

            return keep

        status, content = once_prepared(hub, who.business_id, request, body, prepared)
        return respond((status, content | {"secret": made[0].secret if made else None}))

    @routes.get("")
    def list_endpoints() -> Response:
        who = asks(hub, Scope.WEBHOOKS_READ)
        no_query()
        with hub.reading() as session:
            seen = [_out(row) for row in endpoints_of(session, who.business_id)]
        return respond((200, {"endpoints": seen}))

    @routes.post("")
    def make() -> Response:
        who = asks(hub, Scope.WEBHOOKS_WRITE)
        no_query()
        body = json_body(request)
        asked = valid(_new, body)

        def prepare() -> Callable[[Unit], Made]:
            url = _checked(hub, asked.url)
            given = EndpointIn(url=url, description=asked.description, types=asked.types)

            def work(unit: Unit) -> Made:
                try:
                    return add_endpoint(hub, unit, who.business_id, given, url, actor_of(who))
                except ConfigError as problem:
                    raise Problem(409, str(problem)) from None

            return work

        return once_secret(who, body, prepare, _out)

    @routes.get("/<row_id:endpoint_id>")
    def show(endpoint_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_READ)
        no_query()
        with hub.reading() as session:
            return respond((200, _out(_known(session, who, endpoint_id))))

    @routes.patch("/<row_id:endpoint_id>")
    def change(endpoint_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_WRITE)
        no_query()
        body = json_body(request)
        changes = valid(_patch, body).model_dump(exclude_unset=True)

        def prepare() -> Callable[[Unit], Answer]:
            with hub.reading() as session:
                _known(session, who, endpoint_id)
            if "url" in changes:
                changes["url"] = _checked(hub, changes["url"])
            return work

        def work(unit: Unit) -> Answer:
            _known(unit.session, who, endpoint_id)
            about = (who.business_id, endpoint_id, changes, actor_of(who))
            return 200, _out(amend_endpoint(hub, unit, *about))

        return respond(once_prepared(hub, who.business_id, request, body, prepare))

    @routes.delete("/<row_id:endpoint_id>")
    def remove(endpoint_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_WRITE)
        no_query()

        def work(unit: Unit) -> Answer:
            _known(unit.session, who, endpoint_id)
            about = (who.business_id, endpoint_id, actor_of(who))
            return 200, _out(drop_endpoint(hub, unit, *about))

        return respond(once(hub, who.business_id, request, b"", work))

    @routes.post("/<row_id:endpoint_id>/secret")
    def secret(endpoint_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_WRITE)
        no_query()
        no_body()

        def work(unit: Unit) -> Made:
            _known(unit.session, who, endpoint_id)
            return renew_secret(hub, unit, who.business_id, endpoint_id, actor_of(who))

        def says(_: EndpointRow) -> Any:
            until = WebhookSecretOut(secret=None, old_signs_until=hub.now() + OLD_SIGNS)
            return until.model_dump(mode="json")

        return once_secret(who, b"", lambda: work, says)

    @routes.post("/<row_id:endpoint_id>/test")
    def test(endpoint_id: str) -> Response:
        who = asks(hub, Scope.WEBHOOKS_WRITE)
        no_query()
        no_body()
        try:
            _, answer = send_test(hub, who.business_id, endpoint_id)
        except LookupError:
            raise Problem(404, "There is no such endpoint.") from None
        seen = WebhookTestOut(
            delivered=not answer.problem,
            status=answer.status,
            answer=answer.text,
            problem=answer.problem,
            lasted_ms=answer.lasted_ms,
        )
        return respond((200, seen.model_dump(mode="json")))

    return routes


def _checked(hub: Hub, url: str) -> str:
    try:
        return checked_url(hub, url)
    except ConfigError as problem:
        errors = [(pointer("url"), str(problem))]
        raise Problem(422, "Nothing was stored; mend the field named.", errors) from None


def _known(session: Session, who: Caller, endpoint_id: str) -> EndpointRow:
    try:
        return endpoint_of(session, who.business_id, endpoint_id)
    except LookupError:
        raise Problem(404, "There is no such endpoint.") from None


def _out(row: EndpointRow) -> Any:
    return WebhookEndpointOut.model_validate(row, from_attributes=True).model_dump(mode="json")
