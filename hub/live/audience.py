"""Who watches what, and telling them: a page its state and its driver, a board all drivers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush

from hub.core.tracking_page import SHOWN
from hub.live.driving import moment, ms
from hub.live.store import LastFix
from hub.live.streams import Stream, event
from hub.live.values import Page

PAGE_EVERY_S = 1.0  # no page needs more, and a jam of fixes is told once
BOARD_EVERY_S = 0.25
SPREAD_S = 20
SHOWN_MS = round(SHOWN.total_seconds() * 1000)


@dataclass(slots=True, eq=False)
class Topic:
    """One order's page and who has it open. ``v`` is the event that last moved it."""

    token_hash: str
    page: Page
    v: int
    streams: set[Stream] = field(default_factory=set)
    told_at: float = 0.0  # by the monotonic clock
    used_at: float = 0.0
    shows: bool = False  # its readers have a position
    state_due: bool = False
    position_due: bool = False
    turns_at: datetime | None = None  # when the clock alone changes what its page says


@dataclass(slots=True, eq=False)
class Board:
    """One business's board and who has it open."""

    business_id: str
    streams: dict[Stream, str] = field(default_factory=dict)  # to the hash of the session
    moved: dict[str, LastFix] = field(default_factory=dict)
    seq: int = 0  # of an event not yet told
    told_at: float = 0.0


