"""A store that nobody may ask for what it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import Tools
from hub.testing import MONDAY, lent
from tests.fakes.woocommerce import Store


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    assert not store.mistakes


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return lent(tmp_path, now=MONDAY)
