"""ShipStation keeps the promises of all that it can do, by both of its interfaces."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from connectors.shipstation.source import ShipStation
from hub import BadSignature, Tools, WebhookRequest
from hub.testing import (
    MONDAY,
    OrderSourceConformance,
    WebhooksConformance,
    WriteBackConformance,
)
from tests.connectors.shipstation_worlds import a_shop, as_request, in_front_of
from tests.fakes import shipstation_spec as spec
from tests.fakes.shipstation import FakeShipStation
from tests.fakes.shipstation_rows import Row


class TestShipStationV2(OrderSourceConformance):
    @pytest.fixture
    def shop(self) -> FakeShipStation:
        spec.data()
        return a_shop()

    def source(self, shop: FakeShipStation, tools: Tools) -> ShipStation:
        return in_front_of(shop, tools, "v2")


class TestShipStationV1(OrderSourceConformance):
    @pytest.fixture
    def shop(self) -> FakeShipStation:
        spec.data()
        shop = a_shop()
        shop.secret = shop.v1_secret
        return shop

    def source(self, shop: FakeShipStation, tools: Tools) -> ShipStation:
        return in_front_of(shop, tools, "v1")


NO_PINGS = "ShipStation calls about orders alone"


class ShipStationsCalls(WebhooksConformance):
    way, about = "", ""

    @pytest.fixture
    def remote(self) -> FakeShipStation:
        spec.data()
        return a_shop()

    def connection(self, remote: FakeShipStation, tools: Tools) -> ShipStation:
        return in_front_of(remote, tools, self.way)

    def happens(self, remote: FakeShipStation, ref: str) -> list[WebhookRequest]:
        """ShipStation's calls name a batch, and no order."""
        return [as_request(sent) for sent in remote.calls(self.about, MONDAY)]

    def subscriptions(self, remote: FakeShipStation) -> list[str]:
        return [f"{hook['event']} {hook['url']}" for hook in remote.hooks if hook["active"]]

    def lose(self, remote: FakeShipStation, how: str) -> bool:
        if how == "deleted":
            remote.hooks.clear()
        elif self.way == "v2":
            return False
        for hook in remote.hooks:
            hook["active"] = False
        return True


class TestShipStationsCallsByV2(ShipStationsCalls):
    way, about = "v2", "shipment_created_v2"
    exempt: ClassVar = {
        "test_a_ping_is_about_no_order": NO_PINGS,
        "test_what_the_other_side_ended_is_put_back[switched off]": "V2 has no switch for them",
    }

    def test_without_a_secret_nothing_is_believed(
        self, remote: FakeShipStation, tools: Tools
    ) -> None:
        """ShipStation keeps no header without a value, so none can be subscribed with one."""
        keyless = self.keyless(remote, tools)
        body = b'{"resource_type": "SHIPMENT_CREATED_V2"}'
        signed = remote.signed(body, MONDAY)
        for headers in (signed, {**signed, "x-hub-secret": ""}):
            with pytest.raises(BadSignature):
                keyless.verify(WebhookRequest(headers, body))

    def forged(self, remote: FakeShipStation, genuine: WebhookRequest) -> dict[str, WebhookRequest]:
        own = {"x-hub-secret": genuine.headers["x-hub-secret"]}
        minutes = (-6, 6)
        stale = [remote.signed(genuine.body, MONDAY + timedelta(minutes=n)) for n in minutes]
        return {
            f"of {n} minutes from now": replace(genuine, headers={**signed, **own})
            for n, signed in zip(minutes, stale, strict=True)
        }


class TestShipStationsCallsByV1(ShipStationsCalls):
    way, about = "v1", "ORDER_NOTIFY"
    exempt: ClassVar = {
        "test_a_repeat_is_known_by_its_id": "V1 gives its calls no id, and their bodies name none",
        "test_another_change_has_another_id": "V1 gives its calls no id",
        "test_a_changed_body_is_refused": "V1 signs nothing; a secret in the address is all",
        "test_a_ping_is_about_no_order": NO_PINGS,
    }


class TestShipStationIsToldByV2(WriteBackConformance):
    way = "v2"
    keeps_history = False
    shows: ClassVar = {
        "on_the_way": "Out for delivery",
        "closed succeeded": "Delivered",
        "closed partial": "Delivered",
        "closed failed": "Delivery failed",
        "closed skipped": "Delivery failed",
    }
    exempt: ClassVar = {
        "test_the_shop_has_the_tracking_link": "neither interface has a field for one",
        "test_a_new_tracking_link_replaces_the_old": "neither interface has a field for one",
        "test_proof_that_comes_late_is_told_once": "what was shipped is locked there",
    }

    @pytest.fixture
    def shop(self) -> FakeShipStation:
        spec.data()
        return a_shop(page_size=50)

    def source(self, shop: FakeShipStation, tools: Tools) -> ShipStation:
        return in_front_of(shop, tools, self.way, **self.more)

    more: ClassVar[dict[str, bool]] = {}

    def place(self, shop: FakeShipStation) -> tuple[str, str]:
        number = f"70{len(shop.rows):03}"
        shop.place(number, MONDAY)
        return shop.ref_of(number), number

    def told(self, shop: FakeShipStation, ref: str) -> list[str]:
        row = self._row(shop, ref)
        done = [f"shipped as {d['tracking']}" for d in shop.fulfillments if d["row"] is row]
        return [f"status {row.status}", *row.tags, *done, *row.internal_notes.splitlines()]

    def links(self, shop: FakeShipStation, ref: str) -> list[str]:
        return []

    def remove(self, shop: FakeShipStation, ref: str) -> None:
        del shop.rows[self._row(shop, ref).id]

    def call_off(self, shop: FakeShipStation, ref: str) -> None:
        shop.change(self._row(shop, ref), status="cancelled")

    def is_called_off(self, shop: FakeShipStation, ref: str) -> bool:
        return self._row(shop, ref).status == "cancelled"

    def _row(self, shop: FakeShipStation, ref: str) -> Row:
        return shop.rows[int(ref.removeprefix("se-"))]


class TestShipStationIsToldByV1(TestShipStationIsToldByV2):
    way = "v1"
    more: ClassVar = {"notes": True}

    @pytest.fixture
    def shop(self) -> FakeShipStation:
        spec.data()
        shop = a_shop(page_size=50)
        shop.secret = shop.v1_secret
        return shop
