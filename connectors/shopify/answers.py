"""What an answer of Shopify's means for the hub.

Most failures come with HTTP 200: throttling, a query too dear, an error of Shopify's own, access
denied; their code stands in ``errors[].extensions.code`` (airbyte-source-shopify 4.3.0,
``utils.py``, read 2026-11).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from hub import AuthError, ConfigError, HubError, RateLimited, Refused, Unavailable

Json = dict[str, Any]
NONSENSE = "{shop} gave no usable answer."
PROTECTED = (
    "Shopify keeps customers' names and addresses from this app. In the app's page at Shopify open"
    " API access, Protected customer data access, request it for name, address, email and phone,"
    " and then check this connection again."
)
RESTORED_A_S = 100.0  # points, of the smallest plan (shopify.dev rate-limits, 2026-11)
AGAIN = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


class ProtectedData(ConfigError):
    """The app may not see protected customer data, so no order has an address."""

    def __init__(self) -> None:
        super().__init__(PROTECTED)


class TooDear(Unavailable):
    """One query costs more points than Shopify takes at once; less must be asked for."""


class Throttled(RateLimited):
    """``share`` of what was asked for could be had at once, from 0 to 1."""

    def __init__(self, message: str, *, retry_after: float, share: float) -> None:
        super().__init__(message, retry_after=retry_after)
        self.share = share


class Unknown(Refused):
    """Shopify refuses a value it was sent, such as a page's cursor."""


def demand(reply: requests.Response, shop: str) -> None:
    """Raise what the status stands for, if it is not 200 or 401. Bodies may quote what was sent,
    so none is passed on."""
    match reply.status_code:
        case 200:
            return
        case 403 if "protected customer data" in reply.text:
            raise ProtectedData
        case 403:
            raise AuthError(f"Shopify does not let this app into {shop}. Check its scopes.")
        case 402 | 423:  # frozen for unpaid bills; locked after too many requests
            raise ConfigError(f"Shopify has frozen {shop}. Open its admin, then check again.")
        case 404:
            raise ConfigError(f"There is no shop {shop} at Shopify.", field="shop")
        case 429 | 430:
            pause = _seconds(reply.headers.get("Retry-After", ""))
            raise RateLimited(f"{shop} asks for a pause.", retry_after=pause)
        case status if 300 <= status < 400:
            raise ConfigError(f"{shop} has moved: enter its new address.", field="shop")
        case status if status == 408 or status >= 500:
            raise Unavailable(f"{shop} answered {status}.")
        case status:
            raise Refused(f"{shop} answered {status}.")


def body_of(reply: requests.Response, shop: str) -> Json:
    """The object in the body. Raises ``Unavailable`` for HTML, half a body, anything else."""
    try:
        body = reply.json()
    except (requests.RequestException, ValueError):
        body = None
    if not isinstance(body, dict):
        raise Unavailable(NONSENSE.format(shop=shop))
    return body


def data(body: Json, shop: str) -> Json:
    """The data of a GraphQL answer. Raises for any error: half of an order is none."""
    if errors := body.get("errors"):
        raise _meaning(errors if isinstance(errors, list) else [], body, shop)
    found = body.get("data")
    if not isinstance(found, dict):
        raise Unavailable(NONSENSE.format(shop=shop))
    return found


def refuse_user_errors(payload: Mapping[str, Any] | None, what: str) -> None:
    """Raise for what a mutation would not do, in Shopify's words."""
    errors = (payload or {}).get("userErrors") or ()
    text = " ".join(str(error.get("message", "")) for error in errors)
    if "protected customer data" in text:
        raise ProtectedData
    if text:
        raise Refused(f"Shopify would not {what}: {text[:300]}")


def _meaning(errors: Sequence[Any], body: Json, shop: str) -> HubError:
    told: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for error in errors:
        if isinstance(error, dict):
            extensions = error.get("extensions") or {}
            told.setdefault(
                str(extensions.get("code") or ""), (str(error.get("message")), extensions)
            )
    if "THROTTLED" in told:
        return _throttled(body, shop)
    if "MAX_COST_EXCEEDED" in told:
        return TooDear(f"{shop} was asked for too much at once.")
    if found := told.get("ACCESS_DENIED"):
        return _denied(*found)
    if told.keys() & AGAIN:
        return Unavailable(f"{shop} had an error of its own.")
    if "SHOP_INACTIVE" in told:
        return ConfigError(f"The shop {shop} is not active.", field="shop")
    for code in told:
        if code in ("undefinedField", "argumentNotAccepted", "undefinedType"):
            return ConfigError(
                "This version of Shopify's API does not know what the hub asks for. Enter a newer"
                " one.",
                field="api_version",
            )
    if not told:
        return Unavailable(NONSENSE.format(shop=shop))
    text = " ".join(message for message, _ in told.values())
    kind = Unknown if "cursor" in text.lower() else Refused
    return kind(f"{shop} refused: {text[:300]}")


def _throttled(body: Json, shop: str) -> Throttled:
    """Until the bucket holds what was asked for: it fills by ``restoreRate`` points a second."""
    cost = (body.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    asked = float(cost.get("requestedQueryCost") or 0)
    there = float(status.get("currentlyAvailable") or 0)
    rate = float(status.get("restoreRate") or RESTORED_A_S)
    pause = max(1, math.ceil((asked - there) / rate))
    share = min(1.0, there / asked) if asked else 0.0
    return Throttled(f"{shop} asks for a pause.", retry_after=pause, share=share)


def _denied(message: str, extensions: Mapping[str, Any]) -> ConfigError:
    if "protected customer data" in message or "not approved to" in message:
        return ProtectedData()
    needed = str(extensions.get("requiredAccess") or message)
    scopes = re.findall(r"(?:read|write)_[a-z_]+", needed)
    names = " or ".join(dict.fromkeys(scopes)) or "a scope it does not name"
    return ConfigError(
        f"Shopify wants the app to have {names}. Add it to the app, install it again, and"
        " reconnect."
    )


def _seconds(text: str) -> float:
    """Of ``Retry-After``, which Shopify gives as a decimal number."""
    try:
        return max(1.0, float(text))
    except ValueError:
        return 2.0
