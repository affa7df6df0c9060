"""The transition table, as a graph."""

import pytest

from hub.core.jobs import (
    ENDINGS,
    TRANSITIONS,
    Act,
    NextStep,
    NotNow,
    Outcome,
    Reason,
    State,
    after,
    close,
    diagram,
    next_step,
)


def test_every_state_can_be_reached_and_every_job_can_end() -> None:
    reached, todo = {State.CLOSED}, [State.CREATED]
    while todo:
        state = todo.pop()
        reached.add(state)
        todo += [to for to in TRANSITIONS[state].values() if to not in reached]
    assert reached == set(State) == set(TRANSITIONS) == set(ENDINGS)
    assert all(Outcome.CANCELLED in ENDINGS[s] for s in State if s is not State.CLOSED)


@pytest.mark.parametrize("act", Act)
def test_a_closed_job_stays_closed(act: Act) -> None:
    with pytest.raises(NotNow):
        after(State.CLOSED, act)
    for outcome in Outcome:
        with pytest.raises(NotNow):
            close(State.CLOSED, outcome)


def test_nothing_succeeds_that_was_never_on_a_phone() -> None:
    with pytest.raises(NotNow):
        close(State.ASSIGNED, Outcome.SUCCEEDED)


def test_a_refused_parcel_goes_back_and_a_missed_one_is_tried_until_the_last_attempt() -> None:
    assert next_step(Reason.REFUSED, 1) is NextStep.RETURN
    assert next_step(Reason.NOBODY_HOME, 1) is NextStep.ANOTHER_DAY
    assert next_step(Reason.NOBODY_HOME, 3) is NextStep.RETURN
    assert next_step(Reason.WRONG_ADDRESS, 1) is None


def test_the_diagram_shows_every_transition() -> None:
    assert diagram().count("-->") == 2 + sum(map(len, TRANSITIONS.values())) + sum(
        map(len, ENDINGS.values())
    )
