"""What people do in each vendor's fake: an order is placed, an invoice written, a webhook calls."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from hub.demo.wire import Wire
from hub.flows.api_keys import Scope, make_key
from tests.fakes.shipstation import FakeShipStation
from tests.fakes.shopify import FakeShopify
from tests.fakes.woocommerce import Store
from tests.fakes.xero import FakeXero, midnight
from tests.store_worlds import CITY, HUB, POSTCODE, STREET, Bakery, Town

STORE = "shop.husk.example"
SHIPSTATION = ("api.shipstation.com", "ssapi.shipstation.com", "api.shipengine.com")
XERO = ("login.xero.com", "identity.xero.com", "api.xero.com")


def placed(shop: FakeShopify) -> str:
    """A new order's number."""
    home = {"name": "Aino Laine", "address1": STREET, "zip": POSTCODE, "city": CITY}
    nothing = dict.fromkeys(
        ("company", "address2", "provinceCode", "phone", "latitude", "longitude")
    )
    order = shop.state.place(shippingAddress={**nothing, **home, "countryCodeV2": "FI"})
    return str(order["name"])


def rings(bakery: Bakery, shop: FakeShopify, topic: str) -> None:
    [uri] = {hook["uri"] for hook in shop.state.hooks.values()}
    headers, body = shop.call(topic)
    assert bakery.internet.post(uri, body, headers).status_code == 200


def a_store(town: Town) -> Store:
    return Store(now=town.clock(), behind_https=True, post=town.internet.post)


def bought(store: Store, town: Town) -> str:
    home = {
        "first_name": "Aino", "last_name": "Laine", "address_1": STREET, "address_2": "",
        "city": CITY, "postcode": POSTCODE, "country": "FI", "phone": "",
    }  # fmt: skip
    return str(store.place(at=town.clock(), shipping=home, billing=home))


def calls(bakery: Bakery, store: Store) -> None:
    for call in store.calls():
        answer = bakery.internet.post(call.url, call.body, call.headers)
        assert answer.status_code == 200
        store.got(call, answer.status_code)


def an_account(town: Town) -> FakeShipStation:
    account = FakeShipStation()
    account.clock = town.clock
    return account


def imported(account: FakeShipStation, number: str) -> Any:
    home = {
        "name": "Aino Laine", "phone": "+358401234567", "email": "aino@example.com", "address_line1": STREET,
        "city_locality": CITY, "state_province": "Uusimaa", "postal_code": POSTCODE,
        "country_code": "FI", "address_residential_indicator": "yes",
    }  # fmt: skip
    old = {
        "street1": STREET,
        "city": CITY,
        "state": "Uusimaa",
        "postalCode": POSTCODE,
        "country": "FI",
    }
    row = account.place(number, account.clock(), name="Aino Laine", only_v2={"ship_to": home})
    row.only_v1 = {"shipTo": {**row.v1({})["shipTo"], **old}}
    return row


def the_books(town: Town) -> FakeXero:
    books = FakeXero(now=town.clock)
    books.redirect = f"https://{HUB}/panel/connections/back"
    return books


def invoiced(books: FakeXero, ref: str, **fields: Any) -> None:
    home = [
        {
            "AddressType": "STREET", "AddressLine1": STREET, "City": CITY, "PostalCode": POSTCODE,
            "Country": "Finland",
        }
    ]  # fmt: skip
    contact = books.contact(f"of {ref}", "Aino Laine", Addresses=home)
    today = midnight(books.now())
    books.put(ref, books.now(), Contact=contact, DueDate=today, **fields)


def sold_elsewhere(bakery: Bakery, number: str) -> None:
    """An order that comes by the API."""
    _, key = make_key(bakery.hub, bakery.business_id, "Shop", tuple(Scope))
    wire = Wire(bakery.desk.wire.port, Authorization=f"Bearer {key}")
    order = {
        "ref": number,
        "number": number,
        "address": {"lines": [STREET], "postcode": POSTCODE, "city": CITY, "country": "FI"},
        "contacts": [{"role": "recipient", "name": "Aino Laine"}],
    }
    answer = wire.send("POST", "/api/v1/orders", [order], **{"Idempotency-Key": number})
    assert answer.ok, answer.text


def leaves(bakery: Bakery) -> None:
    bakery.connection_page()
    bakery.presses("Disconnect")
    bakery.sees("is disconnected; its orders stay.")
    assert bakery.secrets() == []


def can_be_followed(bakery: Bakery, url: str) -> None:
    bakery.page.goto(url)
    expect(bakery.page.locator("body")).to_contain_text("Delivered")
