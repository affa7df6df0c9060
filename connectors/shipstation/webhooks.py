"""Telling ShipStation's calls from others', and keeping them subscribed."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from connectors.shipstation.client import Api, signing_keys
from connectors.shipstation.v1 import SECRET_QUERY
from connectors.shipstation.v2 import SECRET_HEADER
from hub import BadSignature, Tools, WebhookRequest

# docs.shipstation.com, webhooks-validation (2026-11): header names, "{timestamp}.{raw body}",
# RSASSA-PKCS1-v1_5 with SHA-256, older than 5 minutes refused.
_KEY_ID = "x-shipengine-rsa-sha256-key-id"
_SIGNATURE = "x-shipengine-rsa-sha256-signature"
_TIMESTAMP = "x-shipengine-timestamp"
OLDEST = timedelta(minutes=5)
REFETCH = timedelta(minutes=1)  # so often at most an unknown key makes us ask ShipStation
FRESH = timedelta(days=1)

# resource_type in the body: in capitals in V2 (captured 2026-09), in V1's own words.
_V2_ABOUT_ORDERS = ("SHIPMENT_", "LABEL_", "FULFILLMENT_", "SALES_ORDERS_", "ORDER_SOURCE_")
_V1_ABOUT_ORDERS = ("ORDER_", "ITEM_ORDER_", "SHIP_", "ITEM_SHIP_", "FULFILLMENT_")


def verify_v1(request: WebhookRequest, secret: str) -> str | None:
    """Empty for a genuine call: V1 gives it no id and signs nothing; see ``V1.hook_url``."""
    _same(request.query.get(SECRET_QUERY, ""), secret)
    return "" if _kind(request.body).startswith(_V1_ABOUT_ORDERS) else None


def verify_v2(request: WebhookRequest, secret: str, tools: Tools) -> str | None:
    """An id made of the signature: the same call again is dropped, a new try is not."""
    _same(request.headers.get(SECRET_HEADER.lower(), ""), secret)
    try:
        key_id = request.headers[_KEY_ID]
        stamp = request.headers[_TIMESTAMP]
        signature = b64decode(request.headers[_SIGNATURE], validate=True)
        sent_at = datetime.fromisoformat(stamp)
    except (KeyError, ValueError):
        raise BadSignature("a ShipStation webhook without a readable signature") from None
    if abs(tools.now() - sent_at.replace(tzinfo=sent_at.tzinfo or UTC)) > OLDEST:
        raise BadSignature("a ShipStation webhook of another time")
    key = _keys(tools).get(key_id, tools)
    try:
        key.verify(signature, stamp.encode() + b"." + request.body, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise BadSignature("a ShipStation webhook with a wrong signature") from None
    about_orders = _kind(request.body).startswith(_V2_ABOUT_ORDERS)
    return sha256(signature).hexdigest()[:32] if about_orders else None


def keep(api: Api, url: str) -> None:
    """One working webhook per event at ``url``: added, mended, doubles removed."""
    url = api.hook_url(url)
    listed = api.hooks()
    for event in api.events:
        mine = [hook for hook in listed if hook.event == event and (hook.ours or hook.url == url)]
        fit = [hook for hook in mine if hook.ours and hook.url == url and hook.works]
        if fit:
            kept = fit[0]
        elif mine:
            kept = mine[0]
            api.mend_hook(kept, url)
        else:
            api.hook(event, url)
            continue
        for double in mine:
            if double != kept:
                api.unhook(double)


def drop(api: Api) -> None:
    for hook in api.hooks():
        if hook.ours:
            api.unhook(hook)


@dataclass(slots=True)
class _Keys:
    """ShipStation's signing keys, kept for a day."""

    known: dict[str, RSAPublicKey] = field(default_factory=dict)
    read_at: datetime | None = None  # None: never

    def get(self, key_id: str, tools: Tools) -> RSAPublicKey:
        age = tools.now() - self.read_at if self.read_at else None
        if age is None or age > FRESH or (key_id not in self.known and age >= REFETCH):
            self.known = dict(_readable(signing_keys(tools)))
            self.read_at = tools.now()
        if key_id not in self.known:
            raise BadSignature("a ShipStation webhook signed with an unknown key")
        return self.known[key_id]


_KEPT: WeakKeyDictionary[Any, _Keys] = WeakKeyDictionary()
"""By the session they came through: public keys, the same for all who share it."""


def _keys(tools: Tools) -> _Keys:
    return _KEPT.setdefault(tools.http, _Keys())


def _readable(keys: list[Mapping[str, Any]]) -> list[tuple[str, RSAPublicKey]]:
    """Keys of other kinds, or broken ones, are no use and no harm."""
    found = []
    for key in keys:
        try:
            numbers = RSAPublicNumbers(_number(key["e"]), _number(key["n"]))
            found.append((str(key["kid"]), numbers.public_key()))
        except (LookupError, TypeError, ValueError):
            continue
    return found


def _number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _same(given: str, secret: str) -> None:
    if not secret or not compare_digest(given.encode(), secret.encode()):
        raise BadSignature("a ShipStation webhook without this connection's secret")


def _kind(body: bytes) -> str:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(content.get("resource_type", "")).upper() if isinstance(content, dict) else ""
