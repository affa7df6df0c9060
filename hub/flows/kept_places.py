"""Where work could go on a day, kept from one question to the next in the process that is asked.

Reading 50 routes and the roads between 1,000 doors takes a second; asking them all at once takes a
millisecond. So both are kept, and each time it is looked, by a few sums, which route is another
one by now: that one alone is read again. Whoever puts work on a route judges it as it is stored
then, and a place that was taken meanwhile is a conflict as ever.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import inf
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select
from sqlmodel import col

from hub.core.ad_hoc import row_of
from hub.core.fit import Placement, RouteNow, placed, timed
from hub.core.jobs import NotNow, State
from hub.core.offering import Bounds, best_routes, bounds
from hub.core.plan_request import JobToPlan, TravelMatrix, Whole
from hub.core.quick_places import QuickPlaces, Row
from hub.core.rest_request import ahead, requested
from hub.core.schedule import Timetable
from hub.core.travel import ArrayTravel
from hub.core.values import Point, TimeWindow
from hub.db.tables import (
    DepotRow,
    JobRow,
    PlaceRow,
    RouteRow,
)
from hub.flows.board_moves import driven
from hub.flows.kept_apart import others_of
from hub.flows.roads import NO_ROAD_S, OFF_MAP, Roads, travel_between
from hub.flows.route_marks import Mark, marks_of
from hub.flows.route_now import laid, roads_for, to_plan, usual_at, walks

if TYPE_CHECKING:
    from hub.app import Hub

MOST_DAYS = 3  # a day of 1,000 doors is 25 MB for each kind of vehicle
ROADS_S = 7200.0  # then the roads are asked for again: a new map, or traffic; some cost money
AGES = timedelta(minutes=3)  # then a route is timed anew: who has not left by now leaves later
AT_ONCE = 150  # places in one question about a new one: the rest of the answer is known
Ways = tuple[Whole, Whole]  # seconds and metres


@dataclass(frozen=True, slots=True)
class Tried:
    """A route with the work on it, and by how many metres that is longer."""

    route_id: str
    after: Placement
    extra_m: int


@dataclass
class _Route:
    """``row`` in the numbers of its own ``roads``; ``None``: nobody could do it as it is."""

    mark: Mark
    now: RouteNow  # as it is stored
    timed: RouteNow
    roads: Roads
    row: Row | None
    at: datetime


@dataclass
class _Day:
    lock: Lock = field(default_factory=Lock)
    routes: dict[str, _Route] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)  # place or depot id -> its number
    points: list[Point] = field(default_factory=list)
    ways: dict[str, Ways] = field(default_factory=dict)  # by profile
    asked_at: float = 0.0
    places: QuickPlaces | None = None


class KeptPlaces:
    """Of the days that were asked about last. Safe in any thread."""

    def __init__(self) -> None:
        self._days: OrderedDict[tuple[str, date], _Day] = OrderedDict()
        self._lock = Lock()

    def best(
        self,
        hub: Hub,
        business_id: str,
        day: date,
        routes: Sequence[RouteRow],
        legs: Sequence[JobRow],
        told: Mapping[str, TimeWindow],
        *,
        but: Collection[str] = (),
        most: int = 3,
        windows: Sequence[TimeWindow] | None = None,
    ) -> list[Tried]:
        """The best of ``routes``, which are of ``day``, for ``legs``: all with a place on the map.

        ``told`` to their recipients before; ``but`` are ids of routes not to be offered.
        ``windows``: asked for in place of the last leg's own. Raises ``NotNow`` where no road
        leads to the work.
        """
        with self._lock:
            kept = self._days.setdefault((business_id, day), _Day())
            self._days.move_to_end((business_id, day))
            while len(self._days) > MOST_DAYS:
                self._days.popitem(last=False)
        with kept.lock:
            look = _Look(hub, business_id, day, kept)
            return look.best(routes, legs, told, but, most, windows) if routes else []


class _Look:
    """One question. The day is ours meanwhile."""

    def __init__(self, hub: Hub, business_id: str, day: date, kept: _Day) -> None:
        self.hub, self.business_id, self.day, self.kept = hub, business_id, day, kept

    def best(
        self,
        routes: Sequence[RouteRow],
        legs: Sequence[JobRow],
        told: Mapping[str, TimeWindow],
        but: Collection[str],
        most: int,
        windows: Sequence[TimeWindow] | None,
    ) -> list[Tried]:
        kept, rows = self.kept, {route.id: route for route in routes}
        changed = self._read(rows)
        self._know(changed, [leg.place_id for leg in legs if leg.place_id])
        self._put(changed)
        assert kept.places is not None
        works = self._works(rows, legs, windows)
        with self.hub.reading() as session:
            to_door = walks(session, self.business_id, Roads(kept.index, {}), legs)
            apart = others_of(session, self.business_id, [leg.id for leg in legs])
        tried: dict[str, Tried] = {}

        def judge(id: str) -> Placement:
            promises = told if rows[id].published_at else {}
            found = self._tried(id, works[rows[id].depot_id], promises, to_door, apart)
            tried[id] = found
            return found.after

        some = next(iter(works.values()))
        if not all(self._is_led_to(job.place) for job, _ in some):
            raise NotNow(OFF_MAP)
        found = bounds(kept.places, [job for job, _ in some])
        # Judged in full, whatever it would cost.
        unknown = {id: -inf for id, one in kept.routes.items() if one.row is None}
        fits = {id: more for id, more in {**found.fits, **unknown}.items() if id not in but}
        others = {id: more for id, more in found.others.items() if id not in but}
        return [tried[id] for id, _ in best_routes(Bounds(fits, others), judge, most)]

    def _works(
        self,
        rows: Mapping[str, RouteRow],
        legs: Sequence[JobRow],
        windows: Sequence[TimeWindow] | None,
    ) -> dict[str, list[tuple[JobToPlan, str]]]:
        """Depot id -> the work as its routes have it, in the day's numbers, and the order's.

        Where it is sooner done comes first: whatever fits then is all that can fit anywhere.
        """
        roads, found = Roads(self.kept.index, {}), dict[str, list[tuple[JobToPlan, str]]]()
        with self.hub.reading() as session:
            for route in {row.depot_id: row for row in rows.values()}.values():
                usual = usual_at(session, route)
                known = to_plan(session, self.business_id, legs, usual, roads)
                # What a person puts somewhere may go there, whoever was named.
                found[route.depot_id] = [
                    (replace(job, vehicle=None, forbidden_vehicles=frozenset()), number)
                    for job, number in (known[leg.id] for leg in legs)
                ]
                if windows is not None:
                    last, number = found[route.depot_id][-1]
                    asked = replace(last, windows=tuple(windows))
                    if legs[-1].state == State.CLOSED:  # the attempt after it was promised nothing
                        asked = replace(asked, id=f"after {last.id}")
                    found[route.depot_id][-1] = asked, number
        by_time = sorted(found.items(), key=lambda one: sum(job.service_s for job, _ in one[1]))
        return dict(by_time)

    def _is_led_to(self, place: int) -> bool:
        """Whether any kind of vehicle can come there from anywhere."""
        return any(
            int(np.count_nonzero(seconds[:, place] < NO_ROAD_S)) > 1
            for seconds, _ in self.kept.ways.values()
        )

    def _tried(
        self,
        route_id: str,
        work: Sequence[tuple[JobToPlan, str]],
        told: Mapping[str, TimeWindow],
        to_door: Mapping[int, int],
        apart: Collection[str],
    ) -> Tried:
        """In full, by the roads between the route's places and the work's. ``to_door``: seconds on
        foot, by the day's numbers of places. ``apart``: jobs that nobody does beside the work.
        """
        one = self.kept.routes[route_id]
        profile = one.now.vehicle.profile
        here = [self.kept.index[id] for id in one.roads.index]
        jobs = [replace(job, place=len(here) + n) for n, (job, _) in enumerate(work)]
        numbers = {job.id: number for job, number in work}
        at = np.ix_(*[[*here, *(job.place for job, _ in work)]] * 2)
        seconds, metres = self.kept.ways[profile]
        pace = one.roads.travel[profile].pace
        travel = {profile: TravelMatrix(seconds[at].tolist(), metres[at].tolist(), pace)}
        walks_s = {
            job.place: to_door.get(known.place, 0)
            for job, (known, _) in zip(jobs, work, strict=True)
        }
        access_s = {**one.now.access_s, **walks_s}
        now = replace(one.now, access_s=access_s).naming(numbers).keeping(told)
        now = now.parting((job.id, other) for job in jobs for other in apart)
        after = placed(now, jobs, travel, self.hub.now())
        extra_m = driven(after.route, travel)[1] - driven(now, travel)[1]
        return Tried(route_id, after, extra_m)

    def _read(self, rows: Mapping[str, RouteRow]) -> set[str]:
        """Bring the routes up to date; the ids of those that are others now."""
        kept, now = self.kept, self.hub.now()
        with self.hub.reading() as session:
            marks = marks_of(session, self.business_id, self.day)
        changed = set[str]()
        kept.routes = {id: one for id, one in kept.routes.items() if id in rows}
        for route in rows.values():
            old = kept.routes.get(route.id)
            if old is not None and old.mark == marks.get(route.id):
                if abs(now - old.at) < AGES:
                    continue
                again = timed(old.now, old.roads.travel, now)
                if again == old.timed:  # as ever, but for leaving sooner than is possible by now
                    old.at = now
                    continue
                kept.routes[route.id] = _made(old.mark, old.now, old.roads, now)
            else:
                roads = roads_for(self.hub, self.business_id, (route.id,))
                with self.hub.reading() as session:
                    present = laid(session, self.business_id, route, roads).now
                kept.routes[route.id] = _made(marks.get(route.id, ()), present, roads, now)
            changed.add(route.id)
        return changed

    def _know(self, changed: Collection[str], wanted: Collection[str]) -> None:
        """Know the roads between all places."""
        kept = self.kept
        ids = {id for one in kept.routes.values() for id in one.roads.index} | set(wanted)
        profiles = {one.now.vehicle.profile for one in kept.routes.values()}
        looked_at = {id for route in changed for id in kept.routes[route].roads.index}
        points = self._points(looked_at | set(wanted) | (ids - kept.index.keys()))
        for id, point in points.items():  # a pin that was moved is a new place
            if id in kept.index and kept.points[kept.index[id]] != point:
                del kept.index[id]
        points = {id: point for id, point in points.items() if id not in kept.index}
        is_old = time.monotonic() - kept.asked_at > ROADS_S
        if is_old or not profiles <= kept.ways.keys() or len(points) > AT_ONCE:
            known = {id: kept.points[n] for id, n in kept.index.items() if id in ids}
            self._ask(known | points, profiles)
        elif points:
            self._ask_more(points)

    def _points(self, ids: Collection[str]) -> dict[str, Point]:
        if not ids:
            return {}
        with self.hub.reading() as session:
            places = session.execute(
                select(col(PlaceRow.id), col(PlaceRow.lat), col(PlaceRow.lon)).where(
                    col(PlaceRow.business_id) == self.business_id, col(PlaceRow.id).in_(ids)
                )
            ).all()
            depots = session.execute(
                select(col(DepotRow.id), col(DepotRow.lat), col(DepotRow.lon)).where(
                    col(DepotRow.business_id) == self.business_id, col(DepotRow.id).in_(ids)
                )
            ).all()
        return {
            id: Point(lat, lon)
            for id, lat, lon in (*places, *depots)
            if lat is not None and lon is not None
        }

    def _ask(self, points: Mapping[str, Point], profiles: Collection[str]) -> None:
        kept = self.kept
        kept.index = {id: n for n, id in enumerate(points)}
        kept.points, kept.asked_at = list(points.values()), time.monotonic()
        every = range(len(points))
        kept.ways = {name: self._travel(kept.points, name).block(every, every) for name in profiles}
        kept.places = None

    def _ask_more(self, points: Mapping[str, Point]) -> None:
        """Only the ways to and from the new places."""
        kept = self.kept
        old, size = len(kept.points), len(kept.points) + len(points)
        kept.index |= {id: old + n for n, id in enumerate(points)}
        kept.points = [*kept.points, *points.values()]
        new = list(range(old, size))
        for name, known in kept.ways.items():
            wider = [np.zeros((size, size), dtype=np.int64) for _ in known]
            for table, was in zip(wider, known, strict=True):
                table[:old, :old] = was
            for first in range(0, old, AT_ONCE):
                here = [*new, *range(first, min(old, first + AT_ONCE))]
                every = range(len(here))
                answer = self._travel([kept.points[n] for n in here], name).block(every, every)
                for table, found in zip(wider, answer, strict=True):
                    table[np.ix_(new, here)] = found[: len(new)]
                    table[np.ix_(here, new)] = found[:, : len(new)]
            kept.ways[name] = wider[0], wider[1]
        kept.places = None

    def _travel(self, points: Sequence[Point], profile: str) -> TravelMatrix:
        return travel_between(self.hub, self.business_id, points, self.hub.now(), profile)

    def _put(self, changed: Collection[str]) -> None:
        """The index as the routes are now."""
        kept = self.kept
        rows = {id: one.row for id, one in kept.routes.items() if one.row is not None}
        known = {v.id: v for v in kept.places.vehicles} if kept.places is not None else {}
        again = {id: self._numbered(id) for id in rows if id in changed or kept.places is None}
        is_same = kept.places is not None and known.keys() == rows.keys()
        if is_same and all(known[id] == row.vehicle for id, row in again.items()):
            assert kept.places is not None
            for row in again.values():
                kept.places.put(row)
            return
        # Ways are priced by their seconds alone.
        travel = {name: ArrayTravel(s, s) for name, (s, _) in kept.ways.items()}
        kept.places = QuickPlaces(travel, [self._numbered(id) for id in rows])

    def _numbered(self, route_id: str) -> Row:
        """The row in the day's numbers."""
        kept, one = self.kept, self.kept.routes[route_id]
        assert one.row is not None
        of = {n: kept.index[id] for id, n in one.roads.index.items() if id in kept.index}
        vehicle, row = one.row.vehicle, one.row
        end = None if vehicle.end is None else of[vehicle.end]
        return replace(
            row,
            vehicle=replace(vehicle, start=of[vehicle.start], end=end),
            places=[of[place] for place in row.places],
        )


def _made(mark: Mark, present: RouteNow, roads: Roads, now: datetime) -> _Route:
    route = timed(present, roads.travel, now)
    left = ahead(route, roads.travel, now, as_judged=True)
    row = None
    if left is not None:
        vehicle = replace(left.vehicle, per_hour=3600, per_km=0)  # a second of driving costs 1
        request = requested([replace(left, vehicle=vehicle)], roads.travel)
        row = row_of(Timetable(request), vehicle, left.order)
    return _Route(mark, present, route, roads, row, now)
