"""Programs that change one order at the same moment: nothing that was answered 200 is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlmodel import func, select
from werkzeug.test import TestResponse

from hub.app import Hub
from hub.db.tables import EventRow
from hub.flows.api_keys import make_key
from hub.flows.found import found
from hub.web.app import create_app

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORDERS = "/api/v1/orders"
ROUNDS = 6


class Shop:
    def __init__(self, hub: Hub, app: Flask, key: str) -> None:
        self.hub, self.app, self.headers = hub, app, {"Authorization": f"Bearer {key}"}

    def call(self, method: str, path: str, body: Any = None) -> TestResponse:
        more = {} if body is None else {"json": body}
        return self.app.test_client().open(path, method=method, headers=self.headers, **more)

    def order(self, ref: str, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", ORDERS, an_order(ref, **more))
        assert answer.status_code in (200, 201), answer.text
        order: dict[str, Any] = answer.get_json()["orders"][0]
        return order

    def at_once(self, *calls: tuple[str, str, Any]) -> list[TestResponse]:
        ready = Barrier(len(calls))

        def one(call: tuple[str, str, Any]) -> TestResponse:
            ready.wait()
            return self.call(*call)

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(one, calls))


def an_order(ref: str, **more: Any) -> dict[str, Any]:
    address = {"lines": ["Yrjönkatu 1"], "city": "Helsinki"}
    return {"ref": ref, "number": ref, "address": address, **more}


@pytest.fixture
def shop(database_url: str) -> Shop:
    hub = Hub.in_memory(object(), now=lambda: NOON, url=database_url)
    business = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    _, key = make_key(hub, business, "shop", ["orders:read", "orders:write"])
    return Shop(hub, create_app(hub), key)


def test_two_changes_of_different_fields_both_stay(shop: Shop) -> None:
    for n in range(ROUNDS):
        at = f"{ORDERS}/{shop.order(str(n))['id']}"
        answers = shop.at_once(
            ("PATCH", at, {"instructions": "Ring twice"}), ("PATCH", at, {"service_s": 600})
        )
        assert [answer.status_code for answer in answers] == [200, 200]
        after = shop.call("GET", at).get_json()
        assert (after["instructions"], after["service_s"]) == ("Ring twice", 600)


def test_an_order_cancelled_three_times_at_once_is_announced_once(shop: Shop) -> None:
    for n in range(ROUNDS):
        at = f"{ORDERS}/{shop.order(str(n))['id']}/cancel"
        answers = shop.at_once(*[("POST", at, None)] * 3)
        assert {answer.status_code for answer in answers} == {200}
    with shop.hub.reading() as session:
        told = select(func.count()).where(EventRow.name == "OrderCancelled")
        assert session.exec(told).one() == ROUNDS


def test_what_is_cancelled_while_it_is_sent_again_ends_cancelled_or_says_so(shop: Shop) -> None:
    for n in range(ROUNDS):
        at = f"{ORDERS}/{shop.order(str(n))['id']}"
        sent, cancelled = shop.at_once(
            ("POST", ORDERS, an_order(str(n), instructions="later")), ("POST", f"{at}/cancel", None)
        )
        assert (sent.status_code, cancelled.status_code) in {(200, 200), (422, 200)}
        after = shop.call("GET", at).get_json()
        assert after["status"] == "cancelled"
        assert (after["instructions"] == "later") is (sent.status_code == 200)
