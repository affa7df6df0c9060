"""Is what was published lawful? Worked out anew from the board and from what the shop sent.

The board says who goes where and when; windows, loads and times at the door are the shop's
own, capacities and hours the bakery's, roads the simulator's. The hub's plan is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.core.fit import begins
from hub.core.orders import IncomingOrder, Kind
from hub.core.planning import (
    JobToPlan,
    Plan,
    PlanRequest,
    TravelMatrix,
    VehicleToPlan,
    Visit,
    violations,
)
from hub.core.values import Point, TimeWindow
from hub.demo.notebook import Notebook

Json = Mapping[str, Any]
Matrix = Callable[[Sequence[Point]], TravelMatrix]


def broken_rules(
    board: Json,
    orders: Sequence[Json],
    book: Notebook,
    *,
    depot: Point,
    hours: TimeWindow,
    capacity: Mapping[str, int],
    matrix: Matrix,
) -> list[str]:
    """A sentence for each rule that the published routes break, each job left out, each twice."""
    legs = {job["id"]: (order["number"], job) for order in orders for job in order["jobs"]}
    pairs = _pairs(orders)
    places, index = [depot], dict[str, int]()
    for route in board["routes"]:
        for stop in route["stops"]:
            index[stop["id"]] = len(places)
            places.append(Point(stop["lat"], stop["lon"]))
    jobs: dict[str, JobToPlan] = {}
    routes: dict[str, tuple[Visit, ...]] = {}
    spans: dict[str, TimeWindow] = {}
    for route in (one for one in board["routes"] if one["published"]):
        visits: list[Visit] = []
        for stop in route["stops"]:
            here = [_job(legs[one["id"]], book, pairs, index[stop["id"]]) for one in stop["jobs"]]
            jobs |= {job.id: job for job in here}
            visits += _visits(here, datetime.fromisoformat(stop["planned"]))
        routes[route["id"]] = tuple(visits)
        spans[route["id"]] = _span(route["leaves_at"], route["back_at"])
    left = [_job(leg, book, pairs, 0) for id, leg in legs.items() if id not in jobs]
    request = PlanRequest(
        places=tuple(places),
        travel={"car": matrix(places)},
        jobs=(*jobs.values(), *left),
        vehicles=tuple(
            VehicleToPlan(id=id, start=0, end=0, shift=hours, capacity=capacity) for id in routes
        ),
    )
    found = violations(request, Plan(routes, {}, spans=spans))
    return [_readable(one, legs) for one in found]


def _pairs(orders: Sequence[Json]) -> dict[str, str]:
    twos = [[job["id"] for job in order["jobs"]] for order in orders if len(order["jobs"]) == 2]
    return {a: b for ids in twos for a, b in (ids, reversed(ids))}


def _job(leg: tuple[str, Json], book: Notebook, pairs: Mapping[str, str], place: int) -> JobToPlan:
    number, job = leg
    order = book.orders[number]
    fetches = job["id"] in pairs and job["leg"] == 1
    return JobToPlan(
        id=job["id"],
        place=place,
        service_s=_service_s(order, fetches),
        load={"g": order.load_g, "parcels": order.load_parcels},
        load_direction=_direction(order.kind if not fetches else Kind.COLLECT),
        windows=() if fetches else order.windows,
        pair_with=pairs.get(job["id"]),
        leg="collect" if fetches else "deliver",
    )


def _direction(kind: Kind) -> Any:
    return {Kind.DELIVER: "deliver", Kind.COLLECT: "collect", Kind.SERVE: "none"}[kind]


def _service_s(order: IncomingOrder, fetches: bool) -> int:
    if fetches and order.pick_up is not None:
        return order.pick_up.service_s or 0
    return order.service_s or 0


def _visits(here: Sequence[JobToPlan], at: datetime) -> list[Visit]:
    """What is done one after the other at one door, by who arrives ``at``."""
    visits = []
    for job in here:
        start = begins(job.windows, at)
        depart = start + timedelta(seconds=job.service_s)
        visits.append(Visit(job.id, at, start, depart))
        at = depart
    return visits


def _span(leaves_at: str, back_at: str) -> TimeWindow:
    return TimeWindow(datetime.fromisoformat(leaves_at), datetime.fromisoformat(back_at))


def _readable(sentence: str, legs: Mapping[str, tuple[str, Json]]) -> str:
    for id, (number, _) in legs.items():
        sentence = sentence.replace(id, number)
    return sentence
