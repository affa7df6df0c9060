"""The calls by which a store rings: telling a genuine one, and seeing to it that they come."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlsplit

from connectors.woocommerce.answers import Fault, Json, meaning
from connectors.woocommerce.client import Client
from hub import BadSignature, WebhookRequest

TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
PING = re.compile(rb"webhook_id=\d+")
PORTS = (None, 80, 443, 8080)  # of wp_safe_remote_request, by which WordPress calls


def call_id(request: WebhookRequest, secret: str) -> str | None:
    """What names a genuine call; ``None`` for one that is about no order.

    Not the delivery id: it is made of the webhook's id and the second, so that five different
    orders of one second had the same (recorded deliveries, 2026-11-22). A new webhook is pinged
    by a form without any signature.
    """
    headers = request.headers
    signature = headers.get("x-wc-webhook-signature", "")
    if not signature and PING.fullmatch(request.body.strip()):
        return None
    right = b64encode(hmac.digest(secret.encode(), request.body, "sha256"))
    if not secret or not hmac.compare_digest(right, signature.encode()):
        raise BadSignature("The call was not signed with the secret of this connection.")
    if headers.get("x-wc-webhook-topic", "") not in TOPICS:
        return None
    return f"{headers.get('x-wc-webhook-id', '')}:{sha256(request.body).hexdigest()}"


def subscribe(client: Client, url: str, secret: str) -> str:
    """One active webhook for each topic calls ``url``; what else is ours there goes.

    WooCommerce never repeats a call, and switches a webhook off after six that failed in a row.
    """
    try:
        _mend(client, url, secret)
    except Fault as fault:
        if fault.read_only:
            return (
                "These keys may only read, so the store cannot be asked to ring. Orders are looked "
                "for every few minutes; for news at once, give the hub keys with Read/Write."
            )
        raise meaning(fault, client.host) from None
    if urlsplit(url).port in PORTS:
        return ""
    return (
        f"The store rings only at ports 80, 443 and 8080, and the hub's address is {url}. Until "
        "the operator changes that, orders are looked for every few minutes."
    )


def unsubscribe(client: Client, secret: str) -> None:
    try:
        for webhook in _ours(client, secret):
            client.drop_webhook(webhook["id"])
    except Fault as fault:
        raise meaning(fault, client.host) from None


def _mend(client: Client, url: str, secret: str) -> None:
    missing = dict.fromkeys(TOPICS)
    for webhook in _ours(client, secret):
        topic = webhook.get("topic")
        if topic in missing and webhook.get("delivery_url") == url:
            del missing[topic]
            if webhook.get("status") != "active":  # `disabled` by failures, `paused` by people
                client.wake_webhook(webhook["id"], secret)
        else:
            client.drop_webhook(webhook["id"])
    for topic in missing:
        client.add_webhook(f"{_name(secret)} {topic}", topic, url, secret)


def _ours(client: Client, secret: str) -> Iterator[Json]:
    """This connection's: another one to the same store, or another hub, has its own."""
    name = _name(secret)
    return (hook for hook in client.webhooks() if str(hook.get("name", "")).startswith(name))


def _name(secret: str) -> str:
    """What staff see in the store; the number tells connections apart and opens nothing."""
    return f"Last Mile Hub {sha256(b'webhooks ' + secret.encode()).hexdigest()[:8]}"
