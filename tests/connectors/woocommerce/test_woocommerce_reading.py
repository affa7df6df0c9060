"""Orders of a list that moves, in the store's own idea of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.woocommerce.reading import Place
from connectors.woocommerce.source import WooCommerce
from hub import AuthError, ConfigError, RateLimited, Tools, Unavailable
from hub.http import Http
from hub.testing import MONDAY, serve
from tests.connectors.woocommerce_worlds import connected, end, needs_data, news, orders_of
from tests.fakes.woocommerce import Store, many

pytestmark = needs_data


@pytest.mark.parametrize("zone", ["Australia/Sydney", "America/Los_Angeles", "Europe/London"])
def test_a_change_is_seen_wherever_the_store_is(store: Store, tools: Tools, zone: str) -> None:
    store.zone = zone
    number = store.place()
    shop = connected(store, tools)
    cursor = end(shop)
    store.change(number, customer_note="Ring twice", at=MONDAY + timedelta(minutes=10))
    [order] = news(shop, cursor)
    assert order.instructions == "Ring twice"


def test_times_are_sent_as_naive_gmt_that_says_so(store: Store, tools: Tools) -> None:
    store.place()
    shop = connected(store, tools)
    list(shop.pages(end(shop)))
    [asked] = [line for line in store.asked if "modified_after" in line]
    assert "dates_are_gmt=true" in asked
    assert "Z" not in asked.partition("modified_after=")[2].partition("&")[0]


def test_more_orders_at_one_instant_than_fit_a_page_all_arrive_once(
    store: Store, tools: Tools
) -> None:
    store.page_size = 4
    numbers = {str(store.place(at=MONDAY)) for _ in range(14)}
    numbers |= {str(store.place(at=MONDAY + timedelta(seconds=1))) for _ in range(3)}
    refs = [order.ref for order in news(connected(store, tools))]
    assert set(refs) == numbers
    assert len(refs) == len(numbers)


def test_an_order_that_leaves_a_crowded_instant_hides_no_other(store: Store, tools: Tools) -> None:
    store.page_size = 4
    numbers = [store.place(at=MONDAY) for _ in range(12)]
    seen = []
    for page in connected(store, tools).pages(None):
        if len(seen) == 1:
            store.change(numbers[0], at=MONDAY + timedelta(minutes=1))
        seen.append(page)
    assert {order.ref for order in orders_of(seen)} == set(map(str, numbers))


def test_an_order_taken_away_while_all_are_read_is_withdrawn_later(
    store: Store, tools: Tools
) -> None:
    """However long the reading took, and whatever changed last."""
    store.page_size = 2
    numbers = [store.place(at=MONDAY + timedelta(minutes=n)) for n in range(6)]
    shop, cursor = connected(store, tools), ""
    for page in shop.pages(None):
        if not cursor:
            store.change(numbers[0], status="cancelled", at=MONDAY + timedelta(minutes=10))
            store.change(numbers[5], at=MONDAY + timedelta(hours=2))
        cursor = page.cursor
    withdrawn = [order.ref for order in news(shop, cursor) if order.status == "cancelled"]
    assert withdrawn == [str(numbers[0])]


def test_an_old_order_still_open_does_not_bring_years_of_others_back(
    store: Store, tools: Tools
) -> None:
    store.place(at=MONDAY - timedelta(days=700))
    for n in range(30):
        store.place(status="completed", at=MONDAY - timedelta(days=300 - n))
    shop = connected(store, tools)
    assert len(news(shop, end(shop))) == 0


def test_the_cursor_never_goes_back(store: Store, tools: Tools) -> None:
    store.place()
    shop = connected(store, tools)
    cursor = end(shop)
    store.place(at=store.now + timedelta(minutes=30))
    later = store.place(at=store.now + timedelta(minutes=1))
    cursor = end(shop, cursor)
    store.delete(later)
    assert end(shop, cursor) == cursor


def test_a_store_with_nothing_open_is_read_on_from_now(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    cursor = end(shop)
    assert Place.read(cursor) == Place(store.now - timedelta(minutes=15), full=False)


def test_a_store_whose_clock_nobody_sees_is_read_on_from_its_last_order() -> None:
    assert str(Place(MONDAY, full=True).through()) == "2024-03-04T06:00:00"
    assert Place.read("2024-03-04T06:00:00 full") == Place(MONDAY, full=True)


def test_a_reading_broken_off_goes_on_with_what_is_open(store: Store, tools: Tools) -> None:
    """And does not fetch all that was ever completed since the oldest open order."""
    store.page_size = 2
    for n in range(5):
        store.place(at=MONDAY + timedelta(minutes=n))
    shop = connected(store, tools)
    first = next(iter(shop.pages(None)))
    store.asked.clear()
    list(shop.pages(first.cursor))
    assert all("completed" not in line for line in store.asked if line.startswith("GET orders?"))


@pytest.mark.parametrize("status", ["cancelled", "refunded", "failed", "completed", "on-hold"])
def test_what_the_store_takes_back_is_withdrawn(store: Store, tools: Tools, status: str) -> None:
    number = store.place()
    shop = connected(store, tools)
    cursor = end(shop)
    store.change(number, status=status)
    assert [order.status for order in news(shop, cursor)] == ["cancelled"]


def test_what_is_put_in_the_bin_is_withdrawn_and_comes_back_from_there(
    store: Store, tools: Tools
) -> None:
    number = store.place()
    shop = connected(store, tools)
    cursor = end(shop)
    store.trash(number)
    assert [order.status for order in news(shop, cursor)] == ["cancelled"]
    store.restore(number)
    assert [order.status for order in news(shop, cursor)] == ["open"]


def test_an_order_deleted_for_good_is_there_no_more(store: Store, tools: Tools) -> None:
    number = store.place()
    shop = connected(store, tools)
    store.delete(number)
    assert shop.one(str(number)) is None
    assert shop.one("../webhooks") is None


def test_several_statuses_may_be_taken_and_others_of_plugins_are_left_alone(
    store: Store, tools: Tools
) -> None:
    store.custom = {"packed": "Packed", "baking": "Baking"}
    numbers = [store.place(), store.place(status="packed"), store.place(status="baking")]
    shop = connected(store, tools, statuses="processing, packed")
    cursor = end(shop)
    assert {order.ref for order in news(shop)} == set(map(str, numbers[:2]))
    two = connected(store, tools, more_statuses="packed")
    assert {order.ref for order in news(two)} == set(map(str, numbers[:2]))
    store.change(numbers[0], status="baking")
    assert news(shop, cursor)[-1].ref != str(numbers[0])


def test_a_status_that_is_gone_is_named_at_its_setting(store: Store, tools: Tools) -> None:
    with pytest.raises(ConfigError) as caught:
        list(connected(store, tools, statuses="packed").pages(None))
    assert caught.value.field == "statuses"


def test_goods_are_weighed_in_the_stores_unit_with_few_questions(
    store: Store, tools: Tools
) -> None:
    oil = store.product(weight="11", dimensions={"length": "10", "width": "10", "height": "10"})
    big = store.product(of=oil, weight="2.5")
    store.product(number=store.product(), weight="7,5")
    plain = store.product(of=oil, dimensions={"length": "", "width": "", "height": ""})
    store.weight_unit = "lbs"
    item = {"id": 1, "name": "Oil", "product_id": oil, "quantity": 1, "meta_data": []}
    items = [{**item, "variation_id": big}, {**item, "variation_id": plain}]
    for n in range(5):
        store.place(line_items=items, at=MONDAY + timedelta(minutes=n))
    store.page_size = 2
    order = news(connected(store, tools))[-1]
    assert [line.weight_g for line in order.lines] == [1134, 4990]
    assert order.lines[1].volume_cm3 == 1000
    assert sum("products" in line and "settings" not in line for line in store.asked) == 2


def test_a_product_that_is_deleted_weighs_nothing(store: Store, tools: Tools) -> None:
    gone = {"id": 1, "name": "Old bread", "product_id": 99, "variation_id": 0, "quantity": 1}
    store.place(line_items=[gone, {**gone, "product_id": 0}])
    assert [line.weight_g for line in news(connected(store, tools))[0].lines] == [0, 0]


def test_a_unit_that_is_hidden_is_asked_of_the_business(store: Store, tools: Tools) -> None:
    store.hides_settings = True
    store.place()
    with pytest.raises(ConfigError) as caught:
        news(connected(store, tools))
    assert caught.value.field == "weight_unit"
    [order] = news(connected(store, tools, weight_unit="oz"))
    assert order.lines[0].weight_g == 119


def test_the_stores_zone_is_used_and_a_hidden_one_does_without(store: Store, tools: Tools) -> None:
    meta = [
        {"key": "delivery_date", "value": "2024-03-05"},
        {"key": "delivery_time", "value": "9-12"},
    ]
    store.place(meta_data=meta)
    nine = datetime(2024, 3, 4, 22, 0, tzinfo=UTC)
    assert news(connected(store, tools))[0].windows[0].opens == nine
    store.hides_index = True
    assert news(connected(store, tools))[0].windows[0].opens == nine
    helsinki = news(connected(store, tools, time_zone="Europe/Helsinki"))[0]
    assert helsinki.windows[0].opens == datetime(2024, 3, 5, 7, 0, tzinfo=UTC)


def test_one_strange_order_is_set_aside_whatever_is_wrong_with_it(
    store: Store, tools: Tools
) -> None:
    good, *bad = (store.place() for _ in range(6))
    for number, field, value in zip(
        bad,
        ("line_items", "meta_data", "shipping", "date_modified_gmt", "billing"),
        ("none", ["x", {"value": 1}], None, "0000-00-00T00:00:00", None),
        strict=True,
    ):
        store.orders[number][field] = value
    [page] = connected(store, tools).pages(None)
    assert str(good) in {order.ref for order in page.orders}
    assert {reject.ref for reject in page.rejects} == {str(bad[n]) for n in (0, 2, 3, 4)}


@pytest.mark.parametrize("mood", ["half", "hanging up", "babbling", "down"])
def test_what_is_no_answer_is_temporary(store: Store, tools: Tools, mood: str) -> None:
    store.place()
    store.be(mood)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        news(connected(store, tools))


def test_a_store_whose_plugin_is_being_updated_is_temporary(store: Store, tools: Tools) -> None:
    store.woocommerce = False
    with pytest.raises(Unavailable, match="switched off"):
        news(connected(store, tools))


def test_a_store_that_is_slow_is_waited_for(store: Store, tools: Tools) -> None:
    store.place()
    store.slow_s = 0.05
    assert len(news(connected(store, tools))) == 1


def test_a_slow_page_does_not_lose_the_pages_before(store: Store, tools: Tools) -> None:
    store.page_size = 2
    numbers = [store.place(at=MONDAY + timedelta(minutes=n)) for n in range(4)]
    shop, seen = connected(store, tools), []
    with pytest.raises(RateLimited):
        for page in shop.pages(None):
            seen.append(page)
            store.be("busy")
    store.be("well")
    seen += shop.pages(seen[-1].cursor)
    assert {order.ref for order in orders_of(seen)} == set(map(str, numbers))


@pytest.mark.soak
def test_ten_thousand_orders_come_in_a_hundred_and_some_requests(
    store: Store, tools: Tools
) -> None:
    numbers = list(many(store, 10_000, MONDAY))
    shop = connected(store, tools)
    assert len({order.ref for order in news(shop)}) == len(numbers)
    assert len(store.asked) < 110


def test_it_is_read_over_a_socket_too_signed_by_oauth(store: Store, tools: Tools) -> None:
    numbers = [store.place(), store.place()]
    with serve(store) as address:
        given = {"url": address, "consumer_key": store.key, "consumer_secret": store.secret}
        settings = WooCommerce.Settings.model_validate(given)
        shop = WooCommerce(settings, replace(tools, http=Http(["127.0.0.1"])))
        assert {order.ref for order in news(shop)} == set(map(str, numbers))


def test_wrong_keys_are_told_apart_from_an_outage(store: Store, tools: Tools) -> None:
    with pytest.raises(AuthError):
        news(connected(store, tools, consumer_secret="cs_0000000000"))
