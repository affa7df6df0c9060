"""What the plugin can do besides: news is told once, and only genuine calls ring."""

from typing import Any, ClassVar

import pytest
from fake_bakehouse import FakeBakehouse
from hub_bakehouse import Bakehouse

from hub import Tools, WebhookRequest
from hub.testing import (
    WebhooksConformance,
    WriteBackConformance,
    WsgiAdapter,
)


class AtBakehouse:
    @pytest.fixture
    def shop(self) -> FakeBakehouse:
        return FakeBakehouse()

    def source(self, shop: FakeBakehouse, tools: Tools) -> Bakehouse:
        tools.http.mount("https://bakehouse.test", WsgiAdapter(shop.app))
        settings = Bakehouse.Settings(url="https://bakehouse.test", token=shop.secret)
        return Bakehouse(settings, tools)


class TestBakehouseIsTold(AtBakehouse, WriteBackConformance):
    exempt: ClassVar = {
        "test_proof_that_comes_late_is_told_once": "Bakehouse has no place for proof",
        "test_an_older_report_after_a_newer_one_changes_nothing": "Bakehouse lists all it is told",
    }
    shows: ClassVar = {
        "placed": "placed",
        "planned": "planned",
        "dispatched": "dispatched",
        "on_the_way": "on_the_way",
        "arrived": "arrived",
        "closed succeeded": "succeeded",
        "closed partial": "partial",
        "closed failed": "failed",
        "closed skipped": "skipped",
        "cancelled": "cancelled",
    }

    def place(self, shop: FakeBakehouse) -> tuple[str, str]:
        return shop.place()

    def told(self, shop: FakeBakehouse, ref: str) -> list[str]:
        return [f"{one['stage']} {one['outcome']}" for one in shop.news_of(ref)]

    def links(self, shop: FakeBakehouse, ref: str) -> list[str]:
        return [shop.news_of(ref)[-1]["link"]]  # Bakehouse shows the latest

    def remove(self, shop: FakeBakehouse, ref: str) -> None:
        del shop.rows[ref]

    def call_off(self, shop: FakeBakehouse, ref: str) -> None:
        shop.rows[ref]["cancelled"] = True

    def is_called_off(self, shop: FakeBakehouse, ref: str) -> bool:
        return bool(shop.rows[ref]["cancelled"])


class TestBakehouseRings(AtBakehouse, WebhooksConformance):
    exempt: ClassVar = {
        "test_another_connections_subscriptions_stay": "Bakehouse calls one address, whoever asks"
    }

    @pytest.fixture
    def remote(self, shop: FakeBakehouse) -> FakeBakehouse:
        return shop

    def connection(self, remote: FakeBakehouse, tools: Tools) -> Bakehouse:
        return self.source(remote, tools)

    def happens(self, remote: FakeBakehouse, ref: str) -> list[WebhookRequest]:
        headers, body = remote.call(f"call-{ref}")
        return [WebhookRequest({name.lower(): value for name, value in headers.items()}, body)]

    def ping(self, remote: FakeBakehouse) -> WebhookRequest:
        headers, body = remote.call("")
        return WebhookRequest({name.lower(): value for name, value in headers.items()}, body)

    def subscriptions(self, remote: FakeBakehouse) -> list[str]:
        return [remote.webhook["url"]] if remote.webhook.get("url") else []

    def lose(self, remote: FakeBakehouse, how: Any) -> bool:
        remote.webhook = {}
        return True
