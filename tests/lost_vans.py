"""Days on which a van drops out on the road, made by chance: who could help, and what is left."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hub.core.fit import RouteNow, Stage, StopNow, timed
from hub.core.plan_request import Break, JobToPlan, Pace, TravelMatrix, VehicleToPlan
from hub.core.rescue import Load
from hub.core.values import TimeWindow

SIX = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
LOST_AT = SIX + timedelta(hours=2, minutes=40)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class LostVan:
    takers: tuple[RouteNow, ...]
    load: Load
    travel: dict[str, TravelMatrix]
    now: datetime = LOST_AT


@dataclass
class Town:
    """Chance, and places as they are needed: 0 is the depot."""

    dice: random.Random
    spots: list[tuple[float, float]]
    km: float = 8.0

    def place(self) -> int:
        self.spots.append((self.dice.uniform(0, self.km), self.dice.uniform(0, self.km)))
        return len(self.spots) - 1


def a_lost_van(
    seed: int,
    stops: Sequence[int] = (29, 6),
    left: int = 19,
    *,
    free: int = 0,
    pairs: int = 0,
    waiting: int = 0,
    windows: float = 0.2,
    rush: bool = False,
) -> LostVan:
    """``stops``: how many each helper still has, every second one by bike, with two loads and a
    break; ``free``: more who sit at the depot; ``pairs`` and ``waiting`` (at the depot still) are
    among the ``left``.
    """
    dice = random.Random(seed)  # noqa: S311
    town = Town(dice, [(4.0, 4.0)])
    here = town.place()
    ways = [_way(town, f"t{n}", count, is_bike=n % 2 == 1) for n, count in enumerate(stops)]
    ways += [(_vehicle(f"f{n}", 9.5, 40, ()), []) for n in range(free)]
    units = [_unit(town, n, windows, is_pair=n < pairs) for n in range(left)]
    travel = {"car": _roads(town.spots, 8.0, rush=rush), "bike": _roads(town.spots, 4.5)}
    single = [unit[0].id for unit in units if len(unit) == 1]
    aboard = [id for id in single if dice.random() < 0.95]
    known: dict[str, TimeWindow] = {}
    for unit in units:
        known |= {job.id: _promise(dice, dice.uniform(0.3, 4.0)) for job in unit}
    takers = tuple(_route(dice, one, way, travel, known) for one, way in ways)
    load = Load(
        here,
        600,
        tuple(units),
        frozenset(aboard[waiting:]),
        waiting=frozenset(aboard[:waiting]),
        load_s=600,
    )
    return LostVan(takers, load, travel)


def _way(
    town: Town, id: str, count: int, *, is_bike: bool
) -> tuple[VehicleToPlan, list[tuple[JobToPlan, Stage]]]:
    """A nearest-neighbour round; the first door is done, the next is headed for."""
    dice = town.dice
    jobs = [_job(town, f"{id}-{n}") for n in range(count + 2)]
    at, order = 0, list[JobToPlan]()
    while jobs:
        best = min(jobs, key=lambda job: math.dist(town.spots[at], town.spots[job.place]))
        jobs.remove(best)
        order.append(best)
        at = best.place
    way = [(job, Stage.TO_DO) for job in order]
    way[0], way[1] = (order[0], Stage.DONE), (order[1], Stage.HEADED_FOR)
    noon = SIX + timedelta(hours=dice.uniform(4.5, 6))
    breaks = (Break(TimeWindow(noon, noon + timedelta(minutes=90)), 1800),)
    if not is_bike:
        return _vehicle(id, 13, max(45, count + 25), breaks), way
    half = 2 + count // 2
    again = JobToPlan(
        id=f"{id}-again",
        place=0,
        service_s=600,
        load={"parcels": len(way) - half},
        load_direction="collect",
    )
    later = [
        (replace(job, pair_with=again.id, leg="deliver", load_direction="deliver"), stage)
        for job, stage in way[half:]
    ]
    bike = replace(_vehicle(id, 9.5, 10, breaks), profile="bike", per_km=5, max_duration_s=8 * 3600)
    return bike, [*way[:half], (again, Stage.TO_DO), *later]


def _vehicle(id: str, hours: float, room: int, breaks: tuple[Break, ...]) -> VehicleToPlan:
    shift = TimeWindow(SIX, SIX + timedelta(hours=hours))
    return VehicleToPlan(
        id=id, start=0, end=0, shift=shift, capacity={"parcels": room}, breaks=breaks
    )


def _job(town: Town, id: str) -> JobToPlan:
    return JobToPlan(
        id=id,
        place=town.place(),
        service_s=town.dice.choice((180, 300, 420)),
        load={"parcels": 1},
    )


def _unit(town: Town, n: int, windows: float, *, is_pair: bool) -> tuple[JobToPlan, ...]:
    job, dice = _job(town, f"job{n}"), town.dice
    if dice.random() < windows:
        job = replace(job, windows=(_promise(dice, dice.uniform(0.5, 6), hours=3),))
    if not is_pair:
        return (replace(job, load_direction=dice.choice(("deliver",) * 6 + ("collect",))),)
    two = replace(_job(town, f"job{n}b"), pair_with=job.id, leg="deliver")
    return replace(job, pair_with=two.id, leg="collect", load_direction="collect"), two


def _promise(dice: random.Random, hours_on: float, hours: float = 1.5) -> TimeWindow:
    opens = LOST_AT + timedelta(minutes=round(60 * hours_on)) - MINUTE * dice.randint(30, 60)
    return TimeWindow(opens, opens + timedelta(hours=hours))


def _route(
    dice: random.Random,
    vehicle: VehicleToPlan,
    way: Sequence[tuple[JobToPlan, Stage]],
    travel: dict[str, TravelMatrix],
    told: dict[str, TimeWindow],
) -> RouteNow:
    """Timed; each of its own doors is promised about when it is planned."""
    stops = tuple(
        StopNow(f"{vehicle.id}{n}", job.place, (job,), stage, LOST_AT, LOST_AT, n)
        for n, (job, stage) in enumerate(way, 1)
    )
    if stops:
        done = replace(stops[0], arrive=LOST_AT - 20 * MINUTE, depart=LOST_AT - 9 * MINUTE)
        there = replace(stops[1], arrive=LOST_AT + 2 * MINUTE, depart=LOST_AT + 8 * MINUTE)
        stops = (done, there, *stops[2:])
    leave = SIX + timedelta(hours=2) if stops else LOST_AT
    places = {job.place for job, _ in way}
    route = RouteNow(
        vehicle.id,
        f"{vehicle.id} van",
        vehicle.id,
        vehicle,
        stops,
        leave,
        leave,
        {},
        UTC,
        access_s={place: dice.choice((0, 60, 120)) for place in sorted(places)},
    )
    route = timed(route, travel, LOST_AT)
    own = {
        job.id: TimeWindow(
            stop.arrive - MINUTE * dice.randint(15, 45), stop.arrive + MINUTE * dice.randint(20, 60)
        )
        for stop in route.stops
        for job in stop.jobs
        if stop.stage is Stage.TO_DO
    }
    return timed(route.keeping({**own, **told}), travel, LOST_AT)


def _roads(spots: Sequence[tuple[float, float]], m_per_s: float, *, rush: bool = False):  # type: ignore[no-untyped-def]
    metres = [[round(1300 * math.dist(a, b)) for b in spots] for a in spots]
    seconds = [[round(m / m_per_s) + (60 if m else 0) for m in row] for row in metres]
    paces = (Pace(SIX + timedelta(hours=1), 1.4), Pace(SIX + timedelta(hours=4), 1.0))
    return TravelMatrix(seconds, metres, paces if rush else ())
