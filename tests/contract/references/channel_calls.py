"""A carrier that is paid by the part and passes on answers, and a channel by it that is right."""

import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub import (
    BadSignature,
    Cost,
    Costs,
    Message,
    NotificationChannel,
    Reply,
    TakesReplies,
    Tools,
    WebhookRequest,
    as_sms,
)
from hub.testing import CostsConformance, RepliesConformance

SECRET = b"carrier-signs"


@dataclass
class Carrier:
    has: list[tuple[str, str]] = field(default_factory=list)


class Texts(NotificationChannel, Costs, TakesReplies):
    key = "texts"
    title = "Texts"
    reaches = "phone"
    carrier = Carrier()

    def send(self, message: Message) -> str:
        self.carrier.has.append((message.to, message.text))
        return message.key

    def cost(self, message: Message) -> Cost:
        parts = as_sms(message.text).parts
        return Cost(parts, parts * 50_000, "EUR")

    def reply(self, request: WebhookRequest) -> Reply:
        right = hmac.digest(SECRET, request.body, "sha256").hex()
        if not hmac.compare_digest(right, request.headers.get("x-sign", "")):
            raise BadSignature("This answer is not from the carrier.")
        told = json.loads(request.body)
        return Reply(told["from"], told["text"])


class TestReference(CostsConformance, RepliesConformance):
    @pytest.fixture
    def carrier(self) -> Carrier:
        return Carrier()

    def channel(self, carrier: Carrier, tools: Tools) -> Texts:
        Texts.carrier = carrier
        return Texts(Texts.Settings(), tools)

    def carried(self, carrier: Carrier) -> list[tuple[str, str]]:
        return carrier.has

    def answered(self, carrier: Any, sender: str, text: str) -> WebhookRequest:
        body = json.dumps({"from": sender, "text": text}).encode()
        return WebhookRequest({"x-sign": hmac.digest(SECRET, body, "sha256").hex()}, body)
