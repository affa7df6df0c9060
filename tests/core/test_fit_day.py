"""Breaks and the limits of a driver's day hold on a route that a person changed, as planned."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.core.ad_hoc import row_of
from hub.core.fit import Placement, RouteNow, Stage, StopNow, placed, problems, timed, worse
from hub.core.fit_rests import Rests
from hub.core.fit_route import driving_s, served, unloading_first
from hub.core.offering import Bounds, best_routes, bounds
from hub.core.plan_check import violations
from hub.core.plan_request import (
    Break,
    JobToPlan,
    Pace,
    Plan,
    PlanRequest,
    TravelMatrix,
    VehicleToPlan,
    Visit,
)
from hub.core.planning import completed
from hub.core.quick_places import QuickPlaces
from hub.core.rest_request import ahead, requested
from hub.core.schedule import Timetable
from hub.core.values import Point, TimeWindow
from tests.planning_worlds import EIGHT, a_van, at
from tests.planning_worlds import between as exactly_between

SEVEN = EIGHT - timedelta(hours=1)
STOPS = 6


def between(opens: float, closes: float) -> TimeWindow:
    """In whole minutes, as people write it."""
    return exactly_between(round(opens * 60) / 60, round(closes * 60) / 60)


def a_limited_day(seed: int) -> PlanRequest:
    """Three drivers who rest at fixed and at loose times and may not be out for ever."""
    dice = random.Random(seed)  # noqa: S311
    size = 26
    spots = [(dice.uniform(0, 9000), dice.uniform(0, 9000)) for _ in range(size)]
    seconds = [[round((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 8) for b in spots] for a in spots]
    metres = [[7 * s for s in row] for row in seconds]
    pace = (Pace(at(10), 1.7), Pace(at(12.5), 1.0)) if dice.random() < 0.3 else ()
    jobs = tuple(_a_job(dice, f"j{n}", n) for n in range(1, size))
    return PlanRequest(
        places=tuple(Point(60 + y / 111_000, 24 + x / 55_000) for x, y in spots),
        travel={"car": TravelMatrix(seconds, metres, pace)},
        jobs=jobs,
        vehicles=tuple(_a_driver(dice, n) for n in range(3)),
        access_s={n: dice.choice((60, 200)) for n in range(1, size) if dice.random() < 0.4},
        time_limit_s=0.3,
        seed=seed,
    )


def _a_job(dice: random.Random, id: str, place: int) -> JobToPlan:
    opens = dice.uniform(8, 13)
    return JobToPlan(
        id=id,
        place=place,
        service_s=dice.choice((0, 120, 600, 1500)),
        load={"g": dice.randint(1, 6)},
        load_direction=dice.choice(("deliver", "deliver", "collect", "none")),
        windows=(between(opens, opens + dice.uniform(0.5, 3)),) if dice.random() < 0.5 else (),
        ready_at=at(8.75) if dice.random() < 0.05 else None,
        max_on_board_s=7200 if dice.random() < 0.1 else None,
    )


def _a_driver(dice: random.Random, n: int) -> VehicleToPlan:
    return a_van(
        f"v{n}",
        capacity={"g": dice.randint(20, 40)},
        shift=between(8, dice.choice((13, 15, 17))),
        end=dice.choice((0, 0, None)),
        breaks=_breaks(dice),
        max_duration_s=dice.choice((None, 4 * 3600, 6 * 3600)),
        max_jobs=dice.choice((None, 7, 10)),
        max_distance_m=dice.choice((None, 60_000)),
        service_factor=dice.choice((1.0, 1.25)),
    )


def _breaks(dice: random.Random) -> tuple[Break, ...]:
    noon, ten = dice.uniform(10.5, 12.5), dice.uniform(9, 10)
    loose = Break(between(noon, noon + dice.choice((0.5, 1.5))), 1800)
    fixed = Break(between(ten, ten), 900)
    return dice.choice(((), (loose,), (fixed,), (fixed, loose)))


def the_routes(request: PlanRequest, plan: Plan) -> list[RouteNow]:
    jobs = {job.id: job for job in request.jobs}
    found = []
    for vehicle in request.vehicles:
        stops = tuple(
            StopNow(
                f"s{visit.job_id}",
                jobs[visit.job_id].place,
                (jobs[visit.job_id],),
                Stage.TO_DO,
                visit.arrive,
                visit.depart,
                n,
            )
            for n, visit in enumerate(plan.routes.get(vehicle.id, ()), 1)
        )
        span = plan.spans.get(vehicle.id, TimeWindow(vehicle.shift.opens, vehicle.shift.opens))
        rests = plan.breaks.get(vehicle.id, ())
        found.append(
            RouteNow(
                vehicle.id,
                vehicle.id,
                vehicle.id,
                vehicle,
                stops,
                span.opens,
                span.closes,
                {},
                UTC,
                access_s=request.access_s,
                rests=rests,
            )
        )
    return found


def faults(request: PlanRequest, route: RouteNow) -> list[str]:
    """What the checker, which shares no code with it, says of a timed route alone."""
    visits = []
    for stop in route.stops:
        spans = served(route, stop, stop.arrive)
        here = stop.arrive
        for job, (start, depart) in zip(stop.jobs, spans, strict=True):
            visits.append(Visit(job.id, here, start, depart))
            here = depart
    mine = {visit.job_id for visit in visits}
    alone = replace(
        request,
        jobs=tuple(job for job in request.jobs if job.id in mine),
        vehicles=(route.vehicle,),
    )
    plan = Plan(
        {route.id: tuple(visits)},
        {},
        spans={route.id: TimeWindow(route.leave, route.home)},
        breaks={route.id: tuple(rest for rest in route.rests if rest is not None)},
    )
    return violations(alone, plan)


@pytest.mark.parametrize(
    "seed", [*range(7), *(pytest.param(n, marks=pytest.mark.soak) for n in range(7, 60))]
)
def test_no_move_that_is_said_to_be_fine_breaks_a_rule(seed: int) -> None:
    request = a_limited_day(seed)
    plan = completed(request, {})
    assert violations(request, plan) == []
    routes = [timed(one, request.travel, SEVEN) for one in the_routes(request, plan)]
    for route in routes:
        if route.stops:
            assert problems(route) == ()
            assert faults(request, route) == []
    jobs = {job.id: job for job in request.jobs}
    on = {job.id: route.id for route in routes for stop in route.stops for job in stop.jobs}
    fine = 0
    for job in jobs.values():
        for route in routes:
            if on.get(job.id) == route.id:
                continue
            found = placed(route, [job], request.travel, SEVEN)
            if not found.problems:
                fine += 1
                assert faults(request, found.route) == []
    assert fine or seed >= 7


@pytest.mark.parametrize("seed", range(6))
def test_what_is_done_at_a_stop_is_timed_with_its_rests_as_it_is_told(seed: int) -> None:
    request = a_limited_day(seed)
    plan = completed(request, {})
    for route in the_routes(request, plan):
        both = [
            replace(a, jobs=(*a.jobs, replace(b.jobs[0], place=a.place)))
            for a, b in zip(route.stops[::2], route.stops[1::2], strict=False)
        ]
        after = timed(replace(route, stops=tuple(both)), request.travel, SEVEN)
        for stop in after.stops:
            assert served(after, stop, stop.arrive)[-1][1] == stop.depart
        for rest in after.rests:
            assert rest is not None
            for stop in after.stops:
                for start, end in served(after, stop, stop.arrive):
                    assert end <= rest.opens or rest.closes <= start or start == end


def a_small_route(*jobs: JobToPlan, **van: object) -> tuple[RouteNow, dict[str, TravelMatrix]]:
    """Doors ten minutes apart along a street, from eight on."""
    seconds = [[abs(a - b) * 600 for b in range(10)] for a in range(10)]
    stops = tuple(
        StopNow(f"s{n}", job.place, (job,), Stage.TO_DO, EIGHT, EIGHT, n)
        for n, job in enumerate(jobs, 1)
    )
    made = a_van(shift=between(8, 16), **van)
    numbers = {job.id: job.id for job in jobs}
    route = RouteNow("r", "Van", "Mara", made, stops, EIGHT, EIGHT, numbers, UTC)
    return route, {"car": TravelMatrix(seconds, seconds)}


def test_a_break_shifts_for_a_job_that_comes_and_is_still_had() -> None:
    door = JobToPlan(id="1", place=3, service_s=3600)
    route, travel = a_small_route(door, breaks=(Break(between(9, 10), 1800),))
    before = timed(route, travel, EIGHT)
    assert before.rests == (between(10, 10.5),)  # at home
    came = JobToPlan(id="2", place=1, service_s=2400, windows=(between(8, 8.5),))
    after = placed(before, [came], travel, EIGHT)
    assert after.problems == ()
    assert after.route.rests == (between(9, 9.5),)  # before the long job, which ends too late now


def test_a_break_that_begins_too_late_is_told() -> None:
    there = StopNow("s1", 1, (JobToPlan(id="1", place=1),), Stage.THERE, EIGHT, at(13.5), 1)
    route, travel = a_small_route(breaks=(Break(between(12, 13), 1800),))
    route = replace(route, stops=(there, *a_small_route(JobToPlan(id="2", place=2))[0].stops))
    [problem] = problems(timed(route, travel, at(12.5)))
    assert problem.said == "Mara's break of 30 min should begin by 13:00 and could only at 13:30."
    assert problem.amount == 1800


def test_a_rest_that_has_begun_stays_and_the_next_door_waits_for_its_end() -> None:
    jobs = [JobToPlan(id=str(n), place=n) for n in (1, 2)]
    route, travel = a_small_route(*jobs, breaks=(Break(between(9, 12), 1800),))
    done = replace(route.stops[0], stage=Stage.DONE, depart=at(9))
    route = replace(route, stops=(done, route.stops[1]), rests=(between(9, 9.5),))
    after = timed(route, travel, at(9.25))
    assert after.rests == (between(9, 9.5),)
    assert after.stops[1].arrive == at(9.5) + timedelta(minutes=10)


def test_a_day_that_would_be_too_long_begins_later_if_it_can_and_is_told_if_not() -> None:
    late = JobToPlan(id="late", place=2, windows=(between(12, 13),))
    first = JobToPlan(id="first", place=1, windows=(between(8, 12),))
    route, travel = a_small_route(first, late, max_duration_s=7200)
    after = timed(route, travel, EIGHT)
    assert problems(after) == ()
    assert after.home - after.leave <= timedelta(hours=2)
    early = replace(first, windows=(between(8, 9),))
    [problem] = problems(timed(a_small_route(early, late, max_duration_s=7200)[0], travel, EIGHT))
    assert problem.said.startswith("Mara would be out for 3 h 30 min, 1 h 30 min longer")


def test_more_jobs_and_more_kilometres_than_allowed_are_told() -> None:
    jobs = [JobToPlan(id=str(n), place=n) for n in (1, 2)]
    route, travel = a_small_route(*jobs, max_jobs=2, max_distance_m=2400)
    assert problems(timed(route, travel, EIGHT)) == ()
    found = placed(route, [JobToPlan(id="3", place=3)], travel, EIGHT)
    assert {one.kind for one in found.problems} == {"jobs", "distance"}
    assert "Mara would have 3 jobs and may have 2 a day." in {p.said for p in found.problems}
    again = JobToPlan(id="again", place=0, load_direction="collect")
    third = replace(jobs[1], id="3", pair_with="again")
    route, _ = a_small_route(jobs[0], again, third, max_jobs=2)
    assert problems(timed(route, travel, EIGHT)) == ()  # loading again is no job


def test_a_load_is_counted_job_by_job_as_the_checker_does() -> None:
    """At a stop where 3 were fetched before 3 were brought, a full van had room: by its end."""
    fetch = JobToPlan(id="fetch", place=1, load={"g": 3}, load_direction="collect")
    bring = JobToPlan(id="bring", place=1, load={"g": 3})
    route, travel = a_small_route(fetch, capacity={"g": 3})
    both = replace(route, stops=(replace(route.stops[0], jobs=(fetch, bring)),))
    after = timed(both, travel, EIGHT)
    [problem] = problems(after)
    request = PlanRequest(
        places=(), travel=travel, jobs=(fetch, bring), vehicles=(replace(route.vehicle, id="r"),)
    )
    assert faults(request, replace(after, vehicle=request.vehicles[0])) == [
        "r carries 6 g and may carry 3."
    ]
    assert problem.amount == 3
    kind = unloading_first((fetch, bring))
    assert [job.id for job in kind] == ["bring", "fetch"]
    assert (
        problems(timed(replace(both, stops=(replace(both.stops[0], jobs=kind),)), travel, EIGHT))
        == ()
    )


def test_of_two_rests_none_is_had_twice_before_leaving() -> None:
    two = (Break(between(8, 9), 1800), Break(between(8, 9), 1800))
    rests = Rests(two, (), at(9), EIGHT, has_left=False)
    assert rests.taken == [between(8, 8.5), between(8.5, 9)]


# What is offered is what a look at every place finds, with rests and limits too.


def a_day_of_routes(
    seed: int,
) -> tuple[list[RouteNow], list[JobToPlan], dict[str, TravelMatrix], datetime]:
    dice = random.Random(1000 + seed)  # noqa: S311
    now = EIGHT + timedelta(minutes=50)
    size = 1 + 5 * STOPS + 4
    spots = [(dice.uniform(0, 14000), dice.uniform(0, 14000)) for _ in range(size)]
    seconds = [[round((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 10) for b in spots] for a in spots]
    travel = {"car": TravelMatrix(seconds, seconds)}
    routes = []
    for r in range(5):
        gone = dice.choice((0, 0, 2))
        stages = [Stage.DONE, Stage.HEADED_FOR][:gone] + [Stage.TO_DO] * (STOPS - gone)
        stops = []
        for n, stage in enumerate(stages):
            job = replace(_a_job(dice, f"{r}.{n}", 1 + r * STOPS + n), ready_at=None)
            stops.append(StopNow(f"s{job.id}", job.place, (job,), stage, EIGHT, EIGHT, n + 1))
        leave = EIGHT if gone else EIGHT + timedelta(hours=dice.choice((0, 1, 2)))
        van = replace(_a_driver(dice, r), max_distance_m=dice.choice((None, 12_000)))
        routes.append(RouteNow(f"r{r}", "Van", f"D{r}", van, tuple(stops), leave, leave, {}, UTC))
    new = [_a_job(dice, f"new{n}", 1 + 5 * STOPS + n) for n in range(4)]
    return routes, [replace(job, ready_at=None) for job in new], travel, now


def everywhere(
    route: RouteNow, job: JobToPlan, travel: dict[str, TravelMatrix], now: datetime
) -> Iterator[int]:
    route = timed(route, travel, now)
    before, was_s = problems(route), driving_s(route, travel)
    for n in range(route.first_free, len(route.stops) + 1):
        stop = StopNow("", job.place, (job,), Stage.TO_DO, route.leave, route.leave)
        tried = replace(route, stops=(*route.stops[:n], stop, *route.stops[n:]))
        then = timed(tried, travel, now)
        if not worse(problems(then), before):
            earlier_s = max(0, int((route.leave - then.leave).total_seconds()))
            yield driving_s(then, travel) - was_s + earlier_s


@pytest.mark.parametrize(
    "seed", [*range(7), *(pytest.param(n, marks=pytest.mark.soak) for n in range(7, 60))]
)
def test_the_places_offered_are_the_best_of_every_place(seed: int) -> None:
    routes, new, travel, now = a_day_of_routes(seed)
    by_id = {route.id: route for route in routes}
    known = {r.id: ahead(timed(r, travel, now), travel, now, as_judged=True) for r in routes}
    rows = []
    for one in known.values():
        if one is not None:
            vehicle = replace(one.vehicle, per_hour=3600, per_km=0)
            request = requested([replace(one, vehicle=vehicle)], travel)
            rows.append(row_of(Timetable(request), vehicle, one.order))
    places, unknown = QuickPlaces(travel, rows), [id for id, one in known.items() if one is None]
    for job in new:

        def judge(id: str, job: JobToPlan = job) -> Placement:
            return placed(by_id[id], [job], travel, now)

        found = bounds(places, [job])
        found = Bounds({**found.fits, **dict.fromkeys(unknown, 0.0)}, found.others)
        offered = best_routes(found, judge)
        every = {id: list(everywhere(route, job, travel, now)) for id, route in by_id.items()}
        least = sorted(min(costs) for costs in every.values() if costs)[:3]
        fitting = [one.extra_s + one.earlier_s for _, one in offered if not one.problems]
        assert fitting == least
        assert not any(costs for id, costs in every.items() if id in found.others)
        full = sorted(placed(route, [job], travel, now).burden for route in routes)
        assert [one.burden for _, one in offered] == full[:3]
