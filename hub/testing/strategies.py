"""The promises of a routing strategy, as tests to inherit."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

import pytest

from hub import (
    Break,
    JobToPlan,
    Need,
    Plan,
    Provider,
    RoutingStrategy,
    Tools,
    completed,
)
from hub.testing.days import a_bakery_day, a_van, any_day, at, between, within
from hub.testing.days_with_prices import any_mixture, asking_for
from hub.testing.leaving_out import whole_tests
from hub.testing.plans_demanded import demand_lawful, demanded, needs, order, solved, where
from hub.testing.provider import PresentableConformance, demand_sentence, the_only
from hub.testing.strategies_more import WhatFewerFleetsAsk

PATIENCE_S = 6.0  # on top of a time limit: a solver's first import on a busy machine takes 3


class RoutingStrategyConformance(WhatFewerFleetsAsk, PresentableConformance, ABC):
    lacks: ClassVar[frozenset[Need]] = frozenset()
    """All needs that your ``capabilities`` leaves out; what asks for them is left out."""

    @classmethod
    def unfit(cls) -> Iterable[str]:
        for name, test in whole_tests(cls).items():
            if cls.lacks & getattr(test, "needs", frozenset()):
                yield name

    @abstractmethod
    def strategy(self, tools: Tools) -> RoutingStrategy: ...

    def presented(self, tools: Tools) -> Provider:
        return self.strategy(tools)

    @pytest.fixture
    def plans(self, tools: Tools) -> RoutingStrategy:
        return self.strategy(tools)

    def test_what_it_can_honour_is_said_in_the_hubs_words(self, plans: RoutingStrategy) -> None:
        can = plans.capabilities()
        assert isinstance(can, frozenset) and can <= frozenset(Need), (
            "`capabilities` is a frozenset of `hub.Need`s."
        )
        assert Need.SHIFTS in can, "Every vehicle has a shift: a strategy must honour Need.SHIFTS."

    def test_what_it_lacks_is_what_it_does_not_claim(self, plans: RoutingStrategy) -> None:
        lacks = frozenset(Need) - plans.capabilities()
        named = ", ".join(f"Need.{need.name}" for need in Need if need in lacks)
        assert self.lacks == lacks, (
            f"`lacks` is not what `capabilities` leaves out. In {type(self).__name__}"
            + (f", write:\n\n    lacks = frozenset({{{named}}})" if lacks else " take it out.")
        )

    # -- lawful, whole, and of use

    @pytest.mark.parametrize("seed", range(4))
    def test_a_plan_breaks_nothing_and_forgets_nobody(
        self, plans: RoutingStrategy, seed: int
    ) -> None:
        can = plans.capabilities()
        day = any_day(seed)
        request = asking_for(within(day, can), can & any_mixture(seed), seed)
        plan = solved(plans, request)
        demand_lawful(request, plan)
        served = [visit.job_id for visits in plan.routes.values() for visit in visits]
        asked = sorted(job.id for job in request.jobs)
        assert sorted([*served, *plan.unassigned]) == asked, (
            "Each job is on one route or has a reason in `unassigned`, once."
        )
        for reason in plan.unassigned.values():
            demand_sentence(reason, "The reason why a job is left out")

    @pytest.mark.parametrize("seed", range(2))
    def test_it_is_never_worse_than_the_quick_answer(
        self, plans: RoutingStrategy, seed: int
    ) -> None:
        request = within(any_day(seed, hard=False), plans.capabilities())
        quick, best = completed(request, {}), solved(plans, request)
        assert request.loss(best) <= request.loss(quick), (
            f"It loses {request.loss(best)} (jobs left out, cost), and `hub.completed(request,"
            f" {{}})` {request.loss(quick)}: give `completed` your orders, it fills up the rest."
        )

    def test_a_day_without_jobs_or_vehicles_is_a_plan_too(self, plans: RoutingStrategy) -> None:
        nothing = a_bakery_day((), ())
        nobody = a_bakery_day((JobToPlan(id="a", place=1),), ())
        idle = a_bakery_day(())
        for request in (nothing, nobody, idle):
            plan = solved(plans, request)
            demand_lawful(request, plan)
            left = {job.id for job in request.jobs}
            assert set(plan.unassigned) == left, f"Nobody can do {left}; give each a reason."

    def test_what_fits_easily_is_done(self, plans: RoutingStrategy) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in (5, 2, 8))
        request = a_bakery_day(jobs)
        plan = solved(plans, request)
        demand_lawful(request, plan)
        assert not plan.unassigned, f"There is time for all three; left out: {plan.unassigned}."

    # -- each need, on a day that has one good answer

    @needs(Need.WINDOWS)
    def test_a_window_is_met(self, plans: RoutingStrategy) -> None:
        request = a_bakery_day((JobToPlan(id="a", place=4, windows=(between(10, 11),)),))
        plan = demanded(plans, request)
        visit = the_only(plan.routes["van"], "visit")
        assert at(10) <= visit.start <= at(11), f"The window is 10 to 11, not {visit.start:%H:%M}."

    @needs(Need.WINDOWS, Need.SEVERAL_WINDOWS)
    def test_of_several_windows_the_one_that_fits_is_kept(self, plans: RoutingStrategy) -> None:
        windows = (between(6, 7), between(14, 15))
        plan = demanded(plans, a_bakery_day((JobToPlan(id="a", place=2, windows=windows),)))
        visit = the_only(plan.routes["van"], "visit")
        assert at(14) <= visit.start <= at(15), f"Only 14 to 15 can be met, not {visit.start}."

    @needs(Need.CAPACITY)
    def test_no_van_carries_more_than_it_may(self, plans: RoutingStrategy) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n, load={"g": 6}) for n in (1, 2))
        vans = (a_van("a", capacity={"g": 6}), a_van("b", capacity={"g": 6}))
        plan = demanded(plans, a_bakery_day(jobs, vans))
        shared = sorted(len(visits) for visits in plan.routes.values())
        assert shared == [1, 1], f"Each van holds one of the two; they have {shared}."

    @needs(Need.CAPACITY, Need.COLLECTIONS)
    def test_collections_fill_the_van_as_deliveries_empty_it(self, plans: RoutingStrategy) -> None:
        jobs = (
            JobToPlan(id="out", place=1, load={"crates": 10}),
            JobToPlan(id="back", place=2, load={"crates": 10}, load_direction="collect"),
        )
        plan = demanded(plans, a_bakery_day(jobs, (a_van(capacity={"crates": 10}),)))
        assert order(plan) == ["out", "back"], "Ten crates fit: first ten go out, then ten in."

    @needs(Need.SKILLS, Need.VEHICLE_CHOICE)
    def test_skills_and_the_choice_of_a_vehicle_are_honoured(self, plans: RoutingStrategy) -> None:
        jobs = (
            JobToPlan(id="cold", place=1, skills=frozenset({"fridge"})),
            JobToPlan(id="hers", place=2, vehicle="b"),
            JobToPlan(id="never", place=3, forbidden_vehicles=frozenset({"a"})),
        )
        vans = (a_van("a", offers=frozenset({"fridge"})), a_van("b"))
        plan = demanded(plans, a_bakery_day(jobs, vans))
        found = [where(plan, id) for id in ("cold", "hers", "never")]
        assert found == ["a", "b", "b"], f"Only a is cold, b does hers, a never: not {found}."

    @needs(Need.CAPACITY, Need.PRIORITIES)
    def test_what_matters_more_is_served_when_not_all_fits(self, plans: RoutingStrategy) -> None:
        jobs = tuple(
            JobToPlan(id=f"j{n}", place=9, load={"g": 6}, priority=9 if n == 3 else 0)
            for n in range(5)
        )
        request = a_bakery_day(jobs, (a_van(capacity={"g": 6}),))
        plan = demanded(plans, request, all_fit=False)
        assert order(plan) == ["j3"], "Of five, one fits: the one with priority 9."

    @needs(Need.OPTIONAL)
    def test_an_optional_job_is_done_only_when_worth_its_way(self, plans: RoutingStrategy) -> None:
        cheap = JobToPlan(id="cheap", place=9, optional=True, prize=1)
        worthy = JobToPlan(id="worthy", place=8, optional=True, prize=100_000)
        plan = demanded(plans, a_bakery_day((cheap, worthy)), all_fit=False)
        assert where(plan, "worthy") == "van", "Its prize is worth more than its way."
        assert "cheap" in plan.unassigned, "Its prize is worth less than its way."

    @needs(Need.RELEASE_TIMES)
    def test_a_van_waits_for_the_bread_that_it_brings(self, plans: RoutingStrategy) -> None:
        plan = demanded(plans, a_bakery_day((JobToPlan(id="bread", place=1, ready_at=at(10)),)))
        assert plan.spans["van"].opens >= at(10), "The bread is ready at 10; the van left sooner."

    @needs(Need.MAX_JOBS)
    def test_no_driver_gets_more_jobs_than_allowed(self, plans: RoutingStrategy) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 9))
        plan = demanded(plans, a_bakery_day(jobs, (a_van("a", max_jobs=4), a_van("b", max_jobs=4))))
        shared = [len(visits) for visits in plan.routes.values()]
        assert shared == [4, 4], f"Eight jobs, two drivers of four each; they have {shared}."

    @needs(Need.LOCKED_PREFIX)
    def test_what_is_fixed_stays_first(self, plans: RoutingStrategy) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in (7, 1, 3))
        plan = demanded(plans, a_bakery_day(jobs, fixed={"van": ("j7", "j1")}))
        assert order(plan)[:2] == ["j7", "j1"], "What a person fixed comes first, in that order."

    @needs(Need.PAIRS)
    def test_a_pair_is_collected_before_it_is_delivered(self, plans: RoutingStrategy) -> None:
        jobs = (
            JobToPlan(id="to", place=2, pair_with="from"),
            JobToPlan(id="from", place=8, pair_with="to", leg="collect"),
        )
        found = order(demanded(plans, a_bakery_day(jobs)))
        assert found == ["from", "to"], "What is delivered must be collected first."

    @needs(Need.BREAKS)
    def test_a_break_is_taken(self, plans: RoutingStrategy) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n, service_s=3000) for n in (2, 4, 6))
        van = a_van(breaks=(Break(between(10, 10.5), 1800),))
        plan = demanded(plans, a_bakery_day(jobs, (van,)))
        rest = the_only(plan.breaks["van"], "break")
        assert at(10) <= rest.opens <= at(10.5), f"It begins at {rest.opens:%H:%M}, not by 10:30."

    # -- time

    def test_it_answers_within_about_its_time(self, plans: RoutingStrategy) -> None:
        request = within(any_day(3, jobs=40, hard=False), plans.capabilities())
        began = time.monotonic()
        plan = solved(plans, replace(request, time_limit_s=0.5))
        took = time.monotonic() - began
        assert took < 0.5 + PATIENCE_S, f"It had 0.5 s and took {took:.1f} s."
        demand_lawful(request, plan)

    def test_it_stops_when_told_and_keeps_the_best(self, plans: RoutingStrategy) -> None:
        request = within(any_day(3, jobs=40, hard=False), plans.capabilities())
        shown: list[Plan] = []

        def stop(best: Plan) -> bool:
            shown.append(best)
            return False

        began = time.monotonic()
        plan = plans.plan(replace(request, time_limit_s=PATIENCE_S * 4), stop)
        took = time.monotonic() - began
        assert took < PATIENCE_S * 2, (
            f"`progress` returned False and it went on for {took:.0f} s: stop, keep the best."
        )
        assert shown, "`progress` was never called: a person waits, and could never stop it."
        for best in (*shown, plan):
            demand_lawful(request, best)
        assert request.loss(plan) <= min(map(request.loss, shown)), "The best was not kept."

    def test_the_same_request_and_seed_give_the_same_plan(self, plans: RoutingStrategy) -> None:
        jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in range(1, 7))
        request = a_bakery_day(jobs, (a_van("a"), a_van("b")), time_limit_s=20)
        assert solved(plans, request) == solved(plans, request), (
            "Asked twice it gives two plans: seed whatever is random with `request.seed`."
        )
