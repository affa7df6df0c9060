"""Put a stop at another place in its own route's order, knowing before what that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from hub.core.fit import Problem, RouteNow, problems, timed, worse
from hub.core.jobs import NotNow
from hub.db.tables import RouteRow
from hub.flows.board_moves import driven, to_move
from hub.flows.kept_first import turned
from hub.flows.route_change import Change
from hub.flows.route_line import draw
from hub.flows.route_now import laid, roads_for

if TYPE_CHECKING:
    from hub.app import Hub

NO_PLACE = "The stop cannot go there: what is under way stays first, and goods are collected first."


@dataclass(frozen=True, slots=True)
class Turn:
    """A stop as number ``position`` (from 1) of its route, reached at ``arrive_at``.

    ``extra_s`` and ``extra_m`` of driving, negative where it saves some. ``broken`` are rules,
    ``promises`` what recipients were told and would no longer hold.
    """

    position: int
    arrive_at: datetime
    extra_s: int
    extra_m: int
    broken: tuple[str, ...]
    promises: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.broken and not self.promises


def turns(hub: Hub, business_id: str, stop_id: str) -> tuple[Turn, ...]:
    """Every other place in the order that a stop could have, the earliest first.

    Raises ``LookupError`` for a stranger, ``NotNow`` once the driver is there.
    """
    with hub.reading() as session:
        route, _ = to_move(session, business_id, stop_id)
    roads = roads_for(hub, business_id, (route.id,))
    with hub.reading() as session:
        present = laid(session, business_id, route, roads).now
    now, travel = hub.now(), roads.travel
    before = timed(present, travel, now)
    known, (was_s, was_m) = problems(before), driven(before, travel)
    found = []
    for position in _places(before, stop_id):
        after = timed(_with(before, stop_id, position), travel, now)
        new = worse(problems(after), known)
        if _is_torn(new):
            continue
        is_s, is_m = driven(after, travel)
        broken = tuple(one.said for one in new if not one.is_promise)
        missed = tuple(one.said for one in new if one.is_promise)
        there = after.listed[position - 1].arrive
        found.append(Turn(position, there, is_s - was_s, is_m - was_m, broken, missed))
    return tuple(found)


def turn(
    hub: Hub,
    business_id: str,
    stop_id: str,
    position: int,
    *,
    actor: str,
    expected_version: int,
    force: bool = False,
) -> RouteRow:
    """Make a stop number ``position`` of its route.

    Raises ``RouteConflict`` at another version, ``DoesNotFit`` with all that would break
    unless ``force``, ``NotNow`` where it cannot go at all.
    """
    with hub.reading() as session:
        route, _ = to_move(session, business_id, stop_id)
    roads = roads_for(hub, business_id, (route.id,))
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route.id, expected_version)
        before = change.laid(route, roads)
        if position not in _places(before.now, stop_id):
            raise NotNow(NO_PLACE)
        known = problems(timed(before.now, roads.travel, change.now))
        after = timed(_with(before.now, stop_id, position), roads.travel, change.now)
        found = worse(problems(after), known)
        if _is_torn(found):
            raise NotNow(NO_PLACE)
        change.fitting(route, found, force)
        change.reorder(before, after)
        turned(unit.session, route, stop_id)
        change.tell_late(route, found)
        change.bump(route)
        change.audit("moved a stop within its route", f"route:{route.id}")
    return draw(hub, route)


def _places(route: RouteNow, stop_id: str) -> Sequence[int]:
    """From 1, without its own; none for a stop that is under way. Those that are keep theirs."""
    to_do = {n: stop.id for n, stop in enumerate(route.listed, 1) if not stop.under_way}
    return [n for n, id in to_do.items() if id != stop_id] if stop_id in to_do.values() else []


def _with(route: RouteNow, stop_id: str, position: int) -> RouteNow:
    before = sum(stop.under_way for stop in route.listed[: position - 1])
    stops = [stop for stop in route.stops if stop.id != stop_id]
    n = route.first_free + position - 1 - before
    stops.insert(n, next(stop for stop in route.stops if stop.id == stop_id))
    return replace(route, stops=tuple(stops))


def _is_torn(found: Sequence[Problem]) -> bool:
    """Nobody can deliver what is not collected yet, however much one insists."""
    return any(one.kind == "pair" for one in found)
