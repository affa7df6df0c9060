"""A bakery's day, from an empty hub to the proof in the customer's hands, by clicking."""

from __future__ import annotations

import io
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pypdf import PdfReader
from sqlmodel import select

from hub.app import Hub
from hub.db.migrate import migrate
from hub.db.tables import BusinessRow, DepotRow, DriverRow, EventRow, JobRow, VehicleRow
from hub.demo.play import start_of_day
from hub.flows.drive import pairing_code
from hub.flows.prove import verify
from hub.settings import Settings
from hub.worker import CHORES
from tests.phone_worlds import DONE, Screen, a_phone, a_photo, driver_app, served
from tests.ports import free_port

PASSWORD = "four loaves of rye bread"
ORDERS = """Order no;Name;E-mail;Street;Postcode;City;Item;Qty;Delivery date
1001;Aino Laine;aino@example.com;Mannerheimintie 14;00100;Helsinki;Rye bread;2;{day}
1002;Eero Virtanen;eero@example.com;Yrjönkatu 10;;Helsinki;Sourdough;1;{day}
1003;Leo Niemi;leo@example.com;Aleksanterinkatu 21;00100;Helsinki;Bun;6;{day}
"""


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def to(self, address: str) -> list[str]:
        """The subjects of what came to ``address``, and their text."""
        found = [mail for mail in self.mails if mail["To"] and address in mail["To"]]
        return [f"{mail['Subject']}\n{text_of(mail)}" for mail in found]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@contextmanager
def at_work(hub: Hub) -> Iterator[None]:
    """The worker's chores, one after the other, as long as the day lasts."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(0.2):
            for chore in CHORES:
                chore.do(hub)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield
    finally:
        stopped.set()
        worker.join(60)


def first_run(page: Page) -> None:
    """An account and a business, by the page a new hub shows."""
    page.goto("/")
    page.get_by_label("Your name").fill("Aino")
    page.get_by_label("E-mail").fill("aino@husk.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Name, as customers know it").fill("Husk Bakery")
    page.get_by_label("Country").select_option("FI")
    page.get_by_label("Time zone").select_option("Europe/Helsinki")
    page.get_by_label("Fresh food").check()
    page.get_by_role("button", name="Create account and business").click()
    page.get_by_text("A few short steps are left").wait_for()


def a_fleet(hub: Hub, starts_at: datetime) -> tuple[str, str]:
    """The bakery's one van, starting now whatever time it is: its business and its driver."""
    hours = f"{starts_at:%H:%M}", f"{starts_at.replace(hour=17):%H:%M}"
    with hub.unit() as unit:
        business = unit.session.exec(select(BusinessRow)).one()
        business.zone = str(starts_at.tzinfo)
        about = {"business_id": business.id}
        depot = DepotRow(**about, name="Bakery", lat=60.1699, lon=24.9384)
        van = VehicleRow(**about, name="White van", capacity={"parcels": 30})
        unit.session.add_all([depot, van])
        unit.session.flush()
        driver = DriverRow(
            **about,
            name="Mara Ilves",
            depot_id=depot.id,
            vehicle_id=van.id,
            works={str(n): list(hours) for n in range(7)},
        )
        unit.session.add(driver)
    return business.id, driver.id


def mail_set_up(page: Page, port: int) -> None:
    """The mail server, by the panel's form."""
    page.goto("/panel/messages")
    page.locator("a[href*='/messages/channels/email'], a[href*='email']").first.click()
    page.locator("#host").fill("127.0.0.1")
    page.locator("#port").fill(str(port))
    page.locator("#security").select_option("none")
    page.locator("#sender").fill("orders@husk.example")
    page.get_by_role("button", name=re.compile("Save|Check")).first.click()
    page.wait_for_load_state()


def orders_in(page: Page, sheet: Path) -> None:
    page.goto("/panel/import")
    page.set_input_files("#file", sheet)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Take in 3 orders").click()
    page.get_by_text("3 new orders taken in.").wait_for()


def planned_and_published(page: Page) -> None:
    page.goto("/panel/day")
    for _ in range(60):  # the worker is finding the addresses
        if page.get_by_role("listitem").filter(has_text=re.compile(r"^\s*3 to do")).count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.get_by_role("button", name="Plan", exact=True).click()
    publish = page.get_by_role("button", name="Publish the route", exact=True)
    publish.wait_for(timeout=120_000)
    publish.click()
    page.get_by_text("so does not see the route. Pair one under Drivers.").wait_for()


