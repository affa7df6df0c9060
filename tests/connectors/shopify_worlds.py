"""A bakery that sells by Shopify, and the connection to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.shopify.source import Shopify
from hub import IncomingOrder, OrderPage, OrderProgress, Tools, WebhookRequest
from hub.testing import WsgiAdapter
from tests.fakes.shopify import KEY, SECRET, TOKEN, FakeShopify
from tests.fakes.shopify_schema import SCHEMA

needs_data = pytest.mark.skipif(
    not SCHEMA.is_file(), reason="HUB_TEST_DATA has no schema of Shopify's"
)
NOON = datetime(2024, 3, 4, 12, 0, tzinfo=UTC)
LINK = "https://hub.example/t/abc"
WAYS = {
    "token": {"token": TOKEN, "client_secret": SECRET},
    "own": {"client_id": KEY, "client_secret": SECRET},
    "oauth": {"client_id": KEY, "client_secret": SECRET},
}


def connected(shop: FakeShopify, tools: Tools, way: str = "token", **settings: Any) -> Shopify:
    tools.http.mount(f"https://{shop.shop}", WsgiAdapter(shop))
    given = {"shop": shop.shop, "way": way, **WAYS[way], **settings}
    return Shopify(Shopify.Settings.model_validate(given), tools)


def orders_of(pages: Iterable[OrderPage]) -> list[IncomingOrder]:
    return [order for page in pages for order in page.orders]


def the_order(source: Shopify) -> IncomingOrder:
    [order] = orders_of(source.pages(None))
    return order


def end(source: Shopify, cursor: str | None = None) -> str:
    """The cursor after reading all that is new."""
    return list(source.pages(cursor))[-1].cursor


def report(ref: str, stage: Any, outcome: str = "", **known: Any) -> OrderProgress:
    given: dict[str, Any] = {"key": f"event-{ref}-{stage}-{outcome}", "at": NOON}
    given |= {"order_ref": ref, "order_number": "#1001", "tracking_url": LINK}
    return OrderProgress(**{**given, "stage": stage, "outcome": outcome, **known})


def as_request(call: tuple[dict[str, str], bytes], **headers: str) -> WebhookRequest:
    return WebhookRequest({**call[0], **headers}, call[1])


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def later(self, **span: float) -> None:
        self.at += timedelta(**span)
