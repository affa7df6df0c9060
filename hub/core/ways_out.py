"""What would have to give for a job that is left out: single changes, each tried by planning.

A change counts only if the job is then served beside everybody who is served now, by a lawful
plan that was found. Its size is the smallest that works, found by bisection: what is a
``SLACK``-th less was tried harder and did not work. The tries are counted, so that it ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hub.core.plan_request import Plan, PlanRequest
from hub.core.schedule import Timetable
from hub.core.single_changes import Change, Handle, Routes, handles_of, one_more, unit_of
from hub.core.squeeze import room

__all__ = ["Change", "Routes", "WayOut", "binding", "changed", "each_way", "ways_out"]
SLACK = 1.06  # tried harder at a size smaller by so much; 10 % is what is promised
LIGHT, HARD = 12, 80  # tries of moving others over, while looking and to be sure
MOST_TRIES = 6000  # for one kind of change of one job; 15 jobs on 3 routes took 1000 at most


@dataclass(frozen=True, slots=True)
class WayOut:
    """One change that works. ``amount``: seconds, metres, or of the load ``dimension`` (grams, …),
    or a count; 0 where it is a yes or no. ``vehicle_id``: whose; empty for a change of the job.
    ``routes``: the lawful plan that shows it, as job ids per vehicle. ``part``: which half of a
    pair, or which of the vehicle's breaks, from 0. ``is_least``: less was tried hard and did not
    work; else the tries were spent before that.
    """

    change: Change
    job_id: str
    vehicle_id: str
    amount: int
    dimension: str
    routes: Routes
    part: int = 0
    is_least: bool = True


_Found = tuple[int, Handle, Routes]


def ways_out(request: PlanRequest, plan: Plan, job_id: str, *, seed: int = 0) -> list[WayOut]:
    """Every single change after which ``job_id`` is served too, one for each kind.

    Of changes that could be made to one vehicle or another, the smallest. ``plan`` must be
    lawful and leave the job out. Empty: no single change was found. Where nothing has to change
    (``whole_ways.room_without``), a second more of anything is a way too.
    """
    return [way for way in each_way(request, plan, job_id, seed=seed) if way is not None]


def each_way(
    request: PlanRequest, plan: Plan, job_id: str, *, seed: int = 0, most_tries: int = MOST_TRIES
) -> Iterator[WayOut | None]:
    """As ``ways_out``, one kind after the other as they are found; ``None`` for one that is no way.

    For whoever has no time to wait for all of them. ``most_tries``: spent on a kind, about. Every
    kind is tried at its most all the same; what is saved is looking for less.
    """
    table = Timetable(request)
    unit = unit_of(request, job_id)
    orders = {v: tuple(visit.job_id for visit in way) for v, way in plan.routes.items()}
    for change in Change:
        handles = [h for h in handles_of(request, table, unit, orders) if h.change is change]
        yield _smallest(handles, _Search(orders, unit, seed, most_tries))


def changed(request: PlanRequest, way: WayOut) -> PlanRequest:
    """The request with the change made. Raises ``LookupError`` if it is not one of this request."""
    table, unit = Timetable(request), unit_of(request, way.job_id)
    if way.change is Change.ANOTHER_VAN and way.vehicle_id in table.vehicles:
        return one_more(request, table.vehicles[way.vehicle_id])  # whichever is nearest by now
    for handle in handles_of(request, table, unit, way.routes, len(request.vehicles)):
        named = (handle.change, handle.vehicle_id, handle.dimension, handle.part)
        if named == (way.change, way.vehicle_id, way.dimension, way.part):
            return handle.apply(way.amount)
    raise LookupError(f"{way.change} is no change of this request")


def binding(ways: Sequence[WayOut]) -> str:
    """What stands in the way, in a sentence that names every rule whose giving would do."""
    if not ways:
        return "No single change was found to make room: several rules stand in its way at once."
    names = list(dict.fromkeys(_RULES[way.change] for way in ways))
    if len(names) == 1:
        return f"It is kept out by {names[0]}."
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"It is kept out by {listed}; changing one of them is enough."


_RULES = {
    Change.OVERTIME: "when the shifts end",
    Change.START_EARLIER: "when the shifts begin",
    Change.OPEN_EARLIER: "when its window opens",
    Change.CLOSE_LATER: "when its window closes",
    Change.CAPACITY: "what the vehicles may carry",
    Change.LONGER_DAY: "the longest working day",
    Change.MORE_JOBS: "the most jobs for one driver",
    Change.FARTHER: "how far a vehicle may drive",
    Change.READY_EARLIER: "when its goods are ready",
    Change.ON_BOARD_LONGER: "how long it may be on board",
    Change.SHORTER_SERVICE: "how long it takes at the door",
    Change.NO_BREAK: "a break",
    Change.SKILL: "what it needs of driver and vehicle",
    Change.LEAVE_ZONE: "the zones of drivers",
    Change.ALLOW: "which vehicles may do it",
    Change.ANOTHER_VAN: "the number of vehicles",
}


@dataclass(slots=True)
class _Search:
    """Room for one job beside those of ``orders``. ``left``: tries that may still be spent.

    ``failed``: by handle, the largest size at which it was tried hard and did not work.
    """

    orders: Routes
    unit: tuple[str, ...]
    seed: int
    left: int
    failed: dict[Handle, int] = field(default_factory=dict)

    def served(self, request: PlanRequest, tries: int, chance: int = 0) -> Routes | None:
        """Lawful routes with everybody of ``orders`` and ``unit``, if some are found."""
        self.left -= tries
        return room(request, self.orders, self.unit, tries, self.seed + chance)

    def tried_hard(self, handle: Handle, size: int) -> _Found | None:
        """Twice, by other chances than those that failed: one alone missed 1 day in 90."""
        for chance in (1, 2):
            if (routes := self.served(handle.apply(size), HARD, chance)) is not None:
                return size, handle, routes
        self.failed[handle] = max(size, self.fails(handle))
        return None

    def fails(self, handle: Handle) -> int:
        return self.failed.get(handle, handle.least - 1)


def _smallest(handles: Sequence[Handle], search: _Search) -> WayOut | None:
    """The one that needs least. Each is tried at its most, whatever that takes; less is looked
    for until the tries are spent.
    """
    best: _Found | None = None
    for handle in handles:
        size = handle.most if best is None else _less(best[0], handle)
        if size < handle.least:
            continue
        if (routes := search.served(handle.apply(size), LIGHT)) is not None:
            best = _bisected(search, (size, handle, routes))
    if best is None:
        return None
    while (smaller := _harder(handles, best, search)) is not None:
        best = smaller
    amount, handle, routes = best
    is_least = not any(_untried(search, one, best) for one in handles)
    exact = amount if handle.most > 1 or handle.change in _COUNTED else 0
    about = handle.vehicle_id, exact, handle.dimension
    return WayOut(handle.change, search.unit[-1], *about, routes, handle.part, is_least)


def _harder(handles: Sequence[Handle], best: _Found, search: _Search) -> _Found | None:
    """A size that is a little less and works after all, of whichever vehicle."""
    for handle in sorted(handles, key=lambda one: one is not best[1]):
        if search.left <= 0:
            return None
        if not _untried(search, handle, best):
            continue
        if (smaller := search.tried_hard(handle, _less(best[0], handle))) is not None:
            return _bisected(search, _much_less(search, smaller))
    return None


def _untried(search: _Search, handle: Handle, best: _Found) -> bool:
    return _less(best[0], handle) > search.fails(handle)


def _much_less(search: _Search, best: _Found) -> _Found:
    """Once looking was wrong about a size it may be far too much: by halves of the ratio."""
    while search.left > 0 and _untried(search, best[1], best):
        amount, handle, _ = best
        fails = search.fails(handle)
        middle = max(fails + 1, math.isqrt(amount * max(fails, 1)))
        best = search.tried_hard(handle, min(middle, _less(amount, handle))) or best
    return best


_COUNTED = {Change.CAPACITY, Change.MORE_JOBS}


def _less(amount: int, handle: Handle) -> int:
    return min(amount - 1, math.floor(amount / SLACK), handle.most)


def _bisected(search: _Search, found: _Found) -> _Found:
    works, handle, routes = found
    fails = search.fails(handle)
    share = 0.0 if handle.change in _COUNTED else 0.01  # of it, that its size may be off
    while works - fails > max(1, works * share) and search.left > 0:
        middle = (works + fails) // 2
        served = search.served(handle.apply(middle), LIGHT)
        if served is None:
            fails = middle
        else:
            works, routes = middle, served
    return works, handle, routes
