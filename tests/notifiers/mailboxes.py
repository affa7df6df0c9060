"""An SMTP server on a port of this machine, and what it took."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.ports import free_port


class Mailbox:
    """What an SMTP server took; ``answer`` is what it says to a message."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, EmailMessage]] = []  # each with whom it goes to
        self.password = ""  # empty: nobody has to log in
        self.answer = "250 OK"
        self.hang_up = ""  # at which word of the conversation the line goes dead
        self.lines: list[Any] = []  # over which mails came

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.envelopes += [(to, mail) for to in envelope.rcpt_tos]
        self.lines.append(server.transport)
        if self.hang_up == "DATA":
            server.transport.abort()
        return self.answer

    def knows(self, server: Any, session: Any, envelope: Any, how: str, who: Any) -> AuthResult:
        return AuthResult(success=who.password == self.password.encode(), handled=False)

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
    port = free_port()
    controller = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=box.knows, auth_require_tls=False
    )
    controller.start()
    yield box, port
    controller.stop()
