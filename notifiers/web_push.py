"""Push messages to a browser that subscribed, by its maker's push service.

Written here with the cryptography the hub has: RFC 8291 (encryption), 8292 (who sends), 8030
(delivery). What calls it is given by strangers, so only known push services are ever called.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import (
    ConfigError,
    Gone,
    Message,
    NotificationChannel,
    RateLimited,
    Refused,
    Unavailable,
    hookimpl,
)

SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    "notify.windows.com",  # wns2-….notify.windows.com
)
MOST_PLAIN = 3993  # bytes: services guarantee 4096 of a body (RFC 8030, 7.2)
RECORD = 4096
LASTS_S, LONGEST_S = 12 * 3600, 24 * 3600  # of a token; Apple refuses more than a day
WITHIN_S, MOST_HEARD = 15.0, 4000
_POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


class PushSettings(BaseModel):
    private_key: SecretStr = Field(
        title="Private key (VAPID)",
        description="32 bytes in base64url, 43 characters. Keep a copy: with another key every"
        " subscription is lost.",
    )
    contact: str = Field(
        title="Whom push services write to",
        description="mailto:you@example.com, without spaces or angle brackets",
        pattern=r"^mailto:[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+$",
        max_length=200,
    )

    @field_validator("private_key")
    @classmethod
    def _is_one(cls, secret: SecretStr) -> SecretStr:
        try:
            _private(secret.get_secret_value())
        except (ValueError, binascii.Error):
            raise ValueError("It is 43 letters, digits, - and _.") from None
        return secret


class WebPush(NotificationChannel):
    """``Message.to`` is a subscription as a browser makes it, as JSON. A repeat has the same
    topic, so that it replaces one that was not shown yet.
    """

    key = "web_push"
    title = "Push messages"
    reaches = "push"
    repeat_is_harmless = True
    Settings = PushSettings

    def send(self, message: Message) -> str:
        """Where the push service keeps it, or its key where the service does not say."""
        endpoint, their_key, auth = _subscription(message.to)
        body = encrypted(self._shown(message), their_key, auth)
        headers = {
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(self._left_s(message)),
            "urgency": "high",
            "topic": sha256(message.key.encode()).hexdigest()[:32],
            "authorization": self._authorization(endpoint),
        }
        try:
            heard = self.tools.http.post_once(
                endpoint, body, headers, within_s=WITHIN_S, most=MOST_HEARD
            )
        except Refused as problem:
            raise ConfigError(str(problem)) from None
        said = f"{urlsplit(endpoint).hostname} answered {heard.status}"
        match heard.status:
            case 200 | 201 | 202 | 204:
                return message.key
            case 404 | 410:
                raise Gone(f"{said}: this browser does not listen any more.")
            case 400 | 401 | 403:
                raise ConfigError(f"{said}: it does not accept the key. Look at the settings.")
            case 429:
                pause_s = 60.0 if heard.retry_after_s is None else heard.retry_after_s
                raise RateLimited(f"{said}: it asks for a pause.", retry_after=pause_s)
            case status if status == 408 or status >= 500:
                raise Unavailable(f"{said}.")
        raise Refused(f"{said}: it does not take this message.")

    def public_key(self) -> str:
        """What a browser subscribes with (``applicationServerKey``)."""
        private = _private(self.settings.private_key.get_secret_value())
        return _text(private.public_key().public_bytes(*_POINT))

    def _shown(self, message: Message) -> bytes:
        """Title and words for the service worker, cut to what a service takes."""
        lines = [line for line in message.text.splitlines() if line.strip()]
        link = next((line for line in reversed(lines) if line.startswith("https://")), "")
        words = "\n".join(line for line in lines if line != link)
        told = {"title": message.sender, "body": words, "url": link, "tag": message.key}
        packed = _packed(told)
        while len(packed) > MOST_PLAIN and (told["body"] or told["title"]):
            part = "body" if told["body"] else "title"
            told[part] = told[part][: len(told[part]) * 9 // 10]
            packed = _packed(told)
        return packed

    def _left_s(self, message: Message) -> int:
        """How long it is any use; 0: now or never."""
        if message.until is None:
            return LASTS_S
        left_s = (message.until - self.tools.now()).total_seconds()
        return max(0, min(round(left_s), LONGEST_S))

    def _authorization(self, endpoint: str) -> str:
        """A fresh token for this very service: one made for another is refused."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(self.tools.now().timestamp()) + LASTS_S,
            "sub": self.settings.contact,
        }
        private = _private(self.settings.private_key.get_secret_value())
        head = _text(_packed({"typ": "JWT", "alg": "ES256"}))
        signed = f"{head}.{_text(_packed(claims))}"
        r, s = utils.decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        mark = _text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return f"vapid t={signed}.{mark},k={self.public_key()}"


def encrypted(
    plain: bytes,
    their_key: bytes,
    auth: bytes,
    *,
    ours: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes = b"",
) -> bytes:
    """One record of aes128gcm that only this browser can read (RFC 8291, 3.4)."""
    ours, salt = ours or ec.generate_private_key(ec.SECP256R1()), salt or os.urandom(16)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), their_key)
    our_key = ours.public_key().public_bytes(*_POINT)
    shared = ours.exchange(ec.ECDH(), theirs)
    secret = _derived(shared, auth, b"WebPush: info\0" + their_key + our_key, 32)
    content_key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(content_key).encrypt(nonce, plain + b"\x02", None)
    return salt + RECORD.to_bytes(4, "big") + bytes([len(our_key)]) + our_key + sealed


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _subscription(text: str) -> tuple[str, bytes, bytes]:
    """Endpoint, key and secret. Raises ``Gone`` for what is none: it can never be reached."""
    try:
        told: Any = json.loads(text)
        endpoint, keys = told["endpoint"], told["keys"]
        their_key, auth = _bytes(keys["p256dh"]), _bytes(keys["auth"])
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), their_key)
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Gone("This is no browser's subscription.") from None
    known = any(host == one or host.endswith(f".{one}") for one in SERVICES)
    if parts.scheme != "https" or not known or parts.port not in (None, 443) or len(auth) != 16:
        raise Gone("This subscription is with no push service the hub knows.")
    return endpoint, their_key, auth


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    raw = _bytes(text)
    if len(raw) != 32:
        raise ValueError("a private key has 32 bytes")
    return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())


def _packed(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [WebPush]
