"""Which rule keeps a job out that nobody could do even with an empty day: each is let go in turn.

What is said of a job is then true by trial: without that rule alone somebody could do it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

from hub.core.plan_request import JobToPlan, VehicleToPlan
from hub.core.schedule import Timetable

A_DAY_S = 24 * 3600
LOOKED_AT = 12  # kinds of vehicle that are tried with each rule let go; takes 5 ms


class Rule(StrEnum):
    """The easiest to tell first: of several that would do alone, that one is named."""

    MAX_JOBS = "max_jobs"
    ROOM = "room"
    DISTANCE = "distance"
    SHIFT = "shift"
    DURATION = "duration"
    BREAKS = "breaks"
    ON_BOARD = "on_board"
    READY = "ready"
    WINDOWS = "windows"


def rules_in_the_way(
    table: Timetable, vehicles: Sequence[VehicleToPlan], unit: Sequence[JobToPlan]
) -> tuple[Rule, ...]:
    """The one rule without which one of ``vehicles`` could do ``unit`` after what is fixed on it;
    several where none alone would do but these together; none where not even all would.
    """
    unlike = _unlike(table, vehicles)
    for rule in Rule:
        if any(_could(table, vehicle, unit, (rule,)) for vehicle in unlike[:LOOKED_AT]):
            return (rule,)
    able = (one for one in unlike if _could(table, one, unit, tuple(Rule)))
    one = next(able, None)
    return _fewest(table, one, unit) if one is not None else ()


def _unlike(table: Timetable, vehicles: Sequence[VehicleToPlan]) -> list[VehicleToPlan]:
    """One of each: a fleet is many of a kind."""
    fixed = table.request.fixed
    kinds: list[VehicleToPlan] = []
    found = []
    for vehicle in vehicles:
        kind = replace(vehicle, id="")
        if fixed.get(vehicle.id) or kind not in kinds:
            found.append(vehicle)
            kinds.append(kind)
    return found


def _fewest(
    table: Timetable, vehicle: VehicleToPlan, unit: Sequence[JobToPlan]
) -> tuple[Rule, ...]:
    """All rules, but for each that may as well stay."""
    rules = tuple(Rule)
    for rule in reversed(Rule):
        fewer = tuple(one for one in rules if one is not rule)
        if _could(table, vehicle, unit, fewer):
            rules = fewer
    return rules


def _could(
    table: Timetable, vehicle: VehicleToPlan, unit: Sequence[JobToPlan], without: Sequence[Rule]
) -> bool:
    order = (*table.request.fixed.get(vehicle.id, ()), *(job.id for job in unit))
    halves = (table.jobs[id].pair_with or id for id in order)
    here = [id for id in dict.fromkeys((*order, *halves)) if id in table.jobs]
    jobs = {id: table.jobs[id] for id in here}
    for rule in without:
        let_go, freed = _LET_GO[rule]
        vehicle = let_go(vehicle)
        jobs |= {job.id: freed(jobs[job.id]) for job in unit}
    small = replace(table.request, jobs=tuple(jobs.values()), vehicles=(vehicle,), before={})
    return Timetable(small).trip(vehicle, order) is not None


def _same[T](one: T) -> T:
    return one


_LET_GO: dict[
    Rule,
    tuple[Callable[[VehicleToPlan], VehicleToPlan], Callable[[JobToPlan], JobToPlan]],
] = {
    Rule.MAX_JOBS: (lambda van: replace(van, max_jobs=None), _same),
    Rule.ROOM: (lambda van: replace(van, capacity={}), _same),
    Rule.DISTANCE: (lambda van: replace(van, max_distance_m=None), _same),
    Rule.SHIFT: (lambda van: replace(van, overtime_s=van.overtime_s + A_DAY_S), _same),
    Rule.DURATION: (lambda van: replace(van, max_duration_s=None), _same),
    Rule.BREAKS: (lambda van: replace(van, breaks=()), _same),
    Rule.ON_BOARD: (_same, lambda job: replace(job, max_on_board_s=None)),
    Rule.READY: (_same, lambda job: replace(job, ready_at=None)),
    Rule.WINDOWS: (_same, lambda job: replace(job, windows=())),
}
