"""Two shops of one vendor in one hub, worked for by many threads at once: what is sent for one
never carries the other's credentials, and what is told to one never reaches the other."""

from __future__ import annotations

import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlmodel import select
from werkzeug import Request, Response

import connectors.shipstation
import connectors.shopify
import connectors.woocommerce
import connectors.xero
from hub import (
    DeliveryRecord,
    Document,
    IncomingOrder,
    OrderProgress,
    OrderSource,
    RecordSink,
    WritesBack,
)
from hub.app import Hub
from hub.core.connecting import Stage
from hub.db.tables import ConnectionRow
from hub.flows.approvals import back_url, came_back
from hub.flows.connect import connect
from hub.flows.connected import provider_of
from hub.flows.found import found
from hub.testing import MONDAY, WsgiAdapter
from tests.connectors.shopify_worlds import needs_data
from tests.fakes.shipstation import FakeShipStation
from tests.fakes.shipstation_spec import V1_HOST, V2_HOST
from tests.fakes.shopify import KEY, SECRET, FakeShopify
from tests.fakes.woocommerce import Store
from tests.fakes.xero import ORIGINS, FakeXero

pytestmark = needs_data
WORK = threading.local()
"""``for_whom``: the shop that this thread works for."""
STAGES: tuple[Stage, ...] = ("dispatched", "on_the_way", "arrived")
ORDERS = 3  # of each shop, and as many threads: what one order's source is told comes in order


class Shop(Protocol):
    """One business's account at the vendor."""

    app: Any
    settings: dict[str, Any]

    def is_mine(self, request: Request) -> bool:
        """Whether the request carries what this account let the hub in with."""

    def expire(self) -> None:
        """Every token that can be renewed has to be."""

    def told(self) -> set[str]:
        """The numbers of its orders that it was told about."""


class AtShopify:
    plugin = connectors.shopify

    def __init__(self, name: str) -> None:
        self.app = FakeShopify(now=lambda: MONDAY, shop=f"{name}.myshopify.com")
        self.hosts = (f"https://{self.app.shop}",)
        self.app.tokens.clear()  # the same is good in every fake
        self.settings = {"way": "own", "shop": name, "client_id": KEY, "client_secret": SECRET}
        for n in range(ORDERS):
            self.app.put(f"{name}{n}", MONDAY - timedelta(hours=n), name=name)

    def is_mine(self, request: Request) -> bool:
        token = request.headers.get("X-Shopify-Access-Token")
        return token is None or token in self.app.tokens

    def expire(self) -> None:
        for token in self.app.tokens:
            self.app.tokens[token] = MONDAY

    def told(self) -> set[str]:
        done = self.app.state.fulfilments.values()
        return {one["order"]["shippingAddress"]["name"] for one in done}


class AtWooCommerce:
    plugin = connectors.woocommerce

    def __init__(self, name: str) -> None:
        self.host = f"https://{name}.example"
        self.hosts = (self.host,)
        letters = name[0] * 40
        self.app = Store(now=MONDAY, key=f"ck_{letters}", secret=f"cs_{letters}")
        keys = {"consumer_key": self.app.key, "consumer_secret": self.app.secret}
        self.settings = {"way": "keys", "url": self.host, **keys}
        for n in range(ORDERS):
            self.app.put(f"{name}{n}", MONDAY - timedelta(hours=n), name=name)

    def is_mine(self, request: Request) -> bool:
        given = request.authorization
        return given is None or (given.username, given.password) == (
            self.app.key,
            self.app.secret,
        )

    def expire(self) -> None: ...

    def told(self) -> set[str]:
        return {self.app.orders[n]["shipping"]["first_name"] for n in self.app.order_notes}


class AtShipStation:
    plugin = connectors.shipstation
    hosts = (V1_HOST, V2_HOST)

    def __init__(self, name: str) -> None:
        self.account = FakeShipStation()
        self.account.secret = f"v2Key0f{name}" + "x" * 20
        self.account.per_minute = {"V1": 10_000, "V2": 10_000}
        self.app = self.account.app
        self.settings = {"way": "v2", "v2_key": self.account.secret}
        for n in range(ORDERS):
            self.account.place(f"{name}{n}", MONDAY - timedelta(hours=n), name=name)

    def is_mine(self, request: Request) -> bool:
        return request.headers.get("API-Key") == self.account.secret

    def expire(self) -> None: ...

    def told(self) -> set[str]:
        return {row.name for row in self.account.rows.values() if row.tags}


class AtXero:
    plugin = connectors.xero
    hosts = ORIGINS

    def __init__(self, name: str) -> None:
        self.name = name
        self.app = FakeXero(now=lambda: MONDAY)
        self.app.client_id, self.app.secret = f"APPID{name}", f"secret of {name}"
        self.app.per_minute = self.app.per_day = 100_000
        self.settings = {"client_id": self.app.client_id, "client_secret": self.app.secret}
        for n in range(ORDERS):
            self.app.put(f"{name}{n}", MONDAY - timedelta(hours=n), name=name)

    def is_mine(self, request: Request) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            return b64decode(token).decode().startswith(f"{self.app.client_id}:")
        return token in self.app.grants

    def expire(self) -> None:
        self.app.be("expired")

    def told(self) -> set[str]:
        numbers = [f"{self.name}{n}" for n in range(ORDERS)]
        return {self.name for number in numbers if self.app.notes(number)}


