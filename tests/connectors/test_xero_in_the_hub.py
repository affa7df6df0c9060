"""A business connects Xero in a whole hub: signs in, orders come, a webhook rings, it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

import connectors.xero
from hub.app import Hub
from hub.core.contracts import WebhookRequest
from hub.db.tables import ConnectionRow, OrderRow
from hub.flows.approvals import back_url, came_back
from hub.flows.connect import choices_of, connect
from hub.flows.connected import HOOK
from hub.flows.disconnect import disconnect
from hub.flows.found import found
from hub.flows.pull import pull_due
from hub.flows.rings import ring
from hub.flows.secrets import opened
from hub.flows.tokens import ConnectionTokens
from hub.testing import WsgiAdapter
from tests.fakes.xero import MONDAY, ORIGINS, FakeXero

STAFF = "staff-1"


@dataclass
class World:
    hub: Hub
    business_id: str
    fake: FakeXero
    connection_id: str = ""

    def orders(self) -> list[str]:
        with self.hub.reading() as session:
            return sorted(row.number for row in session.exec(select(OrderRow)))

    def row(self) -> ConnectionRow:
        with self.hub.reading() as session:
            return session.get_one(ConnectionRow, self.connection_id)

    def set(self, **values: Any) -> str:
        made = connect(
            self.hub,
            self.business_id,
            "xero",
            values,
            actor=f"staff:{STAFF}",
            connection_id=self.connection_id,
        )
        self.connection_id = made.connection_id
        return made.approve_at


@pytest.fixture
def world() -> World:
    fake = FakeXero()
    hub = Hub.in_memory(connectors.xero, now=fake.now)
    for origin in ORIGINS:
        hub.tools.http.mount(origin, WsgiAdapter(fake))
    fake.redirect = back_url(hub)
    return World(hub, found(hub, "Bakery", zone="Pacific/Auckland", country="NZ"), fake)


def signed_in(world: World) -> World:
    url = world.set(client_id=world.fake.client_id, client_secret=world.fake.secret)
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [world.fake.redirect]
    back = world.fake.consent(url, *world.fake.organisations)
    came_back(world.hub, world.business_id, STAFF, back)
    return world


def test_orders_come_once_its_owner_signed_in_and_chose(world: World) -> None:
    cafe = world.fake.organisation("Café")
    world.fake.put("A", MONDAY)
    world.fake.put("B", MONDAY, to=cafe)
    signed_in(world)
    options = choices_of(world.hub, world.business_id, world.connection_id)["tenant_id"]
    assert [option.label for option in options] == ["Bakery", "Café"]
    world.set(tenant_id=cafe.tenant_id)
    pull_due(world.hub)
    assert world.orders() == ["INV-B"]
    assert world.fake.wrong == []


def test_who_has_two_organisations_chooses_without_signing_in_again(world: World) -> None:
    cafe = world.fake.organisation("Café")
    signed_in(world)
    pull_due(world.hub)
    row = world.row()
    assert (row.state, row.last_error) == (
        "needs_reconnect",
        "Choose which Xero organisation this is.",
    )
    assert world.set(tenant_id=cafe.tenant_id) == ""
    assert world.row().state == "ok"
    world.fake.grants.clear()
    world.fake.refreshes.clear()
    pull_due(world.hub)
    assert world.row().state == "needs_reconnect"
    assert world.set(tenant_id=cafe.tenant_id).startswith("https://login.xero.com/")


def test_it_stays_signed_in_from_one_look_to_the_next(world: World) -> None:
    signed_in(world)
    for n in range(5):
        world.fake.wait(hours=1)
        world.fake.put(f"R{n}", world.fake.now())
        pull_due(world.hub)
    assert len(world.orders()) == 5
    assert world.row().state == "ok"


def test_a_webhook_makes_it_look_now(world: World) -> None:
    signed_in(world)
    world.set(webhook_key=world.fake.webhook_key)
    pull_due(world.hub)
    world.fake.wait(seconds=10)
    world.fake.put("A", world.fake.now())
    assert pull_due(world.hub) == 0
    hook = opened(world.hub, world.business_id, world.connection_id)[HOOK]
    call = WebhookRequest(*world.fake.webhook("A"))
    assert ring(world.hub, hook, call)
    assert not ring(world.hub, hook, call)  # it came twice
    assert pull_due(world.hub) == 1
    assert world.orders() == ["INV-A"]


def test_a_used_up_minute_is_waited_for_and_loses_nothing(world: World) -> None:
    for n in range(12):
        world.fake.put(f"R{n}", MONDAY + timedelta(minutes=n))
    signed_in(world)
    world.fake.use_up(minute=57)
    pull_due(world.hub)
    waits: datetime | None = world.row().due_at
    assert waits is not None
    assert waits > world.fake.now()
    world.fake.clock = waits + timedelta(seconds=1)
    pull_due(world.hub)
    assert len(world.orders()) == 12


def test_leaving_disconnects_it_at_xero_too(world: World) -> None:
    signed_in(world)
    left = disconnect(world.hub, world.business_id, world.connection_id, actor=f"staff:{STAFF}")
    assert left == ""
    assert world.fake.disconnected == {world.fake.home.tenant_id}
    assert not ConnectionTokens(world.hub, world.business_id, world.connection_id).load()


def test_the_books_connected_anew_are_the_same_connection(world: World) -> None:
    signed_in(world)
    world.fake.put("A", MONDAY)
    pull_due(world.hub)
    first, world.connection_id = world.connection_id, ""
    signed_in(world)  # the organisation is known only now
    assert world.row().state == "approving"
    assert "a connection already, Xero" in world.row().last_error
    by = f"staff:{STAFF}"
    disconnect(world.hub, world.business_id, world.connection_id, actor=by)
    disconnect(world.hub, world.business_id, first, actor=by)
    world.fake.disconnected.clear()
    world.connection_id = ""
    signed_in(world)
    with world.hub.reading() as session:
        states = [
            (row.id, row.state) for row in session.exec(select(ConnectionRow)) if row.identity
        ]
    assert states == [(first, "ok")]
    world.connection_id = first
    pull_due(world.hub)
    assert world.orders() == ["INV-A"]
