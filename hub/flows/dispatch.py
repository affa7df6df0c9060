"""Publish a route to its driver, and change it while it is on the road.

Every change names the version it was made from; a stale one is refused with
``RouteConflict``, so that two dispatchers never undo each other unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, func, select

from hub.core import jobs
from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.core.events import JobDispatched, JobWithdrawn, RouteChanged
from hub.core.jobs import Act, NotNow, State
from hub.core.values import Point
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import Unit
from hub.flows.plan import travel_between
from hub.flows.prove import job_of

if TYPE_CHECKING:
    from hub.app import Hub

UNDER_WAY = frozenset({State.EN_ROUTE, State.ARRIVED, State.CLOSED})
Seconds = dict[tuple[str, str], int]


class RouteConflict(HubError):
    """Somebody changed the route meanwhile; look again and decide again."""


@dataclass(frozen=True)
class _Roads:
    """Travel between places (by id; a depot counts as one), read before the unit."""

    seconds: Seconds

    def between(self, a: str, b: str) -> int:
        return 0 if a == b else self.seconds[a, b]


def publish(
    hub: Hub, business_id: str, route_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Put a draft on its driver's phone and promise each recipient a window."""
    with hub.unit() as unit:
        change = _Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        if route.published_at is not None:
            raise RouteConflict("This route is already published.")
        route.published_at = change.now
        for stop in change.stops(route_id):
            for job in change.jobs(stop.id):
                if job.state == State.CLOSED:  # cancelled since it was planned
                    change.unlink(job.id)
                else:
                    change.tell(job, route_id, stop.arrive_at)
        change.tidy(route_id)
    return route


