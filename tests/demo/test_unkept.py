"""A promise that nobody expects to be kept must be told anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.demo.notebook import Notebook
from hub.demo.unkept import Unkept

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def at(minute: float) -> str:
    return (TEN + timedelta(minutes=minute)).isoformat()


def board(estimate: float, closes: float, state: str = "loaded") -> dict[str, Any]:
    job = {"number": "#1", "state": state, "promise": [at(closes - 30), at(closes)]}
    return {"routes": [{"stops": [{"estimate": at(estimate), "jobs": [job]}]}]}


def complaints(*boards: dict[str, Any]) -> list[str]:
    """Looked at every five minutes."""
    unkept = Unkept(Notebook())
    for n, one in enumerate(boards):
        unkept.look(one, TEN.timestamp() + 300 * n)
    return unkept.book.hiccups


def test_who_is_expected_too_late_for_a_quarter_of_an_hour_should_have_been_told_once() -> None:
    [said] = complaints(*[board(80, 60)] * 6)
    assert said.startswith("Order #1 is expected after")


def test_who_was_told_anew_or_is_in_time_again_is_no_matter() -> None:
    assert complaints(*[board(80, 60)] * 3, *[board(80, 90)] * 6) == []
    assert complaints(*[board(80, 60)] * 3, board(60, 60), *[board(80, 60)] * 3) == []


def test_some_minutes_and_jobs_that_are_over_are_no_matter() -> None:
    assert complaints(*[board(69, 60)] * 6) == []
    assert complaints(*[board(80, 60, "closed")] * 6) == []
