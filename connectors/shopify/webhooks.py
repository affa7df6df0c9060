"""The calls by which a shop rings: telling a genuine one, and seeing to it that they come.

A subscription is deleted after 8 calls in a row that nobody took (dev.to/shannonllc, citing
shopify.dev, 2026-09-27), so what is missing is made again each time.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from connectors.shopify import queries
from connectors.shopify.answers import refuse_user_errors
from connectors.shopify.client import Client
from hub import BadSignature, WebhookRequest

ORDERS = (
    "ORDERS_CREATE",
    "ORDERS_UPDATED",
    "ORDERS_EDITED",
    "ORDERS_CANCELLED",
    "ORDERS_PAID",
    "ORDERS_FULFILLED",
    "ORDERS_DELETE",
)
UNITS = (
    "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE",
    "FULFILLMENT_ORDERS_PLACED_ON_HOLD",
    "FULFILLMENT_ORDERS_HOLD_RELEASED",
    "FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY",
    "FULFILLMENT_ORDERS_CANCELLED",
    "FULFILLMENT_ORDERS_RESCHEDULED",
    "FULFILLMENT_ORDERS_MOVED",
    "FULFILLMENT_ORDERS_SPLIT",
    "FULFILLMENT_ORDERS_MERGED",
    "FULFILLMENT_ORDERS_LINE_ITEMS_PREPARED_FOR_LOCAL_DELIVERY",
)
TOPICS = (*ORDERS, *UNITS, "APP_UNINSTALLED")
RINGS = ("orders/", "fulfillment_orders/", "fulfillments/", "app/uninstalled")
ENOUGH = ["id", "updated_at"]  # nobody reads more of a call, so no name or address is sent


def call_id(request: WebhookRequest, secret: str, shop: str) -> str | None:
    """What names a genuine call, the same at each repeat; ``None`` for one that is about no
    order: a test, or one of those on privacy.

    The newer Events send the same headers without ``X-`` (shopify.dev events/verify-deliveries,
    2026-11).
    """
    signature = _header(request, "hmac-sha256")
    right = b64encode(hmac.digest(secret.encode(), request.body, "sha256"))
    if not secret or not hmac.compare_digest(right, signature.encode()):
        raise BadSignature("The call was not signed with the client secret of this connection.")
    if _header(request, "shop-domain").lower() not in ("", shop):
        raise BadSignature("The call is about another shop.")
    topic = _header(request, "topic").lower()
    if not topic.startswith(RINGS) or _header(request, "test").lower() == "true":
        return None
    return _header(request, "webhook-id")


def subscribe(client: Client, url: str, secret: str) -> None:
    """One subscription for each topic calls ``url``; what else is ours goes."""
    there, mark = set(), _mark(secret)
    for hook in _hooks(client):
        if hook["uri"] == url and hook["topic"] in TOPICS and hook["topic"] not in there:
            there.add(hook["topic"])
        elif _is_ours(hook, mark):
            _delete(client, hook)
    for n, topic in enumerate(TOPICS):
        if topic not in there:
            wanted: dict[str, Any] = {"uri": url, "format": "JSON", "name": f"{mark}{n}"}
            if topic in ORDERS:
                wanted["includeFields"] = ENOUGH
            made = client.ask(queries.HOOK, topic=topic, hook=wanted)
            what = f"call the hub for {topic.lower()}"
            refuse_user_errors(made["webhookSubscriptionCreate"], what)


def unsubscribe(client: Client, secret: str) -> None:
    mark = _mark(secret)
    for hook in _hooks(client):
        if _is_ours(hook, mark):
            _delete(client, hook)


def _hooks(client: Client) -> Iterator[dict[str, Any]]:
    """Those that this app made for this shop."""
    after: str | None = None
    found: list[dict[str, Any]] = []
    while True:
        page = client.ask(queries.HOOKS, after=after)["webhookSubscriptions"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return iter(found)
        after = page["pageInfo"]["endCursor"]


def _mark(secret: str) -> str:
    """How the names of this connection's subscriptions begin; the app may have others."""
    return f"hub-{sha256(secret.encode()).hexdigest()[:12]}-"


def _is_ours(hook: dict[str, Any], mark: str) -> bool:
    return bool(hook["name"]) and str(hook["name"]).startswith(mark)


def _delete(client: Client, hook: dict[str, Any]) -> None:
    """Already gone is as good."""
    client.ask(queries.UNHOOK, id=hook["id"])


def _header(request: WebhookRequest, name: str) -> str:
    headers = request.headers
    return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}") or ""
