"""The judge sees every rule that a published day breaks, from the board and the orders alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.core.orders import IncomingOrder, Kind, PickUp
from hub.core.planning import TravelMatrix
from hub.core.values import Address, Line, Point, TimeWindow
from hub.demo.judge import broken_rules
from hub.demo.notebook import Notebook

SEVEN = datetime(2026, 11, 23, 7, tzinfo=UTC)
HOURS = TimeWindow(SEVEN, SEVEN + timedelta(hours=9))
DEPOT = Point(60.17, 24.94)
WAY_S, SERVICE_S = 600, 120


def minutes(n: float) -> datetime:
    return SEVEN + timedelta(minutes=n)


def an_order(number: str, **more: Any) -> IncomingOrder:
    return IncomingOrder(
        ref=number,
        number=number,
        updated_at=SEVEN,
        address=Address(("Yrjönkatu 1",), "Helsinki"),
        lines=(Line("Bread", 2, weight_g=1000),),
        service_s=SERVICE_S,
        **more,
    )


def a_stop(id: str, at: datetime, *jobs: str) -> dict[str, Any]:
    there = {"id": id, "lat": 60.18, "lon": 24.95, "planned": at.isoformat()}
    return {**there, "jobs": [{"id": job} for job in jobs]}


def sent(number: str, *jobs: str) -> dict[str, Any]:
    legs = [{"id": job, "leg": leg, "kind": "deliver"} for leg, job in enumerate(jobs, 1)]
    return {"number": number, "jobs": legs}


@pytest.fixture
def book() -> Notebook:
    book = Notebook()
    book.placed(an_order("#1", windows=(TimeWindow(minutes(0), minutes(15)),)))
    book.placed(an_order("#2"))
    book.placed(
        an_order("#3", pick_up=PickUp(address=Address(("Bulevardi 2",)), service_s=SERVICE_S))
    )
    book.placed(an_order("#4", kind=Kind.COLLECT))
    return book


ORDERS = [
    sent("#1", "job-a"),
    sent("#2", "job-b"),
    sent("#3", "job-c1", "job-c2"),
    sent("#4", "job-d"),
]
WAY_MIN = (WAY_S + SERVICE_S) / 60


def a_board() -> dict[str, Any]:
    """Ten minutes between any two doors, two at each."""
    doors = (("s1", "job-a"), ("s2", "job-b"), ("s3", "job-c1"), ("s4", "job-c2"), ("s5", "job-d"))
    stops = [a_stop(id, minutes(10 + n * WAY_MIN), job) for n, (id, job) in enumerate(doors)]
    home = minutes(10 + 5 * WAY_MIN)
    route = {"id": "r", "published": True, "stops": stops}
    route |= {"leaves_at": SEVEN.isoformat(), "back_at": home.isoformat()}
    return {"routes": [route]}


def matrix(places: Any) -> TravelMatrix:
    n = len(places)
    rows = tuple(tuple(0 if a == b else WAY_S for b in range(n)) for a in range(n))
    return TravelMatrix(rows, rows)


def judged(board: dict[str, Any], book: Notebook, *, g: int = 20_000) -> list[str]:
    return broken_rules(
        board,
        ORDERS,
        book,
        depot=DEPOT,
        hours=HOURS,
        capacity={"g": g, "parcels": 10},
        matrix=matrix,
    )


def test_a_lawful_day_breaks_nothing(book: Notebook) -> None:
    assert judged(a_board(), book) == []


def late(board: dict[str, Any]) -> None:
    """Everybody comes ten minutes later than lawful."""
    route = board["routes"][0]
    for stop in route["stops"]:
        stop["planned"] = (
            datetime.fromisoformat(stop["planned"]) + timedelta(minutes=10)
        ).isoformat()
    route["back_at"] = minutes(20 + 5 * WAY_MIN).isoformat()


def forgotten(board: dict[str, Any]) -> None:
    board["routes"][0]["stops"].pop(1)


def hurried(board: dict[str, Any]) -> None:
    board["routes"][0]["stops"][3]["planned"] = minutes(40).isoformat()


def turned(board: dict[str, Any]) -> None:
    """The goods are brought before they are fetched."""
    stops = board["routes"][0]["stops"]
    stops[2]["jobs"], stops[3]["jobs"] = stops[3]["jobs"], stops[2]["jobs"]


def too_long(board: dict[str, Any]) -> None:
    board["routes"][0]["back_at"] = (HOURS.closes + timedelta(minutes=1)).isoformat()


def twice(board: dict[str, Any]) -> None:
    board["routes"][0]["stops"][1]["jobs"].append({"id": "job-a"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (late, "#1 begins at 07:20, outside its windows"),
        (forgotten, "#2"),
        (hurried, "cannot"),
        (turned, "before collecting"),
        (too_long, "after its shift"),
        (twice, "#1 appears 2 times"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_each_broken_rule_is_named(
    change: Callable[[dict[str, Any]], None], says: str, book: Notebook
) -> None:
    board = copy.deepcopy(a_board())
    change(board)
    assert any(says in sentence for sentence in judged(board, book))


def test_a_van_that_carries_too_much_is_named(book: Notebook) -> None:
    assert any("carries" in sentence for sentence in judged(a_board(), book, g=3_000))
