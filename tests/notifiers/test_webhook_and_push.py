"""Messages to programs and to browsers: the kit, and what their standards' own examples say."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, request
from pydantic import ValidationError
from standardwebhooks import Webhook as Receiver

from hub import (
    AuthError,
    ConfigError,
    Gone,
    Message,
    RateLimited,
    Refused,
    Tools,
    Unavailable,
)
from hub.http import Http
from hub.testing import NotificationChannelConformance, WsgiAdapter
from notifiers.web_push import MOST_PLAIN, WebPush, encrypted
from notifiers.webhook import Webhook

ERP, SECRET = "https://erp.example", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PUSH = "https://fcm.googleapis.com"
NOW = datetime.now(UTC).replace(microsecond=0)
ANSWERS: list[tuple[int, type[Exception]]] = [
    (404, ConfigError),
    (429, RateLimited),
    (503, Unavailable),
    (422, Refused),
]


@dataclass
class Program:
    """A business's own program; it remembers ids and verifies what it gets by the standard."""

    mood: str = "well"
    status: int = 0
    has: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = Flask("erp")
        self.app.testing = True
        self.app.add_url_rule("/messages", "take", self._take, methods=["POST"])

    def be(self, mood: str) -> None:
        self.mood = mood

    def _take(self) -> Any:
        if self.mood == "busy":
            return "", 429, {"Retry-After": "7"}
        if self.mood == "down":
            return "", 503
        if self.status:
            return "", self.status, {"Location": "https://evil.example/"}
        Receiver(SECRET).verify(request.get_data(), dict(request.headers))
        self.has.setdefault(request.headers["webhook-id"], request.get_json()["data"])
        if self.mood == "lost":
            raise requests.ReadTimeout("no answer came")
        return "", 204


def tools_for(origin: str, app: Flask, now: datetime | None = None) -> Tools:
    """Without ``now`` its clock is right: receivers refuse a stale signature."""
    http = Http()
    http.mount(origin, WsgiAdapter(app))
    return Tools(http, lambda: now or datetime.now(UTC), logging.getLogger("t"), Path())


MOODY = "test_a_carrier_that_takes_nothing_is_told_apart[locked]"
UNKNOWN = "test_what_became_of_a_message_can_be_looked_up"
RECEIPT = "test_a_receipt_is_believed_only_if_it_is_the_carriers"


class TestWebhook(NotificationChannelConformance):
    exempt: ClassVar = {
        MOODY: "a program has no log-in; it refuses a signature message by message",
        UNKNOWN: "a program is not asked",
        RECEIPT: "a program has it once it answers",
    }

    @pytest.fixture
    def carrier(self) -> Program:
        return Program()

    def channel(self, carrier: Program, tools: Tools) -> Webhook:
        tools.http.mount(ERP, WsgiAdapter(carrier.app))
        tools = tools_for(ERP, carrier.app)
        return Webhook(Webhook.Settings(url=f"{ERP}/messages", secret=SECRET), tools)

    def carried(self, carrier: Program) -> Sequence[tuple[str, str]]:
        return [(one["to"], one["text"]) for one in carrier.has.values()]

    def be(self, carrier: Program, mood: str) -> bool:
        carrier.be(mood)
        return mood != "locked"


@pytest.mark.parametrize(("status", "error"), [*ANSWERS, (401, AuthError), (307, ConfigError)])
def test_a_program_s_no_says_what_follows(status: int, error: type[Exception]) -> None:
    program = Program(status=status)
    channel = Webhook(
        Webhook.Settings(url=f"{ERP}/messages", secret=SECRET), tools_for(ERP, program.app)
    )
    with pytest.raises(error) as caught:
        channel.send(Message(key="n1", to="a", subject="s", text="t"))
    assert type(caught.value) is error


@pytest.mark.parametrize("secret", ["short", "whsec_AAAA", "whsec_" + "!" * 40])
def test_a_secret_that_signs_nothing_is_told(secret: str) -> None:
    with pytest.raises(ValidationError):
        Webhook.Settings(url=ERP, secret=secret)


