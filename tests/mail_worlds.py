"""A real SMTP server that keeps what it took and can be told to misbehave."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """``answer`` is what it says to a message; ``dead_lines``: how many get no answer at all.
    ``greeted``: how many conversations were begun.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = 0
        self.answer = "250 OK"
        self.dead_lines = 0
        self.greeted = 0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greeted += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        if self.dead_lines:
            self.dead_lines -= 1
            server.transport.abort()
        return self.answer

    def about(self, word: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if word in mail["Subject"]]


@contextmanager
def a_mailbox[M: Mailbox](box: M) -> Iterator[M]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def settings_for(box: Mailbox) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": box.port,
        "security": "none",
        "sender": "shop@example.org",
    }


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def page(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())
