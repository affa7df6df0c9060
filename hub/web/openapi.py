"""The API's description, made from the models it validates with, as JSON and as a page."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from flask import Blueprint, Response, render_template_string
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hub.web.api_models import OrderIn, OrderOut, OrderPatch, PageOut, ProblemOut, StoredOut

VERSION = "1.0.0"
_ID = {
    "name": "order_id",
    "in": "path",
    "required": True,
    "description": "the hub's id of the order",
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
    for model in (OrderOut, PageOut, StoredOut, ProblemOut):
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
            "description": "Send orders, follow them, change and cancel them.",
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
        },
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
        html = render_template_string(_PAGE, api=document(), methods=("get", "post", "patch"))
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        return Response(html, headers={"Content-Security-Policy": policy})

    return routes


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


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ api.info.title }}: API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .75rem .25rem 0;
border-bottom:1px solid #ccc;vertical-align:top}code,pre{font-size:.9em}
pre{background:#f3f3f0;padding:1rem;overflow:auto}h2{margin-top:2.5rem}
</style></head><body>
<h1>{{ api.info.title }}: API</h1>
<p>{{ api.info.description }} The same for machines:
<a href="/api/openapi.json">openapi.json</a>.</p>
<h2>A first order</h2>
<pre>curl https://your-hub/api/v1/orders \\
  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -H "Idempotency-Key: order-1001" \\
  -d '{"ref": "1001", "address": {"lines": ["Mannerheimintie 14"], "city": "Helsinki"},
       "contacts": [{"name": "Aino Laine", "phone": "+358401234567"}]}'</pre>
<p>Keys have scopes: <code>orders:read</code> and <code>orders:write</code>. Errors are
<code>application/problem+json</code>; <code>errors</code> points at each field to mend.
Bodies are UTF-8 JSON of at most 2 MB.</p>
<h2>Calls</h2>
{% for path, calls in api.paths.items() %}{% for method in methods if method in calls %}
{% set call = calls[method] %}
<h3 id="{{ call.operationId }}"><code>{{ method|upper }} {{ path }}</code></h3>
<p>{{ call.summary }}.</p>
{% if call.parameters %}<table>{% for p in call.parameters %}
<tr><td><code>{{ p.name }}</code></td><td>{{ p.in }}</td><td>{{ p.description }}</td></tr>
{% endfor %}</table>{% endif %}
<p>Answers: {{ call.responses|join(", ") }}</p>
{% endfor %}{% endfor %}
<h2>Shapes</h2>
{% for name, shape in api.components.schemas.items() if shape.properties %}
<h3 id="{{ name }}">{{ name }}</h3>
{% if shape.description %}<p>{{ shape.description }}</p>{% endif %}
<table>{% for field, kind in shape.properties.items() %}
<tr><td><code>{{ field }}</code>{{ " *" if field in shape.get("required", []) }}</td>
<td><code>{{ kind|tojson }}</code></td></tr>{% endfor %}</table>
{% endfor %}
</body></html>
"""
