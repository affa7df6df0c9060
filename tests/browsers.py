"""The browser that the tests look at pages with."""

from __future__ import annotations

import time
from shutil import which

from playwright.sync_api import Locator, Page, expect

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The shell first: it starts with a third of the work, for it draws no window."""
CHROMIUM = next((path for name in NAMES if (path := which(name))), "/usr/bin/chromium")
ARGS = ("--no-sandbox", "--disable-gpu")

SLOW_MS = 60_000
"""A busy machine is slow, not wrong: what is waited for comes at once where it is idle."""

expect.set_options(timeout=SLOW_MS)


def in_a_while(page: Page, what: Locator) -> None:
    """Turn the page's clock on until ``what`` is there, ten seconds at a time.

    A page without a stream looks so often, but only once it has seen that there is none: a minute at
    one go may pass before that.
    """
    until = time.monotonic() + SLOW_MS / 1000
    while not what.first.is_visible() and time.monotonic() < until:
        page.clock.run_for(10_000)
        time.sleep(0.02)
    expect(what.first).to_be_visible()
