"""The connector in a hub: connected in the panel's way, read by the worker, rung, told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlmodel import select

import connectors.shopify
from hub.app import Hub
from hub.core.contracts import WebhookRequest
from hub.db.tables import ConnectionRow, OrderRow
from hub.flows.approvals import came_back
from hub.flows.connect import choices_of, connect
from hub.flows.disconnect import disconnect
from hub.flows.found import found
from hub.flows.pull import pull_due
from hub.flows.rings import mend_webhooks, ring
from hub.testing import MONDAY, WsgiAdapter
from tests.connectors.shopify_worlds import Clock, needs_data
from tests.fakes.shopify import KEY, SECRET, FakeShopify

pytestmark = needs_data


@dataclass
class World:
    shop: FakeShopify
    clock: Clock
    hub: Hub = field(init=False)
    business_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.hub = Hub.in_memory(connectors.shopify, now=self.clock)
        object.__setattr__(self.hub.settings, "public_url", "https://hub.example")
        self.hub.tools.http.mount(f"https://{self.shop.shop}", WsgiAdapter(self.shop))
        self.business_id = found(self.hub, "Husk", zone="Europe/Helsinki", country="FI")

    def connect(self, way: str) -> str:
        """Its id; where its owner has to go to Shopify first, he has been there."""
        given = {"shop": "husk", "way": way, "client_id": KEY, "client_secret": SECRET}
        made = connect(self.hub, self.business_id, "shopify", given, actor="staff:1")
        if made.approve_at:
            query = self.shop.approve(made.approve_at)
            came_back(self.hub, self.business_id, "1", query)
        return made.connection_id

    def row(self) -> ConnectionRow:
        with self.hub.reading() as session:
            return session.exec(
                select(ConnectionRow).where(ConnectionRow.plugin == "shopify")
            ).one()

    def orders(self) -> list[tuple[str, str]]:
        with self.hub.reading() as session:
            rows = session.exec(select(OrderRow).order_by(OrderRow.number))
            return [(row.number, row.status) for row in rows]


@pytest.fixture
def world() -> Iterator[World]:
    clock = Clock(MONDAY)
    world = World(FakeShopify(now=clock), clock)
    yield world
    assert not world.shop.wrong


@pytest.mark.parametrize("way", ["own", "oauth"])
def test_a_shop_is_connected_read_and_rung(world: World, way: str) -> None:
    shop = world.shop
    shop.state.place()
    connection_id = world.connect(way)
    assert pull_due(world.hub) == 1
    assert world.orders() == [("#1001", "open")]
    assert choices_of(world.hub, world.business_id, connection_id)["location"]

    assert mend_webhooks(world.hub) == 1
    assert world.row().to_do == ""
    [uri] = {hook["uri"] for hook in shop.state.hooks.values()}
    world.clock.later(minutes=1)
    shop.state.place()
    headers, body = shop.call("orders/create")
    token = uri.rpartition("/")[2]
    assert ring(world.hub, token, WebhookRequest(headers, body, uri))
    assert not ring(world.hub, token, WebhookRequest(headers, body, uri))  # repeated
    assert pull_due(world.hub) == 1
    assert world.orders() == [("#1001", "open"), ("#1002", "open")]

    left = disconnect(world.hub, world.business_id, connection_id, actor="staff:1")
    assert ("still installed" in left) is (way == "own")
    assert not shop.state.hooks
    assert shop.state.uninstalled is (way == "oauth")


def test_an_order_on_hold_leaves_the_hub_and_comes_back(world: World) -> None:
    order = world.shop.state.place()
    ref = order["own"][0]["id"].rpartition("/")[2]
    world.connect("own")
    pull_due(world.hub)
    for status, seen in (("ON_HOLD", "cancelled"), ("OPEN", "open")):
        world.clock.later(minutes=10)
        world.shop.set_status(ref, status)
        pull_due(world.hub)
        assert world.orders() == [("#1001", seen)]


def test_an_app_that_is_uninstalled_needs_its_owner(world: World) -> None:
    world.connect("oauth")
    world.shop.state.uninstalled = True
    world.clock.later(hours=2)
    world.shop.refreshers.clear()
    pull_due(world.hub)
    assert world.row().state == "needs_reconnect"
    assert "Reconnect" in world.row().last_error
