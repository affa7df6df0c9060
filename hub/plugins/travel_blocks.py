"""Travel times asked of a service by blocks that it takes at once, without those it cannot reach.

A service that is given one place far from every road may refuse the whole question. Such places
are found by asking for fewer, and are then out of reach, as with the built map.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isqrt
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from hub import (
    AnswersInParts,
    ArrayTravel,
    ConfigError,
    HubError,
    Point,
    RateLimited,
    Refused,
    RoadLeg,
    RoadRoute,
    TravelMatrix,
    TravelTimes,
    Unavailable,
)
from hub.plugins.travel_osrm import UNREACHABLE_S, Whole

PATIENCE_S = 10.0  # a longer pause than that is somebody else's turn
AGAIN_S = 1.0  # after a service that hung up or was busy
MOST_LOST = 8  # places far from every road; with more of them it is the map that does not fit
REFUSALS = (400, 404, 422)  # what services answer where they know no road near a place
NEAR_DEG = 0.005  # half a kilometre: what a check asks for
NONE_S: float = float("nan")  # no road leads there
Cells = list[list[float]]


@dataclass(frozen=True, slots=True)
class Question:
    """What goes over the wire; ``body`` ``None``: it is a GET."""

    url: str
    query: Mapping[str, str | list[str]]
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may hold: times, places in all, rows; and how long to wait."""

    at_once: int
    places: int
    rows: int
    wait_s: float
    way_places: int  # of a route


class OffRoads(Refused):
    """It knows no road near one of the places."""


