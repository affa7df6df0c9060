"""Recipients are told once, in time and in true words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import text
from sqlmodel import select

from hub.core.events import DriverHeaded, NextStepChosen, OrderPlaced
from hub.core.jobs import NextStep
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Point, Role
from hub.db.tables import (
    BrandRow,
    JobRow,
    NoticeRuleRow,
    OrderRow,
    PromiseRow,
)
from hub.flows.choices import switch
from hub.flows.connections import connection_id
from hub.flows.dispatch import add_job, remove_job
from hub.flows.found import found
from hub.flows.logo import logo_webp
from hub.flows.next_steps import choose_step
from hub.flows.notice_samples import preview, send_test
from hub.flows.notify import reserve
from hub.flows.sync import store_all
from tests.mail_worlds import Mailbox, a_mailbox, page, plain
from tests.notify_worlds import ANA, BEN, PHOTO, SIX, Shop


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with a_mailbox(Mailbox()) as box:
        yield Shop(database_url, box)


def test_a_delivery_is_told_from_order_to_door(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.tick()
    shop.on_the_road()
    shop.tick(minutes=1)
    shop.tick(minutes=240)
    shop.says("head_for")
    shop.tick(minutes=1)
    shop.says("close", outcome="succeeded", files=PHOTO, name="Neighbour Otso")
    shop.tick(minutes=1)
    assert [mail["To"] for mail in shop.box.mails] == ["ana@example.com"] * 4
    placed, planned, coming, done = map(plain, shop.box.mails)
    assert "we have your order 17" in placed
    with shop.hub.reading() as session:
        promise = session.exec(select(PromiseRow)).one()
    for moment in (promise.opens, promise.closes):
        assert f"{moment + timedelta(hours=2):%H:%M}" in planned
    assert "on the way" in coming
    assert "delivered: Monday 23 November, 10:02" in done
    assert "Received by Neighbour Otso." in done
    for mail in shop.box.mails:
        assert shop.link() in plain(mail)
        assert f'href="{shop.link()}"' in page(mail)
    assert {row.state for row in shop.notices()} == {"sent"}


def test_the_time_of_a_hand_over_is_its_proofs_own(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.on_the_road()
    shop.tick(minutes=240)
    shop.says("close", outcome="succeeded", files=PHOTO)
    with shop.hub.unit() as unit:
        unit.session.exec(select(JobRow)).one().closed_occurred_at = SIX
    shop.tick(minutes=1)
    assert "delivered: Monday 23 November, 10:00" in plain(shop.box.mails[-1])


def test_a_mail_wears_the_business_brand_and_no_strangers_markup(shop: Shop) -> None:
    with shop.hub.unit() as unit:
        brand = unit.session.exec(select(BrandRow)).one()
        brand.colour, brand.phone, brand.email = "#ffdd00", "+358 9 123", "hi@husk.example"
    shop.uses_mail().order()
    shop.tick()
    [mail] = shop.box.mails
    assert mail["From"] == '"Husk & Co" <shop@example.org>' or "Husk & Co" in mail["From"]
    assert mail["Reply-To"] == "hi@husk.example"
    html = page(mail)
    assert "#ffdd00" in html
    assert "color:#000000" in html  # white would not be readable on yellow
    assert "Husk &amp; Co" in html
    assert "&lt;b&gt;Aalto" in html
    assert "<b>Aalto" not in html
    assert "prefers-color-scheme: dark" in html
    assert "+358 9 123" in plain(mail)
    assert "Ana <b>Aalto</b>" in plain(mail)


def test_a_failure_says_why_and_when_it_is_tried_again(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.on_the_road()
    shop.tick(minutes=240)
    shop.says("close", outcome="failed", reason="nobody_home", note="Rang twice")
    shop.tick(minutes=1)
    [mail] = [mail for mail in shop.box.mails if "did not work out" in mail["Subject"]]
    assert "Nobody was there" in plain(mail)
    assert "try again on Tuesday 24 November" in plain(mail)
    assert shop.notices("next_step") == []


def test_what_a_dispatcher_decides_after_a_failure_is_told_by_itself(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.on_the_road()
    shop.tick(minutes=240)
    shop.says("close", outcome="failed", reason="wrong_address", note="No such house")
    shop.tick(minutes=1)
    assert "We will contact you" in plain(shop.box.mails[-1])
    job = shop.job()
    choose_step(shop.hub, shop.business_id, job.id, NextStep.RETURN, actor="staff:1")
    shop.tick(minutes=1)
    assert "goes back" in plain(shop.box.mails[-1])


def test_a_cancelled_order_is_told_and_an_unsent_greeting_is_not(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.now += timedelta(minutes=1)
    shop.order(status="cancelled")
    shop.tick()
    assert [mail["Subject"] for mail in shop.box.mails] == ["Order 17 is cancelled"]
    [greeting] = shop.notices("placed")
    assert (greeting.state, greeting.error) == ("dropped", "The order was cancelled meanwhile.")


def test_a_window_that_is_withdrawn_is_told_unless_there_is_a_new_one(shop: Shop) -> None:
    shop.uses_mail().order()
    route = shop.on_the_road()
    shop.tick()
    job = shop.job()
    remove_job(
        shop.hub,
        shop.business_id,
        route.id,
        job.id,
        actor="staff:1",
        expected_version=route.version,
    )
    shop.tick(minutes=5)
    assert shop.box.about("no longer holds") == []
    shop.tick(minutes=6)
    assert len(shop.box.about("no longer holds")) == 1


def test_a_time_that_is_told_anew_is_said_to_be_new_and_the_withdrawal_is_dropped(
    shop: Shop,
) -> None:
    """The withdrawal waited for eight minutes, and the new time came as if it were the first."""
    shop.uses_mail().order()
    route = shop.on_the_road()
    shop.tick()
    [first] = shop.box.about("Your delivery from")
    assert "new time" not in plain(first).lower()
    shop.tick(minutes=300)
    about = shop.hub, shop.business_id, route.id, shop.job().id
    remove_job(*about, actor="staff:1", expected_version=route.version)
    add_job(*about, actor="staff:1", expected_version=route.version + 1)
    shop.tick()
    [withdrawn] = shop.notices("withdrawn")
    assert (withdrawn.state, withdrawn.error) == ("dropped", "The job is on a route again.")
    with shop.hub.reading() as session:
        old, new = session.exec(select(PromiseRow).order_by(PromiseRow.n)).all()
    [mail] = shop.box.about("New time: Your delivery from Husk & Co")
    assert f"{new.opens + timedelta(hours=2):%H:%M}" in str(mail["Subject"])
    before = f"{old.opens + timedelta(hours=2):%H:%M} – {old.closes + timedelta(hours=2):%H:%M}"
    assert f"This is a new time; Monday 23 November, {before} no longer holds." in " ".join(
        plain(mail).split()
    )


def test_an_unsent_window_is_dropped_once_it_is_withdrawn(shop: Shop) -> None:
    shop.uses_mail().order()
    route = shop.on_the_road()
    job = shop.job()
    remove_job(
        shop.hub,
        shop.business_id,
        route.id,
        job.id,
        actor="staff:1",
        expected_version=route.version,
    )
    shop.tick()
    assert "taken off its route" in shop.notices("dispatched")[0].error
    assert shop.box.about("from Husk & Co:") == []


def test_on_its_way_is_not_told_once_it_is_there(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.on_the_road()
    shop.tick(minutes=240)
    shop.says("head_for")
    shop.now += timedelta(seconds=30)
    shop.says("close", outcome="succeeded", files=PHOTO)
    shop.tick()
    [coming] = shop.notices("on_its_way")
    assert (coming.state, coming.error) == ("dropped", "The job was already closed.")
    assert shop.box.about("on our way") == []


def test_a_notice_whose_moment_has_passed_is_dropped_never_sent_late(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.on_the_road()
    shop.tick(minutes=240)
    shop.says("head_for")
    shop.tick(minutes=21)
    [coming] = shop.notices("on_its_way")
    assert coming.state == "dropped"
    assert "moment had passed" in coming.error
    assert shop.box.about("on our way") == []


def test_whoever_delivers_an_event_again_makes_no_second_notice(shop: Shop) -> None:
    shop.uses_mail().order()
    shop.on_the_road()
    shop.tick(minutes=1)
    known, mails = len(shop.notices()), len(shop.box.mails)
    assert known == mails == 2
    for event in [*shop.events(), *reversed(shop.events())]:
        assert reserve(shop.hub, event) == 0
    with shop.hub.unit() as unit:
        unit.session.execute(text("UPDATE errand SET state = 'due'"))
    shop.tick(minutes=1)
    assert (len(shop.notices()), len(shop.box.mails)) == (known, mails)


def test_a_recipient_without_an_address_leaves_it_to_the_buyer(shop: Shop) -> None:
    shop.uses_mail()
    shop.order("1", Contact(Role.RECIPIENT, name="Ana", phone="+358401234567"), BEN)
    shop.order("2", Contact(Role.RECIPIENT, name="Ana", phone="+358401234567"))
    shop.tick()
    assert [(mail["To"], plain(mail)[:9]) for mail in shop.box.mails] == [
        ("ben@example.com", "Hello Ben")
    ]
    [dropped] = [row for row in shop.notices() if row.state == "dropped"]
    assert "no address" in dropped.error


def test_who_is_buyer_and_recipient_is_told_once_however_they_spell_their_address(
    shop: Shop,
) -> None:
    shop.uses_mail()
    with shop.hub.unit() as unit:
        placed = unit.session.exec(
            select(NoticeRuleRow).where(
                NoticeRuleRow.business_id == shop.business_id,
                NoticeRuleRow.trigger == "placed",
                NoticeRuleRow.channel == "email",
            )
        ).one()
        values = placed.model_dump(exclude={"id", "role"})
        unit.session.add(NoticeRuleRow(**values, role=Role.BUYER))
    ana = Contact(Role.RECIPIENT, name="Ana", email="Ana@Example.com")
    shop.order("1", ana, Contact(Role.BUYER, name="Ana", email="ana@example.com"))
    shop.tick()
    assert len(shop.box.mails) == 1
    shop.order("2", ana, BEN)
    shop.tick()
    assert len(shop.box.mails) == 3


def test_without_a_channel_notices_are_dropped_and_say_so(shop: Shop) -> None:
    shop.order()
    shop.tick()
    assert [(row.state, row.error) for row in shop.notices()] == [
        ("dropped", "No channel is set up.")
    ]
    shop.uses_mail()
    switch(shop.hub, shop.business_id, "channel", "email", active=False, actor="staff:1")
    shop.choose("pigeon")
    shop.order("18")
    shop.tick()
    assert "'email' is not set up" in shop.notices()[-1].error
    assert shop.box.mails == []


def test_a_business_that_only_looks_sees_its_notices_on_the_console(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.choose("console")
    shop.order()
    shop.tick()
    said = capsys.readouterr().out
    assert "to ana@example.com: Your order 17" in said
    assert "\n    we have your order 17 and will tell you when" in said
    assert "/t/" in said, "nobody could follow the link"
    assert [(row.state, row.channel) for row in shop.notices()] == [("sent", "console")]


def test_an_order_without_a_contact_tells_nobody_and_says_so(shop: Shop) -> None:
    """The console's line went to nobody and counted as sent."""
    shop.choose("console")
    shop.order("17", Contact(Role.SITE, name="Yard"))
    shop.tick()
    [row] = shop.notices()
    assert row.state == "dropped"
    assert row.error.startswith("There is nobody to tell")


