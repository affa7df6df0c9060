"""Messages keep their manners: not at night, not too often, not to who wants none, never in vain."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import sleep
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from hub.core.events import JobDispatched
from hub.core.jobs import NextStep
from hub.core.notice_words import SHORT, About, filled, values
from hub.core.orders import Kind
from hub.core.sms import as_sms
from hub.core.values import Contact, Role, TimeWindow
from hub.db.tables import AuditRow, NoticeRow, NoticeRuleRow, SuppressionRow
from hub.flows.notice_costs import Spent, spent
from hub.flows.notice_manners import tell_elsewhere
from hub.flows.notice_near import tell_near
from hub.flows.notice_replay import replay
from hub.flows.notice_rules import WordingIn, save_wording, wordings_of
from hub.flows.notice_samples import orders_to_try, preview
from hub.flows.notify import reserve
from hub.flows.suppressions import Why, lift, listed, note_stop, stop
from hub.flows.tongues import tongue
from tests.fakes.twilio import signed
from tests.mail_worlds import Mailbox, a_mailbox, plain
from tests.notify_worlds import DAY, PHOTO, Crash
from tests.telling_worlds import ORIGIN, PHONE, PIA, TextingShop


@pytest.fixture
def shop() -> Iterator[TextingShop]:
    with a_mailbox(Mailbox()) as box:
        yield TextingShop("", box)


@pytest.fixture
def any_shop(database_url: str) -> Iterator[TextingShop]:
    """On each database: for what only a query decides."""
    with a_mailbox(Mailbox()) as box:
        yield TextingShop(database_url, box)


def test_a_text_says_it_in_one_part_and_is_paid_for(shop: TextingShop) -> None:
    shop.order("17", PIA)
    shop.tick()
    [row] = shop.notices()
    [said] = shop.texts()
    assert said == f"Husk & Co: we have your order 17.\n{shop.link()}"
    assert shop.twilio.rows[0]["to"] == PHONE
    assert (row.state, row.parts, row.cost_micros, row.currency) == ("sent", 1, 50_000, "EUR")
    assert row.carrier_id == shop.twilio.rows[0]["sid"]
    assert row.html == ""


def test_what_messages_cost_is_added_up_month_by_month_in_one_question(
    any_shop: TextingShop,
) -> None:
    """By the business's own calendar: in Helsinki it is December two hours sooner."""
    shop = any_shop
    for ref in "123":
        shop.order(ref, PIA)
    shop.tick()
    new_month = datetime(2026, 11, 30, 22, tzinfo=UTC)
    moments = [new_month, new_month - timedelta(seconds=1), new_month - timedelta(days=40)]
    with shop.hub.unit() as unit:
        for row, left_at in zip(unit.session.exec(select(NoticeRow)), moments, strict=True):
            row.sent_at = left_at
    shop.now = new_month
    asked: list[str] = []
    note = lambda *told: asked.append(told[2])  # noqa: E731
    event.listen(shop.hub.engine, "before_cursor_execute", note)
    found = spent(shop.hub, shop.business_id)
    event.remove(shop.hub.engine, "before_cursor_execute", note)
    assert found == [
        Spent(date(2026, month, 1), "sms_twilio", 1, 1, 50_000, "EUR") for month in (12, 11, 10)
    ]
    assert [spent(shop.hub, shop.business_id, months=n) for n in (1, 2)] == [found[:1], found[:2]]
    assert len([one for one in asked if "FROM notice" in one]) == 1


# -- receipts and answers


def test_receipts_are_the_carriers_and_never_go_back(shop: TextingShop) -> None:
    shop.order("17", PIA)
    shop.tick()
    for status, word in (("sent", "sent"), ("delivered", "delivered"), ("sent", "delivered")):
        assert shop.calls_back(0, status) == 200
        assert shop.notices()[0].receipt == word
    sid = shop.twilio.rows[0]["sid"]
    url, body, headers = shop.twilio.call_back(sid, "failed", token="another")
    assert shop.posted(url, body, headers) == 401
    assert shop.posted(url.replace("/told/", "/told/x"), body, headers) == 404
    assert (
        shop.posted(
            *signed(f"{ORIGIN}/hooks/told/{shop.hook()}?n=nobody", {"MessageStatus": "sent"})
        )
        == 200
    )
    assert shop.notices()[0].receipt == "delivered"


