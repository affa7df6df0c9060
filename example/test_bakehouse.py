"""The plugin keeps the contract."""

import pytest
from fake_bakehouse import FakeBakehouse
from hub_bakehouse import Bakehouse

from hub import Tools
from hub.testing import OrderSourceConformance, WsgiAdapter


class TestBakehouse(OrderSourceConformance):
    @pytest.fixture
    def shop(self) -> FakeBakehouse:
        return FakeBakehouse()

    def source(self, shop: FakeBakehouse, tools: Tools) -> Bakehouse:
        tools.http.mount("https://bakehouse.test", WsgiAdapter(shop.app))
        settings = Bakehouse.Settings(url="https://bakehouse.test", token=shop.secret)
        return Bakehouse(settings, tools)
