"""The API's description, made from the models it validates with, as JSON and as a page."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hub.core.webhook_types import ABOUT, DATA
from hub.web.api_models import OrderIn, OrderOut, OrderPatch, PageOut, ProblemOut, StoredOut
from hub.web.api_webhooks import GIVEN, TAKEN
from hub.web.api_words import fields_in_words, listed
from hub.web.pages import page as html
from hub.web.problems import MEANINGS, TITLES

VERSION = "1.1.0"
_ID = {
    "name": "order_id",
    "in": "path",
    "required": True,
    "description": "the hub's id of the order",
    "schema": {"type": "string", "format": "uuid"},
}
_ENDPOINT = {
    "name": "endpoint_id",
    "in": "path",
    "required": True,
    "description": "the hub's id of the endpoint",
    "schema": {"type": "string", "format": "uuid"},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Send the same key to repeat safely; the first answer is kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_QUERY = (
    ("limit", "how many at most", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    ("after", "`next` of the page before", {"type": "string", "format": "uuid"}),
    ("source", "only of this connection", {"type": "string", "minLength": 1, "maxLength": 200}),
    ("ref", "only with this ref", {"type": "string", "minLength": 1, "maxLength": 200}),
    ("status", "only with this status", {"type": "string", "enum": ["open", "cancelled"]}),
)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document; the same one each time, so not to be changed."""
    taken: list[tuple[type[BaseModel], Literal["validation", "serialization"]]]
    taken = [(OrderIn, "validation"), (OrderPatch, "validation")]
    taken += [(model, "validation") for model in TAKEN]
    told: list[type[BaseModel]] = list(dict.fromkeys(DATA.values()))
    models: list[type[BaseModel]] = [OrderOut, PageOut, StoredOut, *GIVEN, ProblemOut, *told]
    for model in models:
        taken.append((model, "serialization"))
    _, schemas = models_json_schema(taken, ref_template="#/components/schemas/{model}")
    one_or_many = {
        "oneOf": [_ref("OrderIn"), {"type": "array", "items": _ref("OrderIn"), "maxItems": 1000}]
    }
    query = [{"name": n, "in": "query", "description": d, "schema": s} for n, d, s in _QUERY]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Last Mile Hub",
            "version": VERSION,
            "description": "Send orders, follow, change and cancel them; be told what happens.",
        },
        "security": [{"key": []}],
        "paths": {
            "/api/v1/orders": {
                "post": _operation(
                    "sendOrders",
                    "Send one order, or up to 1,000; all are stored or none",
                    {"200": "StoredOut", "201": "StoredOut"},
                    (400, 401, 403, 409, 413, 415, 422),
                    parameters=[_KEY],
                    body=one_or_many,
                ),
                "get": _operation(
                    "listOrders",
                    "List orders, oldest first",
                    {"200": "PageOut"},
                    (401, 403, 422),
                    parameters=query,
                ),
            },
            "/api/v1/orders/{order_id}": {
                "parameters": [_ID],
                "get": _operation(
                    "getOrder", "See one order and its jobs", {"200": "OrderOut"}, (401, 403, 404)
                ),
                "patch": _operation(
                    "changeOrder",
                    "Change fields of an open order",
                    {"200": "OrderOut"},
                    (400, 401, 403, 404, 409, 413, 415, 422),
                    parameters=[_KEY],
                    body=_ref("OrderPatch"),
                ),
            },
            "/api/v1/orders/{order_id}/cancel": {
                "parameters": [_ID],
                "post": _operation(
                    "cancelOrder",
                    "Cancel an order; safe to repeat",
                    {"200": "OrderOut"},
                    (400, 401, 403, 404, 409),
                    parameters=[_KEY],
                ),
            },
            **_endpoints(),
        },
        "webhooks": {type_: _webhook(type_) for type_ in ABOUT},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _endpoints() -> dict[str, Any]:
    """The calls by which somebody says where webhooks go."""
    at, known = "/api/v1/webhook-endpoints", (401, 403, 404, 422)
    return {
        at: {
            "post": _operation(
                "makeWebhookEndpoint",
                "Be told at an address of yours; the answer holds the secret, once",
                {"201": "WebhookEndpointMade"},
                (400, 401, 403, 409, 413, 415, 422),
                parameters=[_KEY],
                body=_ref("WebhookEndpointIn"),
            ),
            "get": _operation(
                "listWebhookEndpoints",
                "List the endpoints, oldest first",
                {"200": "WebhookEndpointsOut"},
                (401, 403, 422),
            ),
        },
        f"{at}/{{endpoint_id}}": {
            "parameters": [_ENDPOINT],
            "get": _operation(
                "getWebhookEndpoint", "See one endpoint", {"200": "WebhookEndpointOut"}, known
            ),
            "patch": _operation(
                "changeWebhookEndpoint",
                "Change an endpoint, switch it on or off",
                {"200": "WebhookEndpointOut"},
                (400, 401, 403, 404, 409, 413, 415, 422),
                parameters=[_KEY],
                body=_ref("WebhookEndpointPatch"),
            ),
            "delete": _operation(
                "removeWebhookEndpoint",
                "Remove an endpoint with its log; the answer is what it was",
                {"200": "WebhookEndpointOut"},
                (401, 403, 404, 409, 422),
                parameters=[_KEY],
            ),
        },
        f"{at}/{{endpoint_id}}/secret": {
            "parameters": [_ENDPOINT],
            "post": _operation(
                "changeWebhookSecret",
                "Make a new secret; the old one signs beside it for 24 hours",
                {"201": "WebhookSecretOut"},
                (400, 401, 403, 404, 409, 422),
                parameters=[_KEY],
            ),
        },
        f"{at}/{{endpoint_id}}/test": {
            "parameters": [_ENDPOINT],
            "post": _operation(
                "sendTestWebhook",
                "Send a test now, and be told what was answered",
                {"200": "WebhookTestOut"},
                (400, 401, 403, 404, 422),
            ),
        },
    }


