"""A look at the data is of one moment."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import select

from hub.app import Hub
from hub.db.tables import BusinessRow
from hub.flows.found import found

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_all_queries_of_a_look_see_one_moment(database_url: str) -> None:
    hub = Hub.in_memory(now=lambda: NOON, url=database_url)
    found(hub, "Husk", zone="UTC")
    with hub.reading() as session:
        before = session.exec(select(BusinessRow.name)).all()
        found(hub, "Neighbours", zone="UTC")
        assert session.exec(select(BusinessRow.name)).all() == before == ["Husk"]
    with hub.reading() as session:
        assert len(session.exec(select(BusinessRow.name)).all()) == 2
