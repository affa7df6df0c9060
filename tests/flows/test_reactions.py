"""What the hub does by itself when something happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import ClassVar

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlmodel import select

from hub import Geocoder, Match, hookimpl
from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address
from hub.db.tables import ErrandRow, JobRow, PlaceRow
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.sync import store_all
from hub.worker import schedule

SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)


def test_an_order_that_comes_in_is_located_without_being_asked(
    database_url: str, helsinki: Path, tmp_path: Path
) -> None:
    (tmp_path / "map").symlink_to(helsinki / "map")
    hub = Hub.in_memory(now=lambda: SIX, data_dir=tmp_path, url=database_url)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    orders = [
        IncomingOrder(
            ref=street,
            number=street,
            updated_at=SIX,
            address=Address((street,), city="Helsinki", country="FI"),
        )
        for street in ("Yrjönkatu 10", "Nosuchstreet 1")
    ]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    hub.deliver_events()
    hub.deliver_events()
    with hub.reading() as session:
        states = session.exec(
            select(JobRow.state, PlaceRow.lat).join(PlaceRow).order_by(JobRow.state)
        ).all()
        assert [(state, lat is not None) for state, lat in states] == [
            ("created", True),
            ("needs_review", False),
        ]
        assert set(session.exec(select(ErrandRow.state))) == {"done"}


class Slow(Geocoder):
    """Says nothing until it is let."""

    key = "osm"
    title = "Slow"
    asked: ClassVar[Event] = Event()
    let: ClassVar[Event] = Event()

    def locate(self, address: Address) -> Match | None:
        self.asked.set()
        self.let.wait(60)
        return None


class Plugin:
    __name__ = "slow"

    @hookimpl
    def hub_geocoders(self) -> list[type[Geocoder]]:
        return [Slow]


@pytest.fixture
def at_work(database_url: str) -> Iterator[Hub]:
    """A hub whose worker is at work, with a geocoder that takes its time."""
    hub = Hub.in_memory(Plugin(), now=lambda: SIX, url=database_url)
    clock = BackgroundScheduler(timezone="UTC")
    schedule(clock, hub)
    clock.start()
    yield hub
    Slow.let.set()
    clock.shutdown(wait=True)
    Slow.asked.clear()
    Slow.let.clear()


def test_a_slow_geocoder_delays_nobodys_notice(at_work: Hub) -> None:
    """What is to be told waited until the last address was looked up."""
    business_id = found(at_work, "Husk", zone="Europe/Helsinki", country="FI")
    order = IncomingOrder(
        ref="1", number="1", updated_at=SIX, address=Address(("Yrjönkatu 10",), city="Helsinki")
    )
    store_all(at_work, business_id, connection_id(at_work, business_id, "api"), [order])
    assert Slow.asked.wait(30)
    ends = time.monotonic() + 90
    while (states := errands(at_work)).get("hub.notices") != "done" and time.monotonic() < ends:
        time.sleep(0.1)
    assert states == {"hub.locate": "due", "hub.notices": "done"}


def errands(hub: Hub) -> dict[str, str]:
    with hub.reading() as session:
        return dict(session.exec(select(ErrandRow.subscriber, ErrandRow.state)).all())
