"""E-mail by SMTP: the business's own server, or a relay's."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, EmailStr, Field, SecretStr

from hub import (
    AuthError,
    ConfigError,
    Gone,
    HubError,
    MaybeSent,
    Message,
    NotificationChannel,
    Refused,
    Unavailable,
    hookimpl,
)

TIMEOUT_S = 20
MOST_TOGETHER = 20
"""Messages by one connection; servers that count them allow more."""
NO_MAILBOX = ("5.1.1", "5.1.2", "5.1.10")  # RFC 3463: no such mailbox, no such system, null MX
Connect = Callable[[str, int, float], socket.socket]


class EmailSettings(BaseModel):
    host: str = Field(title="SMTP server", description="e.g. smtp.example.com", min_length=1)
    port: int = Field(default=587, title="Port", ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        title="Encryption",
        json_schema_extra={
            "labels": {
                "starttls": "STARTTLS (usual, port 587)",
                "tls": "TLS from the start (port 465)",
                "none": "None: only on your own machine",
            }
        },
    )
    user: str = Field(default="", title="User name")
    password: SecretStr = Field(
        default=SecretStr(""), title="Password", description="Of this mailbox, or an app password"
    )
    sender: EmailStr = Field(title="From address", description="Recipients see it and answer to it")


class Email(NotificationChannel):
    """SMTP has no key that makes a repeat harmless; the same ``Message-ID`` lets a reader's
    mail program see one (RFC 5322, 3.6.4)."""

    key = "email"
    title = "E-mail"
    reaches = "email"
    Settings = EmailSettings
    _keeps = False  # a connection for the next message
    _kept: _Server | None = None

    def check(self) -> None:
        """Log in and leave again."""
        with self._server():
            pass

    def send(self, message: Message) -> str:
        """The ``Message-ID`` it went out under.

        Raises ``MaybeSent`` when the server had the message and gave no answer.
        """
        mail = self._mail(message)
        with self._server() as server:
            server.send_message(mail)
            server.taken += 1
        return str(mail["Message-ID"])

    @contextmanager
    def together(self) -> Iterator[None]:
        """Reaching a server, trusting it and logging in take longer than a message does."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            if (kept := self._take_kept()) is not None:
                _leave(kept)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        try:
            ours = _address(str(self.settings.sender))
        except ValueError as error:  # no recipient's fault
            raise ConfigError(f"The From address {self.settings.sender!r}: {error}.") from error
        try:
            mail["From"] = Address(_words(message.sender), addr_spec=ours)
            mail["To"] = Address(addr_spec=_address(message.to))
            mail["Subject"] = _words(message.subject)
            domain = str(self.settings.sender).rpartition("@")[2]
            mail["Message-ID"] = message.message_id or f"<{message.key}@{domain}>"
        except (ValueError, IndexError) as error:  # also a line break in a header
            raise Refused(f"{message.to!r} cannot be written to: {error}") from error
        with suppress(ValueError):  # without it answers go to the From address
            if message.reply_to:
                mail["Reply-To"] = Address(addr_spec=_address(message.reply_to))
        mail["Date"] = format_datetime(self.tools.now())
        if message.unsubscribe.startswith("https://"):
            mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
            _add_inline(mail, message)
        return mail

    @contextmanager
    def _server(self) -> Iterator[_Server]:
        settings = self.settings
        where = f"{settings.host}:{settings.port}"
        server = self._take_kept()
        try:
            if server is None or not _still_listens(server):
                server = self._connected()
                if settings.user:
                    server.login(settings.user, settings.password.get_secret_value())
            yield server
            if self._keeps and server.taken < MOST_TOGETHER:
                self._kept, server = server, None
        except smtplib.SMTPAuthenticationError:
            raise AuthError(f"{where} does not accept this user and password.") from None
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _for_code(where, code, text) from error
        except smtplib.SMTPResponseException as error:
            raise _for_code(where, error.smtp_code, error.smtp_error) from error
        except ssl.SSLError as error:
            raise ConfigError(
                f"{where} offers no encryption we can trust: {error.reason}"
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise ConfigError(f"{where} does not offer what is set here: {error}") from error
        except (OSError, smtplib.SMTPException) as error:
            if server is not None and server.has_it:
                raise MaybeSent(f"{where} took the message and gave no answer.") from error
            raise Unavailable(f"{where} gave no usable answer ({type(error).__name__})") from error
        finally:
            if server is not None:
                _leave(server)

    def _take_kept(self) -> _Server | None:
        kept, self._kept = self._kept, None
        return kept

    def _connected(self) -> _Server:
        settings = self.settings
        where = (self.tools.connect, settings.host, settings.port)
        context = _trusting(ssl.get_default_verify_paths())
        try:
            if settings.security == "tls":
                return _TlsServer(*where, timeout=TIMEOUT_S, context=context)
            server = _Server(*where, timeout=TIMEOUT_S)
        except Refused as problem:  # nothing is wrong with the message that waits
            raise ConfigError(str(problem)) from None
        if settings.security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


def _words(text: str) -> str:
    """``text`` for a header. Letters that stand for others there (RFC 2047) can stand for a line
    break, and so for another header, or a body: they are taken apart.
    """
    return text.replace("=?", "= ?")


def _address(text: str) -> str:
    """``text`` with a domain that every server takes (RFC 5891). Raises ``ValueError`` for what
    is no one address.
    """
    name, at, domain = text.rpartition("@")
    if not at or "=?" in text or not text.isprintable():
        raise ValueError("this is no e-mail address")
    if not name.isascii():
        raise ValueError("most servers take plain letters alone before the @")
    return f"{name}@{domain if domain.isascii() else domain.encode('idna').decode()}"


@cache
def _trusting(paths: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    """What this machine trusts; reading it takes longer than sending a mail nearby.

    ``paths`` are where that stands; other paths are read anew.
    """
    return ssl.create_default_context()


class _Server(smtplib.SMTP):
    """Connects only where the hub lends a connection to.

    Knows whether the other side may have the whole message without having said so, and how
    many it ``taken`` has.
    """

    has_it = False
    taken = 0

    def __init__(self, connect: Connect, *args: Any, **kwargs: Any) -> None:
        self._lent = connect  # before the base class, which connects
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._lent(host, port, timeout)

    def send(self, s: Any) -> None:
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):  # the body, up to its final dot
            self.has_it = True
        super().send(s)

    def data(self, msg: Any) -> tuple[int, bytes]:
        answer = super().data(msg)
        self.has_it = False
        return answer


class _TlsServer(_Server, smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        return self.context.wrap_socket(plain, server_hostname=host)


def _add_inline(mail: EmailMessage, message: Message) -> None:
    """Put what the page shows beside the page (RFC 2387), where no reader lists it as a file."""
    page = mail.get_body(("html",))
    assert page is not None  # the caller has just added it
    for file in message.inline:
        main, _, sub = file.media_type.partition("/")
        page.add_related(
            file.content, maintype=main, subtype=sub, cid=f"<{file.cid}>", disposition="inline"
        )


def _still_listens(server: _Server) -> bool:
    """A server may hang up on who says nothing for a while; then nothing has left by it."""
    try:
        code, _ = server.noop()
    except (OSError, smtplib.SMTPException):
        code = 421
    if code != 250:
        server.close()
    return code == 250


def _leave(server: _Server) -> None:
    """Hang up. What the server says to QUIT changes nothing about a message it accepted."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()


def _for_code(where: str, code: int, text: bytes | str) -> HubError:
    """4xx may work later, 5xx never will (RFC 5321, 4.2.1); a full mailbox is emptied some day.

    530 and 534 ask for a log-in or for encryption, whoever is written to (RFC 4954, 6).
    """
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    said = f"{where} answered {code}: {words[:200]}"
    if code in (530, 534):
        return ConfigError(said)
    if code < 500 or code == 552 or words.startswith("5.2.2"):
        return Unavailable(said)
    if words.startswith(NO_MAILBOX):
        return Gone(said)
    return Refused(said)


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Email]
