"""Whoever has a person waiting takes a turn at something foreign, or is told at once."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event, Thread

import pytest

from hub.core.errors import Unavailable
from hub.turns import AT_ONCE, OF_ALL, Turns


def test_nobody_waits_behind_those_that_hang() -> None:
    now = [0.0]
    turns = Turns(lambda: now[0])
    with ExitStack() as inside:
        for _ in range(AT_ONCE):
            inside.enter_context(turns.at("silent"))
        now[0] = 5
        with pytest.raises(Unavailable, match="answers slowly"), turns.at("silent"):
            pass
        with turns.at("well"):
            pass
    with turns.at("silent"):
        pass


def test_all_that_is_silent_together_leaves_threads_for_the_rest() -> None:
    now = [0.0]
    turns = Turns(lambda: now[0])
    with ExitStack() as inside:
        for n in range(OF_ALL):
            inside.enter_context(turns.at(f"silent {n // 2}"))
        now[0] = 5
        with pytest.raises(Unavailable), turns.at("another"):
            pass


def test_what_was_silent_is_not_asked_for_a_moment() -> None:
    now = [0.0]
    turns = Turns(lambda: now[0])
    with pytest.raises(Unavailable), turns.at("quick to refuse"):
        raise Unavailable
    with pytest.raises(Unavailable), turns.at("silent"):
        now[0] = 10
        raise Unavailable
    with turns.at("quick to refuse"):
        pass
    with pytest.raises(Unavailable, match="did not answer just now"), turns.at("silent"):
        pass
    now[0] = 31
    with turns.at("silent"):
        pass


def test_a_turn_is_waited_for_while_those_inside_are_quick() -> None:
    turns, leave, done = Turns(), Event(), list[int]()

    def look(n: int) -> None:
        with turns.at("well"):
            leave.wait(10)
            done.append(n)

    all_of_a_page = [Thread(target=look, args=(n,)) for n in range(AT_ONCE + 2)]
    for one in all_of_a_page:
        one.start()
    leave.set()
    for one in all_of_a_page:
        one.join(10)
    assert sorted(done) == [0, 1, 2, 3, 4]
