"""Before anybody drives: orders in, addresses found, routes planned, judged and published."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from hub.core.contracts import TravelTimes
from hub.core.errors import Unavailable
from hub.core.notices import Trigger
from hub.core.orders import IncomingOrder
from hub.core.values import TimeWindow
from hub.demo import expected
from hub.demo.clock import Clock
from hub.demo.desk import Desk
from hub.demo.judge import broken_rules
from hub.demo.notebook import Notebook
from hub.demo.play import Bakery
from hub.demo.shop import Shop
from hub.demo.town import Door

FIND_S = 60.0  # for the hub to find the addresses
MOST_PLANNING_S, LEAST_PLANNING_S, PER_ORDER_S = 3.0, 0.8, 0.01
LOOK_S = 0.1
Json = Mapping[str, Any]


def orders_in(
    shop: Shop,
    desk: Desk,
    book: Notebook,
    clock: Clock,
    orders: Sequence[IncomingOrder],
    doors: Sequence[Door],
) -> None:
    """Send them, and wait until the hub knows where each goes.

    Of an address that it is not sure of, the shop asks the customer, and sends the point.
    """
    shop.send(orders)
    for order in orders:
        expected.promised(book, order.number, Trigger.PLACED)
    clock.near()
    _until_found(shop, desk)
    points = {door.address: door.point for door in doors}
    for one in shop.orders():
        if any(job["state"] == "needs_review" for job in one["jobs"]):
            order = book.orders[one["number"]]
            shop.tell_point(one["id"], order, points[order.address])
    clock.near()
    _until_found(shop, desk)


def _until_found(shop: Shop, desk: Desk) -> None:
    until = time.monotonic() + FIND_S
    while True:
        states = [job["state"] for order in shop.orders() for job in order["jobs"]]
        if desk.to_do() >= len(states) - states.count("needs_review"):
            return
        if time.monotonic() > until:
            raise Unavailable("The hub does not find the addresses; see its worker's log.")
        time.sleep(LOOK_S)


def planned(desk: Desk, clock: Clock, orders: int) -> None:
    """Have the day planned; whoever waits stops the solver once it is good enough for a demo."""
    enough_s = min(MOST_PLANNING_S, LEAST_PLANNING_S + PER_ORDER_S * orders)
    desk.plan()
    clock.go()
    began, stopped = time.monotonic(), False
    while True:
        is_planning, served = desk.progress()
        if not is_planning:
            break
        if not served:
            began = time.monotonic()
        elif not stopped and time.monotonic() - began > enough_s:
            desk.stop_planning()
            stopped = True
        time.sleep(LOOK_S)
    clock.settle()


def expect_dispatched(shop: Shop, book: Notebook) -> None:
    """Whoever waits for a job that is now on a phone is told when it comes."""
    for order in shop.orders():
        for job in order["jobs"]:
            about = {"number": order["number"], "kind": job["kind"]}
            if job["state"] == "dispatched" and expected.tells_of(book, about):
                expected.promised(book, order["number"], Trigger.DISPATCHED)


def judged(shop: Shop, desk: Desk, book: Notebook, bakery: Bakery, roads: TravelTimes) -> list[str]:
    """The rules that what was published breaks."""
    return broken_rules(
        desk.board(),
        list(shop.orders()),
        book,
        depot=bakery.depot,
        hours=TimeWindow(bakery.starts_at, bakery.ends_at),
        capacity=bakery.capacity,
        matrix=lambda places: roads.matrix(places, bakery.starts_at),
    )
