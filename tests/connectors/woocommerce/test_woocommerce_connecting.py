"""Connecting a store: the button, the keys, and what is said when one of them is wrong."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from pydantic import ValidationError
from werkzeug.test import Client

from connectors.woocommerce.source import WooCommerce
from hub import AuthError, BadSignature, ConfigError, Tools, Unavailable, WebhookRequest
from hub.testing import WsgiAdapter
from tests.connectors.woocommerce_worlds import ORIGIN, connected, needs_data, news
from tests.fakes.woocommerce import KEY, SECRET, Call, Store

pytestmark = needs_data
STATE = "aZ3f9x0pQ7"


def blamed(shop: WooCommerce) -> tuple[str, str]:
    """The setting that is to blame, and what the business is told."""
    with pytest.raises(ConfigError) as caught:
        shop.check()
    return caught.value.field, str(caught.value)


def test_a_store_with_good_keys_passes_and_nothing_is_touched(store: Store, tools: Tools) -> None:
    number = store.place()
    before = json.dumps(store.orders)
    connected(store, tools).check()
    assert json.dumps(store.orders) == before
    assert store.order_notes.get(number) is None


@pytest.mark.parametrize("origin", ["https://shop.test", "http://shop.test"])
@pytest.mark.parametrize("folder", ["", "/", "/wp-json/"])
def test_the_address_may_be_written_in_several_ways(
    store: Store, tools: Tools, origin: str, folder: str
) -> None:
    connected(store, tools, origin, url=origin + folder).check()


def test_keys_may_go_in_the_address_where_a_host_drops_the_header(
    store: Store, tools: Tools
) -> None:
    store.drops_authorization = True
    field, words = blamed(connected(store, tools))
    assert field == "query_string_auth"
    assert "drops the header" in words
    connected(store, tools, query_string_auth=True).check()


def test_wrong_keys_are_blamed_when_the_header_is_not(store: Store, tools: Tools) -> None:
    with pytest.raises(AuthError) as caught:
        connected(store, tools, consumer_secret="cs_00000000").check()
    assert caught.value.field == "consumer_key"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("consumer_key", "", "missing"),
        ("consumer_key", SECRET, "ck_"),
        ("consumer_secret", "", "missing"),
        ("consumer_secret", KEY, "cs_"),
    ],
)
def test_keys_that_cannot_be_any_are_named(
    store: Store, tools: Tools, field: str, value: str, words: str
) -> None:
    name, said = blamed(connected(store, tools, **{field: value}))
    assert name == field
    assert words in said


def test_keys_that_may_only_read_are_enough_without_reports(store: Store, tools: Tools) -> None:
    store.permissions = "read"
    field, words = blamed(connected(store, tools))
    assert field == "consumer_key"
    assert "only read" in words
    connected(store, tools, write_back=False).check()


def test_an_address_without_a_store_is_named(store: Store, tools: Tools) -> None:
    store.be("babbling")
    field, words = blamed(connected(store, tools))
    assert field == "url"
    assert "no WooCommerce at shop.test" in words


def test_a_folder_without_a_store_is_named(store: Store, tools: Tools) -> None:
    assert blamed(connected(store, tools, url=f"{ORIGIN}/blog"))[0] == "url"


def test_wordpress_without_woocommerce_is_named(store: Store, tools: Tools) -> None:
    store.woocommerce = False
    field, words = blamed(connected(store, tools))
    assert field == "url"
    assert "without WooCommerce" in words


def test_plain_permalinks_are_named(store: Store, tools: Tools) -> None:
    store.pretty_links = False
    field, words = blamed(connected(store, tools))
    assert field == "url"
    assert "Permalinks" in words


def test_an_index_hidden_from_strangers_is_no_obstacle(store: Store, tools: Tools) -> None:
    store.hides_index = True
    connected(store, tools).check()


def test_a_store_that_has_moved_names_its_new_address_without_the_keys(
    store: Store, tools: Tools
) -> None:
    store.moved_to = "https://www.shop.test"
    field, words = blamed(connected(store, tools, query_string_auth=True))
    assert field == "url"
    assert "https://www.shop.test." in words
    with pytest.raises(ConfigError) as caught:
        news(connected(store, tools, query_string_auth=True))
    assert SECRET not in str(caught.value)


def test_a_private_address_is_blamed_on_the_address(tools: Tools) -> None:
    given = {"url": "http://127.0.0.1:9", "consumer_key": KEY, "consumer_secret": SECRET}
    shop = WooCommerce(WooCommerce.Settings.model_validate(given), tools)
    assert blamed(shop)[0] == "url"


@pytest.mark.parametrize("mood", ["down", "hanging up", "half"])
def test_an_outage_blames_nobody(store: Store, tools: Tools, mood: str) -> None:
    store.be(mood)  # type: ignore[arg-type]
    with pytest.raises((Unavailable, ConfigError)) as caught:
        connected(store, tools).check()
    assert mood == "half" or isinstance(caught.value, Unavailable)


def test_a_bad_certificate_is_the_hosts_to_renew(store: Store, tools: Tools) -> None:
    shop = connected(store, tools)

    class Broken(WsgiAdapter):
        def send(self, *args: Any, **kwargs: Any) -> requests.Response:
            raise requests.exceptions.SSLError("certificate expired")

    tools.http.mount(ORIGIN, Broken(store))
    assert blamed(shop)[0] == "url"


@pytest.mark.parametrize("mood", ["down", "babbling", "locked", "half", "hanging up"])
@pytest.mark.parametrize("origin", ["https://shop.test", "http://shop.test"])
def test_keys_are_in_no_error_and_no_log(
    store: Store, tools: Tools, caplog: pytest.LogCaptureFixture, mood: str, origin: str
) -> None:
    store.be(mood)  # type: ignore[arg-type]
    store.place()
    shop = connected(store, tools, origin, query_string_auth=True)
    with caplog.at_level(logging.DEBUG), pytest.raises((AuthError, Unavailable)) as caught:
        news(shop)
    seen = f"{caught.value!r} {caplog.text} {shop.settings!r} {shop._client!r}"
    assert SECRET not in seen
    assert KEY not in seen
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_statuses_of_the_store_may_be_chosen(store: Store, tools: Tools) -> None:
    store.custom = {"out-for-delivery": "Out for delivery"}
    choices = connected(store, tools).choices()
    assert ("out-for-delivery", "Out for delivery") in [
        (one.value, one.label) for one in choices["statuses"]
    ]
    assert choices["status_delivered"] == choices["more_statuses"] == choices["statuses"]
    assert choices.keys() <= WooCommerce.Settings.model_fields.keys()


def test_several_statuses_that_a_program_set_stay_on_offer(store: Store, tools: Tools) -> None:
    chosen = connected(store, tools, statuses="processing, on-hold").choices()["statuses"]
    assert chosen[0].value == "processing, on-hold"


def test_an_old_store_offers_the_statuses_all_have(store: Store, tools: Tools) -> None:
    store.old = True
    assert "completed" in [one.value for one in connected(store, tools).choices()["statuses"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "shop"),
        ("statuses", ""),
        ("statuses", "in transit!"),
        ("time_zone", "Moon/Base"),
        ("time_zone", "../etc/passwd"),
        ("way", "telepathy"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        WooCommerce.Settings.model_validate({"url": ORIGIN, field: value})


# The button -----------------------------------------------------------------------------------


def asked(store: Store, tools: Tools, callback: str = "https://hub.test/keys") -> str:
    return connected(store, tools).approve_url(STATE, "https://hub.test/back", callback)


def received(call: Call, **changed: Any) -> WebhookRequest:
    query = {name: values[0] for name, values in parse_qs(urlsplit(call.url).query).items()}
    body = json.dumps({**json.loads(call.body), **changed}).encode()
    return WebhookRequest(call.headers, body, call.url, query)


def test_the_owner_approves_and_the_keys_come(store: Store, tools: Tools) -> None:
    url = asked(store, tools)
    call, back = store.approve(url)
    assert back == f"https://hub.test/back?success=1&user_id={STATE}"
    shop = WooCommerce(WooCommerce.Settings.model_validate({"url": ORIGIN}), tools)
    keys = shop.keys(received(call))
    assert keys == {"consumer_key": KEY, "consumer_secret": SECRET}
    connected(store, tools, **keys).check()


def test_the_owner_is_sent_to_a_page_the_store_understands(store: Store, tools: Tools) -> None:
    posted: list[dict[str, Any]] = []

    def post(url: str, **kwargs: Any) -> Any:
        posted.append({"url": url, **kwargs})
        return SimpleNamespace(status_code=200)

    store.post = post
    browser = Client(store)
    url = asked(store, tools)
    page = browser.get(url.removeprefix(ORIGIN), base_url=ORIGIN)
    assert page.status_code == 200
    assert "Last Mile Hub" in page.text
    granted = url.replace("/authorize?", "/access_granted/?").removeprefix(ORIGIN)
    reply = browser.get(granted, base_url=ORIGIN)
    assert reply.status_code == 302
    assert posted[0]["url"] == f"https://hub.test/keys?state={STATE}"


def test_a_state_that_the_hub_put_in_its_address_is_kept(store: Store, tools: Tools) -> None:
    url = asked(store, tools, f"https://hub.test/keys?state={STATE}")
    assert store.approve(url)[0].url == f"https://hub.test/keys?state={STATE}"


def test_without_https_there_is_no_button(store: Store, tools: Tools) -> None:
    with pytest.raises(ConfigError) as caught:
        asked(store, tools, "http://hub.test/keys")
    assert caught.value.field == "way"


@pytest.mark.parametrize(
    "changed",
    [
        {"user_id": "somebody else's"},
        {"user_id": None},
        {"user_id": ""},
        {"consumer_key": "evil"},
        {"consumer_secret": None},
        {"consumer_secret": "cs_1"},
    ],
)
def test_keys_from_anybody_else_are_refused(
    store: Store, tools: Tools, changed: dict[str, Any]
) -> None:
    call, _ = store.approve(asked(store, tools))
    with pytest.raises(BadSignature):
        connected(store, tools).keys(received(call, **changed))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"not json", b"{}", b"\xff"])
def test_what_are_no_keys_at_all_is_refused(store: Store, tools: Tools, body: bytes) -> None:
    shop = connected(store, tools)
    with pytest.raises(BadSignature):
        shop.keys(WebhookRequest({}, body, "https://hub.test/keys", {"state": STATE}))
    with pytest.raises(BadSignature):
        shop.keys(WebhookRequest({}, body))


def test_nobody_is_sent_to_approve_where_there_is_no_store(store: Store, tools: Tools) -> None:
    store.woocommerce = False
    with pytest.raises(ConfigError, match="WordPress without WooCommerce") as caught:
        asked(store, tools)
    assert caught.value.field == "url"


def test_an_address_without_https_is_made_whole() -> None:
    settings = WooCommerce.Settings.model_validate({"url": "shop.example/bakery"})
    assert str(settings.url) == "https://shop.example/bakery"
