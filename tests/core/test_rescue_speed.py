"""Few places are judged in full; what is found is as good as if all of them were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub.core.fit import problems, timed, worse
from hub.core.rescue import CARE, NO_TIME, Care, Way, shared_out
from hub.core.rescue_places import Outlook
from tests.lost_vans import LostVan, a_lost_van

EVERY = Care(10**6, 10**6, 10**6)
SIZES = (
    {"stops": (8, 5), "left": 5},
    {"stops": (7, 6, 4), "left": 6, "pairs": 2},
    {"stops": (8, 5), "left": 5, "free": 1, "waiting": 2},
    {"stops": (6, 6), "left": 5, "windows": 0.6, "rush": True},
)


def a_day(seed: int) -> LostVan:
    return a_lost_van(seed, **SIZES[seed % len(SIZES)])  # type: ignore[arg-type]


def ways(day: LostVan, care: Care = CARE) -> Iterator[Way]:
    """Who is free, or else who is on the road, alone; all of those together."""
    road = [one for one in day.takers if one.stops]
    for one in day.takers[-1:]:
        yield shared_out(
            "replacement", one.id, [one], day.load, day.travel, day.now, (), ("at once",), care=care
        )
    yield shared_out("shared", "", road, day.load, day.travel, day.now, care=care)


def test_judging_few_places_is_as_good_as_judging_every_one() -> None:
    quick, whole = list[Way](), list[Way]()
    for seed in range(8):
        quick += ways(a_day(seed))
        whole += ways(a_day(seed), EVERY)
    for one, other in zip(quick, whole, strict=True):
        assert (bool(one.why_not), len(one.left_out)) == (bool(other.why_not), len(other.left_out))
        assert one.late_s <= other.late_s * 1.1 + 300
        assert one.cost <= other.cost * 1.15
    assert sum(one.late_s for one in quick) <= 1.02 * sum(one.late_s for one in whole)
    assert sum(one.cost for one in quick) <= 1.02 * sum(one.cost for one in whole)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_found_breaks_no_rule_that_held_and_does_each_job_once(seed: int) -> None:
    day = a_day(seed)
    before = {one.id: problems(timed(one, day.travel, day.now)) for one in day.takers}
    for way in ways(day):
        moved = [id for share in way.shares for id in share.job_ids]
        asked = [job.id for unit in day.load.units for job in unit]
        assert sorted((*moved, *way.left_out)) == sorted(asked)
        for share in way.shares:
            found = worse(problems(share.route), before[share.was.id])
            assert [one for one in found if not one.is_promise] == []
            again = timed(share.route, day.travel, day.now)
            assert [stop.arrive for stop in again.stops] == [s.arrive for s in share.route.stops]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_foreseen_is_so_where_roads_are_even_and_nobody_rests(seed: int) -> None:
    day = a_lost_van(seed, (9,), 5)
    route = replace(day.takers[0], vehicle=replace(day.takers[0].vehicle, breaks=()))
    route = timed(replace(route, rests=()), day.travel, day.now)
    before = problems(route)
    outlook = Outlook(route, day.travel, day.now, before)
    assert outlook.is_sure
    for job, *_ in day.load.units:
        way = shared_out(
            "shared",
            "",
            [route],
            replace(day.load, units=((job,),), aboard=frozenset()),
            day.travel,
            day.now,
            care=EVERY,
        )
        lawful = [one for one in outlook.guesses([job]) if not one.broken]
        assert bool(way.why_not) == (not lawful)
        if lawful:
            assert (way.late_s // 60, way.cost) == (
                lawful[0].late_min,
                pytest.approx(lawful[0].cost, abs=2),
            )


def test_without_time_a_way_is_not_looked_at_and_with_some_the_best_until_then_counts() -> None:
    day = a_day(0)
    road = [one for one in day.takers if one.stops]
    none = shared_out("shared", "x", road, day.load, day.travel, day.now, goes_on=lambda: False)
    assert (none.why_not, none.is_looked_at, none.shares) == (NO_TIME, False, ())
    asked = 0

    def once() -> bool:
        nonlocal asked
        asked += 1
        return asked < most

    most = 10**6
    shared_out("shared", "x", road, day.load, day.travel, day.now, goes_on=once)
    most, asked = asked - 1, 0
    some = shared_out("shared", "x", road, day.load, day.travel, day.now, goes_on=once)
    assert some.is_looked_at
    assert some.moved
