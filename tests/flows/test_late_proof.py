"""Proof that comes after a job had ended reaches the books and the store once, whatever dies."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import hub_bakehouse
import pytest
from PIL import Image
from sqlmodel import select

import connectors.xero
from hub import OrderSource, hookimpl
from hub.app import Hub
from hub.core.business import BusinessSettings
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point
from hub.db.tables import (
    AuditRow,
    BusinessRow,
    DepotRow,
    DeviceRow,
    DriverRow,
    ErrandRow,
    JobRow,
    OrderRow,
    PlaceRow,
    ProofRow,
    RecordRow,
    RouteRow,
)
from hub.flows.approvals import back_url, came_back
from hub.flows.connect import connect
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import IncomingAct, device_for, pair, pairing_code, take_acts
from hub.flows.found import found
from hub.flows.month import as_csv, month
from hub.flows.order_desk import call_off
from hub.flows.plan import plan_day
from hub.flows.prove import put_file
from hub.flows.pull import pull_due
from hub.flows.records import PATIENCE
from hub.flows.records_by_hand import file_at, let_go
from hub.flows.sync import store_all
from hub.testing import WsgiAdapter
from tests.connected_worlds import Connected, a_shop
from tests.driving_worlds import Plugin
from tests.fakes.xero import ORIGINS, FakeXero, uuid

STAFF = "staff-1"
ZONE = "Pacific/Auckland"


def a_picture() -> tuple[bytes, str]:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(made, "JPEG")
    return made.getvalue(), sha256(made.getvalue()).hexdigest()


PICTURE, KNOWN_BY = a_picture()


@dataclass
class World:
    """A bakery with its books in Xero, and two deliveries of a day on a driver's phone."""

    hub: Hub
    business_id: str
    fake: FakeXero
    acts: int = 0
    devices: list[DeviceRow] = field(default_factory=list)

    def now(self) -> datetime:
        return self.fake.now()

    def job(self, ref: str) -> JobRow:
        with self.hub.reading() as session:
            return session.exec(
                select(JobRow)
                .join(OrderRow, OrderRow.id == JobRow.order_id)
                .where(OrderRow.ref == ref)
            ).one()

    def closes(self, ref: str, *, at: datetime | None = None, **body: object) -> tuple[str, str]:
        self.acts += 1
        given = {"outcome": "succeeded", "name": "Ana", **body}
        act = IncomingAct(
            act_id=str(self.acts),
            kind="close",
            job_id=self.job(ref).id,
            occurred_at=at or self.fake.now(),
            body=given,
        )
        [told] = take_acts(self.hub, self.devices[0], [act])
        return told.result, told.why

    def brings(self, ref: str) -> None:
        about = (self.business_id, self.job(ref).id, "photo", "image/jpeg", PICTURE, KNOWN_BY)
        put_file(self.hub, *about, device=self.devices[0])

    def work(self) -> None:
        """What the worker does now; an errand that waits is not due again at this moment."""
        while self.hub.deliver_events():
            pass

    def after(self, **span: float) -> None:
        self.fake.wait(**span)
        self.work()

    def record(self) -> RecordRow:
        with self.hub.reading() as session:
            return session.exec(select(RecordRow)).one()

    def entries(self) -> list[Any]:
        return month(self.hub, self.business_id, ZONE, self.fake.now().date().replace(day=1))


PHOTO = [{"kind": "photo", "sha256": KNOWN_BY}]


@pytest.fixture
def world() -> World:
    fake = FakeXero()
    hub = Hub.in_memory(connectors.xero, Plugin(), now=fake.now)
    for origin in ORIGINS:
        hub.tools.http.mount(origin, WsgiAdapter(fake))
    fake.redirect = back_url(hub)
    world = World(hub, found(hub, "Bakery", zone=ZONE, country="NZ"), fake)
    _signed_in(world)
    for ref in ("A", "B"):
        fake.put(ref, fake.now())
    _on_a_phone(world)
    return world