def _webhook(type_: str) -> dict[str, Any]:
    """What comes to an endpoint, as OpenAPI 3.1 describes calls to the other side."""
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": type_},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": _ref(DATA[type_].__name__),
        },
    }
    return {
        "post": {
            "operationId": f"told {type_}",
            "summary": ABOUT[type_],
            "security": [],
            "parameters": [
                {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
                for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": body}},
            },
            "responses": {
                "2XX": {"description": "Taken; any other answer is tried again"},
                "410": {
                    "description": "Nobody listens here any more: the endpoint is switched off"
                },
            },
        }
    }


def docs() -> Blueprint:
    routes = Blueprint("docs", __name__, url_prefix="/api")

    @routes.get("/openapi.json")
    def openapi_json() -> dict[str, Any]:
        return document()

    @routes.get("/docs")
    def page() -> Response:
        api = document()
        schemas = api["components"]["schemas"]
        shapes = {name: one for name, one in schemas.items() if "properties" in one}
        calls = [call for path in api["paths"].values() for call in path.values()]
        return html(
            "api/docs.html",
            api=api,
            methods=("get", "post", "patch", "delete"),
            bodies={call["operationId"]: _takes(call) for call in calls if "responses" in call},
            titles=TITLES,
            meanings=MEANINGS,
            shapes={name: fields_in_words(one, schemas) for name, one in shapes.items()},
            abouts={name: _about(one) for name, one in shapes.items()},
            listed=listed,
            told={type_: (ABOUT[type_], DATA[type_].__name__) for type_ in ABOUT},
        )

    return routes


def _takes(call: dict[str, Any]) -> str:
    """The name of the shape a call takes; "" for none."""
    found = re.search(r"schemas/(\w+)", str(call.get("requestBody", "")))
    return found[1] if found else ""


def _about(shape: dict[str, Any]) -> str:
    return " ".join(str(shape.get("description", "")).replace("``", "").split())


def _ref(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}


def _operation(
    name: str,
    summary: str,
    answers: dict[str, str],
    problems: tuple[int, ...],
    *,
    parameters: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": _ref("ProblemOut")}}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {
            status: {
                "description": "Done",
                "content": {"application/json": {"schema": _ref(model)}},
            }
            for status, model in answers.items()
        }
        | {str(status): {"description": "Refused", "content": problem} for status in problems}
        | {"default": {"description": "Failed", "content": problem}},
    }
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation
