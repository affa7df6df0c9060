"""What changed is read, whatever changes meanwhile and however little Shopify gives at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.shopify.answers import ProtectedData
from hub import AuthError, ConfigError, HubError, RateLimited, Refused, Tools, Unavailable
from hub.testing import MONDAY
from tests.connectors.shopify_worlds import (
    Clock,
    connected,
    end,
    needs_data,
    orders_of,
    the_order,
)
from tests.fakes.shopify import FakeShopify, address, text

pytestmark = needs_data


def ref_of(order: dict[str, Any], n: int = 0) -> str:
    return str(order["own"][n]["id"].rpartition("/")[2])


def test_a_hold_withdraws_an_order_and_its_release_brings_it_back(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    """Only the fulfilment order changes, so orders alone would not show it."""
    source = connected(shop, tools)
    ref = ref_of(shop.state.place())
    clock.later(hours=1)
    shop.state.place()  # so that the first is older than any overlap
    cursor = end(source)
    for status, seen in (("ON_HOLD", "cancelled"), ("OPEN", "open")):
        clock.later(hours=1)
        shop.set_status(ref, status)
        found = list(source.pages(cursor))
        assert [(o.ref, o.status, o.updated_at) for o in orders_of(found)][-1] == (
            ref,
            seen,
            clock(),
        )
        cursor = found[-1].cursor


@pytest.mark.parametrize("status", ["SCHEDULED", "ON_HOLD", "INCOMPLETE", "CANCELLED"])
def test_what_cannot_be_delivered_now_is_withdrawn(
    shop: FakeShopify, tools: Tools, status: str
) -> None:
    shop.state.place(status=status)
    assert the_order(connected(shop, tools)).status == "cancelled"


def test_an_order_in_progress_is_delivered(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(status="IN_PROGRESS")
    assert the_order(connected(shop, tools)).status == "open"


def test_a_withdrawn_order_needs_no_address(shop: FakeShopify, tools: Tools, clock: Clock) -> None:
    order = shop.state.place()
    cursor = end(connected(shop, tools))
    clock.later(hours=1)
    shop.state.cancel(order)
    order["shippingAddress"] = order["own"][0]["destination"] = None
    [page] = [p for p in connected(shop, tools).pages(cursor) if p.orders or p.rejects]
    assert [o.status for o in page.orders] == ["cancelled"]
    assert not page.rejects


def test_what_somebody_fulfilled_in_shopify_is_withdrawn(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = connected(shop, tools)
    ref = ref_of(shop.state.place())
    cursor = end(source)
    clock.later(hours=1)
    shop.fulfil_by_hand(ref)
    assert [o.status for o in orders_of(source.pages(cursor))] == ["cancelled"]
    assert orders_of(source.pages(None)) == []


def test_a_business_that_fulfils_when_it_packs_keeps_the_order(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = connected(shop, tools, fulfilled_elsewhere="keep")
    ref = ref_of(shop.state.place())
    cursor = end(source)
    clock.later(hours=1)
    shop.fulfil_by_hand(ref)
    assert orders_of(source.pages(cursor)) == []


def test_an_order_that_left_by_our_own_word_is_not_withdrawn(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = connected(shop, tools)
    ref = ref_of(shop.state.place())
    cursor = end(source)
    clock.later(hours=1)
    shop.fulfil_by_hand(ref, number=f"LMH-{ref}", url="https://hub.example/t/x")
    assert orders_of(source.pages(cursor)) == []


def test_an_order_that_left_and_was_cancelled_is_withdrawn(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = connected(shop, tools)
    order = shop.state.place()
    shop.fulfil_by_hand(ref_of(order), number=f"LMH-{ref_of(order)}")
    clock.later(hours=1)
    cursor = end(source)
    clock.later(hours=1)
    shop.state.cancel(order)
    assert [o.status for o in orders_of(source.pages(cursor))] == ["cancelled"]


def test_a_fulfilment_that_was_cancelled_is_none(shop: FakeShopify, tools: Tools) -> None:
    order = shop.state.place()
    made = shop.fulfil_by_hand(ref_of(order), number=f"LMH-{ref_of(order)}")
    made["status"] = "CANCELLED"
    order["own"][0]["all"][0]["remainingQuantity"] = 2
    shop.set_status(ref_of(order), "OPEN")
    assert the_order(connected(shop, tools)).status == "open"


def test_closed_orders_are_not_read_at_first(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(closedAt=text(MONDAY))
    assert orders_of(connected(shop, tools).pages(None)) == []


def test_an_order_cancelled_while_all_is_read_is_withdrawn_next_time(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    """The first reading asks for open ones only, and takes longer than the overlap."""
    shop.state.page_size = 2
    orders = []
    for _ in range(6):
        orders.append(shop.state.place())
        clock.later(minutes=30)
    source = connected(shop, tools)
    cursor = ""
    for n, page in enumerate(source.pages(None)):
        if n == 0:
            before = orders[0]["own"][0]["updatedAt"]
            shop.state.cancel(orders[0])
            orders[0]["own"][0]["updatedAt"] = before  # by the order alone it must be found
            clock.later(hours=5)
            shop.state.touch(orders[5])
            shop.state.touch(orders[5]["own"][0])
        cursor = page.cursor
    found = orders_of(source.pages(cursor))
    assert "cancelled" in {o.status for o in found if o.ref == ref_of(orders[0])}


def test_an_order_comes_once_for_what_it_is_now(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = connected(shop, tools)
    shop.state.place()
    cursor = end(source)
    clock.later(hours=1)
    order = shop.state.place()  # stands in both lists
    refs = [o.ref for o in orders_of(source.pages(cursor))]
    assert refs.count(ref_of(order)) == 1


def test_reading_begins_a_little_before_the_newest_change(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    """Shopify's search learns of a change some seconds late."""
    source = connected(shop, tools)
    shop.state.place()
    cursor = end(source)
    late = shop.state.place(updatedAt=text(MONDAY - timedelta(seconds=60)))
    assert ref_of(late) in {o.ref for o in orders_of(source.pages(cursor))}


