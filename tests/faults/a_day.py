"""A bakery's day that a killed process can take up again: each thing done is said afterwards.

Who asked for a thing keeps asking until it is said to be done, as a dispatcher, an
importing program or a phone does; nothing else is remembered between two lives.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point
from hub.db.engine import open_engine
from hub.db.tables import (
    DepotRow,
    DeviceRow,
    DriverRow,
    JobRow,
    OrderRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.found import found
from hub.flows.import_file import store_file, take_file
from hub.flows.pairing import pair, pairing_code
from hub.flows.plan import plan_day
from hub.flows.prove import put_file
from hub.flows.sync import store_all
from hub.keys import Keys
from hub.registry import Registry
from hub.settings import Settings

PHASES = ("import", "plan", "publish", "drive", "errands")
DAY = date(2026, 11, 23)
FIVE = datetime(2026, 11, 23, 5, tzinfo=UTC)
REFS = [f"R{n:02}" for n in range(8)]  # the first half comes one by one, the rest in a file
HALF = len(REFS) // 2
FAILED = {"R02", "R06"}  # nobody is at home there
BATCH = 5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Phone:
    """What a phone has to say of one job: three acts and two files."""

    device: DeviceRow
    job_id: str
    ref: str
    n: int

    def acts(self) -> list[IncomingAct]:
        files = [{"kind": kind, "sha256": sha(content)} for kind, content in self.files()]
        end = {"outcome": "succeeded", "name": "Ana", "files": files}
        if self.ref in FAILED:
            end = {"outcome": "failed", "reason": "nobody_home", "note": "rang", "files": files}
        told = [("head_for", 0, {}), ("arrive", 4, {}), ("close", 6, end)]
        return [
            IncomingAct(
                act_id=f"{self.ref}-{kind}",
                kind=kind,
                occurred_at=FIVE + timedelta(minutes=60 + self.n * 10 + minute),
                job_id=self.job_id,
                body=body,
            )
            for kind, minute, body in told
        ]

    def files(self) -> list[tuple[str, bytes]]:
        return [(kind, f"{kind} of {self.ref} ".encode() * 99) for kind in ("photo", "signature")]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def a_hub(folder: Path, url: str, registry: Registry | None = None) -> Hub:
    """The hub of ``folder``, by the clock that lies in it."""
    settings = replace(
        Settings.from_environment({}),
        data_dir=folder,
        database_url=url,
        clock_file=folder / "clock",
    )
    keys = Keys.at(folder / "keys.json")
    return Hub(open_engine(url), registry or Registry.installed(), settings, keys)


def set_clock(folder: Path, minutes: int) -> None:
    """To so many minutes after noon: all of the day's driving is past by then."""
    (folder / "clock").write_text((FIVE + timedelta(hours=7, minutes=minutes)).isoformat())


def a_bakery(hub: Hub) -> str:
    """Two drivers with a phone each, neither of whom has the time to do it all."""
    business_id = found(hub, "Husk", zone="UTC")
    works = {str(day): ["06:00", "23:59"] for day in range(7)}  # a day is planned after noon
    about = {"business_id": business_id, "works": works, "planning": {"max_duration_s": 5400}}
    drivers = [DriverRow(name=name, **about) for name in ("Mara", "Otso")]
    with hub.unit() as unit:
        unit.session.add(DepotRow(business_id=business_id, name="Bakery", lat=60.17, lon=24.94))
        unit.session.add_all(drivers)
    for driver in drivers:
        pair(hub, pairing_code(hub, business_id, driver.id))
    return business_id


