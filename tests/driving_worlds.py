"""A morning with three orders on one driver's route, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from sqlmodel import select

from hub import EtaModel, PodStore, RoutingStrategy, TravelTimes, hookimpl
from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point
from hub.db.tables import DepotRow, DeviceRow, DriverRow, EventRow, JobRow, RouteRow
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import IncomingAct, device_for, pair, pairing_code
from hub.flows.found import found
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from hub.plugins.eta_forward import ForwardEta
from hub.plugins.pod_disk import DiskPodStore
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.travel_crow import CrowTravelTimes
from tests.kept import can_be_copied, copied

DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
TEN = SIX + timedelta(hours=4)


class Plugin:
    __name__ = "driving"

    @hookimpl
    def hub_pod_stores(self) -> list[type[PodStore]]:
        return [DiskPodStore]

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [CrowTravelTimes]

    @hookimpl
    def hub_eta_models(self) -> list[type[EtaModel]]:
        return [ForwardEta]

    @hookimpl
    def hub_routing_strategies(self) -> list[type[RoutingStrategy]]:
        return [NearestRouting]


@dataclass
class Morning:
    hub: Hub
    business_id: str
    drivers: list[str]
    now: list[datetime]

    def jobs(self) -> list[JobRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(JobRow).order_by(JobRow.id)))

    def route(self) -> RouteRow:
        with self.hub.reading() as session:
            return session.exec(select(RouteRow)).one()

    def events(self, name: str) -> list[EventRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(EventRow).where(EventRow.name == name)))

    def publish(self) -> RouteRow:
        route = self.route()
        return publish(
            self.hub, self.business_id, route.id, actor="staff:1", expected_version=route.version
        )

    def phone(self, driver: int = 0) -> DeviceRow:
        code = pairing_code(self.hub, self.business_id, self.drivers[driver])
        device = device_for(self.hub, pair(self.hub, code) or "")
        assert device is not None
        return device


def a_morning(orders: int = 3, url: str = "") -> Morning:
    """A planned route of so many jobs, not yet published."""
    if not can_be_copied(url):
        return _made(orders, url)
    return a_copy(_kept(orders), url)


def a_copy(kept: Morning, url: str = "") -> Morning:
    """The same morning for somebody else, at ``url``. Its own database must be in memory."""
    now = list(kept.now)
    hub = Hub.in_memory(Plugin(), now=lambda: now[0], url=url)
    copied(kept.hub, hub)
    return Morning(hub, kept.business_id, list(kept.drivers), now)


@cache
def _kept(orders: int) -> Morning:
    return _made(orders)


def _made(orders: int, url: str = "") -> Morning:
    now = [SIX]
    hub = Hub.in_memory(Plugin(), now=lambda: now[0], url=url)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    with hub.unit() as unit:
        depot = DepotRow(business_id=business_id, name="Bakery", lat=60.1699, lon=24.9384)
        unit.session.add(depot)
        unit.session.flush()
        drivers = [
            DriverRow(business_id=business_id, name=name, depot_id=depot.id, works=works)
            for name, works in (("Mara", {"0": ["08:00", "17:00"]}), ("Otso", {}))
        ]
        unit.session.add_all(drivers)
    incoming = [
        IncomingOrder(
            ref=str(n),
            number=str(n),
            updated_at=SIX,
            address=Address((f"Yrjönkatu {n}",), city="Helsinki", country="FI"),
            point=Point(60.17 + n / 500, 24.94),
        )
        for n in range(1, orders + 1)
    ]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), incoming)
    plan_day(hub, business_id, DAY, strategy="nearest")
    return Morning(hub, business_id, [driver.id for driver in drivers], now)


def act(act_id: str, kind: str, job: JobRow | None, minute: int, **body: object) -> IncomingAct:
    return IncomingAct(
        act_id=act_id,
        kind=kind,
        job_id=job.id if job else None,
        occurred_at=TEN + timedelta(minutes=minute),
        body=body,
    )


PHOTO = [{"kind": "photo", "sha256": "0" * 64}]
