"""A shop that is told of deliveries, and a source that tells it and is right."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from flask import Flask, request

from hub import (
    Address,
    IncomingOrder,
    OrderPage,
    OrderProgress,
    OrderSource,
    Refused,
    Tools,
    WritesBack,
)
from hub.testing import MONDAY, WriteBackConformance, WsgiAdapter

ORIGIN = "https://teller.example"


@dataclass
class Shop:
    secret: str = "tell-5ecret"
    mood: str = "well"
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    changes: int = 0

    def __post_init__(self) -> None:
        self.app = Flask("teller")
        self.app.before_request(self._refusal)
        self.app.add_url_rule("/orders", "list", lambda: list(self.orders.values()))
        self.app.add_url_rule("/orders/<ref>", "one", self._one)
        self.app.add_url_rule("/orders/<ref>", "change", self._change, methods=["POST"])
        self.app.add_url_rule("/orders/<ref>/events", "events", self._events)
        self.app.add_url_rule("/orders/<ref>/events", "add", self._add, methods=["POST"])

    def be(self, mood: str) -> None:
        self.mood = mood

    def place(self) -> tuple[str, str]:
        ref = f"o{len(self.orders) + 1}"
        self.orders[ref] = {
            "id": ref,
            "number": f"#{1000 + len(self.orders)}",
            "status": "open",
            "link": "",
            "changed": 0,
        }
        self.events[ref] = []
        return ref, self.orders[ref]["number"]

    def touch(self, ref: str) -> None:
        self.changes += 1
        self.orders[ref]["changed"] = self.changes

    def _one(self, ref: str) -> Any:
        return self.orders.get(ref, {})

    def _change(self, ref: str) -> Any:
        self.orders[ref] |= request.get_json()
        self.touch(ref)
        return {}

    def _events(self, ref: str) -> Any:
        return self.events[ref]

    def _add(self, ref: str) -> Any:
        self.events[ref].append(request.get_json())
        self.touch(ref)
        return {}

    def _refusal(self) -> Any:
        match self.mood:
            case "locked":
                return {"error": "no"}, 401
            case "busy":
                return {"error": "slow"}, 429, {"Retry-After": "7"}
            case "down":
                return "oops", 503
        return None


class Telling(OrderSource, WritesBack):
    key = "telling"
    title = "Teller"
    takes_late_proof = True
    said: ClassVar = {
        "on_the_way": "on its way",
        "closed succeeded": "delivered",
        "closed partial": "half delivered",
        "closed failed": "not delivered",
        "closed skipped": "not tried",
    }

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        rows = self._get("orders")
        since = int(cursor or 0)
        news = [row for row in rows if row["changed"] >= since]
        newest = max((row["changed"] for row in rows), default=0)
        yield OrderPage(tuple(map(to_order, news)), str(newest))

    def write_back(self, update: OrderProgress) -> None:
        words = self.said.get(f"{update.stage} {update.outcome}".strip(), "")
        if not words:
            return
        order = self._get(f"orders/{update.order_ref}")
        if not order:
            raise Refused(f"Order {update.order_number} is no longer in the shop.")
        if order["status"] == "cancelled":
            raise Refused(f"Order {update.order_number} was cancelled in the shop.")
        if order["link"] != update.tracking_url:
            self._post(f"orders/{update.order_ref}", {"link": update.tracking_url})
        there = self._get(f"orders/{update.order_ref}/events")
        if any(event["at"] > update.at.isoformat() for event in there):
            return
        if update.key not in [event["key"] for event in there]:
            late = "proof of what was " if update.late_proof else ""
            event = {"key": update.key, "words": late + words, "at": update.at.isoformat()}
            self._post(f"orders/{update.order_ref}/events", event)
        if words == "delivered" and order["status"] == "open":
            self._post(f"orders/{update.order_ref}", {"status": "done by hub"})

    def _get(self, path: str) -> Any:
        return self.tools.http.get_json(f"{ORIGIN}/{path}")

    def _post(self, path: str, body: Any) -> None:
        self.tools.http.post_json(f"{ORIGIN}/{path}", body)


def to_order(row: Any) -> IncomingOrder:
    return IncomingOrder(
        ref=row["id"],
        number=row["number"],
        updated_at=MONDAY + timedelta(seconds=row["changed"]),
        address=Address(("1 High St",)),
        status="cancelled" if row["status"] == "cancelled" else "open",
    )


class TestReference(WriteBackConformance):
    shows: ClassVar = {
        "on_the_way": "on its way",
        "closed succeeded": "done by hub",
        "closed partial": "half delivered",
        "closed failed": "not delivered",
        "closed skipped": "not tried",
    }

    @pytest.fixture
    def shop(self) -> Shop:
        return Shop()

    def source(self, shop: Shop, tools: Tools) -> Telling:
        tools.http.mount(ORIGIN, WsgiAdapter(shop.app))
        return Telling(Telling.Settings(), tools)

    def place(self, shop: Shop) -> tuple[str, str]:
        return shop.place()

    def told(self, shop: Shop, ref: str) -> list[str]:
        return [shop.orders[ref]["status"], *(event["words"] for event in shop.events[ref])]

    def links(self, shop: Shop, ref: str) -> list[str]:
        return [shop.orders[ref]["link"]]

    def remove(self, shop: Shop, ref: str) -> None:
        del shop.orders[ref]

    def call_off(self, shop: Shop, ref: str) -> None:
        shop.orders[ref]["status"] = "cancelled"
        shop.touch(ref)

    def is_called_off(self, shop: Shop, ref: str) -> bool:
        return shop.orders[ref]["status"] == "cancelled"
