"""Ways out for the load of a van that goes no further, worked out by hand.

Places lie on one road, a minute and a kilometre apart: the depot at 0, the van stands at 5.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.core.fit import RouteNow, Stage, StopNow, problems
from hub.core.plan_request import JobToPlan, TravelMatrix, VehicleToPlan
from hub.core.rescue import Load, Way, shared_out
from hub.core.values import TimeWindow

NOW = datetime(2026, 11, 23, 8, 40, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROAD = TravelMatrix(
    tuple(tuple(60 * abs(a - b) for b in range(12)) for a in range(12)),
    tuple(tuple(1000 * abs(a - b) for b in range(12)) for a in range(12)),
)
TRAVEL = {"car": ROAD}
DAY = TimeWindow(NOW - timedelta(hours=3), NOW + timedelta(hours=8))
HERE = 5


def a_job(place: int, id: str = "", **more: object) -> JobToPlan:
    return JobToPlan(id=id or f"job{place}", place=place, service_s=60, load={"parcels": 1}, **more)  # type: ignore[arg-type]


def a_van(id: str, *stops: int, room: int = 9, done: int = 0) -> RouteNow:
    """``done``: of ``stops``, those it has behind it."""
    vehicle = VehicleToPlan(id=id, start=0, end=0, shift=DAY, capacity={"parcels": room})
    laid = tuple(
        StopNow(
            f"{id}{n}",
            place,
            (a_job(place, f"{id}-{place}"),),
            Stage.DONE if n < done else Stage.TO_DO,
            NOW,
            NOW,
            n + 1,
        )
        for n, place in enumerate(stops)
    )
    return RouteNow(id, f"{id} van", id, vehicle, laid, NOW, NOW, {}, UTC)


def a_load(*jobs: JobToPlan, ready_at: datetime | None = None, place: int = HERE) -> Load:
    return Load(
        place, 600, tuple((job,) for job in jobs), frozenset(job.id for job in jobs), ready_at
    )


def places(way: Way) -> list[list[int]]:
    return [[stop.place for stop in share.route.stops] for share in way.shares]


def test_a_free_van_fetches_the_load_where_it_stands_and_goes_on() -> None:
    """Five minutes there, ten to take over, two doors behind it, and home: 22 minutes of driving
    would be 5 + 1 + 1 + 7, at 25 an hour and 30 cents a kilometre.
    """
    load = a_load(a_job(6), a_job(7))
    way = shared_out("replacement", "x", [a_van("Otso")], load, TRAVEL, NOW)
    assert places(way) == [[HERE, 6, 7]]
    [share] = way.shares
    fetch, first, second = share.route.stops
    assert fetch.arrive == NOW + 5 * MINUTE
    assert first.arrive == NOW + 16 * MINUTE
    assert second.arrive == NOW + 18 * MINUTE
    assert share.route.home == NOW + 26 * MINUTE
    assert way.cost == round(14 * 30 + 2500 * 26 / 60)
    assert (way.extra_m, way.moved, way.left_out, way.why_not) == (14_000, 2, (), "")
    assert problems(share.route) == ()


def test_what_is_taken_over_is_on_board_only_behind_the_place_where_it_is() -> None:
    """A van with room for two has one of its own first: it cannot take two more until then."""
    otso = a_van("Otso", 3, room=2)
    way = shared_out("shared", "x", [otso], a_load(a_job(6), a_job(7)), TRAVEL, NOW)
    assert places(way)[0][:2] == [3, HERE]
    assert way.left_out == ()


def test_goods_that_fit_nowhere_are_left_out_and_what_can_be_done_is_done() -> None:
    heavy = replace(a_job(7), load={"parcels": 20})
    way = shared_out("shared", "x", [a_van("Otso", 3)], a_load(a_job(6), heavy), TRAVEL, NOW)
    assert (way.left_out, way.moved) == (("job7",), 1)
    nothing = shared_out("shared", "x", [a_van("Otso", 3)], a_load(heavy), TRAVEL, NOW)
    assert "too much" in nothing.why_not


def test_a_collection_goes_to_whoever_is_near_without_a_look_at_the_van() -> None:
    collect = a_job(9, load_direction="collect")
    load = Load(HERE, 600, ((collect,),), frozenset())
    way = shared_out("shared", "x", [a_van("Otso", 10), a_van("Mara", 1)], load, TRAVEL, NOW)
    assert [share.was.id for share in way.shares] == ["Otso"]
    assert sorted(places(way)[0]) == [9, 10]
    assert way.shares[0].take_over == ""


def test_who_has_been_at_the_van_takes_more_of_it_rather_than_two_going_there() -> None:
    """Two vans at the same place: one detour of ten minutes' taking over is dearer than none."""
    load = a_load(a_job(6), a_job(7), a_job(8))
    way = shared_out("shared", "x", [a_van("Mara", 4), a_van("Otso", 4)], load, TRAVEL, NOW)
    assert len(way.shares) == 1


