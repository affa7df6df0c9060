"""Questions to a database, asked together by all who wait for the same kind of answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

WAIT_S = 10.0  # a phone or page asks again; one that waits for ever never does


class Asking[T]:
    """``ask`` answers many keys at once, in another thread; a key it leaves out is unknown.

    After a restart thousands of pages come back within seconds: one question for each would
    take minutes, one for all that wait takes a second.
    """

    def __init__(self, executor: Executor, ask: Callable[[Sequence[str]], Mapping[str, T]]) -> None:
        self._executor, self._ask = executor, ask
        self._waiting: dict[str, asyncio.Future[T | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, key: str) -> T | None:
        """Raises what ``ask`` raised, ``TimeoutError`` when no answer comes."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        async with asyncio.timeout(WAIT_S):
            return await asyncio.shield(future)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await loop.run_in_executor(self._executor, self._ask, list(asked))
            except Exception as error:
                for future in asked.values():
                    if not future.done():
                        future.set_exception(error)
                        future.exception()  # its asker may have left: that is no news
                continue
            for key, future in asked.items():
                if not future.done():
                    future.set_result(found.get(key))
        self._task = None
