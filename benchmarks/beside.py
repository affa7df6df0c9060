"""``python -m benchmarks.beside [--json] [--jobs N]``: who waits while a day is planned.

The pages as their server has them and the worker with its solver are processes of their own, on one
SQLite file, as `hub up` starts them. Somebody asks for a page, an API answer or tells an act, one
after the other without a pause: first with nothing else to do, then from the moment that a plan is
asked for until it is stored. Milliseconds of the clock, of each kind the median and the worst, and
of the server's processor, which other work on the machine does not change.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlmodel import select

from benchmarks.processes import Server
from hub import Address, Contact, Line, Point, Role, TimeWindow
from hub.app import Hub
from hub.cli.opened import opened
from hub.core.ids import new_id
from hub.core.orders import IncomingOrder
from hub.db.tables import LinkRow, PlanRow, RouteRow
from hub.flows.api_keys import make_key
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.fleet import DepotIn, DriverIn, VehicleIn, save_depot, save_driver, save_vehicle
from hub.flows.found import found
from hub.flows.log_in import Role as StaffRole
from hub.flows.log_in import add_staff, log_in
from hub.flows.pairing import pair, pairing_code
from hub.flows.plan import plan_day
from hub.flows.planning_run import ask_plan
from hub.flows.sync import store_all
from hub.flows.waiting import what_waits
from hub.settings import Settings
from hub.web.staff import COOKIE

YARD = Point(60.17, 24.94)
DRIVERS, TODAY = 12, 40
WEEK = {str(n): ["00:00", "23:59"] for n in range(7)}
OPEN = ("waiting", "solving")


@dataclass(frozen=True)
class Figure:
    """``calls`` were made; the clock's milliseconds of one, and those of the server's processor."""

    what: str
    when: str
    calls: int
    cpu_ms: float
    median_ms: float
    worst_ms: float


class Unix(HTTPConnection):
    def __init__(self, at: Path) -> None:
        super().__init__("localhost", timeout=60)
        self.at = at

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(self.at))


class Town:
    """A business with a published day under way and one to come that is to be planned."""

    def __init__(self, settings: Settings, jobs: int) -> None:
        self.hub: Hub = opened(settings)
        self.business_id = found(self.hub, "Husk", zone="UTC", country="FI")
        at = {"lat": YARD.lat, "lon": YARD.lon}
        given = DepotIn(name="Yard", address="Yard", **at)
        self.depot_id = save_depot(self.hub, self.business_id, given, actor="bench").id
        self.drivers = [self._driver(n) for n in range(DRIVERS)]
        self.today = self.hub.now().astimezone(UTC).date()
        self._take(TODAY, 0)
        plan_day(self.hub, self.business_id, self.today, strategy="nearest")
        with self.hub.reading() as session:
            routes = session.exec(select(RouteRow)).all()
        for route in routes:
            about = {"actor": "bench", "expected_version": route.version}
            publish(self.hub, self.business_id, route.id, **about)
        self.route = routes[0]
        self._take(jobs, 1)

    def _driver(self, n: int) -> str:
        van = VehicleIn(name=f"Van {n}", parcels=60)
        vehicle = save_vehicle(self.hub, self.business_id, van, actor="bench")
        about = {"name": f"Driver {n}", "vehicle_id": vehicle.id, "depot_id": self.depot_id}
        driver = DriverIn.model_validate({**about, "works": WEEK})
        return save_driver(self.hub, self.business_id, driver, actor="bench").id

    def _take(self, count: int, ahead: int) -> None:
        dice = random.Random(count)
        day = datetime.combine(self.today, datetime.min.time(), UTC) + timedelta(days=ahead)
        orders = []
        for n in range(count):
            opens = day + timedelta(hours=dice.choice((8, 10, 12, 14)))
            orders.append(
                IncomingOrder(
                    ref=f"{ahead}-{n}",
                    number=f"{ahead}-{n}",
                    updated_at=self.hub.now(),
                    address=Address((f"Street {ahead} {n}",), city="Helsinki", country="FI"),
                    point=Point(YARD.lat + dice.gauss(0, 0.03), YARD.lon + dice.gauss(0, 0.06)),
                    contacts=(Contact(Role.RECIPIENT, "Aino"),),
                    lines=(Line("Bread"),),
                    windows=(TimeWindow(opens, opens + timedelta(hours=3)),) if n % 2 else (),
                    due_on=day.date(),
                )
            )
        api = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, api, orders)

    def asks(self, at: Path) -> dict[str, Callable[[], None]]:
        """What somebody asks for, over one connection that stays open."""
        hub, ours, line = self.hub, self.business_id, Unix(at)
        about = {"email": "d@example.com", "password": "rye bread at six"}
        add_staff(hub, ours, role=StaffRole.OWNER, **about)
        staff = log_in(hub, about["email"], about["password"], address="bench") or ""
        _, key = make_key(hub, ours, "bench", ["orders:write", "orders:read"])
        phone = pair(hub, pairing_code(hub, ours, self.route.driver_id)) or ""
        with hub.reading() as session:
            link = session.exec(select(LinkRow)).first()
        assert link is not None
        page = f"/t/{hub.keys.link_token(link.order_id, link.epoch)}"
        cookie, bearer = {"Cookie": f"{COOKIE}={staff}"}, {"Authorization": f"Bearer {phone}"}

        def ask(path: str, headers: dict[str, str], body: Callable[[], object] | None) -> None:
            sent = None if body is None else json.dumps(body())
            more = {} if body is None else {"Content-Type": "application/json"}
            line.request("POST" if sent else "GET", path, sent, {**headers, **more})
            answer = line.getresponse()
            said = answer.read()
            assert answer.status < 300, (path, answer.status, said[:200])

        def call(
            path: str, headers: dict[str, str], body: Callable[[], object] | None = None
        ) -> Callable[[], None]:
            return lambda: ask(path, headers, body)

        def order() -> object:
            address = {"lines": ["Street 1"], "city": "Helsinki", "country": "FI"}
            point = {"lat": YARD.lat, "lon": YARD.lon}
            later = (self.today + timedelta(days=9)).isoformat()
            return {"ref": new_id(), "address": address, "point": point, "due_on": later}

        def act() -> object:
            told = {"act_id": new_id(), "kind": "load", "route_id": self.route.id}
            return {"acts": [{**told, "occurred_at": datetime.now(UTC).isoformat()}]}

        day = (self.today + timedelta(days=1)).isoformat()
        return {
            "board": call("/board/", cookie),
            "day's page": call(f"/panel/day?day={day}", cookie),
            "tracking page": call(page, {}),
            "driver's route": call("/driver/api/route", bearer),
            "an order by the API": call(
                "/api/v1/orders", {"Authorization": f"Bearer {key}"}, order
            ),
            "a driver's act": call("/driver/api/acts", bearer, act),
        }

    def is_planning(self) -> bool:
        with self.hub.reading() as session:
            states = session.exec(select(PlanRow.state).where(PlanRow.day > self.today)).all()
        return any(state in OPEN for state in states)


def until_it_answers(at: Path) -> None:
    for _ in range(600):
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(str(at))
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not come up")


@contextmanager
def processes(settings: Settings, at: Path) -> Iterator[Server]:
    env = {**os.environ, **settings.as_environment()}
    hub = [sys.executable, "-m", "hub.cli"]
    running = [
        subprocess.Popen([*hub, *more], env=env, start_new_session=True)
        for more in (["web", "--socket", str(at)], ["worker"])
    ]
    try:
        yield Server(running[0].pid, at)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # the server waits for a connection that stays open
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def measured(
    calls: dict[str, Callable[[], None]], server: Server, goes_on: Callable[[], bool], when: str
) -> list[Figure]:
    took: dict[str, list[float]] = {name: [] for name in calls}
    spent_s = dict.fromkeys(calls, 0.0)
    while goes_on():
        for name, call in calls.items():
            before_s, began = server.cpu_s(), time.perf_counter()
            call()
            took[name].append((time.perf_counter() - began) * 1000)
            spent_s[name] += server.cpu_s() - before_s
    return [
        Figure(name, when, len(ms), spent_s[name] * 1000 / len(ms), median(ms), max(ms))
        for name, ms in took.items()
        if ms
    ]


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.beside", description=__doc__)
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    wanted.add_argument("--jobs", type=int, default=300, help="of the day that is planned")
    wanted.add_argument("--seconds", type=float, default=20.0, help="of each of the two times")
    asked = wanted.parse_args()
    with TemporaryDirectory(prefix="hub-beside-", dir="/tmp") as folder:  # noqa: S108
        at = Path(folder) / "web.sock"
        settings = Settings(Path(folder), f"sqlite:///{folder}/hub.db", plan_cores=1)
        town = Town(settings, asked.jobs)
        with processes(settings, at) as server:
            calls = town.asks(at)
            until_it_answers(at)
            while what_waits(town.hub):  # the worker takes in what is new
                time.sleep(0.5)
            for _ in range(3):
                for call in calls.values():
                    call()
            until = time.monotonic() + asked.seconds
            figures = measured(
                calls, server, lambda: time.monotonic() < until, "nothing else to do"
            )
            day, limit = town.today + timedelta(days=1), asked.seconds
            about = {"actor": "bench", "time_limit_s": limit}
            ask_plan(town.hub, town.business_id, town.depot_id, day, **about)
            figures += measured(calls, server, town.is_planning, "while a day is planned")
    for one in figures:
        if asked.json:
            print(json.dumps(asdict(one)))
        else:
            print(
                f"{one.when:24} {one.what:22} {one.calls:5} calls"
                f"  processor {one.cpu_ms:5.1f} ms"
                f"  median {one.median_ms:7.1f} ms  worst {one.worst_ms:7.1f} ms"
            )


main()
