"""What planning is asked to keep, by clicking: zones drawn, loads counted, the day's wish said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.db.tables import DriverRow, OrderRow, RouteRow, TakeOverRow, VehicleRow, ZoneRow
from hub.flows.log_in import Role
from hub.flows.planning_run import solve_waiting
from tests.admin.desk import Desk, a_desk, a_hub, with_orders
from tests.admin.desk_browser import DAY, look, opened


@pytest.fixture
def desk(helsinki: Path, tmp_path: Path) -> Desk:
    hub = a_hub(helsinki, tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}")
    return a_desk(hub, role=Role.OWNER)


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    with opened(desk, browser) as page:
        yield page


def test_a_zone_is_drawn_by_clicking_its_corners(desk: Desk, page: Page) -> None:
    page.goto("/panel/records/zones/new/")
    page.get_by_label("Name").fill("Centre")
    ground = page.locator(".zone-map svg.wide")
    for x, y in ((150, 90), (400, 90), (400, 250)):
        ground.click(position={"x": x, "y": y})
    page.get_by_role("button", name="Take the last corner away").click()
    expect(page.get_by_text("2 corners; an area has at least three.")).to_be_visible()
    ground.click(position={"x": 300, "y": 200})
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Centre is saved.").wait_for()
    [zone] = desk.rows(ZoneRow)
    [[[first, second, _]]] = zone.area
    assert first[0] == second[0] and first[1] < second[1], "the first two lie from west to east"
    assert abs(first[0] - 60.17) < 0.1 and abs(first[1] - 24.94) < 0.1


@pytest.mark.soak
def test_a_dispatcher_plans_with_zones_and_several_loads(desk: Desk, page: Page) -> None:
    with_orders(desk)
    found: list[str] = []
    # A zone, drawn around the doors by clicking its corners.
    page.goto("/panel/records/zones/")
    found += look(page, "zones-empty")
    page.get_by_role("link", name="Add a zone").first.click()
    page.get_by_label("Name").fill("Centre")
    found += look(page, "zone-new")
    ground = page.locator(".zone-map svg.wide")
    for x, y in ((150, 90), (400, 90), (400, 250), (300, 150), (150, 250)):
        ground.click(position={"x": x, "y": y})
    ground.click(position={"x": 300, "y": 150})  # on a corner: it goes
    expect(page.get_by_text("4 corners.")).to_be_visible()
    page.get_by_role("button", name="See more").click()
    expect(page.get_by_text("4 corners.")).to_be_visible()
    found += look(page, "zone-drawn")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Centre is saved.").wait_for()
    found += look(page, "zones")
    [zone] = desk.rows(ZoneRow)
    assert len(zone.area[0][0]) == 4
    # Mara keeps to it, at a price; her van is small and loads again.
    page.goto(f"/panel/records/drivers/edit/?id={desk.rows(DriverRow)[0].id}")
    page.get_by_text("More for planning").click()
    page.get_by_label("Centre").check()
    page.get_by_label("Outside these zones").select_option("prefer")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Say what a stop outside costs, more than 0.")).to_be_visible()
    found += look(page, "driver-zones")
    page.get_by_label("Price of a stop outside").fill("3")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.goto(f"/panel/records/vehicles/edit/?id={desk.rows(VehicleRow)[0].id}")
    page.get_by_label("Most parcels").fill("1")
    page.get_by_text("More for planning").click()
    page.get_by_label("Most loads a day").fill("4")
    page.get_by_label("Minutes to load again").fill("10")
    found += look(page, "vehicle-loads")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    # What rides apart, and what the usual order is worth.
    page.goto("/panel/settings")
    page.get_by_label("Goods that never share a load").fill("fish")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“fish” is not understood.")).to_be_visible()
    page.get_by_label("Goods that never share a load").fill("fish / bread")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    found += look(page, "settings-planning")
    # An order with all that planning can be told.
    page.goto("/panel/orders/new")
    found += look(page, "order-new")
    page.get_by_label("Street and number").fill("Annankatu 18")
    page.get_by_label("City").fill("Helsinki")
    page.get_by_label("Day", exact=True).fill("2026-11-23")
    page.get_by_text("More for planning").click()
    page.get_by_label("Kind of goods").fill("fish")
    page.get_by_label("Most minutes on board").fill("soon")
    page.get_by_label("Only this driver").fill("Mara")
    page.get_by_role("button", name="Take the order in").click()
    expect(page.get_by_text("This is not understood. Write minutes")).to_be_visible()
    found += look(page, "order-planning")
    page.get_by_label("Most minutes on board").fill("90")
    page.get_by_role("button", name="Take the order in").click()
    expect(page.get_by_text("Kind of goods")).to_be_visible()
    found += look(page, "order-planned-fields")
    assert len(desk.rows(OrderRow)) == 5
    # The day, with a wish of its own.
    page.goto(DAY)
    page.get_by_label("What matters most that day").select_option("even")
    found += look(page, "day-wish")
    page.get_by_role("button", name="Plan", exact=True).click()
    page.get_by_text("Waiting to plan Bakery").wait_for()
    assert solve_waiting(desk.hub)
    page.goto(DAY)
    expect(page.get_by_label("What matters most that day")).to_have_value("even")
    expect(page.get_by_text("Back at the depot: load 1 parcel").first).to_be_visible()
    found += look(page, "day-reloads")
    assert desk.rows(RouteRow) and desk.rows(TakeOverRow)
    page.goto("/board/?day=2026-11-23")
    expect(page.get_by_text("back at the depot: load 1 parcel at").first).to_be_visible()
    found += look(page, "board-reloads")
    assert found == []
