"""Improve the rest of a day that is being driven: what would change, and making it so.

Work keeps its vehicle once it is on board: what a driver has loaded, or brings from a depot
that he has left, only changes its turn. The answer is a proposal; it names the versions of
the routes it was made from, and at other versions nothing happens.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.fit import RouteNow, Stage, StopNow, timed
from hub.core.fit_problems import Problem
from hub.core.jobs import TRANSITIONS, Act, NotNow, State
from hub.core.plan_request import JobToPlan
from hub.core.rest_of_day import Unit, fresh_problems, improved_rest, waits
from hub.core.zones import is_barred
from hub.db.tables import RouteRow, ShiftRow
from hub.flows.board_moves import driven
from hub.flows.roads import Roads
from hub.flows.route_change import Change, DoesNotFit
from hub.flows.route_line import draw
from hub.flows.route_now import (
    Laid,
    RouteConflict,
    laid,
    legs_of,
    roads_for,
    still_driven,
)

if TYPE_CHECKING:
    from hub.app import Hub

SEARCH_S = 1.5
MOVED_ON = "The day has moved on since this was worked out. Look again."


@dataclass(frozen=True, slots=True)
class Proposed:
    """A route's order of what is still to do: the jobs of each stop. ``version``: looked at."""

    route_id: str
    version: int
    stops: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class RouteDifference:
    """What would change for one driver. ``came`` and ``left``: order number and other driver.

    ``turned``: stops that stay on the route at another place in its order. ``broken``: what
    recipients were told and would no longer hold, each of whom is told anew.
    """

    route_id: str
    driver: str
    came: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
    turned: int
    was_s: int
    is_s: int
    was_m: int
    is_m: int
    home_was: datetime
    home_is: datetime
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Improvement:
    """Only the routes that change; none of them: nothing better was found."""

    day: date
    routes: tuple[RouteDifference, ...]
    proposed: tuple[Proposed, ...]

    @property
    def saved_s(self) -> int:
        return sum(one.was_s - one.is_s for one in self.routes)

    @property
    def saved_m(self) -> int:
        return sum(one.was_m - one.is_m for one in self.routes)

    @property
    def moved(self) -> int:
        """Jobs that another driver would do."""
        return sum(len(one.came) for one in self.routes)

    @property
    def turned(self) -> int:
        return sum(one.turned for one in self.routes)

    @property
    def told_anew(self) -> int:
        return sum(len(one.broken) for one in self.routes)


@dataclass(frozen=True, slots=True)
class _Rest:
    """The routes of a day that are out, the roads between their places, and what may move."""

    laid: dict[str, Laid]
    now: dict[str, RouteNow]  # timed; each knows the numbers and promises of all
    left: frozenset[str]  # routes whose vehicle is no longer at the depot
    units: tuple[Unit, ...]
    staying: frozenset[str]  # jobs that keep their vehicle


def improvement(
    hub: Hub,
    business_id: str,
    day: date,
    *,
    search_s: float = SEARCH_S,
) -> Improvement:
    """What would change if the rest of ``day`` was driven as well as can be found; stores nothing.

    Searches for about ``search_s`` at most.
    """
    until = time.monotonic() + search_s
    with hub.reading() as session:
        ids = [route.id for route in _out(session, business_id, day)]
    roads = roads_for(hub, business_id, ids)
    with hub.reading() as session:
        rest = _rest(session, business_id, _out(session, business_id, day), roads, hub.now())
    found = improved_rest(
        tuple(rest.now.values()),
        rest.units,
        roads.travel,
        hub.now(),
        may_go=_may_go(rest),
        is_over=lambda: time.monotonic() >= until,
    )
    after = {route.id: route for route in found}
    changed = [id for id in after if _order(after[id]) != _order(rest.now[id])]
    return Improvement(
        day,
        tuple(_difference(rest, after, id, roads) for id in changed),
        tuple(Proposed(id, rest.laid[id].route.version, _order(after[id])) for id in changed),
    )


def publish_improvement(
    hub: Hub,
    business_id: str,
    day: date,
    proposed: Sequence[Proposed],
    *,
    actor: str,
    force: bool = False,
) -> list[RouteRow]:
    """Make ``proposed`` so: all routes change, or none does.

    Raises ``RouteConflict`` when a route is at another version or its work is another,
    ``DoesNotFit`` with all that would break by now unless ``force``, ``NotNow`` for work that
    is loaded elsewhere, ``LookupError`` for a stranger.
    """
    with hub.reading() as session:
        ids = [route.id for route in _out(session, business_id, day)]
    roads = roads_for(hub, business_id, ids)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        routes = [change.route(one.route_id, one.version) for one in proposed]
        out = _out(unit.session, business_id, day)
        if not {route.id for route in routes} <= {route.id for route in out} <= set(ids):
            raise RouteConflict(MOVED_ON)
        rest = _rest(unit.session, business_id, out, roads, change.now)
        after = {one.route_id: _laid_out(rest, one) for one in proposed}
        moves = _moves(rest, after)
        after = {id: timed(route, roads.travel, change.now) for id, route in after.items()}
        broken = {id: _fresh(rest, after[id]) for id in after}
        if any(broken.values()) and not force:
            raise DoesNotFit([one for found in broken.values() for one in found])
        _carry_out(change, rest, after, moves, broken, roads)
        change.audit(f"improved the rest of the day: {len(moves)} moved", f"day:{day}")
    return [draw(hub, route) for route in routes]


