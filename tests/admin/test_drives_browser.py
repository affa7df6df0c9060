"""The page of what drives took, in a real browser, and what it fills into the settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.flows.drives_read import read_drives
from hub.flows.log_in import Role
from tests.admin.desk import Desk, a_desk, a_hub, with_orders
from tests.admin.desk_browser import look, opened
from tests.admin.test_drives_taken import PAGE, settings, streets_are_slow, weeks


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    hub = a_hub(None, tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}")
    desk = a_desk(hub, role=Role.OWNER)
    with_orders(desk)
    return desk


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    with opened(desk, browser) as page:
        yield page


@pytest.mark.soak
def test_an_owner_takes_what_drives_took_into_the_settings(desk: Desk, page: Page) -> None:
    page.goto("/panel/settings")
    page.get_by_role("link", name="What your drives took").click()
    expect(page.get_by_text("No drive of these weeks is known")).to_be_visible()
    found = look(page, "drives-empty")
    weeks(desk)
    weeks(desk, 1.05, begins="10:05", n=7)
    weeks(desk, 1.9, begins="16:05", n=2)
    page.goto(PAGE)
    expect(page.get_by_text("18 rounds are still being read.")).to_be_visible()
    found += look(page, "drives-unread")
    read_drives(desk.hub)
    streets_are_slow(desk)
    page.goto(PAGE)
    expect(page.get_by_text("Just now 12 stretches of road")).to_be_visible()
    expect(page.get_by_text("Mon–Fri 08:00–09:00: 1.5 times as long")).to_be_visible()
    expect(page.get_by_text("too few")).to_be_visible()
    found += look(page, "drives-busy")
    page.get_by_role("link", name="Fill them into the settings").click()
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible()
    found += look(page, "drives-filled")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    [rule] = settings(desk).rush_hours
    assert (str(rule), rule.factor) == ("Mon–Fri 08:00–09:00", 1.5)
    page.goto(PAGE)
    expect(page.get_by_text("Your settings say so already.")).to_be_visible()
    assert found == []
