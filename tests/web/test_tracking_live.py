"""An open page follows the driver by itself, as far as its reader may, and says when it cannot.

``HUB_TEST_SHOTS`` names a folder that gets pictures.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from hub.core.visibility import NEVER
from hub.db.tables import BrandRow, JobRow, LinkRow, PromiseRow, StopJobRow, StopRow
from hub.flows.estimate import estimate_routes
from hub.flows.tracking_view import tracked
from hub.web.app import create_app
from hub.web.tracking import tracking
from tests.browsers import SLOW_MS
from tests.front_worlds import served
from tests.live_worlds import EIGHT, LiveMorning, a_live_morning, fix
from tests.tracking_worlds import sees

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
DRIVER = "[data-pin=driver]"
NEAR, NEARER = (60.1712, 24.9391), (60.1718, 24.9396)


class Followed:
    """A recipient's page of a morning that is being driven; ``job`` is his."""

    def __init__(self, day: LiveMorning, url: str) -> None:
        self.day, self.hub = day, day.hub
        with day.hub.reading() as session:
            stops = session.exec(
                select(JobRow)
                .join(StopJobRow, StopJobRow.job_id == JobRow.id)
                .join(StopRow, StopRow.id == StopJobRow.stop_id)
                .order_by(StopRow.n)
            ).all()
            self.first, self.job = stops[:2]
            link = session.exec(select(LinkRow).where(LinkRow.order_id == self.job.order_id)).one()
        self.token = day.hub.keys.link_token(link.order_id, link.epoch)
        self.url = f"{url}/t/{self.token}"
        self.seconds = 0
        day.morning.now[0] = EIGHT

    def at(self, place: tuple[float, float], after_s: int = 5) -> None:
        self.seconds += after_s
        now = EIGHT + timedelta(seconds=self.seconds)
        self.day.morning.now[0] = now
        assert self.day.post(fix(1000 + self.seconds, now, *place)).json["kept"] == 1

    def leaves(self) -> None:
        """The driver is on the way, to the door before this one."""
        self.day.act("leaves", "head_for", self.hub.now(), self.first.id)

    def heads_here(self) -> None:
        self.day.act("head", "head_for", self.hub.now(), self.job.id)


