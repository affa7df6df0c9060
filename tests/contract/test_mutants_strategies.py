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
