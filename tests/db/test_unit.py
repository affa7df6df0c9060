"""A look at the data is of one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from hub.app import Hub
from hub.db.engine import WRITE, open_engine
from hub.db.tables import BusinessRow
from hub.db.unit import unit
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


def test_a_unit_that_waits_for_another_in_vain_says_that_the_database_is_locked(
    tmp_path: Path,
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 10"))
    with engine.execution_options(**WRITE).begin(), unit(engine) as late:
        with pytest.raises(OperationalError, match="locked"):
            late.session.connection()
