"""All ways out, one after the other, as far as there is time."""

from __future__ import annotations

from dataclasses import replace

from hub.core.rescue_every import NO_ROOM, Asked, each_way
from hub.core.rescue_said import Names, said
from tests.lost_vans import a_lost_van

NAMES = Names("M van", "Bakery", {f"job{n}": f"#{n}" for n in range(20)})


def asked(free: int = 1) -> Asked:
    day = a_lost_van(3, (5, 4), 4, free=free, windows=0)
    return Asked(
        road={one.id: one for one in day.takers if one.stops},
        free={one.id: one for one in day.takers if not one.stops},
        swaps={},
        load=day.load,
        at_depot=replace(day.load, place=0),
        travel=day.travel,
        now=day.now,
        known=(),
        no_swap="The van does not drive.",
    )


def test_every_way_is_shown_as_soon_as_it_is_found_and_all_of_them_at_last() -> None:
    this = asked()
    steps = list(each_way(this))
    assert len(steps) == len(this.keys) + 1
    assert {way.key for way in steps[0]} == {"to:f0", "in:"}
    assert {"to:f0", "shared", "depot", "in:"} <= {way.key for way in steps[-1]}
    assert all(way.is_looked_at for way in steps[-1])


def test_what_there_was_no_time_for_is_named() -> None:
    this, done = asked(), list[bool]()

    def one_way_only() -> bool:
        return len(done) == 0

    found = []
    for step in each_way(this, one_way_only):
        found = step
        done.append(True)
    skipped = [way for way in found if not way.is_looked_at]
    assert {way.key for way in skipped} == set(this.keys) - {"to:f0"}
    whos = [said(way, this, NAMES).who for way in skipped]
    assert "t0 takes over all of it in t0 van, on the way already" in whos
    assert "The load goes back to Bakery" in whos


def test_nobody_free_and_nobody_with_room_is_said() -> None:
    this = asked(free=0)
    tight = {
        id: replace(one, vehicle=replace(one.vehicle, capacity={"parcels": 1}))
        for id, one in this.road.items()
    }
    *_, found = each_way(replace(this, road=tight))
    assert NO_ROOM in {way.why_not for way in found}
