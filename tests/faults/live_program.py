"""The live process as its own program, or one that says "safe" before it is.

The second is there to show that the test sees a loss where there is one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from hub.live import app
from hub.live.app import Live
from hub.live.ledger import Ledger, open_ledger
from hub.live.server import serving, take_over
from hub.live.writer import Answer, Kept, Posted, Writer
from hub.settings import Settings


class Slow:
    """A ledger on a disk that takes its time."""

    def __init__(self, ledger: Ledger) -> None:
        self.begin, self.recent = ledger.begin, ledger.recent
        self.chunk_at, self.put = ledger.chunk_at, ledger.put
        self.is_noticed = ledger.is_noticed
        self.roll_back, self.close, self._commit = ledger.roll_back, ledger.close, ledger.commit

    def commit(self, *rows: Any) -> None:
        time.sleep(0.1)
        self._commit(*rows)


class Careless(Writer):
    def put(self, posts: Sequence[tuple[Posted, Answer]]) -> None:
        super().put([(posted, lambda kept: None) for posted, _ in posts])
        for _, answer in posts:
            answer(Kept())


def main(socket: str, kind: str) -> None:
    settings = Settings.from_environment()
    if kind == "careless":
        app.Writer = Careless  # type: ignore[misc]
        app.open_ledger = lambda settings: Slow(open_ledger(settings))  # type: ignore[assignment, return-value]
    serving(
        Live(settings, now=settings.clock(), most_streams=100, take_over=take_over), uds=socket
    ).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
