"""Set the demo business up, plan its day and publish it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.app import Hub
from hub.core.business import Trade
from hub.db.tables import (
    DepotRow,
    DriverRow,
    JobRow,
    LinkRow,
    RouteRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.demo.day import EXTRACT, orders_for
from hub.flows.choices import choose
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import pairing_code
from hub.flows.found import found
from hub.flows.locate import LocateReport, locate_new
from hub.flows.log_in import Role, add_staff
from hub.flows.plan import plan_day
from hub.flows.sync import SyncReport, store_all
from hub.maps.build import build, read_info

DRIVERS = ("Mara", "Joon", "Tuomas", "Iris")
DEPOT = (60.1699, 24.9384)
SHIFT = timedelta(hours=9)
OWNER = "demo@husk.example"
CODE_VALID = timedelta(hours=24)


@dataclass(frozen=True)
class Played:
    business_id: str
    orders: SyncReport
    places: LocateReport
    plan_id: str


@dataclass(frozen=True)
class Links:
    """Paths for each of the people of the day; ``password`` opens the panel for ``OWNER``."""

    panel: str
    password: str
    driver: str
    driver_name: str
    customer: str


def start_of_day(now: datetime) -> datetime:
    """The next quarter of an hour, by a clock on which it is seven in the morning now.

    Whenever somebody tries the demo, a whole day lies ahead of it.
    """
    ahead_h = (7 - now.astimezone(UTC).hour + 12) % 24 - 12
    zone = ZoneInfo(f"Etc/GMT{-ahead_h:+d}")  # POSIX: Etc/GMT-3 is three hours ahead of UTC
    local = now.astimezone(zone).replace(second=0, microsecond=0)
    return local + timedelta(minutes=15 - local.minute % 15)


def set_up(hub: Hub, starts_at: datetime, *, count: int = 60, seed: int = 1) -> Played:
    """Build the map if there is none, found a bakery, take its orders in, plan its day."""
    map_dir = hub.settings.data_dir / "map"
    if read_info(map_dir) is None:
        build(EXTRACT, map_dir, built_at=hub.now(), profiles=("car",))
    business_id = found(
        hub, "Husk Bakery", zone=str(starts_at.tzinfo), country="FI", trade=Trade.FRESH_FOOD
    )
    _fleet(hub, business_id, starts_at)
    addresses = Path(map_dir, "current", "addresses.db")
    orders = store_all(
        hub,
        business_id,
        connection_id(hub, business_id, "csv"),
        orders_for(starts_at, addresses, count=count, seed=seed),
        actor="demo",
    )
    places = locate_new(hub, business_id)
    choose(hub, business_id, "channel", "console", {}, actor="demo")
    plan = plan_day(hub, business_id, starts_at.date(), time_limit_s=5.0, apart=True)
    return Played(business_id, orders, places, plan.id)


def publish_all(hub: Hub, business_id: str) -> None:
    """Put every draft route on its driver's phone."""
    with hub.reading() as session:
        drafts = session.exec(
            select(RouteRow).where(
                RouteRow.business_id == business_id, col(RouteRow.published_at).is_(None)
            )
        ).all()
    for route in drafts:
        publish(hub, business_id, route.id, actor="demo", expected_version=route.version)


def links(hub: Hub, business_id: str) -> Links:
    """An account for the panel, a phone to pair and a customer to be; made anew each time."""
    password = secrets.token_urlsafe(12)
    add_staff(hub, business_id, email=OWNER, password=password, role=Role.OWNER, name="Demo")
    with hub.reading() as session:
        driver, link = session.exec(
            select(DriverRow, LinkRow)
            .join(RouteRow, col(RouteRow.driver_id) == col(DriverRow.id))
            .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
            .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
            .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
            .join(LinkRow, col(LinkRow.order_id) == col(JobRow.order_id))
            .where(DriverRow.business_id == business_id, col(RouteRow.published_at).is_not(None))
            .order_by(col(StopRow.arrive_at))
        ).first() or (None, None)
    if driver is None or link is None:
        raise LookupError("The demo's plan has no route; try another --seed.")
    code = pairing_code(hub, business_id, driver.id, valid=CODE_VALID)
    return Links(
        panel="/panel/",
        password=password,
        driver=f"/driver/pair#{code}",
        driver_name=driver.name,
        customer=f"/t/{hub.keys.link_token(link.order_id, link.epoch)}",
    )


def _fleet(hub: Hub, business_id: str, starts_at: datetime) -> None:
    hours = [f"{starts_at:%H:%M}", f"{starts_at + SHIFT:%H:%M}"]
    with hub.unit() as unit:
        depot = DepotRow(business_id=business_id, name="Bakery", lat=DEPOT[0], lon=DEPOT[1])
        unit.session.add(depot)
        for name in DRIVERS:
            van = VehicleRow(
                business_id=business_id,
                name=f"{name}'s van",
                capacity={"parcels": 16, "g": 80_000},
            )
            unit.session.add(van)
            unit.session.flush()
            unit.session.add(
                DriverRow(
                    business_id=business_id,
                    name=name,
                    vehicle_id=van.id,
                    depot_id=depot.id,
                    works={str(weekday): hours for weekday in range(7)},
                )
            )
