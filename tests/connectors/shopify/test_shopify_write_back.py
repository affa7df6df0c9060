"""Shopify hears how an order fares, once, whatever is cut off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub import DeliveredLine, Point, Refused, Tools, Unavailable
from tests.connectors.shopify_worlds import (
    LINK,
    NOON,
    Clock,
    connected,
    end,
    needs_data,
    orders_of,
    report,
)
from tests.fakes.shopify import FakeShopify

pytestmark = needs_data
Tell = Callable[..., None]


@pytest.fixture
def ref(shop: FakeShopify) -> str:
    order = shop.state.place(lines=[("Sourdough", 2), ("Cake", 1)])
    return str(order["own"][0]["id"].rpartition("/")[2])


@pytest.fixture
def tell(shop: FakeShopify, tools: Tools, ref: str) -> Tell:
    source = connected(shop, tools)

    def told(stage: str, outcome: str = "", **known: Any) -> None:
        source.write_back(report(ref, stage, outcome, **known))

    return told


def statuses(shop: FakeShopify, ref: str) -> list[str]:
    return [e["status"] for f in shop.fulfilments(ref) for e in f["told"]]


def test_a_delivery_is_told_from_the_round_to_the_door(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    eta = NOON + timedelta(minutes=40)
    tell("placed")
    tell("planned")
    assert not shop.state.writes
    tell("dispatched", eta=eta)
    tell("on_the_way", eta=eta, at=NOON + timedelta(minutes=5))
    tell("arrived")
    tell(
        "closed", "succeeded", at=NOON + timedelta(minutes=41), received_by="Sam",
        proof_url=f"{LINK}/proof.pdf", point=Point(60.1, 24.9),
    )  # fmt: skip
    [fulfilment] = shop.fulfilments(ref)
    assert fulfilment["info"] == {"company": "Own delivery", "number": f"LMH-{ref}", "url": LINK}
    assert shop.unit(ref)["status"] == "CLOSED"
    confirmed, out, delivered = fulfilment["told"]
    assert confirmed["status"] == "CONFIRMED"
    assert out["status"] == "OUT_FOR_DELIVERY"
    assert out["estimatedDeliveryAt"] == "2024-03-04T12:40:00Z"
    assert delivered["status"] == "DELIVERED"
    assert delivered["happenedAt"] == "2024-03-04T12:41:00Z"
    assert (delivered["latitude"], delivered["longitude"]) == (60.1, 24.9)
    assert delivered["message"] == f"Received by Sam. Proof: {LINK}/proof.pdf"


UPDATES: list[tuple[str, str]] = [
    ("dispatched", ""),
    ("on_the_way", ""),
    ("closed", "succeeded"),
    ("closed", "partial"),
    ("closed", "failed"),
    ("closed", "skipped"),
    ("cancelled", ""),
]


@pytest.mark.parametrize(("stage", "outcome"), UPDATES)
def test_telling_it_again_changes_nothing(
    shop: FakeShopify, ref: str, tell: Tell, stage: str, outcome: str
) -> None:
    tell("dispatched", at=NOON - timedelta(hours=1))
    tell(stage, outcome)
    written = list(shop.state.writes)
    tell(stage, outcome)
    assert shop.state.writes == written


@pytest.mark.parametrize("cut", ["HubFulfil", "HubEvent", "HubTags"])
@pytest.mark.parametrize(("stage", "outcome"), UPDATES)
def test_telling_it_again_after_a_cut_writes_nothing_twice(
    shop: FakeShopify, tools: Tools, ref: str, cut: str, stage: str, outcome: str
) -> None:
    shop.scopes.append("write_orders")
    source = connected(shop, tools, tag_orders=True)
    update = report(ref, stage, outcome)
    shop.cut_off(cut)
    try:
        source.write_back(update)
    except Unavailable:
        source.write_back(update)
    expected = FakeShopify(now=shop.now)
    expected.scopes.append("write_orders")
    expected.state.place(lines=[("Sourdough", 2), ("Cake", 1)])
    connected(expected, tools, tag_orders=True).write_back(update)
    assert len(shop.fulfilments(ref)) == len(expected.fulfilments(ref))
    assert statuses(shop, ref) == statuses(expected, ref)
    assert shop.order_of(ref)["tags"] == expected.order_of(ref)["tags"]


def test_an_update_that_was_left_out_is_made_up_for(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    tell("closed", "succeeded")
    assert statuses(shop, ref) == ["DELIVERED"]
    assert shop.unit(ref)["status"] == "CLOSED"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("failed", "ATTEMPTED_DELIVERY"), ("skipped", "DELAYED"), ("cancelled", "FAILURE")],
)
def test_what_was_not_handed_over_is_said_with_its_reason(
    shop: FakeShopify, ref: str, tell: Tell, outcome: str, status: str
) -> None:
    tell("dispatched")
    tell("closed", outcome, reason="Nobody was at home")
    last = shop.fulfilments(ref)[0]["told"][-1]
    assert (last["status"], last["message"]) == (status, "Nobody was at home")


def test_a_second_attempt_goes_on_with_the_same_fulfilment(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    tell("dispatched")
    tell("closed", "failed", reason="Nobody was at home", at=NOON + timedelta(hours=1))
    tell("dispatched", attempt=2, at=NOON + timedelta(days=1))
    tell("closed", "succeeded", attempt=2, at=NOON + timedelta(days=1, hours=1))
    assert len(shop.fulfilments(ref)) == 1
    expected = ["CONFIRMED", "ATTEMPTED_DELIVERY", "CONFIRMED", "DELIVERED"]
    assert statuses(shop, ref) == expected


def test_goods_that_came_back_are_not_fulfilled_for_it(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    tell("closed", "failed")
    assert not shop.state.writes


@pytest.mark.parametrize(
    ("fulfil_at", "stage", "outcome", "fulfilled"),
    [
        ("dispatched", "dispatched", "", True),
        ("on_the_way", "dispatched", "", False),
        ("on_the_way", "on_the_way", "", True),
        ("closed", "on_the_way", "", False),
        ("closed", "closed", "succeeded", True),
        ("closed", "closed", "failed", False),
    ],
)
def test_the_business_says_when_an_order_is_fulfilled(
    shop: FakeShopify, tools: Tools, ref: str, fulfil_at: str, stage: str, outcome: str,
    fulfilled: bool,
) -> None:  # fmt: skip
    connected(shop, tools, fulfil_at=fulfil_at).write_back(report(ref, stage, outcome))
    assert bool(shop.fulfilments(ref)) is fulfilled


PART = (
    DeliveredLine(0, "Sourdough", 2, 1, "damaged"),
    DeliveredLine(1, "Cake", 1, 0, "forgotten"),
)


def test_a_part_that_was_handed_over_is_fulfilled_alone(
    shop: FakeShopify, tools: Tools, ref: str
) -> None:
    source = connected(shop, tools, fulfil_at="closed")
    for _ in range(2):
        source.write_back(report(ref, "closed", "partial", lines=PART))
    [fulfilment] = shop.fulfilments(ref)
    assert fulfilment["taken"] == [("Sourdough", 1)]
    assert shop.unit(ref)["status"] == "IN_PROGRESS"
    [event] = fulfilment["told"]
    assert event["message"] == (
        "Delivered in part: 1 of 2 Sourdough (damaged), 0 of 1 Cake (forgotten)"
    )


def test_the_rest_is_fulfilled_when_it_is_brought(
    shop: FakeShopify, tools: Tools, ref: str
) -> None:
    source = connected(shop, tools, fulfil_at="closed")
    source.write_back(report(ref, "closed", "partial", lines=PART))
    for _ in range(2):
        source.write_back(
            report(ref, "closed", "succeeded", attempt=2, at=NOON + timedelta(days=1))
        )
    first, second = shop.fulfilments(ref)
    assert second["taken"] == [("Sourdough", 1), ("Cake", 1)]
    assert second["info"]["number"] == f"LMH-{ref}-2"
    assert shop.unit(ref)["status"] == "CLOSED"


def test_a_part_of_what_is_no_longer_there_is_parked(
    shop: FakeShopify, tools: Tools, ref: str
) -> None:
    source = connected(shop, tools, fulfil_at="closed")
    lines = (DeliveredLine(0, "Rye", 2, 1),)
    with pytest.raises(Refused, match="Mark there"):
        source.write_back(report(ref, "closed", "partial", lines=lines))
    assert not shop.fulfilments(ref)


def test_of_two_lines_with_one_name_each_is_counted(shop: FakeShopify, tools: Tools) -> None:
    order = shop.state.place(lines=[("Bun", 2), ("Bun", 3)])
    ref = order["own"][0]["id"].rpartition("/")[2]
    lines = (DeliveredLine(0, "Bun", 2, 2), DeliveredLine(1, "Bun", 3, 1))
    source = connected(shop, tools, fulfil_at="closed")
    source.write_back(report(ref, "closed", "partial", lines=lines))
    assert shop.fulfilments(ref)[0]["taken"] == [("Bun", 2), ("Bun", 1)]


def test_a_part_after_all_was_fulfilled_is_a_note(shop: FakeShopify, ref: str, tell: Tell) -> None:
    tell("dispatched")
    tell("closed", "partial", lines=PART)
    last = shop.fulfilments(ref)[0]["told"][-1]
    assert last["status"] == "DELIVERED"
    assert last["message"].startswith("Delivered in part: 1 of 2 Sourdough")


def test_what_somebody_fulfilled_is_not_fulfilled_again(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    """And gets our link, since it has none."""
    shop.fulfil_by_hand(ref)
    tell("on_the_way")
    tell("on_the_way")
    [fulfilment] = shop.fulfilments(ref)
    assert fulfilment["info"]["url"] == LINK
    assert statuses(shop, ref) == ["OUT_FOR_DELIVERY"]
    assert len(shop.written("fulfillmentTrackingInfoUpdate")) == 1


def test_another_carriers_tracking_stays(shop: FakeShopify, ref: str, tell: Tell) -> None:
    shop.fulfil_by_hand(ref, number="JJFI123", company="Posti")
    tell("closed", "succeeded")
    assert shop.fulfilments(ref)[0]["info"]["number"] == "JJFI123"


def test_calling_off_leaves_alone_what_others_sent(shop: FakeShopify, ref: str, tell: Tell) -> None:
    shop.fulfil_by_hand(ref, number="JJFI123", company="Posti")
    tell("cancelled")
    assert statuses(shop, ref) == []


def test_a_new_link_replaces_the_old(shop: FakeShopify, ref: str, tell: Tell) -> None:
    tell("dispatched")
    tell("on_the_way", tracking_url="https://hub.example/t/new")
    assert shop.fulfilments(ref)[0]["info"]["url"] == "https://hub.example/t/new"


def test_a_fulfilment_that_was_cancelled_is_made_anew(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    tell("dispatched")
    [old] = shop.fulfilments(ref)
    old["status"] = "CANCELLED"
    for line in shop.unit(ref)["all"]:
        line["remainingQuantity"] = line["totalQuantity"]
    shop.set_status(ref, "OPEN")
    tell("on_the_way")
    assert [f["status"] for f in shop.fulfilments(ref)] == ["CANCELLED", "SUCCESS"]


@pytest.mark.parametrize(
    ("status", "said"),
    [("ON_HOLD", "is on hold"), ("SCHEDULED", "is scheduled"), ("CLOSED", "nothing left")],
)
def test_what_cannot_be_fulfilled_is_parked_for_a_person(
    shop: FakeShopify, ref: str, tell: Tell, status: str, said: str
) -> None:
    shop.set_status(ref, status)
    with pytest.raises(Refused, match=f"#1001 {said}|#1001 has {said}"):
        tell("dispatched")


def test_an_order_that_was_cancelled_there_is_told_nothing(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    shop.state.cancel(shop.order_of(ref))
    tell("dispatched")
    tell("cancelled")
    assert not shop.state.writes


def test_an_order_that_is_gone_is_parked(shop: FakeShopify, tools: Tools, ref: str) -> None:
    with pytest.raises(Refused, match="no longer at husk"):
        connected(shop, tools).write_back(report("4711", "dispatched"))


def test_nothing_is_told_to_a_business_that_does_not_want_it(
    shop: FakeShopify, tools: Tools, ref: str
) -> None:
    connected(shop, tools, write_back=False).write_back(report(ref, "dispatched"))
    assert not shop.asked


@pytest.mark.parametrize("mails", [True, False])
def test_shopify_mails_the_customer_only_if_asked_to(
    shop: FakeShopify, tools: Tools, ref: str, mails: bool
) -> None:
    connected(shop, tools, notify_customer=mails).write_back(report(ref, "dispatched"))
    assert bool(shop.state.mailed) is mails


def test_a_tag_says_the_last_outcome_and_comes_back_as_none(
    shop: FakeShopify, tools: Tools, ref: str
) -> None:
    shop.scopes.append("write_orders")
    source = connected(shop, tools, tag_orders=True, fulfil_at="closed")
    shop.order_of(ref)["tags"] = ["vip"]
    source.write_back(report(ref, "closed", "failed"))
    assert shop.order_of(ref)["tags"] == ["Delivery: failed", "vip"]
    [order] = orders_of(source.pages(None))
    assert order.tags == ("vip",)
    source.write_back(report(ref, "closed", "succeeded", attempt=2))
    assert shop.order_of(ref)["tags"] == ["Delivery: succeeded", "vip"]


def test_what_we_wrote_comes_back_as_no_news(
    shop: FakeShopify, tools: Tools, ref: str, clock: Clock
) -> None:
    source = connected(shop, tools)
    cursor = end(source)
    for stage, outcome in UPDATES[:3]:
        clock.later(hours=1)
        source.write_back(report(ref, stage, outcome, at=clock()))
        assert orders_of(source.pages(cursor)) == []


def test_a_long_note_is_cut(shop: FakeShopify, ref: str, tell: Tell) -> None:
    tell("closed", "succeeded", note="word " * 200)
    [event] = shop.fulfilments(ref)[0]["told"]
    assert len(event["message"]) == 250


def test_moments_are_kept_to_the_second_as_shopify_does(
    shop: FakeShopify, ref: str, tell: Tell
) -> None:
    exact = NOON + timedelta(microseconds=123456)
    tell("dispatched", at=exact)
    tell("dispatched", at=exact)
    assert statuses(shop, ref) == ["CONFIRMED"]


def test_progress_names_every_stage_it_knows() -> None:
    from typing import get_args

    from connectors.shopify.progress import TOLD
    from hub import Stage

    assert set(get_args(Stage)) == TOLD | {"placed", "planned", "arrived"}
