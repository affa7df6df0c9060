"""The best three places of a day are those that a look at every place finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from math import inf

import pytest

from hub.core.ad_hoc import row_of
from hub.core.fit import Placement, RouteNow, Stage, StopNow, placed, problems, timed, worse
from hub.core.offering import Bounds, best_routes, bounds
from hub.core.plan_request import JobToPlan, TravelMatrix
from hub.core.quick_places import QuickPlaces
from hub.core.rest_request import ahead, requested
from hub.core.schedule import Timetable
from tests.planning_worlds import EIGHT, a_van, between

ROUTES, STOPS = 7, 6
NOW = EIGHT + timedelta(minutes=50)


def a_day(seed: int) -> tuple[list[RouteNow], list[JobToPlan], dict[str, TravelMatrix]]:
    """Routes at home and under way, some too late or too full already; and jobs that come in."""
    dice = random.Random(seed)  # noqa: S311
    size = 1 + ROUTES * STOPS + 6
    spots = [(dice.uniform(0, 16000), dice.uniform(0, 16000)) for _ in range(size)]
    seconds = [[round((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 10) for b in spots] for a in spots]
    travel = {"car": TravelMatrix(seconds, seconds)}
    routes = [_a_route(dice, r, travel) for r in range(ROUTES)]
    new = [_a_job(dice, f"new{n}", 1 + ROUTES * STOPS + n) for n in range(6)]
    return routes, new, travel


def _a_job(dice: random.Random, id: str, place: int) -> JobToPlan:
    opens = dice.uniform(8, 13)
    return JobToPlan(
        id=id,
        place=place,
        service_s=dice.choice((120, 600)),
        load={"g": dice.randint(1, 6)},
        load_direction=dice.choice(("deliver", "collect", "none")),
        windows=(between(opens, opens + dice.uniform(0.3, 3)),) if dice.random() < 0.5 else (),
        skills=frozenset({"lift"}) if dice.random() < 0.2 else frozenset(),
    )


def _a_route(dice: random.Random, r: int, travel: dict[str, TravelMatrix]) -> RouteNow:
    gone = dice.choice((0, 0, 2))
    stages = [Stage.DONE, Stage.HEADED_FOR][:gone] + [Stage.TO_DO] * (STOPS - gone)
    stops = []
    for n, stage in enumerate(stages):
        job = _a_job(dice, f"{r}.{n}", 1 + r * STOPS + n)
        stops.append(StopNow(f"s{job.id}", job.place, (job,), stage, EIGHT, EIGHT, n + 1))
    van = a_van(
        f"v{r}",
        capacity={"g": dice.randint(12, 30)},
        offers=frozenset({"lift"}) if dice.random() < 0.5 else frozenset(),
        shift=between(8, dice.choice((12, 14, 17))),
        end=dice.choice((0, 0, None)),
    )
    leave = EIGHT if gone else EIGHT + timedelta(hours=dice.choice((0, 1, 2)))
    route = RouteNow(f"r{r}", "Van", f"D{r}", van, tuple(stops), leave, leave, {}, UTC)
    told = {
        stop.jobs[0].id: between(start, start + 1)
        for stop in timed(route, travel, NOW).stops
        if dice.random() < 0.4
        for start in [dice.uniform(8, 12)]
    }
    return route.keeping(told)


def index(routes: list[RouteNow], travel: dict[str, TravelMatrix]) -> tuple[QuickPlaces, set[str]]:
    """Those it knows, and those in an order that nobody could do."""
    found = {r.id: ahead(timed(r, travel, NOW), travel, NOW, as_judged=True) for r in routes}
    rows = []
    for one in found.values():
        if one is not None:
            vehicle = replace(one.vehicle, per_hour=3600, per_km=0)
            request = requested([replace(one, vehicle=vehicle)], travel)
            rows.append(row_of(Timetable(request), vehicle, one.order))
    return QuickPlaces(travel, rows), {id for id, one in found.items() if one is None}


def everywhere(route: RouteNow, job: JobToPlan, travel: dict[str, TravelMatrix]) -> Iterator[int]:
    """What the work adds at each place of a route where it breaks nothing."""
    seconds = travel["car"].seconds
    route = timed(route, travel, NOW)
    before = problems(route)
    way_s = sum(seconds[a][b] for a, b in zip(route.way, route.way[1:], strict=False))
    for n in range(route.first_free, len(route.stops) + 1):
        stop = StopNow("", job.place, (job,), Stage.TO_DO, route.leave, route.leave)
        tried = replace(route, stops=(*route.stops[:n], stop, *route.stops[n:]))
        then = timed(tried, travel, NOW)
        if not worse(problems(then), before):
            is_s = sum(seconds[a][b] for a, b in zip(then.way, then.way[1:], strict=False))
            yield is_s - way_s + max(0, int((route.leave - then.leave).total_seconds()))


@pytest.mark.parametrize(
    "seed", [*range(9), *(pytest.param(n, marks=pytest.mark.soak) for n in range(9, 200))]
)
def test_the_three_offered_are_the_best_three_of_every_place(seed: int) -> None:
    routes, new, travel = a_day(seed)
    by_id = {route.id: route for route in routes}
    places, unknown = index(routes, travel)
    for job in new:
        judged: list[str] = []

        def judge(id: str, job: JobToPlan = job, judged: list[str] = judged) -> Placement:
            judged.append(id)
            return placed(by_id[id], [job], travel, NOW)

        found = bounds(places, [job])
        found = Bounds({**found.fits, **dict.fromkeys(unknown, -inf)}, found.others)
        offered = best_routes(found, judge)
        every = {id: list(everywhere(route, job, travel)) for id, route in by_id.items()}
        least = sorted(min(costs) for costs in every.values() if costs)[:3]
        fitting = [one.extra_s + one.earlier_s for _, one in offered if not one.problems]
        assert fitting == least
        assert not any(costs for id, costs in every.items() if id in found.others)
        # The same as judging every route in full.
        full = sorted(placed(route, [job], travel, NOW).burden for route in routes)
        assert [one.burden for _, one in offered] == full[:3]
        assert len(judged) == len(set(judged))


def test_routes_that_cannot_be_among_the_best_are_not_judged() -> None:
    routes, new, travel = a_day(3)
    places, _ = index(routes, travel)
    judged: list[str] = []
    by_id = {route.id: route for route in routes}
    for job in new:
        plain = replace(job, windows=(), skills=frozenset(), load_direction="none")

        def judge(id: str, job: JobToPlan = plain) -> Placement:
            judged.append(id)
            return placed(by_id[id], [job], travel, NOW)

        best_routes(bounds(places, [plain]), judge)
    assert len(judged) < len(new) * len(routes)
