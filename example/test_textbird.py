"""The plugin keeps the contract of a notification channel."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fake_textbird import FakeTextbird
from hub_textbird import Textbird

from hub import AuthError, Message, RateLimited, Refused, Tools, Unavailable
from hub.testing import MONDAY, NotificationChannelConformance, WsgiAdapter, lent

NEWS = Message(key="n-1", to="+358401234567", subject="", text="Zoë, 🍞 at 10:20–10:50.")


@pytest.fixture
def carrier() -> FakeTextbird:
    return FakeTextbird()


@pytest.fixture
def channel(carrier: FakeTextbird, tmp_path: Path) -> Textbird:
    tools = lent(tmp_path, now=MONDAY)
    tools.http.mount("https://textbird.test", WsgiAdapter(carrier.app))
    settings = Textbird.Settings(url="https://textbird.test", token=carrier.secret, sender="Husk")
    return Textbird(settings, tools)


def test_a_message_arrives_letter_by_letter(channel: Textbird, carrier: FakeTextbird) -> None:
    assert channel.send(NEWS) == "T1"
    [sent] = carrier.sent.values()
    assert (sent["to"], sent["from"], sent["text"]) == (NEWS.to, "Husk", NEWS.text)


def test_the_same_message_again_is_one(channel: Textbird, carrier: FakeTextbird) -> None:
    assert channel.repeat_is_harmless
    assert channel.send(NEWS) == channel.send(NEWS)
    channel.send(replace(NEWS, key="n-2"))
    assert list(carrier.sent) == ["n-1", "n-2"]


def test_it_can_be_asked_what_became_of_a_message(channel: Textbird, carrier: FakeTextbird) -> None:
    assert channel.status("n-1") == "unknown"
    channel.send(NEWS)
    assert channel.status("n-1") == "sent"
    carrier.sent["n-1"]["state"] = "failed"
    assert channel.status("n-1") == "failed"


def test_a_number_that_is_none_is_refused_for_good(channel: Textbird) -> None:
    with pytest.raises(Refused, match="no number"):
        channel.send(replace(NEWS, to="somewhere"))


@pytest.mark.parametrize(
    ("mood", "error"), [("locked", AuthError), ("busy", RateLimited), ("down", Unavailable)]
)
def test_trouble_says_what_happens_next(
    channel: Textbird, carrier: FakeTextbird, mood: str, error: type[Exception]
) -> None:
    channel.check()
    carrier.mood = mood
    for ask in (channel.check, lambda: channel.send(NEWS), lambda: channel.status("n-1")):
        with pytest.raises(error) as caught:
            ask()
        assert carrier.secret not in str(caught.value)
    assert carrier.secret not in repr(channel.settings)
    assert carrier.sent == {}


class TestTextbird(NotificationChannelConformance):
    address = "+358401234567"
    no_address = "somewhere"
    exempt: ClassVar = {
        "test_a_receipt_is_believed_only_if_it_is_the_carriers": "Textbird sends no receipts"
    }

    @pytest.fixture
    def carrier(self) -> FakeTextbird:
        return FakeTextbird()

    def channel(self, carrier: FakeTextbird, tools: Tools) -> Textbird:
        tools.http.mount("https://textbird.test", WsgiAdapter(carrier.app))
        given = {"url": "https://textbird.test", "token": carrier.secret, "sender": "Husk"}
        return Textbird(Textbird.Settings.model_validate(given), tools)

    def carried(self, carrier: FakeTextbird) -> list[tuple[str, str]]:
        return [(sent["to"], sent["text"]) for sent in carrier.sent.values()]

    def be(self, carrier: Any, mood: str) -> bool:
        carrier.mood = mood
        return True
