"""WooCommerce keeps the promises of all that it can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from connectors.woocommerce.source import WooCommerce
from hub import Tools, WebhookRequest
from hub.testing import OrderSourceConformance, WebhooksConformance, WriteBackConformance
from tests.connectors.woocommerce_worlds import as_request, connected, needs_data
from tests.fakes.woocommerce import Store

pytestmark = needs_data


class TestWooCommerce(OrderSourceConformance):
    origin = "https://shop.test"
    zone = "Australia/Sydney"

    @pytest.fixture
    def shop(self) -> Iterator[Store]:
        store = Store(page_size=4, zone=self.zone)
        yield store
        assert not store.mistakes

    def source(self, shop: Store, tools: Tools) -> WooCommerce:
        return connected(shop, tools, self.origin)


class TestWooCommerceWithoutHttpsAndWestOfGreenwich(TestWooCommerce):
    """Signed by OAuth 1.0a; and where a time taken for the store's own would hide orders."""

    origin = "http://shop.test"
    zone = "America/Los_Angeles"


class TestWooCommercesCalls(WebhooksConformance):
    @pytest.fixture
    def remote(self) -> Iterator[Store]:
        store = Store()
        yield store
        assert not store.mistakes

    def connection(self, remote: Store, tools: Tools) -> WooCommerce:
        return connected(remote, tools)

    def happens(self, remote: Store, ref: str) -> list[WebhookRequest]:
        remote.calls()  # pings, and what happened before
        remote.place(customer_note=ref)
        return [as_request(call) for call in remote.calls()]

    def ping(self, remote: Store) -> WebhookRequest:
        return as_request(remote.calls()[0])

    def subscriptions(self, remote: Store) -> list[str]:
        hooks = remote.webhooks.values()
        return [f"{h['topic']} {h['delivery_url']}" for h in hooks if h["status"] == "active"]

    def lose(self, remote: Store, how: str) -> bool:
        if how == "deleted":
            remote.webhooks.clear()
        for hook in remote.webhooks.values():
            hook["status"] = "disabled"
        return True


class TestWooCommerceIsTold(WriteBackConformance):
    shows: ClassVar = {
        "dispatched": "status with-driver",
        "on_the_way": "to the customer: Your order is on its way",
        "closed succeeded": "status completed",
        "closed partial": "Partly delivered",
        "closed failed": "Not delivered",
        "closed skipped": "Not attempted",
        "cancelled": "Delivery called off",
    }

    @pytest.fixture
    def shop(self) -> Iterator[Store]:
        store = Store(custom={"with-driver": "With driver", "on-its-way": "On its way"})
        yield store
        assert not store.mistakes

    def source(self, shop: Store, tools: Tools) -> WooCommerce:
        told = {"status_dispatched": "with-driver", "status_on_the_way": "on-its-way"}
        return connected(shop, tools, customer_notes="both", **told)

    def place(self, shop: Store) -> tuple[str, str]:
        number = str(shop.place())
        return number, number

    def told(self, shop: Store, ref: str) -> list[str]:
        notes = [n for n in shop.order_notes.get(int(ref), []) if "Order status" not in n["note"]]
        said = [
            f"{'to the customer: ' if n['customer_note'] else ''}{n['note'].partition(' [')[0]}"
            for n in notes
        ]
        mails = [f"mail {mail}" for mail in shop.mails if mail.startswith(f"{ref}: Your order")]
        return [f"status {shop.orders[int(ref)]['status']}", *said, *mails]

    def links(self, shop: Store, ref: str) -> list[str]:
        meta = shop.orders[int(ref)]["meta_data"]
        return [one["value"] for one in meta if one["key"] == "_lmh_tracking_url"]

    def remove(self, shop: Store, ref: str) -> None:
        shop.delete(int(ref))

    def call_off(self, shop: Store, ref: str) -> None:
        shop.change(int(ref), status="cancelled")

    def is_called_off(self, shop: Store, ref: str) -> bool:
        return bool(shop.orders[int(ref)]["status"] == "cancelled")
