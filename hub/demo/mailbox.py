"""A mail server of the simulator's own: what customers got, and nothing the hub says it sent."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from typing import Any

from hub.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Mail:
    to: str
    subject: str
    message_id: str


class Mailbox:
    """Takes what comes; ``mails`` in the order in which it came."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        read = BytesHeaderParser().parsebytes(envelope.content)
        subject = " ".join(str(make_header(decode_header(read["Subject"]))).split())
        for to in envelope.rcpt_tos:
            self.mails.append(Mail(to, subject, read["Message-ID"].strip()))
        return "250 OK"

    def twice(self) -> int:
        """How many came again under a name that had come before."""
        names = Counter((mail.to, mail.message_id) for mail in self.mails)
        return sum(n - 1 for n in names.values())


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    """Raises ``ConfigError`` where the server's library is not installed."""
    try:
        from aiosmtpd.controller import Controller
    except ImportError as error:
        raise ConfigError(
            "A played day needs a mail server: pip install 'lastmile-hub[demo]'."
        ) from error
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
