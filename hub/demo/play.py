"""Set the demo business up: its map, its fleet, its account, what its shop and mail need."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import select

from hub.app import Hub
from hub.core.business import BusinessSettings, Trade
from hub.core.contracts import TravelTimes
from hub.core.errors import ConfigError
from hub.core.values import Point
from hub.core.visibility import ALWAYS, Reader
from hub.db.tables import BusinessRow, DepotRow, DriverRow, VehicleRow
from hub.demo.day import EXTRACT, orders_for
from hub.demo.town import Door, doors_of, middle_of, within_reach
from hub.flows.api_keys import make_key
from hub.flows.choices import choose
from hub.flows.connections import connection_id
from hub.flows.drive import pairing_code
from hub.flows.found import found
from hub.flows.locate import LocateReport, locate_new
from hub.flows.log_in import Role, add_staff
from hub.flows.plan import plan_day
from hub.flows.sync import SyncReport, store_all
from hub.maps.build import build, digest_of, read_info

NAMES = (
    *("Mara", "Joon", "Tuomas", "Iris", "Otso", "Kerttu"),
    *("Veikko", "Lumi", "Antti", "Seela", "Paavo", "Ilta"),
)
RESERVE, RESERVE_VAN = "Sanna", "Spare van"
BRAND, OWNER, SENDER = "Husk Bakery", "demo@husk.example", "orders@husk.example"
SHIFT = timedelta(hours=9)
CODE_VALID = timedelta(hours=24)
PLANNED_S, EACH_S = 5.0, 0.025  # the plans of 60 orders are the same after 2 s and after 5 s
PARCELS_PER_ORDER, CAPACITY_G = 1.25, 200_000  # a van has room for more than its even share


@dataclass(frozen=True, slots=True)
class Bakery:
    """``hours`` and ``capacity`` are those of every van; ``password`` opens the panel for
    ``OWNER``, ``key`` the API.
    """

    business_id: str
    depot: Point
    doors: tuple[Door, ...]
    drivers: tuple[str, ...]
    starts_at: datetime
    capacity: Mapping[str, int]
    password: str
    key: str

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + SHIFT


def start_of_day(now: datetime) -> datetime:
    """The next quarter of an hour, by a clock on which it is seven in the morning now.

    Whenever somebody tries the demo, a whole day lies ahead of it.
    """
    ahead_h = (7 - now.astimezone(UTC).hour + 12) % 24 - 12
    zone = ZoneInfo(f"Etc/GMT{-ahead_h:+d}")  # POSIX: Etc/GMT-3 is three hours ahead of UTC
    local = now.astimezone(zone).replace(second=0, microsecond=0)
    return local + timedelta(minutes=15 - local.minute % 15)


def built_map(hub: Hub, extract: Path) -> Path:
    """The address book of ``extract``'s map; one that was built from the same file is kept."""
    folder = hub.settings.data_dir / "map"
    info = read_info(folder)
    if info is None or info.digest != digest_of(extract):
        build(extract, folder, built_at=datetime.now(UTC), profiles=("car",))
    return folder / "current" / "addresses.db"