def test_more_fulfilment_orders_and_lines_than_fit_are_fetched(
    shop: FakeShopify, tools: Tools
) -> None:
    order = shop.state.place(lines=[(f"Bread {n}", 1) for n in range(130)])
    for _ in range(5):
        shop.state.unit(order["id"])
    source = connected(shop, tools)
    found = orders_of(source.pages(None))
    assert [o.number for o in found] == ["#1001", *(f"#1001-{n}" for n in range(2, 7))]
    assert [line.title for line in found[0].lines] == [f"Bread {n}" for n in range(130)]
    assert source.one(found[0].ref) == found[0]
    assert source.one(found[5].ref) == found[5]


def test_no_query_costs_more_than_shopify_takes(shop: FakeShopify, tools: Tools) -> None:
    for n in range(40):
        shop.state.place(updatedAt=text(MONDAY + timedelta(minutes=n)))
    assert len(orders_of(connected(shop, tools).pages(None))) == 40
    taken = [cost for cost in shop.costs if cost <= 1000]
    assert len(shop.costs) - len(taken) <= 2  # it learns how much it may ask for


def test_less_is_asked_for_before_waiting(shop: FakeShopify, tools: Tools) -> None:
    for n in range(12):
        shop.state.place(updatedAt=text(MONDAY + timedelta(minutes=n)))
    shop.metered, shop.points = True, 500.0
    pages = connected(shop, tools).pages(None)
    assert next(pages).orders


