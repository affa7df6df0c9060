"""Messages: channels from their own settings, rules with their words, and a real test mail."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from PIL import Image
from sqlmodel import select

from hub.app import Hub
from hub.db.tables import ChoiceRow, NoticeRuleRow, SecretRow
from hub.flows.brand import BrandIn, add_brand, save_brand
from hub.flows.choices import choice
from hub.flows.log_in import Role
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub
from tests.ports import free_port


class Inbox:
    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.content.decode())
        return "250 OK"


def right_password(
    server: Any, session: Any, envelope: Any, mechanism: str, data: Any
) -> AuthResult:
    good = isinstance(data, LoginPassword) and data.password == b"s3cret"
    return AuthResult(success=good, handled=good)


@pytest.fixture
def mail() -> Iterator[tuple[Inbox, int]]:
    """A real SMTP server that wants the password s3cret."""
    inbox = Inbox()
    port = free_port()
    server = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        authenticator=right_password,
        auth_require_tls=False,
    )
    server.start()
    yield inbox, port
    server.stop()


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return an_installed_hub(tmp_path / "data")


@pytest.fixture
def panel(hub: Hub) -> Panel:
    return a_panel(hub, a_bakery(hub))


def form(port: int, **more: str) -> dict[str, str]:
    return {
        "host": "127.0.0.1",
        "port": str(port),
        "security": "none",
        "user": "husk",
        "password": "s3cret",
        "sender": "hi@husk.example",
        **more,
    }


CHANNEL = "/panel/messages/channels/email"


def test_mail_is_set_up_tested_and_its_password_is_never_shown(
    panel: Panel, mail: tuple[Inbox, int]
) -> None:
    inbox, port = mail
    assert "E-mail works." in panel.post(CHANNEL, **form(port)).text
    page = panel.get(CHANNEL).text
    assert "s3cret" not in page and "Leave it empty to keep" in page
    with panel.hub.reading() as session:
        assert "s3cret" not in str(session.exec(select(ChoiceRow)).one().settings)
        assert "s3cret" not in session.exec(select(SecretRow)).one().sealed
    panel.post(CHANNEL, **form(port, password="", sender="orders@husk.example"))
    assert "A test is on its way" in panel.post(f"{CHANNEL}/test", to="me@example.com").text
    assert len(inbox.mails) == 1 and "orders@husk.example" in inbox.mails[0]


def test_a_test_wears_the_brand_that_was_chosen(panel: Panel, mail: tuple[Inbox, int]) -> None:
    inbox, port = mail
    panel.post(CHANNEL, **form(port))
    assert 'name="brand"' not in panel.get(CHANNEL).text  # with one there is nothing to choose
    night = add_brand(panel.hub, panel.business_id, "Night Bakery", actor="test")
    given = BrandIn(name="Night Bakery", sender_name="The night shift", reply_to="n@husk.example")
    save_brand(panel.hub, panel.business_id, given, slug=night, actor="test")
    page = panel.post(f"{CHANNEL}/test", to="me@example.com", brand=night).text
    assert f'<option value="{night}" selected>' in page
    [told] = inbox.mails
    assert "From: The night shift" in told and "Reply-To: n@husk.example" in told
    assert "A test from Night Bakery" in told and "Husk Bakery" not in told
    assert panel.post(f"{CHANNEL}/test", to="me@example.com", brand="other").status_code == 404
    assert len(inbox.mails) == 1


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"port": "70000"}, "port", "At most 65535."),
        ({"port": "abc"}, "port", "This must be a whole number."),
        ({"host": ""}, "host", "Please fill this in."),
        ({"sender": "nobody"}, "sender", ""),
    ],
)
def test_wrong_settings_stand_at_their_fields(
    panel: Panel, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = panel.post(CHANNEL, **{**form(25), **change})
    assert answer.status_code == 422 and f'id="{field}-error">{sentence}' in answer.text
    assert choice(panel.hub, panel.business_id, "channel", "email") is None


def test_settings_that_do_not_work_are_not_kept(panel: Panel, mail: tuple[Inbox, int]) -> None:
    answer = panel.post(CHANNEL, **form(mail[1], password="wrong"))
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert choice(panel.hub, panel.business_id, "channel", "email") is None


def test_a_channel_is_switched_off_and_on(panel: Panel, mail: tuple[Inbox, int]) -> None:
    panel.post(CHANNEL, **form(mail[1]))
    panel.post(f"{CHANNEL}/switch", active="0")
    row = choice(panel.hub, panel.business_id, "channel", "email")
    assert row is not None and not row.active
    assert panel.post("/panel/messages/channels/console/switch", active="0").status_code == 404


def test_a_second_channel_gets_rules_that_are_off(panel: Panel) -> None:
    panel.post("/panel/messages/channels/console")
    rules = _rules(panel.hub, panel.business_id)
    assert {row.active for row in rules if row.channel == "console"} == {False}
    assert {row.trigger for row in rules if row.channel == "console"} == {
        row.trigger for row in rules if row.channel == "email"
    }


def test_a_rule_s_words_are_saved_and_previewed(panel: Panel) -> None:
    rule = _rules(panel.hub, panel.business_id)[0]
    page = panel.post(
        f"/panel/messages/rules/{rule.id}",
        subject="Order {order} <b>",
        body="Hello,\r\nfrom {brand}",
    ).text
    assert "Husk Bakery" in page and "&lt;b&gt;" in page
    saved = next(row for row in _rules(panel.hub, panel.business_id) if row.id == rule.id)
    assert (saved.active, saved.body) == (False, "Hello,\nfrom {brand}")


def test_an_unknown_variable_is_named_before_a_customer_sees_it(panel: Panel) -> None:
    rule = _rules(panel.hub, panel.business_id)[0]
    answer = panel.post(
        f"/panel/messages/rules/{rule.id}", active="1", subject="Hi {nmae}", body="x"
    )
    assert answer.status_code == 422 and "There is no {nmae}." in answer.text
    assert "Hi {nmae}" in answer.text


def test_another_business_s_rule_is_404(hub: Hub, panel: Panel) -> None:
    rule = _rules(hub, a_bakery(hub))[0]
    path = f"/panel/messages/rules/{rule.id}"
    assert panel.get(path).status_code == 404
    assert panel.post(path, subject="Mine", body="Mine").status_code == 404


def test_a_dispatcher_sees_what_was_sent_but_sets_nothing(hub: Hub) -> None:
    business_id = a_bakery(hub)
    panel = a_panel(hub, business_id, Role.DISPATCHER)
    assert "Nobody was told anything yet." in panel.get("/panel/messages").text
    assert panel.get(CHANNEL).status_code == 403
    assert panel.get(f"/panel/messages/rules/{_rules(hub, business_id)[0].id}").status_code == 403
    assert (
        a_panel(hub, business_id, Role.VIEWER, "v@example.com").get("/panel/messages").status_code
        == 403
    )


def _rules(hub: Hub, business_id: str) -> list[NoticeRuleRow]:
    with hub.reading() as session:
        return list(
            session.exec(select(NoticeRuleRow).where(NoticeRuleRow.business_id == business_id))
        )


def test_a_mistyped_sender_is_told_in_plain_words(panel: Panel) -> None:
    page = panel.post(CHANNEL, **form(25, sender="nobody")).text
    assert "This is not an e-mail address. Write it as orders@example.com." in page
    assert "@-sign" not in page


def test_a_mail_is_seen_as_it_will_look_in_each_brand_and_language(panel: Panel) -> None:
    night = add_brand(panel.hub, panel.business_id, "Night Bakery", actor="test")
    given = BrandIn(name="Night Bakery", colour="#ffd54a", header_colour="#1b1464")
    picture = io.BytesIO()
    Image.new("RGB", (60, 20), "#b02020").save(picture, "PNG")
    with_logo = {"logo": picture.getvalue(), "actor": "test"}
    save_brand(panel.hub, panel.business_id, given, night, **with_logo)  # type: ignore[arg-type]
    rule = next(row for row in _rules(panel.hub, panel.business_id) if row.channel == "email")
    path = f"/panel/messages/rules/{rule.id}"
    page = panel.get(f"{path}?brand={night}&language=ar")
    frame = unescape(re.search(r'<iframe [^>]*src="([^"]+)"', page.text)[1])  # type: ignore[index]
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    mail = panel.get(frame)
    assert "Night Bakery" in mail.text and 'dir="rtl"' in mail.text and "#1b1464" in mail.text
    assert "data:image/png;base64," in mail.text and "cid:" not in mail.text
    assert mail.headers["Content-Security-Policy"].endswith("; sandbox")
    assert "Husk Bakery" in panel.get(f"{path}/mail?brand=nobodys").text


def test_a_text_has_no_frame_and_nobody_sees_anothers_mail(hub: Hub, panel: Panel) -> None:
    rule, theirs = _rules(hub, panel.business_id)[0], _rules(hub, a_bakery(hub))[0]
    assert panel.get(f"/panel/messages/rules/{theirs.id}/mail").status_code == 404
    assert "<iframe" in panel.get(f"/panel/messages/rules/{rule.id}").text
    with hub.unit() as unit:
        unit.session.get_one(NoticeRuleRow, rule.id).channel = "sms_twilio"
    assert "<iframe" not in panel.get(f"/panel/messages/rules/{rule.id}").text
    assert panel.get(f"/panel/messages/rules/{rule.id}/mail").status_code == 404
