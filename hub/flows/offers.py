"""Where a job could go on a day: the best place on each route, and what it costs or breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.fit import Placement, Times, placed
from hub.core.jobs import NotNow
from hub.core.values import TimeWindow
from hub.db.tables import JobRow, PlaceRow, RouteRow, StopJobRow, StopRow
from hub.flows.prove import job_of
from hub.flows.roads import OFF_MAP
from hub.flows.route_change import told_of
from hub.flows.route_now import laid, legs_of, roads_for, still_driven, to_plan, usual_at

if TYPE_CHECKING:
    from hub.app import Hub

BEST = 3


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
        here = (
            select(StopRow.route_id)
            .join(StopJobRow)
            .where(StopJobRow.business_id == business_id, StopJobRow.job_id == job_id)
        )
        routes = session.exec(
            select(RouteRow).where(
                RouteRow.business_id == business_id,
                RouteRow.day == day,
                col(RouteRow.id).not_in(here),
                still_driven(),
            )
        ).all()
        now_on = session.exec(
            select(RouteRow).where(RouteRow.business_id == business_id, col(RouteRow.id).in_(here))
        ).first()
        told = told_of(session, now_on, legs) if now_on else {}
    tried = [(route, _tried(hub, business_id, route, legs, told)) for route in routes]
    tried.sort(key=lambda one: one[1].burden)
    return [_offer(route, found, len(legs) > 1) for route, found in tried[:BEST]]


def _offer(route: RouteRow, found: Placement, pair: bool) -> Offer:
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
) -> Placement:
    # Roads of one route at a time: between all routes of a large day there are far more.
    roads = roads_for(hub, business_id, (route.id,), legs)
    if not all(roads.lead_to(leg.place_id or "") for leg in legs):
        raise NotNow(OFF_MAP)
    with hub.reading() as session:
        new = to_plan(session, business_id, legs, usual_at(session, route), roads)
        now = laid(session, business_id, route, roads).now
    numbers = {id: number for id, (_, number) in new.items()}
    jobs = [new[leg.id][0] for leg in legs]
    now = now.naming(numbers).keeping(told if route.published_at else {})
    return placed(now, jobs, roads.travel, hub.now())