def test_a_drained_shop_says_how_long_to_wait_and_loses_nothing(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    for n in range(60):
        shop.state.place(updatedAt=text(MONDAY + timedelta(minutes=n)))
    shop.metered, shop.points, shop.most_points = True, 600.0, 1000.0
    seen: set[str] = set()
    waits: list[float] = []
    cursor: str | None = None
    for _ in range(100):
        try:
            for page in connected(shop, tools).pages(cursor):
                seen |= {o.ref for o in page.orders}
                cursor = page.cursor
            break
        except RateLimited as pause:
            waits.append(pause.retry_after)
            clock.later(seconds=pause.retry_after)
    assert len(seen) == 60
    assert waits
    assert all(1 <= wait <= 10 for wait in waits)


def test_a_position_is_kept_while_many_share_one_instant(shop: FakeShopify, tools: Tools) -> None:
    """After a change of thousands at once; from their instant it would never come to an end."""
    shop.state.page_size = 3
    for _ in range(10):
        shop.state.place()
    source = connected(shop, tools)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(4):
        page = next(source.pages(cursor))
        cursor = page.cursor
        seen += [o.ref for o in page.orders]
    assert len(set(seen)) == 10


@pytest.mark.parametrize("full", [True, False])
def test_a_cursor_shopify_no_longer_knows_is_no_dead_end(
    shop: FakeShopify, tools: Tools, full: bool
) -> None:
    shop.state.page_size = 2
    for _ in range(5):
        shop.state.place()
    source = connected(shop, tools)
    cursor = next(source.pages(None if full else end(source))).cursor
    assert '"after"' in cursor
    stale = cursor.replace('"after": "', '"after": "!!')
    assert len({o.ref for o in orders_of(source.pages(stale))}) == 5


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", '{"full": 1, "what": 2}'])
def test_a_cursor_that_cannot_be_read_is_the_start(
    shop: FakeShopify, tools: Tools, cursor: str
) -> None:
    shop.state.place()
    assert len(orders_of(connected(shop, tools).pages(cursor))) == 1


def test_an_order_that_is_gone_is_none(shop: FakeShopify, tools: Tools) -> None:
    assert connected(shop, tools).one("4711") is None


MOODS: list[tuple[str, type[HubError]]] = [
    ("locked", AuthError),
    ("429", RateLimited),
    ("busy", RateLimited),
    ("broken", Unavailable),
    ("down", Unavailable),
    ("babbling", Unavailable),
    ("half", Unavailable),
    ("frozen", ConfigError),
    ("gone", ConfigError),
    ("moved", ConfigError),
]


@pytest.mark.parametrize(("mood", "error"), MOODS)
def test_what_goes_wrong_is_named_by_what_to_do(
    shop: FakeShopify, tools: Tools, mood: str, error: type[HubError]
) -> None:
    shop.be(mood)
    with pytest.raises(error) as caught:
        list(connected(shop, tools).pages(None))
    assert type(caught.value) is error or mood == "busy"
    assert str(caught.value).endswith(".")


def test_a_shop_that_hangs_is_unavailable(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools)
    tools.http.mount("https://husk.myshopify.com", Hanging())
    with pytest.raises(Unavailable):
        list(source.pages(None))


class Hanging:
    def send(self, *args: Any, **kwargs: Any) -> Any:
        from requests import ReadTimeout

        assert kwargs["timeout"]
        raise ReadTimeout("https://husk.myshopify.com said nothing")

    def close(self) -> None: ...


def test_a_half_answer_stops_reading_where_it_was(shop: FakeShopify, tools: Tools) -> None:
    shop.state.page_size = 2
    for _ in range(6):
        shop.state.place()
    pages = connected(shop, tools).pages(None)
    first = next(pages)
    shop.cut_off("HubOrders")
    with pytest.raises(Unavailable):
        next(pages)
    rest = orders_of(connected(shop, tools).pages(first.cursor))
    assert len({o.ref for o in (*first.orders, *rest)}) == 6


def test_customers_data_withheld_is_said_as_that(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place()
    shop.approved = False
    with pytest.raises(ProtectedData, match="Protected customer data access"):
        list(connected(shop, tools).pages(None))


def test_customers_data_left_out_is_said_as_that_and_not_as_bad_orders(
    shop: FakeShopify, tools: Tools
) -> None:
    shop.state.place()
    shop.state.place()
    shop.approved = None
    source = connected(shop, tools)
    with pytest.raises(ProtectedData):
        list(source.pages(None))
    with pytest.raises(ProtectedData):
        source.check()


def test_one_order_without_a_name_among_others_is_a_bad_one(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    """Made by hand, say, with no more than a town; and alone on its page."""
    shop.state.page_size = 1
    source = connected(shop, tools)
    shop.state.place()
    cursor = end(source)
    clock.later(hours=1)
    unknown = dict.fromkeys(("name", "address1", "address2", "zip", "phone"))
    bare = shop.state.place(shippingAddress={**address(""), **unknown}, email=None)
    assert bare["own"][0]["destination"]["city"] == "Helsinki"
    rejects = [reject for page in source.pages(cursor) for reject in page.rejects]
    assert {(reject.ref, reject.problem) for reject in rejects} == {
        (ref_of(bare), "the shipping address has no street")
    }


def test_a_scope_that_was_taken_away_is_named(shop: FakeShopify, tools: Tools) -> None:
    shop.scopes.remove("write_merchant_managed_fulfillment_orders")
    with pytest.raises(ConfigError, match="read_merchant_managed_fulfillment_orders"):
        list(connected(shop, tools).pages(None))


def test_an_api_version_that_expired_is_said_once_in_the_log(
    shop: FakeShopify, tools: Tools, caplog: pytest.LogCaptureFixture
) -> None:
    shop.state.place()
    list(connected(shop, tools, api_version="2024-01").pages(None))
    assert [r.message for r in caplog.records] == [
        "shop=husk.myshopify.com asked_version=2024-01 served_version=2025-10"
    ]


def test_a_field_that_a_version_does_not_know_blames_the_version() -> None:
    from connectors.shopify.answers import data

    error = {"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}
    with pytest.raises(ConfigError) as caught:
        data({"errors": [error]}, "husk")
    assert caught.value.field == "api_version"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"errors": "Not Found"}, Unavailable),
        ({"errors": [None]}, Unavailable),
        ({"errors": [{"message": "No", "extensions": {"code": "OTHER"}}]}, Refused),
        ({"errors": [{"message": "No"}]}, Refused),
        ({"errors": [{"message": "x", "extensions": {"code": "SHOP_INACTIVE"}}]}, ConfigError),
        ({"errors": [{"message": "x", "extensions": {"code": "TIMEOUT"}}]}, Unavailable),
        ({"data": None}, Unavailable),
        ({}, Unavailable),
    ],
)
def test_answers_without_data_are_errors(body: dict[str, Any], error: type[HubError]) -> None:
    from connectors.shopify.answers import data

    with pytest.raises(error):
        data(body, "husk")
