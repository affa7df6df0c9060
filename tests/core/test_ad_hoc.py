"""The quick index of places against the judgement of every place, on many days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from hub.core.ad_hoc import AdHoc, units
from hub.core.improve import Stability, improve
from hub.core.insertion import Draft
from hub.core.plan_request import JobToPlan, PlanRequest
from hub.core.planning import Timetable, completed, violations
from hub.core.values import TimeWindow
from hub.testing.days import a_bakery_day, a_van, any_day, at, between


def plain(request: PlanRequest) -> PlanRequest:
    """The day without what the index only guesses at."""
    vehicles = tuple(replace(v, breaks=(), max_duration_s=None) for v in request.vehicles)
    jobs = tuple(replace(j, max_on_board_s=None, ready_at=None) for j in request.jobs)
    return replace(request, vehicles=vehicles, jobs=jobs)


def overlapping(request: PlanRequest) -> PlanRequest:
    """The day with a window more for each job: of an hour, inside the one there is."""

    def within(window: TimeWindow) -> TimeWindow:
        opens = window.opens + (window.closes - window.opens) / 4
        return TimeWindow(opens, min(window.closes, opens + timedelta(hours=1)))

    jobs = (replace(j, windows=(*map(within, j.windows[:1]), *j.windows)) for j in request.jobs)
    return replace(request, jobs=tuple(jobs))


@pytest.mark.parametrize("seed", range(40))
def test_a_job_taken_off_is_offered_exactly_the_lawful_places(seed: int) -> None:
    assert_offered_exactly_the_lawful_places(plain(any_day(seed, jobs=16)))


@pytest.mark.parametrize("seed", range(8))
def test_so_it_is_where_one_window_lies_within_another(seed: int) -> None:
    assert_offered_exactly_the_lawful_places(overlapping(plain(any_day(seed, jobs=16))))


def assert_offered_exactly_the_lawful_places(request: PlanRequest) -> None:
    desk, orders = served(request)
    timetable = desk.timetable
    places = 0
    for unit in units(timetable.jobs, [id for order in orders.values() for id in order]):
        vehicle = next(v for v, order in desk.orders.items() if unit[0] in order)
        before = desk.orders[vehicle], desk.trips[vehicle]
        if not desk.without(vehicle, frozenset(unit)):
            continue
        draft = Draft(timetable)
        draft.follow(desk.orders)
        lawful = {(p.vehicle, p.order) for p in draft.placements(unit)}
        judged = [desk.judged(unit, spot) for spot in desk.spots(unit, 10_000)]
        assert {(o.vehicle_id, o.order) for o in judged if o is not None} == lawful
        if len(unit) == 1:
            assert None not in judged
        places += len(lawful)
        desk.restore(vehicle, *before)
    assert places


def test_a_window_within_another_does_not_end_the_longer_one() -> None:
    """The shorter one opens later and closes sooner; place 9 is reached at 9:30."""
    long, short = between(7, 12), between(8.5, 9)
    request = a_bakery_day((JobToPlan(id="j", place=9, windows=(long, short)),))
    desk = AdHoc(Timetable(request), {})
    assert [offer.order for offer in desk.offers(("j",))] == [("j",)]


def test_what_is_loaded_later_does_not_keep_the_van_at_home_if_it_may_come_back() -> None:
    """Goods for the afternoon; a job in the morning fits before they are fetched."""
    van = a_van(reload_at=(0,), max_reloads=1)
    jobs = (
        JobToPlan(id="later", place=2, ready_at=at(14)),
        JobToPlan(id="early", place=1, windows=(between(8, 9),)),
    )
    desk = AdHoc(Timetable(a_bakery_day(jobs, (van,))), {"van": ("later",)})
    assert [offer.order for offer in desk.offers(("early",))] == [("early", "later")]


@pytest.mark.parametrize("seed", range(12))
def test_improving_moves_only_what_may_move_and_never_costs_more(seed: int) -> None:
    request = any_day(seed, jobs=16)
    desk, orders = served(request)
    free = [id for v, o in orders.items() for id in o if id not in request.fixed.get(v, ())]
    movable, cost = free[::2], desk.cost
    saved = improve(desk, movable, rounds(40), seed=seed)
    assert desk.cost == cost - saved
    assert saved >= 0
    still = {id: v for v, order in desk.orders.items() for id in order}
    assert all(
        still[id] == v
        for v, order in orders.items()
        for id in order
        if id not in together(request, movable)
    )
    plan = completed(request, desk.orders)
    assert not violations(request, plan)
    assert plan.unassigned.keys() == completed(request, orders).unassigned.keys()


def test_a_price_on_moving_keeps_drivers() -> None:
    moves = []
    for price in (0, 10**9):
        request = any_day(3, jobs=16)
        desk, orders = served(request)
        home = {id: v for v, order in orders.items() for id in order}
        improve(desk, list(home), rounds(60), stability=Stability(home, price), seed=1)
        moves.append(sum(home[id] != v for v, order in desk.orders.items() for id in order))
    assert moves[0] > 0
    assert moves[1] == 0


def test_offers_are_the_cheapest_three_and_a_dear_vehicle_comes_last() -> None:
    request = a_bakery_day(
        tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 8)),
        (a_van("near"), a_van("far"), a_van("spare")),
    )
    desk = AdHoc(Timetable(request), {"near": ["j1", "j2", "j4"], "far": ["j6", "j7"], "spare": []})
    first, second, third = desk.offers(("j3",))
    # On the street to j4 anyway, and j6; a third place on one of the two routes costs no more.
    assert first.added_cost == second.added_cost == 0
    assert third.added_cost >= 0
    assert first.order in {("j1", "j2", "j3", "j4"), ("j3", "j6", "j7")}
    dear = desk.offers(("j3",), dearer={"near": 10_000.0})
    assert dear[0].vehicle_id == "far"
    desk.take(dear[0])
    assert "j3" in desk.orders["far"]


def served(request: PlanRequest) -> tuple[AdHoc, dict[str, list[str]]]:
    made = completed(request, {})
    orders = {v: [visit.job_id for visit in visits] for v, visits in made.routes.items()}
    return AdHoc(Timetable(request), orders), orders


def together(request: PlanRequest, ids: list[str]) -> set[str]:
    """``ids`` and the other halves of their pairs."""
    jobs = {job.id: job for job in request.jobs}
    return {*ids, *(other for id in ids if (other := jobs[id].pair_with))}


def rounds(most: int) -> Callable[[], float]:
    """A clock that ends after so many looks."""
    looks = count()
    return lambda: next(looks) / most
