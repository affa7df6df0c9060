"""One channel by settings speaks to six gateways, each in its own shape."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub import (
    BadSignature,
    ConfigError,
    Gone,
    HubError,
    MaybeSent,
    Message,
    OptedOut,
    RateLimited,
    Refused,
    Tools,
    Unavailable,
    WebhookRequest,
)
from hub.http import Http
from hub.testing import WsgiAdapter
from notifiers.sms_http import Gateway
from tests.fakes.gateways import SHAPES, FakeGateway

TO = "+358401234567"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MEANS: dict[str, type[HubError]] = {
    "gone": Gone,
    "stop": OptedOut,
    "busy": RateLimited,
    "full": RateLimited,
    "locked": ConfigError,
    "refused": Refused,
}


def a_channel(fake: FakeGateway, **more: Any) -> Gateway:
    http = Http()
    http.mount(fake.shape.origin, WsgiAdapter(fake.app))
    tools = Tools(http, lambda: NOW, logging.getLogger("t"), Path())
    return Gateway(Gateway.Settings.model_validate(fake.settings(**more)), tools)


def a_text(text: str = "Hello", **more: Any) -> Message:
    to = {"receipts_to": "https://hub.example/hooks/told/t?n=n1", "until": NOW + timedelta(hours=1)}
    return Message(key="n1", to=TO, subject="", text=text, **{**to, **more})


@pytest.fixture(params=sorted(SHAPES))
def fake(request: pytest.FixtureRequest) -> FakeGateway:
    return FakeGateway(SHAPES[request.param])


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        '"},"to":"+1666","x":{"',
        "a&to=+1666&x=1",
        "{to}{ref}{password}",
        "50 % off\n:-)",
        "Ö ä 🍞",
    ],
)
def test_any_words_arrive_as_they_are_and_at_one_number(fake: FakeGateway, text: str) -> None:
    assert a_channel(fake, keeps_accents=True).send(a_text(text)) == "g-n1"
    [(to, said, ref)] = fake.has
    assert (f"+{to.removeprefix('+')}", said, ref) == (TO, text, "n1")


def test_what_is_not_taken_says_why(fake: FakeGateway) -> None:
    channel = a_channel(fake)
    for befalls in fake.shape.codes:
        if befalls != "locked":
            fake.befalls = befalls
            with pytest.raises(MEANS[befalls]) as caught:
                channel.send(a_text())
            assert type(caught.value) is MEANS[befalls], befalls
    fake.befalls = ""
    for mood, error in (("locked", ConfigError), ("busy", RateLimited), ("down", Unavailable)):
        fake.be(mood)
        with pytest.raises(error):
            channel.send(a_text())
    assert fake.has == [], "a yes by status alone is no yes"


def test_an_answer_that_is_lost_or_an_error_may_have_left(fake: FakeGateway) -> None:
    for mood in ("lost", "broken"):
        fake.be(mood)
        with pytest.raises(MaybeSent):
            a_channel(fake).send(a_text())


CALLS: dict[str, tuple[dict[str, str], bytes, str]] = {
    "vonage": ({}, b"client-ref=n1&messageId=m1&status=delivered&err-code=0", "delivered"),
    "clicksend": ({}, b"custom_string=n1&message_id=m1&status_code=301", "failed"),
    "messagebird": ({"reference": "n1", "id": "m1", "status": "delivered"}, b"", "delivered"),
    "plivo": ({"n": "n1"}, b"MessageUUID=m1&Status=undelivered", "failed"),
    "sinch": ({}, b'{"client_reference":"n1","batch_id":"m1","status":"Dispatched"}', "sent"),
    "pigeon": ({}, b'{"key":"n1","id":"m1","status":"rejected"}', "failed"),
}


def test_each_calls_back_in_its_own_words(fake: FakeGateway) -> None:
    name = next(name for name, shape in SHAPES.items() if shape is fake.shape)
    query, body, state = CALLS[name]
    told = a_channel(fake).receipt(
        WebhookRequest(fake.signs(body), body, "https://hub.example/", query)
    )
    assert (told.key, told.carrier_id, told.state) == ("n1", "m1", state)


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"key":{"a":1}}', b"[" * 5000, b"\xff"])
def test_an_odd_call_says_nothing_and_breaks_nothing(body: bytes) -> None:
    fake = FakeGateway(SHAPES["pigeon"])
    told = a_channel(fake).receipt(WebhookRequest(fake.signs(body), body))
    assert (told.key, told.state) == ("", "")
    with pytest.raises(BadSignature):
        a_channel(fake).reply(WebhookRequest({"x-pigeon-signature": "é"}, body))


def test_an_answer_has_its_sender_as_a_number() -> None:
    fake = FakeGateway(SHAPES["pigeon"])
    body = b'{"from":"358401234567","text":"STOP"}'
    reply = a_channel(fake).reply(WebhookRequest(fake.signs(body), body))
    assert (reply.sender, reply.text) == (TO, "STOP")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"fields": "no"}, "no JSON"),
        ({"fields": "[]"}, "one object"),
        ({"fields": '{"text":"{text}"}'}, "must be in it"),
        ({"fields": json.dumps({"t": "{text}{to}{ref}", "x": [[[[[[[[[]]]]]]]]]})}, "at most"),
        ({"kind": "form", "fields": '{"t":"{text}{to}{ref}","x":[]}'}, "fields within"),
        ({"fields": '{"t":"{text}{to}"}'}, "told {ref}"),
        ({"method": "GET"}, "as a query"),
        ({"signature_secret": ""}, "needs its secret"),
        ({"url": "ftp://x"}, "pattern"),
        ({"header": "X:\r\nEvil"}, "pattern"),
    ],
)
def test_settings_that_cannot_work_are_told(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        a_channel(FakeGateway(SHAPES["pigeon"]), **change)


def test_one_that_drops_repeats_says_so() -> None:
    assert a_channel(FakeGateway(SHAPES["pigeon"])).repeat_is_harmless
    assert not a_channel(FakeGateway(SHAPES["vonage"])).repeat_is_harmless