def test_what_a_carrier_could_not_deliver_is_told_by_mail_and_the_number_left_alone(
    any_shop: TextingShop,
) -> None:
    shop = any_shop
    shop.order("17", PIA)
    shop.tick()
    shop.calls_back(0, "undelivered", ErrorCode="30006")
    shop.calls_back(0, "undelivered", ErrorCode="30006")
    shop.tick()
    assert [mail["To"] for mail in shop.box.mails] == ["pia@example.com"]
    assert "we have your order 17" in plain(shop.box.mails[0])
    first, second = shop.notices()
    assert (first.receipt, second.instead_of, second.channel) == ("undelivered", first.id, "email")
    shop.order("18", PIA)
    shop.tick()
    assert len(shop.twilio.rows) == 1, "nothing reaches this number"
    assert len(shop.box.mails) == 2


def test_who_answers_stop_gets_no_more_by_any_order_until_they_say_start(
    any_shop: TextingShop,
) -> None:
    shop = any_shop
    shop.order("17", PIA)
    shop.tick()
    assert shop.answers("Stop please") == 200
    assert shop.answers("stop") == 200
    shop.order("18", PIA)
    shop.tick()
    [dropped] = shop.of("18")
    assert (dropped.state, len(shop.twilio.rows)) == ("dropped", 1)
    assert "no more messages" in dropped.error
    assert shop.box.mails == [], "who wants no more by text is not sought by mail"
    shop.answers("please leave it at the back door")
    shop.order("19", PIA)
    shop.tick()
    assert len(shop.twilio.rows) == 1
    assert shop.of("19")[0].answer == "" and shop.of("18")[0].answer != "stop"
    assert "back door" in "".join(row.answer for row in shop.notices())
    shop.answers("START")
    shop.order("20", PIA)
    shop.tick()
    assert len(shop.twilio.rows) == 2
    with shop.hub.reading() as session:
        actions = [
            row.action
            for row in session.exec(select(AuditRow).where(AuditRow.actor == "recipient"))
        ]
        assert PHONE not in str(session.exec(select(SuppressionRow)).all())
    assert actions == ["messages stopped", "messages allowed again"]


def test_of_those_who_stop_one_address_at_once_one_brings_the_news(any_shop: TextingShop) -> None:
    shop = any_shop

    def stopped(why: Why) -> bool:
        with shop.hub.unit() as unit:
            return stop(unit.session, shop.business_id, "phone", PHONE, why, shop.now)

    whys: list[Why] = ["gone", "reply", "gone", "gone"]
    with ThreadPoolExecutor(len(whys)) as pool:
        news = list(pool.map(stopped, whys))
    assert sorted(news) == [False, False, False, True]
    [row] = listed(shop.hub, shop.business_id)
    assert row.why == "reply", "what a person said outlives what a carrier thinks"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_stops_an_address_waits_for_nobody_who_waits_for_their_notice(
    any_shop: TextingShop,
) -> None:
    """A receipt has its notice; a new time that is told has the business, and waits for it."""
    shop = any_shop
    shop.order("17", PIA)
    shop.tick()
    shop.on_the_road()
    [dispatched] = [one for one in shop.events() if isinstance(one, JobDispatched)]
    [kept] = shop.notices()
    with shop.hub.unit() as unit:
        unit.session.get_one(NoticeRow, kept.id).trigger = "withdrawn"
        unit.session.get_one(NoticeRow, kept.id).job_id = dispatched.job_id
        unit.session.get_one(NoticeRow, kept.id).state = "due"
    with ThreadPoolExecutor(1) as pool:
        with shop.hub.unit() as unit:
            row = unit.session.get_one(NoticeRow, kept.id, with_for_update=True)
            telling = pool.submit(reserve, shop.hub, dispatched)
            until_it_waits(shop)
            stop(unit.session, row.business_id, "phone", PHONE, "gone", shop.now)
            tell_elsewhere(shop.hub, unit.session, row)
        assert telling.result(timeout=90) == 1
    assert [one.why for one in listed(shop.hub, shop.business_id)] == ["gone"]


def until_it_waits(shop: TextingShop) -> None:
    """Until somebody else has asked PostgreSQL for what we have."""
    for _ in range(3000):
        with shop.hub.engine.connect() as connection:
            waiting = connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            if waiting.scalar_one():
                return
        sleep(0.02)
    raise AssertionError("nobody waits")


