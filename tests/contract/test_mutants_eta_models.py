"""The kit for ETA models is sharp."""

from __future__ import annotations

from pathlib import Path

from tests.contract.planting import Mutant, survivors

MUTANTS = {
    "the last stop is forgotten": Mutant(
        "range(len(route.travel_s))",
        "range(len(route.travel_s) - 1)",
        "test_there_is_one_arrival_for_each_stop_that_is_left",
    ),
    "the early bound lies in the past": Mutant(
        "max(progress.now, clock - margin)",
        "clock - margin",
        "test_no_arrival_is_in_the_past_or_out_of_order",
    ),
    "early and late change places": Mutant(
        "Arrival(max(progress.now, clock - margin), clock, clock + margin)",
        "Arrival(clock + margin, clock, max(progress.now, clock - margin))",
        "test_no_arrival_is_in_the_past_or_out_of_order",
    ),
    "work is forgotten": Mutant(
        "clock = clock + timedelta(seconds=route.service_s[n])",
        "pass",
        "test_ways_and_work_before_a_stop_delay_it",
    ),
    "each way begins now": Mutant(
        "clock = clock + timedelta(seconds=route.travel_s[n])",
        "clock = progress.now + timedelta(seconds=route.travel_s[n])",
        "test_ways_and_work_before_a_stop_delay_it",
    ),
    "work begins whenever he comes": Mutant(
        "clock = max(clock, opens_at)",
        "clock = max(clock, clock)",
        "test_work_cannot_begin_before_it_may",
    ),
    "the computer's clock is asked": Mutant(
        "clock = progress.now\n",
        "clock = datetime.now(UTC)\n",
        "test_it_is_reckoned_from_now",
    ),
    "no margin at all": Mutant(
        "margin = timedelta(seconds=60) + (clock - progress.now) / 5",
        "margin = timedelta(0)",
        "test_no_estimate_pretends_to_be_certain",
    ),
    "the far is surer than the near": Mutant(
        "margin = timedelta(seconds=60) + (clock - progress.now) / 5",
        "margin = timedelta(seconds=1500) / (n + 1)",
        "test_the_near_is_surer_than_the_far_at_first",
    ),
    "the median of past errors moves the middle out of order": Mutant(
        "clock, clock + margin)",
        "clock + timedelta(seconds=sorted(e.error_s for e in history)[len(history) // 2]"
        " if history else 0), clock + margin)",
        "test_past_errors_beyond_all_reason_make_no_nonsense",
    ),
    "chance decides": Mutant(
        "margin = timedelta(seconds=60)",
        "margin = timedelta(seconds=60 + __import__('random').random())",
        "test_the_same_question_has_the_same_answer",
    ),
    "no title": Mutant('title = "Plain"', 'title = ""', "test_key_and_title_are_presentable"),
}


def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "eta_model", MUTANTS) == []