class AskedInBlocks(TravelTimes, AnswersInParts):
    """Asks by blocks; once more after a hang-up or a short pause."""

    @abstractmethod
    def limits(self) -> Limits: ...

    @abstractmethod
    def table(
        self, froms: Sequence[Point], tos: Sequence[Point], depart_at: datetime, profile: str
    ) -> Question: ...

    @abstractmethod
    def cells(self, answer: Any, rows: int, columns: int) -> tuple[Cells, Cells]:
        """Seconds and metres; ``NONE_S`` where no road leads."""

    @abstractmethod
    def way(self, places: Sequence[Point], depart_at: datetime, profile: str) -> Question: ...

    @abstractmethod
    def line(self, answer: Any) -> RoadRoute: ...

    @abstractmethod
    def strange(self) -> ConfigError:
        """For an answer that is none of its kind."""

    def is_off_roads(self, answer: Any) -> bool:
        """Whether a refusal means that no road is near one of the places."""
        return False

    def refusal(self, question: Question, answer: Any, said: str) -> HubError:
        """What a refusal, ``said`` in words, means."""
        return OffRoads(said) if self.is_off_roads(answer) else Refused(said)

    def hidden(self, said: str) -> str:
        """What a service said, without what no page and no log may show."""
        return said

    def ask_near(self, here: Point, field: str) -> None:
        """Ask for one way, from ``here``. Raises ``ConfigError`` where it does not answer as it
        should; ``field``: the setting to look at where it refuses.
        """
        there = Point(here.lat + NEAR_DEG, here.lon)
        try:
            self.part([here], [there], self.tools.now(), "car")
        except Refused as problem:
            raise ConfigError(f"The service refuses the question: {problem}", field=field) from None

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        if not places:
            return TravelMatrix(seconds=(), metres=())
        return ArrayTravel(*self.part(places, places, depart_at, profile))

    def part(
        self, sources: Sequence[Point], targets: Sequence[Point], depart_at: datetime, profile: str
    ) -> tuple[Whole, Whole]:
        self.basis(depart_at, profile)  # raises for a vehicle that it does not know
        ask = _Blocks(self, depart_at, profile)
        seconds = np.full((len(sources), len(targets)), UNREACHABLE_S, dtype=np.int64)
        metres = seconds.copy()
        tall, wide = self._block(len(sources), len(targets))
        for row in range(0, len(sources), tall):
            for column in range(0, len(targets), wide):
                froms, tos = sources[row : row + tall], targets[column : column + wide]
                if list(froms) == list(tos) and len(froms) == 1:
                    continue  # from a door to itself
                block = np.s_[row : row + len(froms), column : column + len(tos)]
                seconds[block], metres[block] = ask.block(froms, tos)
        same = np.array([[a == b for b in targets] for a in sources], dtype=bool)
        seconds[same.reshape(seconds.shape)] = metres[same.reshape(seconds.shape)] = 0
        return seconds, metres

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        self.basis(depart_at, profile)
        if len(places) < 2:
            return RoadRoute(geometry=tuple(places), legs=())
        geometry, legs = list[Point](), list[RoadLeg]()
        step = self.limits().way_places - 1
        for first in range(0, len(places) - 1, step):
            some = places[first : first + step + 1]
            answer = self.ask(self.way(some, depart_at, profile))
            try:
                found = self.line(answer)
                if len(found.legs) != len(some) - 1:
                    raise ValueError("another number of legs")
            except (LookupError, TypeError, ValueError, AttributeError):
                raise self.strange() from None
            geometry += found.geometry
            legs += found.legs
        return RoadRoute(tuple(geometry), tuple(legs))

    def _block(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of one question: near to a square, or all of the shorter side."""
        limits = self.limits()
        most, places = limits.at_once, limits.places
        side = max(1, min(isqrt(most), places // 2, limits.rows))
        tall = max(1, min(rows, side))
        wide = max(1, min(columns, most // tall, places - tall))
        return max(1, min(rows, most // wide, places - wide, limits.rows)), wide

    def ask(self, question: Question) -> Any:
        """The answer; asked once more where waiting a little may help."""
        until = time.monotonic() + (self.tools.within_s or PATIENCE_S)
        why: HubError
        try:
            return self._once(question)
        except RateLimited as problem:
            pause_s, why = problem.retry_after, problem
        except Unavailable as problem:
            pause_s, why = AGAIN_S, problem
        if self.tools.within_s is not None or time.monotonic() + pause_s > until:
            raise why
        time.sleep(pause_s)
        return self._once(question)

    def _once(self, question: Question) -> Any:
        most_s = self.limits().wait_s
        wait_s = min(most_s, self.tools.within_s or most_s)
        who = urlsplit(question.url).hostname
        reply = self.tools.http.ask(
            "GET" if question.body is None else "POST",
            question.url,
            but=REFUSALS,
            params=dict(question.query),
            headers=dict(question.headers or {}),
            timeout=(min(5.0, wait_s), wait_s),
            **({} if question.body is None else {"json": dict(question.body)}),
        )
        try:
            answer = reply.json()
        except ValueError:  # it is no JSON
            answer = None
        if reply.status_code in REFUSALS:
            said = f"{who} answered {reply.status_code}: {self.hidden(reply.text)[:200]}"
            raise self.refusal(question, answer, said)
        if answer is None:
            raise Unavailable(f"{who} gave no usable answer: what it sent cannot be read.")
        return answer

    def read(self, answer: Any, rows: int, columns: int) -> tuple[Whole, Whole]:
        """Whole numbers, ``UNREACHABLE_S`` where no road leads."""
        try:
            cells = self.cells(answer, rows, columns)
            seconds, metres = (np.array(some, dtype=np.float64) for some in cells)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise self.strange() from None
        if seconds.shape != (rows, columns) or metres.shape != (rows, columns):
            raise self.strange()
        none = ~(np.isfinite(seconds) & np.isfinite(metres)) | (seconds < 0) | (metres < 0)
        none |= (seconds > UNREACHABLE_S) | (metres > UNREACHABLE_S * 50)
        return _whole(seconds, none), _whole(metres, none)


class _Blocks:
    """Blocks of one matrix; places that a block showed to be lost are asked for no more."""

    def __init__(self, ways: AskedInBlocks, depart_at: datetime, profile: str) -> None:
        self.ways, self.depart_at, self.profile = ways, depart_at, profile
        self.lost: set[Point] = set()
        within_s = ways.tools.within_s
        self.until = math.inf if within_s is None else time.monotonic() + within_s

    def block(self, froms: Sequence[Point], tos: Sequence[Point]) -> tuple[Whole, Whole]:
        try:
            return self._without_the_lost(froms, tos)
        except OffRoads as refusal:
            self._find((*froms, *tos), refusal)
        return self._without_the_lost(froms, tos)

    def _without_the_lost(
        self, froms: Sequence[Point], tos: Sequence[Point]
    ) -> tuple[Whole, Whole]:
        rows = [n for n, place in enumerate(froms) if place not in self.lost]
        columns = [n for n, place in enumerate(tos) if place not in self.lost]
        seconds = np.full((len(froms), len(tos)), UNREACHABLE_S, dtype=np.int64)
        metres = seconds.copy()
        if rows and columns:
            some = [froms[n] for n in rows], [tos[n] for n in columns]
            at = np.ix_(rows, columns)
            seconds[at], metres[at] = self._asked(*some)
        return seconds, metres

    def _asked(self, froms: Sequence[Point], tos: Sequence[Point]) -> tuple[Whole, Whole]:
        answer = self.ways.ask(self.ways.table(froms, tos, self.depart_at, self.profile))
        return self.ways.read(answer, len(froms), len(tos))

    def _find(self, places: Sequence[Point], refusal: OffRoads) -> None:
        """Adds to ``lost``, by halves. Raises ``refusal`` where so many are that the map is off."""
        some = [place for place in dict.fromkeys(places) if place not in self.lost]
        middle = Point(median(p.lat for p in some), median(p.lon for p in some))
        some.sort(key=lambda p: abs(p.lat - middle.lat) + abs(p.lon - middle.lon))
        known = next((one for one in some[:MOST_LOST] if not self._refuses([one], one)), None)
        if known is None:
            raise refusal
        limits = self.ways.limits()
        size = max(1, min(limits.rows, limits.at_once, limits.places - 1))
        parts = [some[n : n + size] for n in range(0, len(some), size)]
        found = _by_halves(parts, lambda few: self._refuses(few, known))
        if not found or len(found) > MOST_LOST:
            raise refusal
        self.lost.update(found)

    def _refuses(self, places: Sequence[Point], known: Point) -> bool:
        if time.monotonic() > self.until:
            raise Unavailable(f"{self.ways.title}: there was no time to find which place is lost.")
        try:
            self._asked(places, [known])
        except OffRoads:
            return True
        return False


def without(secret: str, said: str) -> str:
    """What a service said; whoever refuses may repeat the address, in which some carry the key."""
    for written in filter(None, (secret, quote(secret, safe=""))):
        said = said.replace(written, "…")
    return said


def _by_halves(
    parts: Sequence[Sequence[Point]], refused: Callable[[Sequence[Point]], bool]
) -> list[Point]:
    """Those for which a question is refused; of more than ``MOST_LOST``, some."""
    found, todo = list[Point](), list(parts)
    while todo and len(found) <= MOST_LOST:
        some = todo.pop()
        if not refused(some):
            continue
        if len(some) > 1:
            todo += [some[: len(some) // 2], some[len(some) // 2 :]]
        else:
            found += some
    return found


def _whole(cells: np.ndarray[Any, np.dtype[np.float64]], none: Any) -> Whole:
    return np.where(none, UNREACHABLE_S, np.rint(np.where(none, 0, cells))).astype(np.int64)
