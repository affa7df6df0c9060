"""When an estimate is told anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.core.told import is_news
from hub.core.values import TimeWindow

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def at(minute: float) -> datetime:
    return TEN + timedelta(minutes=minute)


PROMISE = TimeWindow(at(0), at(30))


def test_a_move_of_five_minutes_is_news() -> None:
    assert is_news(at(10), at(15), PROMISE)
    assert is_news(at(15), at(10), PROMISE)
    assert not is_news(at(10), at(14.9), PROMISE)


def test_leaving_the_promise_is_news_however_little_it_moved() -> None:
    assert is_news(at(29), at(32.5), PROMISE)
    assert is_news(at(1), at(-2.5), PROMISE)


def test_a_minute_beyond_the_promise_is_not_worth_a_message() -> None:
    assert not is_news(at(29), at(31), PROMISE)


def test_without_a_promise_only_a_move_is_news() -> None:
    assert not is_news(at(10), at(14), None)


@given(st.floats(-5, 40), st.lists(st.floats(0, 4.9), max_size=40))
def test_an_estimate_that_trembles_is_announced_at_most_once(
    least: float, trembles: list[float]
) -> None:
    told, announced = at(least), 0
    for tremble in trembles:
        if is_news(told, at(least + tremble), PROMISE):
            told, announced = at(least + tremble), announced + 1
    assert announced <= 1


@given(st.lists(st.floats(-120, 240), max_size=40))
def test_what_was_told_is_never_further_off_than_the_rule_allows(moves: list[float]) -> None:
    told = at(0)
    for move in moves:
        if is_news(told, at(move), PROMISE):
            told = at(move)
        assert abs(at(move) - told) < timedelta(minutes=5)
