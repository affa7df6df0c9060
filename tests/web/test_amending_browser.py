"""A change on the board, on the order's page and on the phone, in a real browser.

``HUB_TEST_SHOTS`` names a folder that gets a picture of each state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from hub.core.amending import Decision
from hub.core.values import Point
from hub.db.tables import EventRow, JobRow, OrderRow, RouteRow, StopJobRow, StopRow
from hub.flows.amendments import decide
from hub.flows.drive import pairing_code
from hub.flows.order_rows import order_report
from hub.web.staff import COOKIE
from tests.board_worlds import Running, a_running_day
from tests.browsers import SLOW_MS
from tests.phone_worlds import Screen, a_phone, driver_app, served
from tests.web.test_amending_pages import THERE, last_of, question, wants

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
WIDTHS = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture
def day(tmp_path: Path) -> Running:
    """Mara is on the road, and the last of her customers has moved far away."""
    day = a_running_day(tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}")
    day.begin("Mara", "Otso", at=day.now[0])
    wants(day, last_of(day), address=THERE, point=Point(60.45, 25.6))
    return day


@pytest.fixture
def url(day: Running) -> Iterator[str]:
    with served(driver_app(day.hub)) as url:
        yield url


def a_page(browser: Browser, day: Running, url: str, width: str, scheme: str) -> Page:
    context = browser.new_context(
        base_url=url,
        viewport=WIDTHS[width],  # type: ignore[arg-type]
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": COOKIE, "value": day.token, "url": url}])
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    return page


def is_fine(page: Page, title: str) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], title
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), title
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{title}.png")


@pytest.mark.soak
def test_a_change_is_read_and_decided_by_keyboard_and_looks_right(
    browser: Browser, day: Running, url: str
) -> None:
    for width, scheme in (("narrow", "dark"), ("wide", "dark"), ("narrow", "light")):
        page = a_page(browser, day, url, width, scheme)
        page.goto("/board/")
        page.get_by_role("link", name="Decide about the change").click()
        expect(page.locator("dialog").get_by_text("Take it anyway")).to_be_visible()
        is_fine(page, f"board-asked-{width}-{scheme}")
        page.goto(f"/panel/orders/{question(day).order_id}")
        expect(page.get_by_role("heading", name="Its source wants a change")).to_be_visible()
        is_fine(page, f"order-asked-{width}-{scheme}")
        page.context.close()
    page = a_page(browser, day, url, "wide", "light")
    page.goto("/board/")
    is_fine(page, "board-attention-wide-light")
    page.get_by_role("link", name="Decide about the change").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    expect(dialog.get_by_role("heading", name="Change of order")).to_be_focused()
    is_fine(page, "board-asked-wide-light")
    dialog.get_by_role("button", name="Take it anyway").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Taken. The driver sees what was and what is now")).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(page.locator('[data-matter="asked"]')).to_have_count(0)
    page.goto(f"/panel/orders/{question(day).order_id}")
    expect(page.get_by_role("heading", name="Changed while a driver had it")).to_be_visible()
    is_fine(page, "order-decided-wide-light")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_a_driver_sees_old_and_new_and_confirms_without_signal(
    browser: Browser, day: Running, url: str, scheme: str
) -> None:
    def code() -> str:
        return pairing_code(day.hub, day.business_id, day.drivers["Mara"])

    phone = Screen(a_phone(browser, scheme), url, code, name=f"{scheme}-")
    phone.open(f"/driver/pair#{code()}")
    phone.sees("of 4 stops left")
    page = phone.page
    page.get_by_role("link", name=last_of_name(day)).click()
    expect(page.locator("[data-asked]")).to_contain_text("Kalevankatu 9, Helsinki")
    phone.is_fine("phone-asked")
    row = question(day)
    decide(
        day.hub,
        day.business_id,
        row.id,
        Decision.TAKE,
        actor="staff:1",
        version=row.version,
        route_version=day.route("Mara").version,
        force=True,
    )
    page.goto(f"{url}/driver/")
    page.locator("html[data-ready=yes]").wait_for()
    card = page.get_by_label("Route changed")
    expect(card.get_by_text("Kalevankatu 9, Helsinki")).to_be_visible()
    expect(card.locator("del").first).to_be_visible()
    phone.is_fine("phone-told")
    phone.offline(True)
    page.get_by_role("button", name="I have seen it").press("Enter")
    expect(card).to_have_count(0)
    assert seen(day) == 0
    phone.offline(False)
    phone.state("Online")
    expect(card).to_have_count(0)
    assert seen(day) == 1
    stop, number = cancelled_at_a_shared_stop(day)
    page.goto(f"{url}/driver/#/stop/{stop}")
    page.reload()
    last = page.locator("section.work").last
    expect(last).to_contain_text(number)
    expect(last.get_by_text("Cancelled")).to_be_visible()
    expect(page.get_by_text("Leave with porter")).to_have_count(0)
    phone.is_fine("phone-shared")
    assert phone.problems == []
    phone.context.close()


def last_of_name(day: Running) -> str:
    with day.hub.reading() as session:
        row = session.get_one(OrderRow, question(day).order_id)
    return order_report.validate_python(row.report).recipient.name


def cancelled_at_a_shared_stop(day: Running) -> tuple[str, str]:
    """The first job of a later stop, of which two are done at one door; the stop and its number."""
    stays, goes = day.stops("Mara")[-2:]
    gone = day.jobs(stays)[0]
    with day.hub.unit() as unit:
        session = unit.session
        for row in session.exec(select(StopJobRow).where(StopJobRow.stop_id == goes.id)):
            row.stop_id = stays.id
        session.flush()
        session.delete(session.get_one(StopRow, goes.id))
        job = session.get_one(JobRow, gone.id)
        job.state, job.outcome, job.driver_note = "closed", "cancelled", "Leave with porter"
        job.closed_at = job.closed_occurred_at = day.hub.now()
        session.get_one(RouteRow, stays.route_id).version += 1
        return stays.id, session.get_one(OrderRow, gone.order_id).number


def seen(day: Running) -> int:
    with day.hub.reading() as session:
        return len(session.exec(select(EventRow).where(EventRow.name == "AmendmentSeen")).all())