def remove_job(
    hub: Hub, business_id: str, route_id: str, job_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Take a job off a route; it can be planned again. ``NotNow`` once the driver is there."""
    roads = _roads(hub, business_id, (route_id,), job_id)
    with hub.unit() as unit:
        change = _Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        change.take_off(route, change.job(job_id))
        change.finish(route, roads)
    return route


def add_job(
    hub: Hub, business_id: str, route_id: str, job_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Put an unplanned job where it costs the least driving, after what is under way."""
    roads = _roads(hub, business_id, (route_id,), job_id)
    with hub.unit() as unit:
        change = _Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        change.put_on(route, change.job(job_id), roads)
        change.finish(route, roads, new=job_id)
    return route


def move_job(
    hub: Hub,
    business_id: str,
    from_route_id: str,
    to_route_id: str,
    job_id: str,
    *,
    actor: str,
    expected_version: int,
    to_version: int,
) -> tuple[RouteRow, RouteRow]:
    """Both routes change, or neither does."""
    roads = _roads(hub, business_id, (from_route_id, to_route_id), job_id)
    with hub.unit() as unit:
        change = _Change(hub, unit, business_id, actor)
        old = change.route(from_route_id, expected_version)
        new = change.route(to_route_id, to_version)
        job = change.job(job_id)
        change.take_off(old, job)
        change.put_on(new, job, roads)
        change.finish(old, roads)
        change.finish(new, roads, new=job_id)
    return old, new


def hand_over(
    hub: Hub, business_id: str, route_id: str, driver_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Give the rest of a route to another driver, with that driver's shift if it is free."""
    with hub.unit() as unit:
        change = _Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        driver = unit.session.exec(
            select(DriverRow).where(DriverRow.business_id == business_id, DriverRow.id == driver_id)
        ).one_or_none()
        if driver is None:
            raise LookupError(f"no driver {driver_id}")
        route.driver_id, route.acknowledged = driver.id, 0
        shift = unit.session.exec(
            select(ShiftRow)
            .outerjoin(RouteRow, col(RouteRow.shift_id) == col(ShiftRow.id))
            .where(
                ShiftRow.business_id == business_id,
                ShiftRow.driver_id == driver.id,
                ShiftRow.day == route.day,
                col(RouteRow.id).is_(None),
            )
        ).first()
        if shift is not None:
            route.shift_id = shift.id
        change.bump(route)
    return route


def acknowledge(hub: Hub, business_id: str, route_id: str, version: int) -> RouteRow:
    """The driver has seen ``version``. Safe to repeat; an older one changes nothing."""
    with hub.unit() as unit:
        route = _Change(hub, unit, business_id, "hub").route(route_id, None)
        route.acknowledged = max(route.acknowledged, min(version, route.version))
    return route


class _Change:
    """What one unit does to routes."""

    def __init__(self, hub: Hub, unit: Unit, business_id: str, actor: str) -> None:
        self.unit, self.session, self.now = unit, unit.session, hub.now()
        self.business_id, self.actor = business_id, actor
        business = self.session.get_one(BusinessRow, business_id, with_for_update=True)
        self.settings = BusinessSettings.model_validate(business.settings)

    def route(self, route_id: str, expected_version: int | None) -> RouteRow:
        route = _route(self.session, self.business_id, route_id)
        if expected_version is not None and route.version != expected_version:
            raise RouteConflict(
                f"The route is at version {route.version}, not {expected_version}. Look again."
            )
        return route

    def job(self, job_id: str) -> JobRow:
        return job_of(self.session, self.business_id, job_id)

    def stops(self, route_id: str) -> list[StopRow]:
        return _stops(self.session, self.business_id, route_id)

    def jobs(self, stop_id: str) -> Sequence[JobRow]:
        return self.session.exec(
            select(JobRow)
            .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
            .where(JobRow.business_id == self.business_id, StopJobRow.stop_id == stop_id)
        ).all()

    def link(self, job_id: str) -> StopJobRow | None:
        return self.session.exec(
            select(StopJobRow).where(
                StopJobRow.business_id == self.business_id, StopJobRow.job_id == job_id
            )
        ).one_or_none()

    def unlink(self, job_id: str) -> None:
        if (link := self.link(job_id)) is not None:
            self.session.delete(link)
            self.session.flush()

    def take_off(self, route: RouteRow, job: JobRow) -> None:
        link = self.link(job.id)
        if link is None or link.stop_id not in {stop.id for stop in self.stops(route.id)}:
            raise LookupError(f"job {job.id} is not on route {route.id}")
        if job.state != State.CLOSED:
            job.state = jobs.after(State(job.state), Act.UNPLAN)
            job.version += 1
        self.unlink(job.id)
        if route.published_at is not None:
            self.unit.announce(JobWithdrawn(**self._about(job), job_id=job.id, route_id=route.id))

    def put_on(self, route: RouteRow, job: JobRow, roads: _Roads) -> None:
        if self.link(job.id) is not None:
            raise NotNow("The job is on a route already; move it.")
        if job.place_id is None or job.place_id not in {b for _, b in roads.seconds}:
            raise NotNow("The job has no place on the map yet.")
        job.state = jobs.after(jobs.after(State(job.state), Act.PLAN), Act.ASSIGN)
        job.version += 1
        stops = self.stops(route.id)
        done = [
            n
            for n, stop in enumerate(stops, 1)
            if any(State(one.state) in UNDER_WAY for one in self.jobs(stop.id))
        ]
        at = _cheapest(route.depot_id, stops, job.place_id, roads, max(done, default=0))
        stop = StopRow(
            business_id=self.business_id,
            route_id=route.id,
            n=len(stops) + 1,
            place_id=job.place_id,
            arrive_at=self.now,
            depart_at=self.now + timedelta(seconds=self._service_s(job)),
        )
        self.session.add(stop)
        self.session.flush()
        self.session.add(StopJobRow(business_id=self.business_id, stop_id=stop.id, job_id=job.id))
        self._number([*stops[:at], stop, *stops[at:]])

    def finish(self, route: RouteRow, roads: _Roads, new: str = "") -> None:
        """Drop empty stops, time the rest anew, tell whom it concerns."""
        self.tidy(route.id)
        self._time(route, roads)
        if new and route.published_at is not None:
            for stop in self.stops(route.id):
                for job in self.jobs(stop.id):
                    if job.id == new:
                        self.tell(job, route.id, stop.arrive_at)
        self.bump(route)

    def tell(self, job: JobRow, route_id: str, arrive_at: datetime) -> None:
        job.state, job.version = jobs.after(State(job.state), Act.DISPATCH), job.version + 1
        last = self.session.exec(
            select(func.max(PromiseRow.n)).where(
                PromiseRow.business_id == self.business_id, PromiseRow.job_id == job.id
            )
        ).one()
        half = timedelta(seconds=self.settings.window_s / 2)
        self.session.add(
            PromiseRow(
                business_id=self.business_id,
                job_id=job.id,
                n=(last or 0) + 1,
                opens=arrive_at - half,
                closes=arrive_at + half,
                told_by="page",
                at=self.now,
            )
        )
        eta = arrive_at.isoformat()
        self.unit.announce(
            JobDispatched(**self._about(job), job_id=job.id, route_id=route_id, eta=eta)
        )

    def tidy(self, route_id: str) -> None:
        stops = self.stops(route_id)
        kept = [stop for stop in stops if self.jobs(stop.id)]
        for stop in stops:
            if stop not in kept:
                self.session.delete(stop)
        self.session.flush()
        self._number(kept)

    def bump(self, route: RouteRow) -> None:
        route.version += 1
        if route.published_at is not None:
            self.unit.announce(
                RouteChanged(
                    business_id=self.business_id,
                    subject_kind="route",
                    subject_id=route.id,
                    occurred_at=self.now,
                    received_at=self.now,
                    actor=self.actor,
                    version=route.version,
                )
            )

    def _number(self, stops: Sequence[StopRow]) -> None:
        for n, stop in enumerate(stops, 1):  # aside first: (route, n) is unique at every moment
            stop.n = -n
        self.session.flush()
        for n, stop in enumerate(stops, 1):
            stop.n = n
        self.session.flush()

    def _time(self, route: RouteRow, roads: _Roads) -> None:
        at, here = route.leaves_at, route.depot_id
        for stop in self.stops(route.id):
            work = self.jobs(stop.id)
            if at is not None and not any(State(job.state) in UNDER_WAY for job in work):
                stay = stop.depart_at - stop.arrive_at
                reached = at + timedelta(seconds=roads.between(here, stop.place_id))
                opens = [datetime.fromisoformat(job.windows[0][0]) for job in work if job.windows]
                stop.arrive_at = max([reached, *opens])
                stop.depart_at = stop.arrive_at + stay
            at, here = stop.depart_at, stop.place_id
        if at is not None:
            route.back_at = at + timedelta(seconds=roads.between(here, route.depot_id))

    def _service_s(self, job: JobRow) -> int:
        place = self.session.get_one(PlaceRow, job.place_id)
        known = [s for s in (job.service_s, place.service_s) if s is not None]
        return known[0] if known else self.settings.service_s

    def _about(self, job: JobRow) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "subject_id": job.order_id,
            "occurred_at": self.now,
            "received_at": self.now,
            "actor": self.actor,
        }


def _cheapest(depot: str, stops: Sequence[StopRow], place: str, roads: _Roads, first: int) -> int:
    """The index from ``first`` on where ``place`` adds the fewest seconds."""
    way = [depot, *(stop.place_id for stop in stops), depot]

    def extra_s(at: int) -> int:
        a, b = way[at], way[at + 1]
        return roads.between(a, place) + roads.between(place, b) - roads.between(a, b)

    return min(range(first, len(stops) + 1), key=extra_s)


def _route(session: Session, business_id: str, route_id: str) -> RouteRow:
    route = session.exec(
        select(RouteRow).where(RouteRow.business_id == business_id, RouteRow.id == route_id)
    ).one_or_none()
    if route is None:
        raise LookupError(f"no route {route_id}")
    return route


def _stops(session: Session, business_id: str, route_id: str) -> list[StopRow]:
    return list(
        session.exec(
            select(StopRow)
            .where(StopRow.business_id == business_id, StopRow.route_id == route_id)
            .order_by(col(StopRow.n))
        )
    )


def _roads(hub: Hub, business_id: str, route_ids: Sequence[str], job_id: str) -> _Roads:
    points: dict[str, Point] = {}
    with hub.reading() as session:
        wanted = {job_of(session, business_id, job_id).place_id}
        for route_id in route_ids:
            route = _route(session, business_id, route_id)
            depot = session.get_one(DepotRow, route.depot_id)
            points[depot.id] = Point(depot.lat, depot.lon)
            wanted |= {stop.place_id for stop in _stops(session, business_id, route_id)}
        for place in session.exec(
            select(PlaceRow).where(
                PlaceRow.business_id == business_id, col(PlaceRow.id).in_(list(wanted))
            )
        ):
            if place.lat is not None and place.lon is not None:
                points[place.id] = Point(place.lat, place.lon)
    travel = travel_between(hub, list(points.values()), hub.now(), "car")
    seconds = {
        (a, b): travel.seconds[i][j] for i, a in enumerate(points) for j, b in enumerate(points)
    }
    return _Roads(seconds)