# -- browsers


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_encryption_is_that_of_the_standard_s_example() -> None:
    """RFC 8291, Appendix A."""
    ours = int.from_bytes(b64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        b64(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        b64("BTBZMqHH6r4Tts7J_aSIgg"),
        ours=ec.derive_private_key(ours, ec.SECP256R1()),
        salt=b64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert text_of(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY"
        "WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexS"
        "gSxsj_Qulcy4a-fN"
    )


POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
KEY = text_of((7).to_bytes(32, "big"))


@dataclass
class Browser:
    """A push service and the one browser behind it, which opens what it gets."""

    mood: str = "well"
    status: int = 0
    has: list[dict[str, Any]] = field(default_factory=list)
    topics: dict[str, int] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), b"a" * 16
        self.app = Flask("push")
        self.app.testing = True
        self.app.add_url_rule("/fcm/send/<one>", "take", self._take, methods=["POST"])

    def be(self, mood: str) -> None:
        self.mood = mood

    def subscription(self, endpoint: str = f"{PUSH}/fcm/send/ana", **more: str) -> str:
        keys = {
            "p256dh": text_of(self.key.public_key().public_bytes(*POINT)),
            "auth": text_of(self.auth),
        }
        return json.dumps({"endpoint": endpoint, "keys": {**keys, **more}})

    def _take(self, one: str) -> Any:
        if self.mood == "locked":
            return "", 403
        if self.mood == "busy":
            return "", 429, {"Retry-After": "7"}
        if self.mood == "down":
            return "", 503
        if self.status or one == "gone":
            return "", self.status or 410
        assert int(request.headers["ttl"]) >= 0
        body = request.get_data()
        assert len(body) <= 4096
        self.headers.append(dict(request.headers))
        shown = json.loads(self._opened(body))
        topic = request.headers["topic"]
        if topic in self.topics:
            self.has[self.topics[topic]] = shown
        else:
            self.topics[topic] = len(self.has)
            self.has.append(shown)
        if self.mood == "lost":
            raise requests.ReadTimeout("no answer came")
        return "", 201

    def _opened(self, body: bytes) -> bytes:
        salt, theirs, sealed = body[:16], body[21:86], body[86:]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        ours = self.key.public_key().public_bytes(*POINT)
        shared = self.key.exchange(ec.ECDH(), point)
        info = b"WebPush: info\0" + ours + theirs
        secret = HKDF(hashes.SHA256(), 32, self.auth, info).derive(shared)
        parts = ((16, b"Content-Encoding: aes128gcm\0"), (12, b"Content-Encoding: nonce\0"))
        key, nonce = (HKDF(hashes.SHA256(), n, salt, info).derive(secret) for n, info in parts)
        return AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0").removesuffix(b"\x02")


class TestWebPush(NotificationChannelConformance):
    exempt: ClassVar = {
        UNKNOWN: "push services say nothing of a message",
        RECEIPT: "push services send none",
        "test_any_words_can_be_sent[" + "x" * 5000 + "]": "a push message holds 4 kB",
        "test_a_check_proves_the_log_in_and_sends_nothing": "a key is proven by sending only",
    }
    browser = Browser()
    address: ClassVar = browser.subscription()
    no_address: ClassVar = browser.subscription(f"{PUSH}/fcm/send/gone")

    @pytest.fixture
    def carrier(self) -> Browser:
        self.browser.mood = "well"
        self.browser.has.clear()
        self.browser.topics.clear()
        return self.browser

    def channel(self, carrier: Browser, tools: Tools) -> WebPush:
        tools.http.mount(PUSH, WsgiAdapter(carrier.app))
        return WebPush(WebPush.Settings(private_key=KEY, contact="mailto:it@husk.example"), tools)

    def carried(self, carrier: Browser) -> Sequence[tuple[str, str]]:
        return [(self.address, one["body"]) for one in carrier.has]


def a_push(browser: Browser) -> WebPush:
    settings = WebPush.Settings(private_key=KEY, contact="mailto:it@husk.example")
    return WebPush(settings, tools_for(PUSH, browser.app, NOW))


def test_a_push_says_who_sends_it_for_how_long_and_where_it_leads() -> None:
    browser = Browser()
    text = "We come.\nhttps://hub.example/t/x"
    until = NOW + timedelta(minutes=15)
    a_push(browser).send(
        Message(
            key="n1", to=browser.subscription(), subject="", text=text, sender="Husk", until=until
        )
    )
    [shown], [headers] = browser.has, browser.headers
    assert shown == {
        "title": "Husk",
        "body": "We come.",
        "url": "https://hub.example/t/x",
        "tag": "n1",
    }
    assert (headers["Ttl"], len(headers["Topic"])) == ("900", 32)
    token, key = headers["Authorization"].removeprefix("vapid t=").split(",k=")
    head, claims, mark = token.split(".")
    raw = b64(mark)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b64(key))
    whole = utils.encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    public.verify(whole, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    told = json.loads(b64(claims))
    assert told["aud"] == PUSH and told["sub"] == "mailto:it@husk.example"
    assert 0 < told["exp"] - NOW.timestamp() <= 86_400


def test_a_long_push_is_cut_to_what_a_service_takes() -> None:
    browser = Browser()
    for text in ("x" * 9000, "🍞" * 4000, '"' * 5000):
        a_push(browser).send(Message(key="n", to=browser.subscription(), subject="", text=text))
    assert all(
        len(json.dumps(one, ensure_ascii=False).encode()) <= MOST_PLAIN + 20 for one in browser.has
    )


@pytest.mark.parametrize(
    ("status", "error"), [*ANSWERS[1:], (404, Gone), (410, Gone), (403, ConfigError)]
)
def test_a_push_service_s_no_says_what_follows(status: int, error: type[Exception]) -> None:
    browser = Browser(status=status)
    with pytest.raises(error) as caught:
        a_push(browser).send(Message(key="n", to=browser.subscription(), subject="", text="t"))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://169.254.169.254/latest",
        "https://evil.example/",
        "https://fcm.googleapis.com.evil.example/",
        "https://evilnotify.windows.com/",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com@evil.example/",
        "javascript:alert(1)",
    ],
)
def test_only_push_services_are_called(endpoint: str) -> None:
    browser = Browser()
    with pytest.raises(Gone):
        a_push(browser).send(
            Message(key="n", to=browser.subscription(endpoint), subject="", text="t")
        )


@pytest.mark.parametrize(
    "keys", [{"p256dh": "AAAA"}, {"auth": "AAAA"}, {"p256dh": "é"}, {"auth": ""}]
)
def test_a_broken_subscription_is_no_address(keys: dict[str, str]) -> None:
    browser = Browser()
    for to in (browser.subscription(**keys), "", "[]", "{}", "[" * 9000):
        with pytest.raises(Gone):
            a_push(browser).send(Message(key="n", to=to, subject="", text="t"))


@pytest.mark.parametrize(
    "contact", ["it@husk.example", "mailto: it@husk.example", "mailto:<it@husk.example>"]
)
def test_a_contact_that_apple_refuses_is_told(contact: str) -> None:
    with pytest.raises(ValidationError):
        WebPush.Settings(private_key=KEY, contact=contact)
