"""Shops and books are told beside each other: a silent one holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from fake_bakehouse import FakeBakehouse

from hub.db.tables import ErrandRow
from hub.flows.connect import connect
from hub.flows.found import found
from hub.flows.outward import tell_shops
from hub.flows.pull import pull_due
from hub.testing import WsgiAdapter
from tests.connected_worlds import MONDAY, a_shop


def test_a_silent_shop_holds_up_no_other(database_url: str) -> None:
    """One thread told all shops of all businesses, and customers too."""
    world = a_shop(database_url)
    other, was_told, in_time = FakeBakehouse(), threading.Event(), list[bool]()

    def behaving(app: Any, wait: bool) -> Any:
        def through(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environ["PATH_INFO"].endswith("/news"):
                if wait:
                    in_time.append(was_told.wait(20))
                else:
                    was_told.set()
            return app(environ, start)

        return through

    mount = world.hub.tools.http.mount
    mount("https://bakehouse.test", WsgiAdapter(behaving(world.shop.app, True)))
    mount("https://other.test", WsgiAdapter(behaving(other.app, False)))
    for shop in (world.shop, other):
        shop.put("R1", MONDAY)
    world.connect()
    another = found(world.hub, "Another", zone="UTC")
    given = {"url": "https://other.test/", "token": other.secret}
    connect(world.hub, another, "bakehouse", given, actor="staff:1")
    pull_due(world.hub)
    assert tell_shops(world.hub) == 2
    assert in_time == [True]
    assert {row.state for row in world.rows(ErrandRow) if row.subscriber == "hub.write_back"} == {
        "done"
    }
