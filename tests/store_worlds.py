"""A bakery whose owner sits at a browser, a shop on a small internet, and a driver with a phone."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PageError
from sqlmodel import SQLModel, select

import admin
import connectors.shipstation
import connectors.shopify
import connectors.woocommerce
import connectors.xero
import hub.plugins
from hub.app import Hub
from hub.db.engine import create_tables, open_engine
from hub.db.tables import ConnectionRow, JobRow, OrderRow, SecretRow
from hub.demo.desk import Desk
from hub.demo.phone import Phone
from hub.demo.proofs import files_for
from hub.demo.wire import Wire
from hub.flows.connected import BORN
from hub.flows.fleet import DepotIn, DriverIn, VehicleIn, save_depot, save_driver, save_vehicle
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff, log_in
from hub.keys import Keys
from hub.registry import Registry
from hub.settings import Settings
from hub.web.app import create_app
from hub.web.staff import COOKIE
from hub.worker import CHORES
from tests.browsers import SLOW_MS
from tests.internet import Internet

PLUGINS = (
    admin,
    hub.plugins,
    connectors.shipstation,
    connectors.shopify,
    connectors.woocommerce,
    connectors.xero,
)
HUB = "hub.example"
MONDAY = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
STREET, POSTCODE, CITY = "Mannerheimintie 14", "00100", "Helsinki"
PASSWORD = "four loaves of rye bread"  # noqa: S105
ALWAYS = {str(n): ["07:00", "17:00"] for n in range(7)}
SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
SIZES = ((390, 844), (1280, 900))
ALLOWED = "status of 422"


@dataclass
class Bakery:
    hub: Hub
    internet: Internet
    clock: Clock
    page: Page
    desk: Desk
    business_id: str
    driver_id: str
    phone: Phone
    complaints: list[str] = field(default_factory=list)
    shown: int = 0

    # The office, at the panel

    def opens(self, vendor: str, way: str = "") -> None:
        """The form of a new connection, by clicking from the list."""
        self.page.goto("/panel/connections")
        self.page.locator(".offers").get_by_role("link", name=vendor).click()
        if way:
            self.page.get_by_role("link", name=way, exact=True).click()

    def fills(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"#{name}").fill(text)

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def sees(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text)

    def reads_at(self, name: str, sentence: str) -> None:
        """What is wrong stands at its field."""
        expect(self.page.locator(f"#{name}-error")).to_contain_text(sentence)

    def connection_page(self) -> None:
        path = f"/panel/connections/{self.connection().id}"
        try:
            self.page.goto(path)
        except PageError:  # it was just looking again by itself
            self.page.goto(path)

    # The worker

    def works(self) -> None:
        """Every chore, until what they set off is done too."""
        for _ in range(3):
            for chore in CHORES:
                chore.do(self.hub)

    def later(self, **span: float) -> None:
        self.clock.at += timedelta(**span)

    # The day

    def publishes(self) -> None:
        self.desk.day = f"{self.clock.at.date()}"
        self.desk.plan()
        self.works()
        assert self.desk.publish() == 1
        self.works()

    def drives(self) -> None:
        """The driver opens the shift and hands over, with proof, what is on the route."""
        self.phone.pair(self.desk.pairing_code(self.driver_id))
        [route] = [one for one in self.phone.look()["routes"] if one["ended_at"] is None]
        on = {"route_id": route["route_id"]}
        self._taps("acknowledge", version=route["version"], **on)
        self._taps("start_shift", **on)
        self._taps("load", **on)
        for job in [job for stop in route["stops"] for job in stop["jobs"]]:
            self._taps("head_for", job_id=job["job_id"], **on)
            self._tells()
            self.later(minutes=10)
            self._taps("arrive", job_id=job["job_id"], **on)
            files = files_for(job["job_id"], ("photo", "signature"))
            self._taps(
                "close",
                job_id=job["job_id"],
                **on,
                outcome="succeeded",
                name="Aino Laine",
                lat=60.1686,
                lon=24.9426,
                accuracy_m=8,
                files=[{"kind": one.kind, "sha256": one.sha256} for one in files],
                lines=[
                    {"n": n, "title": line["title"], "ordered": q, "delivered": q}
                    for n, line in enumerate(job["lines"])
                    for q in (line["quantity"],)
                ],
            )
            self.phone.files += files
            self._tells()
        self._taps("end_shift", **on)
        self._tells()

    def _taps(self, kind: str, **about: Any) -> None:
        self.later(seconds=20)
        self.phone.tap(kind, self.clock.at.timestamp(), **about)

    def _tells(self) -> None:
        self.phone.flush(self.clock.at.timestamp())
        assert self.phone.complaints == []
        self.works()

    # What is there

    def rows[R: SQLModel](self, table: type[R]) -> list[R]:
        with self.hub.reading() as session:
            return list(session.exec(select(table)))

    def connection(self) -> ConnectionRow:
        """The one made last."""
        mine = [row for row in self.rows(ConnectionRow) if row.plugin not in BORN]
        return max(mine, key=lambda row: row.id)

    def orders(self) -> dict[str, str]:
        return {row.number: row.status for row in self.rows(OrderRow)}

    def ends(self) -> dict[str, str]:
        """How each job ended, by its order's number."""
        numbers = {row.id: row.number for row in self.rows(OrderRow)}
        return {numbers[job.order_id]: job.outcome or job.state for job in self.rows(JobRow)}

    def secrets(self) -> list[str]:
        mine = self.connection().id
        return [row.name for row in self.rows(SecretRow) if row.owner_id == mine]

    # What the pages look like

    def looks_like(self, title: str) -> None:
        """As ``shows`` where pictures are wanted; else nothing: it is like another page."""
        if SHOTS:
            self.shows(title)

    def shows(self, title: str) -> None:
        """axe finds nothing and nothing is wider than the screen: small and light, or wide and
        dark, page by page in turn.

        With ``HUB_TEST_SHOTS`` at both sizes in both themes, of which pictures are taken there.
        """
        self.shown += 1
        for width, height in SIZES:
            self.page.set_viewport_size({"width": width, "height": height})
            for theme in ("light", "dark"):
                in_turn = (390, "light") if self.shown % 2 else (1280, "dark")
                if not SHOTS and (width, theme) != in_turn:
                    continue
                self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                found = Axe().run(self.page).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], title
                fits = self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                assert fits, f"{title} at {width}"
                if SHOTS:
                    path = f"{SHOTS}/{title}-{width}-{theme}.png"
                    self.page.screenshot(path=path, full_page=True)


