"""Where more work goes on a route: a quick look finds what looking everywhere finds."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement, pairwise

import pytest

from hub.core import fit
from hub.core.fit import Placement, RouteNow, Stage, StopNow, placed, timed
from hub.core.plan_request import JobToPlan, KeepsTo, TravelMatrix
from hub.core.values import TimeWindow
from tests.planning_worlds import EIGHT, a_van, at, between


def a_round(dice: random.Random, stops: int, minutes: float = 8) -> tuple[RouteNow, TravelMatrix]:
    """A van that fetches and brings, with some windows it can keep; ``stops`` + 4 places."""
    spots = [(dice.uniform(0, 9000), dice.uniform(0, 9000)) for _ in range(stops + 4)]
    seconds = [[round((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 12) for b in spots] for a in spots]
    made = []
    for n in range(stops):
        opens = 8 + n * minutes / 60
        windows = (between(opens - 1, opens + dice.choice((1, 2))),) if dice.random() < 0.3 else ()
        job = JobToPlan(
            id=f"j{n}",
            place=n + 1,
            service_s=60,
            load={"g": dice.randint(1, 9)},
            load_direction=dice.choice(("deliver", "collect")),
            windows=windows,
        )
        stage = Stage.DONE if n < stops // 9 else Stage.TO_DO
        made.append(StopNow(f"s{n}", job.place, (job,), stage, EIGHT, EIGHT, n + 1))
    van = a_van(capacity={"g": stops * 3}, shift=between(8, 8 + stops * 0.25))
    route = RouteNow("r", "Van", "Mara", van, tuple(made), EIGHT, EIGHT, {}, UTC)
    return timed(route, {"car": TravelMatrix(seconds, seconds)}, EIGHT), TravelMatrix(
        seconds, seconds
    )


def everywhere(
    route: RouteNow, legs: list[JobToPlan], travel: dict[str, TravelMatrix], now: datetime
) -> Placement:
    """The best of all places, each judged in full."""
    before, driven = fit.problems(route), fit.driving_s(route, travel)
    tried = []
    for places in combinations_with_replacement(
        range(route.first_free, len(route.stops) + 1), len(legs)
    ):
        after = timed(fit.inserted(route, legs, places), travel, now)
        broken = fit.worse(fit.problems(after), before)
        tried.append(Placement(after, 0, fit.driving_s(after, travel) - driven, broken))
    return min(tried, key=lambda one: one.burden)


def new_work(dice: random.Random, kind: str, stops: int) -> list[JobToPlan]:
    opens = dice.uniform(8, 8 + stops / 8)
    window = (between(opens, opens + 0.5),) if dice.random() < 0.6 else ()
    one = JobToPlan(
        id="new",
        place=stops + 1,
        service_s=120,
        load={"g": dice.randint(1, stops)},
        load_direction=dice.choice(("deliver", "collect", "none")),
        windows=window,
    )
    if kind == "one":
        return [one]
    fetch = replace(one, pair_with="then", leg="collect", load_direction="deliver")
    bring = replace(fetch, id="then", place=stops + 2, pair_with="new", leg="deliver", windows=())
    return [fetch, bring]


def test_a_door_passed_by_is_not_timed_in_the_past() -> None:
    """Who drives to the second door first still has the first to do, from now on."""
    route, travel = a_round(random.Random(1), 3)  # noqa: S311
    first, second, third = route.stops
    under_way = replace(route, stops=(replace(second, stage=Stage.HEADED_FOR), first, third))
    now = EIGHT + timedelta(hours=2)
    after = timed(under_way, {"car": travel}, now)
    assert after.leave == route.leave
    assert all(stop.arrive >= now for stop in after.stops if not stop.under_way)


def test_an_idle_van_leaves_earlier_for_who_was_promised_a_time() -> None:
    """Promised 09:25 to 09:45, moved to a driver with nothing to do: "10:00, 15 min late"."""
    travel = TravelMatrix([[0] * 3] * 3, [[0] * 3] * 3)
    van = a_van(shift=between(8, 17))
    idle = RouteNow("r", "Van", "Tuomas", van, (), at(10), at(10), {}, UTC)
    [job] = new_work(random.Random(1), "one", 1)  # noqa: S311
    job = replace(job, windows=(between(8.5, 10),), load={})
    told = between(9.4, 9.75)
    found = placed(idle.keeping({job.id: told}), [job], {"car": travel}, EIGHT)
    assert found.problems == ()
    assert told.opens <= found.times.begins_at <= told.closes


def test_two_stops_at_one_door_stay_two_when_what_was_between_them_is_done() -> None:
    """They were laid together by whatever came on the route next, and one lost its jobs."""
    route, matrix = a_round(random.Random(1), 3)  # noqa: S311
    first, second, third = route.stops
    stops = (replace(second, stage=Stage.DONE), first, replace(third, place=first.place))
    new = new_work(random.Random(1), "one", 3)  # noqa: S311
    after = placed(replace(route, stops=stops), new, {"car": matrix}, EIGHT).route
    assert {"s0", "s1", "s2"} <= {stop.id for stop in after.stops}


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_done_out_of_turn_the_rest_is_driven_one_after_another(seed: int) -> None:
    """Doors passed by were timed as if they cost nothing, and the van was home before them."""
    dice = random.Random(seed)  # noqa: S311
    route, matrix = a_round(dice, 9)
    farthest = dice.randint(1, 8)
    stages = [dice.choice((Stage.DONE, Stage.SKIPPED, Stage.TO_DO)) for _ in range(farthest)]
    stages += [dice.choice((Stage.DONE, Stage.THERE, Stage.HEADED_FOR, Stage.SKIPPED)), Stage.TO_DO]
    mixed = [replace(stop, stage=stage) for stop, stage in zip(route.stops, stages, strict=False)]
    mixed += route.stops[len(mixed) :]
    now, travel = at(8 + dice.random() * 2), {"car": matrix}
    route = replace(route, stops=tuple(sorted(mixed, key=lambda one: one.stage)))
    assert [stop.n for stop in route.listed] == list(range(1, 10))
    found = placed(route, new_work(dice, "one", 9), travel, now)
    after = found.route
    to_do = after.stops[after.first_free :]
    assert any(job.id == "new" for job in after.listed[found.position - 1].jobs)
    assert all(after.listed[one.n - 1] == one for one in mixed if one.stage is Stage.DONE)
    for before, stop in pairwise(to_do):
        assert before.depart + timedelta(seconds=matrix.seconds[before.place][stop.place]) == (
            stop.arrive
        )
    assert now <= to_do[0].arrive and to_do[-1].depart <= after.home


@pytest.mark.parametrize("kind", ["one", "pair"])
@pytest.mark.parametrize(
    "seed", [*range(10), *(pytest.param(n, marks=pytest.mark.soak) for n in range(10, 25))]
)
def test_the_quick_look_finds_a_place_as_good_as_looking_everywhere(kind: str, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    stops = 26
    route, matrix = a_round(dice, stops)
    legs, travel, now = new_work(dice, kind, stops), {"car": matrix}, at(8.2)
    route = timed(route, travel, now)
    best, found = everywhere(route, legs, travel, now), placed(route, legs, travel, now)
    assert len(found.problems) == len(best.problems)
    assert sum(p.amount for p in found.problems) <= sum(p.amount for p in best.problems) * 1.05
    if not best.problems:
        assert found.extra_s == best.extra_s


@pytest.mark.parametrize("kind", ["one", "pair"])
def test_a_long_route_is_judged_at_a_few_places_and_not_at_each(kind: str) -> None:
    """Two routes of 300 stops took more than 100 s: everything was worked out for each place."""
    dice = random.Random(1)  # noqa: S311
    route, matrix = a_round(dice, 300)
    legs = new_work(dice, kind, 300)
    began = time.process_time()
    placed(route, legs, {"car": matrix}, EIGHT)
    assert time.process_time() - began < 2  # measured: 0.3 s
    assert route.stops[0].arrive < route.stops[-1].arrive < EIGHT + timedelta(days=2)


def test_the_only_place_that_keeps_a_window_is_found_however_dear_it_is() -> None:
    dice = random.Random(3)  # noqa: S311
    route, matrix = a_round(dice, 60, minutes=6)
    free = [replace(s, jobs=tuple(replace(j, windows=()) for j in s.jobs)) for s in route.stops]
    travel = {"car": matrix}
    route = timed(replace(route, stops=tuple(free)), travel, EIGHT)
    home = TimeWindow(EIGHT, route.home + timedelta(minutes=40))  # no time to wait for it
    route = replace(route, vehicle=replace(route.vehicle, shift=home))
    then = route.stops[45].arrive
    job = JobToPlan(id="new", place=61, windows=(TimeWindow(then, then + timedelta(minutes=9)),))
    found = placed(route, [job], travel, EIGHT)
    assert found.problems == ()
    assert abs(found.position - 46) <= 6


def a_small_round(*jobs: JobToPlan, **van: object) -> RouteNow:
    stops = tuple(
        StopNow(f"s{n}", job.place, (job,), Stage.TO_DO, EIGHT, EIGHT, n)
        for n, job in enumerate(jobs, 1)
    )
    numbers = {job.id: job.id for job in jobs}
    made = a_van(shift=between(8, 16), **van)
    return RouteNow("r", "Van", "Mara", made, stops, EIGHT, EIGHT, numbers, UTC)


def test_a_job_outside_the_zones_of_its_driver_is_told() -> None:
    jobs = [JobToPlan(id=id, place=1, zones=frozenset({id})) for id in ("north", "south")]
    route = a_small_round(*jobs, keeps_to=(KeepsTo(frozenset({"north"})),))
    [problem] = fit.problems(route)
    assert problem.said == "Order south lies outside the zones of Mara."
    priced = replace(route.vehicle, keeps_to=(KeepsTo(frozenset({"north"}), 300),))
    assert fit.problems(replace(route, vehicle=priced)) == ()


def test_goods_that_would_share_a_load_are_told_and_two_loads_keep_them_apart() -> None:
    fish = JobToPlan(id="1", place=1, goods=frozenset({"raw fish"}))
    bread = JobToPlan(id="2", place=1, goods=frozenset({"bread"}))
    apart = frozenset({("bread", "raw fish")})
    [problem] = fit.problems(replace(a_small_round(fish, bread), apart=apart))
    assert problem.said == "Bread and raw fish would ride together: order 2 and order 1."
    again = JobToPlan(id="again", place=0, load_direction="collect")
    later = replace(bread, pair_with="again")
    assert fit.problems(replace(a_small_round(fish, again, later), apart=apart)) == ()


def test_jobs_that_no_vehicle_takes_both_are_told_also_where_one_is_done() -> None:
    acid, bread = JobToPlan(id="2", place=1), JobToPlan(id="1", place=2)
    route = a_small_round(acid, bread).parting([("1", "2")])
    [problem] = fit.problems(route)
    assert problem.said == "Order 1 and order 2 are to be kept apart: no vehicle may take both."
    first, second = route.stops
    done = replace(route, stops=(replace(first, stage=Stage.DONE), second))
    assert [one.said for one in fit.problems(done)] == [problem.said]
    passed_by = replace(route, stops=(replace(first, stage=Stage.SKIPPED), second))
    assert fit.problems(passed_by) == ()


def test_too_much_on_board_long_ago_does_not_excuse_too_much_later_on() -> None:
    """A collection went where it made the van too full again, for it had been so before."""
    brought = JobToPlan(id="brought", place=1, load={"g": 6})
    still = JobToPlan(id="still", place=2, load={"g": 4})
    route = a_small_round(brought, still)
    route = replace(route, vehicle=replace(route.vehicle, capacity={"g": 8}))
    first, second = route.stops
    route = replace(route, stops=(replace(first, stage=Stage.DONE), second))
    assert fit.problems(route) == ()  # with 4 of 8
    more = JobToPlan(id="more", place=2, load={"g": 6}, load_direction="collect")
    [problem] = fit.worse(fit.problems(fit.inserted(route, [more], (1,))), fit.problems(route))
    assert (problem.kind, problem.amount) == ("load", 2)
