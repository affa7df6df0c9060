"""Which address does what in the live process."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from hub.core.ids import new_id
from hub.core.tracking_page import Life, life
from hub.db.engine import open_engine
from hub.keys import hashed, tracker_hash
from hub.live import fixes as coming
from hub.live import trackers
from hub.live.audience import Audience, Topic
from hub.live.driving import ms
from hub.live.ledger import open_ledger
from hub.live.limits import Limits
from hub.live.meaning import Meanings
from hub.live.problems import Problem
from hub.live.request import Answer, Receive, Request, Scope, Send, told
from hub.live.store import Positions
from hub.live.streams import Pings, Stream, hello
from hub.live.taking import Taking
from hub.live.values import Driving, Page
from hub.live.world import World
from hub.live.writer import Writer
from hub.settings import Settings

log = logging.getLogger(__name__)

MOST_BODY = 256_000
TICK_S = 0.05  # how late what is held back may be
NOTHING_HERE = "There is nothing at this address."
COOKIE = "hub_staff"  # as hub.web.staff sets it


@dataclass(frozen=True, slots=True)
class Watching:
    """A stream's beginning and end. ``join`` returns what the reader gets first."""

    join: Callable[[Stream], bytes]
    leave: Callable[[Stream], object]


class Live:
    """An ASGI application; everything in it runs in one loop but the writer and the readers."""

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], datetime],
        most_streams: int,
        take_over: Callable[[Send], asyncio.Transport],
    ) -> None:
        """``take_over`` gives the connection behind a ``send``, which its server then forgets."""
        self.settings, self._now, self._take_over = settings, now, take_over
        self.limits = Limits(most_streams)
        self.audience = Audience(now)
        self._pings = Pings(TICK_S)
        self._streams: set[Stream] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def at_once(self, token: str, body: bytes, answer: Callable[[bytes | Problem], None]) -> bool:
        """``POST /live/fixes`` without the ceremony of ASGI; see ``Taking.at_once``."""
        if self.settings.clock_file is not None:  # the news have to be read first
            return False
        return self.taking.at_once(token, body, answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        request = Request(scope, receive, send)
        if (watching := await self._answer(request)) is not None:
            self._open(request, watching)

    def start(self) -> None:
        """Take up work in the running loop."""
        positions = Positions.open(self.settings)
        engine = open_engine(self.settings.database_url)
        self.world = World(engine, positions, self.audience, self._now)
        self.taking = Taking(self.world, self.audience, self._now)
        self._writer = Writer(lambda: open_ledger(self.settings), Meanings(), self.taking.stored)
        self.taking.write_by(self._writer)
        self._tasks = [
            asyncio.create_task(self.world.run()),
            asyncio.create_task(self._tick()),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._writer.close)
        self.world.close()

    def end_streams(self) -> None:
        """Who was watching comes back within seconds, to whoever answers then."""
        for stream in tuple(self._streams):
            stream.end()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, request: Request) -> Watching | None:
        """Answer, or say what is to be watched where that goes on for hours."""
        answer: Answer | Watching
        try:
            answer = await self._route(request)
            if isinstance(answer, Watching):
                self.limits.open_stream(request.address)
                return answer
        except Problem as problem:
            answer = told(problem)
        except (SQLAlchemyError, OSError) as error:
            log.warning("request refused path=%s: %s", _shown(request.path), error)
            detail = "The hub's database does not answer. Try again."
            answer = told(Problem(503, detail, retry_after_s=5))
        except Exception:
            error_id = new_id()
            log.exception("request failed error_id=%s path=%s", error_id, _shown(request.path))
            answer = told(Problem(500, f"The error is logged as {error_id}. Nothing was stored."))
        await answer.send(request.send)
        return None

    async def _route(self, request: Request) -> Answer | Watching:
        parts = request.path.removeprefix("/live/").split("/")
        if parts[0] != "t" and self._owner(request):
            raise Problem(404, NOTHING_HERE)  # pages of customers, and nothing else
        match parts:
            case ["fixes"]:
                _only(request, "POST")
                return await self._fixes(request)
            case ["trackers", token]:
                _only(request, "GET", "POST")
                return await self._tracker(request, token)
            case ["t", token]:
                _only(request, "GET")
                return await self._page(request, token)
            case ["t", token, "now"]:
                _only(request, "GET")
                return await self._page_now(request, token)
            case ["board"]:
                _only(request, "GET")
                return await self._board(request)
            case ["driver"]:
                _only(request, "GET")
                return await self._driver(request)
            case ["healthz"]:
                return Answer(200, b'{"ok":true}')
        raise Problem(404, NOTHING_HERE)

    async def _fixes(self, request: Request) -> Answer:
        one = await self._phone(request, hashed(request.bearer) if request.bearer else "")
        fixes = coming.read(await request.body(MOST_BODY))
        if self.settings.clock_file is not None:  # a second of ours may be a quarter of an hour
            await self.world.follow()
        return Answer(200, await self.taking.posted(one, fixes))

    async def _tracker(self, request: Request, token: str) -> Answer:
        one = await self._phone(request, tracker_hash(token) if token else "")
        body = await request.body(MOST_BODY) if request.method == "POST" else b""
        if fixes := trackers.read(request.query, body, ms(self._now()), one.device.id):
            await self.taking.take(one, fixes)
        return Answer(200, b"[]" if trackers.is_owntracks(body) else b"")

    async def _phone(self, request: Request, token_hash: str) -> Driving:
        one = await self.world.phone(token_hash) if token_hash else None
        if one is None:
            self.limits.guess(request.address)
            detail = "This phone is not known, or no longer. Ask the dispatcher to pair it again."
            raise Problem(401, detail)
        return one

    async def _page(self, request: Request, token: str) -> Watching:
        topic = await self._topic(request, token)

        def join(stream: Stream) -> bytes:
            topic.streams.add(stream)
            return self.audience.first_of(topic)

        return Watching(join, topic.streams.discard)

    async def _page_now(self, request: Request, token: str) -> Answer:
        topic = await self._topic(request, token)
        position = self.audience.position(topic)
        body = msgspec.json.encode({"v": topic.v, "pos": position})
        at = position["at"] if position else ""  # the age of the same fix is no news
        etag = b'"%s"' % hashlib.sha256(f"{topic.v} {at}".encode()).hexdigest()[:16].encode()
        headers = ((b"etag", etag), (b"x-robots-tag", b"noindex, nofollow"))
        if request.headers.get(b"if-none-match", b"").removeprefix(b"W/") == etag:
            return Answer(304, headers=headers)
        return Answer(200, body, headers=headers)

    async def _topic(self, request: Request, token: str) -> Topic:
        topic = await self.world.topic(hashed(token))
        if topic is None or not self._opens(request, topic.page):
            self.limits.guess(request.address)
            raise Problem(404, "This link opens nothing.")
        return topic

    def _opens(self, request: Request, page: Page) -> bool:
        """Whether ``page`` is there at all, and under the name it was asked for by."""
        is_gone = life(page.jobs, page.settings, self._now()) is Life.GONE
        return self._owner(request) in ("", page.business_id) and not is_gone

    def _owner(self, request: Request) -> str:
        """The business under whose own domain it was asked; empty under every other name. The
        hub's name stays the hub's, whoever had proven it before it became that.
        """
        host = request.host
        return "" if host == self.settings.host else self.world.owners.get(host, "")

    async def _board(self, request: Request) -> Watching:
        token = request.cookie(COOKIE)
        session_hash = hashed(token)
        found = await self.world.board(session_hash) if token else None
        if found is None:
            self.limits.guess(request.address)
            raise Problem(401, "Log in again: this session has ended.")
        board, at_work = found

        def join(stream: Stream) -> bytes:
            board.streams[stream] = session_hash
            return self.audience.whole_board(board.business_id, at_work)

        return Watching(join, lambda stream: board.streams.pop(stream, None))

    async def _driver(self, request: Request) -> Watching:
        one = await self._phone(request, hashed(request.bearer) if request.bearer else "")
        watching = self.audience.phones[one.device.driver_id]

        def join(stream: Stream) -> bytes:
            watching.add(stream)
            return b""

        return Watching(join, watching.discard)

    def _open(self, request: Request, watching: Watching) -> None:
        """From here on for hours, ten thousand times: nothing is kept that is not needed."""

        def left(stream: Stream) -> None:
            watching.leave(stream)
            self._close(stream)

        stream = Stream(
            self._take_over(request.send),
            request.address,
            left,
            chunked=request.scope["http_version"] != "1.0",
        )
        self._streams.add(stream)
        self._pings.add(stream)
        stream.begin(hello() + watching.join(stream))

    def _close(self, stream: Stream) -> None:
        self._pings.discard(stream)
        self._streams.discard(stream)
        self.limits.close_stream(stream.address)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.audience.tick()
                self._pings.tick()
            except Exception:
                log.exception("telling what was due failed")


def _only(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise Problem(405, f"Use {' or '.join(methods)} here.", allow=", ".join(methods))


def _shown(path: str) -> str:
    """A path without the tokens in it, for the log."""
    return "/".join(part if len(part) < 16 else "…" for part in path.split("/"))
