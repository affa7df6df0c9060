"""Orders kept apart, by the API: named by id, ref or number, of one's own business alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.test_api import ORDERS, World, an_order, world

__all__ = ["world"]


def refused(world: World, body: Any, pointer: str, said: str) -> None:
    before = world.count()
    answer = world.call("POST", ORDERS, body)
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["errors"] == [{"pointer": pointer, "detail": said}]
    assert world.count() == before


@pytest.mark.parametrize("name", ["id", "ref", "number"])
def test_another_order_is_named_by_what_it_is_called(world: World, name: str) -> None:
    first = world.order("1001", number="#7")
    second = world.order("1002", apart_from=[first[name]])
    assert second["apart_from"] == [first[name]]


def test_orders_of_one_request_may_name_each_other(world: World) -> None:
    orders = [an_order("a", apart_from=["b"]), an_order("b", apart_from=["a"])]
    assert world.call("POST", ORDERS, orders).status_code == 201


def test_orders_of_one_request_name_each_other_with_or_without_a_hash(world: World) -> None:
    orders = [an_order("a", apart_from=["#b"]), an_order("b"), an_order("c", number="#7")]
    orders[1]["apart_from"] = ["7"]
    assert world.call("POST", ORDERS, orders).status_code == 201
    said = "#1001 is this order; name the other one"
    refused(world, an_order("1001", apart_from=["#1001"]), "/apart_from", said)


def test_an_order_that_is_not_there_is_refused_at_its_field(world: World) -> None:
    refused(world, an_order(apart_from=["9"]), "/apart_from", "there is no order 9")
    orders = [an_order("a"), an_order("b", apart_from=["9"])]
    refused(world, orders, "/1/apart_from", "there is no order 9")


def test_a_field_that_is_wrong_is_told_in_a_sentence_of_ours(world: World) -> None:
    order = an_order(windows=[{"opens": "2026-11-27T14:00:00Z", "closes": "2026-11-27T13:00:00Z"}])
    refused(world, order, "/windows/0", "closes before it opens")


def test_an_order_cannot_be_kept_apart_from_itself(world: World) -> None:
    said = "1001 is this order; name the other one"
    refused(world, an_order("1001", apart_from=["1001"]), "/apart_from", said)
    order = world.order("1001")
    answer = world.call("PATCH", f"{ORDERS}/{order['id']}", {"apart_from": ["1001"]})
    assert answer.status_code == 422 and said in answer.text


def test_no_order_of_another_business_can_be_named(world: World) -> None:
    answer = world.call("POST", ORDERS, an_order("theirs"), key=world.others_key)
    theirs = answer.get_json()["orders"][0]
    for name in (theirs["id"], "theirs"):
        refused(world, an_order(apart_from=[name]), "/apart_from", f"there is no order {name}")
    mine = world.order("1001")
    changed = world.call("PATCH", f"{ORDERS}/{mine['id']}", {"apart_from": [theirs["id"]]})
    assert changed.status_code == 422
    assert changed.get_json()["errors"][0]["pointer"] == "/apart_from"


def test_a_patch_names_others_or_none(world: World) -> None:
    world.order("1001")
    order = world.order("1002")
    path = f"{ORDERS}/{order['id']}"
    assert world.call("PATCH", path, {"apart_from": ["1001"]}).get_json()["apart_from"] == ["1001"]
    assert world.call("PATCH", path, {"priority": 3}).get_json()["apart_from"] == ["1001"]
    assert world.call("PATCH", path, {"apart_from": []}).get_json()["apart_from"] == []
