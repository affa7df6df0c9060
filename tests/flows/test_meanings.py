"""What the geofence noticed becomes acts: once each, beneath the driver's word, reversible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

import pytest
from sqlalchemy import event
from sqlmodel import select

from hub.db.tables import MeaningCursorRow
from hub.flows.dispatch import remove_job
from hub.flows.meanings import apply_meanings
from hub.live.store import Positions
from tests.noticing_worlds import Round, moment

TAKEN = {"arrived": "arrive", "left": "leave"}


@pytest.fixture
def driving(database_url: str) -> Round:
    return Round(database_url)


def test_an_arrival_that_was_noticed_puts_the_job_at_the_door(driving: Round) -> None:
    driving.clock(3)
    driving.noticed("arrived", 0, 1, confidence=0.8)
    assert driving.apply() == 1
    assert driving.job().state == "arrived"
    [act] = driving.acts()
    assert (act.kind, act.occurred_at, act.received_at) == ("arrive", moment(1), moment(3))
    assert act.body == {"by": "geofence", "confidence": 0.8}


def test_an_arrival_is_announced_with_its_confidence_and_moment(driving: Round) -> None:
    driving.noticed("arrived", 0, 1, confidence=0.8)
    driving.apply()
    [told] = driving.told("DriverArrived")
    assert told.payload == {"job_id": driving.job().id, "confidence": 0.8}
    assert told.occurred_at == moment(1)
    assert told.actor == f"device:{driving.phone.id}"


def test_a_departure_without_a_close_lets_the_job_wait_again(driving: Round) -> None:
    driving.noticed("arrived", 0, 1)
    driving.noticed("left", 0, 5)
    driving.apply()
    assert driving.job().state == "dispatched"
    assert len(driving.told("DriverLeft")) == 1


def test_an_arrival_taken_back_is_as_if_it_had_not_been(driving: Round) -> None:
    driving.tell("head_for", 0, 0)
    driving.noticed("arrived", 0, 1)
    driving.apply()
    driving.noticed("not_arrived", 0, 2)
    driving.apply()
    assert driving.job().state == "en_route"
    assert [row.name for row in driving.told("DriverArrived", "DriverLeft")] == [
        "DriverArrived",
        "DriverLeft",
    ]


def test_a_departure_taken_back_leaves_the_driver_at_the_door(driving: Round) -> None:
    for kind, minute in (("arrived", 1), ("left", 3), ("not_left", 4)):
        driving.noticed(kind, 0, minute)
    driving.apply()
    assert driving.job().state == "arrived"


def test_a_take_back_does_not_undo_the_drivers_own_tap(driving: Round) -> None:
    driving.noticed("arrived", 0, 1)
    driving.apply()
    driving.tell("arrive", 0, 2)
    driving.noticed("not_arrived", 0, 3)
    driving.apply()
    assert driving.job().state == "arrived"


def test_the_geofence_does_not_move_a_driver_away_who_says_he_is_there(driving: Round) -> None:
    driving.noticed("arrived", 0, 1)
    driving.noticed("left", 0, 4)
    driving.apply()
    driving.tell("arrive", 0, 2)  # his phone had no signal until now
    assert driving.job().state == "arrived"


def test_a_driver_who_says_that_he_is_not_there_yet_outranks_the_geofence(driving: Round) -> None:
    driving.tell("head_for", 0, 0)
    driving.noticed("arrived", 0, 1)
    driving.apply()
    driving.tell("not_arrived", 0, 2)
    assert driving.job().state == "en_route"
    driving.noticed("left", 0, 3)
    driving.apply()
    assert driving.job().state == "en_route"
    assert len(driving.told("DriverLeft")) == 1


def test_what_is_noticed_after_a_driver_took_his_arrival_back_counts(driving: Round) -> None:
    driving.tell("arrive", 0, 1)
    driving.tell("not_arrived", 0, 2)
    driving.noticed("arrived", 0, 9)
    driving.apply()
    assert driving.job().state == "arrived"
    driving.noticed("left", 0, 12)
    driving.apply()
    assert driving.job().state == "dispatched"


def test_an_arrival_noticed_before_he_said_not_yet_but_heard_of_later_does_not_count(
    driving: Round,
) -> None:
    driving.tell("not_arrived", 0, 2)
    driving.noticed("arrived", 0, 1)
    driving.apply()
    assert driving.job().state == "dispatched"
    assert driving.told("DriverArrived") == []


def test_a_driver_seen_at_another_door_is_no_longer_at_the_first(driving: Round) -> None:
    driving.tell("arrive", 0, 1)
    for kind, n, minute in (("left", 0, 4), ("arrived", 1, 8)):
        driving.noticed(kind, n, minute)
    driving.apply()
    assert [job.state for _, job in driving.stops()] == ["dispatched", "arrived", "dispatched"]


def test_a_driver_who_told_that_he_is_there_is_not_announced_twice(driving: Round) -> None:
    driving.tell("arrive", 0, 1)
    driving.noticed("arrived", 0, 2)
    driving.apply()
    assert len(driving.told("DriverArrived")) == 1


def test_a_closed_job_stays_as_it_was_closed(driving: Round) -> None:
    driving.tell("arrive", 0, 1)
    photo = [{"kind": "photo", "sha256": "0" * 64}]
    driving.tell("close", 0, 2, outcome="succeeded", files=photo)
    driving.noticed("arrived", 0, 3)
    driving.noticed("left", 0, 4)
    driving.apply()
    assert driving.job().state == "closed"
    assert [act.result for act in driving.acts() if act.act_id.startswith("fence:")] == [
        "noted"
    ] * 2
    assert driving.told("DriverLeft") == []


def test_the_state_is_the_same_in_whatever_order_the_words_come() -> None:
    """Acts come by one way and meanings by another; either may be late."""
    taps = [("head_for", 0, 0), ("arrive", 0, 2), ("head_for", 1, 6)]
    fixes = [("arrived", 0, 1), ("left", 0, 5), ("not_left", 0, 5.5), ("arrived", 1, 9)]
    ends = set()
    some = list(combinations(range(7), 3))[::6]
    for first in some:  # at which turns a tap comes; else a meaning
        driving = Round()
        tap, fix = iter(taps), iter(fixes)
        for turn in range(7):
            if turn in first:
                driving.tell(*next(tap))
            else:
                driving.noticed(*next(fix))
                driving.apply()
        ends.add(tuple(job.state for _, job in driving.stops()))
    assert len(ends) == 1


def test_meanings_taken_again_change_nothing(driving: Round) -> None:
    """The cursor lies in another file than the meanings: one of them may come from a backup."""
    for kind, minute in (("arrived", 1), ("not_arrived", 2), ("arrived", 3)):
        driving.noticed(kind, 0, minute)
    driving.apply()
    with driving.hub.unit() as unit:
        unit.session.exec(select(MeaningCursorRow)).one().last_id = 0
    assert driving.apply() == 3
    assert len(driving.acts()) == 3
    assert driving.job().state == "arrived"
    assert len(driving.told("DriverArrived", "DriverLeft")) == 3


@contextmanager
def cut_off(driving: Round, nth: int) -> Iterator[None]:
    """The database goes away before the ``nth`` statement that would write."""
    left = [nth]

    def count(conn: object, cursor: object, statement: str, *_: object) -> None:
        if statement.split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            left[0] -= 1
            if left[0] == 0:
                raise ConnectionError("cut off")

    event.listen(driving.hub.engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(driving.hub.engine, "before_cursor_execute", count)


def test_a_worker_cut_off_at_any_moment_loses_and_doubles_no_meaning(driving: Round) -> None:
    story = [("arrived", 0, 1), ("left", 0, 3), ("arrived", 1, 5), ("not_arrived", 1, 6)]
    for said in story:
        driving.noticed(*said)
    cuts = 0
    for nth in range(1, 40):
        try:
            with cut_off(driving, nth):
                driving.apply()
        except ConnectionError:
            cuts += 1
            continue
        break
    assert cuts > 3
    kinds = Counter(act.kind for act in driving.acts())
    assert kinds == {"arrive": 2, "leave": 1, "not_arrived": 1}
    assert [job.state for _, job in driving.stops()] == ["dispatched"] * 3
    assert Counter(row.name for row in driving.told("DriverArrived", "DriverLeft")) == {
        "DriverArrived": 2,
        "DriverLeft": 2,
    }


def test_two_workers_at_once_take_each_meaning_once(driving: Round) -> None:
    driving.noticed("arrived", 0, 1)
    seen = driving.positions.meanings(0)

    class Slow(Positions):
        """Its reader is overtaken by another worker between reading and taking."""

        def meanings(self, after_id: int, limit: int = 200) -> list:  # type: ignore[type-arg]
            driving.apply()
            return seen

    assert apply_meanings(driving.hub, Slow(driving.positions.engine)) == 0
    assert len(driving.acts()) == 1


def test_what_was_noticed_of_a_stop_that_left_the_route_holds_nothing_up(driving: Round) -> None:
    driving.noticed("arrived", 0, 1)
    driving.noticed("arrived", 1, 6)
    route = driving.day.route()
    remove_job(
        driving.hub,
        driving.business_id,
        route.id,
        driving.job(0).id,
        actor="staff:1",
        expected_version=route.version,
    )
    assert driving.apply() == 2
    assert [act.kind for act in driving.acts()] == ["arrive"]