def _carry_out(
    change: Change,
    rest: _Rest,
    after: Mapping[str, RouteNow],
    moves: Mapping[str, tuple[str, str]],
    broken: Mapping[str, Sequence[Problem]],
    roads: Roads,
) -> None:
    rows = {id: job for one in rest.laid.values() for id, job in one.jobs.items()}
    told = {id: window for route in rest.now.values() for id, window in route.promises.items()}
    for id in after:
        if gone := [rows[job] for job, (source, _) in moves.items() if source == id]:
            change.take_off(rest.laid[id].route, gone)
    for job in map(rows.__getitem__, moves):
        job.state = jobs.after(jobs.after(State(job.state), Act.PLAN), Act.ASSIGN)
        job.version += 1
    for id, route in after.items():
        stored = rest.laid[id].route
        came = [rows[job] for job, (_, target) in moves.items() if target == id]
        change.fitting(stored, broken[id], force=True)
        places = {job.place_id: roads.index[job.place_id or ""] for job in came}
        change.lay(change.laid(stored, roads), route, places)
        change.tell(stored, came, told)
        change.tell_late(stored, broken[id])
        change.bump(stored)


def _out(session: Session, business_id: str, day: date) -> list[RouteRow]:
    """The routes of ``day`` that are on a phone and whose driver has not gone home."""
    query = select(RouteRow).where(
        RouteRow.business_id == business_id,
        RouteRow.day == day,
        col(RouteRow.published_at).is_not(None),
        still_driven(),
    )
    return list(session.exec(query.order_by(col(RouteRow.id))))


def _rest(
    session: Session, business_id: str, routes: Sequence[RouteRow], roads: Roads, now: datetime
) -> _Rest:
    every = {route.id: laid(session, business_id, route, roads) for route in routes}
    # Who takes over another's load first has what he will bring in a vehicle that stands.
    found = {id: one for id, one in every.items() if not one.fetched}
    numbers = {id: n for one in found.values() for id, n in one.now.numbers.items()}
    promises = {id: w for one in found.values() for id, w in one.now.promises.items()}
    routes_now = {
        id: timed(one.now.naming(numbers).keeping(promises), roads.travel, now)
        for id, one in found.items()
    }
    began = session.exec(
        select(ShiftRow.id).where(
            ShiftRow.business_id == business_id,
            col(ShiftRow.id).in_([route.shift_id for route in routes]),
            col(ShiftRow.began_at).is_not(None),
        )
    ).all()
    left = frozenset(
        id for id, one in found.items() if one.now.has_left or one.route.shift_id in set(began)
    )
    units, staying = list[Unit](), set[str]()
    for id, one in found.items():
        for legs in _units(session, business_id, one, routes_now[id]):
            units.append(legs)
            rows = [one.jobs[leg.id] for leg in legs]
            aboard = id in left and len(legs) == 1 and legs[0].load_direction == "deliver"
            if aboard or any(row.state == State.LOADED for row in rows):
                staying |= {leg.id for leg in legs}
    return _Rest(found, routes_now, left, tuple(units), frozenset(staying))


def _units(session: Session, business_id: str, one: Laid, route: RouteNow) -> list[Unit]:
    """What may be driven to at another time: whole pairs, and single jobs, by their turn."""
    known = {job.id: job for stop in route.stops for job in stop.jobs}
    to_do = [stop for stop in route.stops if stop.stage is Stage.TO_DO]
    open_ids = {job.id for stop in to_do for job in stop.jobs}
    if any(known[id].max_on_board_s is not None for id in open_ids):
        return []  # another turn may keep something on board for too long
    found: dict[str, Unit] = {}
    for stop in to_do:
        for job in stop.jobs:
            legs = [leg.id for leg in legs_of(session, business_id, one.jobs[job.id])]
            if legs[0] in found or not set(legs) <= open_ids:
                continue
            if all(Act.UNPLAN in TRANSITIONS[State(one.jobs[id].state)] for id in legs):
                found[legs[0]] = tuple(known[id] for id in legs)
    return list(found.values())


