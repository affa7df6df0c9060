"""A shop's program: it sends orders by the API, and asks how they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.core.errors import Refused
from hub.core.orders import IncomingOrder
from hub.core.values import Point
from hub.demo.day import as_sent
from hub.demo.notebook import Notebook
from hub.demo.wire import Wire

AT_ONCE, A_PAGE = 40, 200
Order = Mapping[str, Any]


class Shop:
    def __init__(self, wire: Wire, key: str, book: Notebook) -> None:
        self.wire, self.book = wire, book
        wire.headers["Authorization"] = f"Bearer {key}"

    def send(self, orders: Sequence[IncomingOrder]) -> list[Order]:
        """Some at a time, each lot under a key by which it is taken once; as the hub has them."""
        taken: list[Order] = []
        for n in range(0, len(orders), AT_ONCE):
            some = orders[n : n + AT_ONCE]
            key = {"Idempotency-Key": f"{some[0].ref}-{some[-1].ref}"}
            answer = self.wire.send("POST", "/api/v1/orders", [as_sent(o) for o in some], **key)
            if not answer.ok:
                raise Refused(f"The hub takes no orders: {answer.text[:500]}")
            taken += answer.json()["orders"]
            for order in some:
                self.book.placed(order)
        return taken

    def tell_point(self, order_id: str, order: IncomingOrder, point: Point) -> None:
        """The customer showed on a map where the door is."""
        sent = as_sent(replace(order, point=point))
        change = {name: sent[name] for name in ("address", "point")}
        answer = self.wire.send("PATCH", f"/api/v1/orders/{order_id}", change)
        if not answer.ok:
            raise Refused(f"The hub takes no point: {answer.text[:500]}")

    def orders(self) -> Iterator[Order]:
        """All of them, as they are now."""
        after = ""
        while True:
            answer = self.wire.get(f"/api/v1/orders?limit={A_PAGE}{after}")
            if not answer.ok:
                raise Refused(f"The hub shows no orders: {answer.text[:500]}")
            page = answer.json()
            yield from page["orders"]
            if page["next"] is None:
                return
            after = f"&after={page['next']}"

    def order(self, order_id: str) -> Order:
        order: Order = self.wire.get(f"/api/v1/orders/{order_id}").json()
        return order
