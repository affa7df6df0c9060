"""What is left of a route as a day to plan: from where its vehicle is, with what it has on board.

What the route breaks already is not held against it, only that it gets no worse. So whoever
searches a request looks at the same places that ``fit`` finds no fault with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hub.core.fit_problems import beginnings
from hub.core.fit_route import RouteNow, Stage, begins, boards, fullest, jobs_of
from hub.core.pace import departs, traffic_of
from hub.core.plan_request import JobToPlan, PlanRequest, TravelMatrix, VehicleToPlan, Wish
from hub.core.schedule import Timetable
from hub.core.values import TimeWindow

LATE_PER_HOUR = 4500
"""What an hour costs by which a promise is missed already, in the unit of ``PER_KM``: as much as
an hour of driving."""
PER_KM, PER_HOUR = 120, 900
"""A minute of driving at 30 km/h costs 75, a minute of waiting 15: less driving is looked for, and
of two ways as long the one that is over sooner."""
SECOND = timedelta(seconds=1)
Travel = Mapping[str, TravelMatrix]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is left of one route. ``vehicle`` has the route's id; ``order``: ids of ``jobs``.

    ``access_s``: as ``PlanRequest`` has it.
    """

    vehicle: VehicleToPlan
    jobs: tuple[JobToPlan, ...]
    access_s: Mapping[int, int] = field(default_factory=dict)

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(job.id for job in self.jobs)


def ahead(
    route: RouteNow, travel: Travel, now: datetime, *, as_judged: bool = False
) -> Ahead | None:
    """What is left of ``route``, timed by the same ``travel`` and ``now``; ``None`` where its
    work is in an order that nobody could do.

    ``as_judged``: in it fits whatever ``fit`` finds no fault with, and may be more: it knows of no
    breaks, nor how long or far the driver may be out; else it does, where they can be kept still.
    """
    jobs = tuple(_jobs(route))
    vehicle = _vehicle(route, travel, now)
    most = None if vehicle.max_jobs is None else max(vehicle.max_jobs, len(jobs))
    plain = replace(vehicle, breaks=(), max_duration_s=None, max_distance_m=None, max_jobs=most)
    kinds = [plain] if as_judged else [vehicle, replace(vehicle, breaks=()), plain]
    for kind in kinds:
        found = Ahead(kind, jobs, route.access_s)
        request = requested([found], travel)
        if Timetable(request).trip(kind, found.order) is not None:
            return found
    return None


def requested(ahead: Sequence[Ahead], travel: Travel) -> PlanRequest:
    """One day of it all. Its ``places`` are not filled in: only ``travel`` is looked at."""
    return PlanRequest(
        places=(),
        travel=travel,
        access_s={place: walk_s for one in ahead for place, walk_s in one.access_s.items()},
        jobs=tuple(job for one in ahead for job in one.jobs),
        vehicles=tuple(one.vehicle for one in ahead),
    )


def spans(
    job: JobToPlan, promise: TimeWindow | None, begins_at: datetime | None = None
) -> tuple[TimeWindow, ...]:
    """When ``job`` may begin so that neither its windows nor what was told are missed.

    ``begins_at``: when it does as things stand; if that is too late, no later than that.
    """
    found = job.windows
    if promise is not None:
        kept = begins(job.windows, promise.opens)
        last = max((window.closes for window in job.windows), default=kept)
        opens = promise.opens if kept <= last else None  # else it keeps nobody waiting
        found = tuple(_within(job.windows or (promise,), opens, promise.closes))
        found = found or (TimeWindow(kept, kept),)
    if not found or begins_at is None:
        return found
    *others, latest = sorted(found, key=lambda window: window.closes)
    if begins_at <= latest.closes:
        return found
    return (*others, TimeWindow(latest.opens, begins_at + SECOND))


def _within(
    windows: Sequence[TimeWindow], opens: datetime | None, closes: datetime
) -> Iterator[TimeWindow]:
    for window in windows:
        start = window.opens if opens is None else max(window.opens, opens)
        end = min(window.closes, closes)
        if start <= end:
            yield TimeWindow(start, end)


