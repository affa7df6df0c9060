"""The promises of a notification channel, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, get_args

import pytest

from hub import (
    BadSignature,
    ConfigError,
    HubError,
    LooksUp,
    MaybeSent,
    Message,
    NotificationChannel,
    Provider,
    ReceivesReceipts,
    Refused,
    RetryLater,
    Tools,
    WebhookRequest,
)
from hub.core.contracts import Reaches
from hub.testing.leaving_out import demand_able, demand_unable
from hub.testing.provider import (
    PresentableConformance,
    demand_sentence,
    expect,
    secrets_of,
    the_only,
)

CarrierMood = Literal["well", "locked", "busy", "down", "lost"]
LOOKED_UP = "test_what_became_of_a_message_can_be_looked_up"
RECEIPT = "test_a_receipt_is_believed_only_if_it_is_the_carriers"
ADDRESSED = (
    "test_one_that_fails_takes_no_other_with_it",
    "test_an_address_that_can_never_receive_is_refused_in_a_sentence",
)
MOODY, LOST = (
    "test_a_carrier_that_takes_nothing_is_told_apart",
    "test_an_answer_that_is_lost_says_that_nobody_knows",
)
MOODS: Mapping[CarrierMood, Sequence[str]] = {
    "locked": (MOODY, f"{MOODY}[locked]"),
    "busy": (MOODY, f"{MOODY}[busy]"),
    "down": (MOODY, f"{MOODY}[down]"),
    "lost": (LOST,),
}
NOBODY = "nobody else is asked"


class NotificationChannelConformance(PresentableConformance, ABC):
    """``carrier`` is your fake of who carries messages. Its moods, set by ``be``:

    locked: it refuses the log-in. busy: it asks to come back later. down: nobody answers, and
    nothing is carried. lost: it carries what it gets, and the answer is lost.
    """

    address: ClassVar[str] = "ana@example.com"
    """What ``Message.to`` may hold for this channel."""
    no_address: ClassVar[str] = ""
    """One that the carrier will never reach. Empty: the channel needs no address."""

    @classmethod
    def unfit(cls) -> Iterable[str]:
        return () if cls.no_address else ADDRESSED

    @pytest.fixture
    @abstractmethod
    def carrier(self, request: pytest.FixtureRequest) -> Any: ...

    @abstractmethod
    def channel(self, carrier: Any, tools: Tools) -> NotificationChannel: ...

    @abstractmethod
    def carried(self, carrier: Any) -> Sequence[tuple[str, str]]:
        """For each message that the carrier has: whom it goes to, and its words."""

    def be(self, carrier: Any, mood: CarrierMood) -> bool:
        """``False``: there is no such mood, since nobody else is asked. Exempt what asks for it."""
        carrier.be(mood)
        return True

    def receipt(self, carrier: Any, key: str) -> WebhookRequest:
        """The carrier's call that the message ``key`` was delivered; for ``ReceivesReceipts``."""
        raise NotImplementedError("Give the kit a receipt as your carrier sends it.")

    def presented(self, tools: Tools) -> Provider:
        return self.channel(self._carrier, tools)

    @pytest.fixture(autouse=True)
    def _remember(self, carrier: Any) -> None:
        self._carrier = carrier

    @pytest.fixture
    def sends(self, carrier: Any, tools: Tools) -> NotificationChannel:
        return self.channel(carrier, tools)

    def message(self, key: str = "n1", **more: Any) -> Message:
        given = {
            "key": key,
            "to": self.address,
            "subject": f"Your order is on its way ({key})",
            "text": f"Your order is on its way ({key}).\nFollow it: https://hub.example/t/abc",
            "sender": "Husk Bakery",
            "message_id": f"<{key}@hub.example>",
        }
        return Message(**{**given, **more})

    # -- carried

    def test_what_it_reaches_is_one_of_the_hubs_words(self, sends: NotificationChannel) -> None:
        assert sends.reaches in get_args(Reaches), f"{sends.reaches!r} is none of {Reaches}."

    def test_a_message_is_carried_once_to_whom_it_is_for(
        self, sends: NotificationChannel, carrier: Any
    ) -> None:
        sends.send(self.message())
        to, words = the_only(self.carried(carrier), "message that was carried")
        if sends.reaches in ("email", "phone", "push"):
            assert to == self.address, f"It went to {to!r} instead of {self.address!r}."
        assert "on its way (n1)" in words, f"The message's words are not there: {words!r}."

    def test_it_says_by_what_the_carrier_knows_it(self, sends: NotificationChannel) -> None:
        ids = [sends.send(self.message(key)) for key in ("n1", "n2")]
        for one in ids:
            assert isinstance(one, str) and one.strip(), (
                f"`send` returns the carrier's id for the message, not {one!r}."
            )
        assert ids[0] != ids[1], "Two messages have one id."

    def test_a_repeat_is_harmless_only_if_it_says_so(
        self, sends: NotificationChannel, carrier: Any, tools: Tools
    ) -> None:
        sends.send(self.message())
        self.channel(carrier, tools).send(self.message())  # the process that did not know
        count = len(self.carried(carrier))
        if sends.repeat_is_harmless:
            assert count == 1, (
                "`repeat_is_harmless` promises that a second `send` with the same key is dropped;"
                f" it was carried {count} times. Give the carrier `message.key`, or say False."
            )

    def test_two_messages_of_the_same_words_are_two(
        self, sends: NotificationChannel, carrier: Any
    ) -> None:
        for key in ("n1", "n2"):
            sends.send(self.message(key, subject="Same (x)", text="Same (x)"))
        assert len(self.carried(carrier)) == 2, "What makes messages the same is their `key`."

    @pytest.mark.parametrize(
        "words", ["Bäckerei – 🍞", "李小龍", "a\nb", "x" * 5000, '<&">{{x}}%s']
    )
    def test_any_words_can_be_sent(
        self, sends: NotificationChannel, carrier: Any, words: str
    ) -> None:
        subject = f"{words[:60]} (n1)".replace("\n", " ")
        sends.send(self.message(text=f"{words} (n1)", subject=subject))
        _, carried = the_only(self.carried(carrier), "message that was carried")
        flat = "".join(carried.split())
        assert any("".join(one.split()) in flat for one in (words, subject)), (
            f"{words[:40]!r} arrived as {carried[:80]!r}."
        )

    @pytest.mark.parametrize("field", ["to", "subject", "sender", "reply_to", "message_id"])
    def test_nobody_else_can_be_smuggled_in(
        self, sends: NotificationChannel, carrier: Any, field: str
    ) -> None:
        value = getattr(self.message(), field) or "desk@hub.example"
        try:
            sends.send(self.message(**{field: f"{value}\r\nBcc: eve@example.com\r\nTo: eve"}))
        except Refused as error:
            demand_sentence(str(error), "Refused")
        strangers = [to for to, _ in self.carried(carrier) if "eve" in to and to != self.address]
        assert field == "to" or not strangers, f"A line break in `{field}` wrote to {strangers}."
        assert len(self.carried(carrier)) <= 1, f"A line break in `{field}` made two messages."

    def test_several_in_a_row_all_arrive(self, sends: NotificationChannel, carrier: Any) -> None:
        with sends.together():
            for n in range(3):
                sends.send(self.message(f"t{n}"))
        sends.send(self.message("after"))
        assert len(self.carried(carrier)) == 4, "Within `together`, or after it, one was lost."

    def test_one_that_fails_takes_no_other_with_it(
        self, sends: NotificationChannel, carrier: Any
    ) -> None:
        with sends.together():
            sends.send(self.message("t0"))
            wrong = self.message("t1", to=self.no_address)
            expect(Refused, lambda: sends.send(wrong), "an address that is never reached")
            sends.send(self.message("t2"))
        keys = " ".join(words for _, words in self.carried(carrier))
        assert "(t0)" in keys and "(t2)" in keys, "A refused message took its neighbours with it."

    # -- not carried

    def test_an_address_that_can_never_receive_is_refused_in_a_sentence(
        self, sends: NotificationChannel
    ) -> None:
        wrong = self.message(to=self.no_address)
        expect(Refused, lambda: sends.send(wrong), "an address that can never receive")

    @pytest.mark.parametrize(
        ("mood", "error"),
        [("locked", ConfigError), ("busy", RetryLater), ("down", RetryLater)],
    )
    def test_a_carrier_that_takes_nothing_is_told_apart(
        self,
        sends: NotificationChannel,
        carrier: Any,
        mood: CarrierMood,
        error: type[HubError],
    ) -> None:
        demand_able(self, self.be(carrier, mood), f"{MOODY}[{mood}]", NOBODY)
        expect(error, lambda: sends.send(self.message()), f"a carrier that is {mood}")
        assert not self.carried(carrier), (
            f"{error.__name__} says that nothing left, and the carrier has it. Raise MaybeSent."
        )

    def test_an_answer_that_is_lost_says_that_nobody_knows(
        self, sends: NotificationChannel, carrier: Any
    ) -> None:
        demand_able(self, self.be(carrier, "lost"), LOST, NOBODY)
        harmless = sends.repeat_is_harmless  # then it may as well be tried again
        error = HubError if harmless else MaybeSent
        caught = expect(error, lambda: sends.send(self.message()), "an answer that is lost")
        assert isinstance(caught, MaybeSent | RetryLater), (
            f"An answer that is lost is MaybeSent, not {type(caught).__name__}: it may have left."
        )
        assert len(self.carried(carrier)) == 1, "A message that may have left was sent again."

    def test_a_check_proves_the_log_in_and_sends_nothing(
        self, sends: NotificationChannel, carrier: Any
    ) -> None:
        sends.check()
        assert not self.carried(carrier), "`check` runs at each save of the form: send nothing."
        if self.be(carrier, "locked"):
            expect(ConfigError, sends.check, "a log-in that is refused")

    def test_no_secret_is_told(
        self,
        sends: NotificationChannel,
        carrier: Any,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        said = [repr(sends), repr(sends.settings)]
        with caplog.at_level("DEBUG"):
            for mood in ("well", "locked", "down"):
                if self.be(carrier, mood):
                    try:
                        sends.send(self.message(mood))
                    except HubError as error:
                        said += [str(error), repr(error)]
        said += own_log(sends, caplog)
        told = [name for name, secret in secrets_of(sends.settings) if secret in "".join(said)]
        assert not told, f"{told} stands in an error, a repr or the log."

    def test_addresses_stay_out_of_the_log(
        self, sends: NotificationChannel, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level("DEBUG"):
            sends.send(self.message())
        told = [line for line in own_log(sends, caplog) if self.address in line]
        assert not told, f"The log names a recipient. Log `message.key` instead of {told}."

    def test_what_is_left_out_it_cannot_do(self, sends: NotificationChannel, carrier: Any) -> None:
        needed = sends.reaches in ("email", "phone", "push")
        assert self.no_address or not needed, (
            f"A message goes to {sends.reaches}: name in `no_address` one that is never reached."
        )
        demand_unable(self, [LOOKED_UP], isinstance(sends, LooksUp), "it is a `LooksUp`")
        receives = isinstance(sends, ReceivesReceipts)
        demand_unable(self, [RECEIPT], receives, "it is a `ReceivesReceipts`")
        for mood, tests in MOODS.items():
            able = not self.exempt.keys().isdisjoint(tests) and self.be(carrier, mood)
            demand_unable(self, tests, able, f"`be` knows a carrier that is {mood}")

    # -- afterwards, for those who can

    def test_what_became_of_a_message_can_be_looked_up(self, sends: NotificationChannel) -> None:
        demand_able(self, isinstance(sends, LooksUp), LOOKED_UP, "it cannot be asked")
        assert isinstance(sends, LooksUp)
        sends.send(self.message())
        assert sends.became(self.message()) == "sent", "A message that was sent is `sent`."
        never = self.message("never")
        assert sends.became(never) == "unknown", "One that never left is `unknown`, not failed."

    def test_a_receipt_is_believed_only_if_it_is_the_carriers(
        self, sends: NotificationChannel, carrier: Any
    ) -> None:
        demand_able(self, isinstance(sends, ReceivesReceipts), RECEIPT, "it gets no receipts")
        assert isinstance(sends, ReceivesReceipts)
        sends.send(self.message())
        genuine = self.receipt(carrier, "n1")
        assert sends.receipt(genuine)[0] == "n1", "A receipt names the `message.key` it is about."
        for forged in (
            WebhookRequest({}, genuine.body),
            WebhookRequest(genuine.headers, genuine.body + b" ", genuine.url, genuine.query),
        ):
            expect(BadSignature, partial(sends.receipt, forged), "a forged receipt")


def own_log(sends: NotificationChannel, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the channel logged, and not a fake of its carrier in the same process."""
    package = type(sends).__module__.partition(".")[0]
    own = (sends.tools.log.name, package)
    return [r.getMessage() for r in caplog.records if r.name.startswith(own)]