def test_a_forged_stop_stops_nobody(shop: TextingShop) -> None:
    url = f"{ORIGIN}/hooks/answer/{shop.hook()}"
    assert shop.posted(*signed(url, {"From": PHONE, "Body": "STOP"}, "guess")) == 401
    assert listed(shop.hub, shop.business_id) == []
    answer = shop.client.post(
        url.removeprefix(ORIGIN),
        data=signed(url, {"Body": "hi"})[1],
        headers=signed(url, {"Body": "hi"})[2],
    )
    assert (answer.text, answer.mimetype) == ("<Response/>", "text/xml")


def test_who_told_the_carrier_to_stop_is_believed(shop: TextingShop) -> None:
    gone = Contact(Role.RECIPIENT, name="P", phone="+15005550004", email="p@example.com")
    shop.order("17", gone)
    shop.order("18", gone)
    shop.tick()
    assert [row.state for row in shop.notices()] == ["failed", "dropped"]
    assert shop.box.mails == []
    assert [row.why for row in listed(shop.hub, shop.business_id)] == ["carrier"]


def test_a_number_that_can_get_no_texts_is_written_to_instead(shop: TextingShop) -> None:
    shop.order("17", Contact(Role.RECIPIENT, name="P", phone="+15005550009", email="p@example.com"))
    shop.tick()
    assert [row.state for row in shop.notices()] == ["failed", "sent"]
    assert [mail["To"] for mail in shop.box.mails] == ["p@example.com"]


def test_staff_note_what_somebody_asks_for_on_the_telephone(shop: TextingShop) -> None:
    note_stop(shop.hub, shop.business_id, "040 123 4567", actor="staff:1")
    shop.order("17", PIA)
    shop.tick()
    assert shop.texts() == []
    [row] = listed(shop.hub, shop.business_id)
    assert row.shown == "+3584…67"
    with pytest.raises(LookupError):
        lift(shop.hub, "another", row.id, actor="staff:1")
    lift(shop.hub, shop.business_id, row.id, actor="staff:1")
    shop.order("18", PIA)
    shop.tick()
    assert len(shop.texts()) == 1
    with pytest.raises(ValueError, match="neither"):
        note_stop(shop.hub, shop.business_id, "nobody", actor="staff:1")


