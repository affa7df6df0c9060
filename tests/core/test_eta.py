"""When the driver comes, and how sure that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.contracts import PastError
from hub.core.eta import Ahead, changed, estimate, pace, spread
from hub.core.values import TimeWindow

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def at(minute: float) -> datetime:
    return TEN + timedelta(minutes=minute)


def stop(travel_min: float, service_min: float = 0, opens_at: datetime | None = None) -> Ahead:
    return Ahead("stop", travel_min * 60, service_min * 60, opens_at)


stops = st.lists(
    st.builds(
        Ahead,
        st.just("stop"),
        st.floats(0, 3600),
        st.floats(0, 1800),
        st.none() | st.floats(-60, 300).map(at),
    ),
    max_size=12,
)
errors = st.lists(st.builds(PastError, st.integers(0, 9000), st.integers(-3000, 3000)), max_size=60)


def test_ways_waits_and_work_follow_one_another() -> None:
    round_ = [stop(10, 5), stop(10, 5, opens_at=at(40)), stop(5)]
    assert [one.p50 for one in estimate(TEN, round_)] == [at(10), at(25), at(50)]


def test_a_round_that_goes_a_fifth_slower_than_planned_is_expected_to_go_on_so() -> None:
    planned_s = [300.0] * 40
    assert pace(planned_s, [360.0] * 40) == pytest.approx(1.19, abs=0.005)
    assert pace(planned_s, planned_s) == 1


def test_one_slow_way_says_little_about_the_rest_of_the_day() -> None:
    assert 1 < pace([300.0], [600.0]) < 1.35
    assert pace([], []) == 1


def test_a_lunch_break_is_no_pace() -> None:
    assert pace([300.0] * 10, [300.0] * 9 + [3600.0]) == 1


@given(st.lists(st.tuples(st.floats(0, 7200), st.floats(-7200, 72_000)), max_size=30))
def test_no_pace_is_out_of_all_reason(ways: list[tuple[float, float]]) -> None:
    assert 0.7 <= pace([planned for planned, _ in ways], [took for _, took in ways]) <= 2


def test_the_margin_is_that_of_estimates_made_as_long_before() -> None:
    past = [PastError(290, 0)] * 30 + [PastError(3500, error_s) for error_s in range(-300, 901, 40)]
    near, far = estimate(TEN, [stop(5), stop(55)], past)
    assert near.p90 - near.p50 == timedelta(seconds=60)
    assert far.p50 - far.p10 == timedelta(seconds=180)
    assert far.p90 - far.p50 == timedelta(seconds=780)


def test_until_enough_errors_are_known_the_margin_grows_with_the_way() -> None:
    near, far, farthest = estimate(TEN, [stop(5), stop(25), stop(300)], [PastError(300, 5)] * 19)
    assert near.p90 - near.p50 == timedelta(minutes=2)
    assert far.p90 - far.p50 == timedelta(minutes=7)
    assert farthest.p90 - farthest.p50 == timedelta(minutes=15)


def test_a_margin_covers_the_share_of_errors_it_names() -> None:
    past = [float(error_s) for error_s in range(-1000, 1001, 10)]
    early_s, late_s = spread(past, level=0.5)
    assert sum(-early_s <= error_s <= late_s for error_s in past) / len(past) == pytest.approx(
        0.5, abs=0.01
    )


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 80.0])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        spread([], level=level)


@given(stops, errors)
def test_no_arrival_is_before_now_nor_out_of_order(
    ahead: list[Ahead], past: list[PastError]
) -> None:
    arrivals = estimate(TEN, ahead, past)
    assert len(arrivals) == len(ahead)
    for one in arrivals:
        assert one.p10 >= TEN
        assert one.p10 <= one.p50 <= one.p90
    assert sorted(one.p50 for one in arrivals) == [one.p50 for one in arrivals]


def test_nobody_is_told_of_less_than_five_minutes_within_the_promise() -> None:
    promise = TimeWindow(at(0), at(60))
    assert not changed(at(10), at(14), promise, moved_s=60)
    assert changed(at(10), at(15), promise, moved_s=60)
    assert not changed(at(10), at(15), promise, moved_s=600)


def test_leaving_the_promise_is_told_however_little_it_moved() -> None:
    assert changed(at(59), at(62.5), TimeWindow(at(0), at(60)), moved_s=600)
