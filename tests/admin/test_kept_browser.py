"""Goods that wait for their recipient, and the form of what recipients can do, in a browser."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from hub.core.jobs import NextStep
from hub.db.tables import JobRow
from hub.flows.log_in import Role
from hub.flows.next_steps import choose_step
from hub.web.app import create_app
from hub.web.staff import COOKIE
from tests.admin.desk import SIX, Desk, a_desk, a_hub, with_orders
from tests.admin.test_orders import on_the_road

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
SIZES = ((390, 844), (1280, 900))


@pytest.fixture
def desk(helsinki: Path, tmp_path: Path) -> Desk:
    """An owner's, with one order that is kept at the depot."""
    now = [SIX]
    desk = a_desk(a_hub(helsinki, tmp_path, f"sqlite:///{tmp_path}/hub.db", now), role=Role.OWNER)
    with_orders(desk)
    job_id = on_the_road(desk, now)
    choose_step(desk.hub, desk.business_id, job_id, NextStep.COLLECT, actor="staff:1")
    return desk


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(desk.hub), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def page_at(browser: Browser, desk: Desk, url: str, path: str, theme: str = "light") -> Page:
    context = browser.new_context(base_url=url, color_scheme=theme)  # type: ignore[arg-type]
    context.add_cookies([{"name": COOKIE, "value": desk.token, "url": url}])
    page = context.new_page()
    page.goto(path)
    return page


def looks_well(page: Page, name: str) -> None:
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_what_was_kept_is_collected_by_one_press(
    browser: Browser, desk: Desk, url: str, theme: str
) -> None:
    kept = next(job for job in desk.rows(JobRow) if job.next_step == "collect")
    page = page_at(browser, desk, url, f"/panel/orders/{kept.order_id}", theme)
    looks_well(page, f"kept-panel-{theme}")
    page.get_by_role("button", name="The customer has collected it").click()
    expect(page.get_by_text("Noted: the customer has collected it.")).to_be_visible()
    expect(page.get_by_role("button", name="The customer has collected it")).to_have_count(0)
    looks_well(page, f"collected-panel-{theme}")
    page.get_by_role("button", name="It was not collected").click()
    expect(page.get_by_text("Noted: it was not collected.")).to_be_visible()
    expect(page.get_by_role("button", name="The customer has collected it")).to_be_visible()
    page.goto("/panel/")
    expect(page.get_by_text("1 order waits at the depot for its customer")).to_be_visible()
    looks_well(page, f"kept-home-{theme}")
    page.context.close()


def test_which_proof_is_asked_only_where_it_is_another_than_ever(
    browser: Browser, desk: Desk, url: str
) -> None:
    page = page_at(browser, desk, url, "/panel/settings/recipients")
    own = page.get_by_role("group", name="In a safe place, a success needs")
    ever = page.get_by_role("group", name="With a neighbour, a success needs")
    expect(own.get_by_role("checkbox").first).to_be_visible()
    expect(ever.get_by_role("checkbox")).to_have_count(0)
    ever.get_by_role("combobox").select_option(label="These alone")
    expect(ever.get_by_role("checkbox").first).to_be_visible()
    own.get_by_role("combobox").select_option(label="As for every delivery")
    expect(own.get_by_role("checkbox")).to_have_count(0)
    looks_well(page, "recipients-panel")
    page.context.close()
