"""Which breaks were had, by what was said, and which of the planned ones that was."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.core.breaks_had import Had, breaks_had, not_told, planned_as_had, spans
from hub.core.fit_rests import Rests
from hub.core.plan_request import Break
from hub.core.values import TimeWindow
from hub.testing.days import at, between

COFFEE, LUNCH = between(10, 10.25), between(12, 12.5)
KINDS = ("start_break", "end_break", "arrive", "close")
MOMENTS = st.lists(
    st.tuples(st.integers(0, 600), st.sampled_from(KINDS)),
    max_size=20,
    unique_by=lambda one: one[0],
)


@given(MOMENTS.flatmap(st.permutations))
def test_breaks_never_overlap_and_only_the_last_is_under_way(told: list[tuple[int, str]]) -> None:
    said = [(at(8) + timedelta(minutes=minute), kind) for minute, kind in told]
    had = breaks_had(said)
    assert had == breaks_had(sorted(said))
    moments = [moment for one in had for moment in (one.since, one.until) if moment is not None]
    assert moments == sorted(moments)
    assert all(one.until is not None for one in had[:-1])
    begun = [moment for moment, kind in said if kind == "start_break"]
    assert bool(begun) == bool(had)


def test_who_is_at_a_door_rests_no_longer_and_who_begins_twice_began_the_first_time() -> None:
    said = [(at(12), "start_break"), (at(12.1), "start_break"), (at(12.5), "arrive")]
    assert breaks_had([*said, (at(13), "end_break")]) == (Had(at(12), at(12.5)),)


def test_a_second_tap_in_the_same_moment_makes_no_break() -> None:
    begins = at(12)
    twice = [(begins, "start_break"), (begins + timedelta(seconds=1), "end_break")]
    assert breaks_had(twice) == ()
    again = begins + timedelta(seconds=2)
    assert breaks_had([*twice, (again, "start_break")]) == (Had(again),)
    assert breaks_had([(begins, "start_break"), (begins + timedelta(seconds=4), "end_break")])


def test_a_break_that_was_had_early_or_late_is_the_nearest_planned_one() -> None:
    early = (Had(at(11.25), at(11.75)),)
    assert planned_as_had((COFFEE, LUNCH), early) == {1: between(11.25, 11.75)}
    assert not_told((COFFEE, LUNCH), early) == (COFFEE,)
    both = (Had(at(9.5), at(9.75)), Had(at(13), at(13.5)))
    assert planned_as_had((COFFEE, LUNCH), both) == {0: between(9.5, 9.75), 1: between(13, 13.5)}
    assert not_told((COFFEE, LUNCH), both) == ()


def test_a_tap_by_mistake_takes_nobody_the_break() -> None:
    assert planned_as_had((LUNCH,), (Had(at(11.9), at(11.95)),)) == {}
    assert planned_as_had((LUNCH, None), (Had(at(12), at(12.25)),)) == {0: between(12, 12.25)}


def test_one_under_way_ends_as_long_after_as_it_was_planned_or_any_moment() -> None:
    under_way = (Had(at(12.25)),)
    assert spans((LUNCH,), under_way, at(12.5)) == (between(12.25, 12.75),)
    assert spans((LUNCH,), under_way, at(13)) == (between(12.25, 13),)
    assert spans((), under_way, at(12.3)) == (between(12.25, 12.5),)


def test_a_break_had_before_its_time_is_not_due_again() -> None:
    """Fixed at noon, had at eleven: the rest of the day was timed with another one."""
    noon = Break(TimeWindow(at(12), at(12)), 1800)
    had = between(11, 11.5)
    rests = Rests((noon,), (had,), at(8), at(11.6), has_left=True, had={0})
    assert (rests.taken, rests.all_taken) == ([had], True)
    assert not Rests((noon,), (had,), at(8), at(11.6), has_left=True).all_taken
