"""Setting up by clicking only, in a real browser, and every set-up page at every size and theme."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select
from werkzeug.serving import make_server

from hub.db.tables import DepotRow, DeviceRow, DriverRow, VehicleRow
from hub.flows.brand import add_brand
from hub.flows.pairing import pair
from hub.web.app import create_app
from hub.web.staff import COOKIE
from tests.admin.panel_worlds import Panel, a_bakery, a_fleet, a_panel, an_installed_hub

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
SIZES = ((390, 844), (1280, 900))


@dataclass
class Desk:
    panel: Panel
    url: str
    browser: Browser

    def page(self, width: int = 1280, height: int = 900, theme: str = "light") -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # type: ignore[arg-type]
        )
        context.add_cookies([{"name": COOKIE, "value": self.panel.token, "url": self.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.on("console", _no_complaint)
        return page

    def rows(self, table: type) -> list:
        with self.panel.hub.reading() as session:
            return list(session.exec(select(table)))


def _no_complaint(message) -> None:  # type: ignore[no-untyped-def]
    """A blocked style or handler shows as an error on the console."""
    assert message.type != "error" or "status of 422" in message.text, message.text


@pytest.fixture
def desk(helsinki: Path, tmp_path: Path, browser: Browser) -> Iterator[Desk]:
    """An owner of a new bakery, on a hub whose map is Helsinki's centre."""
    (tmp_path / "map").symlink_to(helsinki / "map")
    hub = an_installed_hub(tmp_path, f"sqlite:///{tmp_path}/hub.db")
    panel = a_panel(hub, a_bakery(hub))
    server = make_server("127.0.0.1", 0, create_app(hub), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Desk(panel, f"http://127.0.0.1:{server.server_port}", browser)
    server.shutdown()
    thread.join()


def test_depot_vehicle_driver_and_phone_by_clicking_only(desk: Desk) -> None:
    page = desk.page()
    page.goto(f"{desk.url}/panel/records/depots/")
    page.get_by_role("link", name="Add a depot").first.click()
    page.get_by_label("Name").fill("Home")
    page.get_by_label("Address", exact=True).fill("Yrjönkatu 10, 00120 Helsinki")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".map svg")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Home is saved.")).to_be_visible()
    (depot,) = desk.rows(DepotRow)
    assert 60.15 < depot.lat < 60.18 and 24.92 < depot.lon < 24.96

    page.get_by_role("link", name="Vehicles").click()
    page.get_by_role("link", name="Add a vehicle").first.click()
    page.get_by_label("Name").fill("Van 1")
    page.get_by_label("Most weight, in kg").fill("800")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Van 1 is saved.")).to_be_visible()

    page.get_by_role("link", name="Drivers").click()
    page.get_by_role("link", name="Add a driver").first.click()
    page.get_by_label("Name").fill("Mara")
    page.get_by_label("Vehicle").select_option(label="Van 1")
    page.get_by_label("Monday to").fill("16:00")
    page.get_by_role("button", name="Monday's hours until Friday").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Mara is saved.")).to_be_visible()
    (driver,) = desk.rows(DriverRow)
    assert driver.works == {str(day): ["08:00", "16:00"] for day in range(5)}
    assert driver.vehicle_id == desk.rows(VehicleRow)[0].id

    page.get_by_role("button", name="Pair a phone").click()
    link = page.get_by_role("link", name="/driver/pair#").inner_text()
    assert pair(desk.panel.hub, link.partition("#")[2])
    assert desk.rows(DeviceRow)[0].driver_id == driver.id


def test_removing_asks_first(desk: Desk) -> None:
    depot_id, *_ = a_fleet(desk.panel.hub, desk.panel.business_id)
    for row in desk.rows(DriverRow):
        desk.panel.post("/panel/records/drivers/delete/", id=row.id)
    page = desk.page()
    page.goto(f"{desk.url}/panel/records/depots/edit/?id={depot_id}")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Remove this depot").click()
    assert len(desk.rows(DepotRow)) == 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove this depot").click()
    expect(page.get_by_text("Home is removed.")).to_be_visible()
    assert desk.rows(DepotRow) == []


def test_a_click_on_the_map_moves_the_pin(desk: Desk) -> None:
    depot_id, *_ = a_fleet(desk.panel.hub, desk.panel.business_id)
    page = desk.page()
    page.goto(f"{desk.url}/panel/records/depots/edit/?id={depot_id}")
    box = page.locator(".map svg").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    (depot,) = desk.rows(DepotRow)
    assert depot.lat > 60.1655 and abs(depot.lon - 24.9414) < 0.0005


