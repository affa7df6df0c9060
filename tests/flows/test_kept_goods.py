"""Goods kept for their recipient: that they were fetched is on record, told, and on the page."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hub.core.errors import Refused
from hub.core.jobs import NextStep
from hub.core.self_service import Follow
from hub.core.tracking_page import Life, Shows
from hub.core.webhook_types import DATA
from hub.flows.found import found
from hub.flows.kept_goods import note_fetched, note_not_fetched
from hub.flows.next_steps import choose_step
from hub.flows.order_story import order_story
from hub.flows.orders_listed import orders_like
from hub.flows.self_service import follow
from hub.flows.tracking_view import Tracked, tracked
from hub.testing import WsgiAdapter
from tests import tracking_worlds as moments
from tests.mail_worlds import Mailbox, a_mailbox
from tests.notify_worlds import Shop
from tests.tracking_worlds import Street
from tests.webhook_worlds import ERP, Receiver, World


@pytest.fixture
def kept() -> Street:
    """The bell was broken; a quarter of an hour later it is said that they fetch it."""
    street = moments.at_the_door()
    street.close(street.job, 14, outcome="failed", reason="other", note="the bell is broken")
    about = (street.hub, street.business_id, street.job.id)
    choose_step(*about, NextStep.COLLECT, actor="recipient")
    return street


def fetched(street: Street) -> Street:
    note_fetched(street.hub, street.business_id, street.job.id, actor="staff:1")
    return street


def page_of(street: Street) -> Tracked:
    page = tracked(street.hub, street.token)
    assert page is not None
    return page


def waiting(street: Street) -> list[str]:
    return [one.number for one in orders_like(street.hub, street.business_id, state="kept")]


def test_until_then_the_page_says_first_that_the_order_waits(kept: Street) -> None:
    card = page_of(kept).card
    assert card is not None
    assert (card.headline, card.tone) == ("Your order waits for you", "plain")
    assert any("it did not work out" in line for line in card.lines)


def test_what_was_fetched_is_on_record_and_the_page_says_when(kept: Street) -> None:
    assert waiting(kept) == ["2"]
    kept.clock(25 * 60 + 6)
    fetched(kept)
    assert waiting(kept) == []
    page = page_of(kept)
    assert page.card is not None
    assert (page.shows, page.card.headline, page.card.big, page.card.tone) == (
        Shows.FETCHED,
        "Collected",
        "09:06",
        "ok",
    )
    assert (page.handover, page.rated, page.pin, page.address) == (None, None, None, "")
    assert page.doing is not None
    assert not page.doing.is_kept
    story = order_story(kept.hub, kept.business_id, kept.order.id)
    assert story.moments[-1].what == "Collected at the depot"
    [event] = kept.day.events("GoodsFetched")
    assert (event.actor, event.occurred_at) == ("staff:1", kept.hub.now())


def test_it_is_fetched_once_however_often_it_is_pressed(kept: Street) -> None:
    fetched(kept)
    at = kept.job.fetched_at
    kept.clock(90)
    fetched(kept)
    assert kept.job.fetched_at == at
    assert len(kept.day.events("GoodsFetched")) == 1


def test_what_was_noted_by_mistake_is_taken_back_and_waits_again(kept: Street) -> None:
    fetched(kept)
    about = (kept.hub, kept.business_id, kept.job.id)
    for _ in range(2):  # pressed twice
        note_not_fetched(*about, actor="staff:2")
    assert waiting(kept) == ["2"]
    page = page_of(kept)
    assert page.card is not None and page.doing is not None
    assert (page.card.headline, page.doing.is_kept) == ("Your order waits for you", True)
    [event] = kept.day.events("GoodsNotFetched")
    assert event.actor == "staff:2"
    story = order_story(kept.hub, kept.business_id, kept.order.id)
    assert story.moments[-1].what == "Not collected after all"
    fetched(kept)
    assert waiting(kept) == []
    with pytest.raises(LookupError):
        note_not_fetched(
            kept.hub, found(kept.hub, "Neighbours", zone="UTC"), kept.job.id, actor="staff:1"
        )


def test_what_was_never_fetched_is_not_taken_back() -> None:
    street = moments.delivered()
    with pytest.raises(Refused, match="collected"):
        note_not_fetched(street.hub, street.business_id, street.job.id, actor="staff:1")
    assert street.day.events("GoodsNotFetched") == []


def test_what_was_not_fetched_of_an_order_that_is_cancelled_goes_back(kept: Street) -> None:
    fetched(kept)
    kept.report(status="cancelled", minutes=60)
    note_not_fetched(kept.hub, kept.business_id, kept.job.id, actor="staff:1")
    assert waiting(kept) == []
    assert kept.day.events("NextStepChosen")[-1].payload["step"] == "return"


def test_nothing_is_fetched_that_is_not_kept() -> None:
    street = moments.delivered()
    with pytest.raises(Refused, match="kept"):
        fetched(street)
    assert street.day.events("GoodsFetched") == []
    with pytest.raises(LookupError):
        note_fetched(
            street.hub, found(street.hub, "Neighbours", zone="UTC"), street.job.id, actor="staff:1"
        )


def test_what_is_kept_for_an_order_that_is_cancelled_goes_back(kept: Street) -> None:
    """Its page would go on saying where to collect it."""
    kept.report(status="cancelled", minutes=60)
    page = page_of(kept)
    assert page.card is not None
    assert not any("collect" in line for line in page.card.lines)
    assert not (page.doing and page.doing.is_kept)
    assert waiting(kept) == []
    [chosen] = kept.day.events("NextStepChosen")[1:]
    assert (chosen.payload["job_id"], chosen.payload["step"]) == (kept.job.id, "return")
    with pytest.raises(Refused, match="kept"):
        fetched(kept)
    kept.report(status="cancelled", minutes=61)
    assert len(kept.day.events("NextStepChosen")) == 2


def test_nobody_is_told_to_fetch_what_was_fetched_before_the_message_left(
    database_url: str,
) -> None:
    """In the night it waits for the morning, and they may be there first."""
    with a_mailbox(Mailbox()) as box:
        shop = Shop(database_url, box)
        shop.uses_mail().order()
        shop.on_the_road()
        shop.tick(minutes=240)
        shop.says("close", outcome="failed", reason="other", note="the bell is broken")
        shop.tick(minutes=1)
        told, about = len(box.mails), (shop.hub, shop.business_id, shop.job().id)
        choose_step(*about, NextStep.COLLECT, actor="staff:1")
        shop.hub.deliver_events()
        assert [row.state for row in shop.notices("next_step")] == ["due"]
        note_fetched(*about, actor="staff:1")
        shop.tick(minutes=1)
        [row] = shop.notices("next_step")
    assert (row.state, row.error) == ("dropped", "The goods were already collected.")
    assert len(box.mails) == told


def test_the_page_says_where_they_are_for_as_long_as_they_are_kept(kept: Street) -> None:
    kept.clock(10 * 24 * 60)
    page = page_of(kept)
    assert page.life is Life.FULL
    assert page.doing is not None
    assert page.doing.is_kept
    fetched(kept)
    kept.day.now[0] += timedelta(hours=49)
    page = page_of(kept)
    assert (page.life, page.outcome) == (Life.BARE, "Collected 08:00, Thursday 3 December 2026")


def test_programs_are_told_what_was_asked_and_that_it_was_fetched() -> None:
    street = moments.at_the_door()
    street.settings(self_service={"follows": ["collect"]})
    street.close(street.job, 14, outcome="failed", reason="other", note="the bell is broken")
    receiver = Receiver()
    street.hub.tools.http.mount(ERP, WsgiAdapter(receiver.app))
    world = World(street.hub, street.business_id, receiver, street.day.now)
    world.listen(types=["job.fetched", "job.not_fetched", "recipient.asked"])
    follow(street.hub, street.token, Follow.COLLECT, "", n=0)
    fetched(street)
    note_not_fetched(street.hub, street.business_id, street.job.id, actor="staff:1")
    for _ in range(3):
        world.work()
    bodies = [json.loads(call.body) for call in receiver.calls]
    types = ["recipient.asked", "job.fetched", "job.not_fetched"]
    assert [one["type"] for one in bodies] == types
    assert bodies[0]["data"]["what"] == "next_step"
    for one in bodies:
        assert one["data"]["job"]["id"] == street.job.id
        DATA[one["type"]].model_validate(one["data"])


def test_the_rest_of_what_was_handed_over_in_part_can_be_fetched_too() -> None:
    street = moments.partly()
    choose_step(street.hub, street.business_id, street.job.id, NextStep.COLLECT, actor="staff:1")
    page = page_of(street)
    assert page.doing is not None
    assert page.doing.is_kept
    fetched(street)
    page = page_of(street)
    assert page.card is not None
    assert (page.shows, page.card.headline) == (Shows.DONE, "Partly delivered")
    assert page.card.lines == ("The rest was collected from us.",)
    assert page.handover is not None