def says_delivered(told: list[str]) -> list[str]:
    return [text for text in told if "elivered" in text.split("\n")[0]]


def link_of(text: str) -> str:
    found = re.search(r"https?://\S+(/t/[\w-]+)", text)
    assert found, text
    return found[1]


def until(holds: Any, seconds: int = 60) -> None:
    clock = threading.Event()
    for _ in range(seconds * 5):
        if holds():
            return
        clock.wait(0.2)
    raise AssertionError("it never came true")


def desk_of(browser: Browser, url: str) -> tuple[BrowserContext, Page, list[str]]:
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("dialog", lambda dialog: dialog.accept())  # "publish?"
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return context, page, complaints


def test_a_bakerys_day(
    browser: Browser,
    helsinki: Path,
    tmp_path: Path,
    empty_database_url: str,
    mailbox: tuple[Mailbox, int],
) -> None:
    box, port = mailbox
    shutil.copytree(helsinki / "map", tmp_path / "hub" / "map", symlinks=True)
    env = {
        "HUB_DATA_DIR": str(tmp_path / "hub"),
        "HUB_DATABASE_URL": empty_database_url,
        "HUB_HTTP_ALLOW": f"127.0.0.1:{port}",
    }
    hub = Hub.from_settings(Settings.from_environment(env))
    migrate(hub.engine)
    starts_at = start_of_day(hub.now())
    with served(driver_app(hub)) as url, at_work(hub):
        office, page, complaints = desk_of(browser, url)
        first_run(page)
        business_id, driver_id = a_fleet(hub, starts_at)
        mail_set_up(page, port)
        sheet = tmp_path / "orders.csv"
        sheet.write_text(ORDERS.format(day=starts_at.date()))
        orders_in(page, sheet)
        planned_and_published(page)
        until(lambda: len(box.to("aino@example.com")) >= 1)

        # The phone, in a cellar without signal, closes two jobs and comes back.
        phone = Screen(
            a_phone(browser),
            url,
            lambda: pairing_code(hub, business_id, driver_id),
        )
        phone.pair()
        phone.press("Start shift")
        phone.sees("3 of 3 stops left")
        phone.state("Online")
        phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        phone.offline(True)
        for left in (2, 1):
            phone.press("Arrived")
            phone.page.locator("main .next").get_by_role("link", name=DONE).click()
            phone.page.locator("#photo").set_input_files(a_photo(tmp_path / "door.jpg"))
            phone.page.get_by_alt_text("Photo, ").wait_for()
            phone.page.locator(".finish button").click()
            phone.sees(f"{left} of 3 stops left")
        assert closed(hub, business_id) == []
        phone.offline(False)
        phone.state("Online")
        assert phone.problems == []

        # Each was closed once, its customer's page and mail say so, and its document is right.
        done = closed(hub, business_id)
        assert len(done) == 2
        assert verify(hub, business_id) == []
        for job in done:
            number, address = order_of(hub, job)
            until(lambda: says_delivered(box.to(address)))  # noqa: B023
            told = box.to(address)
            assert len(says_delivered(told)) == 1
            customer = office.new_page()
            customer.goto(link_of(told[-1]))
            expect(customer.locator("body")).to_contain_text("Delivered")
            answer = customer.request.get(f"{customer.url}/proof.pdf")
            assert answer.ok
            document = PdfReader(io.BytesIO(answer.body()))
            read = " ".join(one.extract_text() for one in document.pages)
            assert number in read
            assert "Delivered" in read
            assert "Husk Bakery" in read
            customer.close()
        page.goto("/panel/orders")
        assert page.locator("table .pill", has_text="Done").count() == 2
        assert complaints == []
        phone.context.close()
        office.close()


def closed(hub: Hub, business_id: str) -> list[JobRow]:
    """The jobs whose end was announced; each announcement once."""
    with hub.reading() as session:
        told = session.exec(
            select(EventRow).where(
                EventRow.business_id == business_id, EventRow.name == "JobClosed"
            )
        ).all()
        ids = [event.payload["job_id"] for event in told]
        assert len(ids) == len(set(ids))
        return [session.get_one(JobRow, one) for one in ids]


def order_of(hub: Hub, job: JobRow) -> tuple[str, str]:
    """The number of a job's order, and its recipient's address."""
    from hub.db.tables import ContactRow, OrderRow

    with hub.reading() as session:
        order = session.get_one(OrderRow, job.order_id)
        contact = session.exec(
            select(ContactRow).where(
                ContactRow.order_id == order.id, ContactRow.role == "recipient"
            )
        ).one()
    return order.number, contact.email
