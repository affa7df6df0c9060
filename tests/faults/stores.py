"""Stores and books with as many orders as one likes, all placed on the same morning.

Their clock is the hub's, a file: an hour's wait for a vendor's limit passes in no time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.fakes.shipstation import FakeShipStation
from tests.fakes.shipstation_spec import V2_HOST
from tests.fakes.shopify import KEY, SECRET, FakeShopify
from tests.fakes.woocommerce import Store
from tests.fakes.xero import ORIGINS, FakeXero

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
CLOCK = "clock"


def clock_of(folder: Path) -> Callable[[], datetime]:
    return lambda: datetime.fromisoformat((folder / CLOCK).read_text())


def set_clock(folder: Path, at: datetime) -> None:
    """Whole or not at all: somebody else reads it."""
    beside = folder / f"{CLOCK}.new"
    beside.write_text(at.isoformat())
    beside.replace(folder / CLOCK)


@dataclass
class Account:
    """A business's account at a vendor; ``asked`` counts what was asked of it."""

    plugin: str
    app: Any
    origins: tuple[str, ...]
    settings: dict[str, Any]
    asked: int = 0
    refused: int = 0
    refs: set[str] = field(default_factory=set)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        environ["wsgi.url_scheme"] = "https"  # as the vendor's own front door has it

        def begin(status: str, headers: Any, *more: Any) -> Any:
            self.asked += 1
            self.refused += status.startswith("429")
            return start_response(status, headers, *more)

        return self.app(environ, begin)


def at_shopify(folder: Path, orders: int) -> Account:
    shop = FakeShopify(now=clock_of(folder), page_size=250)
    for n in range(orders):
        shop.put(str(n), placed(n))
    settings = {"way": "own", "shop": shop.shop, "client_id": KEY, "client_secret": SECRET}
    account = Account("shopify", shop, (f"https://{shop.shop}",), settings)
    account.refs = {shop.ref_of(str(n)) for n in range(orders)}
    return account


def at_woocommerce(folder: Path, orders: int) -> Account:
    store = Store(now=MONDAY)
    numbers = [store.place(at=placed(n)) for n in range(orders)]
    url = "https://shop.test"
    keys = {"consumer_key": store.key, "consumer_secret": store.secret}
    account = Account("woocommerce", store, (url,), {"way": "keys", "url": url, **keys})
    account.refs = {str(number) for number in numbers}
    return account


def at_shipstation(folder: Path, orders: int) -> Account:
    shop = FakeShipStation()
    shop.clock = clock_of(folder)
    shop.seconds = lambda: shop.clock().timestamp()
    shop.page_size = 500
    for n in range(orders):
        shop.place(str(n), placed(n))
    account = Account("shipstation", shop.app, (V2_HOST,), {"way": "v2", "v2_key": shop.secret})
    account.refs = {shop.ref_of(str(n)) for n in range(orders)}
    return account


def at_xero(folder: Path, orders: int) -> Account:
    fake = FakeXero(now=clock_of(folder), page_size=100)
    fake.custom_apps.add(fake.client_id)
    invoices = [fake.put(str(n), placed(n)) for n in range(orders)]
    settings = {"way": "custom", "client_id": fake.client_id, "client_secret": fake.secret}
    account = Account("xero", fake, ORIGINS, settings)
    account.refs = {invoice["InvoiceID"] for invoice in invoices}
    return account


def placed(n: int) -> datetime:
    return MONDAY - timedelta(seconds=n % 3600)


ACCOUNTS = {
    "shopify": at_shopify,
    "woocommerce": at_woocommerce,
    "shipstation": at_shipstation,
    "xero": at_xero,
}
