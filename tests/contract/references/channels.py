"""A carrier of messages, and a channel by it that is right."""

import hmac
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
import requests
from flask import Flask, request
from pydantic import BaseModel, Field, SecretStr

from hub import (
    AuthError,
    BadSignature,
    LooksUp,
    MaybeSent,
    Message,
    NotificationChannel,
    ReceivesReceipts,
    Refused,
    Tools,
    Unavailable,
    WebhookRequest,
)
from hub.testing import NotificationChannelConformance, WsgiAdapter

ORIGIN = "https://carrier.example"


@dataclass
class Carrier:
    mood: str = "well"
    has: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = Flask("carrier")
        self.app.testing = True  # what is raised here is what the other side meets
        self.app.add_url_rule("/messages", "take", self._take, methods=["POST"])
        self.app.add_url_rule("/messages/<key>", "one", lambda key: self.has.get(key, {}))
        self.app.add_url_rule("/me", "me", lambda: self._refusal() or {"name": "Husk"})

    def be(self, mood: str) -> None:
        self.mood = mood

    def _take(self) -> Any:
        if (no := self._refusal()) is not None:
            return no
        given = request.get_json()
        if not given["to"].startswith("+"):
            return {"error": "no such number"}, 422
        self.has[given["key"]] = given
        if self.mood == "lost":
            raise requests.ReadTimeout("no answer came")
        return {"id": f"c-{given['key']}"}

    def _refusal(self) -> Any:
        if self.mood == "locked" or request.headers.get("X-Key") != "carrier-5ecret":
            return {"error": "no"}, 401
        if self.mood == "busy":
            return {"error": "slow"}, 429, {"Retry-After": "7"}
        if self.mood == "down":
            return "oops", 503
        return None


class Settings(BaseModel):
    api_key: SecretStr = Field(title="Key")


class Texts(NotificationChannel, LooksUp, ReceivesReceipts):
    key = "texts"
    title = "Texts"
    reaches = "phone"
    repeat_is_harmless = True
    Settings: ClassVar[type[BaseModel]] = Settings

    def check(self) -> None:
        self.tools.http.get_json(f"{ORIGIN}/me", headers=self._headers())

    def send(self, message: Message) -> str:
        body = {"key": message.key, "to": message.to, "text": message.text}
        try:
            reply = self.tools.http.post(f"{ORIGIN}/messages", json=body, headers=self._headers())
        except requests.ReadTimeout as error:
            raise MaybeSent("The carrier took the message and gave no answer.") from error
        if reply.status_code == 401:
            raise AuthError("The carrier does not take this key. Copy it again.")
        if reply.status_code == 422:
            raise Refused("The carrier cannot reach this number. Look at the contact.")
        if not reply.ok:
            raise Unavailable("The carrier takes nothing now; it is asked again.")
        return str(reply.json()["id"])

    def status(self, key: str) -> Literal["sent", "unknown", "failed"]:
        found = self.tools.http.get_json(f"{ORIGIN}/messages/{key}", headers=self._headers())
        return "sent" if found else "unknown"

    def receipt(self, request: WebhookRequest) -> tuple[str, str]:
        right = hmac.digest(self._key.encode(), request.body, "sha256").hex()
        if not hmac.compare_digest(right.encode(), request.headers.get("x-sign", "").encode()):
            raise BadSignature("This receipt is not the carrier's.")
        key, _, state = request.body.decode().partition(" ")
        return key, state

    def _headers(self) -> dict[str, str]:
        return {"X-Key": self._key}

    @property
    def _key(self) -> str:
        return self.settings.api_key.get_secret_value()


class TestReference(NotificationChannelConformance):
    address = "+358401234567"
    no_address = "12"

    @pytest.fixture
    def carrier(self) -> Carrier:
        return Carrier()

    def channel(self, carrier: Carrier, tools: Tools) -> Texts:
        tools.http.mount(ORIGIN, WsgiAdapter(carrier.app))
        return Texts(Texts.Settings(api_key="carrier-5ecret"), tools)

    def carried(self, carrier: Carrier) -> list[tuple[str, str]]:
        return [(one["to"], one["text"]) for one in carrier.has.values()]

    def receipt(self, carrier: Carrier, key: str) -> WebhookRequest:
        body = f"{key} delivered".encode()
        sign = hmac.digest(b"carrier-5ecret", body, "sha256").hex()
        return WebhookRequest({"x-sign": sign}, body)
