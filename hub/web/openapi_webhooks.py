"""Webhooks in the API's description: where they go, what was sent, and what comes."""

from __future__ import annotations

from typing import Any

from hub.core.webhook_types import ABOUT, DATA
from hub.web.openapi_parts import KEY, PAGE, operation, query, ref

_ENDPOINT = {
    "name": "endpoint_id",
    "in": "path",
    "required": True,
    "description": "the hub's id of the endpoint",
    "schema": {"type": "string", "format": "uuid"},
}
_WEBHOOK = {
    "name": "webhook_id",
    "in": "path",
    "required": True,
    "description": "the `webhook-id` it came with",
    "schema": {"type": "string", "format": "uuid"},
}


def endpoints() -> dict[str, Any]:
    """The calls by which somebody says where webhooks go."""
    at, known = "/api/v1/webhook-endpoints", (401, 403, 404, 422)
    return {
        at: {
            "post": operation(
                "makeWebhookEndpoint",
                "Be told at an address of yours; the answer holds the secret, once",
                {"201": "WebhookEndpointMade"},
                (400, 401, 403, 409, 413, 415, 422),
                parameters=[KEY],
                body=ref("WebhookEndpointIn"),
            ),
            "get": operation(
                "listWebhookEndpoints",
                "List the endpoints, oldest first",
                {"200": "WebhookEndpointsOut"},
                (401, 403, 422),
            ),
        },
        f"{at}/{{endpoint_id}}": {
            "parameters": [_ENDPOINT],
            "get": operation(
                "getWebhookEndpoint", "See one endpoint", {"200": "WebhookEndpointOut"}, known
            ),
            "patch": operation(
                "changeWebhookEndpoint",
                "Change an endpoint, switch it on or off",
                {"200": "WebhookEndpointOut"},
                (400, 401, 403, 404, 409, 413, 415, 422),
                parameters=[KEY],
                body=ref("WebhookEndpointPatch"),
            ),
            "delete": operation(
                "removeWebhookEndpoint",
                "Remove an endpoint with its log; the answer is what it was",
                {"200": "WebhookEndpointOut"},
                (401, 403, 404, 409, 422),
                parameters=[KEY],
            ),
        },
        f"{at}/{{endpoint_id}}/secret": {
            "parameters": [_ENDPOINT],
            "post": operation(
                "changeWebhookSecret",
                "Make a new secret; the old one signs beside it for 24 hours",
                {"201": "WebhookSecretOut"},
                (400, 401, 403, 404, 409, 422),
                parameters=[KEY],
            ),
        },
        f"{at}/{{endpoint_id}}/test": {
            "parameters": [_ENDPOINT],
            "post": operation(
                "sendTestWebhook",
                "Send a test now, and be told what was answered",
                {"200": "WebhookTestOut"},
                (400, 401, 403, 404, 422),
            ),
        },
    }


def log() -> dict[str, Any]:
    """The calls by which somebody sees what was sent, and sends it again."""
    at = "/api/v1/webhook-endpoints/{endpoint_id}/webhooks"
    status = {"type": "string", "enum": ["waiting", "delivered", "given_up"]}
    return {
        at: {
            "parameters": [_ENDPOINT],
            "get": operation(
                "listWebhooks",
                "List what was sent in the last 30 days and what waits, newest first",
                {"200": "WebhooksOut"},
                (401, 403, 404, 422),
                parameters=query(*PAGE, ("status", "only with this status", status)),
            ),
        },
        f"{at}/send": {
            "parameters": [_ENDPOINT],
            "post": operation(
                "sendGivenUpWebhooks",
                "Send again what was given up, each under its same id",
                {"200": "WebhooksSentOut"},
                (400, 401, 403, 404, 409, 413, 415, 422),
                parameters=[KEY],
                body=ref("WebhooksSendIn"),
            ),
        },
        f"{at}/{{webhook_id}}": {
            "parameters": [_ENDPOINT, _WEBHOOK],
            "get": operation(
                "getWebhook",
                "See one with its body, and what each attempt was answered",
                {"200": "WebhookSeenOut"},
                (401, 403, 404, 422),
            ),
        },
        f"{at}/{{webhook_id}}/send": {
            "parameters": [_ENDPOINT, _WEBHOOK],
            "post": operation(
                "sendWebhook",
                "Send one now: again if it had ended, else without waiting for its next attempt",
                {"200": "WebhookOut"},
                (400, 401, 403, 404, 409, 422),
                parameters=[KEY],
            ),
        },
    }


def told(type_: str) -> dict[str, Any]:
    """What comes to an endpoint, as OpenAPI 3.1 describes calls to the other side."""
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": type_},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": ref(DATA[type_].__name__),
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
