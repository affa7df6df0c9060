"""How a run of PyVRP begins: what lateness costs it at first, and whether all jobs must fit."""

import random
from dataclasses import replace

import numpy as np

from hub import ArrayTravel, JobToPlan, PlanRequest, Point
from hub.plugins.routing_pyvrp.model import Model
from hub.plugins.routing_pyvrp.penalties import LATE, MOST, at_first
from hub.plugins.routing_pyvrp.search import Limit, Task, Watch, improved, run
from tests.planning_worlds import a_van, any_day, between

A_SECOND = 1800  # of driving, at 3,600 cents an hour: PyVRP's units in a cent


def a_day(seed: int, jobs: int = 100, kg: int = 300, **prices: int) -> PlanRequest:
    """Doors about a town of twelve kilometres, half of them in windows of two hours."""
    dice = random.Random(seed)
    spots = [(6_000.0, 6_000.0)]
    spots += [(dice.uniform(0, 12_000), dice.uniform(0, 12_000)) for _ in range(jobs)]
    at = np.array(spots)
    metres = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)).astype(np.int32)
    opens = [dice.randint(8, 14) if n % 2 else None for n in range(jobs)]
    return PlanRequest(
        places=tuple(Point(60 + y / 111_000, 24 + x / 55_000) for x, y in spots),
        travel={"car": ArrayTravel(metres // 8, metres)},
        jobs=tuple(
            JobToPlan(
                id=f"j{n}",
                place=n + 1,
                service_s=180,
                load={"kg": dice.randint(1, 20)},
                windows=() if open_at is None else (between(open_at, open_at + 2),),
            )
            for n, open_at in enumerate(opens)
        ),
        vehicles=tuple(a_van(f"v{n}", capacity={"kg": kg}, **prices) for n in range(12)),
        time_limit_s=1,
        seed=seed,
    )


class Judged(Watch):
    """What a minute of lateness costs at a run's first steps."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit, lambda: False)
        self.late: list[int] = []

    def on_iteration(self, current, candidate, best, cost_evaluator) -> None:
        self.late.append(cost_evaluator.tw_penalty(60))


def a_minute_late(request: PlanRequest, *, is_of_large: bool = True) -> set[int]:
    limit = Limit(60, iterations=10)
    watch = Judged(limit)
    task = Task(request, limit, 1, is_of_large=is_of_large)
    run(Model(request, all_fit=True), task, watch)
    return set(watch.late)


def test_a_large_day_of_long_routes_begins_with_lateness_as_dear_as_some_minutes_of_driving():
    """From PyVRP's own beginning it was as dear as days of it, until 80,000 steps had been made."""
    request = a_day(0, jobs=160, kg=3000, per_km=0, per_hour=3600)
    assert a_minute_late(request) == {LATE * 60 * A_SECOND}


def test_other_runs_hardly_take_any_lateness_at_first():
    short = a_day(0, jobs=160, per_km=0, per_hour=3600)
    assert min(a_minute_late(short)) > 60 * MOST * 0.4
    small = a_day(0, jobs=160, kg=3000, per_km=0, per_hour=3600)
    assert min(a_minute_late(small, is_of_large=False)) > 60 * MOST * 0.4


def test_a_day_of_dearer_roads_begins_with_dearer_lateness():
    cheap = at_first(Model(a_day(1, per_km=30, per_hour=0), all_fit=True).data)
    dear = at_first(Model(a_day(1, per_km=300, per_hour=0), all_fit=True).data)
    assert dear[1] / cheap[1] == 10
    assert all(more == 10 * less for more, less in zip(dear[0], cheap[0], strict=True))


def test_a_second_late_costs_so_many_seconds_of_driving():
    request = a_day(2, per_km=0, per_hour=3600)
    loads, late, far = at_first(Model(request, all_fit=True).data)
    assert late == LATE * A_SECOND
    assert min([*loads, far]) > 0


def test_a_day_that_costs_nothing_can_be_searched():
    request = a_day(3, per_km=0, per_hour=0, fixed_cost=0)
    loads, late, far = at_first(Model(request, all_fit=True).data)
    assert min([*loads, late, far]) > 0


def test_a_day_without_loads_can_be_searched():
    request = a_day(0, jobs=20)
    vans = tuple(replace(van, capacity={}) for van in request.vehicles)
    loads, late, _ = at_first(Model(replace(request, vehicles=vans), all_fit=True).data)
    assert loads == []
    assert late > 0


def test_where_all_jobs_fit_a_search_from_nothing_is_one_run():
    request, steps = a_day(0), 60
    found = improved(Task(request, Limit(60, iterations=steps), 1), lambda: False)
    assert found.is_lawful
    assert found.iterations == steps
    assert sum(map(len, found.orders.values())) == len(request.jobs)


def test_where_they_do_not_fit_it_is_searched_again_and_leaves_some_out():
    request, steps = any_day(1, jobs=40, hard=False), 60
    found = improved(Task(request, Limit(60, iterations=steps), 1), lambda: False)
    assert found.is_lawful
    assert found.iterations == 2 * steps
    assert 0 < sum(map(len, found.orders.values())) < len(request.jobs)


def test_a_search_that_is_stopped_is_not_begun_again():
    request = any_day(1, jobs=40, hard=False)
    found = improved(Task(request, Limit(60), 1), lambda: True)
    assert found.cpu_s < 30
