"""E-mail against a real SMTP server."""

from __future__ import annotations

import logging
import ssl
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub import ConfigError, InlineFile, MaybeSent, Message, Refused, Tools, Unavailable
from hub.http import Http
from notifiers.email import Email
from tests.notifiers.mailboxes import Mailbox, mailbox
from tests.ports import free_port

__all__ = ["mailbox"]

_connected: list[str] = []
sys.addaudithook(
    lambda event, args: _connected.append(str(args[1])) if event == "socket.connect" else None
)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def channel(port: int) -> Email:
    settings = Email.Settings(
        host="127.0.0.1", port=port, security="none", sender="shop@example.org"
    )
    return Email(settings, tools())


def tools(*allowed: str) -> Tools:
    return Tools(Http(allowed or ["127.0.0.1"]), lambda: NOON, logging.getLogger("t"), Path())


def a_message(**changes: Any) -> Message:
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


@pytest.mark.parametrize("field", ["subject", "sender"])
@pytest.mark.parametrize(
    "words",
    [
        "Order =?utf-8?q?17=0D=0ABcc=3A_eve@example.com?= of today",
        "=?utf-8?q?17=0ABcc:eve@example.com?=",
        "=?utf-8?b?MTcNCkJjYzogZXZlQGV4YW1wbGUuY29tDQoNCjxiPmhpPC9iPg==?=",
        "=?utf-8?q?=E2=80=AEgnp.exe?=",
    ],
)
def test_letters_that_stand_for_others_in_a_header_stay_letters(
    mailbox: tuple[Mailbox, int], field: str, words: str
) -> None:
    """A store's order can be called like that: by RFC 2047 it is a line break and a header."""
    box, port = mailbox
    channel(port).send(a_message(**{field: words}))
    [mail] = box.mails
    assert mail["Bcc"] is None
    assert mail["To"] == "ana@example.com"
    assert "\u202e" not in str(mail["Subject"]) + str(mail["From"])
    assert "utf-8" in str(mail["Subject"]) + str(mail["From"])
    assert mail.get_body(("plain",)) is not None


CODED = '"=?utf-8?q?a=0ABcc:e@e.fi?="@example.com'


@pytest.mark.parametrize("address", [CODED, "a@example.com, eve@example.com", "jürgen@example.com"])
def test_what_is_no_one_address_is_not_written_to_and_not_answered(
    mailbox: tuple[Mailbox, int], address: str
) -> None:
    box, port = mailbox
    with pytest.raises(Refused):
        channel(port).send(a_message(to=address))
    channel(port).send(a_message(reply_to=address))
    [mail] = box.mails
    assert mail["Reply-To"] is None and mail["Bcc"] is None


def test_a_from_address_that_servers_do_not_take_is_nobodys_fault_but_the_settings() -> None:
    settings = Email.Settings(host="127.0.0.1", port=1, security="none", sender="büro@example.org")
    with pytest.raises(ConfigError, match="before the @"):
        Email(settings, tools()).send(a_message())


def test_a_domain_in_other_letters_is_written_as_every_server_takes_it(
    mailbox: tuple[Mailbox, int],
) -> None:
    """Else the server would be blamed, and what others wait for put off, for one address."""
    box, port = mailbox
    channel(port).send(a_message(to="ana@bücher.example"))
    [mail] = box.mails
    assert mail["To"] == "ana@xn--bcher-kva.example"


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
    with pytest.raises(MaybeSent, match="gave no answer"):
        channel(port).send(a_message())
    assert len(box.mails) == 1


def test_an_accepted_message_stays_accepted_however_rudely_the_server_leaves(
    mailbox: tuple[Mailbox, int],
) -> None:
    box, port = mailbox
    channel(port).send(a_message())  # QUIT is answered with 421
    assert len(box.mails) == 1


def test_a_server_that_hangs_up_on_who_is_silent_gets_the_next_mail_over_another_line(
    mailbox: tuple[Mailbox, int],
) -> None:
    box, port = mailbox
    sender = channel(port)
    with sender.together():
        for n in range(3):
            sender.send(a_message(key=f"{n}"))
        box.lines[-1].abort()
        sender.send(a_message(key="3"))
    assert len(box.mails) == 4
    assert [box.lines.index(one) for one in box.lines] == [0, 0, 0, 3]


def test_a_server_that_is_gone_is_temporary() -> None:
    with pytest.raises(Unavailable):
        channel(9).check()


def test_a_server_without_encryption_is_not_used_when_encryption_is_set(
    mailbox: tuple[Mailbox, int],
) -> None:
    settings = Email.Settings(host="127.0.0.1", port=mailbox[1], sender="shop@example.org")
    with pytest.raises(ConfigError):
        Email(settings, channel(mailbox[1]).tools).check()


def test_a_logo_travels_inside_the_page_that_shows_it(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    logo = InlineFile("logo@hub", "image/png", b"PNG")
    channel(port).send(a_message(html='<img src="cid:logo@hub">', inline=(logo,)))
    [mail] = box.mails
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert mail.get_content_type() == "multipart/alternative"
    assert parts["image/png"]["Content-ID"] == "<logo@hub>"
    assert parts["image/png"].get_content_disposition() == "inline"
    assert parts["image/png"].get_content() == b"PNG"
    assert list(mail.iter_attachments()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "2130706433", "0"])
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_server_inside_the_network_is_not_called_and_the_sentence_says_what_to_do(
    mailbox: tuple[Mailbox, int], host: str, security: str
) -> None:
    port = mailbox[1]
    settings = Email.Settings(host=host, port=port, security=security, sender="shop@example.org")
    _connected.clear()
    with pytest.raises(ConfigError, match=f"names {host}:{port} in HUB_HTTP_ALLOW"):
        Email(settings, tools("elsewhere.example")).send(a_message())
    assert _connected == []


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """The ports of two servers whose certificate, trusted here, is for localhost."""
    certificate = a_certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    ports, controllers = {}, []
    for security, how in (("starttls", "tls_context"), ("tls", "ssl_context")):
        ports[security] = free_port()
        controllers.append(
            Controller(Mailbox(), hostname="127.0.0.1", port=ports[security], **{how: context})
        )
        controllers[-1].start()
    yield ports
    for controller in controllers:
        controller.stop()


def a_certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encryption_is_with_the_server_that_was_named(
    encrypted: dict[str, int], security: str
) -> None:
    def at(host: str) -> Email:
        settings = Email.Settings(
            host=host, port=encrypted[security], security=security, sender="shop@example.org"
        )
        return Email(settings, tools("localhost", "127.0.0.1"))

    at("localhost").check()
    with pytest.raises(ConfigError, match="no encryption we can trust"):
        at("127.0.0.1").check()
