"""Connections in the panel: connected in a minute, said when they need somebody, left for good."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args, get_origin

import hub_bakehouse
import pytest
from fake_bakehouse import FakeBakehouse

import admin
import connectors.shipstation
import connectors.shopify
import connectors.woocommerce
import connectors.xero
from connectors.shipstation.source import ShipStation
from connectors.shopify.source import Shopify
from connectors.woocommerce.source import WooCommerce
from connectors.xero.source import Xero
from hub.app import Hub
from hub.core.connecting import Connection
from hub.db.tables import ConnectionRow, OrderRow, RejectRow, SecretRow
from hub.flows.connected import offered
from hub.flows.disconnect import disconnect
from hub.flows.log_in import Role
from hub.flows.pull import pull_due, sweep
from hub.testing import WsgiAdapter
from tests.admin.panel_worlds import a_bakery, a_panel
from tests.connected_worlds import MONDAY

CONNECTED = (ShipStation, Shopify, WooCommerce, Xero)
EMPTY = ("", "PydanticUndefined")  # a default that is nothing, or none
NEW = "/panel/connections/new/bakehouse"


class World:
    def __init__(self, folder: Path) -> None:
        self.hub = Hub.in_memory(admin, hub_bakehouse, now=lambda: MONDAY, data_dir=folder)
        self.shop = FakeBakehouse()
        self.hub.tools.http.mount("https://bakehouse.test", WsgiAdapter(self.shop.app))
        self.business_id = a_bakery(self.hub)
        self.panel = a_panel(self.hub, self.business_id)

    def connected(self) -> str:
        told = self.panel.post(NEW, url="https://bakehouse.test", token=self.shop.secret)
        assert "is connected" in told.text
        return str(self.rows(ConnectionRow)[-1].id)

    def rows(self, table: type) -> list:
        from sqlmodel import select

        with self.hub.reading() as session:
            rows = list(session.exec(select(table)))
        return [row for row in rows if getattr(row, "plugin", "bakehouse") == "bakehouse"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_is_wrong_stands_at_its_field_and_nothing_is_kept(world: World) -> None:
    assert "Bakehouse" in world.panel.get("/panel/connections").text
    told = world.panel.post(NEW, url="shop", token="mistyped")
    assert told.status_code == 422
    assert re.search(r'id="url"[^>]*aria-invalid="true"', told.text)
    assert "This is no web address. Write it whole: https://shop.example." in told.text
    told = world.panel.post(NEW, url="https://bakehouse.test", token="mistyped")
    assert told.status_code == 422
    assert "does not accept these credentials" in told.text
    assert "mistyped" not in told.text
    assert world.rows(ConnectionRow) == []


def test_who_makes_an_app_there_reads_the_address_it_must_name(tmp_path: Path) -> None:
    hub = Hub.in_memory(admin, connectors.xero, data_dir=tmp_path)
    panel = a_panel(hub, a_bakery(hub))
    named = f"{hub.settings.public_url}/panel/connections/back"
    assert named in panel.get("/panel/connections/new/xero").text
    assert named not in panel.get("/panel/connections/new/xero?way=custom").text


@pytest.mark.parametrize(
    "plugin",
    [connectors.shipstation, connectors.shopify, connectors.woocommerce, connectors.xero],
)
def test_whatever_the_way_all_that_a_connection_cannot_do_without_is_asked(
    plugin: ModuleType, tmp_path: Path
) -> None:
    hub = Hub.in_memory(admin, plugin, data_dir=tmp_path)
    panel = a_panel(hub, a_bakery(hub))
    [cls] = offered(hub)
    required = {n for n, info in cls.Settings.model_fields.items() if info.is_required()}
    for way in cls.ways:
        told = panel.get(f"/panel/connections/new/{cls.key}?way={way.key}").text
        of_others = {name for one in cls.ways for name in one.asks}
        needed = {*way.asks, *(required - of_others)}
        assert needed <= set(re.findall(r'name="(\w+)"', told))
        # and what it will do there is said, with all that it has to be allowed
        said = [cls.reads, cls.writes, *(part for pair in way.permits for part in pair)]
        assert [part for part in said if not part or part not in unescape(told)] == []
        # left empty, each says so at its field, all at once
        told = panel.post(f"/panel/connections/new/{cls.key}", way=way.key)
        marked = set(re.findall(r'id="(\w+)-error"', told.text))
        fields = cls.Settings.model_fields
        empty = {
            n for n in needed if n not in way.optional and str(fields[n].get_default()) in EMPTY
        }
        assert (told.status_code, empty - marked) == (422, set())


@pytest.mark.parametrize("cls", CONNECTED, ids=lambda cls: cls.key)
def test_what_can_be_chosen_is_named_in_words(cls: type[Connection]) -> None:
    for name, info in cls.Settings.model_fields.items():
        [inner] = get_args(info.annotation) if get_origin(info.annotation) is list else [None]
        kind = inner or info.annotation
        if get_origin(kind) is Literal and name != "way":
            extra = info.json_schema_extra
            assert isinstance(extra, dict), name
            assert set(extra["labels"]) == set(get_args(kind)), name


def test_the_scopes_to_tick_are_those_that_are_asked_for() -> None:
    shopify = {name for name, _ in connectors.shopify.settings.PERMITS}
    asked = Shopify.Settings(shop="husk", tag_orders=True).scopes
    assert set(asked) == {name for name in shopify if "_" in name}
    xero = " ".join(name for name, _ in connectors.xero.settings.PERMITS)
    assert set(xero.split()) == set(connectors.xero.settings.SCOPES.split())


def test_a_shop_is_connected_and_its_orders_come(world: World) -> None:
    for n in range(6):
        world.shop.put(f"R{n}", MONDAY)
    where = f"/panel/connections/{world.connected()}"
    assert "The first look begins in a moment" in world.panel.get(where).text
    pull_due(world.hub)
    told = world.panel.get(where).text
    assert "<dt>Orders</dt><dd>6</dd>" in told
    assert world.shop.secret not in told
    assert "http-equiv" not in told


def test_a_shop_that_asked_for_a_pause_says_until_when(world: World) -> None:
    id_ = world.connected()
    world.shop.be("busy")
    pull_due(world.hub)
    shown = world.panel.get(f"/panel/connections/{id_}").text
    assert "It asked for a pause: paused until" in shown
    assert "in a moment" not in shown
    assert "paused</span>" in world.panel.get("/panel/connections").text


def test_a_record_set_aside_is_named_taken_again_and_let_go(world: World) -> None:
    world.shop.spoil("R900", MONDAY)
    where = f"/panel/connections/{world.connected()}"
    pull_due(world.hub)
    told = world.panel.get(where).text
    assert "R900" in told
    home = world.panel.get("/panel/").text
    assert f'href="{where}">1 record of Bakehouse is set aside</a>' in home
    again, let_go = re.findall(r'action="(/panel/connections/[^"]+/rejects/[^"]+)"', told)
    assert "still cannot be taken" in world.panel.post(again).text
    world.shop.put("R900", MONDAY)
    assert "Order #R900 is in." in world.panel.post(again).text
    assert len(world.rows(OrderRow)) == 1
    assert world.panel.post(let_go).status_code == 404


def test_a_shop_that_refuses_says_so_and_is_reconnected(world: World) -> None:
    where = f"/panel/connections/{world.connected()}"
    world.shop.be("locked")
    pull_due(world.hub)
    told = world.panel.get(where).text
    assert "does not accept these credentials" in told
    assert "Reconnect" in told
    assert re.search(rf'href="{where}">[^<]+ needs you</a>', world.panel.get("/panel/").text)
    assert "credentials" in world.panel.post(f"{where}/reconnect").text
    assert re.search(r"Not yet: [^<]+ credentials", world.panel.post(f"{where}/try").text)
    world.shop.be("well")
    assert "is connected again" in world.panel.post(f"{where}/reconnect").text
    assert world.rows(ConnectionRow)[0].state == "ok"
    assert "needs you" not in world.panel.get("/panel/").text


def test_a_shop_that_is_back_is_tried_at_once_and_said_to_work_again(world: World) -> None:
    where = f"/panel/connections/{world.connected()}"
    assert "works again" not in world.panel.get(where).text
    world.shop.put("R1", MONDAY)
    world.shop.be("down")
    pull_due(world.hub)
    there = world.panel.get(where).text
    assert "trying again</span>" in there and "works</span>" not in there
    sweep(world.hub, world.business_id, where.rpartition("/")[2])
    world.shop.be("locked")
    pull_due(world.hub)
    there = world.panel.get(where).text
    assert "under Connections" not in there  # that is where one is
    dispatcher = a_panel(world.hub, world.business_id, Role.DISPATCHER, "dora@example.com")
    assert "Try now" in dispatcher.get(where).text
    world.shop.be("well")
    told = dispatcher.post(f"{where}/try").text
    assert "Bakehouse lets the hub in. It goes on from where it stopped." in told
    assert "It works again since" in told
    pull_due(world.hub)
    assert len(world.rows(OrderRow)) == 1


def test_settings_are_changed_without_typing_the_secret_again(world: World) -> None:
    where = f"/panel/connections/{world.connected()}"
    told = world.panel.post(where, title="Our shop", url="https://bakehouse.test", token="")
    assert "Checked and saved." in told.text
    assert "<h1>Our shop</h1>" in told.text
    assert len(world.rows(SecretRow)) == 3


def test_leaving_leaves_no_secret(world: World) -> None:
    where = f"/panel/connections/{world.connected()}"
    assert "is disconnected; its orders stay." in world.panel.post(f"{where}/disconnect").text
    assert world.rows(SecretRow) == []
    assert "disconnected" in world.panel.get(where).text
    told = world.panel.post(where, title="x", url="https://bakehouse.test", token=world.shop.secret)
    assert "Checked and saved." in told.text
    assert world.rows(ConnectionRow)[0].state == "ok"


def test_who_leaves_a_shop_that_lets_nobody_in_is_not_sent_to_reconnect_it(world: World) -> None:
    world.shop.spoil("R900", MONDAY)
    where = f"/panel/connections/{world.connected()}"
    pull_due(world.hub)
    world.shop.be("locked")
    told = world.panel.post(f"{where}/disconnect").text
    assert "Bakehouse does not let the hub in, so it could not be told that this ended." in told
    assert world.rows(RejectRow) == []
    told = world.panel.get(where).text
    assert "Connect it again" in told
    assert "Leave it empty to keep" not in told


def test_nobody_is_told_to_look_at_all_of_what_lets_nobody_in(world: World) -> None:
    where = f"/panel/connections/{world.connected()}"
    assert "Look at all of it" in world.panel.get(where).text
    world.shop.be("locked")
    pull_due(world.hub)
    assert "Look at all of it" not in world.panel.get(where).text


def test_only_owners_change_connections(world: World) -> None:
    where = f"/panel/connections/{world.connected()}"
    dispatcher = a_panel(world.hub, world.business_id, Role.DISPATCHER, "dora@example.com")
    told = dispatcher.get(where).text
    assert "Disconnect" not in told
    assert "/hooks/in/" not in told
    for path in (NEW, where, f"{where}/disconnect", f"{where}/reconnect"):
        assert dispatcher.post(path).status_code == 403
    assert "All of it is looked at now." in dispatcher.post(f"{where}/look").text


def test_a_call_at_its_address_is_answered_by_what_it_is(world: World) -> None:
    from hub.flows.secrets import opened

    connection_id = world.connected()
    pull_due(world.hub)
    secrets = opened(world.hub, world.business_id, connection_id)
    world.shop.webhook = {"url": "x", "secret": secrets["hook_secret"]}
    headers, body = world.shop.call("1")
    client, where = world.panel.client, f"/hooks/in/{secrets['hook']}"
    answer = client.post(where, data=body, headers=headers)
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Set-Cookie" not in answer.headers
    assert client.post(where, data=b"{}").status_code == 401
    assert client.post("/hooks/in/guessed", data=body, headers=headers).status_code == 404
    assert client.get(where).status_code == 200
    disconnect(world.hub, world.business_id, connection_id, actor="x")
    assert client.post(where, data=body, headers=headers).status_code == 404
