"""The API's description, made from the models it validates with, as JSON and as a page."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hub.core.webhook_types import ABOUT, DATA
from hub.web import api_asked, api_webhook_log, api_webhooks, openapi_asked, openapi_webhooks
from hub.web.api_models import OrderIn, OrderOut, OrderPatch, PageOut, ProblemOut, StoredOut
from hub.web.api_words import fields_in_words, listed
from hub.web.openapi_parts import KEY, PAGE, operation, query, ref
from hub.web.pages import page as html
from hub.web.problems import MEANINGS, TITLES

VERSION = "1.3.0"
_ID = {
    "name": "order_id",
    "in": "path",
    "required": True,
    "description": "the hub's id of the order",
    "schema": {"type": "string", "format": "uuid"},
}
_ASKED = (
    *PAGE,
    ("source", "only of this connection", {"type": "string", "minLength": 1, "maxLength": 200}),
    ("ref", "only with this ref", {"type": "string", "minLength": 1, "maxLength": 200}),
    ("status", "only with this status", {"type": "string", "enum": ["open", "cancelled"]}),
)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document; the same one each time, so not to be changed."""
    taken: list[tuple[type[BaseModel], Literal["validation", "serialization"]]]
    taken = [(OrderIn, "validation"), (OrderPatch, "validation")]
    taken += [(model, "validation") for model in (*api_webhooks.TAKEN, *api_webhook_log.TAKEN)]
    taken += [(model, "validation") for model in api_asked.TAKEN]
    told: list[type[BaseModel]] = list(dict.fromkeys(DATA.values()))
    given: list[type[BaseModel]] = [*api_webhooks.GIVEN, *api_webhook_log.GIVEN, *api_asked.GIVEN]
    models: list[type[BaseModel]] = [OrderOut, PageOut, StoredOut, *given, ProblemOut, *told]
    for model in models:
        taken.append((model, "serialization"))
    _, schemas = models_json_schema(taken, ref_template="#/components/schemas/{model}")
    one_or_many = {
        "oneOf": [ref("OrderIn"), {"type": "array", "items": ref("OrderIn"), "maxItems": 1000}]
    }
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
                "post": operation(
                    "sendOrders",
                    "Send one order, or up to 1,000; all are stored or none",
                    {"200": "StoredOut", "201": "StoredOut"},
                    (400, 401, 403, 409, 413, 415, 422),
                    parameters=[KEY],
                    body=one_or_many,
                ),
                "get": operation(
                    "listOrders",
                    "List orders, oldest first",
                    {"200": "PageOut"},
                    (401, 403, 422),
                    parameters=query(*_ASKED),
                ),
            },
            "/api/v1/orders/{order_id}": {
                "parameters": [_ID],
                "get": operation(
                    "getOrder", "See one order and its jobs", {"200": "OrderOut"}, (401, 403, 404)
                ),
                "patch": operation(
                    "changeOrder",
                    "Change fields of an open order",
                    {"200": "OrderOut"},
                    (400, 401, 403, 404, 409, 413, 415, 422),
                    parameters=[KEY],
                    body=ref("OrderPatch"),
                ),
            },
            "/api/v1/orders/{order_id}/cancel": {
                "parameters": [_ID],
                "post": operation(
                    "cancelOrder",
                    "Cancel an order; safe to repeat",
                    {"200": "OrderOut"},
                    (400, 401, 403, 404, 409),
                    parameters=[KEY],
                ),
            },
            **openapi_asked.calls(),
            **openapi_webhooks.endpoints(),
            **openapi_webhooks.log(),
        },
        "webhooks": {type_: openapi_webhooks.told(type_) for type_ in ABOUT},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
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
