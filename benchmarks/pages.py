"""What pages, the API and acts cost above what they are made of: Flask, and rows written."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from flask import Flask
from sqlmodel import select

from benchmarks import Line, a_published_day, per_call_ms
from hub.app import Hub
from hub.db.tables import ActRow, EventRow, JobRow, LinkRow, OrderRow, PlaceRow
from hub.flows.api_keys import make_key
from hub.flows.drive import IncomingAct, device_for, take_acts
from hub.web.app import create_app
from tests.driving_worlds import TEN

JOBS, MANY = 20, 1000
WRITTEN: tuple[Any, ...] = (PlaceRow, OrderRow, JobRow, LinkRow, EventRow)  # by one new order
NEW = count()


def pages(seconds: float) -> list[Line]:
    day, token = a_published_day(JOBS)
    bare, client = Flask("bare"), create_app(day.hub).test_client()
    bare.add_url_rule("/", "hello", lambda: "hello")

    def ask(path: str, **headers: str) -> Any:
        assert client.get(path, headers=headers).status_code == 200
        return partial(client.get, path, headers=headers)

    link = first(day.hub, LinkRow)
    page = ask(f"/t/{day.hub.keys.link_token(link.order_id, link.epoch)}")
    route = ask("/driver/api/route", Authorization=f"Bearer {token}")
    reads = {"tracking page": page, f"driver's route of {JOBS} jobs": route}
    took = per_call_ms({"bare": partial(bare.test_client().get, "/"), **reads}, seconds / 2)
    floor = took.pop("bare")
    lines = [Line(name, ms, floor, "ms", "Flask hello") for name, ms in took.items()]
    _, key = make_key(day.hub, day.business_id, "bench", ["orders:write"])

    def post(many: int) -> None:
        orders = [an_order(next(NEW)) for _ in range(many)]
        headers = {"Authorization": f"Bearer {key}"}
        assert client.post("/api/v1/orders", json=orders, headers=headers).status_code == 201

    for many in (1, MANY):
        calls = {"ours": partial(post, many), "floor": partial(insert, day.hub, many)}
        each = per_call_ms(calls, seconds / 4).values()
        lines.append(Line(f"POST of {many:,}", *each, "ms", "ORM, same rows"))
    return lines


def acts(seconds: float) -> list[Line]:
    """A driver's acts, one unit each, against one bare row and its commit."""
    day, token = a_published_day(JOBS)
    device, jobs, numbers = device_for(day.hub, token), day.jobs(), NEW
    day.now[0] = TEN + timedelta(hours=4)

    def say() -> None:
        n = next(numbers)
        job, at = jobs[n % len(jobs)].id, TEN + timedelta(seconds=n)
        act = IncomingAct(act_id=f"a{n}", kind="arrive", occurred_at=at, job_id=job)
        take_acts(day.hub, device, [act])

    def insert() -> None:
        whose = {"business_id": day.business_id, "device_id": "floor", "kind": "arrive"}
        row = ActRow(act_id=f"a{next(numbers)}", occurred_at=TEN, received_at=TEN, **whose)
        with day.hub.unit() as unit:
            unit.session.add(row)

    took = per_call_ms({"ours": say, "floor": insert}, seconds)
    ours, floor = (1000 / ms for ms in took.values())
    return [Line(f"acts on a route of {JOBS} jobs", ours, floor, "/s", "insert and commit")]


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
    own_id = {"id"} if isinstance(model, EventRow) else set()
    new = own_id | {"ref", "key", "token_hash"} & values.keys()
    values |= {name: f"twin {next(NEW)}" for name in new}
    ties = {"order_id": OrderRow, "place_id": PlaceRow}
    values |= {name: made[row][n].id for name, row in ties.items() if name in values}
    return type(model)(**values)
