"""Where a job could go on a day: the best places of all routes, and what they cost or break.

``KeptPlaces`` knows at once which routes may be among the best; those are judged in full.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import cos, radians
from typing import TYPE_CHECKING

from sqlalchemy.orm import defer
from sqlmodel import col, select

from hub.core.fit import Times
from hub.core.jobs import NotNow
from hub.db.tables import JobRow, PlaceRow, RouteRow, StopJobRow, StopRow
from hub.flows.kept_places import Tried
from hub.flows.prove import job_of
from hub.flows.route_change import told_of
from hub.flows.route_now import legs_of, still_driven

if TYPE_CHECKING:
    from hub.app import Hub

BEST = 3
MOST_ROUTES = 80  # of a larger day the nearest: roads between all its doors are too much to keep


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
            select(RouteRow)
            .options(defer(col(RouteRow.geometry)))  # type: ignore[arg-type]
            .where(RouteRow.business_id == business_id, RouteRow.day == day, still_driven())
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
    by_id = {route.id: route for route in routes}
    if len(routes) > MOST_ROUTES:
        near = nearest(hub, business_id, legs, by_id.keys() - own)
        routes = [by_id[id] for id in near]
    best = hub.places.best(hub, business_id, day, routes, legs, told, but=own, most=BEST)
    return [_offer(by_id[one.route_id], one, len(legs) > 1) for one in best]


def nearest(
    hub: Hub, business_id: str, legs: Sequence[JobRow], route_ids: Collection[str]
) -> list[str]:
    """The routes that come nearest in a straight line."""
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
    return sorted(far, key=lambda id: (far[id], id))[:MOST_ROUTES]


def _offer(route: RouteRow, tried: Tried, pair: bool) -> Offer:
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
