"""Open the database. SQLite for one machine, PostgreSQL for more; same code above."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from functools import cache
from types import ModuleType
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel, create_engine

WRITE = {"hub_write": True}
ONE_MOMENT = {"isolation_level": "REPEATABLE READ"}  # PostgreSQL: by itself each query has its own
_USUAL: dict[str, Any] = {
    "hide_parameters": True,  # an error goes to the log, and a row is about people
    "json_deserializer": msgspec.json.decode,  # a look at a day reads some hundred documents
}
SAFE_SQLITE = (3, 51, 3)  # before it, two processes in WAL mode can corrupt (sqlite.org/wal.html)
BUSY_MS = 10_000  # that somebody waits for a database that others write
LOOK_S = 0.002  # between two looks whether it is free
log = logging.getLogger(__name__)


def open_engine(url: str, **kwargs: Any) -> Engine:
    """An engine whose units take the write lock on entry and whose commits survive power loss."""
    if url.startswith("sqlite"):
        engine = create_engine(url, module=sqlite_module(), **_USUAL, **kwargs)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(url, pool_pre_ping=True, **_USUAL, **kwargs)


def libpq_url(url: str) -> str:
    """``url`` of a PostgreSQL database without SQLAlchemy's driver, as PostgreSQL's own library
    reads it.
    """
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def create_tables(engine: Engine) -> None:
    """Make each table that is not there yet, as the models have it."""
    if engine.dialect.name != "sqlite":
        there = set(inspect(engine).get_table_names())  # in one question, and not one for each
        if not there.issuperset(SQLModel.metadata.tables):
            SQLModel.metadata.create_all(engine)
        return
    with closing(engine.raw_connection()) as connection:
        connection.cursor().executescript(_script())


@cache
def _script() -> str:
    """Every table and index in SQL: writing it takes longer than running it."""
    made: list[CreateTable | CreateIndex] = []
    for table in SQLModel.metadata.sorted_tables:
        made.append(CreateTable(table, if_not_exists=True))
        made += [CreateIndex(index, if_not_exists=True) for index in table.indexes]
    said = [str(one.compile(dialect=sqlite.dialect())) for one in made]
    return ";\n".join(["BEGIN", *said, "COMMIT"])  # all of it, or nothing


def sqlite_module() -> ModuleType:
    try:
        import pysqlite3.dbapi2 as found
    except ImportError:
        import sqlite3 as found
    if found.sqlite_version_info < SAFE_SQLITE:
        log.warning(
            "SQLite %s can corrupt a database that several processes write; install pysqlite3",
            found.sqlite_version,
        )
    return found  # type: ignore[no-any-return]


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL lost acknowledged commits in 3 of 3 power cuts
        f"busy_timeout = {BUSY_MS}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait its turn in
    # SQLite; it fails at once. So a unit asks for the write lock on entry.
    write = connection.get_execution_options().get("hub_write")
    begin = "BEGIN IMMEDIATE" if write else "BEGIN"
    driver = connection.dialect.loaded_dbapi
    raw = connection.connection.dbapi_connection
    assert raw is not None
    try:
        if write:
            _begin_to_write(raw, driver)
        else:
            raw.cursor().execute(begin)  # by no detour: it is said some thousand times a minute
    except driver.Error as error:
        raise DBAPIError.instance(
            begin, None, error, driver.Error, dialect=connection.dialect
        ) from error


def _begin_to_write(raw: Any, driver: Any) -> None:
    """Waits for other processes' units, as long as SQLite would, but looks again each few ms.

    SQLite itself sleeps longer each time, up to 100 ms, and comes too late while others come and
    go. Raises the driver's ``OperationalError`` in the end.
    """
    cursor = raw.cursor()
    [patience_ms] = cursor.execute("PRAGMA busy_timeout").fetchone()
    until = time.monotonic() + patience_ms / 1000
    cursor.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except driver.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= until:
                    raise
                time.sleep(LOOK_S)
            else:
                return
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {patience_ms}")