def test_two_vans_share_what_one_has_no_room_for() -> None:
    load = a_load(a_job(6), a_job(7))
    takers = [a_van("Mara", 9, room=2), a_van("Otso", 10, room=2)]
    way = shared_out("shared", "x", takers, load, TRAVEL, NOW)
    assert (len(way.shares), way.left_out) in ((1, ()), (2, ()))
    for share in way.shares:
        assert problems(share.route) == ()
        at = [stop.place for stop in share.route.stops]
        assert all(at.index(HERE) < at.index(int(id[3:])) for id in share.job_ids)


def test_promises_that_break_are_named_by_how_much_and_those_broken_before_are_not() -> None:
    promise = TimeWindow(NOW, NOW + 6 * MINUTE)  # nobody can be at 6 before 16 minutes have gone
    otso = a_van("Otso").keeping({"job6": promise})
    way = shared_out("replacement", "x", [otso], a_load(a_job(6)), TRAVEL, NOW)
    assert [(one.about, one.amount) for one in way.late] == [("job6", 600)]
    assert way.late_s == 600
    before = shared_out("replacement", "x", [otso], a_load(a_job(6)), TRAVEL, NOW, way.late)
    assert before.late == ()


def test_a_load_that_comes_back_to_the_depot_is_fetched_once_it_is_there() -> None:
    ready_at = NOW + 20 * MINUTE
    load = a_load(a_job(6), ready_at=ready_at, place=11)
    way = shared_out("depot", "x", [a_van("Otso")], load, TRAVEL, NOW)
    [share] = way.shares
    assert share.fetches is not None
    assert share.route.stops[0].depart == ready_at + 10 * MINUTE


def test_stops_that_are_done_and_others_order_stay() -> None:
    mara = a_van("Mara", 2, 3, 8, 9, done=2)
    way = shared_out("shared", "x", [mara], a_load(a_job(6), a_job(7)), TRAVEL, NOW)
    order = [stop.id for stop in way.shares[0].route.stops if stop.id]
    assert order == ["Mara0", "Mara1", "Mara2", "Mara3"]
    assert [stop.stage for stop in way.shares[0].route.stops[:2]] == [Stage.DONE, Stage.DONE]


def test_a_window_that_was_asked_for_is_not_missed_unless_a_person_says_so() -> None:
    asked = TimeWindow(NOW, NOW + 10 * MINUTE)
    way = shared_out(
        "shared", "x", [a_van("Otso", 3)], a_load(a_job(6, windows=(asked,))), TRAVEL, NOW
    )
    assert "after its window closes" in way.why_not


def test_nobody_to_ask_is_a_reason() -> None:
    assert shared_out("shared", "x", [], a_load(a_job(6)), TRAVEL, NOW).why_not


def a_load_in_two(**more: object) -> Load:
    """One parcel in the van at 5, for the door at 6; one still at the depot, for the door at 2."""
    load = a_load(a_job(6), a_job(2))
    return replace(
        load, aboard=frozenset({"job6"}), waiting=frozenset({"job2"}), load_s=300, **more
    )  # type: ignore[arg-type]


def test_who_starts_at_the_depot_brings_what_the_van_was_to_load_next() -> None:
    way = shared_out("replacement", "x", [a_van("Otso")], a_load_in_two(), TRAVEL, NOW)
    assert (way.why_not, way.left_out) == ("", ())
    assert sorted(places(way)[0]) == [2, HERE, 6]
    assert way.shares[0].loading == ""


def test_who_is_out_comes_back_to_the_depot_for_it() -> None:
    otso = a_van("Otso", 3, 4, done=1)
    way = shared_out("shared", "x", [otso], a_load_in_two(), TRAVEL, NOW)
    [share], [route] = way.shares, places(way)
    assert sorted(route) == [0, 2, 3, 4, HERE, 6]
    assert route.index(0) < route.index(2) and route.index(HERE) < route.index(6)
    assert {job.id for job in share.fetches} == {"take-over:Otso", "load:Otso"}
    loads = next(stop for stop in share.route.stops if stop.place == 0)
    assert loads.depart - loads.arrive == 5 * MINUTE


def test_who_gets_into_the_van_that_stands_there_has_nothing_from_the_depot_yet() -> None:
    way = shared_out("driver", "x", [a_van("Otso")], a_load_in_two(), TRAVEL, NOW)
    assert way.shares[0].loading == "load:Otso"
    assert places(way)[0].index(HERE) < places(way)[0].index(6)
