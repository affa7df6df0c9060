"""The rest of the day improved from the board, in a real browser, at a desk and on a phone.

``HUB_TEST_SHOTS`` names a folder that gets a picture of each state.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from hub.flows.improve_unasked import improve_unasked
from hub.flows.improvements import search_waiting
from tests.board_worlds import Running, a_running_day, two_far_doors
from tests.web.test_board_browser import a_street, open_board

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
ASK = "Improve the rest of the day"
WIDTHS = [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.soak)]


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}")
    two_far_doors(day)
    return day


@contextmanager
def a_worker(day: Running) -> Iterator[None]:
    """It looks for what is asked for."""
    ends = threading.Event()

    def work() -> None:
        while not ends.wait(0.1):
            search_waiting(day.hub)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
def test_a_better_rest_is_watched_dropped_asked_again_and_published(
    browser: Browser, day: Running, width: int, scheme: Literal["light", "dark"]
) -> None:
    versions = [day.route(name).version for name in ("Mara", "Otso")]
    with a_street(day) as street:
        page = open_board(browser, street, color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        asked = page.locator("dialog")
        page.get_by_role("button", name=ASK).click()
        expect(asked.get_by_text("Nothing better yet")).to_be_visible()
        checked(page, width, f"rest-looking-{width}-{scheme}")
        asked.get_by_role("button", name="Stop").focus()
        with a_worker(day):
            expect(asked.get_by_text("Every promise holds")).to_be_visible()
            expect(asked.get_by_text("1 job to another driver")).to_be_visible()
            checked(page, width, f"rest-{width}-{scheme}")
            asked.get_by_role("button", name="Drop it").click()
            expect(asked).to_be_hidden()
            assert [day.route(name).version for name in ("Mara", "Otso")] == versions
            page.get_by_role("button", name=ASK).click()
            asked.get_by_role("button", name="Publish it").click()
            expect(page.get_by_text("The rest of the day is improved")).to_be_visible()
            expect(asked).to_be_hidden()
            page.get_by_role("button", name=ASK).click()
            expect(asked.get_by_text("Nothing better was found")).to_be_visible()
        assert page.complaints == []  # type: ignore[attr-defined]
    work = [sum(len(day.jobs(s)) for s in day.stops(name)) for name in ("Mara", "Otso")]
    assert sorted(work) == [4, 6]


@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
@pytest.mark.soak
def test_what_was_found_unasked_is_one_line_and_one_click(
    browser: Browser, day: Running, width: int, scheme: Literal["light", "dark"]
) -> None:
    improve_unasked(day.hub)
    search_waiting(day.hub)
    with a_street(day) as street:
        page = open_board(browser, street, color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        line = page.get_by_role("region", name="A better rest of the day")
        expect(line).to_contain_text("Less driving is possible")
        checked(page, width, f"board-better-{width}-{scheme}")
        line.get_by_role("link", name="Look at it").click()
        asked = page.locator("dialog")
        expect(asked.get_by_text("Every promise holds")).to_be_visible()
        asked.get_by_role("button", name="Close").click()
        line.get_by_role("button", name="Publish it").click()
        expect(page.get_by_text("The rest of the day is improved")).to_be_visible()
        expect(line).to_be_hidden()
        assert page.complaints == []  # type: ignore[attr-defined]


def checked(page: Page, width: int, name: str) -> None:
    """It fits and everybody can use it."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
