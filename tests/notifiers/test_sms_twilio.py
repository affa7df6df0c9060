"""Twilio's answers, codes, signatures and calls, as its documentation and SDK have them."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from pydantic import ValidationError

from hub import (
    AuthError,
    BadSignature,
    ConfigError,
    Gone,
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
from notifiers.sms_twilio import Twilio, signature
from tests.fakes.twilio import KEY, KEY_SECRET, SID, TOKEN, FakeTwilio, signed

TO = "+358401234567"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def a_channel(fake: FakeTwilio, **more: Any) -> Twilio:
    http = Http()
    http.mount("https://api.twilio.com", WsgiAdapter(fake.app))
    tools = Tools(http, lambda: NOW, logging.getLogger("t"), Path())
    given = {"account_sid": SID, "auth_token": TOKEN, "sender": "+15017122661", **more}
    return Twilio(Twilio.Settings.model_validate(given), tools)


def a_text(to: str = TO, text: str = "On its way. https://d.example/t/x", **more: Any) -> Message:
    return Message(key="n1", to=to, subject="", text=text, **more)


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("+15005550001", Gone),
        ("+15005550009", Gone),
        ("040 123", Gone),
        ("+15005550004", OptedOut),
        ("+15005550003", ConfigError),
        ("+15005550002", ConfigError),
        ("+15005550010", RateLimited),
        ("+15005550011", Refused),
    ],
)
def test_a_code_says_what_follows(to: str, error: type[Exception]) -> None:
    fake = FakeTwilio()
    with pytest.raises(error) as caught:
        a_channel(fake).send(a_text(to))
    assert type(caught.value) is error and not fake.rows


def test_a_full_day_pauses_the_channel_for_an_hour_and_a_busy_one_as_long_as_it_says() -> None:
    fake = FakeTwilio(mood="busy")
    with pytest.raises(RateLimited) as busy:
        a_channel(fake).send(a_text())
    assert busy.value.retry_after == 7
    fake.be("well")
    with pytest.raises(RateLimited) as full:
        a_channel(fake).send(a_text("+15005550010"))
    assert full.value.retry_after == 3600


def test_an_error_after_it_was_stored_may_have_left() -> None:
    fake = FakeTwilio(mood="broken")
    with pytest.raises(MaybeSent):
        a_channel(fake).send(a_text())
    assert len(fake.rows) == 1


def test_nobody_there_is_not_may_have_left() -> None:
    http = Http(["127.0.0.1"])
    tools = Tools(http, lambda: NOW, logging.getLogger("t"), Path())
    given = {"account_sid": SID, "auth_token": TOKEN, "sender": "Husk"}
    channel = Twilio(Twilio.Settings(**given, base_url="http://127.0.0.1:9"), tools)
    with pytest.raises(Unavailable):
        channel.send(a_text())
    inside = Twilio(
        Twilio.Settings(**given, base_url="http://127.0.0.1:9"), replace(tools, http=Http())
    )
    with pytest.raises(ConfigError, match="private network"):
        inside.send(a_text())


def test_what_became_of_it_is_found_by_number_and_words_across_pages() -> None:
    fake = FakeTwilio(mood="lost", page_size=2)
    channel = a_channel(fake)
    ours = a_text(made_at=datetime.now(UTC))
    with pytest.raises(MaybeSent):
        channel.send(ours)
    fake.be("well")
    for n in range(5):
        channel.send(a_text(text=f"another {n}"))
    assert channel.became(ours) == "sent"
    assert channel.became(a_text(text="never said")) == "unknown"
    assert channel.became(a_text(to="+358401234568")) == "unknown"
    # The same words an hour before are another notice's.
    later = a_text(made_at=datetime.now(UTC) + timedelta(hours=1))
    assert channel.became(later) == "unknown"
    fake.rows[0]["status"] = "failed"
    assert channel.became(ours) == "failed"


def test_an_api_key_logs_in_and_a_service_sends() -> None:
    fake = FakeTwilio()
    service = "MG" + "2" * 32
    channel = a_channel(fake, login_sid=KEY, api_secret=KEY_SECRET, sender=service)
    channel.check()
    channel.send(a_text(until=NOW + timedelta(minutes=20), receipts_to="https://h.example/x?n=n1"))
    [row] = fake.rows
    assert (row["messaging_service_sid"], row["validity"]) == (service, "1200")
    assert list(fake.callbacks.values()) == ["https://h.example/x?n=n1"]
    with pytest.raises(ValidationError, match="two parts"):
        a_channel(fake, login_sid=KEY)
    with pytest.raises(AuthError):
        a_channel(fake, login_sid=KEY, api_secret="wrong").check()


def test_a_text_costs_what_its_parts_cost() -> None:
    channel = a_channel(FakeTwilio(), price="0.0083", most_parts=3)
    assert channel.cost(a_text(text="a" * 160)).micros == 8300
    two = channel.cost(a_text(text="a" * 161))
    assert (two.parts, two.micros, two.currency) == (2, 16_600, "USD")


VECTORS = [  # from twilio-python 9.13.0's own validator
    (
        "12345",
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309"
        "&To=%2B18005551212",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    ),
    (
        "12345",
        "https://hub.example.test/cb/twilio?n=42",
        "MessageSid=SM00000000000000000000000000000001&MessageStatus=delivered&To=%2B61400000000"
        f"&From=%2B61480000000&AccountSid=AC{'0' * 32}&ApiVersion=2010-04-01",
        "Bkba5zxX7ek1FAelYluOdIDsuKQ=",
    ),
]


@pytest.mark.parametrize(("token", "url", "body", "right"), VECTORS)
def test_signatures_are_twilios(token: str, url: str, body: str, right: str) -> None:
    assert signature(token, url, parse_qsl(body, keep_blank_values=True)) == right


def called(url: str, body: bytes, headers: dict[str, str], **query: str) -> WebhookRequest:
    lower = {name.lower(): value for name, value in headers.items()}
    return WebhookRequest(lower, body, url, query)


URL = "https://hub.example/hooks/told/abc?n=n1"


def test_a_receipt_says_what_the_carrier_says() -> None:
    channel = a_channel(FakeTwilio())
    told = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30006", "Empty": ""}
    receipt = channel.receipt(called(*signed(URL, told), n="n1"))
    assert (receipt.key, receipt.state, receipt.carrier_id) == ("n1", "undelivered", "SM1")
    assert receipt.gone and "30006" in receipt.why
    canceled = channel.receipt(called(*signed(URL, {"MessageStatus": "canceled"}), n="n1"))
    assert canceled.state == "cancelled"


def test_a_receipt_is_believed_with_either_port_and_with_the_next_token_only() -> None:
    channel = a_channel(FakeTwilio(), next_auth_token="n3xt")
    told = {"MessageStatus": "sent"}
    _, body, headers = signed(URL.replace("hub.example", "hub.example:443"), told)
    assert channel.receipt(called(URL, body, headers)).state == "sent"
    _, body, headers = signed(URL, told, "n3xt")
    assert channel.receipt(called(URL, body, headers)).state == "sent"
    for _, body, headers in (
        signed(URL, told, "another"),
        signed(URL.replace("https", "http"), told),
        signed(URL.replace("n=n1", "n=n2"), told),
        (URL, signed(URL, told)[1] + b"&MessageStatus=delivered", signed(URL, told)[2]),
    ):
        with pytest.raises(BadSignature):
            channel.receipt(called(URL, body, headers))


def test_an_answer_names_who_and_what_and_the_wish_twilio_understood() -> None:
    channel = a_channel(FakeTwilio())
    told = {"From": TO, "Body": "Arrête!", "OptOutType": "STOP", "NumMedia": "0"}
    reply = channel.reply(called(*signed(URL, told)))
    assert (reply.sender, reply.text, reply.wish) == (TO, "Arrête!", "stop")
    assert channel.reply(called(*signed(URL, {"From": TO, "Body": "hi"}))).wish == ""


def test_a_redirect_is_not_followed_and_an_odd_answer_is_no_yes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Odd(requests.adapters.BaseAdapter):
        def __init__(self, status: int, body: bytes) -> None:
            super().__init__()
            self.status, self.body = status, body

        def send(self, request: Any, **more: Any) -> requests.Response:
            reply = requests.Response()
            reply.status_code, reply._content, reply.request = self.status, self.body, request
            reply.headers["Location"] = "https://evil.example/"
            return reply

        def close(self) -> None: ...

    channel = a_channel(FakeTwilio())
    for status, body, error in (
        (307, b"", ConfigError),
        (201, b"<html>", MaybeSent),
        (201, b"{}", MaybeSent),
        (400, b"no json", Refused),
        (403, b"{}", AuthError),
    ):
        channel.tools.http.mount("https://api.twilio.com", Odd(status, body))
        with pytest.raises(error):
            channel.send(a_text())


@pytest.mark.parametrize("letter", ["a", "б"])
def test_a_very_long_text_keeps_its_link_and_stays_within_what_twilio_takes(letter: str) -> None:
    link = "https://d.example/t/" + "x" * 22
    long = a_text(text=f"{letter * 60} " * 40 + link)
    sent = a_channel(FakeTwilio(), most_parts=10).sms(long)
    assert sent.text.endswith(link) and len(sent.text) <= 1600
