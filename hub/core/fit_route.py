"""A route as it now stands: its stops, when each job is done, and what is on board."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum
from functools import partial
from itertools import pairwise

from hub.core.fit_rests import Rest, awake, undisturbed
from hub.core.pace import arrives, traffic_of
from hub.core.plan_request import JobToPlan, TravelMatrix, VehicleToPlan
from hub.core.values import TimeWindow


class Stage(IntEnum):
    """How far the driver is with a stop; what is further comes first, whatever the list says."""

    SKIPPED = 0  # nobody went there
    DONE = 1
    THERE = 2
    HEADED_FOR = 3
    TO_DO = 4


@dataclass(frozen=True, slots=True)
class StopNow:
    """``id`` is empty for a stop that is not stored yet; ``depart`` is after all its jobs.

    ``n``: its number on the list, from 1; 0 where it has none yet. ``walk_s``: from the parked
    van to the door, once the route is timed or its walks are known (``walked``).
    """

    id: str
    place: int
    jobs: tuple[JobToPlan, ...]
    stage: Stage
    arrive: datetime
    depart: datetime
    n: int = 0
    walk_s: int = field(default=0, compare=False)

    @property
    def under_way(self) -> bool:
        """Begun, or over: it stays where it is."""
        return self.stage is not Stage.TO_DO


@dataclass(frozen=True, slots=True)
class RouteNow:
    """``van`` and ``driver`` are the names that sentences use; ``numbers``: job id -> order.

    ``stops`` in the order they are driven in: as far as their stages are, then as listed.
    ``promises``: job id -> the window its recipient was told, where one was. ``access_s``: as
    ``PlanRequest`` has it. ``apart``: two kinds of goods that never share a load, or two ids of
    jobs that no vehicle does both, each. ``rests``: when the vehicle's breaks are taken, in their
    order; empty where nobody knows yet. ``had``: the numbers of those that the driver said he had,
    or has. ``rests_until``: when the break probably ends that he has now and nobody planned. Of a
    timed route ``free_at`` is when its driver can set off to what is still to do, and ``metres``
    its length, where there is a limit to that.
    """

    id: str
    van: str
    driver: str
    vehicle: VehicleToPlan
    stops: tuple[StopNow, ...]
    leave: datetime
    home: datetime
    numbers: Mapping[str, str]
    zone: tzinfo
    promises: Mapping[str, TimeWindow] = field(default_factory=dict)
    access_s: Mapping[int, int] = field(default_factory=dict)
    apart: frozenset[tuple[str, str]] = frozenset()
    rests: tuple[Rest, ...] = ()
    had: frozenset[int] = frozenset()
    rests_until: datetime | None = None
    free_at: datetime | None = field(default=None, compare=False)
    metres: int = field(default=0, compare=False)

    @property
    def first_free(self) -> int:
        """The index of the first stop that is still open to change."""
        return sum(stop.under_way for stop in self.stops)

    @property
    def has_left(self) -> bool:
        """Whether its driver was at a door, or is on the way to one."""
        return any(stop.under_way and stop.stage is not Stage.SKIPPED for stop in self.stops)

    @property
    def way(self) -> list[int]:
        """The places it goes through, from its start to its end if it has one."""
        went = (stop.place for stop in self.stops if stop.stage is not Stage.SKIPPED)
        ends = [] if self.vehicle.end is None else [self.vehicle.end]
        return [self.vehicle.start, *went, *ends]

    @property
    def listed(self) -> tuple[StopNow, ...]:
        """The stops by their numbers: what is done or begun out of turn keeps the one it had."""
        fixed = sorted(self.stops[: self.first_free], key=lambda stop: stop.n)
        to_do, found = list(self.stops[self.first_free :]), list[StopNow]()
        while fixed or to_do:
            is_next = bool(fixed) and (not to_do or fixed[0].n <= len(found) + 1)
            found.append((fixed if is_next else to_do).pop(0))
        return tuple(found)

    def walk_s(self, before: int | None, place: int) -> int:
        """From the van to the door at ``place``, for who was at a door at ``before``; ``None``:
        at none yet.
        """
        usual_s = self.access_s.get(place, 0) if place != before else 0
        return self.vehicle.at_door_s(usual_s)

    def naming(self, numbers: Mapping[str, str]) -> RouteNow:
        """The same route, knowing the order numbers of more jobs."""
        return replace(self, numbers={**self.numbers, **numbers})

    def keeping(self, promises: Mapping[str, TimeWindow]) -> RouteNow:
        """The same route, knowing what was told of more jobs."""
        return replace(self, promises={**self.promises, **promises})

    def parting(self, pairs: Iterable[tuple[str, str]]) -> RouteNow:
        """The same route, knowing more of what is kept apart."""
        return replace(self, apart=self.apart | frozenset(pairs))


def walked(route: RouteNow) -> RouteNow:
    """The same route, knowing the way from the van to each door."""
    if not route.access_s:
        return route
    door, stops = None, list[StopNow]()
    for stop in route.stops:
        if stop.stage is not Stage.SKIPPED:
            stop = replace(stop, walk_s=route.walk_s(door, stop.place))
            door = stop.place
        stops.append(stop)
    return replace(route, stops=tuple(stops))


def left_at(route: RouteNow, stop: StopNow, now: datetime) -> datetime:
    """When a stop that is under way, or over, is left; for those to do, as planned."""
    if stop.stage is Stage.DONE and _overtook(route, stop):
        return now  # it was planned after doors that are yet to be driven to
    return max(stop.depart, now) if stop.under_way else stop.depart


def overtakes(route: RouteNow, stop: StopNow) -> bool:
    """Whether the driver is at ``stop``, or on the way there, before its turn."""
    return stop.stage in (Stage.THERE, Stage.HEADED_FOR) and _overtook(route, stop)


def _overtook(route: RouteNow, stop: StopNow) -> bool:
    return any(0 < other.n < stop.n for other in route.stops[route.first_free :])


def begins(windows: Sequence[TimeWindow], at: datetime) -> datetime:
    """When service can begin for whoever is there ``at``; at once if every window is over."""
    return next((max(at, w.opens) for w in windows if at <= w.closes), at)


def starts(job: JobToPlan, at: datetime, promise: TimeWindow | None) -> datetime:
    """When ``job`` is begun by who is there ``at``."""
    return begins_as_told(job.windows, at, promise)


def begins_as_told(
    windows: Sequence[TimeWindow], at: datetime, promise: TimeWindow | None
) -> datetime:
    """``begins``, but nobody rings before the time that was told (``None``: none was).

    A promise that no longer fits the windows asked for keeps nobody waiting.
    """
    start = begins(windows, at)
    if promise is None or start >= promise.opens:
        return start
    kept = begins(windows, promise.opens)
    closes = max((window.closes for window in windows), default=kept)
    return kept if kept <= closes else start


def not_before(
    windows: Sequence[TimeWindow], at: datetime, promise: TimeWindow | None
) -> datetime | None:
    """Until when whoever comes about ``at`` waits if he is early; ``None``: for nothing."""
    if not windows:
        return promise.opens if promise else None
    window = next((one for one in windows if at <= one.closes), None)
    return begins_as_told(windows, window.opens, promise) if window else None


def served(route: RouteNow, stop: StopNow, arrive: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when each job of the stop is done, by who parks there at ``arrive``."""
    clock, spans = arrive + timedelta(seconds=stop.walk_s), []
    rests = route.rests
    may_rest = any(one is not None and one.closes > arrive for one in rests)
    if may_rest:  # most stops come behind the last rest, or there is none
        clock = awake(rests, arrive, clock)
    for job in stop.jobs:
        promise = route.promises.get(job.id)
        start = starts(job, clock, promise)
        service = timedelta(seconds=route.vehicle.at_door_s(job.service_s))
        if may_rest:
            begins = partial(begins_as_told, job.windows, promise=promise)
            start = undisturbed(rests, start, service, begins)
        clock = start + service
        spans.append((start, clock))
    return spans


