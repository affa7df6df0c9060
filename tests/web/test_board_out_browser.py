"""A van is out, in a real browser: the ways appear by themselves, at a desk and on a phone.

``HUB_TEST_SHOTS`` names a folder that gets a picture of each state.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from hub import rescuing
from tests.board_worlds import MINUTE, TEN, Running, a_running_day
from tests.web.test_board_browser import a_street, open_board

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
WIDTHS = [
    (1280, "light"),
    (390, "dark"),
    pytest.param(1280, "dark", marks=pytest.mark.soak),
    pytest.param(390, "light", marks=pytest.mark.soak),
]


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}")
    day.now[0] = TEN
    day.begin("Mara", "Otso")
    day.now[0] = TEN + MINUTE
    return day


def look(page: Page, name: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")


@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
def test_the_question_says_that_it_looks_and_fills_in_by_itself(
    browser: Browser, day: Running, width: int, scheme: Literal["light", "dark"]
) -> None:
    with a_street(day) as street:
        page = open_board(browser, street, color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.locator('.lane[data-driver="Mara Aho"]').get_by_role(
            "link", name="Van or driver out"
        ).press("Enter")
        asked = page.locator("dialog")
        look(page, f"van-asked-{width}-{scheme}")
        asked.get_by_label("Where it stands").fill("60.1668, 24.9420")
        asks = "**/routes/*/out?*"
        seen: list[str] = []

        def only_the_first(route: Route) -> None:
            seen.append(route.request.url)
            if len(seen) == 1:
                route.continue_()
            else:
                route.abort()

        page.route(asks, only_the_first)  # so that there is time to look at it
        asked.get_by_role("button", name="Show the ways out").press("Enter")
        expect(asked.get_by_text("Looking for ways out")).to_be_visible()
        look(page, f"van-looking-{width}-{scheme}")
        page.unroute(asks)
        expect(asked.locator('[data-way="shared"]').get_by_role("button")).to_be_visible()
        expect(asked.get_by_text("Looking for ways out")).to_have_count(0)
        look(page, f"van-ways-{width}-{scheme}")


def test_closing_the_question_ends_the_search(browser: Browser, day: Running) -> None:
    """Nobody asks any more how far it is: what looks ends when that was so for a while."""
    with a_street(day) as street:
        page = open_board(browser, street)
        page.locator('.lane[data-driver="Mara Aho"]').get_by_role(
            "link", name="Van or driver out"
        ).press("Enter")
        asked = page.locator("dialog")
        asked.get_by_role("button", name="Show the ways out").press("Enter")
        expect(
            asked.get_by_text("Looking for ways out").or_(asked.locator("[data-way]")).first
        ).to_be_visible()
        asked.get_by_role("button", name="Close").press("Enter")
        expect(asked).to_be_hidden()
        [folder] = (day.hub.settings.data_dir / "looks").iterdir()
        asked_at, before = (folder / rescuing.ASKED).stat().st_mtime, 0.0
        until = time.monotonic() + 30
        while asked_at != before:  # a question may have been under way when it was closed
            assert time.monotonic() < until, "somebody still asks"
            time.sleep(2)  # longer than from one question to the next
            before, asked_at = asked_at, (folder / rescuing.ASKED).stat().st_mtime
