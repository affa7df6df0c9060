"""The notification channels of the house keep the promises of all channels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from hub import Tools
from hub.http import Http
from hub.testing import NotificationChannelConformance
from notifiers.console import Console
from notifiers.email import Email
from tests.notifiers.mailboxes import Mailbox, mailbox

__all__ = ["mailbox"]
PASSWORD = "m4ilbox-5ecret"


class TestConsole(NotificationChannelConformance):
    alone = "it prints; no carrier is asked"
    exempt: ClassVar = {
        "test_a_carrier_that_takes_nothing_is_told_apart": alone,
        "test_an_answer_that_is_lost_says_that_nobody_knows": alone,
        "test_what_became_of_a_message_can_be_looked_up": alone,
        "test_a_receipt_is_believed_only_if_it_is_the_carriers": alone,
    }

    @pytest.fixture
    def carrier(self, capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
        self.printed = ""
        return capsys

    def channel(self, carrier: Any, tools: Tools) -> Console:
        return Console(Console.Settings(), tools)

    def carried(self, carrier: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
        self.printed += carrier.readouterr().out
        lines = [line for line in self.printed.splitlines() if line.startswith("to ")]
        return [tuple(line.removeprefix("to ").split(": ", 1)) for line in lines]  # type: ignore[misc]

    def be(self, carrier: Any, mood: str) -> bool:
        return mood == "well"


class TestEmail(NotificationChannelConformance):
    no_address: ClassVar = "nobody@example.com"
    mail = "a mail server says no more once it took a message"
    exempt: ClassVar = {
        "test_what_became_of_a_message_can_be_looked_up": mail,
        "test_a_receipt_is_believed_only_if_it_is_the_carriers": mail,
    }

    @pytest.fixture
    def carrier(self, mailbox: tuple[Mailbox, int]) -> Mailbox:
        box, self.port = mailbox
        box.password = PASSWORD
        return box

    def channel(self, carrier: Mailbox, tools: Tools) -> Email:
        settings = Email.Settings.model_validate(
            {
                "host": "127.0.0.1",
                "port": self.port,
                "security": "none",
                "sender": "shop@example.org",
                "user": "shop",
                "password": PASSWORD,
            }
        )
        return Email(settings, replace(tools, http=Http(["127.0.0.1"])))

    def carried(self, carrier: Mailbox) -> list[tuple[str, str]]:
        found = []
        for to, mail in carrier.envelopes:
            body = mail.get_body(("plain",))
            assert body is not None
            found.append((to, f"{mail['Subject']}\n{body.get_content()}"))
        return found

    def be(self, carrier: Mailbox, mood: str) -> bool:
        match mood:
            case "locked":
                carrier.password = "another"
            case "busy":
                carrier.answer = "451 try later"
            case "down":
                carrier.hang_up = "RCPT"
            case "lost":
                carrier.hang_up = "DATA"
        return True
