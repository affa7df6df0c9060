"""The report tells what is wrong: each figure can come out badly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.demo.notebook import Ending, Notebook, Visit
from hub.demo.proofs import files_for
from hub.demo.report import Guess, Report, arrivals, errors, lacking, otherwise, too_many

GOOD = Report(
    orders=1,
    jobs=1,
    closed=1,
    succeeded=1,
    failed=0,
    with_proof=1,
    violations=0,
    notices_expected=4,
    notices_sent=4,
    notices_duplicated=0,
    acts_sent=9,
    acts_lost=0,
    fixes_sent=90,
    fixes_lost=0,
    arrivals_missed=0,
    arrivals_false=0,
    eta_mae_s_by_horizon={},
    wall_s=1.0,
)
AT = 1_000_000.0


def moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def a_job(**more: Any) -> dict[str, Any]:
    return {"id": "j", "arrived_at": moment(AT), "closed_at": moment(AT + 120), **more}


VISITS = {"j": [Visit("Mara", "s", ("j",), AT, AT)]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"closed": 0},
        {"with_proof": 0},
        {"violations": 1},
        {"notices_sent": 3},
        {"notices_duplicated": 1},
        {"acts_lost": 1},
        {"fixes_lost": 1},
        {"problems": ("Order #1 is not over.",)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_day_with_anything_wrong_is_not_well(wrong: dict[str, Any]) -> None:
    assert GOOD.is_well
    assert not replace(GOOD, **wrong).is_well


def test_an_arrival_is_missed_when_nobody_noticed_it() -> None:
    assert arrivals([a_job(arrived_at=None)], VISITS) == (1, 0)
    assert arrivals([a_job()], VISITS) == (0, 0)


@pytest.mark.parametrize("off_s", [-600, 600])
def test_an_arrival_at_another_time_than_the_visit_is_false(off_s: int) -> None:
    assert arrivals([a_job(arrived_at=moment(AT + off_s))], VISITS) == (0, 1)


def test_an_error_counts_by_how_long_before_the_truth_it_was_made() -> None:
    guesses = [Guess("j", AT - 300, AT + 60), Guess("j", AT - 3000, AT - 120)]
    assert errors(guesses, VISITS) == {"0-10": 60.0, "30-60": 120.0}


def test_a_guess_after_the_visit_is_none_about_it() -> None:
    assert errors([Guess("j", AT + 1, AT + 60)], VISITS) == {}


def test_proof_is_complete_with_every_demand_and_the_drivers_own_files() -> None:
    book = Notebook()
    files = files_for("j", ["photo", "signature"])
    book.endings["j"] = Ending("#1", "succeeded", AT, ("photo", "name"), files)
    kept = [{"kind": one.kind, "sha256": one.sha256} for one in files]
    assert lacking(a_job(proof={"given": ["photo", "name"], "files": kept}), book) == []
    assert lacking(a_job(proof={"given": ["photo"], "files": kept}), book) == ["name"]
    assert lacking(a_job(proof={"given": ["photo", "name"], "files": kept[:1]}), book) == [
        "its signature"
    ]
    assert lacking(a_job(proof=None), book) == ["any proof"]


def test_too_many_mistaken_arrivals_are_a_problem() -> None:
    assert too_many(6, 6, 133) == []
    assert too_many(2, 0, 5) == []
    assert too_many(10, 4, 133) == ["Of 133 arrivals 10 went unnoticed and 4 were noticed falsely."]


def test_a_job_that_ended_otherwise_than_at_the_door_is_named() -> None:
    book = Notebook()
    book.endings["j"] = Ending("#1", "succeeded", AT, (), ())
    assert otherwise([a_job(outcome="succeeded")], book) == []
    [said] = otherwise([a_job(outcome="failed")], book)
    assert said == "Job j succeeded at the door, failed here."


def test_every_job_has_pictures_of_its_own() -> None:
    made = {one.sha256 for n in range(50) for one in files_for(f"job {n}", ["photo", "signature"])}
    assert len(made) == 100
