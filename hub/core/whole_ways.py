"""A way out as people say it: in whole minutes, kilograms and litres, the fewest that do."""

from __future__ import annotations

import math
from dataclasses import replace

from hub.core.ad_hoc import units
from hub.core.plan_request import Plan, PlanRequest
from hub.core.squeeze import room
from hub.core.ways_out import HARD, SLACK, Change, Routes, WayOut, changed

MINUTE, KILOMETRE = 60, 1000
GRAINS = {"g": 1000, "cm3": 1000}  # a kilogram, a litre; of what is counted, one
TIMES = frozenset(
    {
        Change.OVERTIME,
        Change.START_EARLIER,
        Change.OPEN_EARLIER,
        Change.CLOSE_LATER,
        Change.LONGER_DAY,
        Change.READY_EARLIER,
        Change.ON_BOARD_LONGER,
        Change.SHORTER_SERVICE,
    }
)


def room_without(request: PlanRequest, plan: Plan, job_id: str, seed: int = 0) -> Routes | None:
    """Lawful routes that serve ``job_id`` too, with nothing changed but who drives where.

    ``None`` if none were found; then something has to give.
    """
    return room(request, _orders(plan), _unit(request, job_id), HARD, seed)


def whole(request: PlanRequest, plan: Plan, way: WayOut, seed: int = 0) -> WayOut:
    """``way`` in whole minutes, kilograms or litres: one fewer was tried and did not work, nor
    did a tenth less.

    As it is where it has no amount, or where nobody could give that much: at the door no
    more time can be saved than is spent there.
    """
    best = _rounded(request, plan, way, seed)
    if best.amount % grain_of(best):
        return best
    # More of something is not always better: who may begin sooner may be out for too long by it.
    # So a size that does not work can lie between two that do.
    while best.is_least and (less := _a_tenth_less(best)) > 0:
        fewer = replace(best, amount=less)
        if (routes := room_without(changed(request, fewer), plan, way.job_id, seed)) is None:
            return best
        best = _rounded(request, plan, replace(fewer, routes=routes), seed)
    return best


def _a_tenth_less(way: WayOut) -> int:
    return min(way.amount - grain_of(way), math.floor(way.amount / 1.1))


def _rounded(request: PlanRequest, plan: Plan, way: WayOut, seed: int) -> WayOut:
    grain = grain_of(way)
    amount = -(-way.amount // grain) * grain
    if not amount or (way.change is Change.SHORTER_SERVICE and amount > _at_the_door(request, way)):
        return way
    best = replace(way, amount=amount)
    # What is smaller by more than SLACK was tried when the way was found.
    while best.amount > grain and (best.amount - grain) * SLACK > way.amount:
        less = replace(best, amount=best.amount - grain)
        if (routes := room_without(changed(request, less), plan, way.job_id, seed)) is None:
            return best
        best = replace(less, routes=routes)
    return best


def grain_of(way: WayOut) -> int:
    """In what steps people count it: seconds of a minute, grams of a kilogram, one."""
    if way.change is Change.FARTHER:
        return KILOMETRE
    return MINUTE if way.change in TIMES else GRAINS.get(way.dimension, 1)


def _at_the_door(request: PlanRequest, way: WayOut) -> int:
    """The most that ``changed`` may take off."""
    unit = _unit(request, way.job_id)
    return min(job.service_s for job in request.jobs if job.id in unit) - 1


def _orders(plan: Plan) -> Routes:
    return {id: tuple(visit.job_id for visit in way) for id, way in plan.routes.items()}


def _unit(request: PlanRequest, job_id: str) -> tuple[str, ...]:
    fixed = {id for ids in request.fixed.values() for id in ids}
    [whole] = units({job.id: job for job in request.jobs}, [job_id])
    return tuple(id for id in whole if id == job_id or id not in fixed)
