"""What of an order at Shopify the hub is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub import Address, Contact, Line, Point, Role, TimeWindow, Tools
from hub.testing import MONDAY
from tests.connectors.shopify_worlds import connected, needs_data, orders_of, the_order
from tests.fakes.shopify import FakeShopify

pytestmark = needs_data


def attributes(**given: str) -> list[dict[str, str]]:
    return [{"key": key.replace("_", "-"), "value": value} for key, value in given.items()]


def test_an_order_comes_with_all_that_a_driver_needs(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(note="Ring twice", tags=["vip"], customAttributes=attributes(Gift="yes"))
    order = the_order(connected(shop, tools))
    [unit] = shop.state.units
    assert order.ref == unit.rpartition("/")[2]
    assert order.number == "#1001"
    assert order.updated_at == MONDAY
    assert order.status == "open"
    assert order.address == Address(
        ("Hämeentie 5", "B 12"), city="Helsinki", postcode="00530", country="FI"
    )
    assert order.contacts == (
        Contact(Role.RECIPIENT, "Ana Ito", "+358401234567", "ana@example.com", language="en"),
        Contact(Role.BUYER, "Ana Buyer", "", "ana@example.com", language="en"),
    )
    assert order.lines == (Line("Sourdough", 2, sku="SOU", weight_g=800),)
    assert order.instructions == "Ring twice"
    assert order.tags == ("vip",)
    assert order.custom == {"Gift": "yes", "depot": "Bakery", "delivery_method": "local"}
    assert (order.payment_due, order.windows, order.due_on, order.point) == ("", (), None, None)


@pytest.mark.parametrize(
    ("weight", "grams"),
    [
        ({"value": 1.5, "unit": "KILOGRAMS"}, 1500),
        ({"value": 250.0, "unit": "GRAMS"}, 250),
        ({"value": 2.0, "unit": "POUNDS"}, 907),
        ({"value": 8.0, "unit": "OUNCES"}, 227),
        (None, 0),
    ],
)
def test_weights_are_in_grams(shop: FakeShopify, tools: Tools, weight: Any, grams: int) -> None:
    shop.state.place(lines=[("Flour", 1, {"weight": weight})])
    assert the_order(connected(shop, tools)).lines[0].weight_g == grams


def test_a_line_names_its_variant_unless_there_is_only_one(shop: FakeShopify, tools: Tools) -> None:
    lines = [
        ("Cake", 1, {"variantTitle": "Large"}),
        ("Bun", 1, {"variantTitle": "Default Title"}),
    ]
    shop.state.place(lines=lines)
    assert [line.title for line in the_order(connected(shop, tools)).lines] == [
        "Cake - Large",
        "Bun",
    ]


def test_only_what_is_left_and_can_be_carried_is_on_the_order(
    shop: FakeShopify, tools: Tools
) -> None:
    lines = [
        ("Bread", 3, {"remainingQuantity": 2}),
        ("Refunded", 1, {"remainingQuantity": 0}),
        ("Gift card", 1, {"requiresShipping": False}),
    ]
    shop.state.place(lines=lines)
    assert the_order(connected(shop, tools)).lines == (Line("Bread", 2, sku="BRE", weight_g=800),)


@pytest.mark.parametrize("method", ["PICK_UP", "PICKUP_POINT", "RETAIL", "NONE"])
def test_what_needs_no_driver_is_not_taken(shop: FakeShopify, tools: Tools, method: str) -> None:
    shop.state.place(method=method, shippingAddress=None)
    assert [o.status for o in orders_of(connected(shop, tools).pages(None))] == ["cancelled"]


def test_digital_goods_are_not_taken(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(lines=[("Recipe", 1, {"requiresShipping": False})], shippingAddress=None)
    assert [o.status for o in orders_of(connected(shop, tools).pages(None))] == ["cancelled"]


@pytest.mark.parametrize(
    ("methods", "taken"), [("both", ["L", "S"]), ("local", ["L"]), ("shipping", ["S"])]
)
def test_the_business_chooses_local_delivery_or_shipping(
    shop: FakeShopify, tools: Tools, methods: str, taken: list[str]
) -> None:
    shop.state.place(method="LOCAL", tags=["L"])
    shop.state.place(method="SHIPPING", tags=["S"])
    found = orders_of(connected(shop, tools, methods=methods).pages(None))
    assert [order.tags[0] for order in found if order.status == "open"] == taken


def test_an_order_without_a_delivery_method_is_shipped(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(deliveryMethod=None)
    order = the_order(connected(shop, tools, methods="both"))
    assert (order.status, order.custom["delivery_method"]) == ("open", "shipping")


def test_a_pick_up_that_only_an_attribute_tells_is_not_taken(
    shop: FakeShopify, tools: Tools
) -> None:
    shop.state.place(method="SHIPPING", customAttributes=attributes(Checkout_Method="pickup"))
    assert the_order(connected(shop, tools)).status == "cancelled"


def test_the_business_chooses_a_location(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(location="1")
    shop.state.place(location="2")
    source = connected(shop, tools, location="2")
    found = [o for o in orders_of(source.pages(None)) if o.status == "open"]
    assert [order.custom["depot"] for order in found] == ["Shop in town"]


def test_the_business_chooses_a_tag_however_it_is_written(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(tags=["Van"])
    shop.state.place(tags=["Post"])
    found = orders_of(connected(shop, tools, only_tag="van").pages(None))
    assert [order.tags for order in found if order.status == "open"] == [("Van",)]


def test_a_test_order_says_so(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(test=True)
    assert the_order(connected(shop, tools)).tags == ("test",)


def test_each_fulfilment_order_is_a_delivery_of_its_own(shop: FakeShopify, tools: Tools) -> None:
    order = shop.state.place()
    shop.state.unit(order["id"], location="2", lines=[("Cake", 1)])
    first, second = orders_of(connected(shop, tools).pages(None))
    assert (first.number, second.number) == ("#1001", "#1001-2")
    assert first.ref != second.ref
    assert [line.title for line in second.lines] == ["Cake"]


def test_only_one_delivery_of_an_order_asks_for_the_money(shop: FakeShopify, tools: Tools) -> None:
    owed = {"shopMoney": {"amount": "12.5", "currencyCode": "EUR"}}
    given: dict[str, Any] = {"displayFinancialStatus": "PENDING", "totalOutstandingSet": owed}
    order = shop.state.place(**given, method="PICK_UP")
    shop.state.unit(order["id"], method="LOCAL")
    shop.state.unit(order["id"], method="SHIPPING")
    found = orders_of(connected(shop, tools).pages(None))
    assert [o.payment_due for o in found if o.status == "open"] == ["12.5 EUR", ""]


@pytest.mark.parametrize(
    ("status", "collects", "due"),
    [
        ("PENDING", True, "12.5 EUR"),
        ("PARTIALLY_PAID", True, "12.5 EUR"),
        ("AUTHORIZED", True, ""),
        ("PAID", True, ""),
        ("PENDING", False, ""),
    ],
)
def test_the_driver_collects_what_nobody_has_promised_yet(
    shop: FakeShopify, tools: Tools, status: str, collects: bool, due: str
) -> None:
    owed = {"shopMoney": {"amount": "12.5", "currencyCode": "EUR"}}
    shop.state.place(displayFinancialStatus=status, totalOutstandingSet=owed)
    source = connected(shop, tools, collect_outstanding=collects)
    assert the_order(source).payment_due == due


def test_the_buyers_words_for_the_driver_come_first(shop: FakeShopify, tools: Tools) -> None:
    order = shop.state.place(note="For Mum")
    [unit] = shop.state.units_of(order["id"])
    said = unit["deliveryMethod"]["additionalInformation"]
    said |= {"instructions": "Code 4411", "phone": "+358409999999"}
    found = the_order(connected(shop, tools))
    assert found.instructions == "Code 4411\nFor Mum"
    assert found.recipient.phone == "+358409999999"


def test_a_chosen_day_and_time_is_a_window_by_the_shops_clocks(
    shop: FakeShopify, tools: Tools
) -> None:
    chosen = attributes(Delivery_Date="2024-03-06", Delivery_Time="13:00 - 14:00")
    shop.state.place(customAttributes=chosen)
    order = the_order(connected(shop, tools))
    assert order.windows == (
        TimeWindow(datetime(2024, 3, 6, 11, tzinfo=UTC), datetime(2024, 3, 6, 12, tzinfo=UTC)),
    )
    assert order.due_on is None
    assert "Delivery-Date" not in order.custom


def test_a_chosen_day_alone_is_the_day(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(customAttributes=attributes(Delivery_Date="06/03/2024"))
    order = the_order(connected(shop, tools))
    assert (order.due_on, order.windows) == (date(2024, 3, 6), ())


def test_a_day_may_stand_at_a_line_under_a_name_of_the_business(
    shop: FakeShopify, tools: Tools
) -> None:
    picked = {"attributes": [{"key": "Liefertag", "value": "6.3.2024"}]}
    shop.state.place(lines=[("Bread", 1, picked)])
    assert the_order(connected(shop, tools, date_keys="Tag, liefertag")).due_on == date(2024, 3, 6)


def test_hidden_attributes_are_not_shown(shop: FakeShopify, tools: Tools) -> None:
    shop.state.place(customAttributes=[{"key": "_zapietId", "value": "M=D"}])
    assert "_zapietId" not in the_order(connected(shop, tools)).custom


def test_without_a_chosen_day_what_checkout_promised_counts(
    shop: FakeShopify, tools: Tools
) -> None:
    order = shop.state.place()
    method = shop.state.units_of(order["id"])[0]["deliveryMethod"]
    method |= {"minDeliveryDateTime": "2024-03-06T10:00:00Z"}
    method |= {"maxDeliveryDateTime": "2024-03-06T12:00:00Z"}
    [window] = the_order(connected(shop, tools)).windows
    assert (window.opens.hour, window.closes.hour) == (10, 12)


def test_a_promise_of_the_latest_moment_only_is_a_day(shop: FakeShopify, tools: Tools) -> None:
    order = shop.state.place()
    method = shop.state.units_of(order["id"])[0]["deliveryMethod"]
    method["maxDeliveryDateTime"] = "2024-03-06T23:00:00Z"  # 1 in the morning in Helsinki
    assert the_order(connected(shop, tools)).due_on == date(2024, 3, 7)


def test_when_nobody_promised_the_shops_own_deadline_counts(
    shop: FakeShopify, tools: Tools
) -> None:
    shop.state.place(fulfillBy="2024-03-08T10:00:00Z")
    assert the_order(connected(shop, tools)).due_on == date(2024, 3, 8)


def test_the_fulfilment_orders_own_address_counts(shop: FakeShopify, tools: Tools) -> None:
    order = shop.state.place()
    shop.state.units_of(order["id"])[0]["destination"]["address1"] = "Kalevankatu 1"
    source = connected(shop, tools, shops_points=True)
    assert the_order(source).address.lines == ("Kalevankatu 1", "B 12")
    assert the_order(source).point is None  # Shopify's point is for the other address


def test_shopifys_point_is_taken_only_if_the_business_trusts_it(
    shop: FakeShopify, tools: Tools
) -> None:
    shop.state.place()
    assert the_order(connected(shop, tools)).point is None
    assert the_order(connected(shop, tools, shops_points=True)).point == Point(60.18, 24.95)


def test_an_unknown_country_is_none(shop: FakeShopify, tools: Tools) -> None:
    order = shop.state.place()
    shop.state.units_of(order["id"])[0]["destination"]["countryCode"] = "ZZ"
    assert the_order(connected(shop, tools)).address.country == ""
