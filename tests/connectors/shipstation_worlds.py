"""A bakery with an account at ShipStation, and the connector in front of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.shipstation.source import ShipStation
from hub import OrderProgress, Tools, WebhookRequest
from hub.testing import MONDAY, WsgiAdapter
from tests.fakes.shipstation import FakeShipStation

OWN_TAGS = ("Out for delivery", "Delivered", "Delivery failed")


def a_shop(page_size: int = 3) -> FakeShipStation:
    shop = FakeShipStation()
    shop.page_size = page_size
    shop.clock = lambda: MONDAY
    shop.per_minute["V1"] = 10_000
    for tag in OWN_TAGS:
        shop.tag_id(tag)
    return shop


def in_front_of(
    shop: FakeShipStation, tools: Tools, way: str = "v2", **settings: Any
) -> ShipStation:
    for host in ("api.shipstation.com", "ssapi.shipstation.com", "api.shipengine.com"):
        tools.http.mount(f"https://{host}", WsgiAdapter(shop.app))
    given = {"way": way, **keys(shop, way), **settings}
    return ShipStation(ShipStation.Settings(**given), tools)


def keys(shop: FakeShipStation, way: str) -> dict[str, str]:
    if way == "v2":
        return {"v2_key": shop.secret}
    return {"v1_key": shop.v1_key, "v1_secret": shop.v1_secret}


def later(tools: Tools, now: datetime) -> Tools:
    return replace(tools, now=lambda: now)


def progress(shop: FakeShipStation, number: str, stage: str, **more: Any) -> OrderProgress:
    return OrderProgress(
        key=f"{number}-{stage}-{more.get('outcome', '')}",
        order_ref=shop.ref_of(number),
        order_number=number,
        stage=stage,
        at=MONDAY,
        **more,
    )


def breaks_at(shop: FakeShipStation, call: int, mood: str) -> None:
    """Whatever is asked as the ``call``-th thing from now meets ``mood``; the rest goes well."""
    left = [call]

    def before_call() -> None:
        left[0] -= 1
        if left[0] == 0:
            shop.be(mood, times=1)

    shop.before_call = before_call


def as_request(sent: tuple[str, dict[str, str], bytes]) -> WebhookRequest:
    """A call of the fake's as the hub hands it over."""
    url, headers, body = sent
    _, _, query = url.partition("?")
    pairs = dict(part.split("=") for part in query.split("&") if part)
    return WebhookRequest(headers=headers, body=body, url=url, query=pairs)
