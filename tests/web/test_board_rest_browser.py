"""The rest of the day improved from the board, in a real browser, at a desk and on a phone.

``HUB_TEST_SHOTS`` names a folder that gets a picture of each state.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.board_worlds import Running, a_running_day, two_far_doors
from tests.web.test_board_browser import a_street, open_board

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
ASK = "Improve the rest of the day"


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}")
    two_far_doors(day)
    return day


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_difference_is_read_dropped_asked_again_and_published(
    browser: Browser, day: Running, width: int, scheme: Literal["light", "dark"]
) -> None:
    versions = [day.route(name).version for name in ("Mara", "Otso")]
    with a_street(day) as street:
        page = open_board(browser, street, color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        asked = page.locator("dialog")
        page.get_by_role("link", name=ASK).click()
        expect(asked.get_by_text("Every promise holds")).to_be_visible()
        expect(asked.get_by_text("1 job to another driver")).to_be_visible()
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/rest-{width}-{scheme}.png")
        found = Axe().run(page).response["violations"]
        assert found == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        asked.get_by_role("button", name="Drop it").click()
        expect(asked).to_be_hidden()
        assert [day.route(name).version for name in ("Mara", "Otso")] == versions
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/board-{width}-{scheme}.png")
        page.get_by_role("link", name=ASK).click()
        asked.get_by_role("button", name="Publish it").click()
        expect(page.get_by_text("The rest of the day is improved")).to_be_visible()
        expect(asked).to_be_hidden()
        page.get_by_role("link", name=ASK).click()
        expect(asked.get_by_text("Nothing better was found")).to_be_visible()
        assert page.complaints == []  # type: ignore[attr-defined]
    work = [sum(len(day.jobs(s)) for s in day.stops(name)) for name in ("Mara", "Otso")]
    assert sorted(work) == [4, 6]
