"""Processes that improve parts of a day beside this one, which does its share itself.

They are new interpreters, not forks: whoever plans may have threads, and may be forbidden
children. They end with whoever began them, whatever became of it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from types import TracebackType

from hub.plugins.routing_pyvrp.search import Found, Task, improved

LOG = logging.getLogger("hub.routing.pyvrp")
ENDS_S = 2.0
HELPER = "hub.plugins.routing_pyvrp.helper"


@dataclass(slots=True)
class _Helper:
    process: subprocess.Popen[bytes]
    pipe: Connection
    task: int | None = None  # the one it is at


class Crew:
    """``cores``: processes in all, this one among them."""

    def __init__(self, cores: int) -> None:
        self._helpers = [_begun() for _ in range(cores - 1)]
        self.cores = cores

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for helper in self._helpers:
            helper.pipe.close()  # it reads that as the end
        for helper in self._helpers:
            helper.process.terminate()
            try:
                helper.process.wait(ENDS_S)
            except subprocess.TimeoutExpired:
                helper.process.kill()
                helper.process.wait()

    def each(self, tasks: Sequence[Task], look: Callable[[], bool]) -> Iterator[tuple[int, Found]]:
        """What became of each task, in the order they end. None of a helper that died.

        ``look`` returning ``True`` has all of them end with what they have.
        """
        todo, done = deque(range(len(tasks))), deque[tuple[int, Found]]()
        stopped = False

        def tend() -> bool:
            nonlocal stopped
            self._collect(done, 0)
            if not stopped:
                self._hand_out(tasks, todo)
            if not stopped and look():
                stopped = True
                todo.clear()
                self._stop()
            return stopped

        self._hand_out(tasks, todo)
        while todo or done or any(helper.task is not None for helper in self._helpers):
            if todo:
                mine = todo.popleft()
                done.append((mine, improved(tasks[mine], tend)))
            else:
                self._collect(done, 0.1)
            tend()
            while done:
                yield done.popleft()

    def _hand_out(self, tasks: Sequence[Task], todo: deque[int]) -> None:
        for helper in self._helpers:
            if todo and helper.task is None:
                helper.task = todo.popleft()
                try:
                    helper.pipe.send(tasks[helper.task])
                except OSError:
                    todo.appendleft(helper.task)
                    self._lost(helper)
                    return

    def _collect(self, done: deque[tuple[int, Found]], timeout_s: float) -> None:
        busy = {h.pipe: h for h in self._helpers if h.task is not None}
        for pipe in wait(list(busy), timeout_s) if busy else ():
            helper = busy[pipe]  # type: ignore[index]
            try:
                found = helper.pipe.recv()
            except (EOFError, OSError):
                self._lost(helper)
                continue
            if helper.task is not None and found is not None:
                done.append((helper.task, found))
            helper.task = None

    def _stop(self) -> None:
        for helper in self._helpers:
            if helper.task is not None:
                try:
                    helper.pipe.send("stop")
                except OSError:
                    self._lost(helper)

    def _lost(self, helper: _Helper) -> None:
        code = helper.process.poll()
        LOG.warning("a helping process ended with code %s; planning goes on without it", code)
        helper.pipe.close()
        self._helpers = [one for one in self._helpers if one is not helper]


def _begun() -> _Helper:
    ours, theirs = Pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", HELPER, str(theirs.fileno()), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
    finally:
        theirs.close()
    return _Helper(process, ours)
