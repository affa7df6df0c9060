"""Whether a call is Xero's, and whether it is about an invoice of ours.

Xero signs the raw body with the app's webhooks key; an answer other than 200 or 401 within 5
seconds counts as a failure, and after a day of those it switches the webhook off
(developer.xero.com/documentation/webhooks/configuring-your-server, 2026-11).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

from hub import BadSignature, WebhookRequest


def verified(request: WebhookRequest, key: str, tenant_id: str) -> str | None:
    """An id for this call, of which Xero gives none; ``None`` when it is about nothing of ours.

    Calls come for every organisation of the app, and of an organisation for contacts and
    bills too. The first ones, by which Xero tries the address ("intent to receive"), have no
    events; some of them are signed wrongly on purpose. ``tenant_id`` empty: any is ours.
    """
    given = request.headers.get("x-xero-signature", "")
    expected = b64encode(digest(key.encode(), request.body, "sha256"))
    if not key or not compare_digest(expected, given.encode("utf-8", "replace")):
        raise BadSignature("This call was not signed with the webhooks key of this connection.")
    ours = any(
        event.get("eventCategory") == "INVOICE" and tenant_id in ("", event.get("tenantId"))
        for event in _events(request.body)
    )
    return sha256(request.body).hexdigest() if ours else None


def _events(body: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return
    events = call.get("events") if isinstance(call, dict) else None
    if isinstance(events, list):
        yield from (event for event in events if isinstance(event, dict))


def to_do() -> str:
    """What a person sets up at Xero: there is no interface for it.

    The panel shows the address beside it, to those who may see it.
    """
    return (
        "At developer.xero.com open your app, then Webhooks. Choose Invoices, paste the address"
        " that stands with this as the delivery address, save, and copy the webhooks key into this"
        " connection. Then press Send intent to receive."
    )
