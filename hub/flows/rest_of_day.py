"""The rest of a day that is being driven: as it stands, and made another one in one unit.

Work keeps its vehicle once it is on board: what a driver has loaded, or brings from a depot
that he has left, only changes its turn. A proposal names the versions of the routes it was made
from, and at other versions nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.fit import RouteNow, Stage, timed
from hub.core.fit_problems import Problem
from hub.core.jobs import TRANSITIONS, Act, NotNow, State
from hub.core.plan_request import JobToPlan
from hub.core.rest_of_day import Rest, Unit, order_of
from hub.core.zones import is_barred
from hub.db.tables import RouteRow, ShiftRow
from hub.db.unit import Unit as DbUnit
from hub.flows.rest_difference import Proposed
from hub.flows.roads import Roads
from hub.flows.route_change import Change, DoesNotFit
from hub.flows.route_line import draw
from hub.flows.route_now import Laid, RouteConflict, laid, roads_for, still_driven

if TYPE_CHECKING:
    from hub.app import Hub

MOVED_ON = "The day has moved on since this was worked out. Look again."


@dataclass(frozen=True, slots=True)
class Standing:
    """Routes of a day that are out: as rows, and what of them may be changed. ``versions``: of
    all, also those that stay as they are.
    """

    laid: Mapping[str, Laid]
    rest: Rest
    versions: Mapping[str, int]


def standing(hub: Hub, business_id: str, day: date) -> Standing:
    """The rest of ``day`` as it stands."""
    with hub.reading() as session:
        ids = [route.id for route in out(session, business_id, day)]
    roads = roads_for(hub, business_id, ids)
    with hub.reading() as session:
        routes = [one for one in out(session, business_id, day) if one.id in ids]
        return _standing(session, business_id, routes, roads, hub.now())


def out(session: Session, business_id: str, day: date) -> list[RouteRow]:
    """The routes of ``day`` that are on a phone and whose driver has not gone home."""
    query = select(RouteRow).where(
        RouteRow.business_id == business_id,
        RouteRow.day == day,
        col(RouteRow.published_at).is_not(None),
        still_driven(),
    )
    return list(session.exec(query.order_by(col(RouteRow.id))))


def publish_rest(
    hub: Hub,
    business_id: str,
    day: date,
    proposed: Sequence[Proposed],
    *,
    actor: str,
    force: bool = False,
    also: Callable[[DbUnit], None] = lambda unit: None,
) -> list[RouteRow]:
    """Make ``proposed`` so: all routes change, or none does; ``also`` happens with it.

    Raises ``RouteConflict`` when a route is at another version or its work is another,
    ``DoesNotFit`` with all that would break by now unless ``force``, ``NotNow`` for work that
    is loaded elsewhere, ``LookupError`` for a stranger.
    """
    roads = roads_for(hub, business_id, [one.route_id for one in proposed])
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        routes = [change.route(one.route_id, one.version) for one in proposed]
        driven = {route.id for route in out(unit.session, business_id, day)}
        if not {route.id for route in routes} <= driven:
            raise RouteConflict(MOVED_ON)
        now = _standing(unit.session, business_id, routes, roads, change.now)
        if now.laid.keys() != {route.id for route in routes}:
            raise RouteConflict(MOVED_ON)
        moves = _moves(now.rest, proposed)
        after = {one.route_id: now.rest.laid(one.route_id, one.stops) for one in proposed}
        broken = {id: now.rest.fresh(route) for id, route in after.items()}
        if any(broken.values()) and not force:
            raise DoesNotFit([one for found in broken.values() for one in found])
        _carry_out(change, now, after, moves, broken, roads)
        change.audit(f"improved the rest of the day: {len(moves)} moved", f"day:{day}")
        also(unit)
    return [draw(hub, route) for route in routes]


def _carry_out(
    change: Change,
    now: Standing,
    after: Mapping[str, RouteNow],
    moves: Mapping[str, tuple[str, str]],
    broken: Mapping[str, Sequence[Problem]],
    roads: Roads,
) -> None:
    rows = {id: job for one in now.laid.values() for id, job in one.jobs.items()}
    told = {id: w for route in now.rest.routes.values() for id, w in route.promises.items()}
    for id in after:
        if gone := [rows[job] for job, (source, _) in moves.items() if source == id]:
            change.take_off(now.laid[id].route, gone)
    for job in map(rows.__getitem__, moves):
        job.state = jobs.after(jobs.after(State(job.state), Act.PLAN), Act.ASSIGN)
        job.version += 1
    for id, route in after.items():
        stored = now.laid[id].route
        came = [rows[job] for job, (_, target) in moves.items() if target == id]
        change.fitting(stored, broken[id], force=True)
        places = {job.place_id: roads.index[job.place_id or ""] for job in came}
        change.lay(change.laid(stored, roads), route, places)
        change.tell(stored, came, told)
        change.tell_late(stored, broken[id])
        change.bump(stored)


def _standing(
    session: Session, business_id: str, routes: Sequence[RouteRow], roads: Roads, now: datetime
) -> Standing:
    every = {route.id: laid(session, business_id, route, roads) for route in routes}
    # Who takes over another's load first has what he will bring in a vehicle that stands.
    found = {id: one for id, one in every.items() if not one.fetched}
    numbers = {id: n for one in found.values() for id, n in one.now.numbers.items()}
    promises = {id: w for one in found.values() for id, w in one.now.promises.items()}
    routes_now = {
        id: timed(one.now.naming(numbers).keeping(promises), roads.travel, now)
        for id, one in found.items()
    }
    began = set(
        session.exec(
            select(ShiftRow.id).where(
                ShiftRow.business_id == business_id,
                col(ShiftRow.id).in_([route.shift_id for route in routes]),
                col(ShiftRow.began_at).is_not(None),
            )
        )
    )
    left = {id for id, one in found.items() if one.now.has_left or one.route.shift_id in began}
    others, units, barred = _Others(routes_now, left), list[Unit](), dict[str, frozenset[str]]()
    # What a vehicle may take beside them is judged by planning alone.
    parted = {name for route in routes_now.values() for pair in route.apart for name in pair}
    for id, one in found.items():
        for unit in _units(one, routes_now[id]):
            units.append(unit)
            loaded = any(one.jobs[leg.id].state == State.LOADED for leg in unit)
            on_board = loaded or (id in left and _brought(unit))
            stays = on_board or any(leg.id in parted for leg in unit)
            closed = others.all_but(id) if stays else others.closed_to(id, unit)
            barred |= dict.fromkeys((leg.id for leg in unit), closed)
    rest = Rest(routes_now, tuple(units), roads.travel, now, barred)
    return Standing(found, rest, {route.id: route.version for route in routes})


def _units(one: Laid, route: RouteNow) -> Iterator[Unit]:
    """What may be driven to at another time: whole pairs, and single jobs, by their turn."""
    to_do = [stop for stop in route.stops if stop.stage is Stage.TO_DO]
    known = {job.id: job for stop in to_do for job in stop.jobs}
    if any(job.max_on_board_s is not None for job in known.values()):
        return  # another turn may keep something on board for too long
    for job in known.values():
        if job.pair_with is None:
            legs: Unit = (job,)
        elif job.leg == "collect" and job.pair_with in known:
            legs = (job, known[job.pair_with])
        else:
            continue  # with its first half, or that is under way
        if all(Act.UNPLAN in TRANSITIONS[State(one.jobs[leg.id].state)] for leg in legs):
            yield legs


def _brought(unit: Unit) -> bool:
    """From the depot."""
    return len(unit) == 1 and unit[0].load_direction == "deliver"


class _Others:
    """Which routes may not have work of another one."""

    def __init__(self, routes: Mapping[str, RouteNow], left: Collection[str]) -> None:
        self.routes, self.left = routes, left
        # More on its way may keep something on board for too long.
        self.full = {
            id
            for id, route in routes.items()
            if any(job.max_on_board_s is not None for stop in route.stops for job in stop.jobs)
        }

    def all_but(self, home: str) -> frozenset[str]:
        return frozenset(self.routes) - {home}

    def closed_to(self, home: str, unit: Unit) -> frozenset[str]:
        """Where ``unit``, which is not on board yet, may not go."""
        closed = set(self.full)
        if _brought(unit):
            start = self.routes[home].vehicle.start
            closed |= {id for id, one in self.routes.items() if one.vehicle.start != start}
            closed |= set(self.left)
        for job in unit:
            closed |= {id for id, route in self.routes.items() if not _takes(route, job)}
        return frozenset(closed - {home})


def _takes(route: RouteNow, job: JobToPlan) -> bool:
    """Whether the order lets this driver do it, and its goods are ready when he leaves."""
    if job.goods or is_barred(route.vehicle, job):
        return False  # what it may ride with is judged by planning alone
    own = route.vehicle.id
    is_ready = job.ready_at is None or job.ready_at <= route.leave
    return job.vehicle in (None, own) and own not in job.forbidden_vehicles and is_ready


def _moves(rest: Rest, proposed: Sequence[Proposed]) -> dict[str, tuple[str, str]]:
    """Job id -> the routes it goes from and to. Raises unless the proposal holds each once."""
    ids = [one.route_id for one in proposed]
    was = {job: id for id in ids for stop in order_of(rest.routes[id]) for job in stop}
    listed = [(job, one.route_id) for one in proposed for stop in one.stops for job in stop]
    if sorted(job for job, _ in listed) != sorted(was) or len(set(ids)) < len(ids):
        raise RouteConflict(MOVED_ON)
    stops = [stop for one in proposed for stop in one.stops]
    if any(len({rest.jobs[job].place for job in stop}) != 1 for stop in stops):
        raise RouteConflict(MOVED_ON)
    moves = {job: (was[job], id) for job, id in listed if was[job] != id}
    units = {leg.id: unit for unit in rest.units for leg in unit}
    for job, (_, to) in moves.items():
        if job not in units or to in rest.barred.get(job, frozenset()):
            raise NotNow("Some of this work is in a vehicle by now, or may not go to another one.")
        if any(moves.get(leg.id, ("", ""))[1] != to for leg in units[job]):
            raise NotNow("What belongs together stays with one driver.")
    return moves
