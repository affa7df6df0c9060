"""The page of reach in a real browser: empty, busy and broken, small and large, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.db.tables import DepotRow
from hub.flows.log_in import Role
from hub.web.staff import COOKIE
from tests.admin.desk import DAY, Desk, a_desk, a_hub, with_orders
from tests.admin.desk_browser import look, opened

REACH = "/panel/reach"


@pytest.fixture
def desk(helsinki: Path, tmp_path: Path) -> Desk:
    return a_desk(a_hub(helsinki, tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}"))


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    with opened(desk, browser) as page:
        yield page


@pytest.mark.soak
def test_a_dispatcher_looks_how_far_vans_get_and_makes_a_zone_of_it(
    desk: Desk, page: Page, tmp_path: Path
) -> None:
    found: list[str] = []
    page.goto("/panel/")
    page.get_by_role("link", name="Reach").click()
    expect(page.get_by_text("There is none.")).to_be_visible()
    expect(page.get_by_text("The map ends within these minutes")).to_be_visible()
    found += look(page, "reach-empty")
    with_orders(desk)
    page.get_by_label("On", exact=True).fill(str(DAY))
    page.get_by_label("Minutes", exact=True).fill("4, 6, 10")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("svg.wide .ring")).to_have_count(3)
    expect(page.locator("svg.wide .ring-name").first).to_have_text("4 min")
    assert page.locator("svg.wide circle.within, svg.wide circle.beyond").count() == 3
    found += look(page, "reach-busy")
    page.get_by_label("Minutes", exact=True).fill("4")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Farther than 4 min")).to_be_visible()
    found += look(page, "reach-outside")
    page.get_by_label("Minutes", exact=True).fill("ten")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Write up to 4 numbers")).to_be_visible()
    found += look(page, "reach-wrong")
    page.get_by_label("Minutes", exact=True).fill("6")
    page.get_by_role("button", name="Show").click()
    page.get_by_label("Name of the zone").fill("Centre")
    page.get_by_role("button", name="Make the zone").click()
    expect(page.get_by_text("Centre is a zone now.")).to_be_visible()
    expect(page.locator(".zone-map svg.wide .zone")).to_have_attribute("d", re.compile("^M"))
    with desk.hub.unit() as unit:
        depot = unit.session.get_one(DepotRow, desk.rows(DepotRow)[0].id)
        depot.lat, depot.lon = 48.85, 2.35
    page.goto(REACH)
    found += look(page, "reach-off-map")
    (tmp_path / "map").unlink()
    page.goto(REACH)
    expect(page.get_by_role("heading", name="How far one gets is not known here")).to_be_visible()
    found += look(page, "reach-no-map")
    nobody = a_desk(desk.hub, "New", empty=True, role=Role.OWNER)
    page.context.add_cookies([{"name": COOKIE, "value": nobody.token, "url": page.url}])
    page.goto(REACH)
    expect(page.get_by_text("No depot yet")).to_be_visible()
    found += look(page, "reach-no-depot")
    assert found == []