def _signed_in(world: World) -> None:
    settings = {"client_id": world.fake.client_id, "client_secret": world.fake.secret}
    made = connect(world.hub, world.business_id, "xero", settings, actor=f"staff:{STAFF}")
    assert parse_qs(urlsplit(made.approve_at).query)["redirect_uri"] == [world.fake.redirect]
    back = world.fake.consent(made.approve_at, *world.fake.organisations)
    came_back(world.hub, world.business_id, STAFF, back)


def _on_a_phone(world: World) -> None:
    hub, business_id, now = world.hub, world.business_id, world.fake.now()
    with hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, business_id)
        business.settings = BusinessSettings(demands=[]).model_dump(mode="json")
        depot = DepotRow(business_id=business_id, name="Yard", lat=-36.85, lon=174.76)
        unit.session.add(depot)
        unit.session.flush()
        hours = {str(day): ["00:00", "23:59"] for day in range(7)}
        driver = DriverRow(business_id=business_id, name="Mara", depot_id=depot.id, works=hours)
        unit.session.add(driver)
    orders = [
        IncomingOrder(
            ref=ref,
            number=f"INV-{ref}",
            updated_at=now,
            address=Address((f"Queen Street {n}",), city="Auckland", country="NZ"),
            point=Point(-36.85 + n / 500, 174.765),
        )
        for n, ref in enumerate(("A", "B"), 1)
    ]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    day: date = now.astimezone(ZoneInfo(ZONE)).date()
    plan_day(hub, business_id, day, strategy="nearest")
    with hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    device = device_for(hub, pair(hub, pairing_code(hub, business_id, driver.id)) or "")
    assert device
    world.devices.append(device)
    world.work()


def pdfs(world: World, ref: str) -> list[str]:
    return sorted(name.rsplit(" ", 1)[0] for name in world.fake.files(ref))


def test_pictures_that_come_at_once_are_filed_once_and_whole(world: World) -> None:
    assert world.closes("A", files=PHOTO) == ("applied", "")
    world.work()
    assert world.fake.notes("A") == []  # the phone still sends
    world.brings("A")
    world.after(minutes=1)
    assert len(world.fake.notes("A")) == 1
    assert pdfs(world, "A") == ["POD INV-A"]
    assert (world.record().state, world.record().proved) == ("recorded", "whole")
    world.after(hours=2)
    assert len(world.fake.notes("A")) == 1
    assert [one.late_at for one in world.entries()] == [None]


def test_pictures_that_come_late_are_added_to_what_was_filed_once(world: World) -> None:
    world.closes("A", files=PHOTO)
    world.work()
    for _ in range(14):
        world.after(seconds=PATIENCE.total_seconds() / 4)
    assert pdfs(world, "A") == ["POD INV-A incomplete"]
    [entry] = world.entries()
    assert (entry.state, entry.is_incomplete) == ("recorded", True)
    world.brings("A")
    world.brings("A")
    for _ in range(3):
        world.after(minutes=1)
    first, late = world.fake.notes("A")
    assert first.startswith("Delivered")
    assert late.startswith("Proof of delivery added later. Delivered")
    assert pdfs(world, "A") == ["POD INV-A", "POD INV-A incomplete"]
    [entry] = world.entries()
    assert entry.late_at is not None
    assert not entry.is_incomplete
    assert "late proof" in as_csv([entry], ZONE).splitlines()[0]
    assert world.fake.wrong == []


def test_a_crash_after_the_books_took_it_files_nothing_twice(world: World) -> None:
    """The hub died between what Xero kept and what it noted of it itself."""
    world.closes("A", files=PHOTO)
    for _ in range(14):
        world.after(seconds=PATIENCE.total_seconds() / 4)
    before = world.record()
    world.brings("A")
    world.after(minutes=1)
    with world.hub.unit() as unit:  # what was noted last is lost
        row = unit.session.get_one(RecordRow, before.id)
        row.proved, row.late_at = before.proved, None
        for errand in unit.session.exec(
            select(ErrandRow).where(ErrandRow.subscriber == "hub.records")
        ):
            errand.state, errand.due_at = "due", world.fake.now()
    world.after(minutes=1)
    assert len(world.fake.notes("A")) == 2
    assert pdfs(world, "A") == ["POD INV-A", "POD INV-A incomplete"]
    assert world.record().proved == "whole"


