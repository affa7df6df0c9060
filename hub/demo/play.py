"""Set the demo business up and plan its day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hub.app import Hub
from hub.core.business import Trade
from hub.db.tables import DepotRow, DriverRow, VehicleRow
from hub.demo.day import EXTRACT, orders_for
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.locate import LocateReport, locate_new
from hub.flows.plan import plan_day
from hub.flows.sync import SyncReport, store_all
from hub.maps.build import build, read_info

DRIVERS = ("Mara", "Joon", "Tuomas", "Iris")
EVERY_DAY = {str(weekday): ["08:00", "17:00"] for weekday in range(7)}
DEPOT = (60.1699, 24.9384)


@dataclass(frozen=True)
class Played:
    business_id: str
    orders: SyncReport
    places: LocateReport
    plan_id: str


def set_up(hub: Hub, day: date, *, count: int = 60, seed: int = 1) -> Played:
    """Build the map if there is none, found a bakery, take its orders in, plan ``day``."""
    map_dir = hub.settings.data_dir / "map"
    if read_info(map_dir) is None:
        build(EXTRACT, map_dir, built_at=hub.now(), profiles=("car",))
    business_id = found(
        hub, "Husk Bakery", zone="Europe/Helsinki", country="FI", trade=Trade.FRESH_FOOD
    )
    _fleet(hub, business_id)
    addresses = Path(map_dir, "current", "addresses.db")
    orders = store_all(
        hub,
        business_id,
        connection_id(hub, business_id, "csv"),
        orders_for(day, addresses, count=count, seed=seed),
        actor="demo",
    )
    places = locate_new(hub, business_id)
    plan = plan_day(hub, business_id, day, time_limit_s=5.0, apart=True)
    return Played(business_id, orders, places, plan.id)


def _fleet(hub: Hub, business_id: str) -> None:
    with hub.unit() as unit:
        depot = DepotRow(business_id=business_id, name="Bakery", lat=DEPOT[0], lon=DEPOT[1])
        unit.session.add(depot)
        for name in DRIVERS:
            van = VehicleRow(
                business_id=business_id,
                name=f"{name}'s van",
                capacity={"parcels": 40, "g": 400_000},
            )
            unit.session.add(van)
            unit.session.flush()
            unit.session.add(
                DriverRow(
                    business_id=business_id,
                    name=name,
                    vehicle_id=van.id,
                    depot_id=depot.id,
                    works=EVERY_DAY,
                )
            )
