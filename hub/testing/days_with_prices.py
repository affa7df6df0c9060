"""Days that ask for what fewer fleets need: reloads, wishes, traffic, and prices of every kind."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from hub import JobToPlan, Need, Pace, PlanRequest, TravelMatrix, VehicleToPlan, Wish
from hub.testing.days import at, between

RUSH = ((7.5, 1.6), (9.25, 1.0), (12.0, 1.2), (16.0, 1.7), (18.5, 0.9))  # from which hour on
GOODS = ("fish", "flowers", "bleach")


def asking_for(request: PlanRequest, needs: frozenset[Need], seed: int) -> PlanRequest:
    """``request`` with what these of the newer ``needs`` ask for, by chance of ``seed``."""
    for need, add in _ADD.items():
        if need in needs:
            request = add(request, random.Random(f"{seed} {need}"))  # noqa: S311  (a day)
    return request


def any_mixture(seed: int) -> frozenset[Need]:
    """Some of the newer needs: one in five seeds asks for all."""
    dice = random.Random(f"mixture {seed}")  # noqa: S311
    if dice.random() < 0.2:
        return frozenset(_ADD)
    return frozenset(need for need in _ADD if dice.random() < 0.4)


def _reloads(request: PlanRequest, dice: random.Random) -> PlanRequest:
    return _vehicles(
        request,
        lambda v: replace(
            v,
            reload_at=dice.choice(((v.start,), (0,), (0, 1))),
            max_reloads=dice.choice((1, 2)),
            reload_s=dice.choice((0, 300, 1200)),
        ),
    )


def _together(request: PlanRequest, dice: random.Random) -> PlanRequest:
    made = _jobs(
        request, lambda j: replace(j, goods=frozenset(dice.sample(GOODS, dice.choice((0, 0, 1)))))
    )
    a, b = dice.sample([job.id for job in made.jobs], 2)
    return replace(made, never_together=frozenset({("fish", "bleach"), (a, b)}))


def _wishes(request: PlanRequest, dice: random.Random) -> PlanRequest:
    def wish() -> Wish:
        opens = dice.uniform(7, 14)
        prices = (0, 1000, 6000)
        return Wish(between(opens, opens + 1), dice.choice(prices), dice.choice(prices))

    def wishes(job: JobToPlan) -> JobToPlan:
        return replace(job, wishes=tuple(wish() for _ in range(dice.choice((0, 0, 1, 2)))))

    return _jobs(request, wishes)


def _balance(request: PlanRequest, dice: random.Random) -> PlanRequest:
    return replace(request, uneven_per_hour=dice.choice((500, 5000)))


def _wanted(request: PlanRequest, dice: random.Random) -> PlanRequest:
    ids = [vehicle.id for vehicle in request.vehicles]
    return _jobs(
        request,
        lambda j: replace(
            j,
            wanted_vehicle=dice.choice((None, dice.choice(ids))),
            other_vehicle_cost=dice.choice((100, 3000)),
            vehicle_costs={id: 700 for id in ids if dice.random() < 0.2},
        ),
    )


def _known(request: PlanRequest, dice: random.Random) -> PlanRequest:
    before: dict[str, list[str]] = {vehicle.id: [] for vehicle in request.vehicles}
    ids = [job.id for job in request.jobs]
    dice.shuffle(ids)
    for id in ids:
        before[dice.choice(list(before))].append(id)
    known = {vehicle: tuple(order) for vehicle, order in before.items()}
    return replace(request, before=known, reorder_cost=dice.choice((50, 2000)))


def _pace(request: PlanRequest, dice: random.Random) -> PlanRequest:
    pace = tuple(Pace(at(hour), factor * dice.uniform(0.9, 1.1)) for hour, factor in RUSH)

    def slower(travel: TravelMatrix) -> TravelMatrix:
        return TravelMatrix(travel.seconds, travel.metres, pace)

    return replace(request, travel={p: slower(travel) for p, travel in request.travel.items()})


def _distance(request: PlanRequest, dice: random.Random) -> PlanRequest:
    return _vehicles(
        request, lambda v: replace(v, max_distance_m=dice.choice((None, 30_000, 70_000)))
    )


def _access(request: PlanRequest, dice: random.Random) -> PlanRequest:
    """Some doors take a while to get to; two jobs may be behind one."""
    walks = {job.place: dice.choice((0, 120, 600)) for job in request.jobs}
    places = [job.place for job in request.jobs]

    def shared(job: JobToPlan) -> JobToPlan:
        return replace(job, place=dice.choice((job.place, job.place, dice.choice(places))))

    return replace(_jobs(request, shared), access_s=walks)


_ADD: dict[Need, Callable[[PlanRequest, random.Random], PlanRequest]] = {
    Need.RELOADS: _reloads,
    Need.NEVER_TOGETHER: _together,
    Need.WISHES: _wishes,
    Need.BALANCE: _balance,
    Need.WANTED_VEHICLE: _wanted,
    Need.KNOWN_ORDER: _known,
    Need.PACE: _pace,
    Need.MAX_DISTANCE: _distance,
    Need.ACCESS: _access,
}


def _jobs(request: PlanRequest, change: Callable[[JobToPlan], JobToPlan]) -> PlanRequest:
    return replace(request, jobs=tuple(map(change, request.jobs)))


def _vehicles(
    request: PlanRequest, change: Callable[[VehicleToPlan], VehicleToPlan]
) -> PlanRequest:
    return replace(request, vehicles=tuple(map(change, request.vehicles)))
