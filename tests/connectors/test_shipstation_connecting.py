"""Connecting to ShipStation, what can go wrong with it, and being called by it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.shipstation import webhooks
from connectors.shipstation.source import ShipStation
from hub import (
    AuthError,
    BadSignature,
    ConfigError,
    HubError,
    OrderSource,
    RateLimited,
    Tools,
    Unavailable,
    WebhookRequest,
)
from hub.testing import MONDAY, WEBHOOK_SECRET, WsgiAdapter, lent, serve
from tests.connectors.shipstation_worlds import a_shop, as_request, in_front_of, later, progress
from tests.fakes import shipstation_spec as spec
from tests.fakes.shipstation import FakeShipStation, twice_and_backwards

WAYS = pytest.mark.parametrize("way", ["v2", "v1"])
URL = "https://hub.example/hooks/Zx81"


@pytest.fixture
def shop() -> FakeShipStation:
    spec.data()
    return a_shop(page_size=50)


@pytest.fixture
def tools(tmp_path: Any) -> Tools:
    return lent(tmp_path, now=MONDAY)


# -- ways to connect


@WAYS
def test_good_keys_connect(shop: FakeShipStation, tools: Tools, way: str) -> None:
    in_front_of(shop, tools, way).check()
    assert not [call for call in shop.asked if not call.startswith("GET")]


@pytest.mark.parametrize(
    ("way", "empty"), [("v2", "v2_key"), ("v1", "v1_key"), ("v1", "v1_secret")]
)
def test_an_empty_key_is_named(shop: FakeShipStation, tools: Tools, way: str, empty: str) -> None:
    with pytest.raises(ConfigError) as caught:
        in_front_of(shop, tools, way, **{empty: " "}).check()
    assert caught.value.field == empty


def test_a_v1_key_in_the_v2_way_is_recognised(shop: FakeShipStation, tools: Tools) -> None:
    with pytest.raises(AuthError, match="V1 interface") as caught:
        in_front_of(shop, tools, "v2", v2_key=shop.v1_key).check()
    assert caught.value.field == "way"


def test_a_v2_key_in_the_v1_way_is_recognised(shop: FakeShipStation, tools: Tools) -> None:
    with pytest.raises(AuthError, match="V2 interface") as caught:
        in_front_of(shop, tools, "v1", v1_key=shop.secret).check()
    assert caught.value.field == "way"


@WAYS
def test_a_wrong_key_is_blamed_on_its_field(shop: FakeShipStation, tools: Tools, way: str) -> None:
    with pytest.raises(AuthError, match="does not accept") as caught:
        in_front_of(shop, tools, way, **{f"{way}_key": "nonsense"}).check()
    assert caught.value.field == {"v1": "v1_secret", "v2": "v2_key"}[way]


def test_a_plan_without_v2_is_named(shop: FakeShipStation, tools: Tools) -> None:
    shop.plan_has_v2 = False
    with pytest.raises(AuthError, match="plan does not include the V2 interface") as caught:
        in_front_of(shop, tools).check()
    assert caught.value.field == "way"


@WAYS
@pytest.mark.parametrize(
    ("ship_when", "empty"),
    [
        ("delivered", "delivered_tag"),
        ("leaves", "on_the_way_tag"),
        ("leaves", "delivered_tag"),
    ],
)
def test_marking_as_shipped_needs_a_tag_to_know_it_by(
    shop: FakeShipStation, tools: Tools, way: str, ship_when: str, empty: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        in_front_of(shop, tools, way, ship_when=ship_when, **{empty: ""}).check()
    assert caught.value.field == empty


def test_each_tag_that_v1_cannot_create_is_said_at_its_own_field(
    shop: FakeShipStation, tools: Tools
) -> None:
    named = {"delivered_tag": "Brought", "failed_tag": "Not brought"}
    with pytest.raises(ConfigError, match="no tag “Brought”, and") as caught:
        in_front_of(shop, tools, "v1", **named).check()
    assert (caught.value.field, list(caught.value.also)) == ("delivered_tag", ["failed_tag"])
    assert "no tag “Not brought”, and" in caught.value.also["failed_tag"]


def test_v1_offers_stores_by_name_and_tags(shop: FakeShipStation, tools: Tools) -> None:
    offered = in_front_of(shop, tools, "v1").choices()
    assert [(o.value, o.label) for o in offered["store"]] == [
        ("", "All stores"),
        ("se-2481946", "Bakery Online"),
    ]
    assert "Delivered" in [o.value for o in offered["tag"]]


def test_v2_offers_the_stores_of_late_and_all_tags(shop: FakeShipStation, tools: Tools) -> None:
    shop.place("1", MONDAY, store=11)
    shop.place("2", MONDAY, store=22)
    offered = in_front_of(shop, tools).choices()
    assert {o.value for o in offered["store"]} == {"", "se-11", "se-22"}
    assert offered["tag"][0].value == ""


def test_what_is_chosen_has_a_default() -> None:
    fields = ShipStation.Settings.model_fields
    assert all(not fields[name].is_required() for name in fields)
    assert issubclass(ShipStation, OrderSource)


# -- what can go wrong


@WAYS
@pytest.mark.parametrize("mood", ["half", "babbling", "down"])
def test_half_an_answer_is_none(shop: FakeShipStation, tools: Tools, way: str, mood: str) -> None:
    shop.place("1", MONDAY)
    shop.be(mood)
    source = in_front_of(shop, tools, way)
    for call in (source.check, source.choices, lambda: list(source.pages(None))):
        with pytest.raises(Unavailable):
            call()


@WAYS
def test_a_cut_connection_is_temporary(shop: FakeShipStation, tools: Tools, way: str) -> None:
    source = in_front_of(shop, tools, way)
    shop.app.wsgi_app = _another_page  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        list(source.pages(None))


def _another_page(environ: Any, start_response: Any) -> list[bytes]:
    start_response("302 Found", [("Location", "https://elsewhere.example/")])
    return [b""]


def test_v1s_minute_is_not_exceeded(shop: FakeShipStation, tools: Tools) -> None:
    shop.per_minute["V1"] = 3
    shop.page_size = 2
    for n in range(20):
        shop.place(f"{n}", MONDAY + timedelta(minutes=n))
    source, pages = in_front_of(shop, tools, "v1"), []
    with pytest.raises(RateLimited) as caught:
        pages.extend(source.pages(None))
    assert len(shop.asked) == 3  # the refusal was not waited for
    assert 0 < caught.value.retry_after <= 60


def test_a_reading_goes_on_after_the_pause(shop: FakeShipStation, tools: Tools) -> None:
    shop.page_size = 4
    for n in range(30):
        shop.place(f"{n}", MONDAY + timedelta(minutes=n))
    cursor, seen, tries = None, set(), 0
    while len(seen) < 30 and tries < 20:
        shop.per_minute["V1"], tries = 4, tries + 1
        shop._window.clear()
        try:
            for page in in_front_of(shop, tools, "v1").pages(cursor):
                cursor, seen = page.cursor, seen | {order.ref for order in page.orders}
        except RateLimited:
            continue
    assert len(seen) == 30


@WAYS
@pytest.mark.parametrize("mood", ["locked", "busy", "down", "babbling", "half", "well"])
def test_nobodys_data_is_in_errors_and_logs(
    shop: FakeShipStation, tools: Tools, way: str, mood: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop.place("1", MONDAY)
    shop.refuse_fulfillment = "no: Ana, ana@example.com, +12135550123"
    shop.be(mood)
    source, told = in_front_of(shop, tools, way), []
    report = progress(shop, "1", "closed", outcome="succeeded")
    calls = (source.check, lambda: list(source.pages(None)), lambda: source.write_back(report))
    with caplog.at_level("DEBUG"):
        for call in calls:
            try:
                call()
            except HubError as error:
                told.append(str(error))
    told += [caplog.text, repr(source._api()), repr(source.settings)]
    people = ("ana@example.com", "2135550123", "1 High St")
    secrets = (shop.secret, shop.v1_key, shop.v1_secret, WEBHOOK_SECRET, *people)
    assert not [secret for secret in secrets for text in told if secret in text]


@WAYS
def test_a_list_that_is_not_there_is_an_outage(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    source = in_front_of(shop, tools, way)
    shop.app.wsgi_app = _nothing_here  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        list(source.pages(None))


def _nothing_here(environ: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "application/json")])
    return [b"{}"]


def test_the_fake_runs_on_a_port(shop: FakeShipStation) -> None:
    import requests

    with serve(shop.app) as url:
        reply = requests.get(f"{url}v2/tags", headers={"api-key": shop.secret}, timeout=5)
    assert reply.json()["tags"][0] == {"name": "Out for delivery"}


def test_the_fake_refuses_what_shipstation_would(shop: FakeShipStation, tools: Tools) -> None:
    tools.http.mount(spec.V2_HOST, WsgiAdapter(shop.app))
    for query in ("sort_by=name", "modified_at_start=yesterday", "tag=Van", "page=0"):
        reply = tools.http.get(
            f"{spec.V2_HOST}/v2/shipments?{query}", headers={"api-key": shop.secret}
        )
        assert reply.status_code == 400, query


# -- webhooks


def _public(source: ShipStation) -> ShipStation:
    """As the process the internet calls has it: no credentials."""
    return ShipStation(ShipStation.Settings(way=source.settings.way), source.tools)


@pytest.mark.parametrize(("way", "event"), [("v2", "shipment_created_v2"), ("v1", "ORDER_NOTIFY")])
def test_a_genuine_call_rings_the_bell(
    shop: FakeShipStation, tools: Tools, way: str, event: str
) -> None:
    source = in_front_of(shop, tools, way)
    assert source.subscribe(URL) == ""
    [sent] = shop.calls(event, MONDAY)
    said = _public(source).verify(as_request(sent))
    assert said == "" if way == "v1" else said


def test_a_v2_call_that_comes_again_has_its_id_again(shop: FakeShipStation, tools: Tools) -> None:
    source = in_front_of(shop, tools)
    source.subscribe(URL)
    sent = shop.calls("shipment_created_v2", MONDAY) + shop.calls("label_created_v2", MONDAY)
    ids = [source.verify(as_request(call)) for call in twice_and_backwards(sent)]
    assert ids[0] == ids[1] != ids[2] == ids[3]


@pytest.mark.parametrize(
    "forge",
    [
        lambda h, b: (h, b + b" "),
        lambda h, b: ({**h, "x-shipengine-rsa-sha256-signature": "AAAA"}, b),
        lambda h, b: ({**h, "x-shipengine-rsa-sha256-signature": "no base64!"}, b),
        lambda h, b: ({**h, "x-shipengine-timestamp": "2024-03-04T06:00:01Z"}, b),
        lambda h, b: ({**h, "x-shipengine-timestamp": "now"}, b),
        lambda h, b: ({**h, "x-shipengine-rsa-sha256-key-id": "mine"}, b),
        lambda h, b: ({**h, "x-hub-secret": "guessed"}, b),
        lambda h, b: ({k: v for k, v in h.items() if k != "x-hub-secret"}, b),
        lambda h, b: ({k: v for k, v in h.items() if "sha256" not in k}, b),
    ],
    ids="body signature base64 time notime key secret nosecret unsigned".split(),
)
def test_a_forged_v2_call_is_refused(shop: FakeShipStation, tools: Tools, forge: Any) -> None:
    source = in_front_of(shop, tools)
    source.subscribe(URL)
    [(url, headers, body)] = shop.calls("shipment_created_v2", MONDAY)
    headers, body = forge(headers, body)
    with pytest.raises(BadSignature):
        source.verify(as_request((url, headers, body)))


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_v2_call_of_another_time_is_refused(
    shop: FakeShipStation, tools: Tools, minutes: int
) -> None:
    source = in_front_of(shop, tools)
    source.subscribe(URL)
    [sent] = shop.calls("shipment_created_v2", MONDAY + timedelta(minutes=minutes))
    with pytest.raises(BadSignature):
        source.verify(as_request(sent))


def test_a_new_signing_key_is_fetched_once(shop: FakeShipStation, tools: Tools) -> None:
    source = in_front_of(shop, tools)
    source.subscribe(URL)
    for _ in range(3):
        source.verify(as_request(shop.calls("shipment_created_v2", MONDAY)[0]))
    assert shop.asked.count("GET /jwks") == 1
    shop.rotate_key()
    soon = MONDAY + timedelta(minutes=2)
    source = in_front_of(shop, later(tools, soon))
    [sent] = shop.calls("shipment_created_v2", soon)
    assert source.verify(as_request(sent))
    url, headers, body = sent
    for n in range(5):
        forged = {**headers, "x-shipengine-rsa-sha256-key-id": f"mine-{n}"}
        with pytest.raises(BadSignature):
            source.verify(as_request((url, forged, body)))
    assert shop.asked.count("GET /jwks") == 2


def test_keys_that_cannot_be_had_are_an_outage(shop: FakeShipStation, tools: Tools) -> None:
    source = in_front_of(shop, tools)
    source.subscribe(URL)
    [sent] = shop.calls("shipment_created_v2", MONDAY)
    shop.app.wsgi_app = _another_page  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        source.verify(as_request(sent))


def test_the_documented_scheme_is_the_one_verified(tmp_path: Any) -> None:
    vector = json.loads((spec.data() / "signature-vector.json").read_text())
    now = datetime.fromisoformat(vector["headers"]["x-shipengine-timestamp"])
    tools = lent(tmp_path, now=now)

    def jwks(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(vector["jwks"]).encode()]

    tools.http.mount("https://api.shipengine.com", WsgiAdapter(jwks))
    headers = {**vector["headers"], "x-hub-secret": WEBHOOK_SECRET}
    source = ShipStation(ShipStation.Settings(), tools)
    body = vector["raw_body"].encode()
    assert source.verify(WebhookRequest(headers, body))
    with pytest.raises(BadSignature):
        source.verify(WebhookRequest(headers, body.replace(b"SHIPMENT", b"shipment")))


def test_a_captured_v2_body_is_about_an_order() -> None:
    body = (spec.data() / "webhook-shipment-created-v2.json").read_bytes()
    assert webhooks._kind(body) == "SHIPMENT_CREATED_V2"


@pytest.mark.parametrize(
    "body",
    [b'{"resource_type": "TRACK_EVENT_V2"}', b"{}", b"", b"[1]", b"[" * 100_000],
    ids=lambda body: body[:12],
)
def test_a_signed_call_about_no_order_rings_nothing(
    shop: FakeShipStation, tools: Tools, body: bytes
) -> None:
    headers = {**shop.signed(body, MONDAY), "x-hub-secret": WEBHOOK_SECRET}
    assert in_front_of(shop, tools).verify(WebhookRequest(headers, body)) is None
    query = {"key": WEBHOOK_SECRET}
    v1 = in_front_of(shop, tools, "v1")
    assert v1.verify(WebhookRequest({}, body, query=query)) is None


@pytest.mark.parametrize("query", [{}, {"key": ""}, {"key": "guessed"}, {"key": "ü"}])
def test_a_v1_call_without_the_secret_is_refused(
    shop: FakeShipStation, tools: Tools, query: dict[str, str]
) -> None:
    body = b'{"resource_url": "https://evil.example/", "resource_type": "ORDER_NOTIFY"}'
    with pytest.raises(BadSignature):
        in_front_of(shop, tools, "v1").verify(WebhookRequest({}, body, query=query))


def test_the_address_a_v1_call_names_is_not_asked(shop: FakeShipStation, tools: Tools) -> None:
    body = b'{"resource_url": "https://evil.example/", "resource_type": "ORDER_NOTIFY"}'
    request = WebhookRequest({}, body, query={"key": WEBHOOK_SECRET})
    in_front_of(shop, tools, "v1").verify(request)
    assert shop.asked == []


@WAYS
def test_subscribing_each_day_changes_nothing(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    source = in_front_of(shop, tools, way)
    source.subscribe(URL)
    before = [dict(hook) for hook in shop.hooks]
    source.subscribe(URL)
    assert shop.hooks == before


@WAYS
def test_a_dropped_a_moved_and_a_doubled_webhook_are_mended(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    source = in_front_of(shop, tools, way)
    source.subscribe("https://old.example/hooks/1")
    events = sorted(hook["event"] for hook in shop.hooks)
    shop.hooks.append(shop.hooks[0] | {"id": 1})
    shop.hooks.pop(1)
    source.subscribe(URL)
    assert sorted(hook["event"] for hook in shop.hooks) == events
    assert all(hook["url"].startswith(URL) for hook in shop.hooks)


def test_a_v1_webhook_that_was_switched_off_is_made_anew(
    shop: FakeShipStation, tools: Tools
) -> None:
    source = in_front_of(shop, tools, "v1")
    source.subscribe(URL)
    shop.hooks[0]["active"] = False
    source.subscribe(URL)
    assert all(hook["active"] for hook in shop.hooks)
    assert len(shop.hooks) == 2


def test_a_v2_webhook_that_lost_its_secret_gets_it_back(
    shop: FakeShipStation, tools: Tools
) -> None:
    source = in_front_of(shop, tools)
    source.subscribe(URL)
    shop.hooks[0]["headers"] = []
    source.subscribe(URL)
    assert all(hook["headers"] for hook in shop.hooks)


@WAYS
def test_unsubscribing_leaves_others_webhooks(
    shop: FakeShipStation, tools: Tools, way: str
) -> None:
    source = in_front_of(shop, tools, way)
    event = "label_created_v2" if way == "v2" else "SHIP_NOTIFY"
    other = {"id": 5, "event": event, "url": "https://o.example/", "headers": [], "active": True}
    shop.hooks.append(other)
    source.subscribe(URL)
    source.unsubscribe()
    source.unsubscribe()
    assert shop.hooks == [other]
