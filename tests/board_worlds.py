"""A running day with two drivers on the road, somebody at the board, and what may go wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select
from werkzeug.test import TestResponse

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Line, Point, TimeWindow
from hub.core.values import Role as ContactRole
from hub.db.tables import (
    DepotRow,
    DriverRow,
    JobRow,
    PromiseRow,
    RouteRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows.connections import connection_id
from hub.flows.dispatch import add_job, publish
from hub.flows.drive import IncomingAct, device_for, pair, pairing_code, take_acts
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff, log_in, staff_of
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from hub.live.store import LastFix
from hub.web.app import create_app
from hub.web.staff import COOKIE
from tests.kept import can_be_copied, copied

DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)  # six in the morning in Helsinki
TEN = SIX + timedelta(hours=4)
MINUTE = timedelta(minutes=1)
PASSWORD = "rye bread at six"
STREETS = (
    ("Mannerheimintie 14", 60.1695, 24.9385),
    ("Yrjönkatu 10", 60.1655, 24.9405),
    ("Aleksanterinkatu 21", 60.1690, 24.9455),
    ("Fredrikinkatu 30", 60.1635, 24.9370),
    ("Annankatu 18", 60.1648, 24.9386),
    ("Kluuvikatu 5", 60.1688, 24.9478),
    ("Eerikinkatu 12", 60.1672, 24.9345),
    ("Bulevardi 20", 60.1641, 24.9360),
)
NAMES = ("Aino Laine", "Eero Virtanen", "Oona Saari", "Leo Niemi", "Iida Koski", "Onni Salo")


@dataclass
class Running:
    """``phones``: driver's name -> token of a paired phone."""

    hub: Hub
    business_id: str
    now: list[datetime]
    token: str
    phones: dict[str, str]
    drivers: dict[str, str]  # name -> id
    acts: int = 0

    @cached_property
    def app(self) -> Flask:
        return create_app(self.hub)

    @property
    def client(self) -> FlaskClient:
        client = self.app.test_client()
        client.set_cookie(COOKIE, self.token)
        return client

    @property
    def csrf(self) -> str:
        staff = staff_of(self.hub, self.token)
        assert staff
        return staff.csrf

    def post(self, path: str, *, as_part: bool = False, **fields: str) -> TestResponse:
        headers = {"Accept": "text/html"} | ({"X-Requested-With": "fetch"} if as_part else {})
        return self.client.post(path, data={"csrf": self.csrf, **fields}, headers=headers)

    def route(self, driver: str) -> RouteRow:
        with self.hub.reading() as session:
            return session.exec(
                select(RouteRow).where(RouteRow.driver_id == self.drivers[driver])
            ).one()

    def stops(self, driver: str) -> list[StopRow]:
        with self.hub.reading() as session:
            mine = select(StopRow).where(StopRow.route_id == self.route(driver).id)
            return list(session.exec(mine.order_by(StopRow.n)))

    def jobs(self, stop: StopRow) -> list[JobRow]:
        with self.hub.reading() as session:
            return list(
                session.exec(select(JobRow).join(StopJobRow).where(StopJobRow.stop_id == stop.id))
            )

    def driver_of(self, job: JobRow) -> str:
        """Who has the job now; empty: nobody."""
        with self.hub.reading() as session:
            name = session.exec(
                select(DriverRow.name)
                .join(RouteRow, RouteRow.driver_id == DriverRow.id)
                .join(StopRow, StopRow.route_id == RouteRow.id)
                .join(StopJobRow, StopJobRow.stop_id == StopRow.id)
                .where(StopJobRow.job_id == job.id)
            ).one_or_none()
        return name or ""

    def promises(self, job: JobRow) -> list[TimeWindow]:
        """Each that was in force, the last one still."""
        with self.hub.reading() as session:
            rows = session.exec(
                select(PromiseRow)
                .where(PromiseRow.job_id == job.id, PromiseRow.n > 0)
                .order_by(PromiseRow.n)
            )
            return [TimeWindow(row.opens, row.closes) for row in rows]

    def says(
        self, driver: str, kind: str, at: datetime, job: JobRow | None = None, **body: object
    ) -> None:
        device = device_for(self.hub, self.phones[driver])
        assert device
        self.acts += 1
        act = IncomingAct(
            act_id=str(self.acts),
            kind=kind,
            job_id=job.id if job else None,
            route_id=self.route(driver).id,
            occurred_at=at,
            body=body,
        )
        [told] = take_acts(self.hub, device, [act])
        assert told.result == "applied", told.why

    def begin(self, *drivers: str, at: datetime = TEN) -> None:
        for driver in drivers:
            self.says(driver, "start_shift", at)

    def fix(self, driver: str, at: datetime, lat: float = 60.167, lon: float = 24.941) -> LastFix:
        ms = int(at.timestamp() * 1000)
        return LastFix(
            "phone",
            self.business_id,
            self.drivers[driver],
            ms,
            ms,
            lat,
            lon,
            8.0,
            6.0,
            90.0,
            80.0,
            ms,
        )

    def order(self, number: str, at: Point, *, window: TimeWindow | None = None) -> JobRow:
        """An order that comes in just now."""
        store_all(
            self.hub,
            self.business_id,
            connection_id(self.hub, self.business_id, "api"),
            [an_order(number, ("Kalevankatu 9", at.lat, at.lon), "Ad Hoc", self.now[0], window)],
        )
        with self.hub.reading() as session:
            return session.exec(select(JobRow).order_by(JobRow.id.desc())).first()  # type: ignore[attr-defined, return-value]


