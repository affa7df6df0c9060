"""The panel of a desk, served for a browser and looked at in one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page
from werkzeug.serving import make_server

from hub.app import Hub
from hub.web.app import create_app
from hub.web.staff import COOKIE
from tests.admin.desk import Desk

SHOTS = Path(os.environ.get("HUB_SHOTS", ""))
DAY = "/panel/day?day=2026-11-23"


@contextmanager
def served(hub: Hub) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(hub), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def opened(desk: Desk, browser: Browser) -> Iterator[Page]:
    """A wide page with the desk's session; whatever its scripts complain of fails the test."""
    with served(desk.hub) as url:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": COOKIE, "value": desk.token, "url": url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        complaints: list[str] = []
        page.on("console", lambda said: complaints.extend(_wrong(said)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        context.close()
        assert complaints == []


def _wrong(said: ConsoleMessage) -> list[str]:
    """A form that comes back with what is wrong in it is answered so, and is no trouble."""
    return [said.text] if said.type == "error" and "status of 422" not in said.text else []


def look(page: Page, name: str) -> list[str]:
    """Accessibility complaints, and what is wider than the screen. Takes pictures if asked for."""
    found = [
        f"{name}: {broken['id']} {broken['nodes'][0]['html'][:200]}"
        for broken in Axe().run(page).response["violations"]
    ]
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            found.append(f"{name}: {wide} px wider than a screen of {width}")
        if SHOTS.name:
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                page.screenshot(path=SHOTS / f"{name}-{width}-{theme}.png", full_page=True)
            page.emulate_media(color_scheme="light")
    return found
