"""A shop rings, and only the shop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.shopify.webhooks import TOPICS
from hub import BadSignature, Tools, Unavailable
from hub.testing import WEBHOOK_SECRET
from tests.connectors.shopify_worlds import as_request, connected, needs_data
from tests.fakes.shopify import FakeShopify
from tests.fakes.shopify_schema import FILE, schema

pytestmark = needs_data
URL = "https://hub.example/hooks/in/abc"
EXAMPLES = sorted((FILE / "webhooks").rglob("*.json"))


@pytest.mark.parametrize("prefix", ["X-", ""])
def test_a_genuine_call_rings_by_the_webhooks_id(
    shop: FakeShopify, tools: Tools, prefix: str
) -> None:
    call = shop.call("orders/create", id="b54557e4", prefix=prefix)
    assert connected(shop, tools).verify(as_request(call)) == "b54557e4"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_shopifys_own_examples_ring(shop: FakeShopify, tools: Tools, example: Path) -> None:
    topic = f"{example.parent.name}/{example.stem}"
    call = shop.call(topic, json.loads(example.read_text())["response"], id="1")
    assert connected(shop, tools).verify(as_request(call)) == "1"


def test_a_repeat_has_the_same_id_and_another_event_has_not(
    shop: FakeShopify, tools: Tools
) -> None:
    source = connected(shop, tools)
    call = shop.call("orders/updated")
    first, again = (source.verify(as_request(call)) for _ in range(2))
    assert first == again != source.verify(as_request(shop.call("orders/updated")))


def test_a_forged_call_is_refused(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools)
    headers, body = shop.call("orders/create")
    for forged in (
        shop.call("orders/create", secret="guessed"),
        (headers, body + b" "),
        ({**headers, "x-shopify-hmac-sha256": ""}, body),
        ({**headers, "x-shopify-hmac-sha256": "ÅÄÖ"}, body),
        ({}, body),
    ):
        with pytest.raises(BadSignature):
            source.verify(as_request(forged))


def test_without_the_secret_nothing_is_believed(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools, client_secret="")
    with pytest.raises(BadSignature):
        source.verify(as_request(shop.call("orders/create", secret="")))


def test_a_call_about_another_shop_of_the_same_app_is_refused(
    shop: FakeShopify, tools: Tools
) -> None:
    call = as_request(shop.call("orders/create"), **{"x-shopify-shop-domain": "b.myshopify.com"})
    with pytest.raises(BadSignature):
        connected(shop, tools).verify(call)


@pytest.mark.parametrize("topic", ["shop/redact", "customers/data_request", "products/update"])
def test_a_call_about_no_order_rings_for_nobody(
    shop: FakeShopify, tools: Tools, topic: str
) -> None:
    assert connected(shop, tools).verify(as_request(shop.call(topic))) is None


def test_a_test_of_the_address_rings_for_nobody(shop: FakeShopify, tools: Tools) -> None:
    call = as_request(shop.call("orders/create"), **{"x-shopify-test": "true"})
    assert connected(shop, tools).verify(call) is None


def test_a_call_is_told_without_any_credentials(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, replace(tools, tokens=None), "own", client_id="elsewhere")
    assert source.verify(as_request(shop.call("orders/create", id="1"))) == "1"


def test_every_topic_is_subscribed_once_and_carries_no_names(
    shop: FakeShopify, tools: Tools
) -> None:
    source = connected(shop, tools)
    assert source.subscribe(URL) == ""
    assert source.subscribe(URL) == ""
    hooks = list(shop.state.hooks.values())
    assert sorted(hook["topic"] for hook in hooks) == sorted(TOPICS)
    assert {hook["uri"] for hook in hooks} == {URL}
    orders = [hook for hook in hooks if hook["topic"].startswith("ORDERS_")]
    assert all(hook["includeFields"] == ["id", "updated_at"] for hook in orders)


def test_topics_are_shopifys(shop: FakeShopify) -> None:
    assert set(TOPICS) <= set(schema().type_map["WebhookSubscriptionTopic"].values)  # type: ignore[attr-defined]


def test_what_shopify_dropped_is_subscribed_again(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools)
    source.subscribe(URL)
    shop.drop_hooks()
    source.subscribe(URL)
    assert len(shop.state.hooks) == len(TOPICS)


def test_a_new_address_replaces_the_old(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools)
    source.subscribe(URL)
    source.subscribe(URL + "d")
    assert {hook["uri"] for hook in shop.state.hooks.values()} == {URL + "d"}
    assert len(shop.state.hooks) == len(TOPICS)


def test_a_subscription_cut_off_in_its_middle_is_finished(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools)
    shop.cut_off("HubHook")
    with pytest.raises(Unavailable):
        source.subscribe(URL)
    source.subscribe(URL)
    assert len(shop.state.hooks) == len(TOPICS)


def test_other_connections_of_the_same_app_keep_theirs(shop: FakeShopify, tools: Tools) -> None:
    other = connected(shop, replace(tools, webhook_secret=WEBHOOK_SECRET[::-1]))
    other.subscribe("https://hub.example/hooks/in/other")
    source = connected(shop, tools)
    source.subscribe(URL)
    source.unsubscribe()
    source.unsubscribe()
    assert {hook["uri"] for hook in shop.state.hooks.values()} == {
        "https://hub.example/hooks/in/other"
    }


def test_without_the_secret_a_person_is_told_what_to_enter(shop: FakeShopify, tools: Tools) -> None:
    assert "client secret" in connected(shop, tools, client_secret="").subscribe(URL)
    assert not shop.state.hooks


def test_a_shop_that_withholds_customers_data_says_what_to_ask_for(
    shop: FakeShopify, tools: Tools
) -> None:
    shop.approved = False
    assert "Protected customer data access" in connected(shop, tools).subscribe(URL)


def test_a_version_that_expired_is_said_every_day(shop: FakeShopify, tools: Tools) -> None:
    said = connected(shop, tools, api_version="2024-01").subscribe(URL)
    assert "2024-01" in said
    assert "2025-10" in said
