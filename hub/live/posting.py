"""A post of fixes answered by its connection itself, without an ASGI cycle between.

A task, its scope, its messages and the futures it waits for take as long as storing ten fixes
does. What is not a plain post by a known phone at work goes the long way, with what of it has
come; so there is one place that says what is wrong with a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from hub.live.problems import Problem
from hub.live.request import BODY_S, Answer, late, told

PATH = b"/live/fixes"


class Post:
    """A request under way; to uvicorn's protocol it is the cycle of its connection.

    By the names in ``uvicorn.protocols.http.httptools_impl`` of 0.54, to which it is pinned.
    """

    __slots__ = (
        "_done",
        "_timer",
        "body",
        "disconnected",
        "keep_alive",
        "response_complete",
        "token",
        "transport",
    )

    def __init__(
        self, token: str, transport: asyncio.Transport, keep_alive: bool, done: Callable[[], None]
    ) -> None:
        """``done`` is called once it is answered, if the connection is there still."""
        self.token, self.transport, self.keep_alive, self._done = token, transport, keep_alive, done
        self.body = b""
        self.disconnected = self.response_complete = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def message_event(self) -> Post:
        return self

    def set(self) -> None:
        """The connection is gone."""
        self.no_longer()

    def wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """For the rest of the body, which has ``BODY_S`` from its first wait on."""
        if self._timer is None:
            self._timer = loop.call_later(BODY_S, self._too_late)

    def no_longer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def answer(self, said: bytes | Problem) -> None:
        if isinstance(said, Problem):
            self._send(told(said))
        elif not self.response_complete and not self.transport.is_closing():
            close = b"" if self.keep_alive else b"connection: close\r\n"
            self.transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncache-control: no-store\r\n%b"
                b"content-type: application/json\r\n\r\n%b" % (len(said), close, said)
            )
            self._ended()

    def _send(self, answer: Answer) -> None:
        if not self.response_complete and not self.transport.is_closing():
            self.transport.write(answer.raw(is_last=not self.keep_alive))
            self._ended()

    def _ended(self) -> None:
        self.response_complete = True
        if not self.keep_alive:
            self.transport.close()
        self._done()

    def _too_late(self) -> None:
        self._timer = None
        self.keep_alive = False  # what is left of it must not be read as the next request
        self.answer(late())


def token_of(headers: Sequence[tuple[bytes, bytes]], most: int) -> str | None:
    """The bearer token of a plain post of at most so many bytes; ``None`` for any other."""
    token: str | None = None
    length: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            kind, _, said = value.partition(b" ")
            if kind.lower() != b"bearer":
                return None
            token = said.strip().decode("latin-1")
        elif name == b"content-length":
            length = value
        elif name in (b"transfer-encoding", b"expect", b"upgrade"):
            return None
    if length is None or not length.isdigit() or int(length) > most:
        return None
    return token or None
