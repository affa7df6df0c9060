"""A bakery that sells by WooCommerce, and the connection to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from connectors.woocommerce.source import WooCommerce
from hub import IncomingOrder, OrderPage, OrderProgress, Tools, WebhookRequest
from hub.testing import WsgiAdapter
from tests.fakes.woocommerce import KEY, SECRET, Call, Store
from tests.fakes.woocommerce_schemas import HERE

needs_data = pytest.mark.skipif(not HERE, reason="HUB_TEST_DATA has no WooCommerce schemas")
ORIGIN = "https://shop.test"
NOON = datetime(2024, 3, 4, 12, 0, tzinfo=UTC)


def connected(store: Store, tools: Tools, origin: str = ORIGIN, **settings: object) -> WooCommerce:
    tools.http.mount(origin, WsgiAdapter(store))
    given = {"url": origin, "consumer_key": KEY, "consumer_secret": SECRET, **settings}
    return WooCommerce(WooCommerce.Settings.model_validate(given), tools)


def news(source: WooCommerce, cursor: str | None = None) -> list[IncomingOrder]:
    return orders_of(list(source.pages(cursor)))


def orders_of(pages: Sequence[OrderPage]) -> list[IncomingOrder]:
    return [order for page in pages for order in page.orders]


def end(source: WooCommerce, cursor: str | None = None) -> str:
    """The cursor after reading all that is new."""
    pages = list(source.pages(cursor))
    return pages[-1].cursor if pages else cursor or ""


def report(number: int, stage: str, outcome: str = "", **known: object) -> OrderProgress:
    key = f"event-{number}-{stage}-{outcome}"
    given: dict[str, object] = {"key": key, "at": NOON, "outcome": outcome, "stage": stage}
    given |= {"order_ref": str(number), "order_number": str(number), **known}
    return OrderProgress(**given)  # type: ignore[arg-type]


def as_request(call: Call, **headers: str) -> WebhookRequest:
    return WebhookRequest({**call.headers, **headers}, call.body, call.url)
