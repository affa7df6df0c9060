"""The browser that the tests look at pages with."""

from __future__ import annotations

from shutil import which

from playwright.sync_api import expect

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The shell first: it starts with a third of the work, for it draws no window."""
CHROMIUM = next((path for name in NAMES if (path := which(name))), "/usr/bin/chromium")
ARGS = ("--no-sandbox", "--disable-gpu")

SLOW_MS = 60_000
"""A busy machine is slow, not wrong: what is waited for comes at once where it is idle."""

expect.set_options(timeout=SLOW_MS)
