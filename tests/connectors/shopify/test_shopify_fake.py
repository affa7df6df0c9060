"""The fake is as strict as Shopify: what would fail there fails here, and loudly."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from graphql import parse, validate

from connectors.shopify import queries
from connectors.shopify.reading import SIZES
from hub.testing import serve
from tests.connectors.shopify_worlds import needs_data
from tests.fakes.shopify import KEY, SECRET, TOKEN, FakeShopify
from tests.fakes.shopify_schema import MOST, cost, read, schema

pytestmark = needs_data
DOCUMENTS = {
    name: text for name, text in vars(queries).items() if name.isupper() and name[0] != "_"
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_all_that_is_asked_is_in_shopifys_schema(name: str) -> None:
    assert validate(schema(), parse(DOCUMENTS[name])) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_that_is_asked_is_deprecated(name: str) -> None:
    from graphql import NoDeprecatedCustomRule

    assert validate(schema(), parse(DOCUMENTS[name]), [NoDeprecatedCustomRule]) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_costs_more_than_one_query_may(name: str) -> None:
    assert cost(read(DOCUMENTS[name]), {"first": 1, **SIZES}) <= MOST


def asked(base: str, document: str, /, token: str = TOKEN, **variables: Any) -> requests.Response:
    return requests.post(
        f"{base}admin/api/2026-07/graphql.json",
        json={"query": document, "variables": variables},
        headers={"X-Shopify-Access-Token": token},
        timeout=10,
    )


def test_it_is_a_shop_on_a_port_and_remembers_what_is_wrong() -> None:
    shop = FakeShopify()
    with serve(shop) as base:
        assert asked(base, queries.SHOP).json()["data"]["shop"]["name"] == "Husk"
        assert asked(base, queries.SHOP, token="other").status_code == 401
        reply = asked(base, "query A { shop { nickname } }").json()
        assert reply["errors"][0]["extensions"]["code"] == "undefinedField"
        assert requests.get(f"{base}elsewhere", timeout=10).status_code == 404
    assert len(shop.wrong) == 2


def test_an_input_that_shopify_would_not_take_is_an_error() -> None:
    shop = FakeShopify()
    with serve(shop) as base:
        event = {"fulfillmentId": "gid://shopify/Fulfillment/1", "status": "RETURNED"}
        assert asked(base, queries.EVENT, event=event).json()["errors"]
    assert "RETURNED" in shop.wrong[0]


def test_a_search_that_shopify_would_ignore_is_an_error() -> None:
    shop = FakeShopify()
    with serve(shop) as base:
        for search in (
            "updated_at:>='yesterday'",
            "colour:blue",
            "updated_at:>=2024-01-01T10:00:00Z",
        ):
            reply = asked(base, queries.ORDERS, first=1, query=search, **SIZES)
            assert reply.json()["errors"]
    assert len(shop.wrong) == 3


def test_it_can_be_slow() -> None:
    shop = FakeShopify()
    shop.delay_s = 0.2
    with serve(shop) as base:
        begun = time.monotonic()
        asked(base, queries.SHOP)
    assert time.monotonic() - begun >= 0.2


def test_its_owner_approves_by_a_page() -> None:
    shop = FakeShopify()
    with serve(shop) as base:
        query = {"client_id": KEY, "scope": "read_orders", "state": "s"}
        query |= {"redirect_uri": "https://hub.example/back"}

        def decides(form: dict[str, str]) -> requests.Response:
            where = f"{base}admin/oauth/authorize"
            about = {"params": query, "allow_redirects": False, "timeout": 10}
            assert "Install" in requests.get(where, **about).text
            return requests.post(where, data=form, **about)

        assert decides({}).headers["Location"] == "/admin"
        assert shop.codes == set()
        back = decides({"install": "1"})
        assert back.status_code == 302
        [code] = shop.codes
        form = {"client_id": KEY, "client_secret": SECRET, "code": code}
        given = requests.post(f"{base}admin/oauth/access_token", data=form, timeout=10).json()
    assert set(given) == {"access_token", "scope"}
    assert back.headers["Location"].startswith("https://hub.example/back?code=")