class Clock:
    def __init__(self) -> None:
        self.at = MONDAY

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Town:
    """What there is before a bakery opens: a clock, an internet and a browser."""

    internet: Internet
    browser: Browser
    map: Path
    folder: Path
    clock: Clock = field(default_factory=Clock)

    def bakery(self, shop: Any, *hosts: str) -> Bakery:
        """Its ``shop`` answers for ``hosts``, to browsers and to the hub."""
        hub = self._hub(self.internet.put(shop, *hosts), hosts)
        port = urlsplit(self.internet.put(create_app(hub), HUB)).port or 0
        business_id = found(hub, "Husk Bakery", zone="Europe/Helsinki", country="FI")
        driver_id = a_fleet(hub, business_id)
        token = an_owner(hub, business_id)
        context = self.browser.new_context(
            base_url=f"https://{HUB}",
            proxy={"server": self.internet.proxy},
            ignore_https_errors=True,
            viewport={"width": 1280, "height": 900},
        )
        context.add_cookies([{"name": COOKIE, "value": token, "url": f"https://{HUB}"}])
        page = context.new_page()
        page.set_default_timeout(SLOW_MS)
        page.on("dialog", lambda dialog: dialog.accept())
        desk = Desk(Wire(port, Cookie=f"{COOKIE}={token}"), "")
        phone = Phone(Wire(port), "Mara")
        bakery = Bakery(hub, self.internet, self.clock, page, desk, business_id, driver_id, phone)
        page.on("pageerror", lambda error: bakery.complaints.append(str(error)))
        page.on("console", lambda said: _heard(bakery, said))
        return bakery

    def _hub(self, home: str, hosts: tuple[str, ...]) -> Hub:
        self.folder.mkdir()
        (self.folder / "map").symlink_to(self.map)
        env = {
            "HUB_DATA_DIR": str(self.folder),
            "HUB_PUBLIC_URL": f"https://{HUB}",
            "HUB_HTTP_INSTEAD": " ".join(f"https://{host}={home}" for host in hosts),
            "HUB_PROXIED": "1",
        }
        settings = Settings.from_environment(env)
        engine = open_engine(settings.database_url)
        create_tables(engine)
        registry = Registry()
        for plugin in PLUGINS:
            registry.add(plugin, plugin.__name__)
        keys = Keys.at(self.folder / "keys.json")
        return Hub(engine, registry, settings, keys, now=self.clock)


def an_owner(hub: Hub, business_id: str) -> str:
    """The session of an owner who is logged in."""
    email = "olga@husk.example"
    add_staff(hub, business_id, email=email, password=PASSWORD, role=Role.OWNER, name="Olga")
    token = log_in(hub, email, PASSWORD, address="127.0.0.1")
    assert token
    return token


def a_fleet(hub: Hub, business_id: str) -> str:
    """A depot, a van and a driver; the driver's id."""
    by = {"actor": "test"}
    where = {"address": "Yrjönkatu 1", "lat": 60.1655, "lon": 24.9414}
    depot = save_depot(hub, business_id, DepotIn(name="Bakery", strategy="nearest", **where), **by)
    van = save_vehicle(hub, business_id, VehicleIn(name="White van", parcels=40, kg=800), **by)
    about = {"vehicle_id": van.id, "depot_id": depot.id, "works": ALWAYS}
    driver = save_driver(
        hub, business_id, DriverIn(name="Mara Ilves", phone="040 123 4567", **about), **by
    )
    return driver.id


def _heard(bakery: Bakery, said: Any) -> None:
    if said.type == "error" and ALLOWED not in said.text:
        bakery.complaints.append(said.text)