def test_a_rule_that_is_off_tells_nothing(shop: Shop) -> None:
    shop.uses_mail()
    with shop.hub.unit() as unit:
        unit.session.execute(text("UPDATE notice_rule SET active = false"))
    shop.order()
    shop.tick()
    assert shop.notices() == []


def test_a_mail_shows_the_logo_without_fetching_it(shop: Shop) -> None:
    shop.uses_mail()
    out = BytesIO()
    Image.new("RGB", (900, 300), "#8a3b12").save(out, "PNG")
    with shop.hub.unit() as unit:
        brand = unit.session.exec(select(BrandRow)).one()
        brand.logo = logo_webp(out.getvalue())
    shop.order()
    shop.tick()
    send_test(shop.hub, shop.business_id, "email", "me@example.com", actor="staff:1")
    for mail in shop.box.mails:
        [logo] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
        assert f'src="cid:{logo["Content-ID"].strip("<>")}"' in page(mail)
        assert Image.open(BytesIO(logo.get_content())).size == (240, 80)


@pytest.mark.parametrize("logo", [None, b"no picture"])
def test_a_mail_without_a_logo_has_no_hole_where_it_would_be(
    shop: Shop, logo: bytes | None
) -> None:
    shop.uses_mail()
    with shop.hub.unit() as unit:
        unit.session.exec(select(BrandRow)).one().logo = logo
    shop.order()
    shop.tick()
    [mail] = shop.box.mails
    assert "<img" not in page(mail)
    assert {part.get_content_type() for part in mail.walk()} == {
        "multipart/alternative",
        "text/plain",
        "text/html",
    }


