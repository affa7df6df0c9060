"""Travel times that an outside service told, kept by places: nobody pays twice for an answer.

One SQLite file for all processes of a machine. A row holds what was told of one place under one
basis (the server or map, the vehicle): its targets, each with seconds, metres and when that was.
Places are rounded to a metre, so whose they are does not matter. Losing the file loses money or
time, never a plan: whatever is wrong with it, nothing is known and nothing is kept.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from hub.core.contracts import AnswersInParts
from hub.core.plan_request import TravelMatrix, Whole
from hub.core.travel import ArrayTravel
from hub.core.values import Point

log = logging.getLogger(__name__)

DEGREE = 100_000  # steps of about a metre
MOST_BYTES = 200_000_000  # ten million ways
MOST_AGE = timedelta(days=90)
"""A place is where somebody lives, if nothing says who: nobody needs it any more by then."""
SPARE = 0.8  # of that much is left when room is made: rarely, and then for a while
MOST_TARGETS = 20_000  # of one place; the longest known are forgotten
ROWS = 50  # places in one question, so that a service that breaks off has answered most
WAIT_S = 5.0
CELL = np.dtype([("to", "<i8"), ("s", "<i4"), ("m", "<i4"), ("at", "<i4")])
Cells = np.ndarray[Any, Any]
Keys = np.ndarray[Any, np.dtype[np.int64]]
Told = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Use:
    """How many ways were wanted, how many of them were known, and what the file holds."""

    wanted: int = 0
    known: int = 0
    bytes: int = 0


class KnownTravel:
    """What ``provider`` says, asked only for what it did not say before."""

    def __init__(self, file: Path, most_bytes: int = MOST_BYTES) -> None:
        self.file, self.most_bytes = file, most_bytes

    def matrix(
        self,
        provider: AnswersInParts,
        places: Sequence[Point],
        depart_at: datetime,
        profile: str,
        *,
        now: datetime,
        keep: bool = True,
    ) -> TravelMatrix:
        """Raises what the provider raises; what it had answered by then is kept.

        ``keep=False``: look, but do not keep: for places that nobody will ask for again.
        """
        basis = provider.basis(depart_at, profile)
        since = now - provider.good_for
        keys = _keys(places)
        seconds, metres, told = self._known(basis, keys, since)
        wanted, known = told.size - len(places), int(told.sum()) - len(places)
        for rows, columns in _missing(told):
            some = [places[column] for column in columns]
            for first in range(0, len(rows), ROWS):
                part = rows[first : first + ROWS]
                froms = [places[row] for row in part]
                new_s, new_m = provider.part(froms, some, depart_at, profile)
                at = np.ix_(part, columns)
                seconds[at], metres[at] = new_s, new_m
                if keep:
                    self._keep(basis, keys[part], keys[columns], (new_s, new_m), now, since)
        np.fill_diagonal(seconds, 0)
        np.fill_diagonal(metres, 0)
        self._count(wanted, known)
        return ArrayTravel(seconds, metres)

    def forget(self, now: datetime) -> int:
        """What nobody was told of for ``MOST_AGE`` goes; how many places that were."""

        def write(db: sqlite3.Connection) -> int:
            old = (_minute(now - MOST_AGE),)
            return db.execute("DELETE FROM told WHERE told_at < ?", old).rowcount

        return self._within(write, 0, writes=True) if self.file.exists() else 0

    def use(self) -> Use:
        """Since the file was begun."""

        def read(db: sqlite3.Connection) -> Use:
            wanted, known = db.execute("SELECT wanted, known FROM use").fetchone()
            return Use(wanted, known, _size(db))

        return self._within(read, Use()) if self.file.exists() else Use()

    def _known(self, basis: str, keys: Keys, since: datetime) -> tuple[Whole, Whole, Told]:
        """What is known between these places, and where: to oneself it always is."""
        size, oldest = len(keys), _minute(since)

        def read(db: sqlite3.Connection) -> tuple[Whole, Whole, Told]:
            seconds, metres, told = _nothing(size)
            for n, key in enumerate(keys.tolist()):
                if not len(cells := _row(db, basis, key)):
                    continue
                at = np.minimum(np.searchsorted(cells["to"], keys), len(cells) - 1)
                found = (cells["to"][at] == keys) & (cells["at"][at] > oldest)
                seconds[n, found], metres[n, found] = cells["s"][at[found]], cells["m"][at[found]]
                told[n] |= found
            return seconds, metres, told

        return self._within(read, _nothing(size))

    def _keep(
        self,
        basis: str,
        froms: Keys,
        tos: Keys,
        told: tuple[Whole, Whole],
        now: datetime,
        since: datetime,
    ) -> None:
        new = np.zeros(len(tos), CELL)
        new["to"], new["at"] = tos, _minute(now)

        def write(db: sqlite3.Connection) -> None:
            for key, seconds, metres in zip(froms.tolist(), *told, strict=True):
                new["s"], new["m"] = seconds, metres
                cells = _together(_row(db, basis, key), new, _minute(since))
                db.execute(
                    "INSERT INTO told (basis, place, cells, told_at) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (basis, place) DO UPDATE"
                    " SET cells = excluded.cells, told_at = excluded.told_at",
                    (basis, key, cells.tobytes(), _minute(now)),
                )
            self._make_room(db)

        self._within(write, None, writes=True)

    def _make_room(self, db: sqlite3.Connection) -> None:
        """What was told longest ago goes first."""
        if (size := _size(db)) <= self.most_bytes:
            return
        too_much, gone = size - SPARE * self.most_bytes, list[tuple[int]]()
        for id, length in db.execute("SELECT rowid, length(cells) FROM told ORDER BY told_at"):
            if too_much <= 0:
                break
            gone.append((id,))
            too_much -= length
        db.executemany("DELETE FROM told WHERE rowid = ?", gone)
        log.info("travel times: %s places forgotten to make room", len(gone))

    def _count(self, wanted: int, known: int) -> None:
        def write(db: sqlite3.Connection) -> None:
            said = "UPDATE use SET wanted = wanted + ?, known = known + ?"
            db.execute(said, (wanted, known))

        if wanted:
            self._within(write, None, writes=True)

    def _within[T](
        self, act: Callable[[sqlite3.Connection], T], otherwise: T, *, writes: bool = False
    ) -> T:
        """``act`` in one transaction; ``otherwise`` where the file is of no use now."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.file, timeout=WAIT_S, isolation_level=None)) as db:
                db.executescript(TABLES)
                db.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                found = act(db)
                db.execute("COMMIT")
                return found
        except sqlite3.OperationalError as problem:  # somebody writes, or the disk is full
            log.warning("known travel times are not used: %s", problem)
        except sqlite3.DatabaseError as problem:
            log.warning("known travel times are forgotten, their file is damaged: %s", problem)
            self.file.unlink(missing_ok=True)
        return otherwise


