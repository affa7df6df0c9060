"""Who may come in: WooCommerce's three ways to sign, checked for real."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import MutableSet
from time import time
from urllib.parse import quote

from werkzeug.wrappers import Request

WINDOW_S = 15 * 60


def admitted(
    request: Request, key: str, secret: str, nonces: MutableSet[str], *, https: bool
) -> bool:
    """Basic and keys in the address count over https alone; over http OAuth 1.0a is asked for."""
    if https:
        given = (request.args.get("consumer_key"), request.args.get("consumer_secret"))
        return (key, secret) in (given, _basic(request))
    return _signed(request, key, secret, nonces)


def _basic(request: Request) -> tuple[str, str]:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind != "Basic":
        return "", ""
    name, _, word = b64decode(text).decode().partition(":")
    return name, word


def _signed(request: Request, key: str, secret: str, nonces: MutableSet[str]) -> bool:
    """RFC 5849, 3.4, with HMAC-SHA256, and a nonce only once."""
    given = dict(request.args.items())
    signature = given.pop("oauth_signature", "")
    fresh = abs(time() - float(given.get("oauth_timestamp", 0))) < WINDOW_S
    nonce = given.get("oauth_nonce", "")
    if given.get("oauth_consumer_key") != key or not fresh or not nonce or nonce in nonces:
        return False
    pairs = sorted((quote(name, "~"), quote(value, "~")) for name, value in given.items())
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join([request.method, quote(request.base_url, ""), quote(joined, "~")])
    right = b64encode(hmac.digest(f"{secret}&".encode(), base.encode(), "sha256")).decode()
    if not hmac.compare_digest(right, signature):
        return False
    nonces.add(nonce)
    return True
