"""A bakery keeps its proof in a bucket: set up in the panel, filled at a door, shown, let go of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

import admin
from hub.app import Hub
from hub.core.business import BusinessSettings
from hub.core.ids import new_id
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Line, Point, Role
from hub.core.visibility import ALWAYS, Reader, Visibility
from hub.db.tables import BusinessRow, DepotRow, DriverRow, LinkRow, OrderRow, RouteRow
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import pairing_code
from hub.flows.found import found
from hub.flows.plan import plan_day
from hub.flows.prove import verify
from hub.flows.retain import retain
from hub.flows.sync import store_all
from hub.web.staff import COOKIE
from tests.admin.panel_worlds import a_panel
from tests.driving_worlds import Plugin
from tests.phone_worlds import (
    DONE,
    SHOTS,
    Screen,
    a_phone,
    a_photo,
    a_zone_at_noon,
    driver_app,
    served,
)
from tests.pod_worlds import KEY, REGION, SECRET, Storage, a_storage, may_use_buckets, use_bucket

PAGE = "/panel/settings/proof-storage"
SIZES = ((390, 844, "dark"), (1280, 900, "light"), (390, 844, "light"), (1280, 900, "dark"))


@pytest.fixture
def storage() -> Iterator[Storage]:
    with a_storage() as running:
        yield running


@dataclass
class Bakery:
    hub: Hub
    business_id: str
    driver_id: str
    owner: str  # the cookie of her session
    url: str
    later: list[timedelta]

    def desk(
        self, browser: Browser, width: int = 1280, height: int = 900, theme: str = "light"
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # type: ignore[arg-type]
        )
        context.add_cookies([{"name": COOKIE, "value": self.owner, "url": self.url}])
        return context.new_page()


@pytest.fixture
def bakery(tmp_path: Path) -> Iterator[Bakery]:
    """One order on a published route of today; photo, signature and name are asked for."""
    later = [timedelta()]
    hub = Hub.in_memory(
        Plugin(),
        admin,
        now=lambda: datetime.now(UTC) + later[0],
        data_dir=tmp_path / "hub",
        url=f"sqlite:///{tmp_path}/hub.db",
    )
    may_use_buckets(hub)
    zone = a_zone_at_noon(hub.now())
    business_id = found(hub, "Husk Bakery", zone=str(zone), country="FI")
    settings = BusinessSettings(
        demands=["photo", "signature", "name"],
        visibility=Visibility().but(Reader.PAGE, photo=ALWAYS),
    )
    with hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, business_id)
        business.settings = settings.model_dump(mode="json")
        depot = DepotRow(business_id=business_id, name="Bakery", lat=60.168, lon=24.938)
        unit.session.add(depot)
        unit.session.flush()
        hours = {str(n): ["00:00", "23:59"] for n in range(7)}
        driver = DriverRow(business_id=business_id, name="Mara", depot_id=depot.id, works=hours)
        unit.session.add(driver)
    order = IncomingOrder(
        ref="1",
        number="HB-1",
        updated_at=datetime.now(UTC) - timedelta(days=1),
        address=Address(("Yrjönkatu 27",), city="Helsinki", country="FI"),
        point=Point(60.1679, 24.94),
        contacts=(Contact(Role.RECIPIENT, "Anna Frick", phone="+358401234567"),),
        lines=(Line("Sourdough", 2),),
    )
    store_all(hub, business_id, connection_id(hub, business_id, "api"), [order])
    plan_day(hub, business_id, hub.now().astimezone(zone).date(), strategy="nearest")
    with hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    owner = a_panel(hub, business_id).token
    with served(driver_app(hub)) as url:
        yield Bakery(hub, business_id, driver.id, owner, url, later)


def draws(page: Page, alt: str) -> None:
    """The picture is there and can be drawn."""
    picture = page.get_by_alt_text(alt).first
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def looks_well(page: Page, title: str) -> None:
    found_by_axe = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found_by_axe] == [], title
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), title
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{title}.png", full_page=True)


def test_a_photo_and_a_signature_lie_in_the_bucket_are_shown_and_go_when_they_are_due(
    bakery: Bakery, storage: Storage, browser: Browser, tmp_path: Path
) -> None:
    bucket = f"husk-{new_id()}"
    storage.bucket(bucket)
    desk = bakery.desk(browser)
    desk.goto(f"{bakery.url}/panel/settings")
    desk.get_by_role("link", name="Proof storage").click()
    desk.get_by_role("link", name="Set up S3-compatible storage").click()
    desk.get_by_label("Address of the storage").fill(storage.url)
    desk.get_by_label("Region").fill(REGION)
    desk.get_by_label("Bucket", exact=True).fill("another-bucket")
    desk.get_by_label("Access key").fill(KEY)
    desk.get_by_label("Secret key").fill(SECRET)
    desk.get_by_label("The bucket's name goes into the path").check()
    desk.get_by_role("button", name="Check and use it").click()
    expect(desk.locator("#bucket-error")).to_contain_text("There is no bucket another-bucket")
    looks_well(desk, "proof-storage-wrong")
    desk.get_by_label("Bucket", exact=True).fill(bucket)
    desk.get_by_label("Secret key").fill(SECRET)
    desk.get_by_role("button", name="Check and use it").click()
    expect(desk.get_by_text("New photos and signatures go there.").first).to_be_visible()

    code = lambda: pairing_code(bakery.hub, bakery.business_id, bakery.driver_id)  # noqa: E731
    phone = Screen(a_phone(browser), bakery.url, code)
    phone.pair()
    phone.start_shift()
    phone.press("Arrived")
    phone.page.locator("main .next").get_by_role("link", name=DONE).click()
    phone.prove(a_photo(tmp_path / "door.jpg"), "Anna")
    phone.page.locator(".finish button").click()
    phone.sees("0 of 1 stop left")
    phone.state("Online")
    lies_there = storage.objects(bucket)
    assert len(lies_there) == 2
    assert all(key.startswith(f"{bakery.business_id}/") for key in lies_there)
    assert not list((tmp_path / "hub" / "proof").rglob("*"))
    assert verify(bakery.hub, bakery.business_id) == []

    with bakery.hub.reading() as session:
        order, link = session.exec(select(OrderRow)).one(), session.exec(select(LinkRow)).one()
    desk.goto(f"{bakery.url}/panel/orders/{order.id}")
    draws(desk, "Photo 1")
    draws(desk, "Signature 2")
    customer = browser.new_context().new_page()
    tracking = f"{bakery.url}/t/{bakery.hub.keys.link_token(order.id, link.epoch)}"
    customer.goto(tracking)
    with customer.expect_response(lambda answer: "/photo/1" in answer.url) as fetched:
        customer.get_by_text("Show the photo").click()
    assert fetched.value.status == 200
    assert fetched.value.headers["content-type"].startswith("image/")

    bakery.later[0] = timedelta(days=400)
    report = retain(bakery.hub)
    assert (report.proofs, report.files) == (1, 2)
    assert storage.objects(bucket) == {}
    assert verify(bakery.hub, bakery.business_id) == []


@pytest.mark.soak
def test_the_pages_are_for_everybody_at_every_size(
    bakery: Bakery, storage: Storage, browser: Browser
) -> None:
    bucket = f"husk-{new_id()}"
    storage.bucket(bucket)
    use_bucket(bakery.hub, bakery.business_id, storage, bucket)
    for width, height, theme in SIZES:
        page = bakery.desk(browser, width, height, theme)
        for name, path in (("list", PAGE), ("s3", f"{PAGE}/s3")):
            page.goto(bakery.url + path)
            looks_well(page, f"proof-storage-{name}-{width}-{theme}")
        page.context.close()
