"""Channels for text messages keep the promises of all channels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

import pytest

from hub import Tools, WebhookRequest
from hub.testing import (
    CostsConformance,
    NotificationChannelConformance,
    RepliesConformance,
    WsgiAdapter,
)
from notifiers.sms_http import Gateway
from notifiers.sms_twilio import Twilio
from tests.fakes.gateways import SHAPES, FakeGateway
from tests.fakes.twilio import SID, TOKEN, FakeTwilio, signed

TWILIO = "https://api.twilio.com"
LONG = "test_any_words_can_be_sent[" + "x" * 5000 + "]"
TOO_LONG = "a text holds as many parts as are set; the rest is left out"


class TestTwilio(NotificationChannelConformance, CostsConformance, RepliesConformance):
    address: ClassVar = "+358401234567"
    no_address: ClassVar = "+15005550009"
    exempt: ClassVar = {LONG: TOO_LONG}

    @pytest.fixture
    def carrier(self) -> FakeTwilio:
        return FakeTwilio()

    def channel(self, carrier: FakeTwilio, tools: Tools) -> Twilio:
        tools.http.mount(TWILIO, WsgiAdapter(carrier.app))
        settings = Twilio.Settings.model_validate(
            {
                "account_sid": SID,
                "auth_token": TOKEN,
                "sender": "+15017122661",
                "most_parts": 10,
                "keeps_accents": True,
                "price": "0.05",
            }
        )
        return Twilio(settings, tools)

    def carried(self, carrier: FakeTwilio) -> Sequence[tuple[str, str]]:
        return [(row["to"], row["body"]) for row in carrier.rows]

    def receipt(self, carrier: FakeTwilio, key: str) -> WebhookRequest:
        sid = carrier.rows[-1]["sid"]
        carrier.callbacks[sid] = f"https://hub.example/hooks/told/t?n={key}"
        url, body, headers = carrier.call_back(sid, "delivered")
        lower = {name.lower(): value for name, value in headers.items()}
        return WebhookRequest(lower, body, url, {"n": key})

    def answered(self, carrier: FakeTwilio, sender: str, text: str) -> WebhookRequest:
        told = {"From": sender, "To": "+15017122661", "Body": text, "NumMedia": "0"}
        url, body, headers = signed("https://hub.example/hooks/answer/t", told)
        lower = {name.lower(): value for name, value in headers.items()}
        return WebhookRequest(lower, body, url)


class TestGateway(NotificationChannelConformance, CostsConformance, RepliesConformance):
    address: ClassVar = "+358401234567"
    no_address: ClassVar = "+35845550000"
    exempt: ClassVar = {
        LONG: TOO_LONG,
        "test_what_became_of_a_message_can_be_looked_up": "gateways have no common way to ask",
    }

    @pytest.fixture
    def carrier(self) -> FakeGateway:
        return FakeGateway(SHAPES["pigeon"])

    def channel(self, carrier: FakeGateway, tools: Tools) -> Gateway:
        tools.http.mount(carrier.shape.origin, WsgiAdapter(carrier.app))
        given = carrier.settings(most_parts=10, keeps_accents=True, price="0.05")
        return Gateway(Gateway.Settings.model_validate(given), tools)

    def carried(self, carrier: FakeGateway) -> Sequence[tuple[str, str]]:
        return [(to, text) for to, text, _ in carrier.has]

    def receipt(self, carrier: FakeGateway, key: str) -> WebhookRequest:
        body = json.dumps({"key": key, "status": "delivered", "id": f"g-{key}"}).encode()
        return WebhookRequest(carrier.signs(body), body)

    def answered(self, carrier: FakeGateway, sender: str, text: str) -> WebhookRequest:
        body = json.dumps({"from": sender, "text": text}).encode()
        return WebhookRequest(carrier.signs(body), body)
