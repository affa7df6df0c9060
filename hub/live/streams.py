"""Open responses that events are written to. Writing never waits: who does not read is dropped."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import msgspec

PING_EVERY_S = 25.0  # proxies and phones' networks cut what is silent for 30 s
RETRY_MS = (2_000, 8_000)  # spread, so that not all come back in the same second
MOST_UNREAD = 64_000  # bytes, beside one message that may be larger by itself
HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"content-type: text/event-stream\r\n"
    b"cache-control: no-store\r\n"
    b"x-accel-buffering: no\r\n"  # nginx in front would hold events back
    b"x-robots-tag: noindex, nofollow\r\n"
)
IN_CHUNKS = b"transfer-encoding: chunked\r\n\r\n"
TO_THE_END = b"connection: close\r\n\r\n"  # RFC 9112, 6.1: HTTP/1.0 knows no chunks
_encode = msgspec.json.encode


def event(name: str, id_: int, data: object) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (id_, name.encode(), _encode(data))


def hello() -> bytes:
    """What every stream begins with: how long to wait before coming back."""
    return b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311  (no secret)


class Stream(asyncio.Protocol):
    """One open response, which has its connection for itself from the head on.

    A server's objects for a request, kept for each of ten thousand open pages, would be most of
    what they take, and its ways of sending most of the time. ``address`` is the reader's, empty
    where it is not known; ``left`` is called once, when the connection is no more. ``chunked``
    is false for a reader who knows no chunks.
    """

    __slots__ = (
        "__weakref__",
        "_chunked",
        "_left",
        "_spared",
        "_transport",
        "address",
        "is_open",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        address: str,
        left: Callable[[Stream], None],
        *,
        chunked: bool = True,
    ) -> None:
        self._transport, self.address, self._left = transport, address, left
        self._chunked, self._spared = chunked, 0
        self.is_open = True

    def begin(self, first: bytes) -> None:
        """Take the connection over, and answer with a head and ``first``."""
        self._transport.set_protocol(self)
        if self._transport.is_closing():  # the reader left before there was an answer
            self.connection_lost(None)
            return
        self._transport.resume_reading()  # else nobody would notice that he leaves
        self._transport.write(HEAD + (IN_CHUNKS if self._chunked else TO_THE_END))
        self.write(first)

    def write(self, data: bytes) -> None:
        """Nothing for a reader who has left; uvloop raises where that is not asked first.

        A reader with more than ``MOST_UNREAD`` unread is dropped; it comes back and gets the
        newest. One message may be larger than that, as the first of a board with hundreds of
        drivers is: else its reader would be dropped each time it comes.
        """
        if not self.is_open or self._transport.is_closing():
            return
        unread = self._transport.get_write_buffer_size()
        if unread <= MOST_UNREAD:
            self._spared = len(data)
        elif unread > MOST_UNREAD + self._spared:
            self.drop()
            return
        self._transport.write(_chunk(data) if self._chunked else data)

    def end(self) -> None:
        """Say that this is all."""
        if self.is_open and not self._transport.is_closing():
            if self._chunked:
                self._transport.write(b"0\r\n\r\n")
            self._transport.close()
        self.is_open = False

    def drop(self) -> None:
        self.is_open = False
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        left, self._left = self._left, _nobody
        left(self)


def _nobody(stream: Stream) -> None: ...


def _chunk(data: bytes) -> bytes:
    """RFC 9112, 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Pings:
    """A comment to every stream each ``PING_EVERY_S``, a few streams at each tick."""

    def __init__(self, tick_s: float) -> None:
        self._slots: list[set[Stream]] = [set() for _ in range(round(PING_EVERY_S / tick_s))]
        self._at: dict[Stream, int] = {}
        self._now = 0

    def add(self, stream: Stream) -> None:
        self._at[stream] = slot = (self._now - 1) % len(self._slots)
        self._slots[slot].add(stream)

    def discard(self, stream: Stream) -> None:
        if (slot := self._at.pop(stream, None)) is not None:
            self._slots[slot].discard(stream)

    def tick(self) -> None:
        due, self._now = self._slots[self._now], (self._now + 1) % len(self._slots)
        for stream in tuple(due):
            stream.write(b":\n\n")
