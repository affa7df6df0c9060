"""A look at the data is of one moment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
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


def test_threads_that_write_at_once_come_one_after_the_other_without_asking_the_database_twice(
    tmp_path: Path,
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    # Whoever has to ask again fails.
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 0"))

    def write(n: int) -> None:
        with unit(engine) as u:
            u.session.connection()
            time.sleep(0.02)

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(write, range(24))) == [None] * 24
