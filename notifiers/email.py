"""E-mail by SMTP: the business's own server, or a relay's."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from pydantic import BaseModel, EmailStr, Field, SecretStr

from hub import (
    AuthError,
    ConfigError,
    Message,
    NotificationChannel,
    Refused,
    Unavailable,
    hookimpl,
)

TIMEOUT_S = 20


class EmailSettings(BaseModel):
    host: str = Field(title="SMTP server", description="e.g. smtp.example.com", min_length=1)
    port: int = Field(default=587, title="Port", ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", title="Encryption", description="none only on your own machine"
    )
    user: str = Field(default="", title="User name")
    password: SecretStr = Field(default=SecretStr(""), title="Password")
    sender: EmailStr = Field(title="From address")


class Email(NotificationChannel):
    """SMTP has no key that makes a repeat harmless; the same ``Message-ID`` lets a reader's
    mail program see one (RFC 5322, 3.6.4)."""

    key = "email"
    title = "E-mail"
    Settings = EmailSettings

    def check(self) -> None:
        """Log in and leave again."""
        with self._server():
            pass

    def send(self, message: Message) -> str:
        """The ``Message-ID`` it went out under."""
        mail = self._mail(message)
        with self._server() as server:
            server.send_message(mail)
        return str(mail["Message-ID"])

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        try:
            mail["From"] = Address(message.sender, addr_spec=str(self.settings.sender))
            mail["To"] = Address(addr_spec=message.to)
            mail["Subject"] = message.subject
        except (ValueError, IndexError) as error:  # also a line break in a header
            raise Refused(f"{message.to!r} cannot be written to: {error}") from error
        if message.reply_to:
            mail["Reply-To"] = message.reply_to
        domain = str(self.settings.sender).rpartition("@")[2]
        mail["Message-ID"] = message.message_id or f"<{message.key}@{domain}>"
        mail["Date"] = format_datetime(self.tools.now())
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        return mail

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        settings = self.settings
        where = f"{settings.host}:{settings.port}"
        try:
            with self._connected() as server:
                if settings.user:
                    server.login(settings.user, settings.password.get_secret_value())
                yield server
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
            raise Unavailable(f"{where} gave no usable answer ({type(error).__name__})") from error

    def _connected(self) -> smtplib.SMTP:
        settings = self.settings
        context = ssl.create_default_context()
        if settings.security == "tls":
            return smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=TIMEOUT_S, context=context
            )
        server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_S)
        if settings.security == "starttls":
            server.starttls(context=context)
        return server


def _for_code(where: str, code: int, text: bytes | str) -> Refused | Unavailable:
    """4xx may work later, 5xx never will (RFC 5321, 4.2.1)."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    kind = Refused if code >= 500 else Unavailable
    return kind(f"{where} answered {code}: {words[:200]}")


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Email]