def test_a_job_that_was_cancelled_while_it_was_done_is_in_the_books_by_its_late_proof(
    world: World,
) -> None:
    done_at = world.fake.now()
    world.fake.wait(minutes=5)
    call_off(world.hub, world.business_id, world.job("A").order_id, actor="staff:1")
    world.after(minutes=30)
    assert world.entries() == []
    result, why = world.closes("A", at=done_at, files=PHOTO)
    assert (result, "sees the proof" in why) == ("noted", True)
    world.after(minutes=1)
    assert world.fake.notes("A") == []
    world.brings("A")
    world.after(minutes=1)
    [note] = world.fake.notes("A")
    assert note.startswith("Proof of delivery added later. Delivered")
    assert "Received by Ana" in note
    assert world.job("A").outcome == "cancelled"
    [entry] = world.entries()
    assert (entry.state, entry.outcome) == ("recorded", "cancelled")
    assert entry.late_at is not None


def test_what_the_books_refuse_of_late_proof_waits_for_a_person(world: World) -> None:
    world.closes("A", files=PHOTO)
    for _ in range(14):
        world.after(seconds=PATIENCE.total_seconds() / 4)
    for n in range(10):
        world.fake.home.files.setdefault(uuid("A"), {})[f"{n}.pdf"] = (b"x", False)
    world.brings("A")
    world.after(minutes=1)
    row = world.record()
    assert (row.state, row.proved) == ("parked", "part")
    for n in range(5):
        del world.fake.home.files[uuid("A")][f"{n}.pdf"]
    filed = file_at(world.hub, world.business_id, row.id, actor="staff:1")
    assert (filed.state, filed.proved) == ("recorded", "whole")
    assert filed.late_at is not None
    assert len(world.fake.notes("A")) == 2


def test_proof_that_comes_after_its_invoice_was_voided_is_filed_at_the_new_one_by_the_rule(
    world: World,
) -> None:
    """It was parked with "Choose another invoice" and none to choose, however often tried again."""
    world.closes("A", files=PHOTO)
    for _ in range(14):
        world.after(seconds=PATIENCE.total_seconds() / 4)
    world.fake.home.papers("Invoices")[uuid("A")]["Status"] = "VOIDED"
    world.brings("A")
    world.after(minutes=1)
    row = world.record()
    assert (row.state, row.candidates) == ("parked", [])
    assert "INV-A was voided in Xero" in row.problem
    assert "There is none." in row.problem
    for ref in ("A2", "A3"):
        world.fake.put(ref, world.fake.now(), InvoiceNumber=f"{ref}-1", Reference="INV-A")
    again = file_at(world.hub, world.business_id, row.id, actor="staff:1")
    assert (again.state, len(again.candidates)) == ("parked", 2)
    assert "Choose" in again.problem
    assert (pdfs(world, "A2"), pdfs(world, "A3")) == ([], [])  # a person has to say which
    world.fake.home.papers("Invoices")[uuid("A3")]["Status"] = "VOIDED"
    filed = file_at(world.hub, world.business_id, row.id, actor="staff:1")
    assert (filed.state, filed.proved, "A2" in filed.label) == ("recorded", "whole", True)
    [note] = world.fake.notes("A2")
    assert note.startswith("Delivered")
    assert pdfs(world, "A2") == ["POD INV-A"]
    assert len(world.fake.notes("A")) == 1
    with world.hub.reading() as session:
        assert "record.moved" in session.exec(select(AuditRow.action)).all()
    assert world.fake.wrong == []