@dataclass
class Post:
    """Answers for a vendor's hosts: takes each request to whose credentials it carries."""

    shops: dict[str, Shop]
    mixed_up: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        whose = [name for name, shop in self.shops.items() if shop.is_mine(request)]
        mine = WORK.for_whom
        if mine not in whose:
            self.mixed_up.append(f"for {mine}: {request.method} {request.url} by {whose}")
            return Response("nobody's", 401)(environ, start_response)
        with self._lock:
            return self.shops[mine].app(environ, start_response)


@contextmanager
def working_for(name: str) -> Iterator[None]:
    WORK.for_whom = name
    try:
        yield
    finally:
        WORK.for_whom = ""


class World:
    def __init__(self, kind: Callable[[str], Any], folder: Path) -> None:
        self.shops: dict[str, Any] = {name: kind(name) for name in ("anna", "bert")}
        url = f"sqlite:///{folder / 'hub.db'}"
        plugin = next(iter(self.shops.values())).plugin
        self.hub = Hub.in_memory(plugin, now=lambda: MONDAY, data_dir=folder, url=url)
        self.post = Post(self.shops)
        for shop in self.shops.values():
            for host in shop.hosts:
                self.hub.tools.http.mount(host, WsgiAdapter(self.post))
        self.rows = {name: self._connected(name) for name in self.shops}
        self.orders = {name: self._orders(name) for name in self.shops}
        self.rounds = {
            name: threading.Barrier(ORDERS, action=shop.expire) for name, shop in self.shops.items()
        }

    def _connected(self, name: str) -> ConnectionRow:
        shop = self.shops[name]
        business_id = found(self.hub, name, zone="Europe/Helsinki", country="FI")
        with working_for(name):
            made = connect(
                self.hub, business_id, shop.plugin.__name__.split(".")[1], shop.settings,
                actor="staff:1",
            )  # fmt: skip
            if made.approve_at:
                shop.app.redirect = back_url(self.hub)
                came_back(self.hub, business_id, "1", shop.app.consent(made.approve_at))
        with self.hub.reading() as session:
            return session.exec(
                select(ConnectionRow).where(ConnectionRow.id == made.connection_id)
            ).one()

    def _orders(self, name: str) -> list[IncomingOrder]:
        with working_for(name):
            source = provider_of(self.hub, self.rows[name])
            assert isinstance(source, OrderSource)
            return [order for page in source.pages(None) for order in page.orders]

    def work(self, name: str, n: int) -> set[str]:
        """Read all and tell of the ``n``-th order, as a worker does, with tokens that have just
        ended; whose orders came."""
        order, seen = self.orders[name][n], set[str]()
        try:
            for stage in STAGES:
                self.rounds[name].wait(60)
                seen |= {one.recipient.name for one in self._orders(name)}
                with working_for(name):
                    connection = provider_of(self.hub, self.rows[name])
                    if isinstance(connection, WritesBack):
                        connection.write_back(_news(order, stage))
                    if isinstance(connection, RecordSink):
                        [target] = connection.find(order)
                        connection.record(_record(order, target.ref))
        except BaseException:
            self.rounds[name].abort()
            raise
        return seen


def _news(order: IncomingOrder, stage: Stage) -> OrderProgress:
    return OrderProgress(
        key=f"{order.ref} {stage}",
        order_ref=order.ref,
        order_number=order.number,
        stage=stage,
        at=MONDAY,
        tracking_url=f"https://hub.example/t/{order.ref}",
    )


def _record(order: IncomingOrder, target: str) -> DeliveryRecord:
    return DeliveryRecord(
        key=order.ref,
        order_ref=order.ref,
        order_number=order.number,
        outcome="succeeded",
        at=MONDAY,
        target=target,
        documents=(Document("POD.pdf", "application/pdf", order.ref.encode()),),
    )


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns after microseconds instead of milliseconds."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("kind", [AtShopify, AtWooCommerce, AtShipStation, AtXero])
def test_no_request_for_one_shop_carries_the_others_token(
    kind: Callable[[str], Any], tmp_path: Path
) -> None:
    world = World(kind, tmp_path)
    turns = [(name, n) for n in range(ORDERS) for name in world.shops]
    with ThreadPoolExecutor(len(turns)) as pool:
        work = [pool.submit(world.work, *turn) for turn in turns]
    failed = [error for one in work if (error := one.exception())]
    assert world.post.mixed_up == []
    assert failed == []
    seen = [(name, one.result()) for (name, _), one in zip(turns, work, strict=True)]
    assert all(people <= {name} for name, people in seen)  # what is fulfilled comes no more
    assert set().union(*(people for _, people in seen)) == set(world.shops)
    assert {name: shop.told() for name, shop in world.shops.items()} == {
        name: {name} for name in world.shops
    }
