"""What a business sets about its messages, sees of their cost, and sees again of a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select

import admin
from hub.core.manners import Manners
from hub.db.tables import NoticeRuleRow
from hub.flows.brand import add_brand
from hub.flows.found import found
from hub.flows.log_in import Role
from hub.flows.notice_replay import replay
from hub.flows.notice_rules import manners_of
from hub.flows.suppressions import listed, note_stop
from tests.admin.panel_worlds import Panel, a_panel
from tests.mail_worlds import Mailbox, a_mailbox
from tests.notify_worlds import DAY, PHOTO
from tests.telling_worlds import PIA, TextingShop


@pytest.fixture
def shop() -> Iterator[TextingShop]:
    with a_mailbox(Mailbox()) as box:
        shop = TextingShop("", box)
        shop.hub.registry.add(admin, "admin")
        yield shop


@pytest.fixture
def panel(shop: TextingShop) -> Panel:
    return a_panel(shop.hub, shop.business_id)


def a_rule(shop: TextingShop, trigger: str, channel: str = "sms_twilio") -> NoticeRuleRow:
    with shop.hub.reading() as session:
        query = select(NoticeRuleRow).where(
            NoticeRuleRow.business_id == shop.business_id,
            NoticeRuleRow.trigger == trigger,
            NoticeRuleRow.channel == channel,
            NoticeRuleRow.role == "recipient",
        )
        return session.exec(query).one()


def test_quiet_hours_and_limits_are_kept_and_a_wrong_time_stands_at_its_field(
    shop: TextingShop, panel: Panel
) -> None:
    path = "/panel/messages/quiet"
    given = {"quiet_from": "20:30", "quiet_to": "07:00", "most_per_order": "4", "most_per_day": "8"}
    assert "It counts from the next message." in panel.post(path, **given).text
    known = manners_of(shop.hub, shop.business_id)
    assert known == Manners(quiet_from="20:30", quiet_to="07:00", most_per_order=4, most_per_day=8)
    wrong = panel.post(path, **{**given, "quiet_from": "25:00"})
    assert (
        wrong.status_code == 422 and 'id="quiet_from-error">This does not look right.' in wrong.text
    )
    # The other settings form leaves them alone.
    assert manners_of(shop.hub, shop.business_id) == known


def test_who_wants_none_is_noted_listed_and_lifted(shop: TextingShop, panel: Panel) -> None:
    path = "/panel/messages/unwanted"
    assert "Nobody has asked for that." in panel.get(path).text
    wrong = panel.post(path, address="nobody")
    assert wrong.status_code == 422 and "neither a telephone number" in wrong.text
    shown = panel.post(path, address="040 123 4567").text
    assert "+3584…67" in shown and "Somebody here noted" in shown and "401234567" not in shown
    [row] = listed(shop.hub, shop.business_id)
    assert "Messages go there again." in panel.post(f"{path}/{row.id}").text
    assert listed(shop.hub, shop.business_id) == []


def test_nobody_lifts_or_copies_what_is_anothers(shop: TextingShop, panel: Panel) -> None:
    other = found(shop.hub, "Other", zone="UTC", country="FI")
    note_stop(shop.hub, other, "040 123 4567", actor="staff:2")
    [row] = listed(shop.hub, other)
    assert panel.post(f"/panel/messages/unwanted/{row.id}").status_code == 404
    assert listed(shop.hub, other) == [row]
    with shop.hub.reading() as session:
        theirs = session.exec(
            select(NoticeRuleRow).where(NoticeRuleRow.business_id == other)
        ).first()
    assert theirs is not None
    path = f"/panel/messages/rules/{theirs.id}/roles"
    assert panel.post(path, role="site").status_code == 404
    assert "401234567" not in panel.get("/panel/messages/unwanted").text


def test_a_rule_is_seen_with_a_real_order_in_the_parts_it_costs(
    shop: TextingShop, panel: Panel
) -> None:
    shop.order("17-A", PIA)
    path = f"/panel/messages/rules/{a_rule(shop, 'placed').id}"
    assert "order 1042" in panel.get(path).text
    with shop.hub.reading() as session:
        from hub.db.tables import OrderRow

        order = session.exec(select(OrderRow)).one()
    page = panel.get(f"{path}?order={order.id}").text
    assert "we have your order 17-A" in page and "1 part." in page
    assert "made-up" in panel.get(f"{path}?order=nobody").text


def test_a_rule_keeps_what_its_form_does_not_ask_for(shop: TextingShop, panel: Panel) -> None:
    near = a_rule(shop, "near")
    page = panel.post(
        f"/panel/messages/rules/{near.id}",
        active="1",
        body="Soon {name}",
        minutes="25",
        stops="2",
        in_quiet="drop",
        fallback="email",
    )
    assert page.status_code == 200
    saved = a_rule(shop, "near")
    assert (saved.minutes, saved.stops, saved.in_quiet, saved.fallback) == (25, 2, "drop", "email")
    assert (saved.subject, saved.body) == (near.subject, "Soon {name}")
    mail = a_rule(shop, "review", "email")
    panel.post(f"/panel/messages/rules/{mail.id}", subject="S", body="B", minutes="90", fallback="")
    assert a_rule(shop, "review", "email").minutes == 90


def test_somebody_else_on_the_order_is_told_too_in_words_of_their_own(
    shop: TextingShop, panel: Panel
) -> None:
    rule = a_rule(shop, "arrived")
    page = panel.post(f"/panel/messages/rules/{rule.id}/roles", role="site")
    assert "to the site" in page.text and "switch it on" in page.text
    panel.post(f"/panel/messages/rules/{rule.id}/roles", role="site")
    assert panel.post(f"/panel/messages/rules/{rule.id}/roles", role="king").status_code == 404
    with shop.hub.reading() as session:
        rows = session.exec(select(NoticeRuleRow).where(NoticeRuleRow.role == "site")).all()
    assert [(row.trigger, row.active) for row in rows] == [("arrived", False)]


def test_messages_say_what_the_carrier_says_and_what_they_cost(
    shop: TextingShop, panel: Panel
) -> None:
    shop.order("17", PIA)
    shop.tick()
    shop.calls_back(0, "delivered")
    assert "arrived, says the carrier" in panel.get("/panel/messages").text
    costs = panel.get("/panel/messages/costs").text
    assert "November 2026" in costs and "0.05 EUR" in costs and "SMS by Twilio" in costs
    assert shop.hook() in panel.get("/panel/messages/channels/sms_twilio").text


def test_yesterday_is_told_again_by_the_rules_of_today(shop: TextingShop, panel: Panel) -> None:
    """A day by mail; then texts are switched on, and the day is looked at again."""
    shop.set_rules("sms_twilio", active=False)
    shop.set_rules("email", active=True)
    shop.order("17", PIA)
    shop.tick()
    shop.on_the_road()
    shop.tick(minutes=240)
    shop.says("head_for")
    shop.tick(minutes=1)
    shop.says("close", outcome="succeeded", files=PHOTO)
    shop.tick(minutes=1)
    sent, texts = len(shop.box.mails), len(shop.texts())
    same = [
        (one.trigger, one.then) for one in replay(shop.hub, shop.business_id, DAY) if not one.why
    ]
    wanted = ["placed", "dispatched", "on_its_way", "delivered"]
    assert same == [(trigger, "sent") for trigger in wanted] + [("review", "due")]
    shop.set_rules("email", active=False)
    shop.set_rules("sms_twilio", active=True)
    shop.minds(quiet_from="21:00", quiet_to="06:30", most_per_order=3)
    shop.now += timedelta(days=1)
    found = replay(shop.hub, shop.business_id, DAY)
    told = [(one.trigger, one.parts) for one in found if not one.why or "waits" in one.why]
    # It is six in the morning when the order comes: its greeting waits until half past.
    assert told == [("placed", 1), ("dispatched", 1), ("on_its_way", 1)]
    assert {one.then for one in found} == {""}
    assert any("which is the limit" in one.why for one in found)
    page = panel.get("/panel/messages/again").text
    assert "Mon 23 Nov" in page and "you are next" in page
    assert panel.get("/panel/messages/again?day=2026-11-01").text.count("Nothing happened") == 1
    assert (len(shop.box.mails), len(shop.texts())) == (sent, texts), "nothing is sent"


def test_a_viewer_and_an_accountant_see_what_is_theirs(shop: TextingShop) -> None:
    books = a_panel(shop.hub, shop.business_id, Role.ACCOUNTANT, "a@example.com")
    assert books.get("/panel/messages/costs").status_code == 200
    assert books.get("/panel/messages/again").status_code == 403
    desk = a_panel(shop.hub, shop.business_id, Role.DISPATCHER, "d@example.com")
    assert desk.get("/panel/messages/unwanted").status_code == 200
    assert desk.get("/panel/messages/quiet").status_code == 403


def test_the_list_shows_what_each_kind_of_message_begins_with(
    shop: TextingShop, panel: Panel
) -> None:
    page = panel.get("/panel/messages").text
    assert "Your order {order} from {brand}</td>" in page  # a mail's subject
    assert "{brand}: we have your order {order}.</td>" in page  # a text has none


def test_a_rule_has_words_in_other_languages(shop: TextingShop, panel: Panel) -> None:
    path = f"/panel/messages/rules/{a_rule(shop, 'placed').id}"
    shown = panel.post(f"{path}/languages", language="FI", subject="", body="Tilaus {order}")
    assert "<summary>fi</summary>" in shown.text and "Tilaus {order}" in shown.text
    wrong = panel.post(f"{path}/languages", language="klingon", body="{nmae}")
    assert wrong.status_code == 422
    assert "There is no {nmae}." in wrong.text and "This does not look right." in wrong.text
    assert "Those words are gone." in panel.post(f"{path}/languages", language="fi", body="").text
    assert "<summary>fi</summary>" not in panel.get(path).text


def test_a_rule_has_words_for_one_brand(shop: TextingShop, panel: Panel) -> None:
    path = f"/panel/messages/rules/{a_rule(shop, 'placed').id}"
    assert "For orders of" not in panel.get(path).text  # there is one brand
    add_brand(shop.hub, shop.business_id, "Rye & Co", actor="staff:1")
    words = {"subject": "", "body": "Rye {order}"}
    shown = panel.post(f"{path}/languages", brand="rye-co", language="", **words).text
    assert "<summary>Rye &amp; Co</summary>" in shown and "Rye {order}" in shown
    both = panel.post(f"{path}/languages", brand="rye-co", language="fi", **words).text
    assert "<summary>fi, Rye &amp; Co</summary>" in both
    assert panel.post(f"{path}/languages", brand="theirs", language="", **words).status_code == 404
    assert panel.post(f"{path}/languages", brand="", language="", **words).status_code == 422
    gone = panel.post(f"{path}/languages", brand="rye-co", language="", body="").text
    assert "<summary>Rye &amp; Co</summary>" not in gone
    assert "<summary>fi, Rye &amp; Co</summary>" in gone
