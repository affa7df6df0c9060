"""Orders of a real store as the hub takes them. No network: recorded answers in, values out."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.woocommerce.mapping import Goods, Terms, asks_for_a_time, to_order
from connectors.woocommerce.settings import DATE_KEYS, TIME_KEYS, words
from hub import Address, Contact, Line, Role
from tests.connectors.woocommerce_worlds import needs_data
from tests.fakes.woocommerce_schemas import recorded, sample

pytestmark = needs_data
SYDNEY = ZoneInfo("Australia/Sydney")
TERMS = Terms(
    taken=frozenset(["processing"]),
    date_keys=words(DATE_KEYS),
    time_keys=words(TIME_KEYS),
    zone=SYDNEY,
)


def an_order(**fields: Any) -> dict[str, Any]:
    return {**deepcopy(sample("sample-order-wc10.9.1.json")), **fields}


def with_meta(**said: Any) -> dict[str, Any]:
    return an_order(meta_data=[{"id": 1, "key": k, "value": v} for k, v in said.items()])


def the_recorded(name: str) -> dict[str, Any]:
    return deepcopy(recorded()[name]["response"]["json"])


def test_an_order_is_read_whole() -> None:
    order = to_order(
        an_order(), Terms(**{**_as_dict(TERMS), "goods": {(10, 0): Goods(4200, 24000)}})
    )
    assert (order.ref, order.number, order.status) == ("11", "11", "open")
    assert order.updated_at == datetime(2026, 11, 22, 11, 25, 53, tzinfo=UTC)
    assert order.address == Address(("1 High St", "Flat 2"), "Leeds", "", "LS1 1AA", "GB")
    assert order.lines == (Line("Crate of oranges", 2, "ORG-1", "", 4200, 24000),)
    assert order.due_on == date(2026, 11, 24)
    assert order.instructions == "Leave with porter"
    assert order.tags == ("Local delivery",)
    assert order.payment_due == ""


def row_name() -> str:
    person = an_order()["shipping"]
    return f"{person['first_name']} {person['last_name']}"


def _as_dict(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in Terms.__slots__}


def test_e_mail_is_the_buyers_and_the_telephone_the_recipients() -> None:
    recipient, buyer = to_order(an_order(), TERMS).contacts
    assert recipient == Contact(Role.RECIPIENT, row_name(), "+447700900002", "ana@example.test")
    assert buyer == Contact(Role.BUYER, "Ana N0", "+447700900001", "ana@example.test")


def test_without_a_shipping_address_it_goes_where_the_bill_goes() -> None:
    order = to_order(the_recorded("order no shipping address"), TERMS)
    assert order.address.one_line() == "1 Only Bill, BA1 Bath"
    assert order.contacts == (Contact(Role.RECIPIENT, "Bo", "", "b@example.test"),)


def test_a_country_alone_is_no_shipping_address() -> None:
    nowhere = dict.fromkeys(an_order()["shipping"], "") | {"country": "GB"}
    assert to_order(an_order(shipping=nowhere), TERMS).address.lines == ("1 High St",)


def test_a_company_is_kept_beside_the_name() -> None:
    row = an_order()
    row["shipping"]["company"] = "Acme"
    recipient = to_order(row, TERMS).recipient
    assert (recipient.company, recipient.name) == ("Acme", row_name())


def test_a_number_may_differ_from_the_id() -> None:
    order = to_order(an_order(number="W-2026-7"), TERMS)
    assert (order.ref, order.number) == ("11", "W-2026-7")


def test_what_was_chosen_for_a_line_is_in_its_title_unescaped() -> None:
    row = the_recorded("order create mixed")
    titles = [line.title for line in to_order(row, TERMS).lines]
    assert titles == ["Oil - 5L (Engraving: A&D)", "Gift card"]


def test_virtual_goods_stay_at_home() -> None:
    row = the_recorded("order create mixed") | {"shipping_lines": []}
    goods = {(17, 18): Goods(5200), (19, 0): Goods(virtual=True)}
    order = to_order(row, Terms(**{**_as_dict(TERMS), "goods": goods}))
    assert [(line.title[:3], line.weight_g) for line in order.lines] == [("Oil", 5200)]
    assert order.load_g == 3 * 5200


def test_an_order_of_virtual_goods_alone_is_no_work() -> None:
    terms = Terms(**{**_as_dict(TERMS), "goods": {(10, 0): Goods(virtual=True)}})
    assert to_order(an_order(), terms).status == "cancelled"


@pytest.mark.parametrize("method", ["local_pickup", "pickup_location"])
def test_what_customers_fetch_themselves_is_no_work(method: str) -> None:
    row = an_order(shipping_lines=[{"method_id": method, "method_title": "Fetch"}])
    assert to_order(row, TERMS).status == "cancelled"


def test_an_order_of_a_fee_alone_is_work() -> None:
    assert to_order(an_order(line_items=[]), TERMS).status == "open"


def test_a_title_kept_as_html_is_shown_as_it_was_meant() -> None:
    row = an_order(customer_note=None)
    row["line_items"][0]["name"] = "Bread &amp; Butter"
    assert to_order(row, TERMS).lines[0].title == "Bread & Butter"


def test_half_a_pizza_takes_the_place_of_one() -> None:
    row = an_order()
    row["line_items"][0]["quantity"] = 0.5
    assert to_order(row, TERMS).lines[0].quantity == 1


def test_cash_on_delivery_is_due_at_the_door_less_what_was_given_back() -> None:
    cod = {"payment_method": "cod", "date_paid_gmt": None, "payment_method_title": "Cash"}
    order = to_order(an_order(**cod, refunds=[{"id": 1, "total": "-5.00"}]), TERMS)
    assert order.payment_due == "25.00 USD"
    assert order.custom == {"payment_method": "Cash"}


@pytest.mark.parametrize(
    "paid",
    [
        {"payment_method": "cod", "date_paid_gmt": "2026-11-22T11:25:53"},
        {"payment_method": "bacs", "date_paid_gmt": None},
        {"payment_method": "cod", "date_paid_gmt": None, "total": "0.00"},
    ],
)
def test_nothing_is_due_that_is_paid_or_paid_otherwise(paid: dict[str, Any]) -> None:
    assert to_order(an_order(**paid), TERMS).payment_due == ""


@pytest.mark.parametrize(
    "status", ["cancelled", "refunded", "failed", "trash", "on-hold", "pending", "completed"]
)
def test_an_order_that_left_the_chosen_statuses_is_withdrawn(status: str) -> None:
    assert to_order(an_order(status=status), TERMS).status == "cancelled"


def test_an_order_is_withdrawn_also_when_its_address_is_gone() -> None:
    nowhere = dict.fromkeys(an_order()["shipping"], "")
    row = an_order(status="cancelled", shipping=nowhere, billing={**nowhere, "email": ""})
    assert to_order(row, TERMS).status == "cancelled"


def test_an_order_without_an_address_says_so() -> None:
    nowhere = dict.fromkeys(an_order()["shipping"], "")
    with pytest.raises(ValueError, match="address is empty"):
        to_order(an_order(shipping=nowhere, billing={**nowhere, "email": ""}), TERMS)


def test_fields_that_were_asked_for_are_shown() -> None:
    terms = Terms(**{**_as_dict(TERMS), "extra_keys": ("gate_code", "nothing")})
    assert to_order(with_meta(gate_code=4711, other="x"), terms).custom == {"gate_code": "4711"}


def test_a_day_and_a_time_become_a_window_in_the_stores_zone() -> None:
    row = with_meta(delivery_date="24 November, 2026", delivery_time="9:00 AM - 1:00 PM")
    [open_] = to_order(row, TERMS).windows
    assert open_.opens == datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # Sydney is 11 h ahead
    assert open_.closes == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def test_a_store_that_hides_its_zone_shows_it_by_its_orders() -> None:
    row = with_meta(_delivery_date="2026-11-24", delivery_time="09:00-10:00")
    row |= {"date_created": "2026-11-22T22:25:53"}
    [open_] = to_order(row, Terms(**{**_as_dict(TERMS), "zone": None})).windows
    assert open_.opens == datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


def test_the_text_counts_before_the_number_that_a_plugin_wrote_beside_it() -> None:
    assert to_order(the_recorded("order create mixed"), TERMS).due_on == date(2026, 11, 24)


def test_a_time_nobody_can_read_is_left_to_people() -> None:
    order = to_order(with_meta(delivery_date="2026-11-24", delivery_time="Morning"), TERMS)
    assert order.due_on == date(2026, 11, 24)
    assert order.instructions == "Leave with porter\nWanted: Morning"
    order = to_order(with_meta(delivery_date="when ripe"), TERMS)
    assert order.due_on is None
    assert order.instructions.endswith("Wanted: when ripe")


def test_a_time_within_the_days_own_text_is_read_too() -> None:
    order = to_order(with_meta(delivery_date="24/11/2026 14:00 - 16:00"), TERMS)
    assert order.windows[0].opens == datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def test_the_zone_is_asked_for_only_by_orders_with_a_day() -> None:
    assert asks_for_a_time(an_order(), TERMS)
    assert not asks_for_a_time(an_order(meta_data=[]), TERMS)
