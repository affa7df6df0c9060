"""A shop that rings, and a connection to it that is right and small enough to be made wrong."""

import hmac
import json
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, ClassVar

import pytest
from flask import Flask, request
from pydantic import BaseModel, Field, SecretStr

from hub import AcceptsWebhooks, BadSignature, Connection, Tools, WebhookRequest
from hub.testing import WebhooksConformance, WsgiAdapter

ORIGIN = "https://ringer.example"
TOPICS = ("order.changed", "order.gone")


@dataclass
class Ringer:
    hooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        self.app = Flask("ringer")
        self.app.add_url_rule("/hooks", "list", lambda: list(self.hooks.values()))
        self.app.add_url_rule("/hooks", "add", self._add, methods=["POST"])
        self.app.add_url_rule("/hooks/<id>", "wake", self._wake, methods=["POST"])
        self.app.add_url_rule("/hooks/<id>", "drop", self._drop, methods=["DELETE"])

    def calls(self, ref: str) -> list[WebhookRequest]:
        body = json.dumps({"id": ref, "kind": "order"}).encode()
        return [self.signed(hook["secret"], body) for hook in self.hooks.values() if hook["active"]]

    def signed(self, secret: str, body: bytes) -> WebhookRequest:
        signature = b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        return WebhookRequest({"x-signature": signature, "content-type": "text/json"}, body)

    def _add(self) -> Any:
        self.made += 1
        hook = {**request.get_json(), "id": str(self.made), "active": True}
        self.hooks[hook["id"]] = hook
        return hook

    def _wake(self, id: str) -> Any:
        self.hooks[id]["active"] = True
        return {}

    def _drop(self, id: str) -> Any:
        self.hooks.pop(id, None)
        return {}


class Settings(BaseModel):
    token: SecretStr = Field(default=SecretStr("t0ken"), title="Token")


class Rung(Connection, AcceptsWebhooks):
    key = "rung"
    title = "Ringer"
    Settings: ClassVar[type[BaseModel]] = Settings

    def subscribe(self, url: str) -> str:
        missing = set(TOPICS)
        for hook in self._ours():
            if hook["topic"] not in missing or hook["url"] != url:
                self.tools.http.delete(f"{ORIGIN}/hooks/{hook['id']}")
                continue
            missing.discard(hook["topic"])
            if not hook["active"]:
                self.tools.http.post_json(f"{ORIGIN}/hooks/{hook['id']}", {})
        for topic in missing:
            hook = {"topic": topic, "url": url, "secret": self._secret, "name": self._name}
            self.tools.http.post_json(f"{ORIGIN}/hooks", hook)
        return ""

    def unsubscribe(self) -> None:
        for hook in self._ours():
            self.tools.http.delete(f"{ORIGIN}/hooks/{hook['id']}")

    def verify(self, request: WebhookRequest) -> str | None:
        right = b64encode(hmac.digest(self._secret.encode(), request.body, "sha256"))
        given = request.headers.get("x-signature", "").encode()
        if not self._secret or not hmac.compare_digest(right, given):
            raise BadSignature("This call is not from Ringer.")
        body = json.loads(request.body)
        if body["kind"] != "order":
            return None
        return sha256(request.body).hexdigest()

    def _ours(self) -> list[Any]:
        there = self.tools.http.get_json(f"{ORIGIN}/hooks")
        return [hook for hook in there if hook["name"] == self._name]

    @property
    def _name(self) -> str:
        return sha256(self._secret.encode()).hexdigest()[:8]

    @property
    def _secret(self) -> str:
        return self.tools.webhook_secret


class TestReference(WebhooksConformance):
    @pytest.fixture
    def remote(self) -> Ringer:
        return Ringer()

    def connection(self, remote: Ringer, tools: Tools) -> Rung:
        tools.http.mount(ORIGIN, WsgiAdapter(remote.app))
        return Rung(Rung.Settings(), tools)

    def happens(self, remote: Ringer, ref: str) -> list[WebhookRequest]:
        return remote.calls(ref)

    def ping(self, remote: Ringer) -> WebhookRequest:
        [first, *_] = remote.hooks.values()
        return remote.signed(first["secret"], b'{"kind": "ping"}')

    def subscriptions(self, remote: Ringer) -> list[str]:
        return [f"{h['topic']} {h['url']}" for h in remote.hooks.values() if h["active"]]

    def lose(self, remote: Ringer, how: str) -> bool:
        if how == "deleted":
            remote.hooks.clear()
        for hook in remote.hooks.values():
            hook["active"] = False
        return True