def set_up(
    hub: Hub,
    starts_at: datetime,
    *,
    orders: int,
    drivers: int,
    extract: Path = EXTRACT,
    mail_port: int | None = None,
) -> Bakery:
    """Found the bakery on the map of ``extract``; ``mail_port`` ``None``: mail is printed.

    Raises ``ConfigError`` for a database that somebody's business lives in.
    """
    with hub.reading() as session:
        if session.exec(select(BusinessRow.id)).first() is not None:
            raise ConfigError("The demo wants a database of its own; this one has a business.")
    country = "FI" if extract == EXTRACT else ""
    every = doors_of(built_map(hub, extract), country)
    depot = middle_of(every).point
    roads = hub.provider(TravelTimes, "osrm", {})
    doors = tuple(within_reach(every, depot, lambda places: roads.matrix(places, starts_at)))
    if len(doors) < 2:
        raise LookupError("No road of this map leads from door to door; the demo needs some.")
    zone = str(starts_at.tzinfo)
    business_id = found(hub, BRAND, zone=zone, country=country, trade=Trade.FRESH_FOOD)
    _demand(hub, business_id)
    capacity = {"parcels": round(PARCELS_PER_ORDER * orders / drivers) + 6, "g": CAPACITY_G}
    names = _names(drivers)
    _fleet(hub, business_id, depot, starts_at, names, capacity)
    if mail_port is None:
        choose(hub, business_id, "channel", "console", {}, actor="demo")
    else:
        server = {"host": "127.0.0.1", "port": mail_port, "security": "none", "sender": SENDER}
        choose(hub, business_id, "channel", "email", server, actor="demo")
    password = secrets.token_urlsafe(12)
    add_staff(hub, business_id, email=OWNER, password=password, role=Role.OWNER, name="Demo")
    _, key = make_key(hub, business_id, "The bakery's shop", ["orders:read", "orders:write"])
    return Bakery(business_id, depot, doors, names, starts_at, capacity, password, key)


@dataclass(frozen=True, slots=True)
class Links:
    """``driver`` is a path that makes one phone this driver's."""

    driver: str
    driver_name: str


def links(hub: Hub, bakery: Bakery, name: str) -> Links:
    """A phone to pair with a driver; the code is made anew each time."""
    with hub.reading() as session:
        driver = session.exec(
            select(DriverRow).where(
                DriverRow.business_id == bakery.business_id, DriverRow.name == name
            )
        ).one()
    code = pairing_code(hub, bakery.business_id, driver.id, valid=CODE_VALID)
    return Links(f"/driver/pair#{code}", name)


def plan_in_process(
    hub: Hub, bakery: Bakery, *, count: int, seed: int
) -> tuple[SyncReport, LocateReport]:
    """Take the day's orders in and plan it, without a hub running."""
    orders = store_all(
        hub,
        bakery.business_id,
        connection_id(hub, bakery.business_id, "csv"),
        orders_for(bakery.starts_at, bakery.doors, count=count, seed=seed),
        actor="demo",
    )
    places = locate_new(hub, bakery.business_id)
    limit_s = min(PLANNED_S, 0.5 + count * EACH_S)
    plan_day(hub, bakery.business_id, bakery.starts_at.date(), time_limit_s=limit_s, apart=True)
    return orders, places


def _demand(hub: Hub, business_id: str) -> None:
    """A photo, a name and a signature for a success; a photo of the door that stayed shut."""
    with hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, business_id)
        settings = BusinessSettings.model_validate(row.settings)
        settings.demands = ["photo", "signature", "name"]
        settings.failure_demands = ["photo"]
        settings.visibility = settings.visibility.but(Reader.PAGE, photo=ALWAYS)
        row.settings = settings.model_dump(mode="json")


def _names(drivers: int) -> tuple[str, ...]:
    more = (f"Driver {n}" for n in range(len(NAMES) + 1, drivers + 1))
    return (*NAMES[:drivers], *more)


def _fleet(
    hub: Hub,
    business_id: str,
    at: Point,
    starts_at: datetime,
    names: Sequence[str],
    capacity: Mapping[str, int],
) -> None:
    """A van for each driver, and one with a driver who has the day off, in case."""
    hours = [f"{starts_at:%H:%M}", f"{starts_at + SHIFT:%H:%M}"]
    with hub.unit() as unit:
        depot = DepotRow(business_id=business_id, name="Bakery", lat=at.lat, lon=at.lon)
        unit.session.add(depot)
        vans = [f"Van {n}" for n in range(1, len(names) + 1)]
        for name, title in zip([*names, RESERVE], [*vans, RESERVE_VAN], strict=True):
            van = VehicleRow(business_id=business_id, name=title, capacity=dict(capacity))
            unit.session.add(van)
            unit.session.flush()
            works = {} if name == RESERVE else {str(day): hours for day in range(7)}
            unit.session.add(
                DriverRow(
                    business_id=business_id,
                    name=name,
                    vehicle_id=van.id,
                    depot_id=depot.id,
                    works=works,
                )
            )
