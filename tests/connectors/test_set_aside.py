"""A record that cannot become an order is named as people at its source name it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.shipstation.source import ShipStation
from hub import OrderSource, Tools
from hub.testing import WsgiAdapter, lent
from tests.connectors import shopify_worlds, woocommerce_worlds, xero_worlds
from tests.fakes.shipstation import FakeShipStation
from tests.fakes.shipstation_spec import V1_HOST, V2_HOST
from tests.fakes.shopify import MONDAY, FakeShopify
from tests.fakes.woocommerce import Store
from tests.fakes.xero import FakeXero

pytestmark = shopify_worlds.needs_data


def shopify(tools: Tools) -> OrderSource:
    shop = FakeShopify()
    shop.spoil("R1", MONDAY)
    return shopify_worlds.connected(shop, tools)


def woocommerce(tools: Tools) -> OrderSource:
    store = Store()
    store.spoil("R1", MONDAY)
    store.orders[int(store.ref_of("R1"))]["number"] = "W-1001"
    return woocommerce_worlds.connected(store, tools)


def shipstation(way: str) -> Callable[[Tools], OrderSource]:
    def made(tools: Tools) -> OrderSource:
        account = FakeShipStation()
        account.spoil("R1", MONDAY)
        for host in (V1_HOST, V2_HOST):
            tools.http.mount(host, WsgiAdapter(account.app))
        keys = {"v2_key": account.secret, "v1_key": account.v1_key, "v1_secret": account.v1_secret}
        return ShipStation(ShipStation.Settings.model_validate({"way": way, **keys}), tools)

    return made


def xero(tools: Tools) -> OrderSource:
    books = FakeXero()
    books.spoil("R1", MONDAY)
    return xero_worlds.connected(books, tools)


@pytest.mark.parametrize(
    ("source", "number"),
    [
        (shopify, "#1001"),
        (woocommerce, "W-1001"),
        (shipstation("v1"), "R1"),
        (shipstation("v2"), "R1"),
        (xero, "INV-R1"),
    ],
    ids=["shopify", "woocommerce", "shipstation-v1", "shipstation-v2", "xero"],
)
def test_a_record_set_aside_goes_by_the_number_people_know(
    source: Callable[[Tools], OrderSource], number: str, tmp_path: Path
) -> None:
    pages = list(source(lent(tmp_path, now=MONDAY)).pages(None))
    [reject] = [reject for page in pages for reject in page.rejects]
    assert reject.number == number
    assert str(reject).startswith(f"{number}: ")
