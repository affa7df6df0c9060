"""Messages to a program of the business's own, which tells its recipients as it likes.

Signed as Standard Webhooks 1.0.0 has it (read 2026-11). The key of a message is its
``webhook-id``: a receiver that remembers ids drops repeats, so repeating is harmless.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import Any

from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import (
    AuthError,
    ConfigError,
    Message,
    NotificationChannel,
    RateLimited,
    Refused,
    Unavailable,
    hookimpl,
)

WITHIN_S, MOST_HEARD = 15.0, 4000
PREFIX = "whsec_"
TYPE = "notice.due"


class WebhookSettings(BaseModel):
    url: str = Field(
        title="Address",
        description="Your program's, e.g. https://erp.example/messages",
        pattern=r"^https?://[^\s]+$",
        max_length=500,
    )
    secret: SecretStr = Field(
        title="Secret",
        description="Signs each message: whsec_ and then 24 to 64 random bytes in base64",
    )

    @field_validator("secret")
    @classmethod
    def _is_one(cls, secret: SecretStr) -> SecretStr:
        try:
            key = _key(secret.get_secret_value())
        except (ValueError, binascii.Error):
            raise ValueError("It looks like whsec_ and then letters and digits.") from None
        if not 24 <= len(key) <= 64:
            raise ValueError("It holds 24 to 64 bytes.")
        return secret


class Webhook(NotificationChannel):
    """A receiver answers 2xx once it has the message."""

    key = "webhook"
    title = "Webhook"
    reaches = "url"
    repeat_is_harmless = True
    Settings = WebhookSettings

    def send(self, message: Message) -> str:
        """The message's key: a receiver gives no id of its own."""
        body = json.dumps(self._told(message), ensure_ascii=False, separators=(",", ":")).encode()
        try:
            heard = self.tools.http.post_once(
                self.settings.url,
                body,
                self._signed(message.key, body),
                within_s=WITHIN_S,
                most=MOST_HEARD,
            )
        except Refused as problem:  # a private address: nothing is wrong with the message
            raise ConfigError(str(problem)) from None
        said = f"Your program answered {heard.status}"
        match heard.status:
            case status if 200 <= status < 300:
                return message.key
            case 401 | 403:
                raise AuthError(f"{said}: it does not accept the signature. Compare the secrets.")
            case 404 | 410:
                raise ConfigError(f"{said}: nobody takes messages at this address.")
            case status if 300 <= status < 400:
                raise ConfigError(f"{said}: enter the address it leads to.")
            case 429:
                pause_s = 60.0 if heard.retry_after_s is None else heard.retry_after_s
                raise RateLimited(f"{said}: it asks for a pause.", retry_after=pause_s)
            case status if status == 408 or status >= 500:
                raise Unavailable(f"{said}.")
        raise Refused(f"{said}: it does not take this message.")

    def _told(self, message: Message) -> dict[str, Any]:
        return {
            "type": TYPE,
            "timestamp": self.tools.now().isoformat(),
            "data": {
                "id": message.key,
                "to": message.to,
                "subject": message.subject,
                "text": message.text,
                "html": message.html,
                "sender": message.sender,
                "reply_to": message.reply_to,
                "until": message.until.isoformat() if message.until else None,
            },
        }

    def _signed(self, id_: str, body: bytes) -> dict[str, str]:
        """The headers of an attempt at this moment."""
        if not id_.isascii() or "." in id_ or not id_.isprintable():
            raise Refused("A message's key is letters and digits.")
        stamp = str(int(self.tools.now().timestamp()))
        content = f"{id_}.{stamp}.".encode() + body
        mac = hmac.digest(_key(self.settings.secret.get_secret_value()), content, "sha256")
        return {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Webhook]
