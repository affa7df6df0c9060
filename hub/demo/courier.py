"""A courier's day: drive, hand over, tap; and what comes in between.

``Courier.day`` is the whole of it, told as it happens: it yields the second until which
nothing new happens, and goes on from there. Between two such moments the phone notes where
it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.core.jobs import Reason
from hub.core.orders import IncomingOrder
from hub.core.values import Point
from hub.demo.fate import Span
from hub.demo.gps import Receiver
from hub.demo.notebook import Ending, Notebook, Visit
from hub.demo.phone import Phone
from hub.demo.proofs import files_for
from hub.demo.road import WALK_S, Road, length_m, ride, standing

DRIVING_EVERY_S, STILL_EVERY_S = 10.0, 30.0  # as the driver's page notes fixes
RESTLESS_S = 90.0  # a phone that was just put down still moves its owner about
LOOK_EVERY_S = 120.0  # a driver with nothing to do looks whether there is something new
NEAR_M = 250.0  # further than any fence is wide, with what a fix may be off
TAPS_ARRIVE = 0.3  # of all doors; the others are noticed by the position alone
SETTLED_S, LONGER_S = 40.0, 3600.0  # on the way for a while; nobody is without signal for ever
EARLY_S = 120.0  # nobody minds standing at the first door two minutes before
USUAL_S = 120  # at a door of which no more is known
NEVER: Span = (float("inf"), float("inf"))
Wait = Generator[float]


class BrokenDown(Exception):
    """The van goes no further."""


@dataclass
class Courier:
    """``fails``: order number -> why its first attempt fails. ``is_over``: everybody goes home."""

    name: str
    phone: Phone
    road: Road
    depot: Point
    chance: random.Random
    book: Notebook
    fails: Mapping[str, Reason]
    is_over: Callable[[], bool]
    dead_s: Span = NEVER
    offline_s: Span = NEVER
    breaks_at_s: float = float("inf")
    load_at: Point | None = None  # where a van stands whose load this one takes over
    broke_down: Point | None = None
    has_news: bool = True  # something of the route changed since the phone last looked

    def begin(self, at_s: float) -> None:
        self.at_s = self.noted_s = self.moved_s = at_s
        self.receiver = Receiver(self.chance)
        self.here, self.motion = self.depot, standing(self.depot, at_s)
        self.on_shift = self.is_home = self._is_back = False
        self._story: Generator[float] = self.day()
        self._next_s = at_s

    def leave(self) -> None:
        """Nothing is heard of him any more: his phone was shut out, or he lost his way."""
        self.on_shift, self._next_s = False, float("inf")
        self._story.close()
        self.phone.acts, self.phone.files, self.phone.fixes = [], [], []

    # Time

    def advance(self, to_s: float) -> None:
        """Live until ``to_s``."""
        while self._next_s <= to_s:
            self._note_until(self._next_s)
            self.at_s = max(self.at_s, self._next_s)
            self._next_s = next(self._story, float("inf"))
        self._note_until(to_s)
        self.at_s = to_s

    def has_signal(self, at_s: float) -> bool:
        """Signal comes back on the way, so that nobody need guess which news is overtaken."""
        if self._is_dead(at_s):
            return False
        if self.offline_s[0] <= at_s and not self._is_back:
            is_driving = self.motion.knots[0][0] + SETTLED_S < at_s < self.motion.ends_s
            over_s = at_s - self.offline_s[1]
            self._is_back = over_s >= 0 and (is_driving or over_s > LONGER_S)
            return self._is_back
        return True

    def _note_until(self, to_s: float) -> None:
        """The fixes since the last one; none off shift, in a tunnel, or with a dead phone."""
        while True:
            if self.noted_s < self.motion.ends_s + RESTLESS_S:
                at_s = self.noted_s + DRIVING_EVERY_S
            else:
                at_s = self.noted_s + STILL_EVERY_S
            if at_s > to_s:
                return
            self.noted_s = at_s
            if self.on_shift and self.receiver.hears(at_s) and not self._is_dead(at_s):
                lat, lon, speed_ms = self.motion.where(at_s)
                lat, lon, acc_m = self.receiver.fix(lat, lon)
                self.phone.note(at_s, lat, lon, acc_m, speed_ms)

    def _is_dead(self, at_s: float) -> bool:
        return self.dead_s[0] <= at_s < self.dead_s[1]

    # The day

    def day(self) -> Wait:
        yield from self._until_a_route()
        route = self.phone.route()
        if route is None:
            return
        yield from self._until(_s(route["starts_at"]) + self.chance.uniform(0, 120))
        self._tap("start_shift", route_id=route["route_id"])
        self.on_shift = True
        self.noted_s = self.at_s
        self._acknowledge()
        try:
            yield from self._load(route)
            yield from self._drive_the_route()
        except BrokenDown:
            yield from self._strand()
        self._tap("end_shift", route_id=route["route_id"])
        self.on_shift = False
        self.is_home = True

    def _until_a_route(self) -> Wait:
        """A reserve driver sits by the phone."""
        while not self.is_over():
            if self.has_news and self._looked() and self.phone.route() is not None:
                return
            yield self.at_s + LOOK_EVERY_S

    def _load(self, route: Mapping[str, Any]) -> Wait:
        """Fetch the goods, at the depot or from a van that stands somewhere; leave in time."""
        if self.load_at is not None:
            yield from self._go(self.load_at)
        yield from self._until(self.at_s + self.chance.uniform(240, 420))
        self._tap("load", route_id=route["route_id"])
        while self.load_at is None and (leaves_s := self.leaves_s()) > self.at_s:
            yield from self._wait(min(leaves_s, self.at_s + LOOK_EVERY_S))

    def leaves_s(self) -> float:
        """When he has to leave for his next stop; 0 where there is none."""
        if (stop := self.phone.next_stop()) is None:
            return 0.0
        first_s = min(_s(job["arrive_at"]) for job in stop["jobs"])
        way_s = sum(leg.seconds for leg in self.road(self.here, _place(stop)).legs)
        return first_s - way_s - EARLY_S

    def _drive_the_route(self) -> Wait:
        while not self.is_over() or self.phone.next_stop() is not None:
            self._looked()
            self._acknowledge()
            stop = self.phone.next_stop()
            if stop is not None:
                self._head_for(stop)
                if (yield from self._go(_place(stop), stop)):
                    yield from self._serve(stop)
            elif length_m(self.here, self.depot) > 1:
                yield from self._go(self.depot)
            else:
                yield from self._idle()

    def _idle(self) -> Wait:
        while not (self.is_over() or (self.has_news and self.has_signal(self.at_s))):
            yield from self._until(self.at_s + LOOK_EVERY_S)

    def _wait(self, at_s: float) -> Wait:
        """Until then, with an eye on the phone."""
        while self.at_s < at_s:
            yield min(at_s, self.at_s + LOOK_EVERY_S)
            if self.has_news and self._looked():
                self._acknowledge()

    def _strand(self) -> Wait:
        lat, lon, _ = self.motion.where(self.at_s)
        self.here = self.broke_down = Point(lat, lon)
        self.motion = standing(self.here, self.at_s)
        while not self.is_over():
            yield self.at_s + LOOK_EVERY_S

    @property
    def is_near_the_next(self) -> bool:
        """So near that the hub may take him to be there already while he still gets in."""
        _, lat, lon = self.motion.knots[-1]
        return length_m(Point(lat, lon), self.here) < NEAR_M

    def _go(
        self, there: Point, stop: Mapping[str, Any] | None = None
    ) -> Generator[float, None, bool]:
        """Drive; whether he came there: not if ``stop`` is meanwhile somebody else's."""
        self.motion = ride(self.road, self.here, there, self.at_s, self.chance)
        self.receiver.new_ride(self.at_s, self.motion.ends_s)
        if self.at_s < self.breaks_at_s <= self.motion.ends_s or self.at_s >= self.breaks_at_s:
            # Half way at least: who breaks down in the yard has a colleague's van at hand.
            yield max(self.breaks_at_s, (self.at_s + self.motion.ends_s) / 2)
            raise BrokenDown
        while self.at_s < self.motion.ends_s:
            yield from self._wait(min(self.motion.ends_s, self.at_s + LOOK_EVERY_S))
            if stop is not None and not any(map(self.phone.has, stop["jobs"])):
                lat, lon, _ = self.motion.where(self.at_s)
                self.here = Point(lat, lon)
                self.motion = standing(self.here, self.at_s)
                return False
        self.here = there
        return True

    def _serve(self, stop: Mapping[str, Any]) -> Wait:
        """Wait until the door may be rung at, and end what is to be done behind it."""
        here = [job for job in stop["jobs"] if self.phone.is_open(job)]
        if self.chance.random() < TAPS_ARRIVE:
            for job in here:
                self._tap("arrive", job_id=job["job_id"], route_id=self.phone.route_id)
        opens_s = max((self._opens_s(job) for job in here), default=0.0)
        ready_s = max(self.at_s, opens_s)
        ids = tuple(job["job_id"] for job in here)
        self.book.visits.append(Visit(self.name, stop["stop_id"], ids, self.at_s, ready_s))
        yield from self._wait(opens_s)
        for job in filter(self.phone.has, here):
            order = self.book.orders.get(job["number"])  # none for one that a person typed in
            usual_s = _service_s(order, job)
            # Usual is what a shop counts from the van and back to it; the walk is in the ride.
            took_s = usual_s * self.chance.uniform(0.7, 1.35) - 2 * WALK_S
            yield from self._until(self.at_s + took_s)
            yield from self._until(self.dead_s[1] if self._is_dead(self.at_s) else 0)
            self._close(job)

    def _close(self, job: Mapping[str, Any]) -> None:
        why = self.fails.get(job["number"]) if job["attempt"] == 1 else None
        demands = self.phone.day["failure_demands" if why else "demands"]
        files = files_for(job["job_id"], demands)
        outcome = "failed" if why else "succeeded"
        lat, lon, acc_m = self.receiver.fix(self.here.lat, self.here.lon)
        proof: dict[str, Any] = {"outcome": outcome, "lat": lat, "lon": lon, "accuracy_m": acc_m}
        proof["files"] = [{"kind": one.kind, "sha256": one.sha256} for one in files]
        if why:
            proof["reason"] = why.value
        if "name" in demands:
            proof["name"] = (job["name"].split() or ["Neighbour"])[0]
        if "note" in demands:
            proof["note"] = "Left as agreed."
        if "lines" in demands:
            proof["lines"] = [
                {"n": n, "title": line["title"], "ordered": q, "delivered": 0 if why else q}
                for n, line in enumerate(job["lines"])
                for q in (line["quantity"],)
            ]
        self._tap("close", job_id=job["job_id"], route_id=self.phone.route_id, **proof)
        self.phone.files += files
        self.phone.ended.add(job["job_id"])
        ending = Ending(job["number"], outcome, self.at_s, tuple(demands), files)
        self.book.endings[job["job_id"]] = ending

    # What the phone shows

    def _looked(self) -> bool:
        """Whether the phone could ask the hub for the day; what it has in hand goes first."""
        if not self.has_signal(self.at_s):
            return False
        self.phone.look()
        self.has_news = False
        return True

    def _acknowledge(self) -> None:
        route = self.phone.route()
        if route is not None and route["acknowledged"] < route["version"]:
            self._tap("acknowledge", route_id=route["route_id"], version=route["version"])

    def _head_for(self, stop: Mapping[str, Any]) -> None:
        for job in stop["jobs"]:
            if self.phone.is_open(job) and job["state"] in ("dispatched", "loaded"):
                self._tap("head_for", job_id=job["job_id"], route_id=self.phone.route_id)

    def _opens_s(self, job: Mapping[str, Any]) -> float:
        """Until when the phone says to wait, if he is early; 0: for nothing."""
        at = job["not_before"]
        return datetime.fromisoformat(at).timestamp() if at is not None else 0.0

    def _tap(self, kind: str, **about: Any) -> None:
        """Nobody taps on a dark screen."""
        if not self._is_dead(self.at_s):
            self.phone.tap(kind, self.at_s, **about)

    def _until(self, at_s: float) -> Wait:
        if at_s > self.at_s:
            yield at_s


def _service_s(order: IncomingOrder | None, job: Mapping[str, Any]) -> int:
    if order is None:
        return USUAL_S
    if _fetches(order, job) and order.pick_up is not None:
        return order.pick_up.service_s or USUAL_S
    return order.service_s or USUAL_S


def _fetches(order: IncomingOrder, job: Mapping[str, Any]) -> bool:
    """Whether this is the first leg of a pair."""
    return order.pick_up is not None and job["kind"] == "collect"


def _place(stop: Mapping[str, Any]) -> Point:
    return Point(stop["lat"], stop["lon"])


def _s(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
