"""A published day with many routes, in any database."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Line, Point, Role, TimeWindow
from hub.db.tables import DepotRow, DriverRow, JobRow, OrderRow, RouteRow, VehicleRow
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.found import found
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from tests.board_worlds import DAY, SIX
from tests.kept import can_be_copied, copied


@dataclass
class ManyRoutes:
    hub: Hub
    business_id: str
    now: list[datetime]
    dice: random.Random
    count: int = 0

    @property
    def day(self) -> date:
        return DAY

    def routes(self) -> list[RouteRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(RouteRow).order_by(RouteRow.id)))

    def jobs(self, many: int) -> list[JobRow]:
        """So many orders that come in now, some with a window."""
        numbers = [str(self.count + n + 1) for n in range(many)]
        self.count += many
        orders = [self._order(number) for number in numbers]
        store_all(
            self.hub,
            self.business_id,
            connection_id(self.hub, self.business_id, "api"),
            orders,
        )
        with self.hub.reading() as session:
            query = select(JobRow).join(OrderRow, OrderRow.id == JobRow.order_id)
            return list(session.exec(query.where(OrderRow.number.in_(numbers))))  # type: ignore[attr-defined]

    def _order(self, number: str) -> IncomingOrder:
        at = Point(60.17 + self.dice.gauss(0, 0.03), 24.94 + self.dice.gauss(0, 0.06))
        opens = SIX + timedelta(hours=self.dice.uniform(3, 9))
        window = TimeWindow(opens, opens + timedelta(hours=2))
        return IncomingOrder(
            ref=number,
            number=number,
            updated_at=self.now[0],
            address=Address((f"Katu {number}",), city="Helsinki", country="FI"),
            point=at,
            contacts=(Contact(Role.RECIPIENT, "Aino Laine"),),
            lines=(Line("Loaf"),),
            windows=(window,) if self.dice.random() < 0.3 else (),
            service_s=240,
        )


def many_routes(url: str, folder: Path, *, drivers: int, stops: int, seed: int = 1) -> ManyRoutes:
    """``stops`` in all, planned by ``nearest`` and published; half past six, nobody has left."""
    if not can_be_copied(url):
        return _made(url, folder, drivers, stops, seed)
    kept = _kept(drivers, stops, seed)
    now = list(kept.now)
    hub = Hub.in_memory(now=lambda: now[0], data_dir=folder, url=url)
    copied(kept.hub, hub)
    return replace(kept, hub=hub, now=now, dice=deepcopy(kept.dice))


@cache
def _kept(drivers: int, stops: int, seed: int) -> ManyRoutes:
    return _made("", None, drivers, stops, seed)


def _made(url: str, folder: Path | None, drivers: int, stops: int, seed: int) -> ManyRoutes:
    now = [SIX]
    hub = Hub.in_memory(now=lambda: now[0], data_dir=folder, url=url)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    world = ManyRoutes(hub, business_id, now, random.Random(seed))  # noqa: S311
    with hub.unit() as unit:
        depot = DepotRow(
            business_id=business_id, name="Bakery", lat=60.17, lon=24.94, strategy="nearest"
        )
        unit.session.add(depot)
        unit.session.flush()
        for n in range(drivers):
            room = {"parcels": -(-stops // drivers)}
            van = VehicleRow(business_id=business_id, name=f"Van {n}", capacity=room)
            unit.session.add(van)
            unit.session.flush()
            unit.session.add(
                DriverRow(
                    business_id=business_id,
                    name=f"Driver {n}",
                    depot_id=depot.id,
                    vehicle_id=van.id,
                    works={"0": ["08:00", "18:00"]},
                )
            )
    world.jobs(stops)
    plan_day(hub, business_id, DAY, strategy="nearest")
    with hub.unit() as unit:
        for van in unit.session.exec(select(VehicleRow)):
            van.capacity = {"parcels": van.capacity["parcels"] + 3}
    for route in world.routes():
        publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    now[0] = SIX + timedelta(minutes=30)
    return world
