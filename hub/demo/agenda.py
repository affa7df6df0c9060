"""What is still to happen on a played day, in the order in which its time comes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count

from hub.core.errors import HubError, Unavailable
from hub.demo.clock import Clock
from hub.demo.notebook import Notebook


class Agenda:
    """``pending``: things that will happen for sure, without which no day is over."""

    def __init__(self, clock: Clock, book: Notebook) -> None:
        self.clock, self.book, self.pending = clock, book, 0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._counter = count()

    def at(self, at_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._later, (at_s, next(self._counter), act))

    def surely(self, at_s: float, act: Callable[[], None]) -> None:
        """Something without which the day is not over."""
        self.pending += 1

        def once() -> None:
            self.pending -= 1
            try:
                act()
            except Unavailable:
                raise
            except HubError as problem:
                self.book.hiccups.append(str(problem))

        self.at(at_s, once)

    def every(self, at_s: float, every_s: float, act: Callable[[], None]) -> None:
        """Again and again, also after a time when it went wrong."""

        def again() -> None:
            try:
                act()
            finally:
                self.every(self.clock.now.timestamp() + every_s, every_s, act)

        self.at(at_s, again)

    def due(self, now_s: float) -> Iterator[Callable[[], None]]:
        """What is to happen by now, also what is added meanwhile."""
        while self._later and self._later[0][0] <= now_s:
            yield heapq.heappop(self._later)[2]
