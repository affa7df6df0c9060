"""The rest of a day is driven in less, and nothing that held before is broken for it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC

import pytest

from hub.core.fit import RouteNow, Stage, StopNow, problems, timed
from hub.core.plan_request import JobToPlan, TravelMatrix
from hub.core.rest_of_day import MOVE_PRICE_S, Unit, fresh_problems, improved_rest, waits
from tests.planning_worlds import EIGHT, a_van, between

ROUTES, STOPS = 4, 8


def a_day(dice: random.Random) -> tuple[list[RouteNow], list[Unit], dict[str, TravelMatrix]]:
    """Routes of work in no good order, the first stop of each done; some windows, some told."""
    spots = [(dice.uniform(0, 20000), dice.uniform(0, 20000)) for _ in range(ROUTES * STOPS + 1)]
    seconds = [[round((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 12) for b in spots] for a in spots]
    routes, units = [], list[Unit]()
    for r in range(ROUTES):
        stops = []
        for n in range(STOPS):
            id, place = f"{r}.{n}", 1 + r * STOPS + n
            opens = 8 + n / 2
            windows = (between(opens, opens + 3),) if dice.random() < 0.4 else ()
            job = JobToPlan(
                id=id,
                place=place,
                service_s=120,
                load={"g": dice.randint(1, 5)},
                load_direction="collect",
                windows=windows,
            )
            stage = Stage.DONE if n == 0 else Stage.TO_DO
            stops.append(StopNow(f"s{id}", place, (job,), stage, EIGHT, EIGHT, n + 1))
            if n:
                units.append((job,))
        van = a_van(f"v{r}", capacity={"g": 40}, shift=between(8, 17))
        route = RouteNow(f"r{r}", "Van", f"D{r}", van, tuple(stops), EIGHT, EIGHT, {}, UTC)
        routes.append(route)
    travel = {"car": TravelMatrix(seconds, seconds)}
    routes = [timed(route, travel, EIGHT) for route in routes]
    told = {
        stop.jobs[0].id: between(8, 12)
        for route in routes
        for stop in route.stops[1:]
        if dice.random() < 0.3
    }
    return [route.keeping(told) for route in routes], units, travel


def driving_s(
    routes: list[RouteNow] | tuple[RouteNow, ...], travel: dict[str, TravelMatrix]
) -> int:
    seconds = travel["car"].seconds
    return sum(
        seconds[a][b] for route in routes for a, b in zip(route.way, route.way[1:], strict=False)
    )


def jobs_of(route: RouteNow) -> set[str]:
    return {job.id for stop in route.stops for job in stop.jobs}


@pytest.mark.parametrize("seed", range(6))
def test_less_is_driven_nothing_is_lost_and_nothing_new_is_broken(seed: int) -> None:
    routes, units, travel = a_day(random.Random(seed))  # noqa: S311
    before = [timed(route, travel, EIGHT) for route in routes]
    after = improved_rest(routes, units, travel, EIGHT, may_go=lambda unit, to: True)
    moved = sum(len(jobs_of(b) - jobs_of(a)) for a, b in zip(before, after, strict=True))
    assert driving_s(after, travel) + moved * MOVE_PRICE_S < driving_s(before, travel)
    assert sorted(id for route in after for id in jobs_of(route)) == sorted(
        id for route in before for id in jobs_of(route)
    )
    for was, route in zip(before, after, strict=True):
        assert route.stops[0] == was.stops[0]
        assert fresh_problems(route, was, waits(before)) == ()
        assert timed(route, travel, EIGHT) == route


@pytest.mark.parametrize("seed", range(3))
def test_what_may_not_go_elsewhere_only_changes_its_turn(seed: int) -> None:
    routes, units, travel = a_day(random.Random(seed))  # noqa: S311
    after = improved_rest(routes, units, travel, EIGHT, may_go=lambda unit, to: False)
    assert [jobs_of(route) for route in after] == [jobs_of(route) for route in routes]
    assert driving_s(after, travel) < driving_s(routes, travel)


def test_a_change_that_saves_less_than_it_is_worth_is_not_made() -> None:
    """Two doors in the wrong order, half a minute longer: nobody is told of that."""
    seconds = [[abs(a - b) * 10 for b in range(4)] for a in range(4)]
    travel = {"car": TravelMatrix(seconds, seconds)}
    routes, units, _ = a_day(random.Random(1))  # noqa: S311
    stops = tuple(
        replace(routes[0].stops[n], place=p, jobs=(replace(routes[0].stops[n].jobs[0], place=p),))
        for n, p in ((0, 1), (1, 3), (2, 2))
    )
    route = replace(routes[0], stops=stops)
    own = [stop.jobs for stop in stops[1:]]
    [after] = improved_rest([route], own, travel, EIGHT, may_go=lambda unit, to: True)
    assert after == timed(route, travel, EIGHT)
    assert problems(after) == problems(timed(route, travel, EIGHT))


def test_it_stops_when_told_to() -> None:
    routes, units, travel = a_day(random.Random(1))  # noqa: S311
    after = improved_rest(
        routes, units, travel, EIGHT, may_go=lambda unit, to: True, is_over=lambda: True
    )
    assert list(after) == [timed(route, travel, EIGHT) for route in routes]