def _may_go(rest: _Rest) -> Callable[[Unit, str], bool]:
    home = {job.id: id for id, route in rest.now.items() for s in route.stops for job in s.jobs}

    def may_go(unit: Unit, to: str) -> bool:
        source, target = rest.now[home[unit[0].id]], rest.now[to]
        from_depot = len(unit) == 1 and unit[0].load_direction == "deliver"
        if from_depot and (to in rest.left or source.vehicle.start != target.vehicle.start):
            return False
        if any(job.max_on_board_s is not None for stop in target.stops for job in stop.jobs):
            return False  # more on its way may keep something on board for too long
        return all(_takes(target, job) and job.id not in rest.staying for job in unit)

    return may_go


def _takes(route: RouteNow, job: JobToPlan) -> bool:
    if job.ready_at is not None or job.goods:
        return False  # what it may wait for, or ride with, is judged by planning alone
    if is_barred(route.vehicle, job):
        return False
    own = route.vehicle.id
    return job.vehicle in (None, own) and own not in job.forbidden_vehicles


def _order(route: RouteNow) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(job.id for job in stop.jobs) for stop in route.stops[route.first_free :])


def _laid_out(rest: _Rest, one: Proposed) -> RouteNow:
    """The route in the proposed order, not timed. Raises ``RouteConflict`` for unknown work."""
    route = rest.now[one.route_id]
    known = {job.id: job for r in rest.now.values() for s in r.stops for job in s.jobs}
    present = {job.id: stop for stop in route.stops[route.first_free :] for job in stop.jobs}
    stops, used = list(route.stops[: route.first_free]), set[str]()
    for ids in one.stops:
        if not ids or not set(ids) <= known.keys():
            raise RouteConflict(MOVED_ON)
        work = tuple(known[id] for id in ids)
        if len({job.place for job in work}) > 1:
            raise RouteConflict(MOVED_ON)
        here = next(
            (present[id] for id in ids if id in present and present[id].id not in used), None
        )
        if here is None:
            here = StopNow("", work[0].place, work, Stage.TO_DO, route.leave, route.leave)
        else:
            used.add(here.id)
        stops.append(replace(here, jobs=work))
    return replace(route, stops=tuple(stops))


def _moves(rest: _Rest, after: Mapping[str, RouteNow]) -> dict[str, tuple[str, str]]:
    """Job id -> the routes it goes from and to. Raises unless the proposal holds each once."""
    was = {job: id for id in after for stop in _order(rest.now[id]) for job in stop}
    listed = [(job, id) for id, route in after.items() for stop in _order(route) for job in stop]
    if sorted(job for job, _ in listed) != sorted(was):
        raise RouteConflict(MOVED_ON)
    moves = {job: (was[job], id) for job, id in listed if was[job] != id}
    may_go = _may_go(rest)
    units = {leg.id: unit for unit in rest.units for leg in unit}
    for job, (_, to) in moves.items():
        if job not in units or not may_go(units[job], to):
            raise NotNow("Some of this work is in a vehicle by now, or may not go to another one.")
        if any(moves.get(leg.id, ("", ""))[1] != to for leg in units[job]):
            raise NotNow("What belongs together stays with one driver.")
    return moves


def _fresh(rest: _Rest, route: RouteNow) -> tuple[Problem, ...]:
    return fresh_problems(route, rest.now[route.id], waits(tuple(rest.now.values())))


def _difference(
    rest: _Rest, after: Mapping[str, RouteNow], id: str, roads: Roads
) -> RouteDifference:
    before, then = rest.now[id], after[id]
    was = {job: r for r, route in rest.now.items() for stop in _order(route) for job in stop}
    now = {job: r for r, route in after.items() for stop in _order(route) for job in stop}
    number = before.numbers
    came = [(number[job], rest.now[r].driver) for job, r in was.items() if now[job] == id != r]
    left = [(number[job], after[now[job]].driver) for job, r in was.items() if r == id != now[job]]
    was_s, was_m = driven(before, roads.travel)
    is_s, is_m = driven(then, roads.travel)
    return RouteDifference(
        id,
        before.driver,
        tuple(came),
        tuple(left),
        _turned(before, then),
        was_s,
        is_s,
        was_m,
        is_m,
        before.home,
        then.home,
        tuple(one.said for one in _fresh(rest, then)),
    )


def _turned(before: RouteNow, after: RouteNow) -> int:
    """The fewest stops of both that one has to move for the other order: those outside the
    longest run that keeps its order.
    """
    was = {job: n for n, stop in enumerate(_order(before)) for job in stop}
    kept = list(dict.fromkeys(was[job] for stop in _order(after) for job in stop if job in was))
    run = list[int]()
    for n in kept:
        at = bisect_left(run, n)
        run[at : at + 1] = [n]
    return len(kept) - len(run)
