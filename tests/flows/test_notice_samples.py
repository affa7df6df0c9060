"""What a notice looks like before it is needed is seen by its business alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import select

import notifiers.console
import notifiers.email
from hub import (
    Refused,
)
from hub.app import Hub
from hub.core.business import Trade
from hub.core.notices import Trigger
from hub.db.tables import (
    BrandRow,
    NoticeRuleRow,
    OrderRow,
)
from hub.flows.found import found
from hub.flows.notice_samples import preview, send_test
from tests.mail_worlds import Mailbox, a_mailbox, page
from tests.notify_worlds import Shop


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with a_mailbox(Mailbox()) as box:
        yield Shop(database_url, box)


def test_a_rule_is_previewed_with_an_order_or_without(shop: Shop) -> None:
    shop.order()
    with shop.hub.reading() as session:
        rule = session.exec(
            select(NoticeRuleRow).where(NoticeRuleRow.trigger == Trigger.PLACED)
        ).one()
        order = session.exec(select(OrderRow)).one()
    subject, words, html = preview(shop.hub, shop.business_id, rule.id)
    assert subject == "Your order 1042 from Husk & Co"
    assert "Main Street 1" in words
    assert "<!doctype html>" in html
    subject, words, html = preview(shop.hub, shop.business_id, rule.id, order.id)
    assert subject == "Your order 17 from Husk & Co"
    assert shop.link() in words
    assert shop.notices() == []


def test_our_own_sentences_flow_in_a_mail_and_a_businesss_own_lines_stay(shop: Shop) -> None:
    with shop.hub.reading() as session:
        query = select(NoticeRuleRow).where(NoticeRuleRow.trigger == Trigger.DISPATCHED)
        rule = session.exec(query).one()
    html = preview(shop.hub, shop.business_id, rule.id)[2]
    assert "is planned for Monday" in html  # not "planned for<br>Monday"
    assert '<span style="white-space:nowrap;">07:00 – 08:00</span>' in html
    with shop.hub.unit() as unit:
        row = unit.session.get_one(NoticeRuleRow, rule.id)
        row.body = "Ring at\nHusk <b>"
    html = preview(shop.hub, shop.business_id, rule.id)[2]
    assert "Ring at<br>Husk &lt;b&gt;" in html


def test_a_test_message_really_arrives(shop: Shop) -> None:
    shop.uses_mail()
    sent = send_test(shop.hub, shop.business_id, "email", "me@example.com", actor="staff:1")
    [mail] = shop.box.mails
    assert (mail["To"], mail["Message-ID"]) == ("me@example.com", sent)
    assert "Husk &amp; Co" in page(mail)
    assert shop.notices() == []
    shop.box.answer = "550 no"
    with pytest.raises(Refused, match="550"):
        send_test(shop.hub, shop.business_id, "email", "me@example.com", actor="staff:1")
    with pytest.raises(Exception, match="not set up"):
        send_test(shop.hub, shop.business_id, "pigeon", "x", actor="staff:1")


@pytest.mark.parametrize("trade", list(Trade))
def test_every_business_is_born_with_its_trades_rules(trade: Trade) -> None:
    hub = Hub.in_memory(notifiers.console)
    business_id = found(hub, "New", zone="UTC", trade=trade)
    with hub.reading() as session:
        rules = session.exec(
            select(NoticeRuleRow).where(NoticeRuleRow.business_id == business_id)
        ).all()
        assert {rule.trigger for rule in rules} == set(Trigger)
        assert len(session.exec(select(BrandRow)).all()) == 1
    assert all(preview(hub, business_id, rule.id)[0] for rule in rules)
