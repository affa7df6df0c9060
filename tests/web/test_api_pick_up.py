"""Where goods are fetched first, by the API: what was sent is what is read."""

from __future__ import annotations

from typing import Any

from tests.web.test_api import ORDERS, World, an_order, world

__all__ = ["world"]

FETCHED: dict[str, Any] = {
    "address": {"lines": ["Kanavakatu 1"], "city": "Helsinki", "postcode": "00160"},
    "point": {"lat": 60.167, "lon": 24.966},
    "windows": [{"opens": "2026-11-24T06:00:00Z", "closes": "2026-11-24T07:30:00Z"}],
    "contact": {"role": "shipper", "name": "Mill", "phone": "+358401234567"},
    "service_s": 240,
    "instructions": "Ring twice",
}


def test_where_an_order_is_fetched_first_is_read_as_it_was_sent(world: World) -> None:
    order = world.order("1001", pick_up=FETCHED)
    for read in (order, world.call("GET", f"{ORDERS}/{order['id']}").get_json()):
        told = read["pick_up"]
        assert told["address"].items() >= {**FETCHED["address"], "region": ""}.items()
        assert told["contact"].items() >= FETCHED["contact"].items()
        assert {name: told[name] for name in ("point", "windows", "service_s", "instructions")} == {
            name: FETCHED[name] for name in ("point", "windows", "service_s", "instructions")
        }


def test_another_change_leaves_where_it_is_fetched(world: World) -> None:
    order = world.order("1001", pick_up={"address": FETCHED["address"]})
    changed = world.call("PATCH", f"{ORDERS}/{order['id']}", {"priority": 3}).get_json()
    assert changed["pick_up"] == order["pick_up"]
    assert changed["pick_up"]["point"] is None and changed["pick_up"]["windows"] == []


def test_an_order_from_the_depot_is_fetched_nowhere_first(world: World) -> None:
    assert world.call("POST", ORDERS, an_order()).get_json()["orders"][0]["pick_up"] is None
