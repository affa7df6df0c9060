"""A town for every journey that wants one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.internet import an_internet
from tests.store_worlds import Town


@pytest.fixture
def town(browser: Browser, helsinki: Path, tmp_path: Path) -> Iterator[Town]:
    with an_internet() as internet:
        yield Town(internet, browser, helsinki / "map", tmp_path / "hub")