@contextmanager
def followed(tmp_path: Path, helsinki: Path | None = None) -> Iterator[Followed]:
    with a_live_morning(f"sqlite:///{tmp_path / 'hub.db'}") as day:
        with day.hub.unit() as unit:
            brand = unit.session.exec(select(BrandRow)).one()
            brand.name, brand.colour, brand.phone = "Husk Bakery", "#8a3b12", "+358 9 123 4567"
        if helsinki is not None:
            (day.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
        app = create_app(day.hub)
        if "tracking" not in app.blueprints:
            app.register_blueprint(tracking(day.hub))
        with served(app, day.served.at) as url:
            page = Followed(day, url)
            page.leaves()
            yield page


def opened(browser: Browser, page: Followed, **options: object) -> Page:
    shown = browser.new_page(viewport={"width": 390, "height": 844}, **options)
    shown.set_default_timeout(SLOW_MS)
    shown.goto(page.url)
    shown.evaluate("window.never_left = true")
    return shown


def where(page: Page) -> tuple[float, float]:
    box = page.locator(DRIVER).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def is_right_above(before: tuple[float, float], after: tuple[float, float]) -> bool:
    return after[0] - before[0] > 5 and before[1] - after[1] > 5


def numbers(transform: str | None) -> list[float]:
    return [float(one) for one in re.findall(r"-?[\d.]+", transform or "")]


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_the_driver_glides_on_an_open_page_without_loading_it_anew(
    browser: Browser, helsinki: Path, tmp_path: Path
) -> None:
    with followed(tmp_path, helsinki) as street:
        street.at(NEAR)
        page = opened(browser, street)
        page.locator(DRIVER).wait_for()
        page.wait_for_timeout(1500)
        before = where(page)
        street.at(NEARER)
        until = time.monotonic() + 60
        while not is_right_above(before, after := where(page)):  # it takes some seconds by design
            assert time.monotonic() < until, (before, after)
            page.wait_for_timeout(200)
        assert page.evaluate("window.never_left")
        shoot(page, "live-390-light")
        page.close()


def test_the_script_puts_the_driver_where_the_server_draws_him(
    browser: Browser, helsinki: Path, tmp_path: Path
) -> None:
    with followed(tmp_path, helsinki) as street:
        street.at(NEARER)
        page = opened(browser, street, reduced_motion="reduce")
        drawn = numbers(page.locator(DRIVER).get_attribute("transform"))
        street.at(NEARER)
        while not page.evaluate(f"document.querySelector('{DRIVER}').style.transform"):
            page.wait_for_timeout(50)  # the page's policy lets nobody evaluate a text in it
        put = numbers(page.locator(DRIVER).evaluate("pin => pin.style.transform"))
        assert put == pytest.approx(drawn, abs=0.1)
        page.close()


def test_a_driver_who_leaves_the_drawing_gets_a_new_one(browser: Browser, tmp_path: Path) -> None:
    with followed(tmp_path) as street:
        street.at(NEAR)
        page = opened(browser, street)
        page.locator(DRIVER).wait_for()
        zoom = page.locator(".map svg").get_attribute("data-zoom")
        street.at((60.1950, 24.9391), after_s=300)
        expect(page.locator(".map svg")).not_to_have_attribute("data-zoom", zoom or "")
        assert page.evaluate("window.never_left")
        page.close()


def test_the_time_moves_on_an_open_page(browser: Browser, tmp_path: Path) -> None:
    with followed(tmp_path) as street:
        street.at(NEAR)
        estimate_routes(street.hub)
        page = opened(browser, street)
        before = page.locator(".big").inner_text()
        street.at((60.25, 24.94), after_s=1200)
        estimate_routes(street.hub)
        expect(page.locator(".big")).not_to_have_text(before)
        assert page.evaluate("window.never_left")
        expect(page.locator("#said")).not_to_be_empty()
        page.close()


def test_an_open_page_turns_into_the_next_state_by_itself(browser: Browser, tmp_path: Path) -> None:
    with followed(tmp_path) as street:
        street.at(NEAR)
        page = opened(browser, street)
        street.heads_here()
        expect(page.get_by_role("heading", name="Arriving now")).to_be_visible()
        street.day.act("there", "arrive", street.hub.now(), street.job.id)
        expect(page.get_by_role("heading", name="The driver is at your door")).to_be_visible()
        expect(page.locator(DRIVER)).to_have_count(0)
        assert page.evaluate("window.never_left")
        page.close()


def test_a_driver_who_may_not_be_seen_any_more_is_gone(browser: Browser, tmp_path: Path) -> None:
    with followed(tmp_path) as street:
        street.at(NEAR)
        page = opened(browser, street)
        page.locator(DRIVER).wait_for()
        sees(street.hub, street.day.morning.business_id, position=NEVER)
        street.day.act("head", "load", street.hub.now(), street.job.id)  # any news of the order
        street.at(NEARER)
        expect(page.locator(DRIVER)).to_have_count(0)
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_silent_phone_is_said_in_words(
    browser: Browser, helsinki: Path, tmp_path: Path, scheme: str
) -> None:
    with followed(tmp_path, helsinki) as street:
        street.at(NEAR)
        estimate_routes(street.hub)
        street.day.morning.now[0] += timedelta(minutes=4)
        page = opened(browser, street, color_scheme=scheme)
        expect(page.locator("#signal")).to_have_text(
            "No signal since 08:00. The time is an estimate."
        )
        assert Axe().run(page).violations_count == 0
        shoot(page, f"silent-390-{scheme}")
        page.set_viewport_size({"width": 1280, "height": 900})
        shoot(page, f"silent-1280-{scheme}")
        page.close()


def test_without_javascript_the_page_tells_time_and_place_and_comes_again(
    browser: Browser, helsinki: Path, tmp_path: Path
) -> None:
    with followed(tmp_path, helsinki) as street:
        street.at(NEAR)
        estimate_routes(street.hub)
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(street.url)
        assert page.locator(".big").inner_text()
        expect(page.get_by_text("We promised")).to_be_visible()
        expect(page.get_by_role("img", name="Map: your address, the driver")).to_be_visible()
        expect(page.get_by_text("Map updated just now.")).to_be_visible()
        context.close()


def test_without_the_stream_the_page_asks_now_and_then(browser: Browser, tmp_path: Path) -> None:
    with followed(tmp_path) as street:
        street.at(NEAR)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.route(f"**/live/t/{street.token}", lambda route: route.abort())
        page.goto(street.url)
        page.evaluate("window.never_left = true")
        page.locator(DRIVER).wait_for()
        street.heads_here()
        expect(page.get_by_role("heading", name="Arriving now")).to_be_visible()
        assert page.evaluate("window.never_left")
        page.close()


def test_what_a_page_told_is_kept_once(tmp_path: Path) -> None:
    with followed(tmp_path) as street:
        street.at(NEAR)
        estimate_routes(street.hub)
        for _ in range(3):
            tracked(street.hub, street.token)
        with street.hub.reading() as session:
            told = session.exec(
                select(PromiseRow).where(PromiseRow.job_id == street.job.id).order_by(PromiseRow.n)
            ).all()
        assert [(row.n, row.told_by) for row in told] == [(-1, "page"), (1, "page")]
