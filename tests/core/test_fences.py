"""What fixes mean: which are believed, and when a driver came to a door, left it, or did not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.core.tracking import Fact, Fence, Fix, Kind, Track, Verdict, advance
from tests.core.gps_traces import (
    DATA,
    DEGREE_M,
    Score,
    made_drives,
    ours,
    plain,
    recorded_drive,
    scored,
    standing,
)

NOW = 1_790_000_000_000
LAT, LON = 60.17, 24.94
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="HUB_TEST_DATA names no recorded traces")


class Van:
    """A van on a road that leads north; places are metres along it."""

    def __init__(self, at_m: float = -1000, every_s: int = 5, acc_m: float = 8) -> None:
        self.at_m, self.every_s, self.acc_m = at_m, every_s, acc_m
        self.at_s, self.fixes = 0, list[Fix]()

    def go(self, to_m: float, speed_ms: float = 10) -> Van:
        way = abs(to_m - self.at_m)
        steps = max(1, round(way / speed_ms / self.every_s))
        from_m = self.at_m
        for n in range(1, steps + 1):
            self._say(from_m + (to_m - from_m) * n / steps, speed_ms if n < steps else 0)
        return self

    def stay(self, span_s: int) -> Van:
        for _ in range(span_s // self.every_s):
            self._say(self.at_m, 0)
        return self

    def silence(self, span_s: int) -> Van:
        self.at_s += span_s
        return self

    def thrown(self, by_m: float, times: int, acc_m: float | None = None) -> Van:
        at_m = self.at_m
        for _ in range(times):
            self._say(at_m + by_m, 0, acc_m)
        self.at_m = at_m
        return self

    def _say(self, at_m: float, speed_ms: float, acc_m: float | None = None) -> None:
        self.at_m = at_m
        self.at_s += self.every_s
        self.fixes.append(a_fix(self.at_s, at_m, acc_m or self.acc_m, speed_ms, len(self.fixes)))


def a_fix(
    at_s: float, at_m: float = 0, acc_m: float = 8, speed_ms: float | None = 0, seq: int = -1
) -> Fix:
    seq = round(at_s) if seq < 0 else seq
    return Fix(seq, NOW + round(at_s * 1000), LAT + at_m / DEGREE_M, LON, acc_m, speed_ms)


def door(stop_id: str, at_m: float = 0, *, is_open: bool = True) -> Fence:
    return Fence(stop_id, LAT + at_m / DEGREE_M, LON, is_open)


def facts_of(fixes: Sequence[Fix], *fences: Fence, track: Track | None = None) -> list[Fact]:
    return follow(fixes, *fences, track=track)[1]


def follow(
    fixes: Sequence[Fix], *fences: Fence, track: Track | None = None
) -> tuple[Track, list[Fact]]:
    now, facts = track or Track(), list[Fact]()
    for fix in fixes:
        now, new, _ = advance(now, fix, fences, fix.at_ms)
        facts += new
    return now, facts


def story(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    return [(str(fact.kind), fact.stop_id) for fact in facts]


def verdicts(*fixes: Fix, now_s: float = 1000) -> list[Verdict]:
    track, found = Track(), []
    for fix in fixes:
        track, _, verdict = advance(track, fix, (), NOW + round(now_s * 1000))
        found.append(verdict)
    return found


# ---- which fixes are believed ----


def test_a_fix_that_comes_again_is_a_duplicate() -> None:
    assert verdicts(a_fix(0), a_fix(0))[1] is Verdict.DUPLICATE
    assert verdicts(a_fix(0), replace(a_fix(0), seq=1))[1] is Verdict.DUPLICATE


def test_a_phone_whose_clock_is_a_minute_fast_is_believed_and_no_more_than_that() -> None:
    assert verdicts(a_fix(1060), now_s=1000) == [Verdict.KEPT]
    assert verdicts(a_fix(1061), now_s=1000) == [Verdict.FUTURE]


def test_a_fix_from_the_future_does_not_shut_out_those_of_today() -> None:
    assert verdicts(a_fix(9000), a_fix(5))[1] is Verdict.KEPT


def test_what_is_older_than_the_last_good_fix_is_past() -> None:
    assert verdicts(a_fix(10), replace(a_fix(5), seq=11))[1] is Verdict.PAST


def test_a_cell_tower_is_no_place() -> None:
    assert verdicts(a_fix(0), a_fix(5, 3000, acc_m=1500), a_fix(10)) == [
        Verdict.KEPT,
        Verdict.INACCURATE,
        Verdict.KEPT,
    ]


def test_a_lonely_jump_is_dropped() -> None:
    assert verdicts(a_fix(0), a_fix(5, 900), a_fix(10)) == [
        Verdict.KEPT,
        Verdict.JUMP,
        Verdict.KEPT,
    ]


def test_a_jump_that_persists_is_believed() -> None:
    told = verdicts(
        a_fix(0), a_fix(5, 5000), a_fix(10, 5040, speed_ms=8), a_fix(15, 5080, speed_ms=8)
    )
    assert told == [Verdict.KEPT, Verdict.JUMP, Verdict.KEPT, Verdict.KEPT]


def test_a_van_on_a_motorway_does_not_jump() -> None:
    silent = [a_fix(n * 10, n * 360, speed_ms=None) for n in range(6)]
    assert set(verdicts(*silent)) == {Verdict.KEPT}


def test_he_may_be_anywhere_after_a_tunnel() -> None:
    assert verdicts(a_fix(0), a_fix(120, 3000, speed_ms=25))[1] is Verdict.KEPT


# ---- doors ----


def test_he_came_when_he_stopped_not_when_that_became_sure() -> None:
    van = Van().go(0)
    came_ms = van.fixes[-1].at_ms
    [arrived] = facts_of(van.stay(60).fixes, door("a", 10))
    assert (arrived.kind, arrived.at_ms) == (Kind.ARRIVED, came_ms)
    assert van.fixes[arrived.fix_seq].at_ms > came_ms


def test_he_left_when_he_drove_off_not_when_that_became_sure() -> None:
    van = Van().go(0).stay(180)
    left_ms = van.fixes[-1].at_ms
    left = facts_of(van.go(1000).fixes, door("a"))[-1]
    assert (left.kind, left.at_ms) == (Kind.LEFT, left_ms)


def test_who_drives_past_has_not_come() -> None:
    assert facts_of(Van().go(1000, speed_ms=8).fixes, door("a")) == []


def test_who_crawls_past_in_a_jam_has_not_come() -> None:
    van = Van(-400).go(400, speed_ms=3)
    silent = [replace(one, speed_ms=None) for one in van.fixes]
    assert standing(facts_of(silent, door("a"))) == []


def test_a_wait_at_lights_before_a_door_is_taken_back() -> None:
    van = Van().go(-15).stay(35).go(1000)
    assert story(facts_of(van.fixes, door("a"))) == [("arrived", "a"), ("not_arrived", "a")]


def test_a_quick_call_that_closed_the_stop_stands() -> None:
    van = Van().go(0).stay(35)
    track, came = follow(van.fixes, door("a"))
    gone = facts_of(van.go(1000).fixes[-20:], door("a", is_open=False), track=track)
    assert story([*came, *gone]) == [("arrived", "a"), ("left", "a")]


def test_lights_before_the_door_do_not_make_the_arrival_early() -> None:
    van = Van().go(-60).stay(45).go(0)
    came_ms = van.fixes[-1].at_ms
    facts = facts_of(van.stay(120).fixes, door("a"))
    assert facts[-1].kind is Kind.ARRIVED
    assert facts[-1].at_ms == came_ms


def test_who_is_back_in_a_minute_had_not_left() -> None:
    van = Van().go(0).stay(180).go(250).go(0).stay(60)
    assert story(facts_of(van.fixes, door("a"))) == [
        ("arrived", "a"),
        ("left", "a"),
        ("not_left", "a"),
    ]


def test_who_comes_again_later_has_come_twice() -> None:
    van = Van().go(0).stay(180).go(2000).stay(600).go(0).stay(180)
    told = story(facts_of(van.fixes, door("a")))
    assert told == [("arrived", "a"), ("left", "a"), ("arrived", "a")]


def test_walls_that_throw_fixes_about_do_not_end_a_visit() -> None:
    van = Van().go(0).stay(60).thrown(140, 2).stay(30).thrown(-160, 3).stay(60)
    assert story(facts_of(van.fixes, door("a"))) == [("arrived", "a")]


def test_a_call_within_a_silence_is_found_by_the_time_it_took() -> None:
    """A phone with a dark screen speaks once a minute: one fix at the door is all there is."""
    van = Van(-3000, every_s=60).go(-600)
    van.at_m = 0
    van._say(0, 0)
    told = facts_of(van.silence(120).go(900).fixes, door("a"))
    assert story(told)[0] == ("arrived", "a")


def test_a_coarse_fix_at_the_door_keeps_him_there() -> None:
    """Indoors only cell towers and Wi-Fi are left."""
    van = Van().go(0).stay(20).thrown(60, 6, acc_m=180)
    assert story(facts_of(van.fixes, door("a"))) == [("arrived", "a")]


def test_coarse_fixes_far_away_say_that_he_left() -> None:
    van = Van().go(0).stay(120).thrown(3000, 4, acc_m=400)
    assert story(facts_of(van.fixes, door("a"))) == [("arrived", "a"), ("left", "a")]


def test_of_two_doors_within_reach_the_next_in_the_plan_is_meant() -> None:
    van = Van().go(0).stay(60)
    assert story(facts_of(van.fixes, door("b", 25), door("a", 15))) == [("arrived", "b")]


def test_a_door_that_is_much_nearer_is_meant_though_another_is_next() -> None:
    van = Van().go(0).stay(90)
    assert story(facts_of(van.fixes, door("b", 60), door("a", 5))) == [("arrived", "a")]


def test_a_stop_that_is_done_is_not_meant_while_another_is_open() -> None:
    van = Van().go(0).stay(60)
    fences = door("a", 5, is_open=False), door("b", 35)
    assert story(facts_of(van.fixes, *fences)) == [("arrived", "b")]


def test_from_a_van_that_stands_still_a_second_door_is_reached_once_the_first_is_closed() -> None:
    van = Van().go(0).stay(120)
    track, first = follow(van.fixes, door("a", 5), door("b", -15))
    closed_ms = van.fixes[-1].at_ms
    van.fixes.clear()
    second = facts_of(
        [replace(one, seq=one.seq + 1000) for one in van.stay(120).fixes],
        door("a", 5, is_open=False),
        door("b", -15),
        track=track,
    )
    assert story([*first, *second]) == [("arrived", "a"), ("arrived", "b")]
    assert second[0].at_ms > closed_ms


def test_who_walks_on_to_the_neighbour_has_left_the_first_door() -> None:
    van = Van().go(0).stay(120).go(70, speed_ms=1.5).stay(120)
    told = story(facts_of(van.fixes, door("a"), door("b", 70)))
    assert told == [("arrived", "a"), ("left", "a"), ("arrived", "b")]


def test_an_arrival_is_less_sure_the_vaguer_the_fixes_are() -> None:
    sure = [
        facts_of(Van(acc_m=acc_m).go(0).stay(120).fixes, door("a"))[0].confidence
        for acc_m in (5, 30, 80)
    ]
    assert all(0 < vague < clear <= 1 for clear, vague in pairwise(sure))


def test_an_arrival_is_surer_the_longer_he_is_known_to_have_stayed() -> None:
    short = facts_of(Van().go(0).stay(60).fixes, door("a"))[0]
    long = facts_of(Van().go(0).silence(600).stay(5).fixes, door("a"))[0]
    assert short.confidence < long.confidence <= 1


# ---- laws ----

FOLLOWS = {
    None: {Kind.ARRIVED},
    Kind.ARRIVED: {Kind.LEFT, Kind.NOT_ARRIVED},
    Kind.LEFT: {Kind.ARRIVED, Kind.NOT_LEFT},
    Kind.NOT_LEFT: {Kind.LEFT, Kind.NOT_ARRIVED},
    Kind.NOT_ARRIVED: {Kind.ARRIVED},
}
ANY_FIX = st.tuples(
    st.sampled_from((0, 1, 5, 30, 120, -40)),
    st.sampled_from((0, 0, 0, 5, 40, 80, 120, -200, 900, -5000)) | st.floats(-300, 300),
    st.sampled_from((0, 5, 20, 60, 99, 101, 400, 3000)),
    st.sampled_from((None, 0, 1.4, 9)),
    st.integers(0, 7),
)


def whatever(
    sent: Sequence[tuple[int, float, int, float | None, int]],
) -> list[tuple[Fix, list[Fence]]]:
    """Fixes with the fences that held when they came: each of three is open or done."""
    at_s, found = 0, []
    for n, (after_s, at_m, acc_m, speed_ms, closed) in enumerate(sent):
        at_s += after_s
        fences = [door(f"{k}", k * 45, is_open=not closed & 1 << k) for k in range(3)]
        found.append((a_fix(at_s, at_m, acc_m, speed_ms, seq=n), fences))
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_FIX, max_size=120))
def test_arrivals_and_departures_alternate_whatever_the_phone_sends(sent) -> None:
    track, last = Track(), dict[str, Fact]()
    for fix, fences in whatever(sent):
        track, facts, _ = advance(track, fix, fences, fix.at_ms)
        for fact in facts:
            before = last.get(fact.stop_id)
            assert fact.kind in FOLLOWS[before and before.kind]
            assert 0 < fact.confidence <= 1
            assert (before.at_ms if before else 0) <= fact.at_ms <= fix.at_ms
            assert fact.fix_seq == fix.seq
            last[fact.stop_id] = fact


@settings(max_examples=100, deadline=None)
@given(st.lists(ANY_FIX, max_size=80), st.lists(st.integers(0, 80), max_size=6))
def test_fixes_that_are_sent_again_in_other_batches_change_nothing(sent, cuts) -> None:
    fixes = whatever(sent)
    resent = list(fixes)
    for cut in sorted(cuts, reverse=True):  # each batch begins with the end of the one before
        resent[cut:cut] = resent[max(0, cut - 5) : cut]

    def told(some: Sequence[tuple[Fix, list[Fence]]]) -> list[Fact]:
        track, facts = Track(), list[Fact]()
        for fix, fences in some:
            track, new, _ = advance(track, fix, fences, NOW * 2)
            facts += new
        return facts

    assert told(resent) == told(fixes)


# ---- drives whose truth is known ----


@cache
def in_streets(tells_speed: bool) -> tuple[Score, Score]:
    """Our score and the plain circle's."""
    drives = made_drives((5, 10, 20), tells_speed=tells_speed)
    return scored(drives, ours), scored(drives, plain)


