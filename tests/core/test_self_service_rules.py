"""What is open on the page: never past the cut-off, never when closed, whatever came before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.core.jobs import NextStep, Outcome, State
from hub.core.orders import Kind
from hub.core.self_service import (
    TO_GET_IN,
    Action,
    Follow,
    SelfService,
    Slots,
    Standing,
    Why,
    answer,
    answers,
    follows,
    offered,
)
from hub.core.self_service_words import closed_words, done_words, until_words
from hub.core.standing import standing
from hub.core.tongue import ENGLISH
from hub.core.tracking_page import Estimate, JobSeen, Life, Ride, Shows, decide
from hub.core.tracking_words import card
from hub.core.values import TimeWindow

HELSINKI = ZoneInfo("Europe/Helsinki")
NOON = datetime(2026, 11, 23, 10, tzinfo=UTC)
moments = st.datetimes(datetime(2026, 11, 20), datetime(2026, 11, 26), timezones=st.just(UTC))
rules = st.builds(
    SelfService,
    allowed=st.lists(st.sampled_from(list(Action)), unique=True),
    follows=st.lists(st.sampled_from(list(Follow)), unique=True),
    until=st.sampled_from(["hours", "published"]),
    hours=st.integers(0, 48),
    note_stops=st.integers(0, 5),
)


@st.composite
def days(draw: st.DrawFn) -> tuple[list[JobSeen], list[TimeWindow], Ride | None, bool]:
    """Any order an order may be in: attempts, promises, a ride, however far that is."""
    jobs = []
    for attempt in range(1, draw(st.integers(1, 3)) + 1):
        state = draw(st.sampled_from(list(State)))
        is_closed = state is State.CLOSED
        jobs.append(
            JobSeen(
                kind=draw(st.sampled_from(list(Kind))),
                attempt=attempt,
                state=state,
                outcome=draw(st.sampled_from(list(Outcome))) if is_closed else None,
                next_step=draw(st.none() | st.sampled_from(list(NextStep))) if is_closed else None,
                closed_at=draw(moments) if is_closed else None,
                windows=tuple(windows(draw)),
            )
        )
    at = draw(moments)
    ride = Ride(
        at,
        at,
        draw(st.integers(0, 5)),
        draw(st.booleans()),
        draw(st.none() | st.just(Estimate(at, at, at + timedelta(hours=1)))),
        draw(st.none() | moments),
        draw(st.none() | moments),
    )
    return jobs, windows(draw), draw(st.none() | st.just(ride)), draw(st.booleans())


def windows(draw: st.DrawFn) -> list[TimeWindow]:
    found = draw(st.lists(moments, max_size=2))
    return [TimeWindow(one, one + timedelta(hours=1)) for one in found]


@given(rules, days(), moments)
def test_nothing_is_open_after_its_cut_off_nor_when_the_job_is_closed(
    allowed: SelfService,
    day: tuple[list[JobSeen], list[TimeWindow], Ride | None, bool],
    now: datetime,
) -> None:
    jobs, promises, ride, began = day
    seen = decide(jobs, promises, ride, window_s=3600, now=now)
    told = promises[-1] if promises else None
    how = standing(seen, Life.FULL, began=began, told=told)
    found = answers(allowed, how, now)
    for action, one in found.items():
        assert not one.is_open or action in allowed.allowed
        assert not (one.is_open and one.why)
        if action is not Action.NEXT_STEP:
            assert not (one.is_open and seen.job.is_closed)
    opens = told.opens if told else min((w.opens for w in seen.job.windows), default=None)
    for action in (Action.ANOTHER_SLOT, Action.CANCEL):
        if found[action].is_open:
            assert not began
            assert seen.job.state not in (State.LOADED, State.EN_ROUTE, State.ARRIVED)
            if allowed.until == "published":
                assert seen.job.state is not State.DISPATCHED
            elif opens is not None:
                assert now < opens - timedelta(hours=allowed.hours)
    for action in TO_GET_IN:
        if found[action].is_open and how.began:
            assert how.stops_before >= allowed.note_stops
    chosen = follows(allowed, how, now)
    assert found[Action.NEXT_STEP].is_open == bool(chosen)
    assert not chosen or how.undecided or how.retries
    if chosen and not how.undecided and told is not None and now < told.opens:
        assert allowed.until == "published" or now < told.opens - timedelta(hours=allowed.hours)
    gone = standing(seen, Life.BARE, began=began, told=told)
    assert not any(one.is_open for one in answers(allowed, gone, now).values())


def a_standing(**more: object) -> Standing:
    return Standing(**{"kind": Kind.DELIVER, "is_open": True, **more})  # type: ignore[arg-type]


def test_a_closed_door_says_until_when_it_was_open() -> None:
    everything = SelfService(allowed=list(Action), hours=16)
    how = a_standing(told_opens=NOON - timedelta(hours=2))  # ten o'clock there
    found = answer(everything, Action.CANCEL, how, NOON - timedelta(hours=6))
    said = closed_words(found, HELSINKI, NOON, ENGLISH)
    assert said == "Changes were possible until Sunday 22 November, 18:00."
    before = answer(everything, Action.CANCEL, how, NOON - timedelta(hours=19))
    assert (before.is_open, closed_words(before, HELSINKI, NOON, ENGLISH)) == (True, "")
    assert "Sunday 22 November, 18:00" in until_words(before, HELSINKI, NOON, ENGLISH)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"began": True, "stops_before": 0}, Why.NEAR),
        ({"began": True, "at_the_door": True, "stops_before": 3}, Why.NEAR),
        ({"began": True, "stops_before": 1}, None),
        ({"stops_before": 0}, None),
    ],
)
def test_a_note_may_be_written_until_the_driver_is_nearly_there(
    how: dict[str, object], why: Why | None
) -> None:
    found = answer(SelfService(note_stops=1), Action.NOTE, a_standing(**how), NOON)
    assert (found.is_open, found.why) == (why is None, why)


def test_only_what_is_brought_can_be_left_somewhere() -> None:
    visit = a_standing(kind=Kind.SERVE)
    assert not answer(SelfService(), Action.SAFE_PLACE, visit, NOON).is_open
    assert answer(SelfService(), Action.NOTE, visit, NOON).is_open
    ended = a_standing(kind=Kind.COLLECT, is_open=False, undecided=True)
    every = SelfService(follows=list(Follow))
    assert follows(every, ended, NOON) == (Follow.TODAY, Follow.ANOTHER_DAY)


def test_slots_follow_the_clocks_over_their_change_and_none_has_begun() -> None:
    slots = Slots(minutes=180, days=2, weekdays=[5, 6], begins="09:00", ends="18:00")
    saturday = datetime(2026, 10, 24, 7, tzinfo=UTC)  # ten o'clock; clocks go back on Sunday
    found = [one.opens.astimezone(HELSINKI) for one in offered(slots, HELSINKI, saturday)]
    assert [(one.day, one.hour) for one in found] == [
        (24, 12),
        (24, 15),
        (25, 9),
        (25, 12),
        (25, 15),
    ]


def test_hours_that_hold_no_slot_are_refused() -> None:
    with pytest.raises(ValidationError):
        Slots(minutes=180, begins="09:00", ends="11:00")


def test_only_known_words_are_believed_of_an_address() -> None:
    assert done_words("<b>", ENGLISH) == ""
    assert done_words("door", ENGLISH)


def test_a_time_that_was_chosen_is_shown_until_a_plan_has_a_narrower_one() -> None:
    slot = TimeWindow(NOON, NOON + timedelta(hours=2))
    before = TimeWindow(NOON - timedelta(hours=5), NOON - timedelta(hours=4))
    job = JobSeen(kind=Kind.DELIVER, windows=(slot,))
    about = {"ride": None, "window_s": 3600, "now": NOON - timedelta(hours=9)}
    seen = decide([job], [slot], chosen=True, **about)  # type: ignore[arg-type]
    assert (seen.shows, seen.quoted, seen.before) == (Shows.ORDERED, slot, None)
    seen = decide([job], [before, slot], chosen=True, **about)  # type: ignore[arg-type]
    assert (seen.shows, seen.quoted, seen.before) == (Shows.RESCHEDULED, slot, before)
    # A promise of a plan that fell through is none any more, and so is one for another window.
    assert decide([job], [slot], **about).quoted is None  # type: ignore[arg-type]
    other = JobSeen(kind=Kind.DELIVER, windows=(before,))
    assert decide([other], [slot], chosen=True, **about).quoted is None  # type: ignore[arg-type]


def test_an_attempt_that_was_given_up_says_what_follows_and_is_no_cancellation() -> None:
    job = JobSeen(
        kind=Kind.DELIVER,
        state=State.CLOSED,
        outcome=Outcome.CANCELLED,
        next_step=NextStep.COLLECT,
        closed_at=NOON,
    )
    seen = decide([job], [], None, window_s=3600, now=NOON)
    assert seen.shows is Shows.FAILED
    assert "you collect it from us" in " ".join(card(seen, frozenset(), HELSINKI, NOON).lines)
