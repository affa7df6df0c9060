"""Where a job could go on a day: the best places of all routes, and what they cost or break.

``KeptPlaces`` says at once which routes may be among the best; those are read and judged in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import cos, radians
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.fit import Placement, Times, placed
from hub.core.jobs import NotNow
from hub.core.offering import Bounds, best_routes
from hub.core.values import TimeWindow
from hub.db.tables import JobRow, PlaceRow, RouteRow, StopJobRow, StopRow
from hub.flows.board_moves import driven
from hub.flows.prove import job_of
from hub.flows.roads import OFF_MAP
from hub.flows.route_change import told_of
from hub.flows.route_now import laid, legs_of, roads_for, still_driven, to_plan, usual_at

if TYPE_CHECKING:
    from hub.app import Hub

BEST = 3
NEAREST = 12  # routes judged in full on a day that is too large to be kept


@dataclass(frozen=True, slots=True)
class Late:
    """An order that would come later than its recipient was told."""

    number: str
    late_s: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a job could go: at which stop of which route, and what that costs or breaks.

    ``problems`` are rules; ``late`` are promises that would not be kept, the worst first.
    """

    route_id: str
    version: int
    published: bool
    driver: str
    vehicle: str
    leaves_at: datetime | None
    back_at: datetime | None
    position: int  # its stop's number, from 1
    extra_s: int  # more driving
    extra_m: int
    problems: tuple[str, ...]
    late: tuple[Late, ...]
    there: Times
    earlier_s: int = 0  # the vehicle must leave
    pair: bool = False  # both halves would come on it

    @property
    def fits(self) -> bool:
        return not self.problems and not self.late


def best_places(hub: Hub, business_id: str, job_id: str, day: date) -> list[Offer]:
    """Up to three routes of ``day`` for a job, the best first: where nothing breaks, then where
    recipients wait least beyond what they were told; those it does not fit come last.

    A route the job is on already is not offered. Raises ``NotNow`` for a job without a place,
    or with one that no road leads to.
    """
    with hub.reading() as session:
        legs = legs_of(session, business_id, job_of(session, business_id, job_id))
        pinned = session.exec(
            select(PlaceRow.id).where(
                PlaceRow.business_id == business_id,
                col(PlaceRow.id).in_({leg.place_id for leg in legs}),
                col(PlaceRow.lat).is_not(None),
            )
        ).all()
        if any(leg.place_id not in pinned for leg in legs):
            raise NotNow("The job has no place on the map yet.")
        routes = session.exec(
            select(RouteRow).where(
                RouteRow.business_id == business_id, RouteRow.day == day, still_driven()
            )
        ).all()
        own = set(
            session.exec(
                select(StopRow.route_id)
                .join(StopJobRow)
                .where(StopJobRow.business_id == business_id, StopJobRow.job_id == job_id)
            )
        )
        now_on = session.exec(
            select(RouteRow).where(RouteRow.business_id == business_id, col(RouteRow.id).in_(own))
        ).first()
        told = told_of(session, now_on, legs) if now_on else {}
    free = {route.id: route for route in routes if route.id not in own}
    bounds = hub.places.bounds(hub, business_id, day, routes, legs)
    if bounds is None:
        bounds = _nearest(hub, business_id, legs, list(free))
    bounds = Bounds(_of(bounds.fits, free), _of(bounds.others, free))
    tried: dict[str, _Tried] = {}

    def judge(route_id: str) -> Placement:
        tried[route_id] = _tried(hub, business_id, free[route_id], legs, told)
        return tried[route_id].after

    best = best_routes(bounds, judge, BEST)
    return [_offer(free[id], tried[id], len(legs) > 1) for id, _ in best]


@dataclass(frozen=True, slots=True)
class _Tried:
    after: Placement
    extra_m: int


def _of(costs: Mapping[str, float], free: Mapping[str, RouteRow]) -> dict[str, float]:
    return {id: cost for id, cost in costs.items() if id in free}


def _nearest(hub: Hub, business_id: str, legs: list[JobRow], route_ids: Sequence[str]) -> Bounds:
    """Of a very large day the routes that come nearest in a straight line, each to be judged."""
    spot = (col(PlaceRow.lat), col(PlaceRow.lon))
    pinned = (PlaceRow.business_id == business_id, spot[0].is_not(None), spot[1].is_not(None))
    with hub.reading() as session:
        ours = select(*spot).where(*pinned, col(PlaceRow.id).in_({leg.place_id for leg in legs}))
        doors = session.execute(ours).all()
        stops = session.execute(
            select(col(StopRow.route_id), *spot)
            .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
            .where(*pinned, col(StopRow.route_id).in_(route_ids))
        ).all()
    far = dict.fromkeys(route_ids, float("inf"))
    for route_id, lat, lon in stops:
        for at_lat, at_lon in doors:
            away = (lat - at_lat) ** 2 + ((lon - at_lon) * cos(radians(at_lat))) ** 2
            far[route_id] = min(far[route_id], away)
    return Bounds(dict.fromkeys(sorted(far, key=lambda id: (far[id], id))[:NEAREST], 0.0), {})


def _offer(route: RouteRow, tried: _Tried, pair: bool) -> Offer:
    found = tried.after
    missed = sorted((p for p in found.problems if p.is_promise), key=lambda p: -p.amount)
    return Offer(
        route.id,
        route.version,
        route.published_at is not None,
        found.route.driver,
        found.route.van,
        route.leaves_at,
        route.back_at,
        found.position,
        found.extra_s,
        tried.extra_m,
        tuple(problem.said for problem in found.problems if not problem.is_promise),
        tuple(Late(found.route.numbers[p.about], p.amount) for p in missed),
        found.times,
        found.earlier_s,
        pair,
    )


def _tried(
    hub: Hub,
    business_id: str,
    route: RouteRow,
    legs: list[JobRow],
    told: Mapping[str, TimeWindow],
) -> _Tried:
    roads = roads_for(hub, business_id, (route.id,), legs)
    if not all(roads.lead_to(leg.place_id or "") for leg in legs):
        raise NotNow(OFF_MAP)
    with hub.reading() as session:
        new = to_plan(session, business_id, legs, usual_at(session, route), roads)
        now = laid(session, business_id, route, roads).now
    numbers = {id: number for id, (_, number) in new.items()}
    jobs = [new[leg.id][0] for leg in legs]
    now = now.naming(numbers).keeping(told if route.published_at else {})
    found = placed(now, jobs, roads.travel, hub.now())
    extra_m = driven(found.route, roads.travel)[1] - driven(now, roads.travel)[1]
    return _Tried(found, extra_m)
