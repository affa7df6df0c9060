"""The button: the store's owner approves, and the store hands its keys to the hub.

Run from end to end on WooCommerce 10.9.1, 2026-11-22.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hmac import compare_digest
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.woocommerce.settings import KEY_FORM
from hub import BadSignature, ConfigError, WebhookRequest


def approve_url(store: str, state: str, redirect: str, callback: str) -> str:
    """Where the owner approves. ``state`` comes back as ``user_id``, and in the callback's address:
    nothing else shows that a call there is the store's."""
    if not callback.startswith("https://"):  # else the store shows its owner a page with 401
        raise ConfigError(
            "A store hands over its keys only to an https address, and this hub has none. Paste "
            "keys instead, or ask the operator to set the hub's domain.",
            field="way",
        )
    query = {
        "app_name": "Last Mile Hub",
        "scope": "read_write",  # webhooks and reports are written
        "user_id": state,
        "return_url": redirect,
        "callback_url": _with_state(callback, state),
    }
    return f"{store}/wc-auth/v1/authorize?{urlencode(query)}"


def handed_over(request: WebhookRequest) -> Mapping[str, str]:
    """The keys in the store's own call, which nobody has signed."""
    try:
        said = json.loads(request.body)
        keys = {name: said[name] for name in KEY_FORM}
        genuine = compare_digest(said["user_id"].encode(), request.query["state"].encode())
        genuine = genuine and all(re.fullmatch(KEY_FORM[name], keys[name]) for name in keys)
    except (ValueError, LookupError, TypeError, AttributeError):
        genuine = False
    if not genuine:
        raise BadSignature("This is no store that answers a request of the hub's.")
    return keys


def _with_state(callback: str, state: str) -> str:
    if "state" in parse_qs(urlsplit(callback).query):
        return callback
    return f"{callback}{'&' if urlsplit(callback).query else '?'}{urlencode({'state': state})}"
