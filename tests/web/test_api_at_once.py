"""Programs that change the same order at the same moment: each change counts, once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlmodel import select
from werkzeug.test import TestResponse

from hub.app import Hub
from hub.db.tables import EventRow
from hub.flows.api_keys import Scope, make_key
from hub.flows.found import found
from hub.web.app import create_app
from tests.web.test_api import NOON, ORDERS, an_order

ROUNDS = 4


class Shop:
    """Its requests go out together; each has a client and a connection of its own."""

    def __init__(self, url: str) -> None:
        self.hub = Hub.in_memory(object(), now=lambda: NOON, url=url)
        business = found(self.hub, "Husk", zone="Europe/Helsinki", country="FI")
        self.key = make_key(self.hub, business, "shop", tuple(Scope))[1]
        self.app: Flask = create_app(self.hub)

    def call(self, method: str, path: str, body: Any = None) -> TestResponse:
        more = {} if body is None else {"json": body}
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.app.test_client().open(path, method=method, headers=headers, **more)

    def at_once(self, *calls: tuple[Any, ...]) -> list[int]:
        """The status of each answer."""
        start = Barrier(len(calls))

        def one(call: tuple[Any, ...]) -> int:
            start.wait()
            return self.call(*call).status_code

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(one, calls))

    def placed(self, ref: str) -> str:
        order_id: str = self.call("POST", ORDERS, an_order(ref)).get_json()["orders"][0]["id"]
        return f"{ORDERS}/{order_id}"


@pytest.fixture
def shop(database_url: str) -> Shop:
    return Shop(database_url)


def test_two_fields_patched_at_once_are_both_changed(shop: Shop) -> None:
    """Both were answered 200, and one of them was gone."""
    order = shop.placed("1001")
    for n in range(1, ROUNDS + 1):
        note = f"Ring {n} times"
        patches = ({"instructions": note}, {"priority": n})
        assert shop.at_once(*(("PATCH", order, patch) for patch in patches)) == [200, 200]
        now = shop.call("GET", order).get_json()
        assert (now["instructions"], now["priority"]) == (note, n)


def test_an_order_cancelled_by_several_at_once_is_cancelled_once(shop: Shop) -> None:
    orders = [shop.placed(str(n)) for n in range(ROUNDS)]
    for order in orders:
        assert shop.at_once(*[("POST", f"{order}/cancel")] * 3) == [200, 200, 200]
    with shop.hub.reading() as session:
        said = session.exec(select(EventRow).where(EventRow.name == "OrderCancelled")).all()
    assert len(said) == ROUNDS


@pytest.mark.parametrize("change", ["upsert", "patch"])
def test_a_change_that_races_a_cancellation_comes_before_it_or_is_refused(
    shop: Shop, change: str
) -> None:
    """It was answered 200 and written to the cancelled order."""
    late: Callable[[str, str], tuple[Any, ...]] = {
        "upsert": lambda ref, order: ("POST", ORDERS, an_order(ref, instructions="Ring")),
        "patch": lambda ref, order: ("PATCH", order, {"instructions": "Ring"}),
    }[change]
    for n in range(ROUNDS):
        order = shop.placed(str(n))
        cancelled, changed = shop.at_once(("POST", f"{order}/cancel"), late(str(n), order))
        now = shop.call("GET", order).get_json()
        assert (cancelled, now["status"]) == (200, "cancelled")
        assert changed in (200, {"upsert": 422, "patch": 409}[change])
        assert (changed == 200) == (now["instructions"] == "Ring")
        with shop.hub.reading() as session:
            about = select(EventRow.name).where(EventRow.subject_id == now["id"])
            said = session.exec(about.order_by(EventRow.seq)).all()
        assert said[-1] == "OrderCancelled"


def test_the_same_new_order_sent_by_several_at_once_is_placed_once(shop: Shop) -> None:
    for n in range(ROUNDS):
        answers = shop.at_once(*[("POST", ORDERS, an_order(str(n)))] * 3)
        assert sorted(answers) == [200, 200, 201]
