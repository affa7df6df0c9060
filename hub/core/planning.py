"""Planning a day: the request, the answer, whether it is lawful, and why a job is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from hub.core.insertion import Draft
from hub.core.left_out import reasons
from hub.core.plan_check import violations
from hub.core.plan_needs import Need, needs_of
from hub.core.plan_parts import day_part, quick_orders
from hub.core.plan_request import (
    Break,
    JobToPlan,
    KeepsTo,
    LoadDirection,
    Pace,
    Plan,
    PlanRequest,
    Reload,
    RoadLeg,
    RoadRoute,
    RoadStep,
    TravelMatrix,
    VehicleToPlan,
    Visit,
    Wish,
)
from hub.core.schedule import Timetable, Trip, timed

__all__ = [
    "Break",
    "Draft",
    "JobToPlan",
    "KeepsTo",
    "LoadDirection",
    "Need",
    "Pace",
    "Plan",
    "PlanRequest",
    "Reload",
    "RoadLeg",
    "RoadRoute",
    "RoadStep",
    "Timetable",
    "TravelMatrix",
    "Trip",
    "VehicleToPlan",
    "Visit",
    "Wish",
    "choose",
    "completed",
    "needs_of",
    "day_part",
    "reasons",
    "timed",
    "violations",
]

IN_PARTS = 600  # jobs; filling up takes 0.4 s for so many, and grows with their square
PREFERENCE = ("pyvrp", "ortools", "nearest")


class Capable(Protocol):
    @property
    def key(self) -> str: ...

    def capabilities(self) -> frozenset[Need]: ...


def choose[S: Capable](strategies: Iterable[S], wanted: str, needs: frozenset[Need]) -> S:
    """The strategy named ``wanted`` if it can serve ``needs``, else the first that can.

    Built-in ones in the order measured best first, then others. Raises
    ``LookupError`` when none can.
    """
    order = (wanted, *PREFERENCE)
    ranked = sorted(strategies, key=lambda s: order.index(s.key) if s.key in order else len(order))
    for strategy in ranked:
        if needs <= strategy.capabilities():
            return strategy
    raise LookupError(f"No routing strategy can serve {', '.join(sorted(needs))}.")


def completed(
    request: PlanRequest,
    orders: Mapping[str, Sequence[str]],
    notes: tuple[str, ...] = (),
) -> Plan:
    """A lawful plan from a strategy's orders: repaired where they break a rule (of a job that two
    vehicles have, the first one keeps it; one that nobody asked for is dropped), filled up with
    what still fits, moved where prices ask for it, and a reason for everything else.

    Without orders, a day of more than ``IN_PARTS`` jobs is filled up in parts. Where travel is
    asked for leg by leg, only those of the orders are, and nothing is filled up besides.
    """
    is_whole = all(travel.is_whole for travel in request.travel.values())
    if not orders and (not is_whole or len(request.jobs) > IN_PARTS):
        orders = quick_orders(request, _filled)
    orders = _once_each(request, orders)
    _learn(request, orders)
    draft = Draft(Timetable(request))
    draft.follow(orders)
    if is_whole:
        draft.fill()
        draft.settle()
        while draft.fill():
            pass
    placed = draft.placed()
    why = {
        job.id: reasons(
            request,
            job,
            draft.timetable,
            has_place=not job.optional or not is_whole or draft.has_place(job.id),
            orders=draft.orders,
        )
        for job in request.jobs
        if job.id not in placed
    }
    return draft.plan(why, notes)


def _once_each(
    request: PlanRequest, orders: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    left = {job.id for job in request.jobs}
    left -= {id for ids in request.fixed.values() for id in ids}
    found = {}
    for vehicle, order in orders.items():
        mine = left.union(request.fixed.get(vehicle, ()))
        found[vehicle] = tuple(id for id in dict.fromkeys(order) if id in mine)
        left.difference_update(order)
    return found


def _filled(request: PlanRequest) -> dict[str, tuple[str, ...]]:
    """Orders of a part of the day, small enough to have all its travel at hand."""
    here = range(len(request.places))
    whole = {p: TravelMatrix(*_nested(t, here), t.pace) for p, t in request.travel.items()}
    draft = Draft(Timetable(replace(request, travel=whole)))
    draft.fill()
    return draft.orders


def _nested(travel: TravelMatrix, here: Sequence[int]) -> tuple[list[list[int]], list[list[int]]]:
    seconds, metres = travel.block(here, here)
    return seconds.tolist(), metres.tolist()


def _learn(request: PlanRequest, orders: Mapping[str, Sequence[str]]) -> None:
    places = {job.id: job.place for job in request.jobs}
    for vehicle in request.vehicles:
        order = orders.get(vehicle.id) or request.fixed.get(vehicle.id, ())
        ends = () if vehicle.end is None else (vehicle.end,)
        way = (vehicle.start, *(places[id] for id in order), *ends)
        request.travel[vehicle.profile].learn([way])
