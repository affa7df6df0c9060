"""What is stuck is seen, tried again and let go by the people of its business alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub import Event, OrderPlaced, Refused, Subscriber, Tools, hookimpl
from hub.app import Hub
from hub.db.tables import ErrandRow
from hub.flows.errands import parked
from tests.admin.desk import SIX, Desk, a_desk, text_of, with_orders


class Printer:
    """Prints a label for every order; ``paper`` says whether it can."""

    __name__ = "printer"

    def __init__(self) -> None:
        self.paper = False
        self.printed: list[str] = []

    @hookimpl
    def hub_subscribers(self) -> list[Subscriber]:
        return [Subscriber("printer", (OrderPlaced,), self.label)]

    def label(self, event: Event, tools: Tools) -> None:
        if not self.paper:
            raise Refused("The printer has no paper.")
        self.printed.append(event.subject_id)


@pytest.fixture
def printer() -> Printer:
    return Printer()


@pytest.fixture
def desk(tmp_path: Path, printer: Printer) -> Desk:
    now = [SIX]
    hub = Hub.in_memory(__import__("admin"), printer, now=lambda: now[0], data_dir=tmp_path)
    desk = a_desk(hub)
    desk.now = now
    with_orders(desk)
    hub.deliver_events()
    return desk


def test_a_parked_errand_is_shown_with_its_order_and_its_reason(desk: Desk) -> None:
    told = text_of(desk.get("/panel/stuck"))
    assert "The printer has no paper." in told
    assert "Refused" not in told
    assert "1001" in told
    assert "4 errands wait" in text_of(desk.get("/panel/")).replace("\n", " ")


def test_of_a_bug_no_more_is_shown_than_that_it_is_one(desk: Desk) -> None:
    with desk.hub.unit() as unit:
        for row in unit.session.exec(select(ErrandRow).where(ErrandRow.state == "parked")):
            row.last_error = "ZeroDivisionError: division by zero"
    told = text_of(desk.get("/panel/stuck"))
    assert "Something unexpected went wrong." in told
    assert "division" not in told.lower()


def test_trying_again_does_it_once_the_cause_is_mended(desk: Desk, printer: Printer) -> None:
    printer.paper = True
    for one in parked(desk.hub, desk.business_id):
        assert desk.post(f"/panel/stuck/{one.id}/retry").status_code == 302
    desk.now[0] += timedelta(seconds=1)
    desk.hub.deliver_events()
    assert len(set(printer.printed)) == len(printer.printed) == 4
    assert parked(desk.hub, desk.business_id) == []


def test_what_is_let_go_is_not_tried_again(desk: Desk, printer: Printer) -> None:
    printer.paper = True
    for one in parked(desk.hub, desk.business_id):
        desk.post(f"/panel/stuck/{one.id}/dismiss")
        assert desk.post(f"/panel/stuck/{one.id}/retry").status_code == 404
    desk.now[0] += timedelta(hours=2)
    desk.hub.deliver_events()
    assert printer.printed == []
    assert "Nothing is stuck." in text_of(desk.get("/panel/stuck"))


def test_another_business_sees_and_moves_none_of_it(desk: Desk) -> None:
    other = a_desk(desk.hub, "Other")
    [one, *_] = parked(desk.hub, desk.business_id)
    assert "Nothing is stuck." in text_of(other.get("/panel/stuck"))
    for what in ("retry", "dismiss"):
        assert other.post(f"/panel/stuck/{one.id}/{what}").status_code == 404
    assert len(parked(desk.hub, desk.business_id)) == 4
