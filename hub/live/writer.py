"""One thread commits what the phones post: as a group whatever queued during the last commit.

No timer: at any load this was the best of what was tried. Nobody is answered before the
commit that holds his fixes, so that a kill loses nothing anyone was told is safe.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from msgspec import Struct

from hub.live.fixes import Fix
from hub.live.late import settled
from hub.live.ledger import Chunk, Last, Ledger, Noticed, chunk_of
from hub.live.meaning import Meanings
from hub.live.problems import CannotStore
from hub.live.store import LastFix
from hub.live.values import Device, Round

log = logging.getLogger(__name__)

MOST_AT_ONCE = 512  # posts in one commit
MOST_WAITING = 4096  # posts; beyond that a phone is told to come later, at once


class Posted(Struct, frozen=True):
    """Fixes of one phone in the order of their numbers, all of them within a shift."""

    device: Device
    round: Round | None
    fixes: Sequence[Fix]
    now_ms: int


class Kept(Struct, frozen=True):
    """``last``: the newest good one, if any. All are stored now, but ``clashes`` of them:
    those have numbers that other fixes had before.
    """

    last: LastFix | None = None
    clashes: int = 0


Answer = Callable[[Kept | CannotStore], None]


@dataclass(slots=True)
class _Work:
    """What a group adds, until it is committed. ``put``: some chunks were put already."""

    chunks: list[Chunk] = field(default_factory=list)
    lasts: dict[str, Last] = field(default_factory=dict)
    noticed: list[Noticed] = field(default_factory=list)
    put: bool = False


class Writer:
    """``answer_all`` gets each group's answers at once, in this thread, after the commit."""

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        meanings: Meanings,
        answer_all: Callable[[Sequence[tuple[Answer, Kept | CannotStore]]], None],
    ) -> None:
        self._open, self._meanings, self._answer_all = open_ledger, meanings, answer_all
        self._queue: SimpleQueue[tuple[Posted, Answer] | None] = SimpleQueue()
        self._ledger: Ledger | None = None
        self._failed_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def has_room(self, gathered: int) -> bool:
        """Whether one more can wait, beside ``gathered`` that are to be put as well."""
        return self._queue.qsize() + gathered < MOST_WAITING

    def put(self, posts: Sequence[tuple[Posted, Answer]]) -> None:
        """For all of which there was room."""
        for one in posts:
            self._queue.put(one)

    def close(self) -> None:
        """Store what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._group()
            if group:
                self._answer_all(self._settle(group))
        if self._ledger is not None:
            self._ledger.close()

    def _group(self) -> tuple[list[tuple[Posted, Answer]], bool]:
        group: list[tuple[Posted, Answer]] = []
        item = self._queue.get()
        try:
            while item is not None:
                group.append(item)
                if len(group) == MOST_AT_ONCE:
                    return group, False
                item = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True

    def _settle(
        self, group: list[tuple[Posted, Answer]]
    ) -> list[tuple[Answer, Kept | CannotStore]]:
        try:
            kept = self._store([posted for posted, _ in group])
        except Exception as error:  # whatever it was, nobody may be told that it is safe
            self._failed(error, group)
            refused = CannotStore(str(error))
            return [(answer, refused) for _, answer in group]
        if self._failed_since is not None:
            log.warning("positions are stored again after_s=%.0f", time.time() - self._failed_since)
            self._failed_since = None
        return [(answer, one) for (_, answer), one in zip(group, kept, strict=True)]

    def _failed(self, error: Exception, group: list[tuple[Posted, Answer]]) -> None:
        if self._failed_since is None:
            self._failed_since = time.time()
            log.error("positions cannot be stored: %s", error, exc_info=error)
        for posted, _ in group:
            self._meanings.forget(posted.device.id)
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            try:
                ledger.roll_back()
                ledger.close()
            except Exception as worse:  # the connection is gone, and with it its transaction
                log.debug("closing a broken connection: %s", worse)

    def _store(self, group: Sequence[Posted]) -> list[Kept]:
        if self._ledger is None:
            self._ledger = self._open()
        ledger = self._ledger
        phones = list({p.device.id: (p.device.business_id, p.device.id) for p in group}.values())
        through = ledger.begin(phones)
        work = _Work()
        kept = [self._keep(ledger, posted, through, work) for posted in group]
        if work.chunks or work.put:
            ledger.commit(work.chunks, list(work.lasts.values()), work.noticed)
        else:
            ledger.roll_back()
        return kept

    def _keep(self, ledger: Ledger, posted: Posted, through: dict[str, int], work: _Work) -> Kept:
        device, fixes = posted.device, posted.fixes
        stored = through[device.id]
        fresh = fixes if fixes[0].seq > stored else [fix for fix in fixes if fix.seq > stored]
        clashes = 0
        if len(fresh) < len(fixes):
            clashes = _keep_late(ledger, posted, fixes[: len(fixes) - len(fresh)], work)
        if not fresh:
            return Kept(clashes=clashes)
        work.chunks.append(chunk_of(device, fresh, posted.now_ms))
        new, good = self._meanings.step(ledger, posted, fresh, stored)
        work.noticed += new
        work.lasts[device.id] = _last(posted, fresh[-1].seq, good, work.lasts.get(device.id))
        through[device.id] = fresh[-1].seq
        return Kept(None if good is None else _seen(posted, good), clashes)


def _keep_late(ledger: Ledger, posted: Posted, late: Sequence[Fix], work: _Work) -> int:
    """Keep those that are not stored; how many cannot be. They mean nothing any more."""
    if work.chunks:
        ledger.put(work.chunks)
        work.put = True
    work.chunks, clashes = settled(ledger, posted, late)
    return clashes


def _last(posted: Posted, through: int, fix: Fix | None, earlier: Last | None) -> Last:
    device = posted.device
    if fix is None:
        if earlier is not None:  # of the same group
            return earlier._replace(through=through)
        nowhere = (0, 0, None, None, None, None, None, None)
        return Last(
            device.id, device.business_id, device.driver_id, through, *nowhere, posted.now_ms
        )
    return Last(
        device.id,
        device.business_id,
        device.driver_id,
        through,
        fix.seq,
        fix.t,
        fix.lat,
        fix.lon,
        fix.acc,
        fix.spd,
        fix.hdg,
        fix.bat,
        posted.now_ms,
    )


def _seen(posted: Posted, fix: Fix) -> LastFix:
    device = posted.device
    return LastFix(
        device.id,
        device.business_id,
        device.driver_id,
        fix.seq,
        fix.t,
        fix.lat,
        fix.lon,
        fix.acc,
        fix.spd,
        fix.hdg,
        fix.bat,
        posted.now_ms,
    )