def test_a_pair_is_told_of_its_second_leg_only(shop: Shop) -> None:
    from hub.core.orders import PickUp

    shop.uses_mail()
    pick_up = PickUp(address=Address(("Mill Road 1",)), point=Point(60.18, 24.95))
    order = IncomingOrder(
        ref="pair",
        number="pair",
        updated_at=shop.now,
        address=Address(("Yrjönkatu 1",)),
        point=Point(60.172, 24.94),
        contacts=(ANA,),
        pick_up=pick_up,
    )
    api = connection_id(shop.hub, shop.business_id, "api")
    store_all(shop.hub, shop.business_id, api, [order])
    with shop.hub.reading() as session:
        jobs = session.exec(select(JobRow).order_by(JobRow.leg)).all()
        row = session.exec(select(OrderRow)).one()
    told = [
        reserve(
            shop.hub,
            DriverHeaded(
                business_id=shop.business_id,
                subject_id=row.id,
                occurred_at=shop.now,
                received_at=shop.now,
                job_id=job.id,
            ),
        )
        for job in jobs
    ]
    assert told == [0, 1]


def test_no_business_is_told_anything_of_anothers_order(shop: Shop) -> None:
    shop.uses_mail().order()
    other = found(shop.hub, "Other", zone="UTC")
    with shop.hub.reading() as session:
        order = session.exec(select(OrderRow)).one()
        theirs = session.exec(
            select(NoticeRuleRow).where(NoticeRuleRow.business_id == other)
        ).first()
    assert theirs is not None
    stray = {"subject_id": order.id, "occurred_at": shop.now, "received_at": shop.now}
    assert reserve(shop.hub, OrderPlaced(business_id=other, **stray)) == 0
    step = NextStepChosen(
        business_id=other, job_id=shop.job().id, step="return", actor="staff:1", **stray
    )
    assert reserve(shop.hub, step) == 0
    with pytest.raises(LookupError):
        preview(shop.hub, shop.business_id, theirs.id)
    with pytest.raises(LookupError):
        preview(shop.hub, other, theirs.id, order.id)