def driving_s(route: RouteNow, travel: Mapping[str, TravelMatrix]) -> int:
    """Seconds at the wheel on a timed route, each leg at the pace of its own time."""
    roads = travel[route.vehicle.profile]
    traffic = traffic_of(roads.pace)
    if traffic is None:
        return sum(roads.seconds[a][b] for a, b in pairwise(route.way))
    went = [stop for stop in route.stops if stop.stage is not Stage.SKIPPED]
    leaves = [route.leave, *(stop.depart for stop in went)]
    driven = timedelta(0)
    for leave, (a, b) in zip(leaves, pairwise(route.way), strict=False):
        driven += arrives(traffic, leave, roads.seconds[a][b]) - leave
    return round(driven.total_seconds())


def boards(route: RouteNow, name: str) -> list[int]:
    """What is on board when leaving, and after each stop."""
    return [ends for ends, _ in _on_board(route, name)]


def fullest(route: RouteNow, name: str) -> list[int]:
    """The most on board when leaving, and at each stop while its jobs are done in their order."""
    return [most for _, most in _on_board(route, name)]


def unloading_first(jobs: Sequence[JobToPlan]) -> tuple[JobToPlan, ...]:
    """The jobs of one stop as a driver does them: what he brings makes room for what he fetches."""
    here = {job.id for job in jobs}

    def turn(job: JobToPlan) -> int:
        if job.pair_with in here:
            return 1 if job.leg == "collect" else 2
        comes = job.leg == "collect" if job.pair_with else job.load_direction == "collect"
        return int(comes)

    return tuple(sorted(jobs, key=turn))


def jobs_of(route: RouteNow) -> int:
    """For how many jobs its driver is out: taking over a load, or loading again, is none."""
    jobs = [job for stop in route.stops for job in stop.jobs]
    named = {job.pair_with for job in jobs}
    return sum(not _is_loading(job, named) for job in jobs)


def _is_loading(job: JobToPlan, named: Collection[str | None]) -> bool:
    """Work of the van's own: what is loaded comes "from" it, or it brings nothing at all."""
    is_alone = job.pair_with is None and job.load_direction == "collect"
    return is_alone and (job.id in named or not job.load)


def _on_board(route: RouteNow, name: str) -> list[tuple[int, int]]:
    here = {job.id: job for stop in route.stops for job in stop.jobs}
    board = sum(
        job.load.get(name, 0)
        for job in here.values()
        if job.load_direction == "deliver" and job.pair_with not in here
    )
    found = [(board, board)]
    for stop in route.stops:
        most = board
        for job in stop.jobs:
            board += job.load.get(name, 0) * _taken(job, here)
            most = max(most, board)
        found.append((board, most))
    return found


def _taken(job: JobToPlan, here: Mapping[str, JobToPlan]) -> int:
    """1 if its load comes on board at its stop, -1 if it leaves, 0 if it has none."""
    if job.pair_with in here:
        return 1 if job.leg == "collect" else -1
    return {"collect": 1, "deliver": -1, "none": 0}[job.load_direction]
