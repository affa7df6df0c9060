"""Publish a route to its driver, and change it while it is on the road.

Every change names the version it was made from; a stale one is refused with
``RouteConflict``, so that two dispatchers never undo each other unseen. One that
would break a rule is refused with ``DoesNotFit``, unless the dispatcher insists
(``force``), which is put on record. The halves of a pair go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.business import BusinessSettings
from hub.core.fit import Placement, placed, problems, timed, worse
from hub.core.jobs import NotNow
from hub.db.tables import (
    BusinessRow,
    DriverRow,
    JobRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows.drafts import drop_draft
from hub.flows.prove import job_of
from hub.flows.roads import OFF_MAP, Roads
from hub.flows.route_change import Change, DoesNotFit, draw
from hub.flows.route_now import RouteConflict, laid, legs_of, roads_for, to_plan

if TYPE_CHECKING:
    from hub.app import Hub

__all__ = [
    "DoesNotFit",
    "Offer",
    "RouteConflict",
    "acknowledge",
    "add_job",
    "best_places",
    "discard_draft",
    "hand_over",
    "move_job",
    "publish",
    "remove_job",
]
BEST = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a job could go: at which stop of which route, and what that costs or breaks."""

    route_id: str
    version: int
    published: bool
    driver: str
    position: int  # its stop's number, from 1
    extra_s: int  # more driving
    problems: tuple[str, ...]


def publish(
    hub: Hub, business_id: str, route_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Put a draft on its driver's phone and promise each recipient a window."""
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        if route.published_at is not None:
            raise RouteConflict("This route is already published.")
        route.published_at = change.now
        change.publish(route)
    return route


def discard_draft(
    hub: Hub, business_id: str, route_id: str, *, actor: str, expected_version: int
) -> None:
    """Throw a draft away; its jobs wait to be planned again."""
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        if route.published_at is not None:
            raise RouteConflict("This route is on its driver's phone; take its jobs off instead.")
        drop_draft(unit, route)
        change.audit("discarded a draft", f"route:{route_id}")


def remove_job(
    hub: Hub, business_id: str, route_id: str, job_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Take a job off a route; it can be planned again. ``NotNow`` once the driver is there."""
    roads = roads_for(hub, business_id, (route_id,))
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        change.take_off(route, change.legs(job_id))
        change.retime(route, roads)
        change.bump(route)
    return draw(hub, route)


def add_job(
    hub: Hub,
    business_id: str,
    route_id: str,
    job_id: str,
    *,
    actor: str,
    expected_version: int,
    force: bool = False,
) -> RouteRow:
    """Put an unplanned job where it costs the least driving, after what is under way."""
    roads = _roads(hub, business_id, (route_id,), job_id)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        legs = change.legs(job_id)
        change.put_on(route, legs, roads, force=force)
        change.tell(route, legs)
        change.bump(route)
    return draw(hub, route)


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
    force: bool = False,
) -> tuple[RouteRow, RouteRow]:
    """Both routes change, or neither does."""
    roads = _roads(hub, business_id, (from_route_id, to_route_id), job_id)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        old = change.route(from_route_id, expected_version)
        new = change.route(to_route_id, to_version)
        legs = change.legs(job_id)
        change.take_off(old, legs)
        change.put_on(new, legs, roads, force=force)
        change.tell(new, legs)
        change.retime(old, roads)
        change.bump(old)
        change.bump(new)
    return draw(hub, old), draw(hub, new)


def hand_over(
    hub: Hub,
    business_id: str,
    route_id: str,
    driver_id: str,
    *,
    actor: str,
    expected_version: int,
    vehicle_id: str | None = None,
    force: bool = False,
) -> RouteRow:
    """Give the rest of a route to another driver, with that driver's shift if it is free.

    ``vehicle_id`` ``None`` leaves it in the vehicle it is in. Name the present driver to
    change only the vehicle.
    """
    roads = roads_for(hub, business_id, (route_id,), vehicle_id=vehicle_id)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        broken = problems(timed(change.laid(route, roads).now, roads.travel, change.now))
        _give(change, route, driver_id, vehicle_id)
        unit.session.flush()
        after = timed(change.laid(route, roads).now, roads.travel, change.now)
        change.fitting(route, worse(problems(after), broken), force)
        change.retime(route, roads)
        change.bump(route)
    return draw(hub, route)


def acknowledge(hub: Hub, business_id: str, route_id: str, version: int) -> RouteRow:
    """The driver has seen ``version``. Safe to repeat; an older one changes nothing."""
    with hub.unit() as unit:
        route = Change(hub, unit, business_id, "hub").route(route_id, None)
        route.acknowledged = max(route.acknowledged, min(version, route.version))
    return route


def best_places(hub: Hub, business_id: str, job_id: str, day: date) -> list[Offer]:
    """Up to three routes of ``day`` for a job, the best first; those it does not fit come last.

    A route the job is on already is not offered. Raises ``NotNow`` for a job without a place,
    or with one that no road leads to.
    """
    with hub.reading() as session:
        legs = legs_of(session, business_id, job_of(session, business_id, job_id))
        if any(leg.place_id is None for leg in legs):
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
            )
        ).all()
    tried = [(route, _tried(hub, business_id, route, legs)) for route in routes]
    tried.sort(key=lambda one: (len(one[1].problems), one[1].extra_s))
    return [
        Offer(
            route.id,
            route.version,
            route.published_at is not None,
            found.route.driver,
            found.position,
            found.extra_s,
            tuple(problem.said for problem in found.problems),
        )
        for route, found in tried[:BEST]
    ]


def _tried(hub: Hub, business_id: str, route: RouteRow, legs: list[JobRow]) -> Placement:
    # Roads of one route at a time: between all routes of a large day there are far more.
    roads = roads_for(hub, business_id, (route.id,), legs)
    if not all(roads.lead_to(leg.place_id or "") for leg in legs):
        raise NotNow(OFF_MAP)
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        usual = BusinessSettings.model_validate(business.settings)
        new = to_plan(session, business_id, legs, usual, roads)
        now = laid(session, business_id, route, roads).now
    numbers = {id: number for id, (_, number) in new.items()}
    jobs = [new[leg.id][0] for leg in legs]
    return placed(now.naming(numbers), jobs, roads.travel, hub.now())


def _roads(hub: Hub, business_id: str, route_ids: tuple[str, ...], job_id: str) -> Roads:
    with hub.reading() as session:
        legs = legs_of(session, business_id, job_of(session, business_id, job_id))
    return roads_for(hub, business_id, route_ids, legs)


def _give(change: Change, route: RouteRow, driver_id: str, vehicle_id: str | None) -> None:
    """The driver's free shift of that day comes along. ``LookupError`` for a stranger."""
    session, business_id = change.session, change.business_id
    driver = session.exec(
        select(DriverRow).where(DriverRow.business_id == business_id, DriverRow.id == driver_id)
    ).one_or_none()
    if driver is None:
        raise LookupError(f"no driver {driver_id}")
    if vehicle_id is not None:
        vehicle = session.exec(
            select(VehicleRow).where(
                VehicleRow.business_id == business_id, VehicleRow.id == vehicle_id
            )
        ).one_or_none()
        if vehicle is None:
            raise LookupError(f"no vehicle {vehicle_id}")
        route.vehicle_id = vehicle.id
    if route.driver_id == driver.id:
        return
    route.driver_id, route.acknowledged = driver.id, 0
    shift = session.exec(
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
