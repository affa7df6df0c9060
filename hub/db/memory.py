"""Databases for tests and notebooks, in memory or not: the second one costs next to nothing."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import LRUCache

from hub.db.engine import create_tables, libpq_url, open_engine

SHARED = {"compiled_cache": LRUCache[Any, Any](6_000)}


class Alike:
    """Equal to every other of its kind, so that SQL compiled for one database serves them all."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


class AlikeSQLite(Alike, SQLiteDialect_pysqlite):
    supports_statement_cache = True


registry.register("sqlite.alike", __name__, AlikeSQLite.__name__)
registry.register("postgresql.alike", "hub.db.alike_postgresql", "AlikePostgreSQL")


def memory_engine() -> Engine:
    """An engine with every table, all empty, which forgets everything with its last user."""
    engine = _without_tables()
    with closing(engine.raw_connection()) as connection:
        _pattern().backup(connection.driver_connection)  # copying is faster than making
    return engine


@cache
def _pattern() -> Any:
    engine = _without_tables()
    create_tables(engine)
    return engine.raw_connection().driver_connection


def alike_engine(url: str) -> Engine:
    """An engine for ``url`` as ``open_engine`` makes it, with every table there.

    What SQL was compiled for others of these serves it too.
    """
    kind, _, rest = libpq_url(url).partition("://")
    engine = open_engine(f"{kind}+alike://{rest}", execution_options=SHARED)
    create_tables(engine)
    return engine


def has_one_connection(engine: Engine) -> bool:
    """Whether all threads share one connection, so that only one may use it at a time."""
    return isinstance(engine.pool, StaticPool)


def _without_tables() -> Engine:
    return open_engine(
        "sqlite+alike://",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
        execution_options=SHARED,
    )
