"""Roads that are slower at eight in the morning: plan, move, offer and check agree to the second."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from hub import JobToPlan, Pace, Plan, PlanRequest, TravelMatrix, Visit, completed, violations
from hub.core.ad_hoc import AdHoc
from hub.core.fit import RouteNow, Stage, StopNow, placed, problems, timed
from hub.core.fit_route import driving_s, served
from hub.core.pace import Traffic, arrives, departs, traffic_of
from hub.core.schedule import Timetable
from hub.core.values import Point, TimeWindow
from hub.testing.days import a_van, at, between

RUSH = ((6.0, 1.1), (7.0, 1.5), (9.0, 1.0), (11.5, 1.25), (13.0, 0.9), (15.5, 1.8), (18.0, 0.8))
EARLY = at(5)


def a_day(seed: int, jobs: int = 14) -> PlanRequest:
    """Three drivers, one slow and one quick; traffic, walks to doors, some doors for two jobs."""
    dice = random.Random(f"pace {seed}")
    spots = [(dice.uniform(0, 9000), dice.uniform(0, 9000)) for _ in range(jobs + 1)]
    seconds = [[round((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 7) for b in spots] for a in spots]
    pace = tuple(Pace(at(hour), factor * dice.uniform(0.9, 1.1)) for hour, factor in RUSH)
    slow = tuple(replace(one, factor=1 + (one.factor - 1) / 2) for one in pace)
    travel = {"car": TravelMatrix(seconds, seconds, pace)}
    travel["bicycle"] = TravelMatrix([[2 * s for s in row] for row in seconds], seconds, slow)

    def job(n: int) -> JobToPlan:
        opens = dice.randrange(6 * 60, 14 * 60) / 60
        windows = (between(opens, opens + dice.choice((0.5, 1, 3))),) if dice.random() < 0.5 else ()
        place = dice.choice((n, n, max(1, n - 1)))
        return JobToPlan(
            id=f"j{n}",
            place=place,
            service_s=dice.choice((60, 145, 400)),
            load={"g": dice.randint(1, 9)},
            load_direction="collect" if place % 3 else "deliver",
            windows=windows,
        )

    vans = tuple(
        replace(
            a_van(id, capacity={"g": 40}),
            service_factor=factor,
            profile=profile,
            shift=between(dice.choice((6, 6.5, 8)), dice.choice((12, 16))),
            end=dice.choice((0, 0, None)),
        )
        for id, factor, profile in (("a", 1.3, "car"), ("b", 0.85, "car"), ("c", 1.0, "bicycle"))
    )
    return PlanRequest(
        places=tuple(Point(60.1, 24.9 + n / 1000) for n in range(jobs + 1)),
        travel=travel,
        jobs=tuple(job(n) for n in range(1, jobs + 1)),
        vehicles=vans,
        access_s={n: dice.choice((0, 95, 240)) for n in range(1, jobs + 1)},
    )


def routes_of(request: PlanRequest, plan: Plan) -> Iterator[RouteNow]:
    """As they are stored, and read again: a stop for each place in a row, its times as planned."""
    jobs = {job.id: job for job in request.jobs}
    for vehicle in request.vehicles:
        if not (visits := plan.routes.get(vehicle.id)):
            continue
        stops = []
        for place, group in groupby(visits, key=lambda visit: jobs[visit.job_id].place):
            here = list(group)
            work = tuple(jobs[visit.job_id] for visit in here)
            n = len(stops) + 1
            times = here[0].arrive, here[-1].depart
            stops.append(StopNow(f"s{n}", place, work, Stage.TO_DO, *times, n))
        span = plan.spans[vehicle.id]
        driven = (vehicle, tuple(stops), span.opens, span.closes, {}, UTC)
        yield RouteNow(vehicle.id, vehicle.id, vehicle.id, *driven, access_s=request.access_s)


def as_plan(request: PlanRequest, routes: list[RouteNow]) -> Plan:
    """What drives these routes, for the independent check."""
    visits: dict[str, tuple[Visit, ...]] = {}
    for route in routes:
        found = []
        for stop in route.stops:
            clock = stop.arrive
            spans = served(route, stop, stop.arrive)
            for job, (start, end) in zip(stop.jobs, spans, strict=True):
                found.append(Visit(job.id, clock, start, end))
                clock = end
        visits[route.id] = tuple(found)
    done = {visit.job_id for way in visits.values() for visit in way}
    return Plan(
        routes=visits,
        unassigned={job.id: "not tried" for job in request.jobs if job.id not in done},
        spans={route.id: TimeWindow(route.leave, route.home) for route in routes},
    )


def times_of(route: RouteNow) -> list[tuple[datetime, ...]]:
    spans = [
        (stop.arrive, *(t for s in served(route, stop, stop.arrive) for t in s))
        for stop in route.stops
    ]
    return [(route.leave, route.home), *spans]


@pytest.mark.parametrize("seed", range(24))
def test_a_plan_is_retimed_to_the_very_second(seed):
    request = a_day(seed)
    plan = completed(request, {})
    assert violations(request, plan) == []
    planned = {v.job_id: v for way in plan.routes.values() for v in way}
    routes = list(routes_of(request, plan))
    assert routes
    for route in routes:
        again = timed(route, request.travel, EARLY)
        span = plan.spans[route.id]
        assert (again.leave, again.home) == (span.opens, span.closes)
        for stop in again.stops:
            assert stop.arrive == planned[stop.jobs[0].id].arrive
            assert stop.depart == planned[stop.jobs[-1].id].depart
            for job, (start, end) in zip(stop.jobs, served(again, stop, stop.arrive), strict=True):
                assert (start, end) == (planned[job.id].start, planned[job.id].depart)
        assert problems(again) == ()


@pytest.mark.parametrize("seed", range(24))
def test_a_place_that_is_offered_breaks_nothing_once_it_is_taken(seed):
    request = a_day(seed)
    later = {job.id for job in request.jobs[::4]}
    few = replace(request, jobs=tuple(job for job in request.jobs if job.id not in later))
    drafts = routes_of(few, completed(few, {}))
    routes = {r.id: timed(r, request.travel, EARLY) for r in drafts}
    for job in (job for job in request.jobs if job.id in later):
        options = [(placed(r, [job], request.travel, EARLY), id) for id, r in routes.items()]
        best, id = min(options, key=lambda one: one[0].burden)
        if best.problems:
            continue
        routes[id] = best.route
        assert violations(request, as_plan(request, list(routes.values()))) == []


@pytest.mark.parametrize("seed", range(12))
def test_an_order_moved_by_hand_is_timed_as_the_roads_allow(seed):
    """Whatever rule of the work it breaks: the van is where it is said to be."""
    request, dice = a_day(seed), random.Random(seed)
    for route in routes_of(request, completed(request, {})):
        stops = list(route.stops)
        dice.shuffle(stops)
        moved = timed(replace(route, stops=tuple(stops)), request.travel, at(6.2))
        found = violations(request, as_plan(request, [moved]))
        said = [one for one in found if "cannot" in one or "before its" in one]
        assert said == []
        named = {one.kind for one in problems(moved)}
        assert ("window" in named) == any("outside its windows" in one for one in found)


def in_the_rush(leave: float, home: float, job: JobToPlan) -> tuple[RouteNow, dict]:
    """One drive of an hour when nothing holds it up, twice as long from 7 to 9."""
    roads = TravelMatrix(
        [[0, 3600], [3600, 0]], [[0, 1], [1, 0]], (Pace(at(7), 2.0), Pace(at(9), 1.0))
    )
    van = a_van(shift=between(5, home))
    stop = StopNow("s", 1, (job,), Stage.TO_DO, at(leave), at(leave), 1)
    route = RouteNow("r", "Van", "Mara", van, (stop,), at(leave), at(leave), {}, UTC)
    return route, {"car": roads}


def test_who_would_be_late_in_the_rush_hour_leaves_so_much_earlier_as_it_takes():
    """Leaving at 8:00 he is there at 9:30. Half an hour earlier gains only a quarter of one, until
    seven: he has to leave at 7:00, an hour earlier, for being there at nine."""
    job = JobToPlan(id="j", place=1, windows=(between(8, 9),))
    route, travel = in_the_rush(8, 17, job)
    again = timed(route, travel, EARLY)
    assert problems(again) == ()
    assert at(6.99) <= again.leave <= at(7)
    assert again.stops[0].arrive <= at(9)


def test_a_round_that_would_wait_leaves_later_and_meets_the_rush_hour():
    job = JobToPlan(id="j", place=1, windows=(between(8.5, 10),))
    route, travel = in_the_rush(6, 17, job)
    again = timed(route, travel, EARLY)
    assert again.leave == at(
        6.75
    )  # a quarter of an hour of the way before the rush, the rest in it
    assert again.stops[0].arrive == at(8.5)


def test_time_at_the_wheel_is_counted_as_it_is_driven():
    route, travel = in_the_rush(7, 17, JobToPlan(id="j", place=1))
    assert driving_s(timed(route, travel, EARLY), travel) == 7200 + 3600


@pytest.mark.parametrize("seed", range(15))
def test_the_last_moment_to_leave_is_the_last(seed):
    dice = random.Random(seed)
    zero = int(at(0).timestamp())
    begins = sorted(dice.randrange(0, 20_000) for _ in range(5))
    traffic = Traffic(
        [Pace(at(0) + timedelta(seconds=b), dice.choice((0.5, 0.83, 1.7, 4))) for b in begins]
    )
    for _ in range(100):
        way, arrive = dice.randrange(0, 9000), zero + dice.randrange(0, 25_000)
        leave = traffic.departure(arrive, way)
        assert traffic.arrival(leave, way) <= arrive < traffic.arrival(leave + 1, way)


def test_where_every_factor_is_one_there_is_no_traffic():
    assert traffic_of((Pace(at(7), 1.0),)) is None
    assert arrives(None, at(7), 60) == at(7) + timedelta(seconds=60)
    assert departs(None, at(7), 60) == at(7) - timedelta(seconds=60)


@pytest.mark.parametrize("seed", range(10))
def test_new_work_on_the_desk_is_lawful_in_traffic(seed):
    request = a_day(seed)
    plan = completed(request, {})
    desk = AdHoc(
        Timetable(request), {id: [v.job_id for v in way] for id, way in plan.routes.items()}
    )
    ids = [visit.job_id for way in plan.routes.values() for visit in way][:4]
    for id in ids:
        owner = next(v for v, order in desk.orders.items() if id in order)
        if desk.without(owner, frozenset({id})):
            assert desk.offers((id,)), id
            desk.take(desk.offers((id,))[0])
    made = completed(request, desk.orders)
    assert violations(request, made) == []
    assert set(made.unassigned) <= set(plan.unassigned)
