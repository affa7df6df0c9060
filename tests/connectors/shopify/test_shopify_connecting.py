"""Three ways to connect a shop, and what keeps each of them in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from connectors.shopify.client import shop_domain
from connectors.shopify.source import Shopify
from hub import AuthError, ConfigError, Option, RateLimited, Tools, Unavailable
from hub.testing import KeptTokens
from tests.connectors.shopify_worlds import Clock, connected, needs_data, orders_of
from tests.fakes.shopify import KEY, SECRET, TOKEN, FakeShopify, sign

pytestmark = needs_data
BACK = "https://hub.example/panel/connections/back"


def installed(shop: FakeShopify, tools: Tools, **settings: Any) -> Shopify:
    source = connected(shop, tools, "oauth", **settings)
    query = shop.approve(source.authorize_url("st4te", BACK))
    kept(tools).kept = dict(source.exchange(query, BACK))
    return source


def kept(tools: Tools) -> KeptTokens:
    assert isinstance(tools.tokens, KeptTokens)
    return tools.tokens


@pytest.mark.parametrize("way", ["token", "own"])
def test_what_works_is_found_to_work(shop: FakeShopify, tools: Tools, way: str) -> None:
    shop.state.place()
    connected(shop, tools, way).check()
    assert not shop.state.writes


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("husk", "husk.myshopify.com"),
        (" HUSK.myshopify.com ", "husk.myshopify.com"),
        ("https://husk.myshopify.com/admin", "husk.myshopify.com"),
        ("https://admin.shopify.com/store/husk/orders?x=1", "husk.myshopify.com"),
    ],
)
def test_a_shop_is_known_however_its_address_was_pasted(typed: str, domain: str) -> None:
    assert Shopify.Settings.model_validate({"shop": typed}).shop == domain


@pytest.mark.parametrize(
    "typed",
    ["", "husk-bakery.example", "husk.myshopify.com.evil.example", "evil.example/husk.myshopify.com",
     "evil.example#.myshopify.com", "a@b.myshopify.com", "hu_sk", "-"],
)  # fmt: skip
def test_what_is_no_shop_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Shopify.Settings.model_validate({"shop": typed})
    assert caught.value.errors()[0]["loc"] == ("shop",)
    assert shop_domain(typed) == ""


@pytest.mark.parametrize("version", ["latest", "2026-7", "2026-02", "unstable"])
def test_a_version_that_cannot_be_is_refused(version: str) -> None:
    with pytest.raises(ValidationError):
        Shopify.Settings.model_validate({"shop": "husk", "api_version": version})


@pytest.mark.parametrize(
    ("way", "settings", "field"),
    [
        ("token", {"token": ""}, "token"),
        ("own", {"client_id": ""}, "client_id"),
        ("own", {"client_secret": ""}, "client_secret"),
        ("own", {"client_secret": "wrong"}, "client_secret"),
        ("token", {"token": "shpat_wrong"}, "token"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    shop: FakeShopify, tools: Tools, way: str, settings: dict[str, str], field: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        connected(shop, tools, way, **settings).check()
    assert caught.value.field == field


def test_no_way_needs_what_another_asks_for() -> None:
    """The process that takes calls opens no credentials at all."""
    for way in ("token", "own", "oauth"):
        Shopify.Settings.model_validate({"shop": "husk", "way": way})


def test_scopes_that_are_missing_are_named(shop: FakeShopify, tools: Tools) -> None:
    shop.scopes = ["read_orders", "write_merchant_managed_fulfillment_orders"]
    with pytest.raises(ConfigError, match="read_locations, write_fulfillments"):
        connected(shop, tools).check()


@pytest.mark.parametrize("kind", ["assigned", "third_party"])
def test_another_kind_of_fulfilment_orders_will_do(
    shop: FakeShopify, tools: Tools, kind: str
) -> None:
    shop.scopes = [s.replace("merchant_managed", kind) for s in shop.scopes]
    connected(shop, tools).check()


def test_who_only_reads_needs_no_scopes_to_write(shop: FakeShopify, tools: Tools) -> None:
    shop.scopes = ["read_orders", "read_merchant_managed_fulfillment_orders", "read_locations"]
    connected(shop, tools, write_back=False).check()


def test_an_expired_api_version_is_said_before_it_is_kept(shop: FakeShopify, tools: Tools) -> None:
    with pytest.raises(ConfigError, match="2025-10") as caught:
        connected(shop, tools, api_version="2024-01").check()
    assert caught.value.field == "api_version"


def test_a_key_of_another_shop_is_found_out(shop: FakeShopify, tools: Tools) -> None:
    shop.state.shop = "other.myshopify.com"
    with pytest.raises(ConfigError, match="another shop"):
        connected(shop, tools).check()


def test_locations_can_be_chosen(shop: FakeShopify, tools: Tools) -> None:
    shop.state.locations = {str(n): f"Place {n}" for n in range(1, 121)}
    options = connected(shop, tools).choices()["location"]
    assert len(options) == 120
    assert options[0] == Option("1", "Place 1")


def test_a_token_of_ones_own_store_is_asked_for_once_a_day(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = connected(shop, tools, "own")
    source.check()
    list(source.pages(None))
    assert kept(tools).refreshes == 1
    clock.later(hours=23, minutes=59)
    list(source.pages(None))
    assert kept(tools).refreshes == 2


def test_a_token_that_ended_before_its_time_is_replaced(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools, "own")
    source.check()
    shop.tokens.clear()
    assert list(source.pages(None)) == []
    assert kept(tools).refreshes == 2


def test_a_pasted_token_that_ended_asks_for_another(shop: FakeShopify, tools: Tools) -> None:
    shop.tokens.clear()
    with pytest.raises(AuthError, match=f"{shop.shop} does not accept this access token"):
        connected(shop, tools).check()


def test_an_install_asks_for_what_the_connection_does(shop: FakeShopify, tools: Tools) -> None:
    url = urlsplit(connected(shop, tools, "oauth").authorize_url("st4te", BACK))
    asked = {name: value for name, [value] in parse_qs(url.query).items()}
    assert (url.netloc, url.path) == (shop.shop, "/admin/oauth/authorize")
    assert asked["state"] == "st4te"
    assert asked["redirect_uri"] == BACK
    assert asked["scope"].split(",") == [
        "read_orders",
        "read_merchant_managed_fulfillment_orders",
        "read_locations",
        "write_merchant_managed_fulfillment_orders",
        "write_fulfillments",
    ]
    assert SECRET not in url.query


def test_an_installed_app_works_and_its_token_is_renewed_each_hour(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    shop.state.place()
    source = installed(shop, tools)
    source.check()
    before = dict(kept(tools).kept)
    for hours in range(1, 4):
        clock.later(minutes=59)
        assert len(orders_of(source.pages(None))) == 1
        assert kept(tools).refreshes == hours
    after = kept(tools).kept
    assert after["refresh_token"] != before["refresh_token"]
    assert shop.refreshers == {after["refresh_token"]}


def test_an_app_whose_tokens_last_is_never_renewed(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    shop.expiring = False
    source = installed(shop, tools)
    assert set(kept(tools).kept) == {"access_token"}
    clock.later(days=400)
    source.check()
    assert kept(tools).refreshes == 0


def test_a_token_that_lasts_and_was_taken_back_asks_to_reconnect(
    shop: FakeShopify, tools: Tools
) -> None:
    shop.expiring = False
    source = installed(shop, tools)
    shop.state.uninstalled = True
    with pytest.raises(AuthError, match="Reconnect"):
        source.check()


def test_a_refresh_token_that_ended_asks_to_reconnect(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = installed(shop, tools)
    shop.refreshers.clear()
    clock.later(hours=2)
    with pytest.raises(AuthError, match="Reconnect"):
        list(source.pages(None))


def test_a_refresh_whose_answer_is_half_changes_nothing(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = installed(shop, tools)
    before = dict(kept(tools).kept)
    clock.later(hours=2)
    shop.be("half")
    with pytest.raises(Unavailable):
        list(source.pages(None))
    assert kept(tools).kept == before


def test_somebody_elses_fresh_token_is_used(shop: FakeShopify, tools: Tools, clock: Clock) -> None:
    """Two workers found it old; the second in line must not use up another refresh token."""
    source = installed(shop, tools)
    clock.later(hours=2)
    fresh = source.refresh(kept(tools).load())

    class Raced(KeptTokens):
        def refresh_once(self, refresh: Any) -> Mapping[str, str]:
            self.kept = dict(fresh)
            return super().refresh_once(refresh)

    tokens = Raced(kept(tools).kept)
    object.__setattr__(tools, "tokens", tokens)
    assert list(source.pages(None)) == []
    assert tokens.kept == fresh


def answers(of: FakeShopify, /, **changed: str) -> dict[str, str]:
    now = str(int(of.now().timestamp()))
    answer = {"code": "c0de", "shop": of.shop, "state": "s", "timestamp": now, **changed}
    return {**answer, "hmac": sign(answer)}


def test_an_answer_that_is_not_shopifys_is_refused(
    shop: FakeShopify, tools: Tools, clock: Clock
) -> None:
    source = connected(shop, tools, "oauth")
    good = answers(shop)
    old = str(int((clock() - timedelta(days=2)).timestamp()))
    for query in (
        {**good, "code": "other"},
        {**good, "hmac": sign(good, "guessed")},
        {name: value for name, value in good.items() if name != "hmac"},
        answers(shop, timestamp=old),
        answers(shop, timestamp="soon"),
        answers(shop, shop="other.myshopify.com"),
        answers(shop, code=""),
        {},
    ):
        shop.codes.add("c0de")
        with pytest.raises(AuthError):
            source.exchange(query, BACK)
        assert "c0de" in shop.codes  # it was not even tried


def test_a_code_is_good_for_once(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools, "oauth")
    query = shop.approve(source.authorize_url("s", BACK))
    source.exchange(query, BACK)
    with pytest.raises(AuthError):
        source.exchange(query, BACK)


def test_two_apps_in_one_process_keep_their_secrets_apart(shop: FakeShopify, tools: Tools) -> None:
    """ShopifyAPI keeps them on its class."""
    first = connected(shop, tools, "oauth")
    query = shop.approve(first.authorize_url("s", BACK))
    second = connected(shop, tools, "oauth", client_id="other", client_secret="other")
    second.authorize_url("s", BACK)
    with pytest.raises(AuthError):
        second.exchange(query, BACK)
    assert first.exchange(query, BACK)


def test_disconnecting_uninstalls_an_app_that_was_installed(
    shop: FakeShopify, tools: Tools
) -> None:
    source = installed(shop, tools)
    source.revoke(kept(tools).load())
    assert shop.state.uninstalled
    source.revoke(kept(tools).load())  # gone already


def test_disconnecting_leaves_an_app_of_ones_own(shop: FakeShopify, tools: Tools) -> None:
    source = connected(shop, tools, "own")
    source.check()
    source.revoke(kept(tools).load())
    assert not shop.state.uninstalled


@pytest.mark.parametrize("way", ["own", "oauth"])
@pytest.mark.parametrize(("mood", "error"), [("429", RateLimited), ("down", Unavailable)])
def test_a_shop_that_gives_no_token_now_is_asked_later(
    shop: FakeShopify, tools: Tools, way: str, mood: str, error: type[Exception]
) -> None:
    source = installed(shop, tools) if way == "oauth" else connected(shop, tools, way)
    kept(tools).kept.pop("expires_at", "")
    kept(tools).kept |= {"expires_at": "2024-01-01T00:00:00+00:00"}
    shop.be(mood)
    with pytest.raises(error):
        source.check()


@pytest.mark.parametrize(
    ("code", "field"),
    [("invalid_client", "client_secret"), ("shop_not_permitted", "way"), ("app_not_installed", "")],
)
def test_what_the_door_says_is_put_in_words(
    shop: FakeShopify, tools: Tools, code: str, field: str
) -> None:
    class Door(FakeShopify):
        def _token(self, request: Any) -> Any:
            from tests.fakes.shopify import answered

            return answered({"error": code}, 400)

    with pytest.raises(AuthError) as caught:
        connected(Door(), tools, "own").check()
    assert caught.value.field == field


def test_no_secret_is_ever_shown(
    shop: FakeShopify, tools: Tools, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    with caplog.at_level("DEBUG"):
        for way in ("token", "own", "oauth"):
            source = installed(shop, tools) if way == "oauth" else connected(shop, tools, way)
            secrets = [TOKEN, SECRET, *kept(tools).kept.values()]
            for mood in ("locked", "429", "busy", "down", "babbling", "half", "frozen", "gone"):
                shop.be(mood)
                kept(tools).kept |= {"expires_at": clock().isoformat()}
                with pytest.raises(Exception) as caught:  # noqa: B017, PT011
                    source.check()
                told += [str(caught.value), repr(caught.value)]
            told += [repr(source.settings), json.dumps(source.settings.model_dump(mode="json"))]
            shop.be("well")
    texts = [*told, caplog.text]
    hidden = [s for s in secrets if not s.startswith("20")]
    assert not [s for s in hidden for text in texts if s in text]
    assert KEY in texts[-2]