def test_the_branding_preview_follows_what_is_typed(desk: Desk) -> None:
    page = desk.page()
    page.goto(f"{desk.url}/panel/branding")
    phones = page.frame_locator(".sheet iframe >> nth=0")
    expect(phones.locator("figure")).to_have_count(14)
    bar = phones.frame_locator("iframe >> nth=0").locator("header")
    before = page.evaluate("history.length")
    page.get_by_label("Name customers see").fill("Brand New Name")
    expect(bar).to_have_text("Brand New Name")
    page.get_by_label("Colour", exact=True).fill("#ffcc00")
    expect(bar).to_have_css("background-color", "rgb(255, 204, 0)")
    expect(bar).to_have_css("color", "rgb(0, 0, 0)")
    page.get_by_label("Read in").select_option("ar")
    page.get_by_label("By").select_option("dark")
    last = phones.frame_locator("iframe >> nth=13")
    expect(last.locator("html")).to_have_attribute("dir", "rtl")
    expect(last.locator("body")).to_have_css("background-color", "rgb(20, 22, 26)")
    assert page.evaluate("history.length") == before
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Customers see it at once.")).to_be_visible()
    expect(page.get_by_text("White text would be hard to read")).to_be_visible()


def test_the_branding_preview_needs_no_script(desk: Desk) -> None:
    context = desk.browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": COOKIE, "value": desk.panel.token, "url": desk.url}])
    page = context.new_page()
    page.goto(f"{desk.url}/panel/branding")
    page.get_by_label("Name customers see").fill("Typed only")
    page.get_by_role("button", name="Preview").click()
    phones = page.frame_locator(".sheet iframe")
    expect(phones.frame_locator("iframe >> nth=0").locator("header")).to_have_text("Typed only")
    context.close()


@pytest.mark.parametrize(
    ("theme", "size"),
    [
        pytest.param("light", SIZES[0], marks=pytest.mark.soak),
        pytest.param("light", SIZES[1]),
        pytest.param("dark", SIZES[0], marks=pytest.mark.soak),
        pytest.param("dark", SIZES[1], marks=pytest.mark.soak),
    ],
    ids=["light-phone", "light-desk", "dark-phone", "dark-desk"],
)
def test_axe_finds_nothing_on_any_set_up_page(
    desk: Desk, theme: str, size: tuple[int, int]
) -> None:
    hub, business_id = desk.panel.hub, desk.panel.business_id
    depot_id, vehicle_id, driver_id = a_fleet(hub, business_id)
    add_brand(hub, business_id, "Rye & Co", actor="staff:1")
    rule = desk.panel.get("/panel/messages").text.split("/panel/messages/rules/")[1].split('"')[0]
    paths = {
        "depots": "records/depots/",
        "depots-none": "records/depots/?search=nothing",
        "depot": f"records/depots/edit/?id={depot_id}",
        "depot-new": "records/depots/new/",
        "vehicles": "records/vehicles/",
        "vehicle": f"records/vehicles/edit/?id={vehicle_id}",
        "drivers": "records/drivers/",
        "driver": f"records/drivers/edit/?id={driver_id}",
        "changes": "records/changes/",
        "settings": "settings",
        "branding": "branding",
        "brand": "branding/rye-co",
        "brand-preview": "branding/rye-co/preview",
        "address-search": "settings/address-search",
        "geocoder": "settings/address-search/http",
        "travel-times": "settings/travel-times",
        "travel-service": "settings/travel-times/http",
        "traffic-service": "settings/travel-times/traffic",
        "messages": "messages",
        "channel": "messages/channels/email",
        "rule": f"messages/rules/{rule}",
        "map": "map",
        "keys": "keys",
        "order-new": "orders/new",
        "api-docs": "../api/docs",
        "plugins": "plugins",
    }
    found: dict[str, str] = {}
    width, height = size
    page = desk.page(width, height, theme)
    for name, path in paths.items():
        page.goto(f"{desk.url}/panel/{path}")
        if name in ("vehicle", "driver", "order-new"):
            page.get_by_text("More for planning").click()
        _look(page, f"{name}-{width}-{theme}", found)
    page.goto(f"{desk.url}/panel/{paths['driver']}")
    page.get_by_role("button", name="Pair a phone").click()
    expect(page.get_by_role("heading", name="Pair a phone for")).to_be_visible()
    _look(page, f"pair-{width}-{theme}", found)
    page.goto(f"{desk.url}/panel/{paths['depot-new']}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Type the address")).to_be_visible()
    _look(page, f"depot-wrong-{width}-{theme}", found)
    page.goto(f"{desk.url}/panel/{paths['order-new']}")
    page.get_by_role("button", name="Take the order in").click()
    expect(page.get_by_text("Nothing was stored yet")).to_be_visible()
    _look(page, f"order-wrong-{width}-{theme}", found)
    page.context.close()
    assert found == {}


def _look(page: Page, name: str, found: dict[str, str]) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    result = Axe().run(page)
    if result.violations_count:
        found[name] = result.generate_report()
    sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if sideways > 0:
        found[f"{name} is too wide"] = str(sideways)
