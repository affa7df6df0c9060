"""Recipients are told once, in time and in true words, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Literal

import pytest
from PIL import Image
from sqlalchemy import text
from sqlmodel import select

import notifiers.console
import notifiers.email
from hub import (
    AuthError,
    LooksUp,
    MaybeSent,
    Message,
    NotificationChannel,
    PodStore,
    RateLimited,
    Refused,
    RoutingStrategy,
    TravelTimes,
    Unavailable,
    hookimpl,
)
from hub.app import Hub
from hub.core.business import Trade
from hub.core.events import DriverHeaded, Event, NextStepChosen, OrderPlaced
from hub.core.jobs import NextStep
from hub.core.notices import Trigger
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Point, Role
from hub.db.errand_turns import to_event
from hub.db.tables import (
    BrandRow,
    DepotRow,
    DriverRow,
    EventRow,
    JobRow,
    NoticeRow,
    NoticeRuleRow,
    OrderRow,
    PromiseRow,
    RouteRow,
)
from hub.flows import notice_known
from hub.flows.choices import choice, choose, switch
from hub.flows.connections import connection_id
from hub.flows.dispatch import add_job, publish, remove_job
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.found import found
from hub.flows.logo import logo_webp
from hub.flows.next_steps import choose_step
from hub.flows.notice_known import Known
from hub.flows.notice_samples import preview, send_test
from hub.flows.notice_send import send_due
from hub.flows.notify import reserve
from hub.flows.pairing import device_for, pair, pairing_code
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from hub.http import Http
from hub.plugins.pod_disk import DiskPodStore
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.travel_crow import CrowTravelTimes
from tests.mail_worlds import Mailbox, a_mailbox, page, plain, settings_for

DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
ANA = Contact(Role.RECIPIENT, name="Ana <b>Aalto</b>", email="ana@example.com")
BEN = Contact(Role.BUYER, name="Ben", email="ben@example.com")
PHOTO = [{"kind": "photo", "sha256": "0" * 64}]


class Crash(BaseException):
    """What a kill looks like from inside: nobody catches it."""


class Carrier:
    """What three made-up channels share: what they took, and how they are to behave."""

    def __init__(self) -> None:
        self.took: list[str] = []
        self.trouble: list[BaseException] = []  # one for each send, before it leaves
        self.crash_after = 0  # how many sends leave and then crash


class Shop:
    """A bakery with a mailbox, three more channels and a clock moved by hand."""

    def __init__(self, url: str, box: Mailbox) -> None:
        self.now, self.box, self.carrier = SIX, box, Carrier()
        carrier = self.carrier

        class Pigeon(NotificationChannel):
            key = "pigeon"
            title = "Pigeon"
            reaches = "email"

            def send(self, message: Message) -> str:
                if carrier.trouble:
                    raise carrier.trouble.pop(0)
                carrier.took.append(message.message_id)
                if carrier.crash_after:
                    carrier.crash_after -= 1
                    raise Crash
                return "coo"

        class Pager(Pigeon):
            key = "pager"
            repeat_is_harmless = True

        class Post(Pigeon, LooksUp):
            key = "post"

            def status(self, key: str) -> Literal["sent", "unknown", "failed"]:
                return "sent" if any(key in one for one in carrier.took) else "unknown"

        class Plugin:
            __name__ = "shop"

            @hookimpl
            def hub_notification_channels(self) -> list[type[NotificationChannel]]:
                return [Pigeon, Pager, Post]

            @hookimpl
            def hub_pod_stores(self) -> list[type[PodStore]]:
                return [DiskPodStore]

            @hookimpl
            def hub_travel_times(self) -> list[type[TravelTimes]]:
                return [CrowTravelTimes]

            @hookimpl
            def hub_routing_strategies(self) -> list[type[RoutingStrategy]]:
                return [NearestRouting]

        plugins = (Plugin(), notifiers.email, notifiers.console)
        self.hub = Hub.in_memory(*plugins, now=lambda: self.now, url=url, http_allow=("127.0.0.1",))
        self.business_id = found(self.hub, "Husk & Co", zone="Europe/Helsinki", country="FI")

    def uses_mail(self) -> Shop:
        self.choose("email", **settings_for(self.box))
        return self

    def uses_only(self, plugin: str) -> Shop:
        """Every rule of this shop goes by ``plugin``."""
        self.choose(plugin)
        with self.hub.unit() as unit:
            unit.session.execute(text("UPDATE notice_rule SET channel = :c"), {"c": plugin})
        return self

    def choose(self, plugin: str, **values: object) -> None:
        choose(self.hub, self.business_id, "channel", plugin, values, actor="staff:1")

    def order(self, ref: str = "17", *contacts: Contact, status: str = "open") -> None:
        order = IncomingOrder(
            ref=ref,
            number=ref,
            updated_at=self.now,
            address=Address(("Yrjönkatu 1",), city="Helsinki", country="FI"),
            point=Point(60.172, 24.94),
            contacts=contacts or (ANA,),
            status=status,  # type: ignore[arg-type]
        )
        api = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, api, [order])

    def tick(self, *, minutes: float = 0) -> None:
        """Time passes, and the worker does what it does."""
        self.now += timedelta(minutes=minutes)
        for _ in range(3):
            self.hub.deliver_events()
        self.send()

    def send(self) -> None:
        try:
            while send_due(self.hub, lease=timedelta(0)):
                pass
        except Crash:
            pass

    def on_the_road(self) -> RouteRow:
        with self.hub.unit() as unit:
            depot = DepotRow(business_id=self.business_id, name="B", lat=60.1699, lon=24.9384)
            unit.session.add(depot)
            unit.session.flush()
            works = {"0": ["08:00", "17:00"]}
            unit.session.add(
                DriverRow(business_id=self.business_id, name="M", depot_id=depot.id, works=works)
            )
        plan_day(self.hub, self.business_id, DAY, strategy="nearest")
        with self.hub.reading() as session:
            route = session.exec(select(RouteRow)).one()
        return publish(
            self.hub, self.business_id, route.id, actor="staff:1", expected_version=route.version
        )

    def says(self, kind: str, **body: object) -> None:
        with self.hub.reading() as session:
            driver = session.exec(select(DriverRow)).one()
        code = pairing_code(self.hub, self.business_id, driver.id)
        device = device_for(self.hub, pair(self.hub, code) or "")
        assert device is not None
        act = IncomingAct(
            act_id=f"{kind}{self.now}",
            kind=kind,
            job_id=self.job().id,
            occurred_at=self.now,
            body=body,
        )
        assert [one.result for one in take_acts(self.hub, device, [act])] == ["applied"]

    def job(self) -> JobRow:
        with self.hub.reading() as session:
            return session.exec(select(JobRow).order_by(JobRow.id)).first()  # type: ignore[return-value]

    def notices(self, trigger: str = "") -> list[NoticeRow]:
        with self.hub.reading() as session:
            rows = session.exec(select(NoticeRow).order_by(NoticeRow.id)).all()
        return [row for row in rows if trigger in ("", row.trigger)]

    def events(self) -> list[Event]:
        with self.hub.reading() as session:
            return [to_event(row) for row in session.exec(select(EventRow))]

    def link(self) -> str:
        with self.hub.reading() as session:
            order = session.exec(select(OrderRow)).one()
        return f"{self.hub.settings.public_url}/t/{self.hub.keys.link_token(order.id, 1)}"


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


def test_a_crash_after_the_message_left_repeats_it_once_under_its_own_name(shop: Shop) -> None:
    shop.uses_only("pigeon").carrier.crash_after = 1
    shop.order()
    shop.tick()
    assert [row.state for row in shop.notices()] == ["sending"]
    shop.tick()
    [row] = shop.notices()
    assert (row.state, row.sends) == ("uncertain", 2)
    assert shop.carrier.took == [row.message_id] * 2


def test_two_crashes_are_not_followed_by_a_third_try(shop: Shop) -> None:
    shop.uses_only("pigeon").carrier.crash_after = 9
    shop.order()
    for _ in range(5):
        shop.tick()
    [row] = shop.notices()
    assert (row.state, row.sends, len(shop.carrier.took)) == ("uncertain", 2, 2)
    assert "interrupted twice" in row.error


def test_a_carrier_that_drops_repeats_gets_it_again_and_it_is_simply_sent(shop: Shop) -> None:
    shop.uses_only("pager").carrier.crash_after = 3
    shop.order()
    for _ in range(5):
        shop.tick()
    assert [row.state for row in shop.notices()] == ["sent"]
    assert len(set(shop.carrier.took)) == 1


@pytest.mark.parametrize("left", [True, False])
def test_a_carrier_that_can_be_asked_is_asked_and_told_exactly_once(shop: Shop, left: bool) -> None:
    shop.uses_only("post")
    if left:
        shop.carrier.crash_after = 1
    else:
        shop.carrier.trouble = [Crash()]
    shop.order()
    for _ in range(3):
        shop.tick()
    assert [row.state for row in shop.notices()] == ["sent"]
    assert len(shop.carrier.took) == 1


def test_a_crash_is_not_repaired_after_the_moment_has_passed(shop: Shop) -> None:
    shop.uses_only("pigeon").carrier.crash_after = 1
    shop.order()
    shop.tick()
    shop.tick(minutes=60 * 25)
    [row] = shop.notices()
    assert (row.state, len(shop.carrier.took)) == ("uncertain", 1)
    assert "not repeated" in row.error


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


def test_what_may_have_left_is_never_taken_for_refused(shop: Shop) -> None:
    shop.uses_only("pigeon").carrier.trouble = [MaybeSent("The loft is silent.")]
    shop.order()
    shop.tick()
    [row] = shop.notices()
    assert (row.state, row.sends, row.error) == ("sending", 1, "The loft is silent.")


def test_a_server_inside_the_network_is_the_business_s_to_mend(shop: Shop) -> None:
    shop.uses_mail()
    shop.hub.tools = replace(shop.hub.tools, http=Http())
    shop.order()
    shop.tick()
    [row] = shop.notices()
    chosen = choice(shop.hub, shop.business_id, "channel", "email")
    assert row.state == "due"
    assert chosen is not None
    assert chosen.state == "needs_attention"
    assert "HUB_HTTP_ALLOW" in chosen.last_error


def test_a_dead_line_after_the_mail_is_repeated_once_and_shown_as_uncertain(shop: Shop) -> None:
    shop.uses_mail().box.dead_lines = 1
    shop.order()
    shop.tick()
    [row] = shop.notices()
    assert (row.state, len(shop.box.mails)) == ("sending", 1)
    with shop.hub.unit() as unit:  # the half minute until it is looked at again
        unit.session.execute(text("UPDATE notice SET leased_until = '2026-01-01 00:00:00'"))
    shop.tick()
    [row] = shop.notices()
    assert (row.state, row.sends) == ("uncertain", 2)
    assert {mail["Message-ID"] for mail in shop.box.mails} == {row.message_id}


def test_a_busy_carrier_is_tried_again_in_the_same_words_until_it_works(shop: Shop) -> None:
    shop.uses_mail().box.answer = "451 try later"
    shop.order()
    shop.tick()
    [row] = shop.notices()
    assert (row.state, row.sends) == ("due", 0)
    chosen = choice(shop.hub, shop.business_id, "channel", "email")
    assert chosen is not None
    assert chosen.state == "failing"
    shop.box.answer = "250 OK"
    shop.tick(minutes=1)
    [after] = shop.notices()
    assert (after.state, after.sends, after.body) == ("sent", 1, row.body)
    chosen = choice(shop.hub, shop.business_id, "channel", "email")
    assert chosen is not None
    assert (chosen.state, chosen.last_error) == ("ok", "")


def test_a_busy_carrier_is_not_tried_beyond_the_moment(shop: Shop) -> None:
    shop.uses_mail().box.answer = "451 try later"
    shop.order()
    for _ in range(60):
        shop.tick(minutes=30)
        [row] = shop.notices()
        if row.state == "dropped":
            break
    shop.tick(minutes=30)
    [row] = shop.notices()
    assert row.state == "dropped"
    assert "451" in row.error
    assert shop.box.mails == []


def test_a_carrier_that_names_a_pause_gets_it(shop: Shop) -> None:
    shop.uses_only("pigeon").carrier.trouble = [RateLimited("slow down", retry_after=600)]
    shop.order()
    shop.tick()
    shop.tick(minutes=9)
    assert [row.state for row in shop.notices()] == ["due"]
    shop.tick(minutes=2)
    assert [row.state for row in shop.notices()] == ["sent"]


def test_a_refused_address_fails_for_good_and_the_next_one_is_told(shop: Shop) -> None:
    shop.uses_only("pigeon").carrier.trouble = [Refused("no such person")]
    shop.order("1")
    shop.order("2")
    shop.tick()
    assert sorted((row.state, row.error) for row in shop.notices()) == [
        ("failed", "no such person"),
        ("sent", ""),
    ]


def test_a_notice_that_cannot_be_worded_holds_up_nobody_and_goes_once_it_can(shop: Shop) -> None:
    shop.uses_only("pigeon")
    shop.order("1")
    with shop.hub.unit() as unit:
        unit.session.execute(text("UPDATE contact SET role = 'nobody'"))
    shop.order("2")
    shop.tick()
    first, second = shop.notices()
    assert (first.state, second.state) == ("due", "sent")
    assert "could not be put into words" in first.error
    with shop.hub.unit() as unit:
        unit.session.execute(text("UPDATE contact SET role = 'recipient' WHERE role = 'nobody'"))
    shop.tick(minutes=6)
    assert [row.state for row in shop.notices()] == ["sent", "sent"]
    assert len(shop.carrier.took) == 2


def test_wrong_credentials_ask_the_business_and_the_notice_waits_for_them(shop: Shop) -> None:
    shop.uses_only("pigeon").carrier.trouble = [AuthError("wrong password")]
    shop.order()
    shop.tick()
    assert [row.state for row in shop.notices()] == ["due"]
    chosen = choice(shop.hub, shop.business_id, "channel", "pigeon")
    assert chosen is not None
    assert (chosen.state, chosen.last_error) == ("needs_attention", "wrong password")
    shop.tick(minutes=1)
    assert [row.state for row in shop.notices()] == ["sent"]


def test_a_worker_whose_lease_ran_out_cannot_settle_what_another_took_over(shop: Shop) -> None:
    shop.uses_only("pager")
    shop.order()
    for _ in range(3):
        shop.hub.deliver_events()
    carrier = shop.carrier

    class Slow(Unavailable):
        def __init__(self) -> None:  # while the first worker waits, a second one sends it
            super().__init__("too slow")

    def take_over() -> BaseException:
        send_due(shop.hub, lease=timedelta(0))
        return Slow()

    class Troubles(list[BaseException]):
        def pop(self, index: int = -1) -> BaseException:  # type: ignore[override]
            super().pop(index)
            return take_over()

    carrier.trouble = Troubles([Slow()])
    send_due(shop.hub, lease=timedelta(0))
    [row] = shop.notices()
    assert (row.state, row.error, len(carrier.took)) == ("sent", "", 1)


def test_who_looks_again_and_again_keeps_the_line_to_the_mail_server(shop: Shop) -> None:
    shop.uses_mail()
    known = Known(shop.hub)
    for ref in ("17", "18"):
        shop.order(ref)
        for _ in range(3):
            shop.hub.deliver_events()
        send_due(shop.hub, known=known)
    assert (len(shop.box.mails), shop.box.greeted) == (2, 1)
    known.close()


def test_what_a_business_changed_counts_after_some_seconds_for_those_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.uses_mail()
    known = Known(shop.hub)
    for ref, name in (("17", "Husk & Co"), ("18", "Husk")):
        with shop.hub.unit() as unit:
            unit.session.execute(text("UPDATE brand SET name = :n"), {"n": name})
        shop.order(ref)
        for _ in range(3):
            shop.hub.deliver_events()
        monkeypatch.setattr(notice_known, "FRESH_S", -1.0)  # they have passed
        send_due(shop.hub, known=known)
    known.close()
    senders = [mail["From"].addresses[0].display_name for mail in shop.box.mails]
    assert senders == ["Husk & Co", "Husk"]


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
