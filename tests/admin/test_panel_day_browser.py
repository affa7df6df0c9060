"""A bakery's morning by clicking: file in, columns named, a pin set, planned, published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlmodel import select

from hub.db.tables import JobRow, OrderRow, PlaceRow, RouteRow
from hub.flows.planning_run import solve_waiting
from hub.flows.ways_found import look_for_ways
from hub.web.staff import COOKIE
from tests.admin.desk import MORNING, Desk, a_desk, a_hub, with_orders
from tests.admin.desk_browser import DAY, look, opened, served


@pytest.fixture
def desk(helsinki: Path, tmp_path: Path) -> Desk:
    return a_desk(a_hub(helsinki, tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}"))


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    with opened(desk, browser) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        yield page


@pytest.mark.soak
def test_a_bakerys_morning_by_clicking(desk: Desk, page: Page, tmp_path: Path) -> None:
    found: list[str] = []
    for name, path in (("day", DAY), ("orders", "/panel/orders"), ("import", "/panel/import")):
        page.goto(path)
        found += look(page, f"{name}-empty")
    # The file calls its streets something nobody has heard of.
    sheet = tmp_path / "friday.csv"
    sheet.write_text(MORNING.replace("Street;", "Whereto;"))
    page.set_input_files("#file", sheet)
    page.get_by_role("button", name="Look at it").click()
    found += look(page, "import-preview")
    assert desk.rows(OrderRow) == []
    page.get_by_label("Whereto").select_option(label="Street, or address line 1")
    page.get_by_role("button", name="Look again").first.click()
    page.get_by_role("button", name="Take in 4 orders").click()
    page.get_by_text("4 new orders taken in.").wait_for()
    found += look(page, "import-stored")
    desk.hub.deliver_events()
    # One address is nowhere; a click on the map says where.
    page.goto("/panel/addresses")
    found += look(page, "addresses")
    page.get_by_role("link", name="Set the pin").click()
    page.get_by_label("Look for another address").fill("Yrjönkatu 10, Helsinki")
    page.get_by_role("button", name="Find").click()
    found += look(page, "address")
    page.locator("[data-pick] svg.wide").click(position={"x": 200, "y": 150})
    page.get_by_text("The pin stands at").wait_for()
    page.get_by_role("button", name="Set the pin here").click()
    page.get_by_text("Every address is on the map.").wait_for()
    (pinned,) = [place for place in desk.rows(PlaceRow) if place.source == "staff"]
    assert pinned.lat == pytest.approx(60.166, abs=0.03)
    assert pinned.lon == pytest.approx(24.94, abs=0.05)
    # Plan, look, publish.
    page.goto(DAY)
    found += look(page, "day-to-plan")
    page.get_by_role("button", name="Plan", exact=True).click()
    page.get_by_text("Waiting to plan Bakery").wait_for()
    found += look(page, "day-planning")
    assert solve_waiting(desk.hub)
    page.get_by_role(
        "button", name="Publish the route", exact=True
    ).wait_for()  # it looks by itself
    found += look(page, "day-draft")
    assert {job.state for job in desk.rows(JobRow)} == {"assigned"}
    page.get_by_role("link", name="Move order 1002").click()
    found += look(page, "day-move")
    page.go_back()
    page.get_by_role("button", name="Publish the route", exact=True).click()
    page.get_by_text("so does not see the route. Pair one under Drivers.").wait_for()
    assert desk.rows(RouteRow)[0].published_at is not None
    found += look(page, "day-published")
    page.get_by_role("link", name="Hand over").click()
    found += look(page, "day-hand-over")
    page.goto("/panel/orders")
    found += look(page, "orders")
    page.get_by_role("link", name="1001").click()
    found += look(page, "order")
    assert found == []


def test_the_pages_carry_the_day_without_scripts(
    desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    sheet = tmp_path / "monday.csv"
    sheet.write_text(MORNING)
    with served(desk.hub) as url:
        context = browser.new_context(base_url=url, java_script_enabled=False)
        context.add_cookies([{"name": COOKIE, "value": desk.token, "url": url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto("/panel/import")
        page.set_input_files("#file", sheet)
        page.get_by_role("button", name="Look at it").click()
        page.get_by_role("button", name="Take in 4 orders").click()
        page.get_by_text("4 new orders taken in.").wait_for()
        desk.hub.deliver_events()
        page.goto("/panel/addresses")
        page.get_by_role("link", name="Set the pin").click()
        page.get_by_label("Latitude").fill("60.1700")
        page.get_by_label("Longitude").fill("24.9400")
        page.get_by_role("button", name="Set the pin here").click()
        page.get_by_text("Every address is on the map.").wait_for()
        page.goto(DAY)
        page.get_by_role("button", name="Plan", exact=True).click()
        page.get_by_text("Waiting to plan Bakery").wait_for()
        assert solve_waiting(desk.hub)
        page.goto(DAY)
        page.get_by_role("button", name="Publish the route", exact=True).click()
        page.get_by_text("published, not seen yet").wait_for()
    assert {job.state for job in desk.rows(JobRow)} == {"dispatched"}


def a_window_too_early(desk: Desk) -> str:
    """The id of a job that has to begin at the depot's other end when the shift only begins."""
    with_orders(desk)
    with desk.hub.unit() as unit:
        order = next(row for row in desk.rows(OrderRow) if row.number == "1004")
        job = unit.session.exec(select(JobRow).where(JobRow.order_id == order.id)).one()
        job.windows = [["2026-11-23T05:00:00+00:00", "2026-11-23T06:00:00+00:00"]]
        return job.id


@pytest.mark.soak
def test_what_would_help_a_job_on_no_route_is_shown_and_done_by_clicking(
    desk: Desk, page: Page
) -> None:
    job_id = a_window_too_early(desk)
    page.goto(DAY)
    page.get_by_role("button", name="Plan", exact=True).click()
    page.get_by_text("Waiting to plan Bakery").wait_for()
    assert solve_waiting(desk.hub)
    page.get_by_text("Looking for what would help…").wait_for()
    found = look(page, "day-looking")
    assert look_for_ways(desk.hub)
    button = page.get_by_role("button", name="Let Mara start")  # it looks by itself
    button.wait_for()
    page.get_by_text("Ask the customer first.").wait_for()
    found += look(page, "day-ways-out")
    button.click()
    page.get_by_text("Waiting to plan Bakery").wait_for()
    assert solve_waiting(desk.hub)
    page.get_by_role("button", name="Publish the route", exact=True).wait_for()
    assert next(job.state for job in desk.rows(JobRow) if job.id == job_id) == "assigned"
    assert found == []