def test_on_streets_with_lights_and_walls_no_more_than_3_in_100_are_missed_or_false() -> None:
    (with_it, plain_with_it), (without, plain_without) = in_streets(True), in_streets(False)
    us, them = with_it + without, plain_with_it + plain_without
    assert us.recall >= 0.97
    assert us.precision >= 0.97
    assert us.precision > 2 * them.precision


def test_with_phones_that_tell_their_speed_a_plain_circle_finds_no_more() -> None:
    us, them = in_streets(True)
    assert us.recall >= them.recall
    assert us.recall >= 0.99
    assert us.precision >= 0.99


def test_with_errors_of_50_m_nine_in_ten_are_still_right() -> None:
    drives = made_drives((35, 50))
    us = scored(drives, ours)
    assert us.recall >= 0.93
    assert us.precision >= 0.93


@needs_data
def test_on_recorded_traces_every_long_stay_is_found_and_few_others() -> None:
    us, them = Score(), Score()
    for name in ("geolife", "gpsies", "posmo"):
        for noise_m in (0, 10, 20):
            drive = recorded_drive(name, noise_m, lost=0.1 if noise_m else 0)
            us, them = us + scored([drive], ours), them + scored([drive], plain)
    assert us.recall >= max(0.97, them.recall)
    assert us.precision >= 0.85 > them.precision


def test_who_stands_by_a_door_before_he_heads_for_it_comes_when_he_does() -> None:
    van = Van(at_m=0).stay(600)
    by_the_yard = replace(door("first"), from_ms=NOW + 540_000)
    [came] = facts_of(van.fixes, by_the_yard)
    assert came.kind is Kind.ARRIVED
    assert came.at_ms == by_the_yard.from_ms
