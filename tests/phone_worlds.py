"""A served hub and a phone's browser, for tests that talk to the driver's page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from playwright.sync_api import BrowserContext, Playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from hub.app import Hub
from hub.web.app import create_app
from hub.web.driver import driver

CHROMIUM = "/usr/bin/chromium"


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


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


def a_phone(playwright: Playwright, profile: Path, scheme: str = "light") -> BrowserContext:
    """A phone that keeps its data in ``profile``; open it again there to restart it."""
    return playwright.chromium.launch_persistent_context(
        profile,
        executable_path=CHROMIUM,
        args=["--no-sandbox"],
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        color_scheme=scheme,  # type: ignore[arg-type]
        permissions=["geolocation"],
        geolocation={"latitude": 60.1704, "longitude": 24.9414, "accuracy": 12},
        service_workers="allow",
    )
