"""Positions as the other processes see them: where a driver is, where one was, what it meant.

On SQLite they lie in ``positions.db``, apart from the business's own file: beside a busy
live process a business write waited 439 ms on the same file and 11 ms on its own. On
PostgreSQL they lie in the hub's database. Only ``hub.live.ledger`` writes fixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine, bindparam, text

from hub.db.engine import WRITE, open_engine
from hub.live.fixes import StoredFix, unpack
from hub.settings import Settings

__all__ = ["LastFix", "Meaning", "Positions", "StoredFix"]

# Ids of meanings begin at the time the file is made: a cursor that outlives the file (it is in
# the business's database, and in its backups) must never be ahead of a new one's first id.
TABLES = """
CREATE TABLE IF NOT EXISTS fix_chunk(
  id INTEGER PRIMARY KEY, business_id TEXT NOT NULL, device_id TEXT NOT NULL,
  seq0 INTEGER NOT NULL, n INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL,
  data BLOB NOT NULL, received_ms INTEGER NOT NULL, UNIQUE(device_id, seq0));
CREATE INDEX IF NOT EXISTS ix_fix_chunk_business_id_t1 ON fix_chunk(business_id, t1);
CREATE TABLE IF NOT EXISTS last_fix(
  device_id TEXT PRIMARY KEY, business_id TEXT NOT NULL, driver_id TEXT NOT NULL,
  through INTEGER NOT NULL, seq INTEGER NOT NULL, t INTEGER NOT NULL, lat REAL, lon REAL,
  acc REAL, spd REAL, hdg REAL, bat REAL, received_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS ix_last_fix_business_id ON last_fix(business_id);
CREATE TABLE IF NOT EXISTS meaning(
  id INTEGER PRIMARY KEY AUTOINCREMENT, business_id TEXT NOT NULL, device_id TEXT NOT NULL,
  driver_id TEXT NOT NULL, route_id TEXT NOT NULL, stop_id TEXT NOT NULL, kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL, confidence REAL NOT NULL, fix_seq INTEGER NOT NULL,
  UNIQUE(device_id, stop_id, kind, fix_seq));
CREATE INDEX IF NOT EXISTS ix_meaning_business_id_at_ms ON meaning(business_id, at_ms);
INSERT INTO sqlite_sequence(name, seq) SELECT 'meaning', CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'meaning');
"""


class LastFix(Struct, frozen=True, gc=False):
    """Where a phone was last, and when; speed in m/s, heading in degrees, battery in percent."""

    device_id: str
    business_id: str
    driver_id: str
    seq: int
    at_ms: int
    lat: float
    lon: float
    acc_m: float
    speed_ms: float | None
    heading: float | None
    battery: float | None
    received_ms: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """A fix said that the driver arrived at or left a stop, or that it was wrong before.

    ``kind`` is arrived | left | not_arrived | not_left. Ids only ever rise.
    """

    id: int
    business_id: str
    device_id: str
    driver_id: str
    route_id: str
    stop_id: str
    kind: str
    at_ms: int
    confidence: float
    fix_seq: int


_MEANINGS = text(
    "SELECT id, business_id, device_id, driver_id, route_id, stop_id, kind, at_ms,"
    " confidence, fix_seq FROM meaning WHERE id > :after ORDER BY id LIMIT :limit"
)
_ANY_MEANING = text("SELECT 1 FROM meaning WHERE id > :after LIMIT 1")


class Positions:
    """Safe to use from any thread; every call is a short transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, settings: Settings) -> Positions:
        """The installation's positions; the same object for the same place."""
        return _opened(*where(settings))

    def last(self, business_id: str, driver_ids: Sequence[str] | None = None) -> list[LastFix]:
        """Where each phone of a business (of these drivers) was last, the newest first."""
        named = "" if driver_ids is None else "AND driver_id IN :drivers "
        statement = text(
            "SELECT device_id, business_id, driver_id, seq, t, lat, lon, acc, spd, hdg, bat,"
            " received_ms FROM last_fix WHERE business_id = :business AND lat IS NOT NULL "
            f"{named}ORDER BY t DESC"
        )
        values: dict[str, Any] = {"business": business_id}
        if driver_ids is not None:
            statement = statement.bindparams(bindparam("drivers", expanding=True))
            values["drivers"] = list(driver_ids)
        return [LastFix(*row) for row in self._rows(statement, values)]

    def meanings(self, after_id: int, limit: int = 200) -> list[Meaning]:
        """What was noticed after ``after_id``, of every business, in the order of ids."""
        rows = self._rows(_MEANINGS, {"after": after_id, "limit": limit})
        return [Meaning(*row) for row in rows]

    def has_meanings(self, after_id: int) -> bool:
        """Whether anything was noticed after ``after_id``."""
        return bool(self._rows(_ANY_MEANING, {"after": after_id}))

    def track(self, business_id: str, device_id: str, from_ms: int, to_ms: int) -> list[StoredFix]:
        """The fixes of one phone from one moment to another, both included, oldest first."""
        rows = self._rows(
            text(
                "SELECT data FROM fix_chunk WHERE business_id = :business AND"
                " device_id = :device AND t1 >= :t0 AND t0 <= :t1 ORDER BY seq0"
            ),
            {"business": business_id, "device": device_id, "t0": from_ms, "t1": to_ms},
        )
        fixes = [fix for (data,) in rows for fix in unpack(data) if from_ms <= fix.at_ms <= to_ms]
        return sorted(fixes, key=lambda fix: (fix.at_ms, fix.seq))

    def tracks(self, business_id: str, from_ms: int, to_ms: int) -> dict[str, list[StoredFix]]:
        """Device -> its fixes as ``track`` has them, of every phone that told any then."""
        rows = self._rows(
            text(
                "SELECT device_id, data FROM fix_chunk WHERE business_id = :business AND"
                " t1 >= :t0 AND t0 <= :t1 ORDER BY device_id, seq0"
            ),
            {"business": business_id, "t0": from_ms, "t1": to_ms},
        )
        found: dict[str, list[StoredFix]] = {}
        for device_id, data in rows:
            for fix in unpack(data):
                if from_ms <= fix.at_ms <= to_ms:
                    found.setdefault(device_id, []).append(fix)
        return {id: sorted(one, key=lambda fix: (fix.at_ms, fix.seq)) for id, one in found.items()}

    def forget(self, business_id: str, before_ms: int) -> int:
        """Let go of what is older; how many rows went. Safe to repeat and to be killed in.

        A chunk goes once all in it is older. Few rows at a time: the live process waits.
        """
        gone = 0
        for table, key, moment in (
            ("fix_chunk", "id", "t1"),
            ("meaning", "id", "at_ms"),
            ("last_fix", "device_id", "received_ms"),
        ):
            statement = text(
                f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table}"  # noqa: S608
                f" WHERE business_id = :business AND {moment} < :before LIMIT 200)"
            )
            while True:
                with self.engine.execution_options(**WRITE).begin() as connection:
                    values = {"business": business_id, "before": before_ms}
                    some = connection.execute(statement, values).rowcount
                gone += some
                if some < 200:
                    break
        return gone

    def _rows(self, statement: Any, values: dict[str, Any]) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(statement, values).all()


def where(settings: Settings) -> tuple[str, bool]:
    """The database of positions, and whether it is a file of our own making."""
    if settings.database_url.startswith("sqlite"):
        return f"sqlite:///{settings.data_dir / 'positions.db'}", True
    return settings.database_url, False


@lru_cache(maxsize=16)
def _opened(url: str, is_own: bool) -> Positions:
    engine = open_engine(url, **({} if is_own else {"pool_size": 2}))
    if is_own:
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        with engine.execution_options(**WRITE).begin() as connection:
            for statement in TABLES.split(";")[:-1]:
                connection.exec_driver_sql(statement)
    return Positions(engine)
