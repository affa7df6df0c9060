"""Where work could go on a day, kept from one question to the next in the process that is asked.

Reading 50 routes and the roads between 1,000 doors takes a second; asking them all at once takes a
millisecond. So both are kept, and each time it is looked, by a few sums, which route is another
one by now: that one alone is read again. What is kept only says which routes to judge; each
is judged as it is stored, and a place that was taken meanwhile is a conflict as ever.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select
from sqlmodel import Session, col

from hub.core.ad_hoc import row_of
from hub.core.fit import RouteNow, timed
from hub.core.offering import Bounds, bounds
from hub.core.plan_request import TravelMatrix, Whole
from hub.core.quick_places import QuickPlaces, Row
from hub.core.rest_request import ahead, requested
from hub.core.schedule import Timetable
from hub.core.travel import ArrayTravel
from hub.core.values import Point
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows.roads import Roads, travel_between
from hub.flows.route_now import laid, roads_for, to_plan, usual_at

if TYPE_CHECKING:
    from hub.app import Hub

MOST_DAYS = 3  # a day of 1,000 doors is 16 MB for each kind of vehicle
MOST_PLACES = 1_500  # of a larger day the routes that come nearest are judged
ROADS_S = 900.0  # then the roads are asked for again: traffic, or a new map
AGES = timedelta(minutes=3)  # then a route is timed anew: its driver may leave no earlier than now
AT_ONCE = 150  # places in one question about a new one: the rest of the answer is known
Mark = tuple[object, ...]


@dataclass
class _Route:
    """``row`` in the numbers of its own ``roads``; ``None``: nobody could do it as it is."""

    mark: Mark
    now: RouteNow
    roads: Roads
    row: Row | None
    at: datetime


@dataclass
class _Day:
    lock: Lock = field(default_factory=Lock)
    routes: dict[str, _Route] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)  # place or depot id -> its number
    points: list[Point] = field(default_factory=list)
    seconds: dict[str, Whole] = field(default_factory=dict)  # by profile
    asked_at: float = 0.0
    places: QuickPlaces | None = None


class KeptPlaces:
    """Of the days that were asked about last. Safe in any thread."""

    def __init__(self) -> None:
        self._days: OrderedDict[tuple[str, date], _Day] = OrderedDict()
        self._lock = Lock()

    def bounds(
        self,
        hub: Hub,
        business_id: str,
        day: date,
        routes: Sequence[RouteRow],
        legs: Sequence[JobRow],
    ) -> Bounds | None:
        """What ``legs`` would at least add on each of ``routes``, all that are still driven on
        ``day``; ``None`` where the day is too large to be kept. A route that cannot be known
        beforehand is said to add nothing.
        """
        with self._lock:
            kept = self._days.setdefault((business_id, day), _Day())
            self._days.move_to_end((business_id, day))
            while len(self._days) > MOST_DAYS:
                self._days.popitem(last=False)
        with kept.lock:
            return _Look(hub, business_id, day, kept).bounds(routes, legs)


class _Look:
    """One question. The day is ours meanwhile."""

    def __init__(self, hub: Hub, business_id: str, day: date, kept: _Day) -> None:
        self.hub, self.business_id, self.day, self.kept = hub, business_id, day, kept

    def bounds(self, routes: Sequence[RouteRow], legs: Sequence[JobRow]) -> Bounds | None:
        if not routes:
            return Bounds({}, {})
        changed = self._read(routes)
        if not self._know(changed, [leg.place_id for leg in legs if leg.place_id]):
            return None
        self._put(changed)
        kept = self.kept
        assert kept.places is not None
        with self.hub.reading() as session:
            numbers = Roads(kept.index, {})
            known = to_plan(session, self.business_id, legs, usual_at(session, routes[0]), numbers)
        # A stop moved by hand goes to whom the dispatcher says, whoever was named.
        jobs = [
            replace(known[leg.id][0], vehicle=None, forbidden_vehicles=frozenset()) for leg in legs
        ]
        found = bounds(kept.places, jobs)
        unknown = {id: 0.0 for id, one in kept.routes.items() if one.row is None}
        return Bounds({**found.fits, **unknown}, found.others)

    def _read(self, routes: Sequence[RouteRow]) -> set[str]:
        """Bring the routes up to date; the ids of those that are others now."""
        kept, now = self.kept, self.hub.now()
        with self.hub.reading() as session:
            marks = _marks(session, self.business_id, self.day)
        ids, changed = {route.id for route in routes}, set[str]()
        kept.routes = {id: one for id, one in kept.routes.items() if id in ids}
        for route in routes:
            old = kept.routes.get(route.id)
            if old is not None and old.mark == marks.get(route.id):
                if abs(now - old.at) < AGES:
                    continue
                kept.routes[route.id] = _made(old.mark, old.now, old.roads, now)
            else:
                roads = roads_for(self.hub, self.business_id, (route.id,))
                with self.hub.reading() as session:
                    present = laid(session, self.business_id, route, roads).now
                kept.routes[route.id] = _made(marks.get(route.id, ()), present, roads, now)
            changed.add(route.id)
        return changed

    def _know(self, changed: Collection[str], wanted: Collection[str]) -> bool:
        """Know the roads between all places; ``False`` if those are too many."""
        kept = self.kept
        ids = {id for one in kept.routes.values() for id in one.roads.index} | set(wanted)
        if len(ids) > MOST_PLACES:
            return False
        profiles = {one.now.vehicle.profile for one in kept.routes.values()}
        looked_at = {id for route in changed for id in kept.routes[route].roads.index}
        points = self._points(looked_at | set(wanted) | (ids - kept.index.keys()))
        for id, point in points.items():  # a pin that was moved is a new place
            if id in kept.index and kept.points[kept.index[id]] != point:
                del kept.index[id]
        points = {id: point for id, point in points.items() if id not in kept.index}
        is_old = time.monotonic() - kept.asked_at > ROADS_S
        if is_old or not profiles <= kept.seconds.keys() or len(points) > AT_ONCE:
            known = {id: kept.points[n] for id, n in kept.index.items() if id in ids}
            self._ask(known | points, profiles)
        elif points:
            self._ask_more(points)
        return True

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
        kept.seconds = {
            name: self._travel(kept.points, name).block(every, every)[0] for name in profiles
        }
        kept.places = None

    def _ask_more(self, points: Mapping[str, Point]) -> None:
        """Only the ways to and from the new places."""
        kept = self.kept
        old, size = len(kept.points), len(kept.points) + len(points)
        kept.index |= {id: old + n for n, id in enumerate(points)}
        kept.points = [*kept.points, *points.values()]
        for name, known in kept.seconds.items():
            table = np.zeros((size, size), dtype=np.int64)
            table[:old, :old] = known
            new = list(range(old, size))
            for first in range(0, old, AT_ONCE):
                here = [*new, *range(first, min(old, first + AT_ONCE))]
                found, _ = self._travel([kept.points[n] for n in here], name).block(
                    range(len(here)), range(len(here))
                )
                table[np.ix_(new, here)] = found[: len(new)]
                table[np.ix_(here, new)] = found[:, : len(new)]
            kept.seconds[name] = table
        kept.places = None

    def _travel(self, points: Sequence[Point], profile: str) -> TravelMatrix:
        return travel_between(self.hub, points, self.hub.now(), profile)

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
        travel = {name: ArrayTravel(table, table) for name, table in kept.seconds.items()}
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
    return _Route(mark, present, roads, row, now)


def _marks(session: Session, business_id: str, day: date) -> dict[str, Mark]:
    """Route id -> what is another one as soon as anything is that its times or limits hang on."""
    ours = col(RouteRow.business_id) == business_id, col(RouteRow.day) == day
    crews = session.execute(
        select(
            col(RouteRow.id),
            col(RouteRow.version),
            col(RouteRow.published_at),
            col(RouteRow.leaves_at),
            col(RouteRow.back_at),
            col(ShiftRow.starts_at),
            col(ShiftRow.ends_at),
            col(ShiftRow.depot_id),
            col(ShiftRow.end_depot_id),
            col(DriverRow.name),
            col(DriverRow.skills),
            col(DriverRow.planning),
            col(VehicleRow.name),
            col(VehicleRow.profile),
            col(VehicleRow.capacity),
            col(VehicleRow.skills),
            col(VehicleRow.planning),
        )
        .select_from(RouteRow)
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .join(DriverRow, col(DriverRow.id) == col(RouteRow.driver_id))
        .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
        .where(*ours)
    ).all()
    stops = select(
        col(StopRow.route_id),
        func.count(),
        func.sum(JobRow.version),
        func.sum(OrderRow.version),
        func.sum(func.coalesce(PlaceRow.service_s, -1)),
        func.sum(PlaceRow.lat),
        func.sum(PlaceRow.lon),
        func.min(StopRow.arrive_at),
        func.max(StopRow.depart_at),
    ).select_from(StopRow)
    work = session.execute(
        stops.join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .where(*ours)
        .group_by(col(StopRow.route_id))
    ).all()
    told = session.execute(
        select(col(StopRow.route_id), func.count(), func.max(PromiseRow.at))
        .select_from(StopRow)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(PromiseRow, col(PromiseRow.job_id) == col(StopJobRow.job_id))
        .where(*ours)
        .group_by(col(StopRow.route_id))
    ).all()
    taken = session.execute(
        select(
            col(StopRow.route_id),
            col(TakeOverRow.id),
            col(TakeOverRow.done_at),
            col(TakeOverRow.ready_at),
        )
        .select_from(StopRow)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(TakeOverRow, col(TakeOverRow.stop_id) == col(StopRow.id))
        .where(*ours)
    ).all()
    business = session.get_one(BusinessRow, business_id)
    depots = select(
        col(DepotRow.id), col(DepotRow.lat), col(DepotRow.lon), col(DepotRow.service_s)
    ).where(col(DepotRow.business_id) == business_id)
    shared = str(business.settings), str(session.execute(depots).all())
    marks: dict[str, list[object]] = {row[0]: [shared, str(row)] for row in crews}
    for row in (*work, *told, *taken):
        if row[0] in marks:
            marks[row[0]].append(str(row))
    return {id: tuple(parts) for id, parts in marks.items()}