def _jobs(route: RouteNow) -> Iterator[JobToPlan]:
    to_do = [job for stop in route.stops[route.first_free :] for job in stop.jobs]
    here = {job.id for job in to_do}
    begins_at = {job.id: start for job, start in beginnings(route)}
    for job in to_do:
        promise = route.promises.get(job.id)
        lacks = not job.skills <= route.vehicle.offers
        named = job.vehicle not in (None, route.vehicle.id)
        own = route.vehicle.id in job.forbidden_vehicles
        is_alone = job.pair_with not in here
        on_board = is_alone and job.pair_with is not None and job.leg == "deliver"
        yield replace(
            job,
            windows=spans(job, promise, begins_at[job.id]),
            wishes=_late(job, promise, begins_at[job.id]),
            skills=frozenset() if lacks else job.skills,
            vehicle=route.id if lacks or named or own or on_board else None,
            forbidden_vehicles=frozenset(),
            load_direction="deliver" if on_board else job.load_direction,
            pair_with=None if is_alone else job.pair_with,
            optional=False,
            prize=0,
            ready_at=None,
            max_on_board_s=None,
            goods=frozenset(),
            wanted_vehicle=None,
            other_vehicle_cost=0,
        )


def _late(job: JobToPlan, promise: TimeWindow | None, begins_at: datetime) -> tuple[Wish, ...]:
    """A price on what is missed as things stand, so that it is mended where that is possible."""
    missed = [w for w in (*job.windows[-1:], promise) if w is not None and begins_at > w.closes]
    return tuple(Wish(window, late_per_hour=LATE_PER_HOUR) for window in missed)


def _vehicle(route: RouteNow, travel: Travel, now: datetime) -> VehicleToPlan:
    own, first = route.vehicle, route.first_free
    roads = travel[own.profile]
    traffic = traffic_of(roads.pace)
    place, opens = own.start, max(own.shift.opens, now)
    if route.has_left:
        place = _went(route)[-1]
        if own.breaks and route.free_at is not None:
            opens = route.free_at
        elif first < len(route.stops):
            after = route.stops[first]
            opens = departs(traffic, after.arrive, roads.seconds[place][after.place])
        else:
            end = place if own.end is None else own.end
            opens = departs(traffic, route.home, roads.seconds[place][end])
    opens = opens.replace(microsecond=0)
    closes = max(own.shift.closes, route.home - timedelta(seconds=own.overtime_s) + SECOND, opens)
    gone_s = round((opens - route.leave).total_seconds()) if route.has_left else 0
    gone_m = _driven_m(route, travel) if route.has_left else 0
    to_do = sum(len(stop.jobs) for stop in route.stops[first:])
    done = jobs_of(route) - to_do  # fewer where a load is yet to be taken over: that is no job
    return VehicleToPlan(
        id=route.id,
        start=place,
        end=own.end,
        shift=TimeWindow(opens, closes),
        capacity={name: _room(route, name) for name in own.capacity},
        offers=own.offers,
        max_duration_s=_less(own.max_duration_s, gone_s),
        max_jobs=_less(own.max_jobs, done),
        max_distance_m=_less(own.max_distance_m, gone_m),
        overtime_s=own.overtime_s,
        breaks=tuple(one for n, one in enumerate(own.breaks) if _is_due(route, n, opens, now)),
        profile=own.profile,
        service_factor=own.service_factor,
        per_km=PER_KM,
        per_hour=PER_HOUR,
    )


def _is_due(route: RouteNow, n: int, opens: datetime, now: datetime) -> bool:
    """Whether a break is still ahead."""
    rest = route.rests[n] if n < len(route.rests) else None
    was_due = route.has_left and rest is not None and rest.opens <= now
    return n not in route.had and not was_due and route.vehicle.breaks[n].window.closes >= opens


def _room(route: RouteNow, name: str) -> int:
    """What the work ahead may fill: not the room of what stays on board until the end."""
    board = boards(route, name)[route.first_free :]
    fullest_of = fullest(route, name)[route.first_free + 1 :]
    to_do = [job for stop in route.stops[route.first_free :] for job in stop.jobs]
    here = {job.id for job in to_do}
    brought = sum(
        job.load.get(name, 0)
        for job in to_do
        if (job.load_direction == "deliver" and job.pair_with is None)
        or (job.pair_with is not None and job.pair_with not in here and job.leg == "deliver")
    )
    return max(0, max(route.vehicle.capacity[name], *board, *fullest_of) - (board[0] - brought))


def _driven_m(route: RouteNow, travel: Travel) -> int:
    metres = travel[route.vehicle.profile].metres
    return sum(metres[a][b] for a, b in pairwise(_went(route)))


def _went(route: RouteNow) -> list[int]:
    """The places from its start to where its driver is, or is on the way to."""
    under_way = route.stops[: route.first_free]
    went = (stop.place for stop in under_way if stop.stage is not Stage.SKIPPED)
    return [route.vehicle.start, *went]


def _less(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