class Audience:
    """All of it happens in the loop's thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.id = time.time_ns() // 1_000_000  # of the last event; rises across restarts
        self.positions: dict[str, LastFix] = {}
        self.route_of: dict[str, str] = {}  # driver to the route he is on
        self.topics: dict[str, Topic] = {}  # by the hash of the link's token
        self.by_order: dict[str, tuple[Topic, ...]] = {}  # each contact has a link of its own
        self.by_driver: dict[str, set[Topic]] = defaultdict(set)
        self.by_route: dict[str, set[Topic]] = defaultdict(set)
        self.boards: dict[str, Board] = {}
        self.phones: dict[str, set[Stream]] = defaultdict(set)  # by driver
        self._due: set[Topic] = set()
        self._aged_at = 0.0
        self._turns: list[
            tuple[datetime, int, Topic]
        ] = []  # the next first, some of them overtaken

    def open(self, token_hash: str, page: Page, v: int) -> Topic:
        topic = Topic(token_hash, page, v)
        self.topics[token_hash] = topic
        self.by_order[page.order_id] = (*self.by_order.get(page.order_id, ()), topic)
        self._index(topic)
        self._turns_next(topic)
        return topic

    def close(self, topic: Topic) -> None:
        """Its link was revoked, or nobody looks any more."""
        self._unindex(topic)
        self.topics.pop(topic.token_hash, None)
        order_id = topic.page.order_id
        left = tuple(one for one in self.by_order.get(order_id, ()) if one is not topic)
        if left:
            self.by_order[order_id] = left
        else:
            self.by_order.pop(order_id, None)
        self._due.discard(topic)
        for stream in tuple(topic.streams):
            stream.end()

    def changed(self, topic: Topic, page: Page, v: int | None) -> None:
        """``v`` is ``None`` where nothing was announced that its readers should fetch."""
        self._unindex(topic)
        topic.page = page
        self._index(topic)
        self._turns_next(topic)
        topic.state_due |= v is not None
        if v is not None:  # another than before, whatever moved it: who only asks compares it
            topic.v = max(v, topic.v + 1)
        topic.position_due |= topic.shows or page.driver_id != ""
        self._tell(topic)

    def moved(self, fixes: Iterable[LastFix]) -> None:
        """New positions, all of them stored."""
        for fix in fixes:
            known = self.positions.get(fix.driver_id)
            if known is not None and known.at_ms >= fix.at_ms:
                continue
            self.positions[fix.driver_id] = fix
            for topic in self.by_driver.get(fix.driver_id, ()):
                topic.position_due = True
                self._tell(topic)
            if (board := self.boards.get(fix.business_id)) is not None:
                board.moved[fix.driver_id] = fix

    def forget(self, driver_id: str) -> None:
        """Where he is concerns nobody any more."""
        self.positions.pop(driver_id, None)
        for board in self.boards.values():
            board.moved.pop(driver_id, None)

    def on_route(self, driver_id: str, route_id: str | None) -> None:
        """``None``: he drives none."""
        if route_id is None:
            self.route_of.pop(driver_id, None)
        else:
            self.route_of[driver_id] = route_id

    def board_changed(self, business_id: str, seq: int) -> None:
        if (board := self.boards.get(business_id)) is not None:
            board.seq = seq

    def route_changed(self, driver_id: str, version: int) -> None:
        for stream in tuple(self.phones.get(driver_id, ())):
            stream.write(event("changed", self._next(), {"v": version}))

    def tick(self) -> None:
        """Tell what was held back and is due; some times a second."""
        at = time.monotonic()
        if at - self._aged_at >= PAGE_EVERY_S:
            self._aged_at = at
            self._hide_old()
            self._turn()
        for topic in [one for one in self._due if at - one.told_at >= PAGE_EVERY_S]:
            self._tell(topic)
        for board in self.boards.values():
            if (board.moved or board.seq) and at - board.told_at >= BOARD_EVERY_S:
                board.told_at = at
                data = self._board_news(board)
                for stream in tuple(board.streams):
                    stream.write(data)

    def first_of(self, topic: Topic) -> bytes:
        """What a page gets that has just opened: its newest state, and the driver if it may."""
        state = event("state", self._next(), {"v": topic.v})
        if (found := self.position(topic)) is None:
            return state
        topic.shows = True
        return state + event("pos", self._next(), found)

    def whole_board(self, business_id: str, since: Mapping[str, int]) -> bytes:
        """Where drivers of a business are, as far as is known of each since a moment (ms)."""
        fixes = [
            one
            for one in self.positions.values()
            if one.business_id == business_id
            and one.at_ms >= since.get(one.driver_id, one.at_ms + 1)
        ]
        return event("pos", self._next(), [self._on_board(fix) for fix in fixes])

    def position(self, topic: Topic) -> dict[str, object] | None:
        """The driver's position, ``None`` unless this page may show it at this moment."""
        now = self._now()
        fix = self.positions.get(topic.page.driver_id)
        if fix is None or ms(now) - fix.at_ms > SHOWN_MS:
            return None
        if not topic.page.shows_driver(fix.lat, fix.lon, moment(fix.at_ms), now):
            return None
        return {
            "lat": round(fix.lat, 5),  # 1 m
            "lon": round(fix.lon, 5),
            "hdg": None if fix.heading is None else round(fix.heading),
            "at": fix.at_ms,
            "age_s": max(0, (ms(now) - fix.at_ms) // 1000),
        }

    def _hide_old(self) -> None:
        """A driver of whom nothing comes any more leaves the pages that show him."""
        oldest_ms = ms(self._now()) - SHOWN_MS
        for driver_id, topics in self.by_driver.items():
            fix = self.positions.get(driver_id)
            if fix is None or fix.at_ms >= oldest_ms:
                continue
            for topic in topics:
                if topic.shows:
                    topic.position_due = True
                    self._tell(topic)

    def _turn(self) -> None:
        """Pages on which a promise has run out, or a time that was named is over, are changed ones.

        Each waits for its own moment: looking at ten thousand of them each second would take most
        of that second.
        """
        now = self._now()
        while self._turns and self._turns[0][0] < now:
            at, _, topic = heappop(self._turns)
            if topic.turns_at != at or self.topics.get(topic.token_hash) is not topic:
                continue
            topic.state_due, topic.v = True, topic.v + 1
            self._turns_next(topic)
            self._tell(topic)

    def _turns_next(self, topic: Topic) -> None:
        """Promises end on round times: not everybody asks for the page in the same second."""
        now, n = self._now(), self._next()
        if (at := topic.page.turns_at(now)) is not None:
            at = max(at, now) + timedelta(seconds=n % SPREAD_S)
            heappush(self._turns, (at, n, topic))
        topic.turns_at = at

    def _tell(self, topic: Topic) -> None:
        at = time.monotonic()
        if not topic.streams:
            topic.state_due = topic.position_due = False
            self._due.discard(topic)
            return
        if at - topic.told_at < PAGE_EVERY_S:
            self._due.add(topic)
            return
        self._due.discard(topic)
        data = b""
        if topic.state_due:
            data = event("state", self._next(), {"v": topic.v})
        if topic.position_due:
            data += self._position(topic)
        topic.state_due = topic.position_due = False
        if data:
            topic.told_at = at
            for stream in tuple(topic.streams):
                stream.write(data)

    def _position(self, topic: Topic) -> bytes:
        found = self.position(topic)
        was, topic.shows = topic.shows, found is not None
        if found is not None:
            return event("pos", self._next(), found)
        return event("gone", self._next(), {}) if was else b""

    def _board_news(self, board: Board) -> bytes:
        data = b""
        if board.moved:
            moved = [self._on_board(fix) for fix in board.moved.values()]
            data = event("pos", self._next(), moved)
        if board.seq:
            data += event("changed", self._next(), {"seq": board.seq})
        board.moved, board.seq = {}, 0
        return data

    def _on_board(self, fix: LastFix) -> dict[str, object]:
        return {
            "driver_id": fix.driver_id,
            "route_id": self.route_of.get(fix.driver_id),
            "lat": fix.lat,
            "lon": fix.lon,
            "hdg": fix.heading,
            "spd": fix.speed_ms,
            "acc": fix.acc_m,
            "bat": fix.battery,
            "at": fix.at_ms,
        }

    def _index(self, topic: Topic) -> None:
        if topic.page.driver_id:
            self.by_driver[topic.page.driver_id].add(topic)
        if topic.page.route_id:
            self.by_route[topic.page.route_id].add(topic)

    def _unindex(self, topic: Topic) -> None:
        for index, key in (
            (self.by_driver, topic.page.driver_id),
            (self.by_route, topic.page.route_id),
        ):
            if key in index:
                index[key].discard(topic)
                if not index[key]:
                    del index[key]

    def _next(self) -> int:
        self.id += 1
        return self.id
