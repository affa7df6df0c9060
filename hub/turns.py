"""Turns at something foreign, for threads that have a person waiting and other work to do.

Few are inside at a time, nobody waits behind one that hangs, and what was silent just now is
not asked again for a moment: so one silent storage takes some threads, never all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from hub.core.errors import RetryLater, Unavailable

AT_ONCE, OF_ALL = 3, 8  # inside: of one, and of all of them, of sixteen threads a process has
SLOW_S = 2.0  # who is inside for longer hangs, and is not waited for
SILENT_S = 20.0


class Turns:
    """Of one process. ``clock``: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._change = Condition()
        self._inside: list[tuple[str, float]] = []  # of what, since when
        self._silent: dict[str, float] = {}  # until when

    @contextmanager
    def at(self, what: str) -> Iterator[None]:
        """One turn at ``what``, by its id. Raises ``Unavailable`` at once if there is none.

        A block that raises ``RetryLater`` after it hung marks ``what`` as silent.
        """
        turn = self._enter(what)
        try:
            yield
        except RetryLater:
            if self._clock() - turn[1] >= SLOW_S:
                with self._change:
                    self._silent[what] = self._clock() + SILENT_S
            raise
        finally:
            with self._change:
                self._inside.remove(turn)
                self._change.notify_all()

    def _enter(self, what: str) -> tuple[str, float]:
        with self._change:
            while True:
                now = self._clock()
                if self._silent.get(what, now) > now:
                    raise Unavailable("It did not answer just now. Try again in half a minute.")
                self._silent.pop(what, None)
                mine = [since for of, since in self._inside if of == what]
                before = mine if len(mine) >= AT_ONCE else [since for _, since in self._inside]
                if len(mine) < AT_ONCE and len(self._inside) < OF_ALL:
                    self._inside.append((what, now))
                    return self._inside[-1]
                if (left := min(before) + SLOW_S - now) <= 0:
                    raise Unavailable("It is busy and answers slowly. Try again in half a minute.")
                self._change.wait(left)
