"""The single changes that may be made of a day for one job: of the job, of a vehicle, of who may.

Each is a ``Handle``: more of something, or less, or a yes. Whether it helps is tried by
``hub.core.ways_out``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from hub.core.plan_request import JobToPlan, PlanRequest, VehicleToPlan
from hub.core.schedule import Timetable
from hub.core.values import TimeWindow

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
class Handle:
    """A change of which there may be more or less: ``most`` is where looking ends."""

    change: Change
    apply: Callable[[int], PlanRequest]
    most: int
    vehicle_id: str = ""
    dimension: str = ""
    least: int = 1
    part: int = 0


def handles_of(
    request: PlanRequest,
    table: Timetable,
    unit: tuple[str, ...],
    orders: Routes,
    most: int = LOOKED_AT,
) -> Iterator[Handle]:
    """Every change that could be made for ``unit`` (a job, or a pair in its order) beside
    ``orders``; of vehicles, those of the ``most`` that come nearest.
    """
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
        yield Handle(Change.ANOTHER_VAN, lambda n: one_more(request, like), 1, like.id)


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
) -> Iterator[Handle]:
    def changed(**values: object) -> PlanRequest:
        return _with_vehicle(request, replace(vehicle, **values))  # type: ignore[arg-type]

    def span(earlier_s: int) -> TimeWindow:
        opens = vehicle.shift.opens - timedelta(seconds=earlier_s)
        return TimeWindow(opens, vehicle.shift.closes)

    def more(change: Change, apply: Callable[[int], PlanRequest], most: int) -> Handle:
        return Handle(change, apply, most, vehicle.id)

    over_s = vehicle.overtime_s
    yield more(Change.OVERTIME, lambda s: changed(overtime_s=over_s + s), MOST_OVER_S)
    if earlier_s := _most_earlier_s(request, vehicle):
        yield more(Change.START_EARLIER, lambda s: changed(shift=span(s)), earlier_s)
    for name, limit in vehicle.capacity.items():
        if most := max(job.load.get(name, 0) for job in jobs):
            yield Handle(
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
        yield Handle(Change.NO_BREAK, lambda x, day=without: day, 1, vehicle.id, part=n)  # type: ignore[misc]


def _most_earlier_s(request: PlanRequest, vehicle: VehicleToPlan) -> int:
    if request.not_before is None:
        return MOST_OVER_S
    left_s = int((vehicle.shift.opens - request.not_before).total_seconds())
    return max(0, min(left_s, MOST_OVER_S))


def _of_job(request: PlanRequest, jobs: Sequence[JobToPlan]) -> Iterator[Handle]:
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

        yield Handle(Change.OPEN_EARLIER, lambda s: windows(s, 0), MOST_S)
        yield Handle(Change.CLOSE_LATER, lambda s: windows(0, s), MOST_S)
    for n, one in enumerate(jobs):
        if (ready_at := one.ready_at) is not None:
            yield Handle(
                Change.READY_EARLIER,
                lambda s, one=one, at=ready_at: _with_job(  # type: ignore[misc]
                    request, replace(one, ready_at=at - timedelta(seconds=s))
                ),
                MOST_S,
                part=n,
            )
        if (longest := one.max_on_board_s) is not None:
            yield Handle(
                Change.ON_BOARD_LONGER,
                lambda s, one=one, longest=longest: _with_job(  # type: ignore[misc]
                    request, replace(one, max_on_board_s=longest + s)
                ),
                MOST_S,
                part=n,
            )
        if one.service_s > MINUTE:
            yield Handle(
                Change.SHORTER_SERVICE,
                lambda s, one=one: _with_job(  # type: ignore[misc]
                    request, replace(one, service_s=one.service_s - s)
                ),
                one.service_s - 1,
                part=n,
            )


def _of_choice(
    request: PlanRequest, vehicle: VehicleToPlan, jobs: Sequence[JobToPlan]
) -> Iterator[Handle]:
    """For a vehicle that may not do it: lacking something, or ruled out."""
    lacks = frozenset[str]().union(*(job.skills for job in jobs)) - vehicle.offers
    barred = any(
        job.vehicle not in (None, vehicle.id) or vehicle.id in job.forbidden_vehicles
        for job in jobs
    )
    if lacks and not barred:
        able = replace(vehicle, offers=vehicle.offers | lacks)
        named = ", ".join(sorted(lacks))
        yield Handle(Change.SKILL, lambda x: _with_vehicle(request, able), 1, vehicle.id, named)
    if barred and not lacks and _is_outside_only(vehicle, jobs):
        yield Handle(
            Change.LEAVE_ZONE, lambda x: _leaving_zones(request, vehicle, jobs), 1, vehicle.id
        )
    elif barred and not lacks:
        yield Handle(Change.ALLOW, lambda x: _leaving_zones(request, vehicle, jobs), 1, vehicle.id)


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


def one_more(request: PlanRequest, like: VehicleToPlan) -> PlanRequest:
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


def unit_of(request: PlanRequest, job_id: str) -> tuple[str, ...]:
    jobs = {job.id: job for job in request.jobs}
    job = jobs[job_id]
    fixed = {id for ids in request.fixed.values() for id in ids}
    if job.pair_with is None or job.pair_with in fixed:
        return (job_id,)
    return (job_id, job.pair_with) if job.leg == "collect" else (job.pair_with, job_id)
