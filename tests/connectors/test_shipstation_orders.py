"""What becomes of a shipment or order of ShipStation's in the hub."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.shipstation import mapping_v1, mapping_v2
from connectors.shipstation.source import ShipStation
from hub import IncomingOrder, Role, Tools
from hub.testing import MONDAY, lent
from tests.connectors.shipstation_worlds import a_shop, in_front_of, later
from tests.fakes import shipstation_spec as spec
from tests.fakes.shipstation import FakeShipStation
from tests.fakes.shipstation_rows import Item

WAYS = pytest.mark.parametrize("way", ["v2", "v1"])
V2_RULES: dict[str, Any] = {"due": "deliver_by", "tag": "", "own": {"Delivered"}, "now": MONDAY}
V1_RULES: dict[str, Any] = {**V2_RULES, "names": {1: "Delivered", 2: "Van"}, "currency": ""}


@pytest.fixture
def shop() -> FakeShipStation:
    spec.data()
    return a_shop(page_size=50)


@pytest.fixture
def tools(tmp_path: Any) -> Tools:
    return lent(tmp_path, now=MONDAY)


def captured() -> dict[str, Any]:
    [shipment] = json.loads((spec.data() / "shipments-response.json").read_text())["shipments"]
    return shipment


def documented() -> list[dict[str, Any]]:
    file = json.loads((spec.data() / "v1-openapi.json").read_text())
    reply = file["paths"]["/orders"]["get"]["responses"]["200"]["content"]["application/json"]
    return reply["examples"]["response"]["value"]["orders"]


def all_of(source: ShipStation, cursor: str | None = None) -> list[IncomingOrder]:
    return [order for page in source.pages(cursor) for order in page.orders]


def last_cursor(source: ShipStation, cursor: str | None = None) -> str:
    return [page.cursor for page in source.pages(cursor)][-1]


# -- the vendor's own samples


def test_a_captured_v2_shipment_is_read_whole() -> None:
    order = mapping_v2.to_order(captured(), **V2_RULES)
    assert (order.ref, order.number, order.status) == ("se-394477001", "LW-TEST1", "open")
    assert order.updated_at == datetime(2026, 8, 12, 19, 46, 30, 433000, UTC)
    assert order.due_on == date(2026, 8, 31)
    assert order.address.lines == ("REDACTED",)
    assert (order.address.city, order.address.region) == ("LOS ANGELES", "CA")
    assert (order.address.postcode, order.address.country) == ("00000-0000", "US")
    assert order.recipient.name == "The President"
    assert order.recipient.email == "headhoncho@whitehouse.gov"
    assert order.recipient.phone == "555-555-5555"  # no country code was given: none is made up
    shipper = order.contact(Role.SHIPPER)
    assert shipper is not None
    assert shipper.company == "SHIP FROM COMPANY"
    [line] = order.lines
    assert line.title == "Blue Silk Tuxedo (Size: Large)"
    assert (line.quantity, line.sku, line.weight_g) == (1, "TEST-BST", 57)
    assert order.parcels == 1
    assert order.instructions == "Please ship as soon as possible!"
    assert order.custom["gift_message"] == "Thank you!"
    assert order.custom["amount_paid"] == "218.73 USD"
    assert order.payment_due == ""


def test_a_documented_v1_order_is_read_whole() -> None:
    order = mapping_v1.to_order(documented()[1], **V1_RULES)
    assert (order.ref, order.number) == ("se-123456789", "TEST-ORDER-API-DOCS")
    assert order.updated_at == datetime(2015, 8, 17, 16, 21, 59, 443000, UTC)  # 9:21 PDT
    assert order.due_on == date(2015, 7, 5)
    assert order.recipient.name == "The President"
    assert order.recipient.company == "US Govt"
    assert order.instructions == "Please ship as soon as possible!"
    assert [(line.title, line.quantity) for line in order.lines] == [
        ("Test item #1 (Size: Large)", 2)
    ]
    assert order.custom["custom_field1"].startswith("Custom data")
    assert order.custom["internal_notes"] == "Customer called and would like to upgrade shipping"
    assert order.custom["requested_service"] == "Priority Mail"


def test_every_documented_v1_order_can_be_read() -> None:
    assert all(mapping_v1.to_order(order, **V1_RULES).ref for order in documented())


# -- goods, days, money


@pytest.mark.parametrize(
    ("value", "unit", "grams"),
    [(1, "pound", 454), (16, "ounces", 454), (250, "Grams", 250), (1.2, "kilogram", 1200)],
)
def test_weights_of_any_unit_are_grams(value: float, unit: str, grams: int) -> None:
    assert mapping_v2.grams({"value": value, "unit": unit}, "unit") == grams


@WAYS
def test_a_discount_is_no_goods(shop: FakeShipStation, tools: Tools, way: str) -> None:
    items = [Item("Rye", 1, "R", 10), Item("10% OFF", 1, "DISC", adjustment=True, price=-2)]
    shop.place("1", MONDAY, items=items)
    [order] = all_of(in_front_of(shop, tools, way))
    assert [line.title for line in order.lines] == ["Rye"]


def test_goods_without_weights_share_the_orders(shop: FakeShipStation, tools: Tools) -> None:
    shop.place(
        "1",
        MONDAY,
        items=[Item("Rye", 3), Item("Bun", 1)],
        only_v2={"total_weight": {"value": 4, "unit": "kilogram"}},
    )
    [order] = all_of(in_front_of(shop, tools))
    assert order.load_g == 4000


def test_an_order_without_goods_is_one_parcel(shop: FakeShipStation, tools: Tools) -> None:
    weight = {"total_weight": {"value": 4, "unit": "kilogram"}}
    shop.place("1", MONDAY, items=[], only_v2=weight)
    [order] = all_of(in_front_of(shop, tools))
    assert [(line.title, line.weight_g) for line in order.lines] == [("Parcel", 4000)]


@pytest.mark.parametrize(
    ("due", "expected"),
    [("deliver_by", date(2024, 3, 9)), ("ship_by", date(2024, 3, 7)), ("none", None)],
)
def test_the_day_is_the_one_the_business_chose(
    shop: FakeShipStation, tools: Tools, due: str, expected: date | None
) -> None:
    shop.place("1", MONDAY, deliver_by=date(2024, 3, 9), ship_by=date(2024, 3, 7))
    [order] = all_of(in_front_of(shop, tools, due=due))
    assert order.due_on == expected


@WAYS
def test_without_a_deliver_by_date_the_ship_by_date_counts(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    shop.place("1", MONDAY, ship_by=date(2024, 3, 7))
    [order] = all_of(in_front_of(shop, tools, way))
    assert order.due_on == date(2024, 3, 7)


@pytest.mark.parametrize(
    "written", ["2026-09-03T00:00:00Z", "2026-09-03T07:00:00Z", "2026-09-03T00:00:00.0000000"]
)
def test_a_day_is_the_same_however_it_is_written(written: str) -> None:
    assert mapping_v2.day(written) == date(2026, 9, 3)


def test_cash_on_delivery_is_collected(shop: FakeShipStation, tools: Tools) -> None:
    cod = {"payment_type": "any", "payment_amount": {"currency": "usd", "amount": 12.5}}
    options = {"contains_alcohol": False, "collect_on_delivery": cod}
    shop.place("1", MONDAY, only_v2={"advanced_options": options})
    [order] = all_of(in_front_of(shop, tools))
    assert order.payment_due == "12.50 USD"


@pytest.mark.parametrize(("currency", "due"), [("USD", "7.50 USD"), ("", "")])
def test_v1_collects_what_is_unpaid_only_where_a_currency_is_set(
    shop: FakeShipStation, tools: Tools, currency: str, due: str
) -> None:
    shop.place("1", MONDAY, total=10.0, paid=2.5)
    [order] = all_of(in_front_of(shop, tools, "v1", currency=currency))
    assert order.payment_due == due


def test_another_payer_is_the_buyer() -> None:
    raw = documented()[0] | {"billTo": {"name": "Dr Watson", "phone": "1"}}
    order = mapping_v1.to_order(raw, **V1_RULES)
    buyer = order.contact(Role.BUYER)
    assert buyer is not None
    assert (buyer.name, order.recipient.name) == ("Dr Watson", "Sherlock Holmes")


# -- which orders


@WAYS
@pytest.mark.parametrize("status", ["shipped", "cancelled", "on_hold"])
def test_what_left_otherwise_is_withdrawn(
    shop: FakeShipStation, tools: Tools, way: str, status: str
) -> None:
    row = shop.place("1", MONDAY)
    source = in_front_of(shop, tools, way)
    cursor = last_cursor(source)
    shop.change(row, MONDAY + timedelta(minutes=5), status=status, hold_until=date(2024, 3, 9))
    assert [order.status for order in all_of(source, cursor)] == ["cancelled"]


@WAYS
def test_an_order_on_hold_comes_on_its_day_though_nothing_was_changed(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    row = shop.place("1", MONDAY, status="on_hold", hold_until=date(2024, 3, 6))
    shop.place("2", MONDAY + timedelta(hours=1))
    source = in_front_of(shop, tools, way)
    cursor = last_cursor(source)
    next_day = in_front_of(shop, later(tools, MONDAY + timedelta(days=1)), way)
    cursor = last_cursor(next_day, cursor)
    shop.release(row, date(2024, 3, 6))
    released = in_front_of(shop, later(tools, MONDAY + timedelta(days=2, hours=3)), way)
    pages = list(released.pages(cursor))
    assert ("1", "open") in {(o.number, o.status) for page in pages for o in page.orders}
    assert "held" not in pages[-1].cursor


def test_a_hold_that_did_not_end_on_its_day_is_asked_about_again(
    shop: FakeShipStation, tools: Tools
) -> None:
    row = shop.place("1", MONDAY, status="on_hold", hold_until=date(2024, 3, 5))
    cursor = last_cursor(in_front_of(shop, tools, "v1"))
    tomorrow = in_front_of(shop, later(tools, MONDAY + timedelta(days=1, hours=4)), "v1")
    pages = list(tomorrow.pages(cursor))
    assert {order.status for page in pages for order in page.orders} == {"cancelled"}
    row.status = "awaiting_shipment"
    again = [order.status for order in all_of(tomorrow, pages[-1].cursor)]
    assert "open" in again


def test_an_order_on_hold_that_was_deleted_is_forgotten(
    shop: FakeShipStation, tools: Tools
) -> None:
    row = shop.place("1", MONDAY, status="on_hold", hold_until=date(2024, 3, 5))
    shop.place("2", MONDAY)
    cursor = last_cursor(in_front_of(shop, tools))
    del shop.rows[row.id]
    tomorrow = in_front_of(shop, later(tools, MONDAY + timedelta(days=1, hours=4)))
    assert "held" not in last_cursor(tomorrow, cursor)


@WAYS
def test_only_the_chosen_stores_orders_come(shop: FakeShipStation, tools: Tools, way: str) -> None:
    shop.place("1", MONDAY, store=11)
    shop.place("2", MONDAY, store=22)
    source = in_front_of(shop, tools, way, store="se-22")
    assert [order.number for order in all_of(source)] == ["2"]


@WAYS
def test_an_order_that_loses_the_tag_is_withdrawn(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    row = shop.place("1", MONDAY, tags=["Van", "Fragile"])
    shop.place("2", MONDAY)
    source = in_front_of(shop, tools, way, tag="Van")
    [order] = [order for order in all_of(source) if order.status == "open"]
    assert (order.number, order.tags) == ("1", ("Van", "Fragile"))
    cursor = last_cursor(source)
    shop.change(row, MONDAY + timedelta(minutes=5), tags=["Fragile"])
    assert [order.status for order in all_of(source, cursor) if order.number == "1"] == [
        "cancelled"
    ]


@WAYS
def test_the_withdrawn_need_no_address(shop: FakeShipStation, tools: Tools, way: str) -> None:
    row = shop.place("1", MONDAY)
    source = in_front_of(shop, tools, way)
    cursor = last_cursor(source)
    shop.change(row, MONDAY + timedelta(minutes=5), status="cancelled", street=" ")
    [page] = source.pages(cursor)
    assert ([order.status for order in page.orders], page.rejects) == (["cancelled"], ())


def test_a_return_is_no_delivery(shop: FakeShipStation, tools: Tools) -> None:
    shop.place("1", MONDAY, only_v2={"is_return": True})
    assert [order.status for order in all_of(in_front_of(shop, tools))] == ["cancelled"]


def test_a_status_nobody_told_us_of_is_set_aside() -> None:
    with pytest.raises(ValueError, match="'teleported' is new"):
        mapping_v2.to_order(captured() | {"shipment_status": "teleported"}, **V2_RULES)
    with pytest.raises(ValueError, match="'teleported' is new"):
        mapping_v1.to_order(documented()[0] | {"orderStatus": "teleported"}, **V1_RULES)


# -- one id for ever


@WAYS
def test_an_edited_order_keeps_its_ref(shop: FakeShipStation, tools: Tools, way: str) -> None:
    row = shop.place("1", MONDAY)
    source = in_front_of(shop, tools, way)
    [before] = all_of(source)
    shop.change(row, MONDAY + timedelta(minutes=5), number="1-B", street="2 Low St", name="Ben")
    [after] = all_of(source)
    assert (before.ref, after.number) == (after.ref, "1-B")


def test_an_account_that_goes_from_v1_to_v2_keeps_orders_and_place(
    shop: FakeShipStation, tools: Tools
) -> None:
    row = shop.place("1", MONDAY)
    old = in_front_of(shop, tools, "v1")
    [before] = all_of(old)
    cursor = last_cursor(old)
    shop.change(row, MONDAY + timedelta(minutes=5), name="Ben")
    [after] = all_of(in_front_of(shop, tools, "v2"), cursor)
    assert (after.ref, after.recipient.name) == (before.ref, "Ben")


def test_an_account_may_change_to_v2_in_the_middle_of_its_first_reading(
    shop: FakeShipStation, tools: Tools
) -> None:
    shop.page_size = 2
    for n in range(6):
        shop.place(f"{n}", MONDAY + timedelta(minutes=n))
    first = next(in_front_of(shop, tools, "v1").pages(None))
    after = all_of(in_front_of(shop, tools, "v2"), first.cursor)
    assert {order.number for order in after} | {order.number for order in first.orders} == {
        *"012345"
    }


# -- a list that moves


@WAYS
def test_an_order_cancelled_during_the_first_reading_is_cancelled_afterwards(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    shop.page_size = 2
    rows = [shop.place(f"{n}", MONDAY + timedelta(minutes=n)) for n in range(6)]
    source = in_front_of(shop, tools, way)
    pages = source.pages(None)
    read = [next(pages)]
    shop.change(rows[0], MONDAY + timedelta(minutes=7), status="cancelled")
    shop.change(rows[5], MONDAY + timedelta(minutes=9))
    read += pages
    after = {order.number: order.status for order in all_of(source, read[-1].cursor)}
    assert after["0"] == "cancelled"


@WAYS
@pytest.mark.parametrize("after", range(4))
def test_orders_of_one_moment_all_come_though_one_of_them_moves_away(
    shop: FakeShipStation, tools: Tools, way: str, after: int
) -> None:
    shop.page_size = 2
    rows = [shop.place(f"{n}", MONDAY) for n in range(7)]
    seen: set[str] = set()
    for number, page in enumerate(in_front_of(shop, tools, way).pages(None)):
        seen |= {order.number for order in page.orders}
        if number == after:
            shop.change(rows[0], MONDAY + timedelta(minutes=9))
    assert seen == {row.number for row in rows}


@pytest.mark.soak
def test_ten_thousand_orders_are_read(tools: Tools) -> None:
    spec.data()
    shop = a_shop(page_size=500)
    for n in range(10_000):
        shop.place(f"{n}", MONDAY + timedelta(seconds=n))
    assert len({order.ref for order in all_of(in_front_of(shop, tools, "v1"))}) == 10_000


# -- Pacific time

FALL_BACK = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)  # 2:00 PDT becomes 1:00 PST


@pytest.mark.parametrize(
    ("written", "now", "meant"),
    [
        ("2026-07-01T12:00:00", FALL_BACK, datetime(2026, 7, 1, 19, 0, tzinfo=UTC)),
        ("2026-12-01T12:00:00", FALL_BACK, datetime(2026, 12, 1, 20, 0, tzinfo=UTC)),
        (
            "2026-11-01T01:50:00",
            FALL_BACK - timedelta(minutes=5),
            datetime(2026, 11, 1, 8, 50, tzinfo=UTC),
        ),
        (
            "2026-11-01T01:10:00",
            FALL_BACK + timedelta(minutes=12),
            datetime(2026, 11, 1, 9, 10, tzinfo=UTC),
        ),
    ],
    ids=["summer", "winter", "first 1:50", "second 1:10"],
)
def test_v1s_wall_clock_is_understood(written: str, now: datetime, meant: datetime) -> None:
    assert mapping_v1.moment(written, now) == meant


@pytest.mark.parametrize("minutes", range(-90, 100, 10))
def test_v1_is_never_asked_past_a_change_in_the_hour_shown_twice(minutes: int) -> None:
    since = FALL_BACK + timedelta(minutes=minutes)
    asked = mapping_v1.wall(since)
    for later_by in range(0, 120, 7):
        changed = (since + timedelta(minutes=later_by)).astimezone(mapping_v1.PACIFIC)
        assert changed.strftime("%Y-%m-%d %H:%M:%S") >= asked


def test_a_change_in_the_second_1_oclock_is_newer_than_one_in_the_first(
    shop: FakeShipStation, tools: Tools
) -> None:
    first, second = FALL_BACK - timedelta(minutes=10), FALL_BACK + timedelta(minutes=10)
    row = shop.place("1", first)
    source = in_front_of(shop, later(tools, first + timedelta(minutes=2)), "v1")
    [before] = all_of(source)
    cursor = last_cursor(source)
    shop.change(row, second, name="Ben")
    source = in_front_of(shop, later(tools, second + timedelta(minutes=2)), "v1")
    [after] = all_of(source, cursor)
    assert after.recipient.name == "Ben"
    assert after.updated_at > before.updated_at


def test_many_changes_in_the_hour_shown_twice_all_come(shop: FakeShipStation, tools: Tools) -> None:
    shop.page_size = 3
    for n in range(20):
        shop.place(f"{n}", FALL_BACK - timedelta(hours=1) + timedelta(minutes=6 * n))
    source = in_front_of(shop, later(tools, FALL_BACK + timedelta(hours=3)), "v1")
    assert len({order.number for order in all_of(source)}) == 20