class Day:
    """``known`` are the words said in earlier lives; ``begin`` hears which phase comes."""

    def __init__(
        self, hub: Hub, business_id: str, seed: int, known: set[str], say: Say, begin: Say
    ) -> None:
        self.hub, self.business_id, self.seed = hub, business_id, seed
        self.known, self.say, self.begin = known, say, begin

    def live(self) -> None:
        for phase in PHASES:
            self.begin(phase)
            getattr(self, f"_{phase}")()
        self.say("done")

    def _once(self, word: str, do: Callable[[], object]) -> None:
        if word not in self.known:
            do()
            self.say(word)

    def _import(self) -> None:
        api = connection_id(self.hub, self.business_id, "api")
        for n, ref in enumerate(REFS[:HALF]):
            order = an_order(n, ref)
            self._once(ref, lambda order=order: store_all(self.hub, self.business_id, api, [order]))
        self._once("file", self._take_file)

    def _take_file(self) -> None:
        rows = [f"{ref},Ana,Street {n},Oslo,{lat(n)},{lon(n)}" for n, ref in enumerate(REFS)][HALF:]
        text = "\n".join(["order number,name,street,city,latitude,longitude", *rows])
        taken = take_file(self.hub, self.business_id, text.encode(), "orders.csv")
        store_file(self.hub, self.business_id, taken.id, actor="staff:1")

    def _plan(self) -> None:
        self._once("plan", lambda: plan_day(self.hub, self.business_id, DAY, strategy="nearest"))

    def _publish(self) -> None:
        with self.hub.reading() as session:
            routes = session.exec(
                select(RouteRow).where(RouteRow.business_id == self.business_id)
            ).all()
        for route in sorted(routes, key=lambda one: one.driver_id):
            if route.published_at is None:
                publish(
                    self.hub,
                    self.business_id,
                    route.id,
                    actor="staff:1",
                    expected_version=route.version,
                )
            self.say(f"route {route.id}")

    def _drive(self) -> None:
        phones = self._phones()
        for phone, said in self._told(phones):
            match said:
                case list():
                    take_acts(self.hub, phone.device, said)
                    for act in said:
                        self.say(act.act_id)
                case kind, content:
                    self._put(phone, kind, content)
                    self.say(f"{phone.ref}-{kind}")
        # The network lies at times: it all comes once more.
        for phone in phones:
            assert all(a.repeated for a in take_acts(self.hub, phone.device, phone.acts()))
            for kind, content in phone.files():
                self._put(phone, kind, content)

    def _put(self, phone: Phone, kind: str, content: bytes) -> None:
        about = (self.business_id, phone.job_id, kind, "image/png", content, sha(content))
        put_file(self.hub, *about)

    def _told(
        self, phones: Sequence[Phone]
    ) -> Iterator[tuple[Phone, list[IncomingAct] | tuple[str, bytes]]]:
        """In any order: files before and after the act that names them, acts in batches."""
        chance = random.Random(self.seed)
        by_device: dict[str, list[Phone]] = {}
        for phone in phones:
            by_device.setdefault(phone.device.id, []).append(phone)
        for mine in by_device.values():
            acts = [act for phone in mine for act in phone.acts()]
            chance.shuffle(acts)
            batches = [acts[n : n + BATCH] for n in range(0, len(acts), BATCH)]
            told = [(mine[0], batch) for batch in batches]
            told += [(phone, file) for phone in mine for file in phone.files()]
            chance.shuffle(told)
            for phone, said in told:
                if isinstance(said, list):
                    if left := [act for act in said if act.act_id not in self.known]:
                        yield phone, left
                elif f"{phone.ref}-{said[0]}" not in self.known:
                    yield phone, said

    def _phones(self) -> list[Phone]:
        with self.hub.reading() as session:
            rows = session.exec(
                select(DeviceRow, JobRow.id, OrderRow.ref)
                .join(RouteRow, RouteRow.driver_id == DeviceRow.driver_id)
                .join(StopRow, StopRow.route_id == RouteRow.id)
                .join(StopJobRow, StopJobRow.stop_id == StopRow.id)
                .join(JobRow, JobRow.id == StopJobRow.job_id)
                .join(OrderRow, OrderRow.id == JobRow.order_id)
                .where(RouteRow.business_id == self.business_id)
                .order_by(OrderRow.ref)
            ).all()
        return [Phone(device, job_id, ref, int(ref[1:])) for device, job_id, ref in rows]

    def _errands(self) -> None:
        while self.hub.deliver_events():
            pass


def an_order(n: int, ref: str) -> IncomingOrder:
    return IncomingOrder(
        ref=ref,
        number=ref,
        updated_at=FIVE,
        address=Address((f"Street {n}",)),
        point=Point(lat(n), lon(n)),
        service_s=900,
    )


def lat(n: int) -> float:
    return 60.16 + n / 1000


def lon(n: int) -> float:
    return 24.93 + n / 1000
