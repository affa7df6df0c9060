"""Somebody looks on and changes things: the played day goes on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hub.core.contracts import TravelTimes
from hub.core.errors import Refused
from hub.core.orders import IncomingOrder
from hub.core.planning import RoadLeg, RoadRoute
from hub.core.values import Address, Point
from hub.demo.clock import Clock
from hub.demo.courier import LOOK_EVERY_S, Courier
from hub.demo.pace import STEP
from hub.demo.phone import Phone
from hub.demo.play import Bakery
from hub.demo.road import length_m
from hub.demo.run import Played
from hub.demo.town import Door
from hub.demo.wire import JSON, Answer, Wire
from hub.flows.devices import devices_of, revoke
from hub.flows.drive import pairing_code
from hub.flows.order_desk import call_off
from tests.driving_worlds import SIX, Morning, a_morning
from tests.phone_worlds import driver_app

DEPOT = Point(60.1699, 24.9384)


class Line(Wire):
    """To a hub in this process, which takes no positions."""

    def __init__(self, client: FlaskClient) -> None:
        super().__init__(0)
        self.client = client

    def ask(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        if path == "/live/fixes":
            return Answer(200, {}, b'{"dropped": 0}')
        about = {**self.headers, **(headers or {})}
        told = self.client.open(
            path,
            method=method,
            data=body,
            headers=about,
            content_type=about.get("Content-Type", JSON),
        )
        return Answer(told.status_code, {}, told.data)


def straight(here: Point, there: Point) -> RoadRoute:
    far_m = length_m(here, there)
    return RoadRoute((here, there), (RoadLeg(round(far_m / 5), round(far_m)),))


class Day:
    """Three orders on Mara's route that the shop knows nothing of: a person typed them in."""

    def __init__(self, morning: Morning, folder: Path) -> None:
        self.morning = morning
        self.clock = Clock(folder / "clock", SIX)
        self.clock.waits = False
        address = Address(("Yrjönkatu 1",), city="Helsinki", country="FI")
        bakery = Bakery(
            morning.business_id, DEPOT, (Door(address, DEPOT, True),), ("Mara",), SIX, {}, "", ""
        )
        roads = morning.hub.provider(TravelTimes, "crow", {})
        self.played = Played(bakery, roads, self.clock, 0, orders=0, seed=1)
        self.played.book.placed(
            IncomingOrder(ref="D1", number="#1001", updated_at=SIX, address=address)
        )
        phone = Phone(Line(driver_app(morning.hub).test_client()), "Mara")
        phone.pair(pairing_code(morning.hub, morning.business_id, morning.drivers[0]))
        self.mara = Courier(
            "Mara",
            phone,
            straight,
            DEPOT,
            random.Random(1),
            self.played.book,
            {},
            self.played.is_over,
        )
        self.mara.begin(SIX.timestamp())
        self.played.couriers["Mara"] = self.mara

    def live(self, until: datetime) -> None:
        while self.clock.now < until:
            self.morning.now[0] = self.clock.now + STEP
            self.played.step(self.clock.now + STEP)

    def states(self) -> list[str]:
        return [job.state for job in self.morning.jobs()]


@pytest.fixture
def day(tmp_path: Path) -> Day:
    morning = a_morning()
    morning.publish()
    return Day(morning, tmp_path)


def test_couriers_deliver_what_somebody_typed_in_and_hear_of_what_is_called_off(day: Day) -> None:
    """An unknown number ended the whole demo, and a driver who waited looked at no phone."""
    first = day.mara.phone.look()["routes"][0]["stops"][0]["jobs"][0]
    day.played.agenda.every(SIX.timestamp(), LOOK_EVERY_S, day.played.ring_the_phones)
    begins = datetime.fromisoformat(day.mara.phone.day["routes"][0]["starts_at"])
    day.live(begins + timedelta(minutes=2, seconds=20))  # at work, and not yet on the road
    assert day.mara.on_shift
    order_id = next(job.order_id for job in day.morning.jobs() if job.id == first["job_id"])
    call_off(day.morning.hub, day.morning.business_id, order_id, actor="staff:1")
    day.live(begins + timedelta(hours=3))
    assert day.states() == ["closed"] * 3
    visited = {job_id for visit in day.played.book.visits for job_id in visit.jobs}
    assert len(visited) == 2
    assert first["job_id"] not in visited


@pytest.mark.parametrize("somebody_looks_on", [True, False])
def test_a_phone_that_is_shut_out_goes_silent_and_the_day_goes_on(
    day: Day, somebody_looks_on: bool, caplog: pytest.LogCaptureFixture
) -> None:
    day.played.goes_on = somebody_looks_on
    begins = datetime.fromisoformat(day.mara.phone.look()["routes"][0]["starts_at"])
    day.live(begins + timedelta(minutes=3))
    hub, business_id = day.morning.hub, day.morning.business_id
    for device in devices_of(hub, business_id, day.morning.drivers[0]):
        revoke(hub, business_id, device.id, actor="staff:1")
    later = begins + timedelta(minutes=20)
    if not somebody_looks_on:
        with pytest.raises(Refused, match="The phone of Mara"):
            day.live(later)
        return
    day.live(later)
    assert not day.mara.on_shift
    assert day.played.everybody_is_home
    assert [record.args[0] for record in caplog.records if record.args] == ["Mara"]
