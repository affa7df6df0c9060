"""A stop at another place in its route's order, with its consequence known before."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from hub.core.jobs import NotNow
from hub.core.orders import Kind
from hub.core.values import Point
from hub.db.tables import JobRow, PromiseRow, StopRow
from hub.flows.board_order import turn, turns
from hub.flows.dispatch import DoesNotFit, RouteConflict, add_job, best_places
from tests.board_worlds import DAY, MINUTE, SIX, TEN, Running, a_running_day


@pytest.fixture
def day(tmp_path: Path) -> Running:
    return a_running_day(tmp_path)


def put(day: Running, stop: StopRow, position: int, **more: object) -> None:
    usual: dict[str, object] = {
        "actor": "staff:1",
        "expected_version": day.route("Mara").version,
        "force": True,
    }
    turn(day.hub, day.business_id, stop.id, position, **usual | more)  # type: ignore[arg-type]


def order(day: Running) -> list[str]:
    return [stop.id for stop in day.stops("Mara")]


def test_a_stop_goes_to_each_number_it_is_offered(day: Running) -> None:
    stop = day.stops("Mara")[1]
    offered = [one.position for one in turns(day.hub, day.business_id, stop.id)]
    assert offered == [1, 3, 4]
    for position in (4, 1, 3):
        put(day, stop, position)
        assert order(day)[position - 1] == stop.id
        assert [one.n for one in day.stops("Mara")] == [1, 2, 3, 4]


def test_the_time_and_the_way_shown_are_those_that_come_true(day: Running) -> None:
    stop = day.stops("Mara")[3]
    before = day.route("Mara")
    [first] = [one for one in turns(day.hub, day.business_id, stop.id) if one.position == 1]
    put(day, stop, 1)
    now_first, after = day.stops("Mara")[0], day.route("Mara")
    assert now_first.arrive_at == first.arrive_at
    assert after.version == before.version + 1
    assert after.distance_m - before.distance_m == pytest.approx(first.extra_m, abs=60)


def test_there_and_back_again_is_as_if_nothing_had_happened(day: Running) -> None:
    stop, was = day.stops("Mara")[2], [one.arrive_at for one in day.stops("Mara")]
    [away] = [one for one in turns(day.hub, day.business_id, stop.id) if one.position == 4]
    put(day, stop, 4, force=False)
    [back] = [one for one in turns(day.hub, day.business_id, stop.id) if one.position == 3]
    assert (back.extra_s, back.extra_m) == (-away.extra_s, -away.extra_m)
    put(day, stop, 3, force=False)
    assert [one.arrive_at for one in day.stops("Mara")] == was
    assert [len(day.promises(job)) for one in day.stops("Mara") for job in day.jobs(one)] == [1] * 4


def test_nothing_comes_before_what_is_under_way(day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    first, *_, last = day.stops("Mara")
    [job] = day.jobs(first)
    day.says("Mara", "head_for", day.now[0], job)
    assert [one.position for one in turns(day.hub, day.business_id, last.id)] == [2, 3]
    assert turns(day.hub, day.business_id, first.id) == ()
    with pytest.raises(NotNow):
        put(day, last, 1)
    with pytest.raises(NotNow):
        put(day, first, 3)


def test_a_door_done_out_of_turn_leaves_the_others_to_be_driven_after_it(day: Running) -> None:
    """What came in then was promised 10:10, after three doors that took until half past eleven."""
    now = day.now[0] = TEN
    day.begin("Mara")
    *open_stops, last = day.stops("Mara")
    [job] = day.jobs(last)
    day.says("Mara", "head_for", now, job)
    first, *_ = open_stops
    assert [one.position for one in turns(day.hub, day.business_id, first.id)] == [2, 3]
    assert turns(day.hub, day.business_id, last.id) == ()
    day.says("Mara", "close", now, job, outcome="failed", reason="nobody_home")
    new = day.order("2001", Point(60.1660, 24.9390))
    offers = best_places(day.hub, day.business_id, new.id, DAY)
    [offer] = [one for one in offers if one.driver == "Mara Aho"]
    about = day.hub, day.business_id, offer.route_id, new.id
    add_job(*about, actor="staff:1", expected_version=offer.version)
    stops, route = day.stops("Mara"), day.route("Mara")
    assert stops[3].id == last.id  # it keeps its number
    to_do = [stop for stop in stops if stop.id != last.id]
    assert [job.id for job in day.jobs(stops[offer.position - 1])] == [new.id]
    for before, stop in pairwise(to_do):
        assert stop.arrive_at >= before.depart_at
    assert to_do[0].arrive_at >= now
    assert route.back_at is not None and route.back_at >= to_do[-1].depart_at


@pytest.mark.parametrize("nowhere", [0, 4, 5, 999_999_999])
def test_a_number_the_route_does_not_have_is_refused(day: Running, nowhere: int) -> None:
    stop, was = day.stops("Mara")[3], order(day)
    with pytest.raises(NotNow):
        put(day, stop, nowhere)
    assert order(day) == was


def test_a_promise_it_breaks_is_named_before_and_refused_until_somebody_insists(
    day: Running,
) -> None:
    stop, was = day.stops("Mara")[0], order(day)
    with day.hub.unit() as unit:
        for job in day.jobs(stop):
            told = {"business_id": day.business_id, "job_id": job.id, "n": 2, "at": SIX}
            span = {"opens": SIX, "closes": stop.arrive_at + MINUTE}
            unit.session.add(PromiseRow(**told, **span, told_by="page"))
    last = turns(day.hub, day.business_id, stop.id)[-1]
    assert not last.fits
    assert "was promised" in last.promises[0]
    with pytest.raises(DoesNotFit):
        put(day, stop, 4, force=False)
    assert order(day) == was
    put(day, stop, 4)
    assert order(day)[3] == stop.id
    [job] = day.jobs(stop)
    *_, told = day.promises(job)
    assert told.opens <= day.stops("Mara")[3].arrive_at <= told.closes


def test_goods_are_never_brought_before_they_are_fetched(tmp_path: Path) -> None:
    day = a_running_day(tmp_path, published=False)
    fetch, bring = day.stops("Mara")[:2]
    [one], [other] = day.jobs(fetch), day.jobs(bring)
    with day.hub.unit() as unit:  # as the two halves of one order
        first, second = unit.session.get_one(JobRow, one.id), unit.session.get_one(JobRow, other.id)
        first.kind, first.leg = Kind.COLLECT, "collect"
        second.order_id, second.leg = first.order_id, "deliver"
    assert [one.position for one in turns(day.hub, day.business_id, bring.id)] == [3, 4]
    with pytest.raises(NotNow, match="collected first"):
        put(day, bring, 1)


def test_an_order_made_from_an_old_look_changes_nothing(day: Running) -> None:
    version, stops = day.route("Mara").version, day.stops("Mara")
    put(day, stops[1], 1, expected_version=version)
    was = order(day)
    with pytest.raises(RouteConflict):
        put(day, stops[2], 1, expected_version=version)
    assert order(day) == was
