"""How much one address may have of the live process. In memory: a restart forgives everybody."""

from __future__ import annotations

import time
from collections import Counter

from hub.live.problems import Problem

GUESSES, WITHIN_S = 30, 600  # of tokens that open nothing, from one address
STREAMS = 300  # open at once from one address: an office, or a phone network's gateway
MOST_ADDRESSES = 50_000  # remembered; more than that is an attack, and the oldest are forgotten


class Limits:
    """An empty address is one that is not known: our own machine's, which is not limited."""

    def __init__(self, most_streams: int) -> None:
        self._most_streams = most_streams
        self._guesses: dict[str, tuple[int, float]] = {}
        self._streams: Counter[str] = Counter()
        self._open = 0

    def guess(self, address: str) -> None:
        """A token opened nothing. Raises ``Problem`` 429 for the one too many.

        Who has one that opens something is never held off: behind a phone network's or an
        office's address a single stranger would shut out everybody.
        """
        if not address:
            return
        at = time.monotonic()
        count, since = self._guesses.pop(address, (0, at))
        if at - since > WITHIN_S:
            count, since = 0, at
        self._guesses[address] = count + 1, since
        if len(self._guesses) > MOST_ADDRESSES:
            del self._guesses[next(iter(self._guesses))]
        if count >= GUESSES:
            detail = "Too many links or tokens that do not exist. Wait ten minutes."
            raise Problem(429, detail, retry_after_s=WITHIN_S)

    def open_stream(self, address: str) -> None:
        """Raises ``Problem`` 503; each one opened must be closed."""
        if self._open >= self._most_streams or (address and self._streams[address] >= STREAMS):
            detail = "Too many pages are open here at once. Ask for the state now and then instead."
            raise Problem(503, detail, retry_after_s=30)
        self._streams[address] += 1
        self._open += 1

    def close_stream(self, address: str) -> None:
        self._open -= 1
        self._streams[address] -= 1
        if not self._streams[address]:
            del self._streams[address]