def test_what_was_left_out_of_the_books_stays_out(world: World) -> None:
    world.closes("A", files=PHOTO)
    for _ in range(14):
        world.after(seconds=PATIENCE.total_seconds() / 4)
    let_go(world.hub, world.business_id, world.record().id, actor="staff:1")
    world.brings("A")
    world.after(minutes=1)
    assert len(world.fake.notes("A")) == 1


class Told(hub_bakehouse.Bakehouse):  # type: ignore[misc]
    """A shop that also takes proof that comes later."""

    takes_late_proof = True


class Sources:
    __name__ = "sources"

    @hookimpl
    def hub_order_sources(self) -> list[type[OrderSource]]:
        return [Told]


def test_a_store_that_takes_it_hears_of_late_proof_once_and_others_do_not() -> None:
    for takes in (True, False):
        shop = _a_driven_shop(takes=takes)
        job, device = _first(shop)
        shop.later(minutes=5)
        call_off(shop.hub, shop.business_id, job.order_id, actor="staff:1")
        _work(shop)
        body = {"outcome": "succeeded", "name": "Ana"}
        act = IncomingAct(
            act_id="1", kind="close", job_id=job.id, occurred_at=shop.now[0], body=body
        )
        shop.later(minutes=5)
        for _ in range(2):
            [told] = take_acts(shop.hub, device, [act])
            assert told.result == "noted"
            _work(shop)
        stages = [one["stage"] for one in shop.shop.news.values() if one["ref"] == "R0"]
        ends = [stage for stage in stages if stage in ("cancelled", "closed")]
        assert ends == (["cancelled", "closed"] if takes else ["cancelled"])
        assert len(shop.rows(ProofRow)) == 1


def test_a_store_that_cancels_what_was_delivered_is_told_that_it_was() -> None:
    """It heard "cancelled" back, as if nobody had come."""
    shop = _a_driven_shop()
    job, device = _first(shop)
    body = {"outcome": "succeeded", "name": "Ana"}
    act = IncomingAct(act_id="1", kind="close", job_id=job.id, occurred_at=shop.now[0], body=body)
    assert take_acts(shop.hub, device, [act])[0].result == "applied"
    _work(shop)
    shop.later(minutes=10)
    shop.shop.put("R0", shop.now[0], cancelled=True)
    pull_due(shop.hub)
    _work(shop)
    told = [one for one in shop.shop.news.values() if one["ref"] == "R0"]
    assert [one["stage"] for one in told][-2:] == ["closed", "closed"]
    assert told[-1]["outcome"] == "succeeded"
    with shop.hub.reading() as session:
        assert session.get_one(JobRow, job.id).outcome == "succeeded"


def _a_driven_shop(*, takes: bool = False) -> Connected:
    shop = a_shop(plugins=(Plugin(),), source=Sources() if takes else hub_bakehouse)
    hub, business_id = shop.hub, shop.business_id
    with hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, business_id)
        business.settings = BusinessSettings(demands=[]).model_dump(mode="json")
        depot = DepotRow(business_id=business_id, name="Bakery", lat=60.1699, lon=24.9384)
        unit.session.add(depot)
        unit.session.flush()
        hours = {"0": ["08:00", "17:00"]}
        unit.session.add(
            DriverRow(business_id=business_id, name="Mara", depot_id=depot.id, works=hours)
        )
    shop.shop.put("R0", shop.now[0])
    shop.connect()
    pull_due(hub)
    with hub.unit() as unit:
        for place in unit.session.exec(select(PlaceRow)):
            place.lat, place.lon, place.confidence = 60.175, 24.94, 1.0
    plan_day(hub, business_id, date(2026, 11, 23), strategy="nearest")
    with hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    _work(shop)
    return shop


def _first(shop: Connected) -> tuple[JobRow, DeviceRow]:
    [driver] = shop.rows(DriverRow)
    code = pairing_code(shop.hub, shop.business_id, driver.id)
    device = device_for(shop.hub, pair(shop.hub, code) or "")
    assert device
    [job] = shop.rows(JobRow)
    return job, device


def _work(shop: Connected) -> None:
    while shop.hub.deliver_events():
        pass