def test_a_mail_can_be_ended_by_one_click_and_a_scanner_ends_nothing(shop: TextingShop) -> None:
    shop.set_rules("sms_twilio", active=False)
    shop.set_rules("email", active=True)
    shop.order("17", PIA)
    shop.tick()
    [mail] = shop.box.mails
    link = mail["List-Unsubscribe"].strip("<>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.startswith(f"{ORIGIN}/u/") and link in plain(mail)
    path = link.removeprefix(ORIGIN)
    assert "No more messages?" in shop.client.get(path).text
    assert shop.client.get(path.replace("/u/", "/u/x")).status_code == 404
    assert listed(shop.hub, shop.business_id) == []
    shown = shop.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert shown.status_code == 200 and "p…@example.com" in shown.text
    shop.order("18", PIA)
    shop.tick()
    assert len(shop.box.mails) == 1
    shop.client.post(path, data={"wish": "again"})
    shop.order("19", PIA)
    shop.tick()
    assert len(shop.box.mails) == 2


# -- the night, limits, twins


def night(shop: TextingShop) -> datetime:
    """Ten in the evening in Helsinki."""
    shop.now = datetime(2026, 11, 23, 20, tzinfo=UTC)
    shop.minds(quiet_from="21:00", quiet_to="08:00")
    return datetime(2026, 11, 24, 6, tzinfo=UTC)


def test_a_text_at_night_waits_for_the_morning_and_is_worded_then(shop: TextingShop) -> None:
    morning = night(shop)
    shop.order("17", PIA)
    shop.tick()
    [row] = shop.notices()
    assert (row.state, row.due_at, row.error[:5]) == ("due", morning, "Quiet")
    with shop.hub.unit() as unit:
        unit.session.execute(text("UPDATE notice_rule SET body = 'Good morning {name}'"))
    shop.now = morning
    shop.tick()
    assert shop.texts() == ["Good morning Pia"]
    assert shop.notices()[0].error == ""


def test_what_would_be_too_late_by_morning_goes_by_mail_at_once(shop: TextingShop) -> None:
    night(shop)
    shop.set_rules("sms_twilio", within_s=3600)
    shop.order("17", PIA)
    shop.tick()
    assert shop.texts() == [] and len(shop.box.mails) == 1
    assert shop.notices()[0].state == "dropped"


@pytest.mark.parametrize(
    ("in_quiet", "texts", "mails"),
    [("send", 1, 0), ("drop", 0, 0), ("other", 0, 1), ("hold", 0, 0)],
)
def test_each_rule_says_what_it_does_at_night(
    shop: TextingShop, in_quiet: str, texts: int, mails: int
) -> None:
    night(shop)
    shop.set_rules("sms_twilio", in_quiet=in_quiet)
    shop.order("17", PIA)
    shop.tick()
    assert (len(shop.texts()), len(shop.box.mails)) == (texts, mails)


def test_the_night_is_where_the_stop_is(shop: TextingShop) -> None:
    """A shop in Helsinki delivers in Lisbon, where it is two hours earlier."""
    shop.order("17", PIA)
    shop.on_the_road()
    night(shop)
    shop.set_rules("sms_twilio", within_s=24 * 3600)
    with shop.hub.unit() as unit:
        unit.session.execute(text("UPDATE place SET lat = 38.72, lon = -9.14"))
        unit.session.execute(text("UPDATE event SET occurred_at = :now"), {"now": shop.now})
    shop.tick()
    # The greeting is about no job: it goes by the shop's clocks.
    assert len(shop.texts()) == 1 and "your delivery comes" in shop.texts()[0]


def test_a_mail_makes_no_noise_at_night(shop: TextingShop) -> None:
    night(shop)
    shop.set_rules("email", "placed", active=True)
    shop.set_rules("sms_twilio", active=False)
    shop.order("17", PIA)
    shop.tick()
    assert len(shop.box.mails) == 1


def test_nobody_is_told_more_than_is_good_but_a_cancellation_always(shop: TextingShop) -> None:
    shop.minds(most_per_order=1, most_per_day=0)
    shop.order("17", PIA)
    shop.tick()
    shop.on_the_road()
    shop.tick(minutes=1)
    assert len(shop.texts()) == 1
    assert "which is the limit" in shop.notices("dispatched")[0].error
    shop.passes(1)
    shop.order("17", PIA, status="cancelled")
    shop.tick()
    assert "cancelled" in shop.texts()[-1]


def test_a_number_gets_so_many_texts_a_day(any_shop: TextingShop) -> None:
    shop = any_shop
    shop.minds(most_per_day=2)
    for ref in ("1", "2", "3"):
        shop.order(ref, PIA)
        shop.tick(minutes=1)
    assert len(shop.texts()) == 2
    shop.now += timedelta(hours=25)
    shop.order("4", PIA)
    shop.tick()
    assert len(shop.texts()) == 3


def test_one_person_in_two_roles_is_told_once(any_shop: TextingShop) -> None:
    shop = any_shop
    with shop.hub.unit() as unit:
        rule = unit.session.exec(
            select(NoticeRuleRow).where(
                NoticeRuleRow.trigger == "placed", NoticeRuleRow.channel == "sms_twilio"
            )
        ).one()
        unit.session.add(NoticeRuleRow(**{**rule.model_dump(exclude={"id"}), "role": "buyer"}))
    shop.order("17", PIA, Contact(Role.BUYER, name="Pia", phone=PHONE))
    shop.order("18", PIA, Contact(Role.BUYER, name="Ben", phone="+358407654321"))
    shop.tick()
    assert sorted(row["to"] for row in shop.twilio.rows) == [PHONE, PHONE, "+358407654321"]
    assert sorted(row.state for row in shop.of("17")) == ["dropped", "sent"]


def test_each_role_has_its_own_words_and_an_order_without_it_tells_nobody(
    shop: TextingShop,
) -> None:
    with shop.hub.unit() as unit:
        unit.session.add(
            NoticeRuleRow(
                business_id=shop.business_id,
                trigger="placed",
                channel="sms_twilio",
                role="site",
                body="Gate for {order}",
                within_s=3600,
            )  # fmt: skip
        )
    shop.order("17", PIA, Contact(Role.SITE, name="Gate", phone="+358401111111"))
    shop.order("18", PIA)
    shop.tick()
    assert sorted((row["to"], row["body"][:8]) for row in shop.twilio.rows) == [
        ("+358401111111", "Gate for"),
        (PHONE, "Husk & C"),
        (PHONE, "Husk & C"),
    ]


def test_without_a_telephone_it_goes_by_mail(shop: TextingShop) -> None:
    shop.order("17", Contact(Role.RECIPIENT, name="Pia", email="pia@example.com"))
    shop.tick()
    assert len(shop.box.mails) == 1
    first, second = shop.notices()
    assert (first.state, second.state) == ("dropped", "sent")
    assert "no address" in first.error
    for one in shop.events():
        reserve(shop.hub, one)
    shop.tick()
    assert len(shop.box.mails) == 1


# -- crashes


def test_a_text_whose_answer_was_lost_is_looked_up_and_not_sent_twice(shop: TextingShop) -> None:
    shop.twilio.moods = ["lost"]
    shop.order("17", PIA)
    shop.tick()
    assert shop.notices()[0].state == "sending"
    shop.lease_over()
    shop.tick()
    [row] = shop.notices()
    assert (row.state, len(shop.twilio.rows), row.cost_micros) == ("sent", 1, 50_000)


def test_a_text_that_never_left_is_sent_once_looked_up(shop: TextingShop) -> None:
    shop.twilio.moods, shop.twilio.killer = ["killed"], Crash()
    shop.order("17", PIA)
    shop.tick()
    shop.lease_over()
    shop.tick()
    [row] = shop.notices()
    assert (row.state, len(shop.twilio.rows)) == ("sent", 1)


def test_a_receipt_tells_of_a_text_that_nobody_knew_had_left(shop: TextingShop) -> None:
    shop.twilio.moods = ["lost"]
    shop.order("17", PIA)
    shop.tick()
    shop.twilio.be("down")  # it cannot be asked, but it calls
    assert shop.calls_back(0, "delivered") == 200
    shop.lease_over()
    shop.tick()
    [row] = shop.notices()
    assert (row.state, row.receipt, len(shop.twilio.rows)) == ("sent", "delivered", 1)
    assert row.carrier_id == shop.twilio.rows[0]["sid"]


# -- what is told on request


def test_what_is_told_on_request_is_off_until_somebody_wants_it(shop: TextingShop) -> None:
    with shop.hub.reading() as session:
        rules = session.exec(select(NoticeRuleRow).where(NoticeRuleRow.channel == "email")).all()
    assert {rule.trigger for rule in rules} >= {"out", "near", "arrived", "review"}


def test_a_round_is_told_from_its_start_to_the_question_how_it_was(shop: TextingShop) -> None:
    shop.order("17", PIA)
    shop.tick()
    shop.on_the_road()
    shop.tick(minutes=1)
    shop.tick(minutes=239)
    shop.minds(most_per_order=0)
    shop.begins_shift()
    shop.tick()
    assert tell_near(shop.hub) == 0, "nobody knows when"
    shop.expects(minutes=20)
    assert tell_near(shop.hub) == 0
    shop.expects(minutes=14)
    assert tell_near(shop.hub) == 1
    assert tell_near(shop.hub) == 0
    shop.tick()
    shop.says("head_for")
    shop.tick(minutes=1)
    shop.says("arrive")
    shop.tick(minutes=1)
    shop.says("close", outcome="succeeded", files=PHOTO)
    shop.tick(minutes=1)
    shop.tick(minutes=61)
    words = ["we have your order", "comes", "has set out", "soon be with you", "you are next",
             "at your door", "is delivered", "how was your"]  # fmt: skip
    assert len(shop.texts()) == len(words), shop.texts()
    for word, said in zip(words, shop.texts(), strict=True):
        assert word in said, said
    for one in shop.events():
        reserve(shop.hub, one)
    shop.tick()
    assert len(shop.texts()) == len(words)


@pytest.mark.parametrize("code", ["en", "de"])  # Arabic has letters that no one part has room for
def test_every_short_text_is_one_part(code: str) -> None:
    opens = datetime(2026, 9, 23, 10, tzinfo=UTC)  # a Wednesday: of the longest days
    span = TimeWindow(opens, opens + timedelta(hours=1))
    about = About(
        order="1042-2026",
        brand="Twenty letters brand",
        link="https://d.example/t/" + "x" * 22,
        window=span,
        expected=span,
        closed_at=opens,
        next_step=NextStep.ANOTHER_DAY,
        next_day=opens.date(),
    )
    spoken = tongue(code)
    for kind in Kind:
        said = values(replace(about, kind=kind), ZoneInfo("UTC"), spoken)
        for trigger, words in SHORT.items():
            assert as_sms(filled(spoken.say(words), said)).parts == 1, (trigger, kind)


def test_a_text_without_anything_to_say_goes_elsewhere(shop: TextingShop) -> None:
    shop.set_rules("sms_twilio", body="Received by {received_by}")
    shop.order("17", PIA)
    shop.tick()
    assert (shop.texts(), len(shop.box.mails)) == ([], 1)


def test_near_goes_by_stops_too_and_not_before_the_round_begins(any_shop: TextingShop) -> None:
    shop = any_shop
    shop.set_rules("sms_twilio", active=False)
    shop.set_rules("sms_twilio", "near", active=True, minutes=0, stops=1)
    shop.street(4)
    shop.on_the_road()
    shop.tick(minutes=240)
    assert tell_near(shop.hub) == 0
    shop.begins_shift()
    shop.tick()
    assert tell_near(shop.hub) == 2  # the next one, and the one behind it
    assert tell_near(shop.hub) == 0


def test_a_text_left_as_it_was_is_said_in_the_recipients_language(shop: TextingShop) -> None:
    for ref, language in (("1", "de-CH"), ("2", "ar")):
        shop.order(ref, replace(PIA, language=language))
        shop.tick()
    assert [said.splitlines()[0] for said in shop.texts()] == [
        "Husk & Co: Wir haben Ihre Bestellung 1.",
        "من Husk & Co: وصلنا طلبك 2.",
    ]


def test_whoever_speaks_another_language_is_told_in_it_where_it_was_written(
    shop: TextingShop,
) -> None:
    with shop.hub.reading() as session:
        query = select(NoticeRuleRow).where(
            NoticeRuleRow.trigger == "placed", NoticeRuleRow.channel == "sms_twilio"
        )
        rule = session.exec(query).one()
    for language, body in (("fi", "Tilaus {order}"), ("de-AT", "Bestellung {order}")):
        given = WordingIn(language=language, body=body)
        save_wording(shop.hub, shop.business_id, rule.id, given, actor="staff:1")
    for ref, language in (("1", "fi-FI"), ("2", "de"), ("3", "sv"), ("4", "")):
        shop.order(ref, replace(PIA, language=language))
        shop.tick()
    assert [said.splitlines()[0] for said in shop.texts()] == [
        "Tilaus 1",
        "Bestellung 2",
        "Husk & Co: we have your order 3.",
        "Husk & Co: we have your order 4.",
    ]
    gone = WordingIn(language="fi")
    save_wording(shop.hub, shop.business_id, rule.id, gone, actor="staff:1")
    assert [row.language for row in wordings_of(shop.hub, shop.business_id, rule.id)] == ["de-at"]
    with pytest.raises(LookupError):
        save_wording(shop.hub, "another", rule.id, gone, actor="staff:1")


def test_a_message_is_seen_before_and_again_as_its_recipient_reads_it(shop: TextingShop) -> None:
    with shop.hub.reading() as session:
        query = select(NoticeRuleRow).where(
            NoticeRuleRow.trigger == "placed", NoticeRuleRow.channel == "sms_twilio"
        )
        rule = session.exec(query).one()
    given = WordingIn(language="fi", body="Hei {name}, tilaus {order}")
    save_wording(shop.hub, shop.business_id, rule.id, given, actor="staff:1")
    wanted = {
        "1": "Hei Pia, tilaus 1",
        "2": "Husk & Co: Wir haben Ihre Bestellung 2.",
        "3": "Husk & Co: we have your order 3.",
    }
    for ref, language in (("1", "fi-FI"), ("2", "de"), ("3", "")):
        shop.order(ref, replace(PIA, language=language))
        shop.tick()
    again = {one.number: one.text for one in replay(shop.hub, shop.business_id, DAY)}
    assert [said.splitlines()[0] for said in shop.texts()] == list(wanted.values())
    for id_, number in orders_to_try(shop.hub, shop.business_id):
        _, before, _ = preview(shop.hub, shop.business_id, rule.id, id_)
        assert before.splitlines()[0] == again[number].splitlines()[0] == wanted[number]
