"""A browser's subscription to push messages, as it comes from a stranger."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST_URL = 1000
_POINT_BYTES, _SECRET_BYTES = 65, 16


@dataclass(frozen=True, slots=True)
class Subscription:
    endpoint: str
    p256dh: str
    auth: str

    def as_sent(self) -> dict[str, object]:
        return {"endpoint": self.endpoint, "keys": {"p256dh": self.p256dh, "auth": self.auth}}


def read_subscription(told: object) -> Subscription:
    """What a browser sent. Raises ``ValueError`` for anything that is no subscription."""
    if not isinstance(told, dict) or not isinstance(told.get("keys"), dict):
        raise ValueError("no subscription")
    endpoint, keys = told.get("endpoint"), told["keys"]
    if not isinstance(endpoint, str) or len(endpoint) > MOST_URL or not endpoint.isascii():
        raise ValueError("no endpoint")
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise ValueError("no endpoint of a push service")
    point, secret = _bytes(keys.get("p256dh")), _bytes(keys.get("auth"))
    if len(point) != _POINT_BYTES or point[0] != 4 or len(secret) != _SECRET_BYTES:
        raise ValueError("no keys of a browser")
    return Subscription(endpoint, keys["p256dh"], keys["auth"])


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or len(text) > 200:
        return b""
    plain = text.rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
