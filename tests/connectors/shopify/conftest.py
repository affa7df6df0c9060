"""A shop that nobody may ask for what its schema does not have, and a clock both sides go by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub import Tools
from hub.testing import MONDAY, lent
from tests.connectors.shopify_worlds import Clock
from tests.fakes.shopify import FakeShopify


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


@pytest.fixture
def shop(clock: Clock) -> Iterator[FakeShopify]:
    shop = FakeShopify(now=clock)
    yield shop
    assert not shop.wrong


@pytest.fixture
def tools(tmp_path: Path, clock: Clock) -> Tools:
    return replace(lent(tmp_path, now=MONDAY), now=clock)
