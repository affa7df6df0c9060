"""Which places on a route promise most for new work, without working the route out for each.

A detour, a wait and a load change what comes after in ways that one look along the route
can foresee: how much later every stop may become before something is late, and how full
the vehicle is. A guess only; ``fit`` judges the best ones in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from hub.core.fit_route import RouteNow, Stage, boards, fullest, left_at, served
from hub.core.pace import traffic_of
from hub.core.plan_request import JobToPlan, TravelMatrix

PAIR_PLACES = 60  # of each half; all pairs of 300 places took half a second
Burden = tuple[int, int, int]  # rules broken, by how much, more driving


def promising(
    route: RouteNow,
    early: RouteNow,
    legs: Sequence[JobToPlan],
    roads: TravelMatrix,
    now: datetime,
) -> list[tuple[Burden, tuple[int, ...]]]:
    """For each of ``legs`` (one job, or a pair) before which stop it may go, the best first.

    ``route`` must be timed, by the same ``roads``; ``early`` is the same leaving as soon as it
    can. Without a pace the driving is exact. Where no rule is broken none is said to be; the
    reverse is not sure, as with breaks, which may shift.
    """
    along = Along(route, early, roads, now)
    tried = along.singles(legs[0]) if len(legs) == 1 else along.pairs(*legs)
    return sorted(tried)


class Along:
    """One look along the route: everything in whole seconds."""

    def __init__(
        self, route: RouteNow, early: RouteNow, roads: TravelMatrix, now: datetime
    ) -> None:
        self.route, self.seconds = route, roads.seconds
        self.traffic = traffic_of(roads.pace)
        self.size = len(route.stops)
        self.first = route.first_free
        start = max(route.vehicle.shift.opens, now)
        self.places, self.free = [route.vehicle.start], [_s(start)]
        for stop in early.stops:
            is_skipped = stop.stage is Stage.SKIPPED
            self.places.append(self.places[-1] if is_skipped else stop.place)
            left = self.free[-1] if is_skipped else _s(max(now, left_at(early, stop, now)))
            self.free.append(left)
        # What shifts a break may gain all of it.
        self.rests_s = sum(one.duration_s for one in route.vehicle.breaks)
        self.due = [*(_s(stop.arrive) for stop in route.stops), _s(route.home)]
        self._spare()

    def singles(self, job: JobToPlan) -> Iterator[tuple[Burden, tuple[int]]]:
        room = self._room(job)
        for n in range(self.first, self.size + 1):
            late, done = self._visit(job, self.places[n], self.free[n])
            driving, push = self._onwards(n, self.places[n], [job.place], done)
            span = (n, self.size) if job.load_direction == "collect" else (self.first, n)
            full = 0
            if job.load_direction != "none":
                full = sum(_over(board, span[0], span[1], spare) for board, spare in room)
            yield self._burden((late, max(0, push - self.spare[n]), full), driving), (n,)

    def pairs(self, one: JobToPlan, two: JobToPlan) -> Iterator[tuple[Burden, tuple[int, int]]]:
        """Both at one place anywhere, or each among the best places that it has alone."""
        room = self._room(one)
        for n in range(self.first, self.size + 1):
            late, done = self._visit(one, self.places[n], self.free[n])
            later, end = self._visit(two, one.place, done)
            driving, push = self._onwards(n, self.places[n], [one.place, two.place], end)
            full = sum(_over(board, n, n, spare) for board, spare in room)
            broken = (late, later, max(0, push - self.spare[n]), full)
            yield self._burden(broken, driving), (n, n)
        last = self._best(two)
        for n in self._best(one):
            late, done = self._visit(one, self.places[n], self.free[n])
            there, push = self._onwards(n, self.places[n], [one.place], done)
            for m in (m for m in last if m > n):
                behind = max(0, push - (self.waits[m] - self.waits[n]))
                later, end = self._visit(two, self.places[m], self.free[m] + behind)
                back, pushed = self._onwards(m, self.places[m], [two.place], end)
                delayed = max(0, push - self.spare[n], pushed - self.spare[m])
                full = sum(_over(board, n, m, spare) for board, spare in room)
                yield self._burden((late, later, delayed, full), there + back), (n, m)

    def _best(self, job: JobToPlan) -> list[int]:
        ranked = []
        for n in range(self.first, self.size + 1):
            late, done = self._visit(job, self.places[n], self.free[n])
            driving, push = self._onwards(n, self.places[n], [job.place], done)
            ranked.append((self._burden((late, max(0, push - self.spare[n])), driving), n))
        return [n for _, n in sorted(ranked)[:PAIR_PLACES]]

    def _spare(self) -> None:
        """How much later each stop may be reached, and the waiting that would swallow it."""
        shift = self.route.vehicle.shift
        last = _s(shift.closes) + self.route.vehicle.overtime_s - self.due[-1]
        spare, waits = [max(0, last)], [0]
        for stop in reversed(self.route.stops):
            waited, least = 0, spare[-1]
            clock, limits = stop.arrive + timedelta(seconds=stop.walk_s), list[int]()
            spans = served(self.route, stop, stop.arrive)
            for job, (start, end) in zip(stop.jobs, spans, strict=True):
                waited += max(0, int((start - clock).total_seconds()))
                clock = end
                ends_by = [max(w.closes for w in job.windows)] if job.windows else []
                if (promise := self.route.promises.get(job.id)) is not None:
                    ends_by.append(promise.closes)
                for closes in ends_by:
                    limits.append(max(0, int((closes - start).total_seconds())) + waited)
            spare.append(min([least + waited, *limits]))
            waits.append(waited)
        self.spare = [one + self.rests_s for one in spare[::-1]]
        self.waits = [0, *accumulate(waits[:0:-1])]

    def _visit(self, job: JobToPlan, place: int, free: int) -> tuple[int, int]:
        """By how much ``job`` would be late for who is ``free`` at ``place``, and when done."""
        at = self._arrival(free, place, job.place) + self.route.walk_s(place, job.place)
        spans = [(_s(window.opens), _s(window.closes)) for window in job.windows]
        promise = self.route.promises.get(job.id)
        at = at if promise is None else max(at, _s(promise.opens))
        start = next((max(at, opens) for opens, closes in spans if at <= closes), at)
        late = max(0, start - max((closes for _, closes in spans), default=start))
        if promise is not None:
            late = max(late, start - _s(promise.closes))
        return max(0, late - self.rests_s), start + self.route.vehicle.at_door_s(job.service_s)

    def _onwards(self, n: int, place: int, through: Sequence[int], done: int) -> tuple[int, int]:
        """More driving through new places before stop ``n``, and how much later it is reached."""
        way = [place, *through]
        driving = sum(self.seconds[a][b] for a, b in zip(way, through, strict=False))
        after = self.places[n + 1] if n < self.size else self.route.vehicle.end
        if after is None:
            return driving, done - self.due[n]
        driving += self.seconds[through[-1]][after] - self.seconds[place][after]
        return driving, self._arrival(done, through[-1], after) - self.due[n]

    def _arrival(self, leave: int, here: int, there: int) -> int:
        way_s = self.seconds[here][there]
        return leave + way_s if self.traffic is None else self.traffic.arrival(leave, way_s)

    def _room(self, job: JobToPlan) -> list[tuple[list[int], int]]:
        """What is on board in each gap and at each stop after it, turn by turn, and what may be
        for ``job`` to fit, where it matters.
        """
        found = []
        for name, limit in self.route.vehicle.capacity.items():
            if job.load.get(name):
                gaps, stops = boards(self.route, name), fullest(self.route, name)
                along = [gaps[0]]
                for gap, most in zip(gaps[1:], stops[1:], strict=True):
                    along += [most, gap]
                # An overloaded route may stay as it is: only what gets worse counts.
                most = max(limit, max(along[2 * self.first :]))
                found.append((along, most - job.load[name]))
        return found

    def _burden(self, broken: Sequence[int], driving: int) -> Burden:
        return sum(amount > 0 for amount in broken), sum(broken), driving


def _over(along: Sequence[int], first: int, last: int, spare: int) -> int:
    """By how much too full it is from one gap to another."""
    return max(0, max(along[2 * first : 2 * last + 1]) - spare)


def _s(moment: datetime) -> int:
    return int(moment.timestamp())
