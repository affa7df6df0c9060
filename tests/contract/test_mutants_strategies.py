"""The kit for routing strategies is sharp."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.planting import Mutant, survivors

FIRST = "best = completed(request, {})"
LAW = "test_a_plan_breaks_nothing_and_forgets_nobody"


def without(what: str, caught_by: str) -> Mutant:
    """A strategy that claims to honour what it never looks at."""
    return Mutant(
        f"        {FIRST}\n",
        f"        request = replace(request, jobs=tuple({what} for j in request.jobs))\n"
        f"        {FIRST}\n",
        caught_by,
    )


def deaf_to(change: str, caught_by: str) -> Mutant:
    """The same, of the request itself."""
    return Mutant(
        f"        {FIRST}\n",
        f"        request = asked = replace(request, {change})\n        {FIRST}\n",
        caught_by,
    )


def vans_without(change: str, caught_by: str) -> Mutant:
    return deaf_to(f"vehicles=tuple(replace(v, {change}) for v in request.vehicles)", caught_by)


USUAL = {
    "windows are not looked at": without("replace(j, windows=())", "test_a_window_is_met"),
    "all is left out": Mutant(
        "        return best\n",
        "        return Plan({}, {job.id: 'There was no time for it.' for job in request.jobs})\n",
        "test_what_fits_easily_is_done",
    ),
    "a job is forgotten": Mutant(
        "        return best\n", "        return replace(best, unassigned={})\n", LAW
    ),
    "chance is not seeded": Mutant(
        "best = min(best, found, key=request.loss)",
        "best = replace(best, notes=(__import__('os').urandom(4).hex(),))",
        "test_the_same_request_and_seed_give_the_same_plan",
    ),
    "the last is the best": Mutant(
        "best = min(best, found, key=request.loss)",
        "best = found",
        "test_it_is_never_worse_than_the_quick_answer",
    ),
}
MORE = {
    "one load is enough": vans_without(
        "max_reloads=0", "test_a_van_that_is_too_small_comes_back_and_loads_again"
    ),
    "fish rides with bleach": deaf_to(
        "never_together=frozenset()", "test_what_must_not_ride_together_rides_apart"
    ),
    "wishes are not looked at": without(
        "replace(j, wishes=())", "test_a_wish_is_met_where_missing_it_costs_more"
    ),
    "one driver does all": deaf_to(
        "uneven_per_hour=0", "test_work_is_spread_where_uneven_days_cost_more"
    ),
    "any driver will do": without(
        "replace(j, wanted_vehicle=None)",
        "test_the_driver_they_know_comes_where_another_costs_more",
    ),
    "every driver goes everywhere": without(
        "replace(j, vehicle_costs={})",
        "test_who_costs_more_at_a_door_stays_away_where_that_is_dear",
    ),
    "nobody remembers the order": deaf_to(
        "reorder_cost=0", "test_a_known_order_stays_where_changing_it_costs_more"
    ),
    "there is no rush hour": deaf_to(
        "travel={p: replace(t, pace=()) for p, t in request.travel.items()}",
        "test_the_rush_hour_is_reckoned_with",
    ),
    "batteries are never empty": vans_without(
        "max_distance_m=None", "test_no_van_drives_farther_than_it_can"
    ),
    "every door is on the street": deaf_to(
        "access_s={}", "test_the_way_from_the_van_to_the_door_takes_its_time"
    ),
    "deaf to a stop": Mutant(
        "if not progress(best) or time.monotonic() > until:",
        "progress(best)\n            time.sleep(5)\n            if time.monotonic() > until:",
        "test_it_stops_when_told_and_keeps_the_best",
    ),
    "skills are not looked at": without(
        "replace(j, skills=frozenset())", "test_skills_and_the_choice_of_a_vehicle_are_honoured"
    ),
    "forbidden vehicles are used": without(
        "replace(j, forbidden_vehicles=frozenset(), vehicle=None)",
        "test_skills_and_the_choice_of_a_vehicle_are_honoured",
    ),
    "loads weigh nothing": without("replace(j, load={})", "test_no_van_carries_more_than_it_may"),
    "collections are deliveries": without(
        "replace(j, load_direction='deliver')",
        "test_collections_fill_the_van_as_deliveries_empty_it",
    ),
    "one window is enough": without(
        "replace(j, windows=j.windows[:1])", "test_of_several_windows_the_one_that_fits_is_kept"
    ),
    "nothing matters more": without(
        "replace(j, priority=0)", "test_what_matters_more_is_served_when_not_all_fits"
    ),
    "all that is optional is done": without(
        "replace(j, optional=False)", "test_an_optional_job_is_done_only_when_worth_its_way"
    ),
    "nothing that is optional is done": Mutant(
        "        return best\n",
        "        return completed(replace(request, jobs=tuple(replace(j, prize=0)"
        " for j in request.jobs)), {})\n",
        "test_an_optional_job_is_done_only_when_worth_its_way",
    ),
    "bread leaves before it is baked": without(
        "replace(j, ready_at=None)", "test_a_van_waits_for_the_bread_that_it_brings"
    ),
    "what is fixed is moved": Mutant(
        f"        {FIRST}\n",
        f"        request = replace(request, fixed={{}})\n        {FIRST}\n",
        "test_what_is_fixed_stays_first",
    ),
    "pairs are two": without(
        "replace(j, pair_with=None, leg='deliver')",
        "test_a_pair_is_collected_before_it_is_delivered",
    ),
    "no breaks": Mutant(
        f"        {FIRST}\n",
        "        request = replace(request, vehicles=tuple(replace(v, breaks=())"
        f" for v in request.vehicles))\n        {FIRST}\n",
        "test_a_break_is_taken",
    ),
    "drivers get what they can carry": Mutant(
        f"        {FIRST}\n",
        "        request = replace(request, vehicles=tuple(replace(v, max_jobs=None)"
        f" for v in request.vehicles))\n        {FIRST}\n",
        "test_no_driver_gets_more_jobs_than_allowed",
    ),
    "no reasons": Mutant(
        "        return best\n",
        "        return replace(best, unassigned=dict.fromkeys(best.unassigned, 'no'))\n",
        LAW,
    ),
    "no vehicles is a bug": Mutant(
        f"        {FIRST}\n",
        f"        request.vehicles[0]\n        {FIRST}\n",
        "test_a_day_without_jobs_or_vehicles_is_a_plan_too",
    ),
    "time is no object": Mutant(
        "        return best\n",
        "        time.sleep(8 if request.time_limit_s == 0.5 else 0)\n        return best\n",
        "test_it_answers_within_about_its_time",
    ),
    "nobody is shown the best": Mutant(
        "if not progress(best) or time.monotonic() > until:",
        "if time.monotonic() > until:",
        "test_it_stops_when_told_and_keeps_the_best",
    ),
    "what it can do is a list": Mutant(
        "return frozenset(Need)\n",
        "return list(Need)\n",
        "test_what_it_can_honour_is_said_in_the_hubs_words",
    ),
    "a key of two words": Mutant(
        'key = "trying"', 'key = "trying hard"', "test_key_and_title_are_presentable"
    ),
    "it claims less than it says": Mutant(
        "return frozenset(Need)\n",
        "return frozenset(Need) - {Need.BREAKS}\n",
        "test_what_it_lacks_is_what_it_does_not_claim",
    ),
    "it claims more than it says": Mutant(
        "class TestReference(RoutingStrategyConformance):\n",
        "class TestReference(RoutingStrategyConformance):\n    lacks = frozenset({Need.BREAKS})\n",
        "test_what_it_lacks_is_what_it_does_not_claim",
    ),
}


def test_the_usual_mistakes_are_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "strategies", USUAL) == []


@pytest.mark.soak
def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "strategies", {**USUAL, **MORE}) == []
