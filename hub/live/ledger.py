"""Writing positions: one connection, one transaction for a whole group, no ORM.

Beside ``commit per request by the ORM`` this holds some 20 times the fixes for the same
processor time; see ``benchmarks/ingest.py``. The thread that writes is the only one here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from hub.db.engine import libpq_url, sqlite_module
from hub.live.fixes import Fix, pack, span_ms
from hub.live.store import where
from hub.live.values import Device
from hub.settings import Settings

MOST_ROWS = 64  # in one statement
Phone = tuple[str, str]
"""A business's id and a device's."""


class Chunk(NamedTuple):
    """One row of ``fix_chunk``, in the order of its columns."""

    business_id: str
    device_id: str
    seq0: int
    n: int
    t0: int
    t1: int
    data: bytes
    received_ms: int


def chunk_of(device: Device, fixes: Sequence[Fix], now_ms: int) -> Chunk:
    """``fixes`` in the order of their numbers, which came just now."""
    t0, t1 = span_ms(fixes)
    return Chunk(
        device.business_id, device.id, fixes[0].seq, len(fixes), t0, t1, pack(fixes), now_ms
    )


class Last(NamedTuple):
    """One row of ``last_fix``; without a place only ``through`` moves on."""

    device_id: str
    business_id: str
    driver_id: str
    through: int
    seq: int
    t: int
    lat: float | None
    lon: float | None
    acc: float | None
    spd: float | None
    hdg: float | None
    bat: float | None
    received_ms: int


class Noticed(NamedTuple):
    """One row of ``meaning``, before it has an id."""

    business_id: str
    device_id: str
    driver_id: str
    route_id: str
    stop_id: str
    kind: str
    at_ms: int
    confidence: float
    fix_seq: int


class Ledger(Protocol):
    """A transaction is open from ``begin`` until ``commit`` or ``roll_back``."""

    def begin(self, phones: Sequence[Phone]) -> dict[str, int]:
        """Device to the highest number of it that is stored; nobody else moves it meanwhile."""

    def recent(self, phone: Phone, span_ms: int) -> list[tuple[bytes, int]]:
        """The last chunks of a phone with when they came, oldest first."""

    def chunk_at(self, phone: Phone, number: int) -> bytes | None:
        """The chunk of a phone that begins last of those up to ``number``, if there is one."""

    def is_noticed(self, phone: Phone, stop_id: str) -> bool:
        """Whether anything was ever noticed of a phone at that stop."""

    def put(self, chunks: Sequence[Chunk]) -> None:
        """From now on they are found, in this transaction; each first number is named once.

        One that begins with the number of another takes its place.
        """

    def commit(
        self, chunks: Sequence[Chunk], lasts: Sequence[Last], noticed: Sequence[Noticed]
    ) -> None:
        """On return all of it survives a power cut. ``lasts`` names each device once."""

    def roll_back(self) -> None: ...

    def close(self) -> None: ...


def open_ledger(settings: Settings) -> Ledger:
    url, is_own = where(settings)
    return SqliteLedger(Path(url.removeprefix("sqlite:///"))) if is_own else PostgresLedger(url)


_MOVE = """ON CONFLICT(device_id) DO UPDATE SET through = excluded.through,
 driver_id = excluded.driver_id,
 received_ms = excluded.received_ms,
 seq = CASE WHEN excluded.lat IS NULL THEN last_fix.seq ELSE excluded.seq END,
 t = CASE WHEN excluded.lat IS NULL THEN last_fix.t ELSE excluded.t END,
 acc = CASE WHEN excluded.lat IS NULL THEN last_fix.acc ELSE excluded.acc END,
 spd = CASE WHEN excluded.lat IS NULL THEN last_fix.spd ELSE excluded.spd END,
 hdg = CASE WHEN excluded.lat IS NULL THEN last_fix.hdg ELSE excluded.hdg END,
 bat = CASE WHEN excluded.lat IS NULL THEN last_fix.bat ELSE excluded.bat END,
 lat = COALESCE(excluded.lat, last_fix.lat), lon = COALESCE(excluded.lon, last_fix.lon)"""
_CHUNK = "fix_chunk(business_id, device_id, seq0, n, t0, t1, data, received_ms)"
_REPLACE = """ON CONFLICT(device_id, seq0) DO UPDATE SET n = excluded.n, t0 = excluded.t0,
 t1 = excluded.t1, data = excluded.data, received_ms = excluded.received_ms"""
_MEANING = (
    "meaning(business_id, device_id, driver_id, route_id, stop_id, kind, at_ms, confidence,"
    " fix_seq)"
)
_LAST = (
    "last_fix(device_id, business_id, driver_id, through, seq, t, lat, lon, acc, spd, hdg, bat,"
    " received_ms)"
)
_THROUGH = "SELECT through FROM last_fix WHERE business_id = ? AND device_id = ?"
_RECENT = """SELECT data, received_ms FROM fix_chunk WHERE business_id = {0} AND device_id = {0}
 AND t1 > (SELECT max(t1) FROM fix_chunk WHERE business_id = {0} AND device_id = {0}) - {0}
 ORDER BY seq0"""
_CHUNK_AT = """SELECT data FROM fix_chunk WHERE business_id = {0} AND device_id = {0}
 AND seq0 <= {0} ORDER BY seq0 DESC LIMIT 1"""

_NOTICED = """SELECT 1 FROM meaning WHERE business_id = {0} AND device_id = {0}
 AND stop_id = {0} LIMIT 1"""


class SqliteLedger:
    """``positions.db``, which ``Positions.open`` has made."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite_module().connect(
            path, isolation_level=None, check_same_thread=False, timeout=5
        )
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",  # NORMAL syncs at checkpoints only: a power cut loses fixes
            "wal_autocheckpoint = 4000",  # pages; at 1000 every twentieth group waits for one
            "trusted_schema = OFF",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        self._through: dict[Phone, int] = {}
        self._version = 0

    def begin(self, phones: Sequence[Phone]) -> dict[str, int]:
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        # What this connection wrote last holds as long as no other has committed since.
        [version] = run("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self._through.clear()
        for phone in phones:
            if phone not in self._through:
                row = run(_THROUGH, phone).fetchone()
                self._through[phone] = row[0] if row else 0
        return {phone[1]: self._through[phone] for phone in phones}

    def recent(self, phone: Phone, span_ms: int) -> list[tuple[bytes, int]]:
        rows = self.connection.execute(_RECENT.format("?"), (*phone, *phone, span_ms))
        return list(rows)

    def chunk_at(self, phone: Phone, number: int) -> bytes | None:
        row = self.connection.execute(_CHUNK_AT.format("?"), (*phone, number)).fetchone()
        return None if row is None else row[0]

    def is_noticed(self, phone: Phone, stop_id: str) -> bool:
        found = self.connection.execute(_NOTICED.format("?"), (*phone, stop_id))
        return found.fetchone() is not None

    def put(self, chunks: Sequence[Chunk]) -> None:
        self._insert(_CHUNK, chunks, _REPLACE)

    def commit(
        self, chunks: Sequence[Chunk], lasts: Sequence[Last], noticed: Sequence[Noticed]
    ) -> None:
        self.put(chunks)
        self._insert(_LAST, lasts, _MOVE)
        self._insert(_MEANING, noticed, "ON CONFLICT DO NOTHING")
        self.connection.execute("COMMIT")
        for last in lasts:
            self._through[last.business_id, last.device_id] = last.through

    def roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close()

    def _insert(self, into: str, rows: Sequence[tuple[Any, ...]], on: str) -> None:
        """Many rows by each statement, in the few sizes whose statements are remembered.

        ``executemany`` gives the interpreter away with each row, and to get it back takes
        longer than to write the row while another thread wants it too.
        """
        while rows:
            count = min(1 << (len(rows).bit_length() - 1), MOST_ROWS)
            self.connection.execute(
                _values(into, len(rows[0]), count, on), [*chain.from_iterable(rows[:count])]
            )
            rows = rows[count:]


@cache
def _values(into: str, columns: int, rows: int, on: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {into} VALUES {', '.join([row] * rows)} {on}"  # noqa: S608


_CHUNK_TYPES = ("text", "text", "bigint", "int", "bigint", "bigint", "bytea", "bigint")
_LAST_TYPES = ("text",) * 3 + ("bigint",) * 3 + ("float8",) * 6 + ("bigint",)
_MEANING_TYPES = ("text",) * 6 + ("bigint", "float8", "bigint")
_MEANINGS_TURN = 729_405  # any number, the same in every process


class PostgresLedger:
    """The tables in the hub's own database; several live processes may write beside each other.

    A phone's row in ``last_fix`` is locked from ``begin`` on, so that a batch that came to
    two processes is stored once.
    """

    def __init__(self, url: str) -> None:
        import psycopg  # the extra ``postgres``

        self.connection = psycopg.connect(libpq_url(url), autocommit=True)
        self.connection.execute("SET lock_timeout = '5s'")
        self.known: set[str] = set()

    def begin(self, phones: Sequence[Phone]) -> dict[str, int]:
        run = self.connection.execute
        run("BEGIN")
        ordered = sorted(phones)
        businesses, devices = [list(each) for each in zip(*ordered, strict=True)]
        if new := [phone for phone in ordered if phone[1] not in self.known]:
            run(
                f"INSERT INTO {_LAST} SELECT d, b, '', 0, 0, 0, NULL, NULL, NULL, NULL, NULL,"
                " NULL, 0 FROM unnest(%s::text[], %s::text[]) AS new(b, d)"
                " ON CONFLICT DO NOTHING",
                [list(each) for each in zip(*new, strict=True)],
            )
        found = run(
            "SELECT device_id, through FROM last_fix WHERE business_id = ANY(%s) AND"
            " device_id = ANY(%s) ORDER BY device_id FOR UPDATE",
            (businesses, devices),
        )
        through: dict[str, int] = dict(found.fetchall())
        if len(through) < len(set(devices)):  # a row we knew was let go of as too old
            self.known.difference_update(devices)
            self.roll_back()
            return self.begin(phones)
        return through

    def recent(self, phone: Phone, span_ms: int) -> list[tuple[bytes, int]]:
        rows = self.connection.execute(_RECENT.format("%s"), (*phone, *phone, span_ms))
        return rows.fetchall()

    def chunk_at(self, phone: Phone, number: int) -> bytes | None:
        row = self.connection.execute(_CHUNK_AT.format("%s"), (*phone, number)).fetchone()
        return None if row is None else row[0]

    def is_noticed(self, phone: Phone, stop_id: str) -> bool:
        found = self.connection.execute(_NOTICED.format("%s"), (*phone, stop_id))
        return found.fetchone() is not None

    def put(self, chunks: Sequence[Chunk]) -> None:
        self._insert(_CHUNK, _CHUNK_TYPES, chunks, _REPLACE)

    def commit(
        self, chunks: Sequence[Chunk], lasts: Sequence[Last], noticed: Sequence[Noticed]
    ) -> None:
        with self.connection.pipeline():
            self.put(chunks)
            self._insert(_LAST, _LAST_TYPES, lasts, _MOVE)
            if noticed:
                # Who reads by id must never see a higher one before a lower one.
                self.connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MEANINGS_TURN,))
                self._insert(_MEANING, _MEANING_TYPES, noticed, "ON CONFLICT DO NOTHING")
            self.connection.execute("COMMIT")
        self.known.update(last.device_id for last in lasts)

    def roll_back(self) -> None:
        self.connection.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close()

    def _insert(self, into: str, types: Sequence[str], rows: Sequence[Any], on: str) -> None:
        if rows:
            arrays = ", ".join(f"%s::{kind}[]" for kind in types)
            columns = [list(column) for column in zip(*rows, strict=True)]
            self.connection.execute(
                f"INSERT INTO {into} SELECT * FROM unnest({arrays}) {on}",
                columns,
            )
