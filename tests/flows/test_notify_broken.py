"""What breaks on the way tells nobody twice, and is shown to who can mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from hub import (
    AuthError,
    MaybeSent,
    RateLimited,
    Refused,
    Unavailable,
)
from hub.flows import notice_known
from hub.flows.choices import choice
from hub.flows.notice_known import Known
from hub.flows.notice_send import send_due
from hub.http import Http
from tests.mail_worlds import Mailbox, a_mailbox
from tests.notify_worlds import Crash, Shop


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with a_mailbox(Mailbox()) as box:
        yield Shop(database_url, box)


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
