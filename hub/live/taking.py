"""Taking posted fixes in: what lies within a shift is stored, then answered for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from hub.keys import hashed
from hub.live import fixes as coming
from hub.live.audience import Audience
from hub.live.driving import ms
from hub.live.fixes import Fix
from hub.live.problems import CannotStore, Problem
from hub.live.values import AHEAD_MS, Driving
from hub.live.world import World
from hub.live.writer import Answer as Answering
from hub.live.writer import Kept, Posted, Writer

log = logging.getLogger(__name__)

MOST_TURNS = 16  # of the loop, some 20 microseconds each, for what comes together
CANNOT_STORE = "Positions cannot be stored at this moment. Keep them and try again."


class Taking:
    """In the loop's thread, but for ``stored``, which the writer calls in its own."""

    def __init__(self, world: World, audience: Audience, now: Callable[[], datetime]) -> None:
        self._world, self._audience, self.now = world, audience, now
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[tuple[int, str]]] = set()
        self._gathered: list[tuple[Posted, Answering]] = []

    def write_by(self, writer: Writer) -> None:
        self._writer = writer

    async def posted(self, one: Driving, fixes: Sequence[Fix]) -> bytes:
        """What a phone of ours is answered. Raises ``Problem`` 503 where nothing was stored."""
        return _said(fixes, *await self.take(one, fixes))

    def at_once(self, token: str, body: bytes, answer: Callable[[bytes | Problem], None]) -> bool:
        """Take the fixes of a phone that is known and at work, as almost all are.

        False: nothing was done, and ``answer`` is not called; the long way knows what to say.
        What a task and its futures take is a third of what it takes to store ten fixes.
        """
        one = self._world.known(hashed(token))
        if one is None:
            return False
        try:
            fixes = coming.read(body)
        except Problem:
            return False
        now_ms = ms(self.now())
        first_ms, last_ms = coming.span_ms(fixes)
        if not one.works_all_along(first_ms, last_ms, now_ms):
            return False

        def stored(kept: Kept | CannotStore) -> None:
            if isinstance(kept, CannotStore):
                answer(Problem(503, CANNOT_STORE, retry_after_s=5))
            elif not kept.clashes and one.works_all_along(first_ms, last_ms, now_ms):
                answer(b'{"seq":%d,"kept":%d,"dropped":0,"why":""}' % (fixes[-1].seq, len(fixes)))
            else:
                self._later(one, fixes, kept.clashes, now_ms, answer)

        return self._put(Posted(one.device, one.round, fixes, now_ms), stored)

    def _put(self, posted: Posted, answer: Answering) -> bool:
        """False when too much waits already."""
        if not self._writer.has_room(len(self._gathered)):
            return False
        if not self._gathered:
            self._loop.call_soon(self._hand_over, 0, MOST_TURNS)
        self._gathered.append((posted, answer))
        return True

    def _hand_over(self, were: int, turns: int) -> None:
        """To the writer, once a turn of the loop has brought no more: one commit for all of it.

        Were it told of the first at once, it would commit that alone while the others come.
        """
        if turns and len(self._gathered) > were:
            self._loop.call_soon(self._hand_over, len(self._gathered), turns - 1)
            return
        gathered, self._gathered = self._gathered, []
        self._writer.put(gathered)

    async def take(self, one: Driving, fixes: Sequence[Fix]) -> tuple[int, str]:
        """Store what lies within a shift. How many were dropped, and why; answered once the
        others survive a power cut.
        """
        now_ms = ms(self.now())
        at_work = _at_work(one, fixes, now_ms)
        if len(at_work) < len(fixes):
            await self._world.looked_again(one)  # the act that began the shift came another way
            at_work = _at_work(one, fixes, now_ms)
        clashes = 0
        if at_work:
            clashes = await self._store(Posted(one.device, one.round, at_work, now_ms))
        return await self._dropped(one, fixes, at_work, clashes, now_ms)

    async def _dropped(
        self,
        one: Driving,
        fixes: Sequence[Fix],
        stored: Sequence[Fix],
        clashes: int,
        now_ms: int,
    ) -> tuple[int, str]:
        still = _at_work(one, stored, now_ms)
        if len(still) < len(stored):  # the shift's end became known while they were being stored
            off_shift = [fix.t for fix in stored if not one.works_at(fix.t, now_ms)]
            await self._world.forget_off_shift(one, min(off_shift) - 1)
        idle = len(fixes) - len(still)
        return idle + clashes, _why(fixes, idle, clashes, now_ms)

    def _later(
        self,
        one: Driving,
        fixes: Sequence[Fix],
        clashes: int,
        now_ms: int,
        answer: Callable[[bytes | Problem], None],
    ) -> None:
        """Answer once what does not count is forgotten."""

        def done(task: asyncio.Task[tuple[int, str]]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if task.cancelled() or error is not None:
                log.error("what was off shift stays device=%s", one.device.id, exc_info=error)
                detail = "The hub's database does not answer. Try again."
                answer(Problem(503, detail, retry_after_s=5))
            else:
                answer(_said(fixes, *task.result()))

        task = self._loop.create_task(self._dropped(one, fixes, fixes, clashes, now_ms))
        self._tasks.add(task)  # the loop itself does not hold it
        task.add_done_callback(done)

    async def _store(self, posted: Posted) -> int:
        """How many of them cannot be stored, for other fixes have their numbers."""
        future: asyncio.Future[Kept] = self._loop.create_future()

        def answer(kept: Kept | CannotStore) -> None:
            if future.done():  # whoever asked has left
                return
            if isinstance(kept, CannotStore):
                future.set_exception(kept)
            else:
                future.set_result(kept)

        try:
            if self._put(posted, answer):
                return (await future).clashes
        except CannotStore:
            pass
        raise Problem(503, CANNOT_STORE, retry_after_s=5)

    def stored(self, answers: Sequence[tuple[Answering, Kept | CannotStore]]) -> None:
        """In the writer's thread."""
        self._loop.call_soon_threadsafe(self._tell, answers)

    def _tell(self, answers: Sequence[tuple[Answering, Kept | CannotStore]]) -> None:
        for answer, kept in answers:
            answer(kept)
        self._audience.moved(
            kept.last for _, kept in answers if isinstance(kept, Kept) and kept.last is not None
        )


def _at_work(one: Driving, fixes: Sequence[Fix], now_ms: int) -> Sequence[Fix]:
    """Those of ``fixes`` that lie within a shift; mostly all of them lie within one."""
    if fixes and one.works_all_along(*coming.span_ms(fixes), now_ms):
        return fixes
    return [fix for fix in fixes if one.works_at(fix.t, now_ms)]


def _said(fixes: Sequence[Fix], dropped: int, why: str) -> bytes:
    kept = len(fixes) - dropped
    said = {"seq": fixes[-1].seq, "kept": kept, "dropped": dropped, "why": why}
    return msgspec.json.encode(said)


def _why(fixes: Sequence[Fix], idle: int, clashes: int, now_ms: int) -> str:
    said = []
    if idle:
        ahead_s = (fixes[-1].t - now_ms) // 1000
        is_ahead = ahead_s > AHEAD_MS // 1000
        clock = f"the phone's clock is {ahead_s} s ahead. Set it by the network."
        why = clock if is_ahead else "the driver was not on a shift."
        said.append(f"{_some(idle)} not kept: {why}")
    if clashes:
        said.append(f"{_some(clashes)} not kept: other fixes had the same numbers before.")
    return " ".join(said)


def _some(count: int) -> str:
    return "1 fix was" if count == 1 else f"{count} fixes were"
