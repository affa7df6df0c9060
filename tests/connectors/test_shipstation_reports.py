"""What ShipStation is told of an order, once and only once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.shipstation.source import ShipStation
from hub import AuthError, ConfigError, RateLimited, Refused, Tools
from hub.testing import MONDAY, lent
from tests.connectors.shipstation_worlds import (
    OWN_TAGS,
    a_shop,
    in_front_of,
    progress,
)
from tests.fakes import shipstation_spec as spec
from tests.fakes.shipstation import FakeShipStation

WAYS = pytest.mark.parametrize("way", ["v2", "v1"])
DELIVERED: dict[str, Any] = {"outcome": "succeeded", "received_by": "Ana"}


@pytest.fixture
def shop() -> FakeShipStation:
    spec.data()
    shop = a_shop(page_size=50)
    shop.place("100", MONDAY)
    return shop


@pytest.fixture
def tools(tmp_path: Any) -> Tools:
    return lent(tmp_path, now=MONDAY)


def row(shop: FakeShipStation) -> Any:
    return shop.order("100")


def writes(shop: FakeShipStation) -> list[str]:
    return [call for call in shop.asked if not call.startswith("GET")]


# -- each stage


@WAYS
@pytest.mark.parametrize("stage", ["placed", "planned", "dispatched"])
def test_before_the_driver_leaves_nothing_is_said(
    shop: FakeShipStation, tools: Tools, way: str, stage: str
) -> None:
    in_front_of(shop, tools, way).write_back(progress(shop, "100", stage))
    assert shop.asked == []


@WAYS
@pytest.mark.parametrize("stage", ["on_the_way", "arrived"])
def test_an_order_on_its_way_wears_the_tag(
    shop: FakeShipStation, tools: Tools, way: str, stage: str
) -> None:
    in_front_of(shop, tools, way).write_back(progress(shop, "100", stage))
    assert (row(shop).tags, row(shop).status) == (["Out for delivery"], "awaiting_shipment")


@WAYS
@pytest.mark.parametrize("outcome", ["succeeded", "partial"])
def test_a_delivered_order_is_tagged_and_marked_as_shipped(
    shop: FakeShipStation, tools: Tools, way: str, outcome: str
) -> None:
    source = in_front_of(shop, tools, way)
    source.write_back(progress(shop, "100", "on_the_way"))
    source.write_back(progress(shop, "100", "closed", outcome=outcome))
    assert (row(shop).tags, row(shop).status) == (["Delivered"], "shipped")
    [done] = shop.fulfillments
    assert (done["tracking"], done["carrier"]) == ("100", "other")


@WAYS
def test_it_can_be_marked_when_the_driver_leaves(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    source = in_front_of(shop, tools, way, ship_when="leaves", carrier_code="own_fleet")
    source.write_back(progress(shop, "100", "on_the_way"))
    assert (row(shop).tags, row(shop).status) == (["Out for delivery"], "shipped")
    source.write_back(progress(shop, "100", "closed", **DELIVERED))
    assert row(shop).tags == ["Delivered"]
    assert [done["carrier"] for done in shop.fulfillments] == ["own_fleet"]


@WAYS
def test_it_need_never_be_marked(shop: FakeShipStation, tools: Tools, way: str) -> None:
    source = in_front_of(shop, tools, way, ship_when="never")
    source.write_back(progress(shop, "100", "closed", **DELIVERED))
    assert (row(shop).tags, row(shop).status) == (["Delivered"], "awaiting_shipment")


@WAYS
@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_what_was_not_delivered_says_so_and_is_not_shipped(
    shop: FakeShipStation, tools: Tools, way: str, outcome: str
) -> None:
    source = in_front_of(shop, tools, way, ship_when="leaves")
    source.write_back(progress(shop, "100", "closed", outcome=outcome, reason="nobody in"))
    assert (row(shop).tags, row(shop).status) == (["Delivery failed"], "awaiting_shipment")


@WAYS
def test_a_second_attempt_takes_the_failure_back(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    source = in_front_of(shop, tools, way)
    source.write_back(progress(shop, "100", "closed", outcome="failed"))
    source.write_back(progress(shop, "100", "on_the_way", attempt=2))
    assert row(shop).tags == ["Out for delivery"]


@WAYS
def test_a_cancelled_job_takes_its_tag_off(shop: FakeShipStation, tools: Tools, way: str) -> None:
    row(shop).tags.append("Fragile")
    shop.tag_id("Fragile")
    source = in_front_of(shop, tools, way)
    source.write_back(progress(shop, "100", "on_the_way"))
    source.write_back(progress(shop, "100", "cancelled"))
    assert row(shop).tags == ["Fragile"]


@WAYS
def test_an_order_that_was_cancelled_there_is_left_alone(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    shop.change(row(shop), status="cancelled", tags=["Out for delivery"])
    in_front_of(shop, tools, way).write_back(progress(shop, "100", "cancelled"))
    assert writes(shop) == []


@WAYS
def test_without_tags_and_marking_nothing_is_asked(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    off = {"ship_when": "never", "on_the_way_tag": "", "delivered_tag": "", "failed_tag": ""}
    source = in_front_of(shop, tools, way, **off)
    source.write_back(progress(shop, "100", "closed", **DELIVERED))
    assert shop.asked == []


def test_v2_creates_a_tag_that_is_missing(shop: FakeShipStation, tools: Tools) -> None:
    in_front_of(shop, tools, on_the_way_tag="With Büşra & co?").write_back(
        progress(shop, "100", "on_the_way")
    )
    assert row(shop).tags == ["With Büşra & co?"]


def test_v1_asks_for_a_tag_that_is_missing(shop: FakeShipStation, tools: Tools) -> None:
    source = in_front_of(shop, tools, "v1", failed_tag="Came back")
    with pytest.raises(ConfigError, match="“Came back”") as caught:
        source.check()
    assert caught.value.field == "failed_tag"
    with pytest.raises(ConfigError, match="“Came back”"):
        source.write_back(progress(shop, "100", "closed", outcome="failed"))


# -- our own echo


@WAYS
@pytest.mark.parametrize("ship_when", ["leaves", "delivered"])
def test_an_order_we_shipped_ourselves_is_not_withdrawn(
    shop: FakeShipStation, tools: Tools, way: str, ship_when: str
) -> None:
    source = in_front_of(shop, tools, way, ship_when=ship_when)
    pages = list(source.pages(None))
    [before] = [order for page in pages for order in page.orders]
    shop.clock = lambda: MONDAY + timedelta(minutes=30)
    source.write_back(progress(shop, "100", "on_the_way"))
    source.write_back(progress(shop, "100", "closed", **DELIVERED))
    [after] = [order for page in source.pages(pages[-1].cursor) for order in page.orders]
    assert (after.status, after.tags) == ("open", before.tags)


# -- never twice


@WAYS
def test_a_repeated_report_writes_nothing(shop: FakeShipStation, tools: Tools, way: str) -> None:
    source = in_front_of(shop, tools, way)
    source.write_back(progress(shop, "100", "closed", **DELIVERED))
    before = len(writes(shop))
    in_front_of(shop, tools, way).write_back(progress(shop, "100", "closed", **DELIVERED))
    assert len(writes(shop)) == before
    assert len(shop.fulfillments) == 1


@WAYS
def test_what_somebody_marked_in_shipstation_is_not_marked_again(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    shop.fulfil(row(shop), "by hand", "ups", "")
    in_front_of(shop, tools, way).write_back(progress(shop, "100", "closed", **DELIVERED))
    assert [done["tracking"] for done in shop.fulfillments] == ["by hand"]
    assert row(shop).tags == ["Delivered"]


@WAYS
def test_a_fulfillment_is_seen_before_the_status_shows_it(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    shop.fulfil(row(shop), "by hand", "ups", "")
    row(shop).status = "awaiting_shipment"
    in_front_of(shop, tools, way).write_back(progress(shop, "100", "closed", **DELIVERED))
    assert len(shop.fulfillments) == 1


@WAYS
def test_a_voided_fulfillment_does_not_count(shop: FakeShipStation, tools: Tools, way: str) -> None:
    shop.fulfil(row(shop), "by hand", "ups", "")["voided"] = True
    row(shop).status = "awaiting_shipment"
    in_front_of(shop, tools, way).write_back(progress(shop, "100", "closed", **DELIVERED))
    assert len(shop.fulfillments) == 2


# -- refused


@WAYS
def test_an_order_that_is_gone_is_refused(shop: FakeShipStation, tools: Tools, way: str) -> None:
    report = progress(shop, "100", "closed", **DELIVERED)
    shop.rows.clear()
    with pytest.raises(Refused, match="order 100 no more"):
        in_front_of(shop, tools, way).write_back(report)


def test_an_order_only_v2_knows_is_refused_by_v1(shop: FakeShipStation, tools: Tools) -> None:
    report = replace(progress(shop, "100", "on_the_way"), order_ref="se-1f-9a")
    with pytest.raises(Refused, match="no more"):
        in_front_of(shop, tools, "v1").write_back(report)


@WAYS
def test_an_order_cancelled_there_is_not_marked(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    row(shop).status = "cancelled"
    with pytest.raises(Refused, match="cancelled in ShipStation"):
        in_front_of(shop, tools, way).write_back(progress(shop, "100", "closed", **DELIVERED))


def test_v2s_half_success_is_a_refusal(shop: FakeShipStation, tools: Tools) -> None:
    shop.refuse_fulfillment = "carrier_code other is unknown; ask ana@example.com"
    with pytest.raises(Refused, match="carrier_code other is unknown") as caught:
        in_front_of(shop, tools).write_back(progress(shop, "100", "closed", **DELIVERED))
    assert "ana@example.com" not in str(caught.value)


def test_an_unverified_account_is_told_what_to_do(shop: FakeShipStation, tools: Tools) -> None:
    shop.email_verified = False
    with pytest.raises(ConfigError, match="verified") as caught:
        in_front_of(shop, tools).write_back(progress(shop, "100", "closed", **DELIVERED))
    assert not isinstance(caught.value, AuthError)


@WAYS
def test_a_pause_is_kept_while_writing(shop: FakeShipStation, tools: Tools, way: str) -> None:
    shop.be("busy")
    with pytest.raises(RateLimited) as caught:
        in_front_of(shop, tools, way).write_back(progress(shop, "100", "closed", **DELIVERED))
    assert caught.value.retry_after == 7


# -- notes, V1


def test_v1_notes_the_result_and_clears_nothing(shop: FakeShipStation, tools: Tools) -> None:
    shop.change(row(shop), notes="Ring twice", internal_notes="VIP", tags=["Fragile"])
    in_front_of(shop, tools, "v1", notes=True).write_back(
        progress(shop, "100", "closed", **DELIVERED)
    )
    told = row(shop)
    assert told.internal_notes.splitlines() == [
        "VIP",
        "[Last Mile Hub] 2024-03-04 06:00 UTC: succeeded; received by Ana",
    ]
    assert (told.notes, told.email, told.paid) == ("Ring twice", "ana@example.com", 10.0)
    assert told.tags == ["Fragile", "Delivered"]
    assert told.status == "shipped"


def test_a_note_is_written_once(shop: FakeShipStation, tools: Tools) -> None:
    for _ in range(2):
        in_front_of(shop, tools, "v1", notes=True, ship_when="never").write_back(
            progress(shop, "100", "closed", **DELIVERED)
        )
    assert row(shop).internal_notes.count("succeeded") == 1


def test_our_note_is_not_read_back_as_news(shop: FakeShipStation, tools: Tools) -> None:
    source = in_front_of(shop, tools, "v1", notes=True, ship_when="never")
    before = source.one(shop.ref_of("100"))
    source.write_back(progress(shop, "100", "closed", **DELIVERED))
    after = source.one(shop.ref_of("100"))
    assert before is not None
    assert after is not None
    assert before.custom == after.custom


def test_there_is_a_tag_of_ours_for_each_ending() -> None:
    assert tuple(ShipStation.Settings().own_tags().values()) == OWN_TAGS
