"""What a reader has not read yet is bounded, however large one message is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import uvloop

from hub.live.streams import MOST_UNREAD, Stream

LARGE = b"x" * 4 * MOST_UNREAD
PATIENCE_S = 10


def with_a_reader(script: Callable[[Stream, socket.socket, list[Stream]], object]) -> None:
    """``script`` gets a stream in a loop as the live process has, its other end, and who left."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
        left: list[Stream] = []
        await script(Stream(transport, "", left.append), theirs, left)  # type: ignore[misc]
        transport.abort()
        theirs.close()

    def in_a_loop() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asyncio.wait_for(run(), PATIENCE_S))

    with ThreadPoolExecutor(1) as apart:  # a browser may have its own loop in this thread
        apart.submit(in_a_loop).result()


async def read(theirs: socket.socket, text: bytes) -> bytes:
    """What arrives up to ``text``."""
    told = b""
    while text not in told:
        told += (some := await asyncio.get_running_loop().sock_recv(theirs, 65536))
        assert some, "the stream was dropped"
    return told


def test_a_first_message_larger_than_what_may_be_unread_arrives_whole() -> None:
    async def script(stream: Stream, theirs: socket.socket, left: list[Stream]) -> None:
        stream.begin(LARGE + b"1st")
        stream.write(b"2nd")  # what happens while the first is still on its way
        assert LARGE in await read(theirs, b"2nd")
        stream.write(LARGE + b"3rd")  # as when all drivers of a board have moved
        assert LARGE in await read(theirs, b"3rd")

    with_a_reader(script)


def test_who_reads_nothing_is_dropped_with_no_more_than_one_large_message_unread() -> None:
    async def script(stream: Stream, theirs: socket.socket, left: list[Stream]) -> None:
        written = len(LARGE)
        stream.begin(LARGE)
        while stream.is_open:
            stream.write(b"y" * 1000)
            written += 1000
            await asyncio.sleep(0)
        while not left:
            await asyncio.sleep(0)
        in_the_system = 2 * theirs.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert written < len(LARGE) + 2 * MOST_UNREAD + in_the_system

    with_a_reader(script)
