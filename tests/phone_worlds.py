"""A served hub and a phone's browser, for tests that talk to the driver's page."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from hub.app import Hub
from hub.web.app import create_app
from hub.web.driver import driver
from tests.browsers import ARGS, CHROMIUM

DONE = re.compile("^(Delivered|Collected|Work done)$")
SHOTS = os.environ.get("HUB_TEST_SHOTS", "")


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def a_zone_at_noon(now: datetime) -> ZoneInfo:
    """Where a day has begun and is not about to end, whenever the tests run."""
    ahead_h = 12 - now.astimezone(UTC).hour
    return ZoneInfo(f"Etc/GMT{-ahead_h:+d}")  # POSIX: Etc/GMT-3 is three hours ahead of UTC


def driver_app(hub: Hub) -> Flask:
    app = create_app(hub)
    if "driver" not in app.blueprints:
        app.register_blueprint(driver(hub))
    return app


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a port of its own; its URL on localhost, where service workers are allowed."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.port}"
    finally:
        server.shutdown()
        thread.join()


PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "permissions": ["geolocation"],
    "geolocation": {"latitude": 60.1704, "longitude": 24.9414, "accuracy": 12},
    "service_workers": "allow",
}


def a_phone(browser: Browser, scheme: str = "light") -> BrowserContext:
    """A phone with nothing on it; what it keeps goes when it is closed."""
    context = browser.new_context(color_scheme=scheme, **PHONE)  # type: ignore[arg-type]
    context.new_page()
    return context


def a_phone_that_restarts(playwright: Playwright, profile: Path) -> BrowserContext:
    """A phone that keeps its data in ``profile``; open it again there to restart it."""
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=ARGS, **PHONE
    )


def a_photo(path: Path) -> Path:
    """A picture as a camera would take it, larger than the phone keeps."""
    image = Image.new("RGB", (2400, 1800), "#a8c0c8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((800, 500, 1600, 1800), fill="#5b4636")
    draw.rectangle((1000, 1400, 1400, 1700), fill="#c9a26b")
    image.save(path, quality=95)
    return path


class Screen:
    """The phone in the driver's hand; every problem the browser reports is kept."""

    def __init__(
        self, context: BrowserContext, url: str, code: Callable[[], str], name: str = ""
    ) -> None:
        self.context, self.url, self.code, self.name = context, url, code, name
        self.page: Page = context.pages[0]
        self.page.set_default_timeout(60_000)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        usual = ("ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION", "Failed to load resource")
        if message.type == "error" and not any(text in message.text for text in usual):
            self.problems.append(message.text)

    def open(self, path: str = "/driver/") -> None:
        self.page.goto(self.url + path)
        self.page.locator("html[data-ready=yes]").wait_for()

    def pair(self) -> None:
        self.open(f"/driver/pair#{self.code()}")
        self.sees("Start shift")
        assert "#" not in self.page.url.removesuffix("#/")

    def sees(self, text: str) -> None:
        expect(self.page.locator("body")).to_contain_text(text)

    def start_shift(self) -> None:
        """Start the shift, and wait until the hub has heard of it."""
        self.press("Start shift")
        expect(self.page.get_by_role("button", name="Start shift")).to_have_count(0)
        self.state("Online")

    def press(self, name: str, within: str = "main") -> None:
        """Tap it, and wait until what it began is kept on the phone."""
        place = self.page.locator(within)
        target = place.get_by_role("button", name=name, exact=True).or_(
            place.get_by_role("link", name=name, exact=True)
        )
        target.first.click()
        self.idle()

    def idle(self) -> None:
        """Every tap is kept on the phone, so that its state tells of it too."""
        expect(self.page.locator("#screen[aria-busy]")).to_have_count(0)

    def state(self, text: str) -> None:
        self.idle()
        expect(self.page.locator("#state")).to_have_text(text)

    def offline(self, yes: bool) -> None:
        self.context.set_offline(yes)

    def sign(self) -> None:
        canvas = self.page.locator("canvas.paper")
        canvas.evaluate("canvas => canvas.scrollIntoView({block: 'center'})")
        box = canvas.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + 40, box["y"] + 60)
        self.page.mouse.down()
        for n in range(20):
            self.page.mouse.move(box["x"] + 40 + n * 10, box["y"] + 60 + (25 if n % 4 < 2 else -20))
        self.page.mouse.up()
        expect(self.page.locator(".checklist .met", has_text="Signature")).to_be_visible()

    def prove(self, picture: Path, name: str) -> None:
        """Give what the business demands on the screen that opens."""
        self.page.locator("#photo").wait_for(state="attached")
        for tick in self.page.locator("main .goods").get_by_role("checkbox").all():
            tick.check()
        self.page.locator("#photo").set_input_files(picture)
        expect(self.page.get_by_alt_text("Photo, ")).to_be_visible()
        self.sign()
        self.page.locator("#name").fill(name)

    def is_fine(self, title: str) -> None:
        """axe finds nothing and the browser complained of nothing; take the picture."""
        found = Axe().run(self.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], title
        assert self.problems == [], title
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), title
        if SHOTS:
            self.page.wait_for_timeout(150)
            self.page.screenshot(path=f"{SHOTS}/{self.name}{title}.png", full_page=True)
