"""What the hub does by itself when something happened."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address
from hub.db.tables import ErrandRow, JobRow, PlaceRow
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.sync import store_all

SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)


def test_an_order_that_comes_in_is_located_without_being_asked(
    database_url: str, helsinki: Path, tmp_path: Path
) -> None:
    (tmp_path / "map").symlink_to(helsinki / "map")
    hub = Hub.in_memory(now=lambda: SIX, data_dir=tmp_path, url=database_url)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    orders = [
        IncomingOrder(
            ref=street,
            number=street,
            updated_at=SIX,
            address=Address((street,), city="Helsinki", country="FI"),
        )
        for street in ("Yrjönkatu 10", "Nosuchstreet 1")
    ]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    hub.deliver_events()
    hub.deliver_events()
    with hub.reading() as session:
        states = session.exec(
            select(JobRow.state, PlaceRow.lat).join(PlaceRow).order_by(JobRow.state)
        ).all()
        assert [(state, lat is not None) for state, lat in states] == [
            ("created", True),
            ("needs_review", False),
        ]
        assert set(session.exec(select(ErrandRow.state))) == {"done"}
