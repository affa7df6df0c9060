"""What would have to give for a job that is left out: single changes, each tried by planning.

A change counts only if the job is then served beside everybody who is served now, by a lawful
plan that was found. Its size is the smallest that works, found by bisection: what is a
``SLACK``-th less was tried harder and did not work. The tries are counted, so that it ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from hub.core.plan_request import JobToPlan, Plan, PlanRequest, VehicleToPlan
from hub.core.schedule import Timetable
from hub.core.squeeze import room
from hub.core.values import TimeWindow

SLACK = 1.06  # tried harder at a size smaller by so much; 10 % is what is promised
LIGHT, HARD = 12, 80  # tries of moving others over, while looking and to be sure
MOST_TRIES = 6000  # for one kind of change of one job; 15 jobs on 3 routes took 1000 at most
MOST_S = 12 * 3600  # no window is moved by more
MOST_FARTHER_M = 200_000
MOST_OVER_S = 4 * 3600  # nobody is asked to work longer than that on top
LOOKED_AT = 8  # vehicles whose rules are tried, those that come nearest to it
MINUTE = 60


Routes = Mapping[str, tuple[str, ...]]  # vehicle id -> job ids in their order


class Change(StrEnum):
    """The kinds of change that are tried, the easiest to agree on first."""

    OVERTIME = "overtime"
    START_EARLIER = "start_earlier"
    OPEN_EARLIER = "open_earlier"
    CLOSE_LATER = "close_later"
    CAPACITY = "capacity"
    LONGER_DAY = "longer_day"
    MORE_JOBS = "more_jobs"
    FARTHER = "farther"
    READY_EARLIER = "ready_earlier"
    ON_BOARD_LONGER = "on_board_longer"
    SHORTER_SERVICE = "shorter_service"
    NO_BREAK = "no_break"
    SKILL = "skill"
    LEAVE_ZONE = "leave_zone"
    ALLOW = "allow"
    ANOTHER_VAN = "another_van"


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


@dataclass(frozen=True, slots=True)
class _Handle:
    """A change of which there may be more or less: ``most`` is where looking ends."""

    change: Change
    apply: Callable[[int], PlanRequest]
    most: int
    vehicle_id: str = ""
    dimension: str = ""
    least: int = 1
    part: int = 0


_Found = tuple[int, _Handle, Routes]


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
    unit = _unit(request, job_id)
    orders = {v: tuple(visit.job_id for visit in way) for v, way in plan.routes.items()}
    for change in Change:
        handles = [h for h in _handles(request, table, unit, orders) if h.change is change]
        yield _smallest(handles, _Search(orders, unit, seed, most_tries))


def changed(request: PlanRequest, way: WayOut) -> PlanRequest:
    """The request with the change made. Raises ``LookupError`` if it is not one of this request."""
    table, unit = Timetable(request), _unit(request, way.job_id)
    if way.change is Change.ANOTHER_VAN and way.vehicle_id in table.vehicles:
        return _one_more(request, table.vehicles[way.vehicle_id])  # whichever is nearest by now
    for handle in _handles(request, table, unit, way.routes, len(request.vehicles)):
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
    failed: dict[_Handle, int] = field(default_factory=dict)

    def served(self, request: PlanRequest, tries: int, chance: int = 0) -> Routes | None:
        """Lawful routes with everybody of ``orders`` and ``unit``, if some are found."""
        self.left -= tries
        return room(request, self.orders, self.unit, tries, self.seed + chance)

    def tried_hard(self, handle: _Handle, size: int) -> _Found | None:
        """Twice, by other chances than those that failed: one alone missed 1 day in 90."""
        for chance in (1, 2):
            if (routes := self.served(handle.apply(size), HARD, chance)) is not None:
                return size, handle, routes
        self.failed[handle] = max(size, self.fails(handle))
        return None

    def fails(self, handle: _Handle) -> int:
        return self.failed.get(handle, handle.least - 1)


def _smallest(handles: Sequence[_Handle], search: _Search) -> WayOut | None:
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


def _harder(handles: Sequence[_Handle], best: _Found, search: _Search) -> _Found | None:
    """A size that is a little less and works after all, of whichever vehicle."""
    for handle in sorted(handles, key=lambda one: one is not best[1]):
        if search.left <= 0:
            return None
        if not _untried(search, handle, best):
            continue
        if (smaller := search.tried_hard(handle, _less(best[0], handle))) is not None:
            return _bisected(search, _much_less(search, smaller))
    return None


def _untried(search: _Search, handle: _Handle, best: _Found) -> bool:
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


def _less(amount: int, handle: _Handle) -> int:
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


def _handles(
    request: PlanRequest,
    table: Timetable,
    unit: tuple[str, ...],
    orders: Routes,
    most: int = LOOKED_AT,
) -> Iterator[_Handle]:
    jobs = [table.jobs[id] for id in unit]
    nearest = _nearest(request, table, jobs[0], orders)
    able = [v for v in nearest if all(table.may_do(v, job) for job in jobs)][:most]
    for vehicle in able:
        yield from _of_vehicle(request, vehicle, jobs)
    yield from _of_job(request, jobs)
    others = [v for v in nearest if not all(table.may_do(v, job) for job in jobs)]
    for vehicle in others[:most]:
        yield from _of_choice(request, vehicle, jobs)
    if able:
        like = able[0]
        yield _Handle(Change.ANOTHER_VAN, lambda n: _one_more(request, like), 1, like.id)


def _nearest(
    request: PlanRequest, table: Timetable, job: JobToPlan, orders: Routes
) -> list[VehicleToPlan]:
    """All vehicles, those whose route comes nearest to ``job`` first."""

    def far(vehicle: VehicleToPlan) -> int:
        seconds = request.travel[vehicle.profile].seconds
        stops = [table.jobs[id].place for id in orders.get(vehicle.id, ()) if id in table.jobs]
        return min(seconds[place][job.place] for place in (vehicle.start, *stops))

    return sorted(request.vehicles, key=lambda vehicle: (far(vehicle), vehicle.id))


def _of_vehicle(
    request: PlanRequest, vehicle: VehicleToPlan, jobs: Sequence[JobToPlan]
) -> Iterator[_Handle]:
    def changed(**values: object) -> PlanRequest:
        return _with_vehicle(request, replace(vehicle, **values))  # type: ignore[arg-type]

    def span(earlier_s: int) -> TimeWindow:
        opens = vehicle.shift.opens - timedelta(seconds=earlier_s)
        return TimeWindow(opens, vehicle.shift.closes)

    def more(change: Change, apply: Callable[[int], PlanRequest], most: int) -> _Handle:
        return _Handle(change, apply, most, vehicle.id)

    over_s = vehicle.overtime_s
    yield more(Change.OVERTIME, lambda s: changed(overtime_s=over_s + s), MOST_OVER_S)
    yield more(Change.START_EARLIER, lambda s: changed(shift=span(s)), MOST_OVER_S)
    for name, limit in vehicle.capacity.items():
        if most := max(job.load.get(name, 0) for job in jobs):
            yield _Handle(
                Change.CAPACITY,
                lambda x, name=name, limit=limit: changed(  # type: ignore[misc]
                    capacity={**vehicle.capacity, name: limit + x}
                ),
                most,
                vehicle.id,
                name,
            )
    if (longest := vehicle.max_duration_s) is not None:
        yield more(Change.LONGER_DAY, lambda s: changed(max_duration_s=longest + s), MOST_OVER_S)
    if (most_jobs := vehicle.max_jobs) is not None:
        yield more(Change.MORE_JOBS, lambda n: changed(max_jobs=most_jobs + n), len(jobs))
    if (far_m := vehicle.max_distance_m) is not None:
        yield more(Change.FARTHER, lambda m: changed(max_distance_m=far_m + m), MOST_FARTHER_M)
    for n in range(len(vehicle.breaks)):
        rest = (*vehicle.breaks[:n], *vehicle.breaks[n + 1 :])
        without = changed(breaks=rest)
        yield _Handle(Change.NO_BREAK, lambda x, day=without: day, 1, vehicle.id, part=n)  # type: ignore[misc]


def _of_job(request: PlanRequest, jobs: Sequence[JobToPlan]) -> Iterator[_Handle]:
    job = next((one for one in jobs if one.windows), jobs[-1])
    if job.windows:

        def windows(opens_s: int, closes_s: int) -> PlanRequest:
            moved = tuple(
                TimeWindow(
                    w.opens - timedelta(seconds=opens_s), w.closes + timedelta(seconds=closes_s)
                )
                for w in job.windows
            )
            return _with_job(request, replace(job, windows=moved))

        yield _Handle(Change.OPEN_EARLIER, lambda s: windows(s, 0), MOST_S)
        yield _Handle(Change.CLOSE_LATER, lambda s: windows(0, s), MOST_S)
    for n, one in enumerate(jobs):
        if (ready_at := one.ready_at) is not None:
            yield _Handle(
                Change.READY_EARLIER,
                lambda s, one=one, at=ready_at: _with_job(  # type: ignore[misc]
                    request, replace(one, ready_at=at - timedelta(seconds=s))
                ),
                MOST_S,
                part=n,
            )
        if (longest := one.max_on_board_s) is not None:
            yield _Handle(
                Change.ON_BOARD_LONGER,
                lambda s, one=one, longest=longest: _with_job(  # type: ignore[misc]
                    request, replace(one, max_on_board_s=longest + s)
                ),
                MOST_S,
                part=n,
            )
        if one.service_s > MINUTE:
            yield _Handle(
                Change.SHORTER_SERVICE,
                lambda s, one=one: _with_job(  # type: ignore[misc]
                    request, replace(one, service_s=one.service_s - s)
                ),
                one.service_s - 1,
                part=n,
            )


def _of_choice(
    request: PlanRequest, vehicle: VehicleToPlan, jobs: Sequence[JobToPlan]
) -> Iterator[_Handle]:
    """For a vehicle that may not do it: lacking something, or ruled out."""
    lacks = frozenset[str]().union(*(job.skills for job in jobs)) - vehicle.offers
    barred = any(
        job.vehicle not in (None, vehicle.id) or vehicle.id in job.forbidden_vehicles
        for job in jobs
    )
    if lacks and not barred:
        able = replace(vehicle, offers=vehicle.offers | lacks)
        named = ", ".join(sorted(lacks))
        yield _Handle(Change.SKILL, lambda x: _with_vehicle(request, able), 1, vehicle.id, named)
    if barred and not lacks and _is_outside_only(vehicle, jobs):
        yield _Handle(
            Change.LEAVE_ZONE, lambda x: _leaving_zones(request, vehicle, jobs), 1, vehicle.id
        )
    elif barred and not lacks:
        yield _Handle(Change.ALLOW, lambda x: _leaving_zones(request, vehicle, jobs), 1, vehicle.id)


def _is_outside_only(vehicle: VehicleToPlan, jobs: Sequence[JobToPlan]) -> bool:
    """Whether its zones are all that keeps the vehicle off them."""
    return all(
        job.vehicle in (None, vehicle.id) and vehicle.id not in job.forbidden_vehicles - job.outside
        for job in jobs
    )


def _leaving_zones(
    request: PlanRequest, vehicle: VehicleToPlan, jobs: Sequence[JobToPlan]
) -> PlanRequest:
    ids = frozenset(job.id for job in jobs)
    keeps_to = tuple(replace(own, besides=own.besides | ids) for own in vehicle.keeps_to)
    request = _with_vehicle(request, replace(vehicle, keeps_to=keeps_to))
    return _allowing(request, vehicle, jobs)


def _allowing(
    request: PlanRequest, vehicle: VehicleToPlan, jobs: Sequence[JobToPlan]
) -> PlanRequest:
    for job in jobs:
        others = job.forbidden_vehicles - {vehicle.id}
        request = _with_job(request, replace(job, vehicle=None, forbidden_vehicles=others))
    return request


def _one_more(request: PlanRequest, like: VehicleToPlan) -> PlanRequest:
    """``like`` twice: what one of them must not do, the other must not either."""
    too = replace(like, id=f"{like.id}+")
    jobs = tuple(
        replace(job, forbidden_vehicles=job.forbidden_vehicles | {too.id})
        if like.id in job.forbidden_vehicles
        else job
        for job in request.jobs
    )
    return replace(request, jobs=jobs, vehicles=(*request.vehicles, too))


def _with_vehicle(request: PlanRequest, vehicle: VehicleToPlan) -> PlanRequest:
    return replace(
        request, vehicles=tuple(vehicle if v.id == vehicle.id else v for v in request.vehicles)
    )


def _with_job(request: PlanRequest, job: JobToPlan) -> PlanRequest:
    return replace(request, jobs=tuple(job if j.id == job.id else j for j in request.jobs))


def _unit(request: PlanRequest, job_id: str) -> tuple[str, ...]:
    jobs = {job.id: job for job in request.jobs}
    job = jobs[job_id]
    fixed = {id for ids in request.fixed.values() for id in ids}
    if job.pair_with is None or job.pair_with in fixed:
        return (job_id,)
    return (job_id, job.pair_with) if job.leg == "collect" else (job.pair_with, job_id)
