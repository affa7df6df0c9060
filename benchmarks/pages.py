"""What pages and the API cost above what they are made of: Flask, and the rows they write."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

from flask import Flask
from sqlmodel import select

from benchmarks import Line, a_published_day, per_call_ms
from hub.app import Hub
from hub.db.tables import EventRow, JobRow, LinkRow, OrderRow, PlaceRow
from hub.flows.api_keys import make_key
from hub.web.app import create_app

JOBS, MANY = 20, 1000
WRITTEN: tuple[Any, ...] = (PlaceRow, OrderRow, JobRow, LinkRow, EventRow)  # by one new order
NEW = count()


def pages(seconds: float) -> list[Line]:
    day, token = a_published_day(JOBS)
    bare, app = Flask("bare"), create_app(day.hub)
    bare.add_url_rule("/", "hello", lambda: "hello")
    client = app.test_client()

    def ask(path: str, **headers: str) -> Any:
        assert client.get(path, headers=headers).status_code == 200
        return partial(client.get, path, headers=headers)

    link = first(day.hub, LinkRow)
    page = ask(f"/t/{day.hub.keys.link_token(link.order_id, link.epoch)}")
    route = ask("/driver/api/route", Authorization=f"Bearer {token}")
    hello = partial(bare.test_client().get, "/")
    reads = {"bare": hello, "tracking page": page, f"driver's route of {JOBS} jobs": route}
    took = per_call_ms(reads, seconds / 2)
    floor = took.pop("bare")
    lines = [Line(name, ms, floor, "ms", "Flask hello") for name, ms in took.items()]
    _, key = make_key(day.hub, day.business_id, "bench", ["orders:write"])

    def post(many: int) -> None:
        orders = [an_order(next(NEW)) for _ in range(many)]
        headers = {"Authorization": f"Bearer {key}"}
        answer = client.post("/api/v1/orders", json=orders, headers=headers)
        assert answer.status_code in (200, 201), answer.text

    for many in (1, MANY):
        calls = {"ours": partial(post, many), "floor": partial(insert, day.hub, many)}
        each = per_call_ms(calls, seconds / 4)
        lines.append(Line(f"POST of {many:,}", each["ours"], each["floor"], "ms", "ORM, same rows"))
    return lines


def first(hub: Hub, table: Any) -> Any:
    with hub.reading() as session:
        return session.exec(select(table)).first()


def an_order(n: int) -> dict[str, object]:
    where = {"lat": 60.15 + n % 97 / 2000, "lon": 24.9}
    return {"ref": f"B{n}", "address": {"lines": [f"Road {n}"], "city": "Oslo"}, "point": where}


def insert(hub: Hub, many: int) -> None:
    """As many rows as orders become, like those that are there, in one unit."""
    models = [first(hub, table) for table in WRITTEN]
    made: dict[Any, list[Any]] = {}
    with hub.unit() as unit:
        for model in models:
            made[type(model)] = [twin(model, made, n) for n in range(many)]
            unit.session.add_all(made[type(model)])
            unit.session.flush()


def twin(model: Any, made: dict[Any, list[Any]], n: int) -> Any:
    """The same values under another identity, tied to the ``n``-th rows made before."""
    values = model.model_dump(exclude={"id", "seq"})
    new = {"ref", "key", "token_hash"} & values.keys()
    new |= {"id"} if isinstance(model, EventRow) else set()
    values |= {name: f"twin {next(NEW)}" for name in new}
    ties = {"order_id": OrderRow, "place_id": PlaceRow}
    values |= {name: made[row][n].id for name, row in ties.items() if name in values}
    return type(model)(**values)
