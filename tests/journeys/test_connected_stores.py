"""Each shop is connected by clicking, from mistyped keys to the proof at the other side."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.connectors.shopify_worlds import needs_data
from tests.fakes import shopify as shopify_fake
from tests.fakes import woocommerce as woocommerce_fake
from tests.fakes.shopify import SHOP, FakeShopify
from tests.selling_worlds import (
    SHIPSTATION,
    STORE,
    a_store,
    an_account,
    bought,
    calls,
    can_be_followed,
    imported,
    leaves,
    placed,
    rings,
)
from tests.store_worlds import HUB, Town

pytestmark = needs_data


# Shopify


def test_shopify_is_installed_delivers_and_is_left(town: Town) -> None:
    shop = FakeShopify(now=town.clock)
    bakery = town.bakery(shop, SHOP)

    # Its owner cancels at Shopify first, then comes with an answer nobody asked for.
    bakery.opens("Shopify", "Install an app")
    bakery.fills(shop="www.husk.fi", client_id=shopify_fake.KEY, client_secret=shopify_fake.SECRET)
    bakery.presses("Go to Shopify and approve")
    bakery.reads_at("shop", "Enter the shop's myshopify.com address, not its own domain.")
    expect(bakery.page.locator("#client_id")).to_have_value(shopify_fake.KEY)
    expect(bakery.page.locator("#client_secret")).to_have_value("")
    bakery.fills(shop="husk", client_secret=shopify_fake.SECRET)
    bakery.presses("Go to Shopify and approve")
    bakery.page.get_by_role("button", name="Cancel").click()
    expect(bakery.page.get_by_role("heading", name="Home")).to_be_visible()
    bakery.page.goto("/panel/connections/back?state=guessed&code=1")
    bakery.sees("This approval was not asked for here, or too long ago. Start again.")
    bakery.connection_page()
    bakery.sees("It was not approved at Shopify yet.")
    bakery.presses("Go there again")
    bakery.page.get_by_role("button", name="Install").click()
    bakery.sees("The first look begins in a moment.")

    number = placed(shop)
    bakery.works()
    assert bakery.orders() == {number: "open"}
    bakery.publishes()
    [fulfilment] = shop.state.fulfilments.values()
    assert fulfilment["info"]["url"].startswith(f"https://{HUB}/t/")
    bakery.drives()
    told = {event["status"]: event for event in fulfilment["told"]}
    assert list(told) == ["CONFIRMED", "OUT_FOR_DELIVERY", "DELIVERED"]
    assert "Received by Aino Laine. Proof: https://" in told["DELIVERED"]["message"]
    can_be_followed(bakery, fulfilment["info"]["url"])

    # The next order is called off by its customer.
    other = placed(shop)
    rings(bakery, shop, "orders/create")
    bakery.works()
    bakery.later(minutes=1)
    shop.state.cancel(list(shop.state.orders.values())[-1])
    rings(bakery, shop, "orders/cancelled")
    bakery.works()
    assert bakery.orders() == {number: "open", other: "cancelled"}
    assert bakery.ends() == {number: "succeeded", other: "cancelled"}

    leaves(bakery)
    assert shop.state.hooks == {}
    assert shop.state.uninstalled
    assert shop.wrong == []
    assert bakery.complaints == []


@pytest.mark.soak
@pytest.mark.parametrize(
    ("way", "wrong", "right", "at", "sentence"),
    [
        (
            "My own store",
            {"client_secret": "mistyped"},
            {"client_secret": shopify_fake.SECRET},
            "client_secret",
            "Shopify does not know this client id and secret. Copy both again.",
        ),
        (
            "Access token I already have",
            {"token": "shpat_mistyped"},
            {"token": shopify_fake.TOKEN},
            "token",
            "husk.myshopify.com does not accept this access token. Copy it again",
        ),
    ],
    ids=["own", "token"],
)
def test_shopify_is_connected_by_what_its_owner_has(
    town: Town, way: str, wrong: dict[str, str], right: dict[str, str], at: str, sentence: str
) -> None:
    shop = FakeShopify(now=town.clock)
    bakery = town.bakery(shop, SHOP)
    bakery.opens("Shopify", way)
    bakery.fills(shop="https://admin.shopify.com/store/husk", **wrong)
    if way == "My own store":
        bakery.fills(client_id=shopify_fake.KEY)
    bakery.presses("Check and connect")
    bakery.reads_at(at, sentence)
    expect(bakery.page.locator("#shop")).not_to_have_value("")
    expect(bakery.page.locator(f"#{at}")).to_have_value("")
    bakery.fills(**right)
    bakery.presses("Check and connect")
    bakery.sees("The first look begins in a moment.")
    number = placed(shop)
    bakery.works()
    assert bakery.orders() == {number: "open"}
    leaves(bakery)
    assert shop.state.hooks == {}
    assert bakery.complaints == []


# WooCommerce


@pytest.mark.soak
def test_woocommerce_hands_over_its_keys_delivers_and_is_left(town: Town) -> None:
    store = a_store(town)
    bakery = town.bakery(store, STORE)
    bakery.opens("WooCommerce")
    bakery.fills(url="our shop")
    bakery.presses("Go to WooCommerce and approve")
    bakery.reads_at("url", "This is no web address.")
    store.woocommerce = False
    bakery.fills(url=STORE)
    bakery.presses("Go to WooCommerce and approve")
    bakery.reads_at("url", f"{STORE} is WordPress without WooCommerce, or with a very old one.")
    store.woocommerce = True
    bakery.presses("Go to WooCommerce and approve")
    bakery.page.get_by_role("link", name="Deny").click()
    bakery.sees("It was not approved at WooCommerce yet.")
    bakery.presses("Go there again")
    bakery.page.get_by_role("link", name="Approve").click()
    bakery.sees("The first look begins in a moment.")

    number = bought(store, town)
    bakery.works()
    assert bakery.orders() == {number: "open"}
    calls(bakery, store)
    bakery.publishes()
    bakery.drives()
    order = store.orders[int(number)]
    assert order["status"] == "completed"
    said = [note["note"] for note in store.order_notes[int(number)]]
    assert any("On the way. Follow it: https://" in note for note in said)
    assert any("Delivered. Received by Aino Laine." in note for note in said)
    meta = {one["key"]: one["value"] for one in order["meta_data"]}
    can_be_followed(bakery, meta["_lmh_tracking_url"])

    other = bought(store, town)
    calls(bakery, store)
    bakery.works()
    bakery.later(minutes=1)
    store.change(int(other), at=town.clock(), status="cancelled")
    calls(bakery, store)
    bakery.works()
    assert bakery.ends() == {number: "succeeded", other: "cancelled"}

    leaves(bakery)
    assert store.webhooks == {}
    assert store.mistakes == []
    assert bakery.complaints == []


@pytest.mark.soak
def test_woocommerce_is_connected_by_pasted_keys(town: Town) -> None:
    store = a_store(town)
    bakery = town.bakery(store, STORE)
    bakery.opens("WooCommerce", "Paste keys")
    wrong = f"ck_{'0' * 40}"
    bakery.fills(
        url=f"https://{STORE}", consumer_key=wrong, consumer_secret=woocommerce_fake.SECRET
    )
    bakery.presses("Check and connect")
    bakery.reads_at("consumer_key", "does not accept these keys. Make new ones under WooCommerce")
    expect(bakery.page.locator("#url")).to_have_value(f"https://{STORE}")
    expect(bakery.page.locator("#consumer_secret")).to_have_value("")
    assert wrong not in bakery.page.content()
    bakery.fills(consumer_key=woocommerce_fake.KEY, consumer_secret=woocommerce_fake.SECRET)
    bakery.presses("Check and connect")
    bakery.sees("The first look begins in a moment.")
    number = bought(store, town)
    bakery.works()
    assert bakery.orders() == {number: "open"}
    leaves(bakery)
    assert store.webhooks == {}
    assert bakery.complaints == []


# ShipStation


@pytest.mark.soak
def test_shipstation_is_connected_by_its_key_delivers_and_is_left(town: Town) -> None:
    account = an_account(town)
    bakery = town.bakery(account.app, *SHIPSTATION)
    bakery.opens("ShipStation")
    bakery.fills(v2_key="mistyped", delivered_tag="Handed over")
    bakery.presses("Check and connect")
    bakery.reads_at("v2_key", "ShipStation does not accept this V2 key. Copy it again")
    expect(bakery.page.locator("#delivered_tag")).to_have_value("Handed over")
    bakery.fills(v2_key=account.secret)
    bakery.presses("Check and connect")
    bakery.sees("The first look begins in a moment.")

    row = imported(account, "SS-1")
    bakery.works()
    assert bakery.orders() == {"SS-1": "open"}
    bakery.publishes()
    bakery.drives()
    assert row.tags == ["Handed over"]
    assert [one["tracking"] for one in account.fulfillments] == ["SS-1"]

    other = imported(account, "SS-2")
    for url, headers, body in account.calls("shipment_created_v2", town.clock()):
        assert bakery.internet.post(url, body, headers).status_code == 200
    bakery.works()
    bakery.later(minutes=6)
    account.change(other, status="cancelled")
    bakery.works()
    assert bakery.ends() == {"SS-1": "succeeded", "SS-2": "cancelled"}

    leaves(bakery)
    assert account.hooks == []
    assert bakery.complaints == []


@pytest.mark.soak
def test_shipstation_is_connected_by_key_and_secret_of_its_first_interface(town: Town) -> None:
    account = an_account(town)
    bakery = town.bakery(account.app, *SHIPSTATION)
    bakery.opens("ShipStation", "API key and secret (V1)")
    bakery.fills(v1_key=account.v1_key, v1_secret="mistyped")
    bakery.presses("Check and connect")
    bakery.reads_at("v1_secret", "ShipStation does not accept this V1 key with this secret.")
    bakery.fills(v1_key=account.v1_key, v1_secret=account.v1_secret)
    bakery.presses("Check and connect")
    bakery.reads_at("on_the_way_tag", "ShipStation has no tag “Out for delivery”")
    for tag in ("Out for delivery", "Delivered", "Delivery failed"):
        account.tag_id(tag)
    bakery.fills(v1_key=account.v1_key, v1_secret=account.v1_secret)
    bakery.presses("Check and connect")
    bakery.sees("The first look begins in a moment.")
    imported(account, "SS-1")
    bakery.works()
    assert bakery.orders() == {"SS-1": "open"}
    leaves(bakery)
    assert account.hooks == []
    assert bakery.complaints == []
