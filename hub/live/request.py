"""One request as ASGI tells it, and one answer; no framework between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from hub.live.problems import Problem

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Scope = Mapping[str, Any]

BODY_S = 20.0  # a phone with one bar of signal sends 256 kB in less


class Request:
    __slots__ = ("_receive", "headers", "method", "path", "query", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self.send = scope, receive, send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])

    @property
    def address(self) -> str:
        """Whose request it is: our front door says so, else the socket does; may be empty."""
        told = self.headers.get(b"x-forwarded-for")
        if told and not self.scope["client"]:  # on a Unix socket, which only the door opens
            return told.rsplit(b",", 1)[-1].strip().decode("latin-1")
        client = self.scope["client"]
        return client[0] if client else ""

    @property
    def host(self) -> str:
        """The name it was asked for by, in small letters and without a port; may be empty."""
        told = b"" if self.scope["client"] else self.headers.get(b"x-forwarded-host", b"")
        said = told.rsplit(b",", 1)[-1].strip() or self.headers.get(b"host", b"")
        return said.decode("latin-1").partition(":")[0].rstrip(".").lower()

    @property
    def bearer(self) -> str:
        kind, _, token = self.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def cookie(self, name: str) -> str:
        for part in self.headers.get(b"cookie", b"").decode("latin-1").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return ""

    async def body(self, most: int) -> bytes:
        """Raises ``Problem`` 413 beyond ``most`` bytes, 400 for one that does not arrive."""
        said = self.headers.get(b"content-length", b"0")
        if not said.isdigit() or int(said) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(BODY_S):
                return await self._whole(most)
        except TimeoutError:
            raise late() from None

    async def _whole(self, most: int) -> bytes:
        body: bytes = b""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "The connection broke off.")
            body += bytes(message.get("body", b""))
            if len(body) > most:
                raise _too_large(most)
            if not message.get("more_body"):
                return body


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status, "headers": self._head()}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})

    def raw(self, *, is_last: bool) -> bytes:
        """As it goes over the wire, with the word that the connection ends with it, if so."""
        lines = [b"HTTP/1.1 %d %b" % (self.status, HTTPStatus(self.status).phrase.encode())]
        lines += [b"%b: %b" % header for header in self._head()]
        if is_last:
            lines.append(b"connection: close")
        return b"\r\n".join((*lines, b"", self.body))

    def _head(self) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"cache-control", b"no-store"),
            *self.headers,
        ]
        if self.body:
            headers.append((b"content-type", self.content_type))
        if self.status == 304:
            del headers[0]
        return headers


def told(problem: Problem) -> Answer:
    # What is left of a refused body must not be read as the next request.
    close = ((b"connection", b"close"),) if problem.status == 413 else ()
    headers = (*problem.headers, *close)
    return Answer(problem.status, problem.body(), b"application/problem+json", headers)


def late() -> Problem:
    return Problem(400, f"The body did not arrive within {BODY_S:.0f} s.")


def _too_large(most: int) -> Problem:
    return Problem(413, f"The body may have {most // 1000} kB at most. Send fewer fixes at once.")
