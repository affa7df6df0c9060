"""Start the live process: uvicorn on a Unix socket, with limits it does not have by itself."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import socket as sockets
import sys
from pathlib import Path
from typing import Any

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.live.app import MOST_BODY, Live
from hub.live.heads import Heads, apart
from hub.live.posting import PATH, Post, token_of
from hub.settings import Settings

log = logging.getLogger(__name__)

HEAD_S = 20.0  # for a whole head to arrive
MOST_HEAD = 64_000  # bytes; Caddy passes on no more than this anyway
SPARE_FILES = 256  # for databases, logs, and those who post while all else is pages
KEEP_S = 150  # idle connections; longer than Caddy keeps its own (120 s), so that it closes first


class Guarded(HttpToolsProtocol):
    """A connection whose head must arrive in time and in bounds, and that takes fixes itself."""

    heads = Heads()
    _head_size = 0
    _head_timer: asyncio.TimerHandle | None = None
    _post: Post | None = None  # whose body has not come yet
    _is_inside = False  # the parser has begun a request that has not ended
    _taken: str | None = None  # the token of the plain post that came last
    _rests_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        whole = apart(data) if self._is_between() else None
        if whole is None:
            self._parse(data)
            return
        head, body = whole
        token = self.heads.token(head)
        if token is not None and self._takes_known(token, body):
            return
        self._taken = None
        self._parse(data)
        if self._taken is not None:
            self.heads.learn(head, self._taken)

    def _is_between(self) -> bool:
        """Whether what comes next is the beginning of a request, with none before it open."""
        return not self._is_inside and (self.cycle is None or self.cycle.response_complete)

    def _takes_known(self, token: str, body: bytes) -> bool:
        self._no_longer()
        before = self.cycle
        post = Post(token, self.transport, True, self.on_response_complete)
        self.cycle = post  # type: ignore[assignment]
        if len(body) <= MOST_BODY and self._takes(post, body):
            return True
        self.cycle = before
        return False

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._head_size += len(data)
            if self._head_size > MOST_HEAD:
                self.transport.abort()
            elif self._head_timer is None:
                self._wait_for_head()
        elif self._post is not None:
            self._post.wait(self.loop)

    def on_message_begin(self) -> None:
        self._is_inside = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_size = 0
        self._no_longer()
        if self.url == PATH and self._begins_post():
            return
        super().on_headers_complete()

    def _begins_post(self) -> bool:
        """Whether this is a post that need not go the long way, behind no other request."""
        parser = self.parser
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return False
        token = token_of(self.headers, MOST_BODY)
        if token is None:
            return False
        keeps = parser.should_keep_alive()
        self._post = Post(token, self.transport, keeps, self.on_response_complete)
        self.cycle = self._post  # type: ignore[assignment]
        return True

    def on_body(self, body: bytes) -> None:
        if self._post is not None:
            self._post.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_inside = False
        post, self._post = self._post, None
        if post is None:
            super().on_message_complete()
            return
        post.no_longer()
        if post.response_complete:
            return
        if self._takes(post, post.body):
            self._taken = post.token if post.keep_alive else None
            return
        self.cycle = None  # type: ignore[assignment]
        super().on_headers_complete()
        super().on_body(post.body)
        super().on_message_complete()

    def _takes(self, post: Post, body: bytes) -> bool:
        try:
            return self.config.app.at_once(post.token, body, post.answer)  # type: ignore[union-attr, no-any-return]
        except Exception:  # the parser would call it the phone's mistake
            log.exception("fixes go the long way")
            return False

    def on_response_complete(self) -> None:
        self._rests_since = self.loop.time()
        if isinstance(self.cycle, Post) and self.timeout_keep_alive_task and not self.pipeline:
            self.server_state.total_requests += 1  # and its timer goes on as it is
        else:
            super().on_response_complete()
        self._no_longer()

    def timeout_keep_alive_handler(self) -> None:
        """Close who rests since ``KEEP_S``; a timer for each answer would cost more than it."""
        self.timeout_keep_alive_task = None
        if self.cycle is not None and not self.cycle.response_complete:
            return  # the answer sets the next
        left_s = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0.001:
            self.timeout_keep_alive_task = self.loop.call_later(
                left_s, self.timeout_keep_alive_handler
            )
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_longer()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_S, self.transport.abort)

    def _no_longer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def take_over(send: Any) -> asyncio.Transport:
    """The connection of a request that nothing was answered to; uvicorn forgets it.

    By the names in ``uvicorn.protocols.http.httptools_impl`` of 0.54, to which it is pinned;
    the protocol itself has no word for it.
    """
    cycle = send.__self__
    protocol = cycle.on_response.__self__
    transport: asyncio.Transport = protocol.transport
    cycle.disconnected = True  # the server need not end what others go on with
    protocol.connections.discard(protocol)
    protocol.transport = protocol.flow = protocol.cycle = protocol.parser = protocol.scope = None
    return transport


class Serving(Server):
    """Ends all streams when asked to stop; uvicorn would wait for each to end by itself."""

    def __init__(self, config: Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[sockets.socket] | None = None) -> None:
        self._live.end_streams()
        await super().shutdown(sockets)


def serve(settings: Settings, socket: Path | None) -> None:
    """Answer at ``socket``, or at HUB_LISTEN and HUB_PORT, until told to stop."""
    most_files = _raise_files()
    # Reading a page must not hold a fix up for 5 ms; less than this costs a tenth.
    sys.setswitchinterval(0.002)
    gc.set_threshold(20_000, 20, 100)  # a full look at all open pages takes a tenth of a second
    live = Live(
        settings,
        now=settings.clock(),
        most_streams=most_files - SPARE_FILES,
        take_over=take_over,
    )
    if socket is not None:
        serving(live, uds=str(socket)).run()
    else:
        serving(live, host=settings.listen, port=settings.port).run()


def serving(live: Live, **at: Any) -> Serving:
    """The server of ``live``; ``at`` is uvicorn's ``uds`` or ``host`` and ``port``."""
    config = Config(
        live,
        http=Guarded,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=4096,
        timeout_keep_alive=KEEP_S,
        timeout_graceful_shutdown=5,
        **at,
    )
    return Serving(config, live)


def _raise_files() -> int:
    """As many open files as the system allows; each page is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft
