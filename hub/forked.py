"""The hub's commands as processes, forked from one that has imported what they need.

A new interpreter takes seconds to import it all and keeps a copy of its own in memory; a fork
begins at once and shares it. That one process has no threads, no connection and no plugin of
somebody else's, so that nothing half done is ever copied.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from hub import fork_server
from hub.core.errors import ConfigError

_FORKS = multiprocessing.get_context("forkserver")
_PRELOADED = ["hub.preloaded"]
SAYS_S = 5.0  # the fork server hears in milliseconds that a process has ended
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # prctl(2), Linux


class Forked:
    """One running ``hub`` command; it offers what ``subprocess.Popen`` does.

    It is asked to stop when whoever began it is gone (on Linux), and heads a process group of its
    own.
    ``prints_to``: a file for its standard output; where the caller prints if left out. Raises
    ``OSError`` where it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        prints_to: Path | None = None,
        *,
        says_s: float = SAYS_S,
    ) -> None:
        _FORKS.set_forkserver_preload(_PRELOADED)
        self._process = _FORKS.Process(target=_run, args=(list(argv), dict(env), prints_to))
        fork_server.begun(self._process)
        self.pid: int = self._process.pid or 0
        self._says_s, self._ended_at = says_s, 0.0

    def poll(self) -> int | None:
        """The exit code, negative for a signal; ``None`` while it runs.

        255 if it ended and the process it was forked from did not say so; that one is replaced.
        """
        code = self._process.exitcode
        if code is None and fork_server.has_ended(self.pid):
            self._ended_at = self._ended_at or time.monotonic()
            if time.monotonic() - self._ended_at > self._says_s:
                fork_server.replace(f"it did not say that process {self.pid} has ended")
                return 255
        return code

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises ``TimeoutError`` if it still runs after ``timeout`` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError
            self._process.join(0.2)
        return code


def get_ready() -> None:
    """Have all that commands need imported meanwhile: whoever forks one soon need not wait."""
    _FORKS.set_forkserver_preload(_PRELOADED)
    fork_server.start()


def at_once(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Run a command to its end. Raises ``ConfigError`` if it fails; it has said why."""
    if code := Forked(argv, env).wait():
        raise ConfigError(f"`hub {argv[0]}` ended with {code}; see the lines above.")


def die_with_parent() -> None:
    """Whoever calls this is asked to stop when its parent is gone (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _run(argv: list[str], env: dict[str, str], prints_to: Path | None) -> None:
    os.setsid()
    die_with_parent()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"hub {argv[0]}".encode())  # as ps and top show it
    os.environ.clear()
    os.environ.update(env)
    if prints_to is not None:
        with open(prints_to, "ab") as out:
            os.dup2(out.fileno(), sys.stdout.fileno())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(import_module("hub.cli").main(argv))
