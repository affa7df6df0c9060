"""Days to plan, made up but drivable: one in words, any number from a seed, and less of them."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub import (
    Break,
    JobToPlan,
    Need,
    PlanRequest,
    Point,
    TimeWindow,
    TravelMatrix,
    VehicleToPlan,
)

EIGHT = datetime(2026, 11, 25, 8, tzinfo=UTC)


def at(hour: float, day: datetime = EIGHT) -> datetime:
    return day.replace(hour=0) + timedelta(hours=hour)


def between(opens: float, closes: float) -> TimeWindow:
    return TimeWindow(at(opens), at(closes))


def a_street(length: int, minutes: int = 10) -> TravelMatrix:
    """Places along one street, the same drive between neighbours."""
    n = range(length)
    return TravelMatrix(
        seconds=[[abs(i - j) * minutes * 60 for j in n] for i in n],
        metres=[[abs(i - j) * minutes * 500 for j in n] for i in n],
    )


def a_van(id: str = "van", **changes: object) -> VehicleToPlan:
    van = VehicleToPlan(id=id, start=0, end=0, shift=between(8, 17))
    return replace(van, **changes)  # type: ignore[arg-type]


def a_bakery_day(
    jobs: tuple[JobToPlan, ...], vehicles: tuple[VehicleToPlan, ...] | None = None, **more: object
) -> PlanRequest:
    """A street of ten places, ten minutes apart; the bakery is at its beginning."""
    request = PlanRequest(
        places=tuple(Point(60.16, 24.9 + n / 100) for n in range(10)),
        travel={"car": a_street(10), "bicycle": a_street(10, 20)},
        jobs=jobs,
        vehicles=(a_van(),) if vehicles is None else vehicles,
        time_limit_s=0.3,
    )
    return replace(request, **more)  # type: ignore[arg-type]


def any_day(seed: int, *, jobs: int = 14, hard: bool = True) -> PlanRequest:
    """Uneven roads, too much to do, and (``hard``) every kind of constraint at once."""
    dice = random.Random(seed)  # noqa: S311  (a day, not a secret)
    spots = [(dice.uniform(0, 20_000), dice.uniform(0, 20_000)) for _ in range(jobs + 2)]
    metres = [[round(math.dist(a, b) * dice.uniform(1.1, 1.5)) for b in spots] for a in spots]
    for n, row in enumerate(metres):
        row[n] = 0
    car = TravelMatrix([[m // 9 for m in row] for row in metres], metres)
    bicycle = TravelMatrix([[m // 4 for m in row] for row in metres], metres)
    vehicles = [
        VehicleToPlan(
            id=f"v{n}",
            start=dice.choice((0, 1)),
            end=dice.choice((0, 1, None)),
            shift=between(dice.choice((7, 8, 9.5)), dice.choice((13, 17, 25))),
            capacity={"g": dice.choice((30_000, 90_000))} if dice.random() < 0.8 else {},
            offers=frozenset(dice.sample(("fridge", "lift", "id"), dice.randint(0, 3))),
            max_duration_s=dice.choice((None, None, 4 * 3600)),
            max_jobs=dice.choice((None, 5)),
            profile=dice.choice(("car", "car", "bicycle")),
            service_factor=dice.choice((1.0, 1.25, 0.8)),
            fixed_cost=dice.choice((0, 2000)),
            per_hour=dice.choice((1500, 2500)),
            overtime_s=dice.choice((0, 1800)) if hard else 0,
            overtime_per_hour=1000,
            breaks=(Break(between(11, 13), 1800),) if hard and dice.random() < 0.4 else (),
        )
        for n in range(3)
    ]
    made = [
        JobToPlan(
            id=f"j{n}",
            place=n + 2,
            service_s=dice.choice((0, 120, 299, 900)),
            load={"g": dice.randint(100, 20_000)},
            load_direction=dice.choice(("deliver", "deliver", "collect", "none")),
            windows=_windows(dice),
            skills=frozenset(dice.sample(("fridge", "lift", "id"), dice.choice((0, 0, 0, 1)))),
            priority=dice.choice((0, 0, 5)),
            optional=dice.random() < 0.2,
            prize=dice.choice((0, 500, 5000)),
            vehicle="v1" if dice.random() < 0.1 else None,
            forbidden_vehicles=frozenset({"v0"} if dice.random() < 0.1 else ()),
            ready_at=at(8.6) if dice.random() < 0.1 else None,
            max_on_board_s=5400 if hard and dice.random() < 0.15 else None,
        )
        for n in range(jobs)
    ]
    if hard:
        for first, second in ((0, 1), (2, 3)):
            made[first] = _half(made[first], made[second].id, "collect")
            made[second] = _half(made[second], made[first].id, "deliver")
    return PlanRequest(
        places=tuple(Point(60 + y / 111_000, 24 + x / 55_000) for x, y in spots),
        travel={"car": car, "bicycle": bicycle},
        jobs=tuple(made),
        vehicles=tuple(vehicles),
        fixed={"v2": ("j9", "j8")} if hard and dice.random() < 0.4 else {},
        time_limit_s=0.4,
        seed=seed,
    )


def within(request: PlanRequest, needs: frozenset[Need]) -> PlanRequest:
    """``request`` without whatever asks for more than ``needs``."""

    def kept[T](need: Need, value: T, otherwise: T) -> T:
        return value if need in needs else otherwise

    jobs = tuple(
        replace(
            job,
            windows=kept(
                Need.WINDOWS, kept(Need.SEVERAL_WINDOWS, job.windows, job.windows[:1]), ()
            ),
            load_direction=kept(Need.COLLECTIONS, job.load_direction, "deliver"),
            skills=kept(Need.SKILLS, job.skills, frozenset()),
            vehicle=kept(Need.VEHICLE_CHOICE, job.vehicle, None),
            forbidden_vehicles=kept(Need.VEHICLE_CHOICE, job.forbidden_vehicles, frozenset()),
            pair_with=kept(Need.PAIRS, job.pair_with, None),
            leg=kept(Need.PAIRS, job.leg, "deliver"),
            max_on_board_s=kept(Need.TIME_ON_BOARD, job.max_on_board_s, None),
            ready_at=kept(Need.RELEASE_TIMES, job.ready_at, None),
            priority=kept(Need.PRIORITIES, job.priority, 0),
            optional=kept(Need.OPTIONAL, job.optional, False),
        )
        for job in request.jobs
    )
    vehicles = tuple(_vehicle_within(one, needs) for one in request.vehicles)
    fixed = kept(Need.LOCKED_PREFIX, request.fixed, {})
    return replace(request, jobs=jobs, vehicles=vehicles, fixed=fixed)


def _vehicle_within(vehicle: VehicleToPlan, needs: frozenset[Need]) -> VehicleToPlan:
    start = vehicle.start if Need.MULTI_DEPOT in needs else 0
    end = vehicle.end
    if end is None:
        end = None if Need.OPEN_END in needs else start
    elif Need.OTHER_END not in needs:
        end = start
    less: dict[str, object] = {"start": start, "end": end}
    if Need.CAPACITY not in needs:
        less["capacity"] = {}
    if Need.MAX_DURATION not in needs:
        less["max_duration_s"] = None
    if Need.MAX_JOBS not in needs:
        less["max_jobs"] = None
    if Need.OVERTIME not in needs:
        less["overtime_s"] = 0
    if Need.BREAKS not in needs:
        less["breaks"] = ()
    if Need.SEVERAL_PROFILES not in needs:
        less["profile"] = "car"
    if Need.SERVICE_FACTOR not in needs:
        less["service_factor"] = 1.0
    if Need.COSTS not in needs:
        less |= {"fixed_cost": 0, "per_hour": 2500, "overtime_per_hour": 0}
    return replace(vehicle, **less)  # type: ignore[arg-type]


def _half(job: JobToPlan, other: str, leg: str) -> JobToPlan:
    return replace(
        job,
        pair_with=other,
        leg=leg,  # type: ignore[arg-type]
        optional=False,
        load_direction="deliver",
        max_on_board_s=None if leg == "collect" else job.max_on_board_s,
        load={"g": 4000},
    )


def _windows(dice: random.Random) -> tuple[TimeWindow, ...]:
    opens = dice.uniform(6, 14)
    one = between(opens, opens + dice.choice((0.5, 1, 2, 4)))
    if dice.random() < 0.4:
        return ()
    return (one, between(18, 20)) if dice.random() < 0.3 else (one,)
