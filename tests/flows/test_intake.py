"""Many orders at once are a few statements, and mean what they mean one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from hub import BadRecord
from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Line, Point, Role
from hub.db.tables import (
    ContactRow,
    EventRow,
    JobRow,
    LineRow,
    LinkRow,
    OrderRow,
    PlaceRow,
    RejectRow,
)
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.sync import AT_ONCE, SyncReport, store_all

SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)


def order(n: int, **changes: object) -> IncomingOrder:
    usual = IncomingOrder(
        ref=f"r{n}",
        number=f"#{n}",
        updated_at=SIX,
        address=Address((f"Road {n % 7}",), city="Helsinki"),
        contacts=(Contact(Role.RECIPIENT, f"Aino {n}"), Contact(Role.RECIPIENT, "Second")),
        lines=(Line("Rye", 2), Line("Bun", n + 1)),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


class Bakery:
    def __init__(self, url: str) -> None:
        self.hub = Hub.in_memory(now=lambda: SIX, url=url)
        self.business_id = found(self.hub, "Husk", zone="Europe/Helsinki", country="FI")
        self.api = connection_id(self.hub, self.business_id, "api")
        self.statements = 0
        event.listen(self.hub.engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.statements += 1

    def store(self, *orders: IncomingOrder, rejects: tuple[BadRecord, ...] = ()) -> SyncReport:
        self.statements = 0
        return store_all(self.hub, self.business_id, self.api, orders, rejects)

    def rows(self, table: type) -> list:  # type: ignore[type-arg]
        with self.hub.reading() as session:
            return list(session.exec(select(table).order_by(table.id)))


@pytest.fixture
def bakery(database_url: str) -> Bakery:
    return Bakery(database_url)


def test_a_hundred_orders_are_at_most_forty_statements_new_amended_or_cancelled(bakery):
    new = [order(n) for n in range(100)]
    noted = [replace(one, instructions="Ring twice") for one in new]
    gone = [replace(one, status="cancelled") for one in noted]
    for lot, counted in ((new, "placed"), (noted, "amended"), (gone, "cancelled")):
        assert getattr(bakery.store(*lot), counted) == 100
        assert bakery.statements <= 40
    assert bakery.store(*gone).repeats == 100
    assert bakery.statements <= 5


def test_more_than_one_lot_loses_nothing_and_keeps_its_order(bakery):
    orders = [order(n) for n in range(AT_ONCE + 3)]
    assert bakery.store(*orders).placed == AT_ONCE + 3
    for table, each in ((OrderRow, 1), (JobRow, 1), (LinkRow, 1), (ContactRow, 1), (LineRow, 2)):
        assert len(bakery.rows(table)) == each * (AT_ONCE + 3)
    assert len(bakery.rows(PlaceRow)) == 7
    with bakery.hub.reading() as session:
        told = session.exec(
            select(OrderRow.ref)
            .join(EventRow, EventRow.subject_id == OrderRow.id)
            .where(EventRow.name == "OrderPlaced")
            .order_by(EventRow.seq)
        ).all()
    assert list(told) == [one.ref for one in orders]


def test_two_reports_of_one_order_in_a_lot_are_taken_one_after_the_other(bakery):
    first, other = order(1), order(2)
    fewer = replace(first, lines=(Line("Cake", 1),), updated_at=SIX + timedelta(minutes=1))
    report = bakery.store(first, other, fewer, first)
    assert (report.placed, report.amended, report.repeats) == (2, 1, 1)
    [row] = [row for row in bakery.rows(OrderRow) if row.ref == "r1"]
    assert [line.title for line in bakery.rows(LineRow) if line.order_id == row.id] == ["Cake"]


def test_one_bad_order_in_a_lot_leaves_nothing_of_the_others(bakery):
    def orders():
        yield from (order(n) for n in range(AT_ONCE + 1))
        raise ValueError("the source broke off")

    with pytest.raises(ValueError, match="broke off"):
        store_all(bakery.hub, bakery.business_id, bakery.api, orders())
    assert bakery.rows(OrderRow) == bakery.rows(PlaceRow) == bakery.rows(EventRow) == []


def test_the_last_point_reported_for_a_place_counts_but_not_above_a_persons_pin(bakery):
    here, there = Point(60.1, 24.9), Point(60.2, 24.8)
    same = Address(("Road 1",), city="Helsinki")
    bakery.store(order(1, address=same, point=here), order(2, address=same, point=there))
    [place] = bakery.rows(PlaceRow)
    assert (place.lat, place.lon, place.source) == (60.2, 24.8, "order")
    with bakery.hub.unit() as unit:
        unit.session.get_one(PlaceRow, place.id).source = "staff"
    bakery.store(order(3, address=same, point=here))
    assert bakery.rows(PlaceRow)[0].lat == 60.2


def test_a_record_set_aside_twice_is_one_reject_with_its_last_problem(bakery):
    bakery.store(rejects=(BadRecord("x", "no street"), BadRecord("y", "no name")))
    report = bakery.store(rejects=(BadRecord("x", "no city"), BadRecord("x", "no postcode")))
    assert report.rejects == 2
    assert {row.ref: row.problem for row in bakery.rows(RejectRow)} == {
        "x": "no postcode",
        "y": "no name",
    }
