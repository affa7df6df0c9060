"""PostgreSQL's part of ``hub.db.memory``, loaded where it is used."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from hub.db.memory import Alike


class AlikePostgreSQL(Alike, PGDialect_psycopg):
    """Those of one process are of one server, or of servers that are alike."""

    supports_statement_cache = True
