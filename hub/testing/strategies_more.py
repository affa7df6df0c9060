"""What fewer fleets ask of a routing strategy, each on a day where not caring would cost less."""

from __future__ import annotations

from dataclasses import replace

from hub import JobToPlan, Need, Pace, RoutingStrategy, Wish
from hub.testing.days import a_bakery_day, a_street, a_van, at, between
from hub.testing.plans_demanded import demanded, needs, order, where

NEAR = a_van("near", start=2, end=2, fixed_cost=5000)  # dearer than the way from the bakery
DEAR = 200_000


class WhatFewerFleetsAsk:
    """Inherited by ``RoutingStrategyConformance``."""

    @needs(Need.CAPACITY, Need.RELOADS)
    def test_a_van_that_is_too_small_comes_back_and_loads_again(
        self, plans: RoutingStrategy
    ) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n, load={"g": 6}) for n in (1, 2, 3))
        van = a_van(capacity={"g": 6}, reload_at=(0,), max_reloads=2, reload_s=600)
        plan = demanded(plans, a_bakery_day(jobs, (van,)))
        found = [(one.after_visits, one.place) for one in plan.reloads["van"]]
        assert found == [(1, 0), (2, 0)], f"Each of three jobs fills the van; reloads: {found}."

    @needs(Need.NEVER_TOGETHER, Need.COSTS)
    def test_what_must_not_ride_together_rides_apart(self, plans: RoutingStrategy) -> None:
        jobs = (
            JobToPlan(id="a", place=1, goods=frozenset({"fish"})),
            JobToPlan(id="b", place=2, goods=frozenset({"bleach"})),
            JobToPlan(id="c", place=3),
        )
        vans = (a_van(), a_van("spare", fixed_cost=9000))
        never = frozenset({("bleach", "fish"), ("a", "c")})
        plan = demanded(plans, a_bakery_day(jobs, vans, never_together=never))
        found = [where(plan, id) for id in ("a", "b", "c")]
        assert found[0] != found[1], "Fish and bleach must not be on one trip."
        assert found[0] != found[2], "One vehicle must not do both a and c."

    @needs(Need.WISHES)
    def test_a_wish_is_met_where_missing_it_costs_more(self, plans: RoutingStrategy) -> None:
        wish = Wish(between(12, 13), early_per_hour=9000, late_per_hour=9000)
        jobs = (JobToPlan(id="noon", place=1, wishes=(wish,)), JobToPlan(id="any", place=2))
        plan = demanded(plans, a_bakery_day(jobs))
        visit = next(visit for visit in plan.routes["van"] if visit.job_id == "noon")
        assert at(12) <= visit.start <= at(13), f"It is wanted at noon, not {visit.start:%H:%M}."

    @needs(Need.BALANCE)
    def test_work_is_spread_where_uneven_days_cost_more(self, plans: RoutingStrategy) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n, service_s=3600) for n in (1, 2, 3, 4))
        request = a_bakery_day(jobs, (a_van("a"), a_van("b")), uneven_per_hour=DEAR)
        plan = demanded(plans, request)
        shared = [len(plan.routes.get(id, ())) for id in ("a", "b")]
        assert shared == [2, 2], f"Four jobs of an hour are two each; they have {shared}."

    @needs(Need.WANTED_VEHICLE, Need.COSTS)
    def test_the_driver_they_know_comes_where_another_costs_more(
        self, plans: RoutingStrategy
    ) -> None:
        jobs = (
            JobToPlan(id="new", place=1),
            JobToPlan(id="known", place=2, wanted_vehicle="b", other_vehicle_cost=DEAR),
        )
        plan = demanded(plans, a_bakery_day(jobs, (a_van("a"), a_van("b", fixed_cost=9000))))
        assert where(plan, "known") == "b", "Any other driver costs more than b's day."

    @needs(Need.WANTED_VEHICLE, Need.COSTS)
    def test_who_costs_more_at_a_door_stays_away_where_that_is_dear(
        self, plans: RoutingStrategy
    ) -> None:
        jobs = (
            JobToPlan(id="here", place=1),
            JobToPlan(id="outside", place=2, vehicle_costs={"a": DEAR}),
        )
        plan = demanded(plans, a_bakery_day(jobs, (a_van("a"), a_van("b", fixed_cost=9000))))
        assert where(plan, "outside") == "b", "It costs more with a than b's day."

    @needs(Need.KNOWN_ORDER, Need.OPEN_END)
    def test_a_known_order_stays_where_changing_it_costs_more(self, plans: RoutingStrategy) -> None:
        jobs = (JobToPlan(id="near", place=2), JobToPlan(id="far", place=8))
        request = a_bakery_day(jobs, (a_van(end=None),), reorder_cost=DEAR)
        plan = demanded(plans, replace(request, before={"van": ("far", "near")}))
        assert order(plan) == ["far", "near"], "They know far first; changing that costs more."

    @needs(Need.PACE, Need.WINDOWS, Need.MULTI_DEPOT, Need.COSTS)
    def test_the_rush_hour_is_reckoned_with(self, plans: RoutingStrategy) -> None:
        street = a_street(10)
        rush = (Pace(at(8), 3.0), Pace(at(10), 1.0))
        travel = {"car": replace(street, pace=rush)}
        job = JobToPlan(id="early", place=3, windows=(between(8, 8.75),))
        request = a_bakery_day((job,), (a_van("far"), NEAR), travel=travel)
        plan = demanded(plans, request)
        assert where(plan, "early") == "near", "In the rush hour, half an hour takes 90 minutes."

    @needs(Need.MAX_DISTANCE, Need.COSTS)
    def test_no_van_drives_farther_than_it_can(self, plans: RoutingStrategy) -> None:
        vans = (a_van("electric", max_distance_m=80_000), a_van("diesel", fixed_cost=9000))
        plan = demanded(plans, a_bakery_day((JobToPlan(id="far", place=9),), vans))
        assert where(plan, "far") == "diesel", "There and back are 90 km, the other one drives 80."

    @needs(Need.ACCESS, Need.WINDOWS, Need.MULTI_DEPOT, Need.COSTS)
    def test_the_way_from_the_van_to_the_door_takes_its_time(self, plans: RoutingStrategy) -> None:
        job = JobToPlan(id="mall", place=3, windows=(between(8, 8.75),))
        request = a_bakery_day((job,), (a_van("far"), NEAR), access_s={3: 1800})
        plan = demanded(plans, request)
        assert where(plan, "mall") == "near", "30 minutes by road and 30 on foot are too late."
