"""The promises of a channel whose carrier is paid by the message, or passes on answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, cast

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
)
from hub.testing.provider import ProviderConformance, expect

WISHES = ("", "stop", "start", "help")


class CostsConformance(ProviderConformance, ABC):
    """``carrier`` is your fake of who carries messages."""

    address: ClassVar[str] = "+358401234567"

    @pytest.fixture
    @abstractmethod
    def carrier(self, request: pytest.FixtureRequest) -> Any: ...

    @abstractmethod
    def channel(self, carrier: Any, tools: Tools) -> NotificationChannel: ...

    @abstractmethod
    def carried(self, carrier: Any) -> Sequence[tuple[str, str]]: ...

    @pytest.fixture
    def paid(self, carrier: Any, tools: Tools) -> Costs:
        return cast(Costs, self.channel(carrier, tools))

    def message(self, text: str) -> Message:
        return Message(key="n1", to=self.address, subject="Hello", text=text)

    @pytest.mark.parametrize("text", ["Hi", "x" * 400, "李小龍" * 60, "🍞", "a\nb"])
    def test_a_cost_is_whole_parts_and_whole_millionths(self, paid: Costs, text: str) -> None:
        cost = paid.cost(self.message(text))
        assert isinstance(cost, Cost), f"`cost` returns a Cost, not {cost!r}."
        assert type(cost.parts) is int and cost.parts >= 1, f"{cost.parts!r} parts were paid."
        assert type(cost.micros) is int and cost.micros >= 0, f"{cost.micros!r} is no price."

    def test_what_costs_something_says_in_which_currency(self, paid: Costs) -> None:
        cost = paid.cost(self.message("Hi"))
        is_code = len(cost.currency) == 3 and cost.currency.isalpha() and cost.currency.isupper()
        assert is_code or not cost.micros, f"{cost.currency!r} is no currency (ISO 4217)."

    def test_a_longer_message_is_never_cheaper_and_a_part_has_one_price(self, paid: Costs) -> None:
        costs = [paid.cost(self.message("x" * n)) for n in (1, 100, 200, 400)]
        parts = [cost.parts for cost in costs]
        assert parts == sorted(parts), f"Longer messages take fewer parts: {parts}."
        prices = {cost.micros // cost.parts for cost in costs}
        assert len(prices) == 1, f"A part costs {sorted(prices)} millionths."

    def test_asking_for_a_cost_sends_nothing(self, paid: Costs, carrier: Any) -> None:
        paid.cost(self.message("Hi"))
        assert not self.carried(carrier), "`cost` only counts."


class RepliesConformance(ProviderConformance, ABC):
    """``carrier`` is your fake of who carries messages."""

    address: ClassVar[str] = "+358401234567"

    @pytest.fixture
    @abstractmethod
    def carrier(self, request: pytest.FixtureRequest) -> Any: ...

    @abstractmethod
    def channel(self, carrier: Any, tools: Tools) -> NotificationChannel: ...

    @abstractmethod
    def answered(self, carrier: Any, sender: str, text: str) -> WebhookRequest:
        """The carrier's call that ``sender`` answered ``text``."""

    @pytest.fixture
    def hears(self, carrier: Any, tools: Tools) -> TakesReplies:
        return cast(TakesReplies, self.channel(carrier, tools))

    @pytest.mark.parametrize("text", ["STOP", "Arrête !", "a & b = c + d", "قف", "", "🛑\nnow"])
    def test_an_answer_says_who_and_what(
        self, hears: TakesReplies, carrier: Any, text: str
    ) -> None:
        reply = hears.reply(self.answered(carrier, self.address, text))
        assert isinstance(reply, Reply), f"`reply` returns a Reply, not {reply!r}."
        assert reply.sender == self.address, (
            f"It came from {self.address!r}, not {reply.sender!r}: as in `Message.to`, else nobody"
            " is left alone."
        )
        assert reply.text == text, f"{text!r} arrived as {reply.text!r}."
        assert reply.wish in WISHES, f"{reply.wish!r} is none of {WISHES}."

    def test_an_answer_is_believed_only_if_it_is_the_carriers(
        self, hears: TakesReplies, carrier: Any
    ) -> None:
        genuine = self.answered(carrier, self.address, "STOP")
        for forged in (
            WebhookRequest({}, genuine.body, genuine.url, genuine.query),
            WebhookRequest(genuine.headers, genuine.body + b" ", genuine.url, genuine.query),
        ):
            expect(BadSignature, partial(hears.reply, forged), "a forged answer")

    def test_a_carrier_is_answered_in_something_it_can_read(self, hears: TakesReplies) -> None:
        body, media_type = hears.answer
        assert isinstance(body, str) and "/" in media_type, f"{hears.answer!r} is no answer."
