"""The store in memory does what a real one was recorded doing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from woocommerce.oauth import OAuth

from hub import Tools
from hub.testing import WsgiAdapter, serve
from tests.connectors.woocommerce_worlds import needs_data
from tests.fakes.woocommerce import KEY, SECRET, Store
from tests.fakes.woocommerce_schemas import answered, recorded, sample

pytestmark = needs_data
API = "https://shop.test/wp-json/wc/v3"


@pytest.fixture
def ask(store: Store, tools: Tools) -> Any:
    tools.http.mount("https://shop.test", WsgiAdapter(store))
    tools.http.mount("http://shop.test", WsgiAdapter(store))

    def ask(method: str, path: str, *, auth: Any = (KEY, SECRET), **given: Any) -> Any:
        url = path if path.startswith("http") else f"{API}/{path}"
        return tools.http.request(method, url, auth=auth, **given)

    return ask


def test_real_answers_pass_its_judgement() -> None:
    answered("order", sample("sample-order-wc10.9.1.json"))
    answered("products", sample("sample-product.json"))
    answered("webhooks", sample("sample-webhook.json"))
    for note in sample("sample-order-notes.json"):
        answered("notes", note)
    for name in ("order create mixed", "order no shipping address", "meta add", "complete"):
        answered("order", recorded()[name]["response"]["json"])


def test_its_orders_have_the_fields_of_real_ones(store: Store, ask: Any) -> None:
    number = store.place()
    assert (
        ask("GET", f"orders/{number}").json().keys() == sample("sample-order-wc10.9.1.json").keys()
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [("bad status", "orders/11"), ("orders bad date", "orders"), ("404", "orders/999999")],
)
def test_it_refuses_in_the_real_words(store: Store, ask: Any, name: str, path: str) -> None:
    store.place()
    exchange = recorded()[name]
    request, real = exchange["request"], exchange["response"]
    reply = ask(request["method"], path, params=request["params"], json=request["json"])
    assert reply.status_code == real["status"]
    assert reply.json()["code"] == real["json"]["code"]
    assert reply.json()["data"].get("params") == real["json"]["data"].get("params")


def test_a_page_past_the_end_is_empty_and_says_there_is_nothing(store: Store, ask: Any) -> None:
    store.place()
    query = {"page": "9", "orderby": "modified", "per_page": "100"}
    reply = ask("GET", "orders", params=query)
    assert reply.json() == []
    assert (reply.headers["X-WP-Total"], reply.headers["X-WP-TotalPages"]) == ("0", "0")


def test_more_than_a_hundred_to_a_page_is_refused(ask: Any) -> None:
    reply = ask("GET", "orders", params={"per_page": "101"})
    assert (reply.status_code, reply.json()["code"]) == (400, "rest_invalid_param")


@pytest.mark.parametrize(
    ("after", "gmt", "found"),
    [
        ("{gmt}", "true", True),
        ("{gmt}Z", "", True),
        ("{gmt}", "", True),  # read as Sydney's: eleven hours too early
        ("{gmt}Z", "true", False),  # shifted twice
    ],
)
def test_times_are_misread_as_by_a_store_in_sydney(
    store: Store, ask: Any, after: str, gmt: str, found: bool
) -> None:
    store.place(at=datetime.fromisoformat("2024-03-04T06:00:00+00:00"))
    before = (store.now - timedelta(minutes=1)).replace(tzinfo=None).isoformat()
    query = {"orderby": "modified", "modified_after": after.format(gmt=before)}
    reply = ask("GET", "orders", params=query | ({"dates_are_gmt": gmt} if gmt else {}))
    assert bool(reply.json()) is found


def test_west_of_greenwich_a_time_without_its_zone_misses_orders(store: Store, ask: Any) -> None:
    store.zone = "America/Los_Angeles"
    store.place()
    before = (store.now - timedelta(minutes=1)).replace(tzinfo=None).isoformat()
    query = {"orderby": "modified", "modified_after": before}
    assert ask("GET", "orders", params=query).json() == []


def test_modified_after_is_strictly_greater(store: Store, ask: Any) -> None:
    store.place()
    instant = store.now.replace(tzinfo=None).isoformat()
    query = {"orderby": "modified", "modified_after": instant, "dates_are_gmt": "true"}
    assert ask("GET", "orders", params=query).json() == []


def test_a_batch_is_answered_200_with_an_error_for_each_that_failed(store: Store, ask: Any) -> None:
    number = store.place()
    update = [{"id": number, "status": "completed"}, {"id": number, "status": "eaten"}, {"id": 9}]
    reply = ask("POST", "orders/batch", json={"update": update})
    assert reply.status_code == 200
    good, *bad = reply.json()["update"]
    assert good["status"] == "completed"
    assert all("error" in one for one in bad)


def test_basic_over_http_is_turned_away(ask: Any) -> None:
    reply = ask("GET", "http://shop.test/wp-json/wc/v3/orders")
    assert (reply.status_code, reply.json()["code"]) == (401, "woocommerce_rest_cannot_view")


def test_a_signature_counts_once_in_time_and_for_what_was_signed(ask: Any) -> None:
    url = "http://shop.test/wp-json/wc/v3/orders?orderby=modified&status=a-b%2Cc"
    url = url.replace("a-b%2Cc", "processing%2Con-hold")
    signed = OAuth(url, KEY, SECRET, version="wc/v3", method="GET").get_oauth_url()
    assert ask("GET", signed, auth=None).status_code == 200
    assert ask("GET", signed, auth=None).status_code == 401
    signed = OAuth(url, KEY, SECRET, version="wc/v3", method="GET").get_oauth_url()
    assert ask("GET", signed.replace("on-hold", "failed"), auth=None).status_code == 401
    assert ask("GET", signed, auth=None).status_code == 200
    old = OAuth(url, KEY, SECRET, version="wc/v3", method="GET", oauth_timestamp=1).get_oauth_url()
    assert ask("GET", old, auth=None).status_code == 401


def test_a_webhook_is_switched_off_after_failures_in_a_row(store: Store, ask: Any) -> None:
    body = {"topic": "order.created", "delivery_url": "https://hub.test", "secret": "s"}
    number = ask("POST", "webhooks", json=body).json()["id"]
    [ping] = store.calls()
    assert ping.body == f"webhook_id={number}".encode()
    for _ in range(6):
        store.place()
        [call] = store.calls()
        store.got(call, 500)
    assert store.webhooks[number]["status"] == "disabled"
    store.place()
    assert store.calls() == []


def test_webhooks_have_no_bin(store: Store, ask: Any) -> None:
    body = {"topic": "order.created", "delivery_url": "https://hub.test", "secret": "s"}
    number = ask("POST", "webhooks", json=body).json()["id"]
    assert ask("DELETE", f"webhooks/{number}").status_code == 501
    assert ask("DELETE", f"webhooks/{number}", params={"force": "true"}).status_code == 200


def test_a_parameter_that_is_none_is_a_mistake(tools: Tools) -> None:
    """A real store ignores it, so nobody would ever notice."""
    store = Store()
    tools.http.mount("https://shop.test", WsgiAdapter(store))
    query = {"updated_since": "2024-03-04"}
    tools.http.request("GET", f"{API}/orders", params=query, auth=(KEY, SECRET))
    assert store.mistakes


@pytest.mark.parametrize("lacking", ["app_name", "user_id", "callback_url"])
def test_its_page_asks_for_all_it_needs(ask: Any, lacking: str) -> None:
    query = {
        "app_name": "Hub",
        "scope": "read_write",
        "user_id": "1",
        "return_url": "https://hub.test",
        "callback_url": "https://hub.test",
    }
    page = "https://shop.test/wc-auth/v1/authorize"
    assert ask("GET", page, auth=None, params=query).status_code == 200
    for wrong in ({lacking: None}, {"scope": "all"}, {"callback_url": "http://hub.test"}):
        assert ask("GET", page, auth=None, params={**query, **wrong}).status_code == 401


def test_on_a_port_behind_https_basic_counts(store: Store) -> None:
    store.behind_https = True
    with serve(store) as address:
        reply = requests.get(f"{address}wp-json/wc/v3/orders", auth=(KEY, SECRET), timeout=5)
    assert reply.status_code == 200
