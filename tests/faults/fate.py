"""Where a process dies: at the n-th moment of a phase, the same one each time it is asked.

A moment is any place at which a machine could stop: before and after a statement, before
and after a commit, before a file of a proof is opened or renamed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine, event
from sqlmodel import Session


class Fate:
    """``ends``: phase -> the moment, from 1, at which this process kills itself there.

    The edges are the moments around commits and files, counted apart as ``"<phase> edge"``:
    there are few of them, and they are where a mistake in the order of things shows.
    """

    def __init__(self, ends: Mapping[str, int]) -> None:
        self.ends, self.phase, self.passed = ends, "", Counter[str]()

    def watch(self, engine: Engine, proofs: Path) -> None:
        event.listen(engine, "before_cursor_execute", self._moment)
        event.listen(engine, "after_cursor_execute", self._moment)
        event.listen(engine, "commit", self._edge)
        event.listen(Session, "after_commit", self._edge)

        def file(name: str, args: tuple[object, ...]) -> None:
            if name in ("open", "os.rename") and str(args[0]).startswith(str(proofs)):
                self._edge()

        sys.addaudithook(file)

    def _moment(self, *_: object) -> None:
        self._pass(self.phase)

    def _edge(self, *_: object) -> None:
        self._pass(self.phase)
        self._pass(f"{self.phase} edge")

    def _pass(self, name: str) -> None:
        self.passed[name] += 1
        if self.passed[name] == self.ends.get(name):
            os.kill(os.getpid(), signal.SIGKILL)