TABLES = """
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS told (
  basis TEXT, place INTEGER, cells BLOB, told_at INTEGER, UNIQUE (basis, place)
);
CREATE INDEX IF NOT EXISTS told_at ON told (told_at);
CREATE TABLE IF NOT EXISTS use (id INTEGER PRIMARY KEY, wanted INTEGER, known INTEGER);
INSERT OR IGNORE INTO use VALUES (1, 0, 0);
"""


def _nothing(size: int) -> tuple[Whole, Whole, Told]:
    zero = np.zeros((size, size), np.int64)
    return zero, zero.copy(), np.eye(size, dtype=bool)


def _row(db: sqlite3.Connection, basis: str, place: int) -> Cells:
    """What was told of one place, in the order of its targets' keys."""
    said = "SELECT cells FROM told WHERE basis = ? AND place = ?"
    found = db.execute(said, (basis, place)).fetchone()
    return np.frombuffer(found[0] if found else b"", CELL)


def _together(old: Cells, new: Cells, oldest: int) -> Cells:
    """The newest of each target, without what is too old to be believed."""
    both = np.concatenate([old[old["at"] > oldest], new])
    order = np.lexsort((np.arange(len(both)), both["at"], both["to"]))
    both = both[order]
    last = np.append(both["to"][1:] != both["to"][:-1], True)
    kept: Cells = both[last]
    if len(kept) > MOST_TARGETS:
        newest = np.sort(np.argsort(kept["at"], kind="stable")[-MOST_TARGETS:])
        kept = kept[newest]
    return kept


def _missing(told: Told) -> list[tuple[list[int], list[int]]]:
    """Questions, as rows and columns, that together ask all that was not told.

    Few places are new on most days: their rows and their columns. Greedy: always the place of
    which most is missing.
    """
    missing = ~told
    todo, new = missing.copy(), list[int]()
    load = todo.sum(0) + todo.sum(1)
    while load.any():
        place = int(load.argmax())
        new.append(place)
        load -= todo[place].astype(load.dtype) + todo[:, place].astype(load.dtype)
        load[place] = 0
        todo[place] = todo[:, place] = False
    if not new:
        return []
    every = list(range(len(told)))
    if len(new) > len(every) / 2:
        return [(every, every)]
    new.sort()
    old = np.array(sorted(set(every) - set(new)), dtype=np.int64)
    to = np.flatnonzero(missing[new].any(axis=0)).tolist()
    back = old[missing[np.ix_(old, new)].any(axis=1)].tolist() if len(old) else []
    return [(rows, columns) for rows, columns in ((new, to), (back, new)) if rows and columns]


def _keys(places: Sequence[Point]) -> Keys:
    """A number for each place, the same for all within a metre's square."""
    north = np.rint([(place.lat + 90) * DEGREE for place in places]).astype(np.int64)
    east = np.rint([(place.lon + 180) * DEGREE for place in places]).astype(np.int64)
    return north << 26 | east  # 360 degrees are 36 million steps, less than 2**26


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _size(db: sqlite3.Connection) -> int:
    (pages,), (free,), (size,) = (
        db.execute(f"PRAGMA {name}").fetchone()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
