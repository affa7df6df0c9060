"""The rest of a day is driven in less, and nothing that held before is broken for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from itertools import count

import pytest

from hub.core.fit import RouteNow, Stage, StopNow, timed
from hub.core.plan_request import JobToPlan, TravelMatrix
from hub.core.rest_of_day import MOVE_PRICE_S, Better, Rest, Unit, improved
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


def a_rest(routes: list[RouteNow], units: list[Unit], travel: dict[str, TravelMatrix]) -> Rest:
    """With all of it free to go anywhere."""
    return Rest({r.id: timed(r, travel, EIGHT) for r in routes}, tuple(units), travel, EIGHT)


def after(rest: Rest, better: Better | None) -> list[RouteNow]:
    orders = better.orders if better else {}
    return [rest.laid(id, orders[id]) if id in orders else r for id, r in rest.routes.items()]


@pytest.mark.parametrize("seed", range(6))
def test_less_is_driven_nothing_is_lost_and_nothing_new_is_broken(seed: int) -> None:
    rest = a_rest(*a_day(random.Random(seed)))  # noqa: S311
    before = list(rest.routes.values())
    better = improved(rest, rounds(60), seed=seed)
    assert better is not None
    then = after(rest, better)
    moved = sum(len(jobs_of(b) - jobs_of(a)) for a, b in zip(before, then, strict=True))
    assert moved == better.moved
    assert driving_s(then, rest.travel) == driving_s(before, rest.travel) - better.saved_s
    assert better.worth_s >= better.saved_s - moved * MOVE_PRICE_S
    assert better.worth_s >= 60
    assert sorted(id for route in then for id in jobs_of(route)) == sorted(
        id for route in before for id in jobs_of(route)
    )
    for was, route in zip(before, then, strict=True):
        assert route.stops[0] == was.stops[0]
        assert rest.fresh(route) == ()
        assert timed(route, rest.travel, EIGHT) == route


@pytest.mark.parametrize("seed", range(3))
def test_what_may_not_go_elsewhere_only_changes_its_turn(seed: int) -> None:
    routes, units, travel = a_day(random.Random(seed))  # noqa: S311
    rest = a_rest(routes, units, travel)
    every = frozenset(rest.routes)
    home = {job.id: route.id for route in routes for stop in route.stops for job in stop.jobs}
    rest = replace(rest, barred={id: every - {route} for id, route in home.items()})
    better = improved(rest, rounds(60), seed=seed)
    assert better is not None
    assert [jobs_of(route) for route in after(rest, better)] == [jobs_of(r) for r in routes]
    assert better.saved_s >= 60


def test_a_change_that_saves_less_than_it_is_worth_is_not_made() -> None:
    """Two doors in the wrong order, half a minute longer: nobody is told of that."""
    seconds = [[abs(a - b) * 10 for b in range(4)] for a in range(4)]
    travel = {"car": TravelMatrix(seconds, seconds)}
    routes, _, _ = a_day(random.Random(1))  # noqa: S311
    stops = tuple(
        replace(routes[0].stops[n], place=p, jobs=(replace(routes[0].stops[n].jobs[0], place=p),))
        for n, p in ((0, 1), (1, 3), (2, 2))
    )
    route = replace(routes[0], stops=stops)
    assert improved(a_rest([route], [s.jobs for s in stops[1:]], travel), rounds(60)) is None


def test_a_promise_that_is_missed_is_mended_where_that_can_be_done() -> None:
    """The last door was told a quarter to nine; driven first, everybody is in time."""
    seconds = [[abs(a - b) * 900 for b in range(4)] for a in range(4)]
    travel = {"car": TravelMatrix(seconds, seconds)}
    routes, _, _ = a_day(random.Random(1))  # noqa: S311
    stops = tuple(
        replace(s, place=p, stage=Stage.TO_DO, jobs=(replace(s.jobs[0], place=p, windows=()),))
        for s, p in zip(routes[0].stops[:3], (1, 2, 3), strict=True)
    )
    told = {stops[2].jobs[0].id: between(8, 8.76)}
    route = replace(routes[0], stops=stops, promises=told)
    rest = a_rest([route], [s.jobs for s in stops], travel)
    assert len(rest.waiting) == 1
    better = improved(rest, rounds(60))
    assert better is not None
    assert (better.mended, better.saved_s) == (1, 0)
    [then] = after(rest, better)
    assert then.stops[0].jobs == stops[2].jobs


def test_it_stops_when_told_to_and_keeps_the_best_it_told_of() -> None:
    rest = a_rest(*a_day(random.Random(1)))  # noqa: S311
    assert improved(rest, lambda: 1.0) is None
    heard: list[Better] = []
    best = improved(rest, rounds(60), heard.append)
    assert heard
    assert best == heard[-1]
    assert [one.worth_s for one in heard] == sorted(one.worth_s for one in heard)


def rounds(most: int) -> Callable[[], float]:
    """A clock that ends after so many looks."""
    looks = count()
    return lambda: next(looks) / most
