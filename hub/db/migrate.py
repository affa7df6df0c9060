"""Bring a database to the schema this code needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def migrate(engine: Engine, to: str = "head") -> None:
    """Run every migration the database lacks, up to ``to``. Safe to repeat and to run twice at
    once.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.execution_options(hub_write=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(729403)")
        config.attributes["connection"] = connection
        command.upgrade(config, to)
