"""A bakery with a connected shop, which is a fake behind the hub's own HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import hub_bakehouse
from fake_bakehouse import FakeBakehouse
from sqlmodel import SQLModel, select

from hub.app import Hub
from hub.db.tables import ConnectionRow
from hub.flows.connect import connect
from hub.flows.found import found
from hub.testing import WsgiAdapter

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
URL = "https://bakehouse.test/"


@dataclass
class Connected:
    hub: Hub
    business_id: str
    shop: FakeBakehouse
    now: list[datetime]
    connection_id: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    def connect(self, **values: str) -> str:
        given = {"url": URL, "token": self.shop.secret, **values}
        self.connection_id = connect(
            self.hub,
            self.business_id,
            "bakehouse",
            given,
            actor="staff:1",
            connection_id=self.connection_id,
        ).connection_id
        return self.connection_id

    def row(self) -> ConnectionRow:
        with self.hub.reading() as session:
            return session.get_one(ConnectionRow, self.connection_id)

    def rows[R: SQLModel](self, table: type[R]) -> list[R]:
        with self.hub.reading() as session:
            return list(session.exec(select(table)))

    def later(self, **span: float) -> None:
        self.now[0] += timedelta(**span)


def a_shop(
    url: str = "",
    *,
    plugins: tuple[Any, ...] = (),
    wrap: Callable[[Any], Any] | None = None,
    source: object = hub_bakehouse,
) -> Connected:
    """``source``: the plugin that speaks to the shop."""
    now = [MONDAY]
    hub = Hub.in_memory(source, *plugins, now=lambda: now[0], url=url)
    shop = FakeBakehouse()
    app = wrap(shop.app) if wrap else shop.app
    hub.tools.http.mount("https://bakehouse.test", WsgiAdapter(app))
    return Connected(hub, found(hub, "Husk", zone="Europe/Helsinki", country="FI"), shop, now)
