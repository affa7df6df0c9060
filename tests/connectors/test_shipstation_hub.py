"""ShipStation behind a whole hub: connected, read, changed to the other interface, read on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

import connectors.shipstation
from hub.app import Hub
from hub.core.errors import ConfigError
from hub.db.tables import ConnectionRow, OrderRow, RejectRow
from hub.flows.connect import choices_of, connect
from hub.flows.found import found
from hub.flows.pull import pull_due
from hub.flows.rings import mend_webhooks, ring
from hub.testing import WsgiAdapter
from tests.connectors.shipstation_worlds import a_shop, as_request, keys
from tests.fakes import shipstation_spec as spec
from tests.fakes.shipstation import FakeShipStation

MONDAY = datetime(2026, 11, 23, 20, tzinfo=UTC)  # noon on the coast


class Bakery:
    def __init__(self, shop: FakeShipStation) -> None:
        self.shop, self.now = shop, [MONDAY]
        shop.clock = lambda: self.now[0]
        self.hub = Hub.in_memory(connectors.shipstation, now=lambda: self.now[0])
        object.__setattr__(self.hub.settings, "public_url", "https://hub.example")
        for host in ("api.shipstation.com", "ssapi.shipstation.com", "api.shipengine.com"):
            self.hub.tools.http.mount(f"https://{host}", WsgiAdapter(shop.app))
        self.business = found(self.hub, "Husk", zone="America/Los_Angeles", country="US")
        self.connection = ""

    def connect(self, way: str) -> None:
        given = {"way": way, **keys(self.shop, way)}
        self.connection = connect(
            self.hub, self.business, "shipstation", given, actor="a", connection_id=self.connection
        ).connection_id

    def read(self, after: timedelta = timedelta(minutes=6)) -> dict[str, str]:
        """Statuses by number, once the hub has looked again."""
        self.now[0] += after
        pull_due(self.hub)
        with self.hub.reading() as session:
            assert session.exec(select(ConnectionRow.state)).all().count("ok") >= 1
            return {row.number: row.status for row in session.exec(select(OrderRow))}


@pytest.fixture
def bakery() -> Bakery:
    spec.data()
    return Bakery(a_shop(page_size=50))


def test_a_connected_account_is_read_and_read_on_after_a_change_to_v2(bakery: Bakery) -> None:
    shop = bakery.shop
    one, two = shop.place("1", MONDAY), shop.place("2", MONDAY)
    shop.spoil("3", MONDAY)
    bakery.connect("v1")
    assert bakery.read() == {"1": "open", "2": "open"}
    shop.change(one, bakery.now[0], status="cancelled")
    bakery.connect("v2")
    shop.place("4", bakery.now[0])
    assert bakery.read() == {"1": "cancelled", "2": "open", "4": "open"}
    with bakery.hub.reading() as session:
        [reject] = {row.ref: row for row in session.exec(select(RejectRow))}.values()
        refs = [row.ref for row in session.exec(select(OrderRow)) if row.number == "2"]
    assert (reject.ref, refs) == (shop.ref_of("3"), [two.ref])
    assert "street" in reject.problem


def test_a_wrong_key_is_not_kept(bakery: Bakery) -> None:
    with pytest.raises(ConfigError):
        connect(bakery.hub, bakery.business, "shipstation", {"v2_key": "typo"}, actor="a")


@pytest.mark.parametrize(("way", "event"), [("v2", "shipment_created_v2"), ("v1", "ORDER_NOTIFY")])
def test_a_call_makes_the_hub_look_at_once(bakery: Bakery, way: str, event: str) -> None:
    bakery.shop.place("1", MONDAY)
    bakery.connect(way)
    bakery.read()
    assert mend_webhooks(bakery.hub) == 1
    bakery.shop.place("2", bakery.now[0])
    [sent] = bakery.shop.calls(event, bakery.now[0])
    token = sent[0].partition("?")[0].rpartition("/")[2]
    assert ring(bakery.hub, token, as_request(sent))
    assert "2" in bakery.read(after=timedelta(seconds=10))


def test_stores_and_tags_can_be_chosen(bakery: Bakery) -> None:
    bakery.shop.place("1", MONDAY)
    bakery.connect("v2")
    assert set(choices_of(bakery.hub, bakery.business, bakery.connection)) == {"store", "tag"}
