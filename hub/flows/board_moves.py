"""Move a stop to another route, knowing before what that costs and whom it makes wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.fit import Problem, RouteNow, Times, placed, problems, timed, times_at, worse
from hub.core.fit_route import driving_s
from hub.core.jobs import TRANSITIONS, Act, NotNow, State
from hub.core.plan_request import TravelMatrix
from hub.db.tables import DriverRow, JobRow, OrderRow, RouteRow, StopJobRow, StopRow
from hub.flows.roads import OFF_MAP
from hub.flows.route_change import Change, DoesNotFit
from hub.flows.route_line import draw
from hub.flows.route_now import (
    laid,
    legs_of,
    promises_of,
    roads_for,
    still_driven,
    to_plan,
    usual_at,
)
from hub.flows.take_overs import still_elsewhere
from hub.flows.wishes import for_staff, wished_of

if TYPE_CHECKING:
    from hub.app import Hub

THERE = "The driver is at this stop already, or has been; it stays where it is."
LOADED = "It is loaded in another vehicle already: somebody has to bring it over."


@dataclass(frozen=True, slots=True)
class Effect:
    """What moving a stop to a route would do, seconds and metres of driving on both routes.

    ``broken`` are rules, ``promises`` what recipients were told and would no longer hold.
    """

    route_id: str
    version: int
    published: bool
    driver: str
    vehicle: str
    position: int  # its stop's number there, from 1
    extra_s: int
    extra_m: int
    saved_s: int
    saved_m: int
    broken: tuple[str, ...]
    promises: tuple[str, ...]
    there: Times
    earlier_s: int  # the vehicle must leave
    later_s: int  # it comes home

    @property
    def fits(self) -> bool:
        return not self.broken and not self.promises

    @property
    def burden(self) -> tuple[int, int, int]:
        """The less, the better."""
        return len(self.broken), len(self.promises), self.extra_s - self.saved_s


@dataclass(frozen=True, slots=True)
class Moving:
    """A stop that can be moved, its route as it was looked at, and where it could go."""

    stop_id: str
    route_id: str
    version: int
    published: bool
    driver: str
    n: int
    orders: tuple[tuple[str, str], ...]  # id and number
    effects: tuple[Effect, ...]
    wishes: tuple[tuple[str, str], ...] = ()  # what customers there said, in words


def moving(hub: Hub, business_id: str, stop_id: str, to_route_id: str | None = None) -> Moving:
    """What a move to each other route of the day (or to one) would do, the best first.

    Nothing for its own route. Raises ``LookupError`` for a stranger, ``NotNow`` once the
    driver is there.
    """
    with hub.reading() as session:
        route, groups = to_move(session, business_id, stop_id)
        others = session.exec(
            select(RouteRow).where(
                RouteRow.business_id == business_id,
                RouteRow.day == route.day,
                RouteRow.id != route.id,
                still_driven(),
            )
        ).all()
        driver, n = session.exec(
            select(DriverRow.name, StopRow.n)
            .join(StopRow, col(StopRow.id) == stop_id)
            .where(DriverRow.business_id == business_id, DriverRow.id == route.driver_id)
        ).one()
        ids = [leg.order_id for legs in groups for leg in legs]
        orders = session.exec(
            select(OrderRow.id, OrderRow.number)
            .where(OrderRow.business_id == business_id, col(OrderRow.id).in_(ids))
            .order_by(OrderRow.number)
        ).all()
        said = wished_of(session, business_id, ids)
    targets = [one for one in others if to_route_id in (None, one.id)]
    if to_route_id not in (None, route.id) and not targets:
        raise LookupError(f"no route {to_route_id}")
    found = [_effect(hub, business_id, route, target, groups) for target in targets]
    found.sort(key=lambda one: (one.burden, one.driver))
    return Moving(
        stop_id,
        route.id,
        route.version,
        route.published_at is not None,
        driver,
        n,
        tuple((id, number) for id, number in orders),
        tuple(found),
        tuple(one for id, _ in orders if id in said for one in for_staff(said[id])),
    )


def move_stop(
    hub: Hub,
    business_id: str,
    stop_id: str,
    to_route_id: str,
    *,
    actor: str,
    expected_version: int,
    to_version: int,
    force: bool = False,
) -> tuple[RouteRow, RouteRow]:
    """Move all that is still to do at a stop; both routes change, or neither does.

    Raises ``RouteConflict`` when either route is at another version, ``DoesNotFit`` with all
    that would break unless ``force``, ``NotNow`` once the driver is there.
    """
    with hub.reading() as session:
        route, groups = to_move(session, business_id, stop_id)
    if to_route_id == route.id:
        raise NotNow("The stop is on this route already.")
    jobs = [leg for legs in groups for leg in legs]
    roads = roads_for(hub, business_id, (route.id, to_route_id), jobs)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        old = change.route(route.id, expected_version)
        new = change.route(to_route_id, to_version)
        if new.day != old.day:
            raise NotNow("That route is of another day.")
        _, here = to_move(unit.session, business_id, stop_id)
        ids = [leg.id for legs in here for leg in legs]
        told = promises_of(unit.session, business_id, ids)
        kept = told if new.published_at else {}  # a draft's recipients are told once it is out
        was = _late(timed(change.laid(old, roads).now, roads.travel, change.now))
        for legs in here:
            change.take_off(old, legs)
        broken: list[Problem] = []
        for legs in here:
            try:
                put = change.put_on(new, legs, roads, force=force, told=kept, known=was)
            except DoesNotFit as problem:
                raise DoesNotFit([*broken, *problem.problems]) from None
            broken += put.problems
        if not new.published_at:
            own = problems(replace(put.route, promises=told))
            change.fitting(new, worse([one for one in own if one.is_promise], was), force)
        change.tell(new, [leg for legs in here for leg in legs], kept)
        change.tell_late(new, broken)
        change.retime(old, roads)
        change.bump(old)
        change.bump(new)
        change.audit("moved a stop", f"route:{new.id}")
    return draw(hub, old), draw(hub, new)


def to_move(
    session: Session, business_id: str, stop_id: str
) -> tuple[RouteRow, list[list[JobRow]]]:
    """The stop's route, and what is still to do there: single jobs and whole pairs.

    Raises as ``moving`` does.
    """
    route = session.exec(
        select(RouteRow)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .where(RouteRow.business_id == business_id, StopRow.id == stop_id)
    ).one_or_none()
    if route is None:
        raise LookupError(f"no stop {stop_id}")
    jobs = session.exec(
        select(JobRow)
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .where(StopJobRow.business_id == business_id, StopJobRow.stop_id == stop_id)
        .order_by(col(JobRow.order_id), col(JobRow.leg))
    ).all()
    groups: dict[str, list[JobRow]] = {}
    for job in jobs:
        if job.state != State.CLOSED:
            legs = legs_of(session, business_id, job)
            groups[legs[0].id] = legs
    if not groups or any(
        Act.UNPLAN not in TRANSITIONS[State(leg.state)] for legs in groups.values() for leg in legs
    ):
        raise NotNow(THERE)
    ids = [leg.id for legs in groups.values() for leg in legs]
    if van := still_elsewhere(session, business_id, ids):
        raise NotNow(f"Its goods are still in {van}; who takes them over brings them.")
    return route, list(groups.values())


def _effect(
    hub: Hub, business_id: str, route: RouteRow, target: RouteRow, groups: list[list[JobRow]]
) -> Effect:
    jobs = [leg for legs in groups for leg in legs]
    roads = roads_for(hub, business_id, (route.id, target.id), jobs)
    if not all(leg.place_id and roads.lead_to(leg.place_id) for leg in jobs):
        raise NotNow(OFF_MAP)
    with hub.reading() as session:
        known = to_plan(session, business_id, jobs, usual_at(session, target), roads)
        source = laid(session, business_id, route, roads).now
        before = laid(session, business_id, target, roads).now
        told = promises_of(session, business_id, [leg.id for leg in jobs])
    now, travel = hub.now(), roads.travel
    after = before.naming({id: number for id, (_, number) in known.items()})
    after = after.keeping(told if target.published_at else {})
    for legs in groups:
        after = placed(after, [known[leg.id][0] for leg in legs], travel, now).route
    # A draft's recipients are told anew, but whoever moves one should know what was told before.
    judged = replace(after, promises={**after.promises, **told})
    known_already = (*problems(timed(before, travel, now)), *_late(timed(source, travel, now)))
    found = worse(problems(judged), known_already)
    rest = timed(without(source, {leg.id for leg in jobs}), travel, now)
    source_s, source_m = driven(source, travel)
    rest_s, rest_m = driven(rest, travel)
    before_s, before_m = driven(before, travel)
    after_s, after_m = driven(after, travel)
    broken = [one.said for one in found if not one.is_promise]
    if any(leg.state == State.LOADED for leg in jobs):
        broken.append(LOADED)
    first = groups[0][0].id
    n, stop = next(
        (n, s) for n, s in enumerate(after.listed, 1) if first in {job.id for job in s.jobs}
    )
    return Effect(
        target.id,
        target.version,
        target.published_at is not None,
        after.driver,
        after.van if target.vehicle_id else "",
        n,
        after_s - before_s,
        after_m - before_m,
        source_s - rest_s,
        source_m - rest_m,
        tuple(broken),
        tuple(one.said for one in found if one.is_promise),
        times_at(after, stop),
        round((before.leave - after.leave).total_seconds()),
        round((after.home - before.home).total_seconds()),
    )


def _late(route: RouteNow) -> list[Problem]:
    """Whoever waits too long where they are now is made to wait no longer by a move."""
    return [one for one in problems(route) if one.kind in ("window", "promise")]


def without(route: RouteNow, jobs: Collection[str]) -> RouteNow:
    """``route`` as if nobody had given it these jobs."""
    kept = (
        replace(stop, jobs=tuple(job for job in stop.jobs if job.id not in jobs))
        for stop in route.stops
    )
    return replace(route, stops=tuple(stop for stop in kept if stop.jobs))


def driven(route: RouteNow, travel: Mapping[str, TravelMatrix]) -> tuple[int, int]:
    """Seconds and metres from the depot through all stops and home; nothing for no stop.

    Of a timed route: at the pace of its hours.
    """
    matrix = travel[route.vehicle.profile]
    if not route.stops:
        return 0, 0
    metres = sum(matrix.metres[a][b] for a, b in pairwise(route.way))
    return driving_s(route, travel), metres
