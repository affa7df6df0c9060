"""``python -m benchmarks.small_fleet [--json] [--seconds N]``: a small fleet's day, start to end.

Three vans with a break each and sixty jobs in Helsinki's centre: addresses as people type them, a
window for every third, and six goods that are fetched at one door and brought to another. From the
addresses to the published plan, stage by stage; then the van with most left stands at 10:40, and
its round goes to the others. Seconds of the clock, and of computing, children included. The map is
built before, and told as a stage of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import select

from hub import Address, Contact, Point, TimeWindow
from hub.app import Hub
from hub.core.jobs import State
from hub.core.orders import IncomingOrder, PickUp
from hub.core.values import Line
from hub.core.values import Role as ContactRole
from hub.db.tables import JobRow, RouteRow, StopJobRow, StopRow
from hub.flows.connections import connection_id
from hub.flows.day import read_day
from hub.flows.dispatch import publish
from hub.flows.drive import pair, pairing_code
from hub.flows.estimate import estimate_routes
from hub.flows.fleet import DepotIn, DriverIn, VehicleIn, save_depot, save_driver, save_vehicle
from hub.flows.found import found
from hub.flows.locate import locate_new, set_pin
from hub.flows.places import to_review
from hub.flows.plan import plan_day
from hub.flows.rescue_ways import Happened, ways_out
from hub.flows.sync import store_all
from hub.flows.van_out import take_way
from hub.maps.build import build
from tests.board_worlds import Running

EXTRACT = Path(__file__).parents[1] / "hub" / "demo" / "helsinki.osm.pbf"
DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)  # six in the morning in Helsinki
LOST_AT = SIX + timedelta(hours=4, minutes=40)
DEPOT = Point(60.1699, 24.9384)
STOPS, PAIRS, DRIVERS = 60, 6, ("Mara", "Otso", "Ilta")
ACTOR = "staff:1"
ADDRESSES = """
SELECT street.name, number, postcode, city FROM address JOIN street ON street.id = address.street
WHERE postcode != '' GROUP BY street.name, number HAVING count(*) = 1 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    wall_s: float
    cpu_s: float
    says: str = ""


class Clock:
    """Times each stage, and prints it as soon as it is over."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.stages: list[Stage] = []
        self.says = ""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.says, wall, cpu = "", time.perf_counter(), cpu_s()
        yield
        self.tell(Stage(name, time.perf_counter() - wall, cpu_s() - cpu, self.says))

    def tell(self, stage: Stage) -> None:
        self.stages.append(stage)
        if self.as_json:
            print(json.dumps({"benchmark": "small_fleet", **asdict(stage)}), flush=True)
            return
        figures = f"{stage.wall_s:8.2f} s {stage.cpu_s:8.2f} s CPU"
        print(f"{stage.name:34} {figures}  {stage.says}", flush=True)

    def sum(self, name: str, stages: slice) -> None:
        some = self.stages[stages]
        self.tell(Stage(name, sum(s.wall_s for s in some), sum(s.cpu_s for s in some)))


def cpu_s() -> float:
    """Of this process and of its children that ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def typed_addresses(data_dir: Path, count: int) -> list[Address]:
    """Real ones of the map, as a shop's customers leave them: no house twice."""
    with sqlite3.connect(data_dir / "map" / "current" / "addresses.db") as db:
        rows = db.execute(ADDRESSES).fetchall()
    random.Random(1).shuffle(rows)
    return [
        Address((f"{street} {number}",), city=city or "Helsinki", postcode=postcode, country="FI")
        for street, number, postcode, city in rows[:count]
    ]


def orders(addresses: list[Address]) -> list[IncomingOrder]:
    """``STOPS`` stops: the last ``PAIRS`` orders have two each."""
    made = []
    for n in range(STOPS - PAIRS):
        opens = SIX + timedelta(hours=3 + n % 6)  # nine to two, and two hours each
        made.append(
            IncomingOrder(
                ref=str(n),
                number=str(1000 + n),
                updated_at=SIX,
                address=addresses[n],
                contacts=(Contact(ContactRole.RECIPIENT, f"Customer {n}"),),
                lines=(Line("Parcel"),),
                windows=(TimeWindow(opens, opens + timedelta(hours=2)),) if n % 3 == 0 else (),
                service_s=420,
                due_on=DAY,
            )
        )
    for n in range(PAIRS):
        made[-1 - n] = replace(made[-1 - n], pick_up=PickUp(address=addresses[-1 - n]), windows=())
    return made


def a_business(hub: Hub, now: list[datetime]) -> Running:
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    where = DepotIn(name="Yard", lat=DEPOT.lat, lon=DEPOT.lon)
    depot = save_depot(hub, business_id, where, actor=ACTOR)
    drivers = {}
    for name in DRIVERS:
        given = VehicleIn(name=f"{name}'s van", profile="van", parcels="22")
        van = save_vehicle(hub, business_id, given, actor=ACTOR)
        driver = DriverIn(
            name=name,
            vehicle_id=van.id,
            depot_id=depot.id,
            works={"0": ["08:00", "17:00"]},
            breaks="30 min between 11:00 and 14:00",
        )
        drivers[name] = save_driver(hub, business_id, driver, actor=ACTOR).id
    phones = {
        name: pair(hub, pairing_code(hub, business_id, id)) or "" for name, id in drivers.items()
    }
    return Running(hub, business_id, now, "", phones, drivers)


