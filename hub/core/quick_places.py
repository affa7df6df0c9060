"""Where a new job fits best among all routes at once, in a fraction of a millisecond.

Each route is a row of gaps: between two stops, before the first, after the last. What a gap
allows is worked out once a route (when one is free at its beginning, by when one must be at
its end, how full the vehicle is before and after) and all gaps are then asked together.
An answer is exact for windows, loads and the end of a shift and a good guess where there are
breaks, reloads, longest days, rush hours …: ``hub.core.ad_hoc`` judges the best in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.core.plan_request import JobToPlan, TravelMatrix, VehicleToPlan, Whole
from hub.core.schedule import Span

NEVER = 1 << 60
NO_PLACE = -1  # after the last stop of a route that ends there
PAIR_ROUTES = 12  # for a pair, so many routes are looked at in full: each takes a tenth of a ms


@dataclass(frozen=True, slots=True)
class Row:
    """One route. ``places``: its start, then its stops. In gap ``n`` one drives from
    ``places[n]``, free there at ``free[n]``, to what comes next, which is reached at
    ``due[n]`` as things stand and must be by ``latest[n]``. ``waited``: seconds spent waiting
    for windows up to there. ``boards``: what is on board in each gap, by dimension; one that is
    not named is not looked at. No job may come before gap ``first``. Epoch seconds.
    """

    vehicle: VehicleToPlan
    places: Sequence[int]
    free: Sequence[int]
    due: Sequence[int]
    latest: Sequence[int]
    waited: Sequence[int]
    boards: Mapping[str, Sequence[int]]
    first: int = 0


@dataclass(frozen=True, slots=True)
class Spot:
    """Before which stops of a route (one number, or two for a pair) at which price.

    ``price`` is that of the detour, in the unit of the vehicle's costs.
    """

    vehicle_id: str
    at: tuple[int, ...]
    price: float


class QuickPlaces:
    """All routes of a day, ready to be asked. ``put`` a route again whenever it changes."""

    def __init__(self, travel: Mapping[str, TravelMatrix], rows: Sequence[Row]) -> None:
        names = list(travel)
        every = range(len(travel[names[0]].seconds) if names else 0)
        tables = [travel[name].block(every, every) for name in names]
        self._seconds = [seconds for seconds, _ in tables]
        self._metres = [metres for _, metres in tables]
        self.vehicles = [row.vehicle for row in rows]
        self._at = {vehicle.id: n for n, vehicle in enumerate(self.vehicles)}
        self._profile = np.array([names.index(v.profile) for v in self.vehicles])
        self._per_s = np.array([v.per_hour / 3600 for v in self.vehicles])
        self._per_m = np.array([v.per_km / 1000 for v in self.vehicles])
        self._factor = np.array([v.service_factor for v in self.vehicles])
        self._names = sorted({name for v in self.vehicles for name in v.capacity})
        self._able: dict[object, np.ndarray[Any, np.dtype[np.bool_]]] = {}
        self._clear(max((len(row.places) for row in rows), default=1))
        for row in rows:
            self.put(row)

    def put(self, row: Row) -> None:
        """This route is now so."""
        size = len(row.places)
        if size > self._open.shape[1]:
            self._widen(size)
        n = self._at[row.vehicle.id]
        after = NO_PLACE if row.vehicle.end is None else row.vehicle.end
        self._open[n, :] = False
        self._open[n, row.first : size] = True
        limit = row.vehicle.max_jobs
        self._more[n] = NEVER if limit is None else limit - (size - 1)
        here = np.array(row.places, dtype=np.int64)
        there = np.array([*row.places[1:], after], dtype=np.int64)
        self._here[n, :size], self._there[n, :size] = here, there
        for target, values in (
            (self._free, row.free),
            (self._due, row.due),
            (self._latest, row.latest),
            (self._waited, row.waited),
        ):
            target[n, :size] = values
        profile = int(self._profile[n])
        driven = there != NO_PLACE
        self._direct_s[n, :size] = np.where(driven, self._seconds[profile][here, there], 0)
        self._direct_m[n, :size] = np.where(driven, self._metres[profile][here, there], 0)
        self._extra[n] = row.vehicle.fixed_cost if size == 1 else 0
        for d, name in enumerate(self._names):
            limit = row.vehicle.capacity.get(name)
            if limit is None or name not in row.boards:
                self._before[d, n], self._after[d, n], self._within[d, n] = NEVER, NEVER, NEVER
                continue
            board = np.array(row.boards[name], dtype=np.int64)
            self._before[d, n, :size] = limit - np.maximum.accumulate(board)
            self._after[d, n, :size] = limit - np.maximum.accumulate(board[::-1])[::-1]
            self._within[d, n, :size] = limit - board

    def spots(
        self,
        job: JobToPlan,
        windows: Sequence[Span],
        most: int = 3,
        dearer: Mapping[str, float] | None = None,
    ) -> list[Spot]:
        """The cheapest places for ``job``, at most ``most`` of them, the best first.

        ``dearer``: what a vehicle costs on top, if it is to do this.
        """
        v, n = self._candidates(job, "alone")
        if not len(v):
            return []
        reach, price = self._visit(job, windows, v, n)
        fits = reach <= self._latest[v, n]
        v, n, price = v[fits], n[fits], price[fits]
        if dearer:
            price = price + self._dearer(dearer)[v]
        return self._best(v, n, price, most)

    def nearest(self, job: JobToPlan) -> dict[str, float]:
        """Vehicle id -> the price of its shortest detour to ``job``, whatever that breaks."""
        v, n = np.nonzero(self._open)
        return self._least(v, self._visit(job, (), v, n)[1])

    def fitting(self, job: JobToPlan, windows: Sequence[Span]) -> dict[str, float]:
        """The same of its shortest lawful one; only vehicles that have one."""
        v, n = self._candidates(job, "alone")
        if not len(v):
            return {}
        reach, price = self._visit(job, windows, v, n)
        fits = reach <= self._latest[v, n]
        return self._least(v[fits], price[fits])

    def pairs(
        self,
        collect: JobToPlan,
        deliver: JobToPlan,
        windows: tuple[Sequence[Span], Sequence[Span]],
        most: int = 3,
        dearer: Mapping[str, float] | None = None,
    ) -> list[Spot]:
        """The same for a pair: what is collected first is delivered later by the same vehicle."""
        v, n = self._candidates(collect, "pair")
        if not len(v):
            return []
        reach, price = self._visit(collect, windows[0], v, n)
        fits = (reach <= self._latest[v, n]) & (price < NEVER)
        v, n, price = v[fits], n[fits], price[fits]
        if not len(v):
            return []
        cheapest = np.full(len(self.vehicles), np.inf)
        np.minimum.at(cheapest, v, price)
        into = self._seconds_between(self._profile[v], self._here[v, n], deliver.place)
        both = np.full(len(self.vehicles), np.inf)
        np.minimum.at(both, v, into * self._per_s[v])
        ranked = np.argsort(cheapest + both)[:PAIR_ROUTES]
        found: list[Spot] = []
        for row in ranked:
            if np.isfinite(cheapest[row]):
                found += self._pair_on(int(row), collect, deliver, windows, most)
        more = dearer or {}
        priced = [Spot(s.vehicle_id, s.at, s.price + more.get(s.vehicle_id, 0)) for s in found]
        return sorted(priced, key=lambda spot: spot.price)[:most]

    def _least(self, v: Whole, price: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
        least = np.full(len(self.vehicles), np.inf)
        np.minimum.at(least, v, price)
        return {self.vehicles[k].id: float(least[k]) for k in np.flatnonzero(np.isfinite(least))}

    def _clear(self, width: int) -> None:
        size = (len(self.vehicles), width)
        self._open = np.zeros(size, dtype=bool)
        self._here, self._there = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._free, self._due = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._latest, self._waited = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._direct_s, self._direct_m = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._extra = np.zeros(len(self.vehicles))
        self._more = np.full(len(self.vehicles), NEVER)  # jobs that it may have yet
        rooms = (len(self._names), *size)
        self._before, self._after = np.full(rooms, NEVER), np.full(rooms, NEVER)
        self._within = np.full(rooms, NEVER)

    def _widen(self, width: int) -> None:
        more = width + 8 - self._open.shape[1]
        for name, table in vars(self).items():
            if isinstance(table, np.ndarray) and table.shape[-1] == self._open.shape[1]:
                if table.ndim < 2:
                    continue
                filler = NEVER if table.ndim == 3 else 0
                edge = [(0, 0)] * (table.ndim - 1) + [(0, more)]
                if name != "_open":
                    setattr(self, name, np.pad(table, edge, constant_values=filler))
        self._open = np.pad(self._open, [(0, 0), (0, more)])

    def _candidates(self, job: JobToPlan, how: str) -> tuple[Whole, Whole]:
        """The gaps of the vehicles that may do it, where there is room."""
        open_ = self._open & (self._may(job) & (self._more > (how == "pair")))[:, None]
        rooms = self._within if how == "pair" else None
        if rooms is None and job.load_direction != "none":
            rooms = self._after if job.load_direction == "collect" else self._before
        if rooms is not None:
            for d, name in enumerate(self._names):
                if load := job.load.get(name):
                    open_ &= rooms[d] >= load
        v, n = np.nonzero(open_)
        return v, n

    def _may(self, job: JobToPlan) -> np.ndarray[Any, np.dtype[np.bool_]]:
        key = (job.skills, job.vehicle, job.forbidden_vehicles)
        if (known := self._able.get(key)) is None:
            known = np.array(
                [
                    job.skills <= v.offers
                    and job.vehicle in (None, v.id)
                    and v.id not in job.forbidden_vehicles
                    for v in self.vehicles
                ],
                dtype=bool,
            )
            self._able[key] = known
        return known

    def _visit(
        self, job: JobToPlan, windows: Sequence[Span], v: Whole, n: Whole
    ) -> tuple[Whole, np.ndarray[Any, np.dtype[np.float64]]]:
        """When the next stop is reached with ``job`` in the gap, and what the detour costs."""
        profile, here, there = self._profile[v], self._here[v, n], self._there[v, n]
        into = self._seconds_between(profile, here, job.place)
        out = self._seconds_from(profile, job.place, there)
        arrive = self._free[v, n] + into
        start, late = _begin(windows, arrive)
        reach = start + self._service(job, v) + out
        far = self._metres_between(profile, here, job.place)
        far = far + self._metres_from(profile, job.place, there) - self._direct_m[v, n]
        more_s = into + out - self._direct_s[v, n]
        price = more_s * self._per_s[v] + far * self._per_m[v]
        price = price + np.where(n == 0, self._extra[v], 0)
        return np.where(late, NEVER, reach), price

    def _pair_on(
        self,
        row: int,
        collect: JobToPlan,
        deliver: JobToPlan,
        windows: tuple[Sequence[Span], Sequence[Span]],
        most: int,
    ) -> list[Spot]:
        gaps = np.flatnonzero(self._open[row])
        v = np.full(len(gaps), row)
        profile = self._profile[v]
        here, there = self._here[row, gaps], self._there[row, gaps]
        free, due, latest = self._free[row, gaps], self._due[row, gaps], self._latest[row, gaps]
        room = np.ones(len(gaps), dtype=bool)
        for d, name in enumerate(self._names):
            room &= self._within[d, row, gaps] >= collect.load.get(name, 0)
        served = self._service(collect, v), self._service(deliver, v)
        start, late = _begin(windows[0], free + self._seconds_between(profile, here, collect.place))
        done = np.where(late, NEVER, start + served[0])
        found: list[tuple[float, tuple[int, int]]] = []
        # Both in the same gap.
        between = int(self._seconds[int(profile[0])][collect.place, deliver.place])
        apart = int(self._metres[int(profile[0])][collect.place, deliver.place])
        begun, late = _begin(windows[1], np.minimum(done, NEVER // 2) + between)
        out = self._seconds_from(profile, deliver.place, there)
        reach = np.where(late, NEVER, begun + served[1] + out)
        into_s = self._seconds_between(profile, here, collect.place)
        into_m = self._metres_between(profile, here, collect.place)
        more_s = into_s + between + out - self._direct_s[row, gaps]
        more_m = into_m + apart + self._metres_from(profile, deliver.place, there)
        more_m = more_m - self._direct_m[row, gaps]
        price = more_s * self._per_s[v] + more_m * self._per_m[v]
        price = price + np.where(gaps == 0, self._extra[row], 0)
        ok = room & (reach <= latest)
        found += [(float(price[k]), (int(gaps[k]), int(gaps[k]))) for k in np.flatnonzero(ok)]
        # The second somewhere after the first.
        reach_one, price_one = self._visit(collect, windows[0], v, gaps)
        push = np.maximum(0, reach_one - due)
        can = room & (reach_one <= latest)
        waited = self._waited[row, gaps]
        for k in np.flatnonzero(can):
            last = k + 1
            while last < len(gaps) and room[last]:
                last += 1
            later = np.arange(k + 1, last)
            if not len(later):
                continue
            behind = np.maximum(0, push[k] - (waited[later] - waited[k]))
            at = free[later] + behind
            there_s = self._seconds_between(profile[later], here[later], deliver.place)
            begun, late = _begin(windows[1], at + there_s)
            back = self._seconds_from(profile[later], deliver.place, there[later])
            reach = np.where(late, NEVER, begun + served[1][later] + back)
            there_m = self._metres_between(profile[later], here[later], deliver.place)
            back_m = self._metres_from(profile[later], deliver.place, there[later])
            more_s = there_s + back - self._direct_s[row, gaps[later]]
            more_m = there_m + back_m - self._direct_m[row, gaps[later]]
            price = price_one[k] + more_s * self._per_s[row] + more_m * self._per_m[row]
            for m in np.flatnonzero(reach <= latest[later]):
                found.append((float(price[m]), (int(gaps[k]), int(gaps[later[m]]))))
        id = self.vehicles[row].id
        return [Spot(id, at, price) for price, at in sorted(found)[:most]]

    def _service(self, job: JobToPlan, v: Whole) -> Whole:
        if not job.service_s:
            return np.zeros(len(v), np.int64)
        exact: Whole = np.ceil(job.service_s * self._factor[v]).astype(np.int64)
        return exact

    def _seconds_between(self, profile: Whole, here: Whole, to: int) -> Whole:
        return _picked(self._seconds, profile, here, to)

    def _metres_between(self, profile: Whole, here: Whole, to: int) -> Whole:
        return _picked(self._metres, profile, here, to)

    def _seconds_from(self, profile: Whole, place: int, there: Whole) -> Whole:
        return _left(self._seconds, profile, place, there)

    def _metres_from(self, profile: Whole, place: int, there: Whole) -> Whole:
        return _left(self._metres, profile, place, there)

    def _dearer(self, dearer: Mapping[str, float]) -> np.ndarray[Any, np.dtype[np.float64]]:
        more = np.zeros(len(self.vehicles))
        for id, price in dearer.items():
            more[self._at[id]] = price
        return more

    def _best(
        self, v: Whole, n: Whole, price: np.ndarray[Any, np.dtype[np.float64]], most: int
    ) -> list[Spot]:
        if len(price) > most:
            few = np.argpartition(price, most)[:most]
            v, n, price = v[few], n[few], price[few]
        order = np.argsort(price, kind="stable")
        return [Spot(self.vehicles[v[k]].id, (int(n[k]),), float(price[k])) for k in order]


def _begin(windows: Sequence[Span], arrive: Whole) -> tuple[Whole, Any]:
    """When work begins for who is there at ``arrive``, and whether that is too late."""
    if not windows:
        return arrive, np.zeros(len(arrive), dtype=bool)
    start = arrive
    for opens, closes in reversed(windows):
        start = np.where(arrive <= closes, np.maximum(arrive, opens), start)
    return start, arrive > windows[-1][1]


def _picked(tables: Sequence[Whole], profile: Whole, here: Whole, to: int) -> Whole:
    if len(tables) == 1:
        only: Whole = tables[0][here, to]
        return only
    found = np.empty(len(here), np.int64)
    for n, table in enumerate(tables):
        mine = profile == n
        found[mine] = table[here[mine], to]
    return found


def _left(tables: Sequence[Whole], profile: Whole, place: int, there: Whole) -> Whole:
    found = np.empty(len(there), np.int64)
    for n, table in enumerate(tables):
        mine = profile == n
        found[mine] = table[place, there[mine]]
    found[there == NO_PLACE] = 0
    return found
