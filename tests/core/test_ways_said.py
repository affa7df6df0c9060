"""What would have to give, in a dispatcher's words."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from hub.core.plan_request import JobToPlan, PlanRequest
from hub.core.planning import completed, violations
from hub.core.ways_out import Change, WayOut, changed, ways_out
from hub.core.ways_said import LESS, Crew, button, minutes, said
from hub.core.whole_ways import room_without, whole
from hub.testing.days import a_bakery_day, a_van, at, between

HELSINKI = ZoneInfo("Europe/Helsinki")
CREWS = {"van": Crew("Ana", "Van 2"), "bike": Crew("Ben")}


def clock(hour: float) -> str:
    return f"{at(hour).astimezone(HELSINKI):%H:%M}"


def a_day() -> PlanRequest:
    job = JobToPlan(id="j", place=1, service_s=600, windows=(between(10, 12),), ready_at=at(9))
    return a_bakery_day((job,), (a_van(shift=between(8, 16), overtime_s=1800), a_van(id="bike")))


def way(change: Change, amount: int, vehicle_id: str = "", dimension: str = "") -> WayOut:
    return WayOut(change, "j", vehicle_id, amount, dimension, {})


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            way(Change.OVERTIME, 840, "van"),
            f"Ana works 14 min longer, until {clock(16.5 + 14 / 60)}",
        ),
        (
            way(Change.START_EARLIER, 1200, "van"),
            f"Ana starts 20 min earlier, at {clock(8 - 1 / 3)}",
        ),
        (
            way(Change.OPEN_EARLIER, 1200),
            f"its window opens 20 min earlier, at {clock(10 - 1 / 3)}",
        ),
        (way(Change.CLOSE_LATER, 3600), f"its window closes 1 h later, at {clock(13)}"),
        (way(Change.CAPACITY, 40_000, "van", "g"), "Van 2 may carry 40 kg more"),
        (way(Change.CAPACITY, 3000, "bike", "cm3"), "Ben's vehicle may carry 3 l more"),
        (way(Change.CAPACITY, 1, "van", "parcels"), "Van 2 may carry 1 parcel more"),
        (way(Change.LONGER_DAY, 4800, "van"), "Ana's longest working day may be 1 h 20 min longer"),
        (way(Change.MORE_JOBS, 1, "van"), "Ana may take 1 stop more"),
        (
            way(Change.READY_EARLIER, 600),
            f"its goods are ready 10 min earlier, at {clock(9 - 1 / 6)}",
        ),
        (way(Change.ON_BOARD_LONGER, 780), "it may be on board 13 min longer"),
        (way(Change.SHORTER_SERVICE, 180), "it takes 3 min less at the door"),
        (way(Change.NO_BREAK, 0, "van"), "Ana's break is moved or left out"),
        (way(Change.SKILL, 0, "van", "lift"), "Ana or Van 2 has: lift"),
        (way(Change.ALLOW, 0, "bike"), "Ben may do it"),
        (
            way(Change.ANOTHER_VAN, 0, "van"),
            "one more driver works, with the hours and the vehicle of Ana",
        ),
    ],
    ids=lambda one: str(one.change) if isinstance(one, WayOut) else "",
)
def test_each_kind_is_one_sentence_with_names_and_local_times(one: WayOut, sentence: str) -> None:
    assert said(one, a_day(), CREWS, HELSINKI) == f"It fits if {sentence}."


def test_only_what_the_business_can_set_has_a_button() -> None:
    assert button(way(Change.OVERTIME, 840, "van"), CREWS) == "Let Ana work 14 min longer"
    assert button(way(Change.CLOSE_LATER, 840), CREWS) == "Change the window"
    assert button(way(Change.CAPACITY, 1000, "van", "g"), CREWS) == ""


def test_spans_of_hours_and_of_seconds_are_said_exactly() -> None:
    assert (minutes(7200), minutes(75)) == ("2 h", "1 min 15 s")


def test_what_is_said_is_the_fewest_whole_minutes_that_work() -> None:
    # The shift begins at 8, place 3 is 30 minutes away, the window closed at 8:10.
    request = a_bakery_day((JobToPlan(id="j", place=3, windows=(between(7, 8 + 10 / 60),)),))
    plan = completed(request, {})
    for found in ways_out(request, plan, "j"):
        best = whole(request, plan, found)
        assert best.amount == 20 * 60
        relaxed = changed(request, best)
        assert not violations(relaxed, completed(relaxed, best.routes))
        less = completed(changed(request, replace(best, amount=19 * 60)), {})
        assert "j" in less.unassigned


def test_kilograms_are_whole_too() -> None:
    jobs = (
        JobToPlan(id="a", place=1, load={"g": 60_000}),
        JobToPlan(id="b", place=2, load={"g": 50_300}),
    )
    request = a_bakery_day(jobs, (a_van(capacity={"g": 100_000}),))
    plan = completed(request, {})
    [left] = plan.unassigned
    ways = {one.change: whole(request, plan, one) for one in ways_out(request, plan, left)}
    assert ways[Change.CAPACITY].amount == 11_000
    assert ways[Change.ANOTHER_VAN].amount == 0


def test_no_more_time_is_saved_at_the_door_than_is_spent_there() -> None:
    one = way(Change.SHORTER_SERVICE, 590)
    assert whole(a_day(), completed(a_day(), {}), one) == one


def test_room_that_is_there_needs_no_change() -> None:
    jobs = (JobToPlan(id="a", place=1), JobToPlan(id="j", place=2))
    request = a_bakery_day(jobs)
    alone = completed(replace(request, jobs=jobs[:1]), {})
    room = room_without(request, replace(alone, unassigned={"j": "?"}), "j")
    assert room is not None and sorted(id for way in room.values() for id in way) == ["a", "j"]
    full = a_bakery_day((JobToPlan(id="j", place=1, skills=frozenset({"lift"})),))
    assert room_without(full, completed(full, {}), "j") is None


def test_what_was_not_tried_to_the_end_is_said() -> None:
    one = way(Change.OVERTIME, 840, "van")
    told = said(replace(one, is_least=False), a_day(), CREWS, HELSINKI)
    assert told == said(one, a_day(), CREWS, HELSINKI) + LESS