def drive_until_lost(day: Running, driving: list[str]) -> None:
    """All three do as planned."""
    day.now[0] = SIX + timedelta(hours=2)
    acts = []
    for name in driving:
        route = day.route(name)
        assert route.leaves_at
        acts.append((route.leaves_at, name, "start_shift", None))
        for stop in day.stops(name):
            if stop.depart_at <= LOST_AT:
                acts += [(stop.depart_at, name, "close", job) for job in day.jobs(stop)]
    for at, name, kind, job in sorted(acts, key=lambda one: one[0]):
        day.now[0] = max(day.now[0], at)
        more = {"outcome": "skipped", "reason": "other"} if job else {}
        day.says(name, kind, at, job, **more)
    day.now[0] = LOST_AT
    estimate_routes(day.hub)


def drivers_of(day: Running) -> dict[str, str]:
    """Open job -> whose it is."""
    with day.hub.reading() as session:
        rows = session.exec(
            select(JobRow.id, RouteRow.driver_id)
            .join(StopJobRow, StopJobRow.job_id == JobRow.id)
            .join(StopRow, StopRow.id == StopJobRow.stop_id)
            .join(RouteRow, RouteRow.id == StopRow.route_id)
            .where(JobRow.business_id == day.business_id, JobRow.state != State.CLOSED)
        )
        return dict(rows.all())


def measure(folder: Path, seconds: float, clock: Clock) -> None:
    with clock.stage("map of Helsinki's centre"):
        build(EXTRACT, folder / "map", built_at=SIX, profiles=("car", "van"))
    now = [SIX]
    hub = Hub.in_memory(now=lambda: now[0], data_dir=folder, url=f"sqlite:///{folder / 'hub.db'}")
    day = a_business(hub, now)
    incoming = orders(typed_addresses(folder, STOPS))
    first = len(clock.stages)
    with clock.stage("orders taken in"):
        api = connection_id(hub, day.business_id, "api")
        store_all(hub, day.business_id, api, incoming)
    with clock.stage("addresses found"):
        report = locate_new(hub, day.business_id)
        clock.says = f"{report.sure} of {report.sure + report.to_review} surely"
    with clock.stage("pins set by hand"):
        for one in to_review(hub, day.business_id):
            at = one.candidates[0].match.point  # the dispatcher's own look is not in the figure
            set_pin(hub, day.business_id, one.place_id, at, actor=ACTOR)
    with clock.stage("day read, with its travel times"):
        seen = read_day(hub, day.business_id, DAY, seconds)
        clock.says = f"{len(seen.request.jobs)} jobs, {len(seen.request.places)} places"
    with clock.stage(f"planned ({seconds:g} s allowed)"):
        run = plan_day(hub, day.business_id, DAY, time_limit_s=seconds)
        left = len(run.result["unassigned"])
        clock.says = f"{run.strategy}, {left} left out, cost {run.result['cost']}"
    driving = [
        name
        for name in DRIVERS
        if any(owner == day.drivers[name] for owner in drivers_of(day).values())
    ]
    with clock.stage("published"):
        for name in driving:
            route = day.route(name)
            version = route.version
            publish(hub, day.business_id, route.id, actor=ACTOR, expected_version=version)
    clock.sum("addresses to a published plan", slice(first, None))
    drive_until_lost(day, driving)
    was = drivers_of(day)
    lost = max(driving, key=lambda name: list(was.values()).count(day.drivers[name]))
    route_id = day.route(lost).id
    first = len(clock.stages)
    with clock.stage("a van stands at 10:40: ways out"):
        out = ways_out(hub, day.business_id, route_id, Happened.VAN, DEPOT)
        possible = [way for way in out.ways if not way.why_not]
        clock.says = f"{len(possible)} ways, {len(was)} jobs open"
    best = min(possible, key=lambda way: way.burden)
    with clock.stage("the new plan on the phones"):
        versions = {day.route(name).id: day.route(name).version for name in driving}
        take_way(
            hub,
            day.business_id,
            route_id,
            best.key,
            happened=Happened.VAN,
            at=DEPOT,
            actor=ACTOR,
            versions=versions,
        )
        is_ = drivers_of(day)
        moved = [id for id, driver in was.items() if is_.get(id) != driver]
        others = [id for id in moved if was[id] != day.drivers[lost]]
        clock.says = (
            f"{len(moved)} of {len(was)} jobs moved, {len(others)} of them not the lost van's,"
            f" {len(best.late)} promises late"
        )
    clock.sum("a van lost to a new plan", slice(first, None))


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.small_fleet", description=__doc__)
    wanted.add_argument("--seconds", type=float, default=10.0, help="for planning")
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = wanted.parse_args()
    os.environ.setdefault("HUB_PLAN_CORES", "2")
    with TemporaryDirectory(prefix="small-fleet-") as folder:
        measure(Path(folder), asked.seconds, Clock(as_json=asked.json))


if __name__ == "__main__":
    main()