def an_order(
    number: str,
    where: tuple[str, float, float],
    name: str,
    at: datetime,
    window: TimeWindow | None = None,
) -> IncomingOrder:
    street, lat, lon = where
    return IncomingOrder(
        ref=number,
        number=number,
        updated_at=at,
        address=Address((street,), city="Helsinki", country="FI"),
        point=Point(lat, lon),
        contacts=(Contact(ContactRole.RECIPIENT, name),),
        lines=(Line("Loaf"),),
        windows=(window,) if window else (),
        service_s=1500,
    )


def a_running_day(
    tmp_path: Path,
    *,
    url: str = "",
    map_dir: Path | None = None,
    orders: int = 8,
    published: bool = True,
    role: Role = Role.DISPATCHER,
) -> Running:
    """Mara and Otso with four stops each (their vans hold no more), planned at six."""
    if map_dir is not None:
        (tmp_path / "map").symlink_to(map_dir / "map")
    if map_dir is not None or not can_be_copied(url):
        return _made(tmp_path, url, orders, published, role)
    kept = _kept(orders, published, role)
    now = list(kept.now)
    hub = Hub.in_memory(now=lambda: now[0], data_dir=tmp_path, url=url)
    copied(kept.hub, hub)
    return replace(kept, hub=hub, now=now)


@cache
def _kept(orders: int, published: bool, role: Role) -> Running:
    return _made(None, "", orders, published, role)


def _made(tmp_path: Path | None, url: str, orders: int, published: bool, role: Role) -> Running:
    now = [SIX]
    hub = Hub.in_memory(now=lambda: now[0], data_dir=tmp_path, url=url)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    drivers = {}
    with hub.unit() as unit:
        depot = DepotRow(
            business_id=business_id, name="Bakery", lat=60.1699, lon=24.9384, strategy="nearest"
        )
        unit.session.add(depot)
        unit.session.flush()
        for name in ("Mara Aho", "Otso Lahti"):
            van = VehicleRow(
                business_id=business_id, name=f"{name[0]} van", capacity={"parcels": orders // 2}
            )
            unit.session.add(van)
            unit.session.flush()
            driver = DriverRow(
                business_id=business_id,
                name=name,
                depot_id=depot.id,
                vehicle_id=van.id,
                works={"0": ["08:00", "17:00"]},
            )
            unit.session.add(driver)
            drivers[name.split()[0]] = driver.id
    incoming = [
        an_order(str(1001 + n), STREETS[n % len(STREETS)], NAMES[n % len(NAMES)], SIX)
        for n in range(orders)
    ]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), incoming)
    plan_day(hub, business_id, DAY, strategy="nearest")
    phones = {
        name: pair(hub, pairing_code(hub, business_id, id)) or "" for name, id in drivers.items()
    }
    add_staff(
        hub, business_id, email="dora@husk.example", password=PASSWORD, role=role, name="Dora"
    )
    token = log_in(hub, "dora@husk.example", PASSWORD, address="192.0.2.1") or ""
    day = Running(hub, business_id, now, token, phones, drivers)
    with hub.unit() as unit:  # room for what comes later
        for van in unit.session.exec(select(VehicleRow)):
            van.capacity = {"parcels": 30}
    if published:
        for name in drivers:
            route = day.route(name)
            publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    now[0] = SIX + timedelta(hours=2)
    return day


def two_far_doors(day: Running) -> None:
    """Both drivers drive far north, to one house: one of them would do."""
    for driver, number, lat in (("Mara", "2001", 60.2350), ("Otso", "2002", 60.2360)):
        job, route = day.order(number, Point(lat, 24.94)), day.route(driver)
        add_job(
            day.hub,
            day.business_id,
            route.id,
            job.id,
            actor="staff:1",
            expected_version=route.version,
        )
