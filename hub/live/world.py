"""What the live process knows of the hub: phones, pages and boards in use, kept fresh.

The hub's database is the truth and is only read. Its journal of events is looked at four
times a second; what changes without an event (a revoked phone, link or session, a setting) is
looked up within two seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from hub.core.business import BusinessSettings
from hub.live import driving, hosts, news, pages
from hub.live.asking import Asking
from hub.live.audience import Audience, Board, Topic
from hub.live.loading import Loading
from hub.live.off_shift import let_go
from hub.live.store import Positions
from hub.live.values import Driving

log = logging.getLogger(__name__)

POLL_S = 0.25
LOOK_S = 1.0  # at phones, sessions and shifts
SLICES = 6  # links are looked at a sixth at a time: each within 1.5 s
SETTINGS_S = 2.0
FORGET_S = 60.0  # a page nobody has open, or a phone that says nothing for ``QUIET_S``
QUIET_S = 3600.0


class World:
    def __init__(
        self, engine: Engine, positions: Positions, audience: Audience, now: Callable[[], datetime]
    ) -> None:
        self._engine, self._positions, self._now = engine, positions, now
        self.audience = audience
        self._loading = Loading(engine, positions, now, audience.positions)
        self._threads = ThreadPoolExecutor(2, "world")  # looking must not wait for loading
        self.phones: dict[str, Driving] = {}  # by the hash of the token
        self._heard: dict[str, float] = {}
        self._paper = news.Newspaper(engine)
        self._following = asyncio.Lock()
        self._estimates = news.Estimates(engine, now())
        self._editions = 0  # of news that came
        self._slice = 0
        self._again: set[Topic] = set()
        self._settings: dict[str, BusinessSettings] = {}
        self.owners = hosts.owners(engine)  # of own domains
        self._ask_phones = Asking(self._threads, self._loading.phones)
        self._ask_pages = Asking(self._threads, self._loading.pages)
        self._ask_boards = Asking(self._threads, lambda some: news.boards(engine, some))

    async def phone(self, token_hash: str) -> Driving | None:
        """Who posts with this token; ``None`` for one unknown or revoked."""
        self._heard[token_hash] = time.monotonic()
        if (known := self.phones.get(token_hash)) is not None:
            return known
        found = await self._ask_phones(token_hash)
        if found is None:
            self._heard.pop(token_hash, None)
            return None
        one, fixes = found
        self.audience.moved(fixes)
        self._set_round(one)
        return self.phones.setdefault(token_hash, one)

    def known(self, token_hash: str) -> Driving | None:
        """Who posts with this token, if he is known already; else ``phone`` asks."""
        if (known := self.phones.get(token_hash)) is not None:
            self._heard[token_hash] = time.monotonic()
        return known

    async def looked_again(self, one: Driving) -> None:
        """Know of a shift that began a moment ago.

        An app may tell positions all day: all there is to know of its driver is looked up only
        where the news that were not read yet have a shift that began.
        """
        seq = self._paper.seq
        if await self._in_thread(news.shift_began, self._engine, one.device.business_id, seq):
            await self._refresh([one])

    async def forget_off_shift(self, one: Driving, after_ms: int) -> None:
        """Let go of what this driver told after that moment, but of what is within a shift."""
        device, now_ms = one.device, driving.ms(self._now())
        known = self.audience.positions.get(device.driver_id)
        if known is not None and not one.works_at(known.at_ms, now_ms):
            self.audience.forget(device.driver_id)
        await self._in_thread(
            let_go,
            self._positions,
            device.business_id,
            device.driver_id,
            after_ms,
            lambda t: one.works_at(t, now_ms),
        )

    async def topic(self, token_hash: str) -> Topic | None:
        """The page behind a link; ``None`` for one unknown or revoked."""
        topic = self.audience.topics.get(token_hash)
        if topic is None:
            seq, edition = self._paper.seq, self._editions
            found = await self._ask_pages(token_hash)
            if found is None:
                return None
            page, fixes = found
            self.audience.moved(fixes)
            topic = self.audience.topics.get(token_hash)
            if topic is None:
                topic = self.audience.open(token_hash, page, seq)
            self._settings.setdefault(page.business_id, page.settings)
            if self._editions != edition:  # news came while the page was being read
                self._again.add(topic)
        topic.used_at = time.monotonic()
        return topic

    async def board(self, session_hash: str) -> tuple[Board, Mapping[str, int]] | None:
        """The board this session of staff may watch, and the drivers who are on a shift,
        each with since when (ms); ``None`` without such a session.
        """
        business_id = await self._ask_boards(session_hash)
        if business_id is None:
            return None
        boards = self.audience.boards
        if business_id not in boards:
            fixes, rounds = await self._in_thread(self._loading.board, business_id)
            self.audience.moved(fixes)
            self.audience.route_of.update(rounds)
        at_work = await self._in_thread(driving.at_work, self._engine, business_id, self._now())
        return boards.setdefault(business_id, Board(business_id)), at_work

    async def run(self) -> None:
        """Keep everything fresh until cancelled."""
        await asyncio.gather(
            self._every(POLL_S, self.follow),
            self._every(POLL_S, self._check_links),
            self._every(LOOK_S, self._look),
            self._every(SETTINGS_S, self._check_settings),
            self._every(SETTINGS_S, self._check_hosts),
            self._every(FORGET_S, self._forget),
        )

    async def _every(self, period_s: float, act: Callable[[], Any]) -> None:
        """A database that does not answer is no reason to end: positions go on being taken."""
        failed_at: float | None = None
        while True:
            await asyncio.sleep(period_s)
            try:
                await act()
            except Exception as error:
                if failed_at is None:
                    failed_at = time.monotonic()
                    log.exception("the hub's database cannot be read: %s", error)
            else:
                if failed_at is not None:
                    after_s = time.monotonic() - failed_at
                    log.warning("the hub's database is read again after_s=%.0f", after_s)
                failed_at = None

    async def follow(self) -> None:
        """Know what was announced until now."""
        async with self._following:
            await self._follow()

    async def _follow(self) -> None:
        again = set(self._again)
        await self._reload(again, self._paper.seq)
        self._again -= again
        told = await self._in_thread(self._paper.news)
        if told is None:
            return
        self._editions += 1
        topics = {t for one in told.orders for t in self.audience.by_order.get(one, ())}
        topics |= {t for id_ in told.routes for t in self.audience.by_route.get(id_, ())}
        about = [*told.routes.values(), *told.given]
        drivers = {route.driver_id: route.business_id for route in about}
        await self._refresh_all({**drivers, **told.shifts})
        await self._reload(topics, told.seq)
        self._paper.dealt()
        for business_id, seq in told.businesses.items():
            self.audience.board_changed(business_id, seq)
        for route in about:
            self.audience.route_changed(route.driver_id, route.version)

    async def _reload(self, topics: Iterable[Topic], v: int | None) -> None:
        orders = {topic.page.order_id: topic.page.business_id for topic in topics}
        if not orders:
            return
        found = await self._in_thread(pages.by_order, self._engine, orders)
        for order_id, page in found.items():
            for topic in self.audience.by_order.get(order_id, ()):
                self.audience.changed(topic, page.of(topic.page.role), v)

    async def _check_links(self) -> None:
        topics = self.audience.topics
        self._slice = (self._slice + 1) % SLICES
        some = [one for n, one in enumerate(tuple(topics.values())) if n % SLICES == self._slice]
        if not some:
            return
        links = {one.token_hash: one.page.business_id for one in some}
        still = await self._in_thread(pages.still_open, self._engine, links)
        for one in some:
            if one.token_hash not in still:
                self.audience.close(one)

    async def _look(self) -> None:
        await self._check_phones()
        await self._check_boards()
        orders = await self._in_thread(self._estimates.news)
        self._editions += bool(orders)
        by_order = self.audience.by_order
        await self._reload([topic for one in orders for topic in by_order.get(one, ())], None)
        self._estimates.dealt()

    async def _check_phones(self) -> None:
        known = dict(self.phones)
        if not known:
            return
        devices = [one.device for one in known.values()]
        still = await self._in_thread(driving.valid, self._engine, devices)
        for token_hash, one in known.items():
            if one.device.id not in still:
                self.phones.pop(token_hash, None)
                for stream in tuple(self.audience.phones.get(one.device.driver_id, ())):
                    stream.end()  # another phone of the same driver comes back by itself
        left = [one for one in known.values() if one.device.id in still]
        await self._refresh(
            await self._in_thread(driving.with_new_shifts, self._engine, left, self._now())
        )

    async def _refresh_all(self, drivers: Mapping[str, str]) -> None:
        """Where these drivers, each with his business's id, go; also where no phone is known."""
        known = [one for one in self.phones.values() if one.device.driver_id in drivers]
        await self._refresh(known)
        others = set(drivers) & set(self.audience.positions)
        others -= {one.device.driver_id for one in known}
        for business_id in {drivers[one] for one in others}:
            some = [one for one in others if drivers[one] == business_id]
            found = await self._in_thread(driving.routes_of, self._engine, business_id, some)
            for driver_id in some:
                self.audience.on_route(driver_id, found.get(driver_id))

    async def _refresh(self, some: Sequence[Driving]) -> None:
        """Know their shifts and rounds; what they told after a shift that has ended goes."""
        if not some:
            return
        for one, ended_ms in await self._in_thread(
            driving.refreshed, self._engine, some, self._now()
        ):
            await self.forget_off_shift(one, ended_ms)
        for one in some:
            self._set_round(one)

    def _set_round(self, one: Driving) -> None:
        route_id = one.round.route_id if one.round else None
        self.audience.on_route(one.device.driver_id, route_id)

    async def _check_boards(self) -> None:
        boards = self.audience.boards
        open_ = [(board, s, h) for board in boards.values() for s, h in board.streams.items()]
        if not open_:
            return
        hashes = list({session_hash for _, _, session_hash in open_})
        allowed = await self._in_thread(news.boards, self._engine, hashes)
        for board, stream, session_hash in open_:
            if allowed.get(session_hash) != board.business_id:
                stream.end()

    async def _check_settings(self) -> None:
        topics = tuple(self.audience.topics.values())
        businesses = {topic.page.business_id for topic in topics}
        if not businesses:
            return
        settings = await self._in_thread(pages.settings_of, self._engine, businesses)
        changed = {one for one in businesses if settings[one] != self._settings[one]}
        self._settings = settings
        await self._reload(
            [one for one in topics if one.page.business_id in changed], self._paper.seq
        )

    async def _check_hosts(self) -> None:
        self.owners = await self._in_thread(hosts.owners, self._engine)

    async def _forget(self) -> None:
        at = time.monotonic()
        for topic in tuple(self.audience.topics.values()):
            if not topic.streams and at - topic.used_at > FORGET_S:
                self.audience.close(topic)
        for token_hash, heard_at in tuple(self._heard.items()):
            if at - heard_at > QUIET_S:
                self.phones.pop(token_hash, None)
                del self._heard[token_hash]

    async def _in_thread[**P, T](self, act: Callable[P, T], *args: P.args, **values: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: act(*args, **values))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()
