"""E-mail against a real SMTP server."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from hub import ConfigError, Message, Refused, Tools, Unavailable
from hub.http import Http
from notifiers.email import Email

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Mailbox:
    """What an SMTP server took; ``answer`` is what it says to a message."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"
        self.hang_up = ""  # at which word of the conversation the line goes dead

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        if self.hang_up == "DATA":
            server.transport.abort()
        return self.answer

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        return "421 too busy to say goodbye"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.hang_up == "RCPT":
            server.transport.abort()
        if address.startswith("full"):
            return "552 5.2.2 mailbox full"
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def channel(port: int) -> Email:
    settings = Email.Settings(
        host="127.0.0.1", port=port, security="none", sender="shop@example.org"
    )
    return Email(settings, Tools(Http(), lambda: NOON, logging.getLogger("t"), Path()))


def a_message(**changes: str) -> Message:
    given = {
        "key": "n1",
        "to": "ana@example.com",
        "subject": "Wir sind unterwegs – 🍞",
        "text": "Bis gleich",
        "html": "<p>Bis gleich</p>",
        "sender": "Bäckerei Husk",
        "message_id": "<n1@example.org>",
    }
    return Message(**{**given, **changes})


def test_a_mail_arrives_with_text_html_and_its_own_name(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    assert channel(port).send(a_message()) == "<n1@example.org>"
    [mail] = box.mails
    assert mail["Subject"] == "Wir sind unterwegs – 🍞"
    assert mail["From"] == "Bäckerei Husk <shop@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    body, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert body is not None
    assert page is not None
    assert "Bis gleich" in body.get_content()
    assert "<p>" in page.get_content()


def test_a_repeat_goes_out_under_the_same_message_id(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    channel(port).send(a_message())
    channel(port).send(a_message())
    assert {mail["Message-ID"] for mail in box.mails} == {"<n1@example.org>"}


def test_an_address_that_does_not_exist_is_refused_for_good(mailbox: tuple[Mailbox, int]) -> None:
    with pytest.raises(Refused, match="550"):
        channel(mailbox[1]).send(a_message(to="nobody@example.com"))


def test_a_busy_server_is_tried_again_later(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    box.answer = "451 try later"
    with pytest.raises(Unavailable, match="451"):
        channel(port).send(a_message())


@pytest.mark.parametrize("field", ["to", "subject", "sender"])
def test_no_header_can_be_smuggled_in(mailbox: tuple[Mailbox, int], field: str) -> None:
    box, port = mailbox
    with pytest.raises(Refused):
        channel(port).send(a_message(**{field: "a@example.com\r\nBcc: eve@example.com"}))
    assert box.mails == []


def test_a_full_mailbox_is_tried_again_later(mailbox: tuple[Mailbox, int]) -> None:
    with pytest.raises(Unavailable, match="552"):
        channel(mailbox[1]).send(a_message(to="full@example.com"))


def test_a_line_that_goes_dead_before_the_message_is_temporary(
    mailbox: tuple[Mailbox, int],
) -> None:
    box, port = mailbox
    box.hang_up = "RCPT"
    with pytest.raises(Unavailable):
        channel(port).send(a_message())
    assert box.mails == []


def test_a_line_that_goes_dead_after_the_message_says_that_nobody_knows(
    mailbox: tuple[Mailbox, int],
) -> None:
    box, port = mailbox
    box.hang_up = "DATA"
    with pytest.raises(ConnectionError, match="gave no answer"):
        channel(port).send(a_message())
    assert len(box.mails) == 1


def test_an_accepted_message_stays_accepted_however_rudely_the_server_leaves(
    mailbox: tuple[Mailbox, int],
) -> None:
    box, port = mailbox
    channel(port).send(a_message())  # QUIT is answered with 421
    assert len(box.mails) == 1


def test_a_server_that_is_gone_is_temporary() -> None:
    with pytest.raises(Unavailable):
        channel(9).check()


def test_a_server_without_encryption_is_not_used_when_encryption_is_set(
    mailbox: tuple[Mailbox, int],
) -> None:
    settings = Email.Settings(host="127.0.0.1", port=mailbox[1], sender="shop@example.org")
    with pytest.raises(ConfigError):
        Email(settings, channel(mailbox[1]).tools).check()
