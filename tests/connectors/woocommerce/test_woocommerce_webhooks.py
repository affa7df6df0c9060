"""A store that rings: the bell is believed only if it is the store's."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode

import pytest

from connectors.woocommerce import webhooks
from hub import AuthError, BadSignature, Tools, WebhookRequest
from hub.testing import WEBHOOK_SECRET
from tests.connectors.woocommerce_worlds import as_request, connected, needs_data
from tests.fakes.woocommerce import Call, Store
from tests.fakes.woocommerce_schemas import WHERE

pytestmark = needs_data
BELL = "https://hub.test/hooks/7"


def ringing(store: Store) -> list[Call]:
    return [call for call in store.calls() if b"webhook_id" not in call.body]


def test_one_webhook_for_each_topic_rings(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    assert shop.subscribe(BELL) == ""
    assert [hook["topic"] for hook in store.webhooks.values()] == list(webhooks.TOPICS)
    store.place()
    ids = [shop.verify(as_request(call)) for call in ringing(store)]
    assert len(set(ids)) == 2  # created and updated, with the same body


def test_the_ping_of_a_new_webhook_is_about_nothing(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    pings = store.calls()
    assert len(pings) == 4
    assert [shop.verify(as_request(ping)) for ping in pings] == [None] * 4


def test_a_deletion_rings_with_nothing_but_a_number(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    number = store.place()
    shop.subscribe(BELL)
    store.calls()
    store.trash(number)
    [call] = ringing(store)
    assert json.loads(call.body) == {"id": number}
    assert shop.verify(as_request(call))


def test_a_replayed_call_has_the_same_id_and_another_change_has_not(
    store: Store, tools: Tools
) -> None:
    """Though the store gives two orders of one second the same delivery id."""
    shop = connected(store, tools)
    shop.subscribe(BELL)
    store.calls()
    store.place()
    store.place()
    created = [c for c in ringing(store) if c.headers["x-wc-webhook-topic"] == "order.created"]
    assert len({call.headers["x-wc-webhook-delivery-id"] for call in created}) == 1
    first, second = (shop.verify(as_request(call)) for call in created)
    assert first != second
    assert shop.verify(as_request(created[0])) == first


def test_changes_while_a_call_waits_come_in_one(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    number = store.place()
    shop.subscribe(BELL)
    store.calls()
    for note in "abc":
        store.change(number, customer_note=note)
    [call] = ringing(store)
    assert json.loads(call.body)["customer_note"] == "c"


@pytest.mark.parametrize(
    "forged",
    [
        {"x-wc-webhook-signature": ""},
        {"x-wc-webhook-signature": "bm90IG91cnM="},
        {"x-wc-webhook-signature": "ñ"},
    ],
)
def test_a_call_that_is_not_signed_by_the_store_is_refused(
    store: Store, tools: Tools, forged: dict[str, str]
) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    store.calls()
    store.place()
    call = ringing(store)[0]
    with pytest.raises(BadSignature):
        shop.verify(as_request(call, **forged))
    with pytest.raises(BadSignature):
        shop.verify(WebhookRequest(call.headers, call.body + b" "))


@pytest.mark.parametrize("body", [b"", b"{}", b"webhook_id=1&order=2", b'{"id":16}'])
def test_what_is_neither_signed_nor_a_ping_is_refused(
    store: Store, tools: Tools, body: bytes
) -> None:
    with pytest.raises(BadSignature):
        connected(store, tools).verify(WebhookRequest({}, body))


def test_without_a_secret_nothing_is_believed() -> None:
    signature = b64encode(hmac.digest(b"", b"{}", "sha256")).decode()
    with pytest.raises(BadSignature):
        webhooks.call_id(WebhookRequest({"x-wc-webhook-signature": signature}, b"{}"), "")


def test_calls_of_a_real_store_are_genuine() -> None:
    recorded = (WHERE / "webhook-deliveries.jsonl").read_text().splitlines()
    ids = set()
    for call in map(json.loads, recorded):
        headers = {name.lower(): value for name, value in call["headers"].items()}
        request = WebhookRequest(headers, call["body"].encode())
        ids.add(webhooks.call_id(request, "s3cret"))
        with pytest.raises(BadSignature):
            webhooks.call_id(request, "another")
    assert len(ids) == len(recorded)
    assert None not in ids


def test_a_genuine_call_about_something_else_is_about_no_order(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    store.calls()
    store.place()
    call = ringing(store)[0]
    assert shop.verify(as_request(call, **{"x-wc-webhook-topic": "product.updated"})) is None


def test_subscribing_every_day_changes_nothing(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    before = dict(store.webhooks)
    store.asked.clear()
    assert shop.subscribe(BELL) == ""
    assert store.webhooks == before
    assert [line.split("?")[0] for line in store.asked] == ["GET webhooks"]


def test_a_webhook_that_the_store_switched_off_is_woken(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    for _ in range(7):
        store.calls()
        store.place()
        for call in ringing(store):
            store.got(call, 500)
    off = [hook for hook in store.webhooks.values() if hook["status"] == "disabled"]
    assert len(off) == 2
    next(iter(store.webhooks.values()))["status"] = "paused"
    shop.subscribe(BELL)
    assert {hook["status"] for hook in store.webhooks.values()} == {"active"}


def test_doubles_and_those_of_an_address_the_hub_left_are_removed(
    store: Store, tools: Tools
) -> None:
    shop = connected(store, tools)
    shop.subscribe("https://old.hub.test/hooks/7")
    shop.subscribe(BELL)
    mine = next(iter(store.webhooks.values()))
    store.webhooks[999] = {**mine, "id": 999}
    store.webhooks[998] = {**mine, "id": 998, "name": "Somebody else", "delivery_url": "https://x"}
    shop.subscribe(BELL)
    assert len(store.webhooks) == 5
    assert 998 in store.webhooks
    assert 999 not in store.webhooks


def test_more_webhooks_than_a_page_holds_hide_none(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    mine = next(iter(store.webhooks.values()))
    others = {n: {**mine, "id": n, "name": "Somebody else"} for n in range(1000, 1100)}
    store.webhooks = {**others, **store.webhooks}
    shop.subscribe(BELL)
    assert len(store.webhooks) == 104


def test_unsubscribing_stops_the_calls_and_may_be_repeated(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    shop.unsubscribe()
    shop.unsubscribe()
    assert store.webhooks == {}


def test_only_the_secret_is_needed_to_tell_a_genuine_call(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)
    shop.subscribe(BELL)
    store.calls()
    store.place()
    bare = connected(store, tools, consumer_key="", consumer_secret="")
    assert bare.verify(as_request(ringing(store)[0]))
    assert all(hook["secret"] == WEBHOOK_SECRET for hook in store.webhooks.values())


def test_an_address_that_no_store_can_call_is_said(store: Store, tools: Tools) -> None:
    assert "ports 80, 443 and 8080" in connected(store, tools).subscribe("https://hub.test:8443/h")


def test_keys_that_may_only_read_leave_it_to_looking(store: Store, tools: Tools) -> None:
    store.permissions = "read"
    assert "Read/Write" in connected(store, tools).subscribe(BELL)


@pytest.mark.parametrize("origin", ["https://shop.test", "http://shop.test"])
def test_keys_that_count_no_more_are_said(store: Store, tools: Tools, origin: str) -> None:
    """Not as keys that may only read, though over http the code is the same."""
    store.be("locked")
    shop = connected(store, tools, origin)
    with pytest.raises(AuthError, match="does not accept these keys"):
        shop.subscribe(BELL)
    with pytest.raises(AuthError, match="does not accept these keys"):
        shop.unsubscribe()
