"""Xero keeps the promises of all that it can do, in both ways to connect."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from copy import deepcopy
from hmac import digest
from typing import Any, ClassVar

import pytest

import connectors.xero
from connectors.xero.source import Xero
from hub import OrderSource, RecordSink, Tools, WebhookRequest
from hub.registry import Registry
from hub.testing import (
    OAuthConformance,
    OrderSourceConformance,
    RecordSinkConformance,
    WebhooksConformance,
)
from tests.connectors.xero_worlds import connected, kept
from tests.fakes.xero import MONDAY, REDIRECT, FakeXero, uuid


def test_it_is_a_source_of_orders_and_a_sink_of_records() -> None:
    registry = Registry()
    registry.add(connectors.xero, "xero")
    assert registry.problems == []
    assert registry.get(OrderSource, "xero") is Xero
    assert registry.get(RecordSink, "xero") is Xero


class TestXero(OrderSourceConformance):
    @pytest.fixture
    def shop(self) -> Any:
        fake = FakeXero()
        yield fake
        assert fake.wrong == []

    def source(self, shop: FakeXero, tools: Tools) -> Xero:
        return connected(shop, tools)


class TestXeroByCustomConnection(TestXero):
    def source(self, shop: FakeXero, tools: Tools) -> Xero:
        return connected(shop, tools, way="custom", tenant_id="")


class TestXerosCalls(WebhooksConformance):
    by_hand = "Xero lets nobody subscribe by program: a person does it in the developer portal"
    exempt: ClassVar = {
        "test_subscribing_has_the_address_called": by_hand,
        "test_subscribing_every_day_changes_nothing": by_hand,
        "test_what_the_other_side_ended_is_put_back": by_hand,
        "test_a_new_address_replaces_the_old": by_hand,
        "test_unsubscribing_ends_the_calls_and_may_be_repeated": by_hand,
        "test_another_connections_subscriptions_stay": by_hand,
        "test_cut_off_anywhere_it_is_finished_the_next_time": by_hand,
    }

    @pytest.fixture
    def remote(self) -> FakeXero:
        return FakeXero()

    def connection(self, remote: FakeXero, tools: Tools) -> Xero:
        return connected(remote, tools)

    def happens(self, remote: FakeXero, ref: str) -> list[WebhookRequest]:
        return [WebhookRequest(*remote.webhook(ref))]

    def ping(self, remote: FakeXero) -> WebhookRequest:
        """One of the calls by which Xero tries the address: without events."""
        return WebhookRequest(*remote.webhook())

    def subscriptions(self, remote: FakeXero) -> list[str]:
        return []

    def lose(self, remote: FakeXero, how: str) -> bool:
        return False

    def another(self, remote: FakeXero, tools: Tools) -> Xero:
        return connected(remote, tools, webhook_key="an0therAppsKey==")

    def keyless(self, remote: FakeXero, tools: Tools) -> Xero:
        return connected(remote, tools, webhook_key="")

    def forged(self, remote: FakeXero, genuine: WebhookRequest) -> dict[str, WebhookRequest]:
        signed = b64encode(digest(b"", genuine.body, "sha256")).decode()
        return {
            "signed with nothing": WebhookRequest({"x-xero-signature": signed}, genuine.body),
            "signed wrongly on purpose": WebhookRequest(*remote.webhook(key="not the key")),
        }


class TestXeroLetsIn(OAuthConformance):
    back = REDIRECT

    @pytest.fixture
    def remote(self) -> Any:
        fake = FakeXero()
        yield fake
        assert fake.wrong == []

    def connection(self, remote: FakeXero, tools: Tools) -> Xero:
        made = connected(remote, tools)
        kept(tools).kept = {}
        return made

    def consent(self, remote: FakeXero, url: str, *, allow: bool) -> dict[str, str]:
        return remote.consent(url, allow=allow)

    def forged(self, remote: FakeXero, query: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        return {"with a code nobody gave out": {**query, "code": "gu3ssed"}}

    def expire(self, remote: FakeXero) -> None:
        remote.be("expired")

    def forget(self, remote: FakeXero) -> None:
        remote.grants.clear()
        remote.refreshes.clear()


class TestXeroKeepsRecords(RecordSinkConformance):
    @pytest.fixture
    def books(self) -> Any:
        fake = FakeXero()
        fake.per_minute = 10_000
        yield fake
        assert fake.wrong == []

    def sink(self, books: FakeXero, tools: Tools) -> Xero:
        return connected(books, tools)

    def document(self, books: FakeXero, name: str, number: str) -> None:
        books.put(name, MONDAY, Reference=f"Shop order #{number}")

    def notes(self, books: FakeXero, name: str) -> list[str]:
        return books.notes(name)

    def files(self, books: FakeXero, name: str) -> list[bytes]:
        return [content for content, _ in books.files(name).values()]

    def figures(self, books: FakeXero, name: str) -> Any:
        own = ("HasAttachments", "UpdatedDateUTC")  # which a file changes by itself
        paper = books.home.invoices[uuid(name)]
        return deepcopy({field: value for field, value in paper.items() if field not in own})

    def withdraw(self, books: FakeXero, name: str) -> None:
        books.home.invoices[uuid(name)]["Status"] = "VOIDED"

    def remove(self, books: FakeXero, name: str) -> None:
        del books.home.invoices[uuid(name)]
