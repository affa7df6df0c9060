"""Shopify keeps the promises of all that it can do, whichever way it was connected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

import pytest

from connectors.shopify.source import Shopify
from hub import Tools, WebhookRequest
from hub.testing import (
    WEBHOOK_SECRET,
    OAuthConformance,
    OrderSourceConformance,
    WebhooksConformance,
    WriteBackConformance,
)
from tests.connectors.shopify_worlds import as_request, connected, needs_data
from tests.fakes.shopify import FakeShopify, sign

pytestmark = needs_data


class TestShopify(OrderSourceConformance):
    way = "token"

    @pytest.fixture
    def shop(self) -> Iterator[FakeShopify]:
        shop = FakeShopify(page_size=4)
        yield shop
        assert not shop.wrong

    def source(self, shop: FakeShopify, tools: Tools) -> Shopify:
        return connected(shop, tools, self.way)


class TestShopifyOfOnesOwn(TestShopify):
    way = "own"


class TestShopifysCalls(WebhooksConformance):
    exempt: ClassVar = {
        "test_what_the_other_side_ended_is_put_back[switched off]": "Shopify has no switch for them"
    }

    @pytest.fixture
    def remote(self) -> Iterator[FakeShopify]:
        shop = FakeShopify()
        yield shop
        assert not shop.wrong

    def connection(self, remote: FakeShopify, tools: Tools) -> Shopify:
        return connected(remote, tools)

    def happens(self, remote: FakeShopify, ref: str) -> list[WebhookRequest]:
        """Shopify signs with the app's secret, whatever was subscribed."""
        return [as_request(remote.call("orders/updated", {"id": ref}, id=f"call-{ref}"))]

    def ping(self, remote: FakeShopify) -> WebhookRequest:
        return as_request(remote.call("customers/redact", {"id": 1}))

    def subscriptions(self, remote: FakeShopify) -> list[str]:
        return [f"{hook['topic']} {hook['uri']}" for hook in remote.state.hooks.values()]

    def lose(self, remote: FakeShopify, how: str) -> bool:
        if how == "deleted":
            remote.drop_hooks()
        return how == "deleted"

    def keyless(self, remote: FakeShopify, tools: Tools) -> Shopify:
        return connected(remote, tools, client_secret="")

    def another(self, remote: FakeShopify, tools: Tools) -> Shopify:
        """Of another app; what tells two of one app apart is the shop's name in the call."""
        tools = replace(tools, webhook_secret=WEBHOOK_SECRET[::-1])
        return connected(remote, tools, client_secret="shpss_another-5ecret")

    def forged(self, remote: FakeShopify, genuine: WebhookRequest) -> dict[str, WebhookRequest]:
        unkeyed = as_request(remote.call("orders/updated", secret=""))
        elsewhere = {**genuine.headers, "x-shopify-shop-domain": "other.myshopify.com"}
        return {
            "signed with nothing": unkeyed,
            "about another shop of the same app": replace(genuine, headers=elsewhere),
        }


class TestShopifyIsTold(WriteBackConformance):
    shows: ClassVar = {
        "dispatched": "CONFIRMED",
        "on_the_way": "OUT_FOR_DELIVERY",
        "closed succeeded": "DELIVERED",
        "closed partial": "DELIVERED",
        "closed failed": "ATTEMPTED_DELIVERY",
        "closed skipped": "DELAYED",
        "cancelled": "FAILURE",
    }
    exempt: ClassVar = {
        "test_proof_that_comes_late_is_told_once": "Shopify is told of proof with the delivery, and not later"
    }

    @pytest.fixture
    def shop(self) -> Iterator[FakeShopify]:
        shop = FakeShopify()
        yield shop
        assert not shop.wrong

    def source(self, shop: FakeShopify, tools: Tools) -> Shopify:
        shop.scopes.append("write_orders")
        return connected(shop, tools, tag_orders=True)

    def place(self, shop: FakeShopify) -> tuple[str, str]:
        order = shop.state.place()
        return order["own"][0]["id"].rpartition("/")[2], order["name"]

    def told(self, shop: FakeShopify, ref: str) -> list[str]:
        made = shop.fulfilments(ref)
        events = [e["status"] for fulfilment in made for e in fulfilment["told"]]
        parts = [f"fulfilled {fulfilment['taken']}" for fulfilment in made]
        mails = [name for name in shop.state.mailed if name == shop.order_of(ref)["name"]]
        return [*events, *parts, *shop.order_of(ref)["tags"], *mails]

    def links(self, shop: FakeShopify, ref: str) -> list[str]:
        return [fulfilment["info"]["url"] for fulfilment in shop.fulfilments(ref)]

    def remove(self, shop: FakeShopify, ref: str) -> None:
        del shop.state.units[shop.unit(ref)["id"]]

    def call_off(self, shop: FakeShopify, ref: str) -> None:
        shop.state.cancel(shop.order_of(ref))

    def is_called_off(self, shop: FakeShopify, ref: str) -> bool:
        return bool(shop.order_of(ref)["cancelledAt"]) and not shop.fulfilments(ref)


class TestShopifyLetsIn(OAuthConformance):
    exempt: ClassVar = {
        "test_who_declines_is_told_so": "who declines stays at Shopify and never comes back"
    }

    @pytest.fixture
    def remote(self) -> FakeShopify:
        return FakeShopify()

    def connection(self, remote: FakeShopify, tools: Tools) -> Shopify:
        return connected(remote, tools, "oauth")

    def consent(self, remote: FakeShopify, url: str, *, allow: bool) -> dict[str, str] | None:
        return remote.approve(url) if allow else None

    def forged(self, remote: FakeShopify, query: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        signed = {name: value for name, value in query.items() if name != "hmac"}
        guessed = {**signed, "code": "gu3ssed"}
        elsewhere = {**signed, "shop": "other.myshopify.com"}
        return {
            "whose code was changed": {**query, "code": "gu3ssed"},
            "without a signature": signed,
            "signed by somebody else": {**signed, "hmac": sign(signed, "guessed")},
            "with a code nobody gave out": {**guessed, "hmac": sign(guessed)},
            "of another shop": {**elsewhere, "hmac": sign(elsewhere)},
        }

    def expire(self, remote: FakeShopify) -> None:
        remote.tokens = dict.fromkeys(remote.tokens, remote.now())

    def forget(self, remote: FakeShopify) -> None:
        remote.state.uninstalled = True
        remote.refreshers.clear()
