"""What a worker whose clock leaps is told to do, and how little is asked where nothing is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address
from hub.db.tables import MeaningCursorRow
from hub.flows.connections import connection_id
from hub.flows.drive import take_acts
from hub.flows.eta_errors import learn
from hub.flows.locate import LOCATE
from hub.flows.meanings import CURSOR
from hub.flows.outward import APART
from hub.flows.overview import day_seen
from hub.flows.phone import shown_to
from hub.flows.sync import store_all
from hub.flows.waiting import ADDRESSES, EVENTS, MEANINGS, NOTICES, what_waits
from tests.driving_worlds import DAY, SIX, Morning, a_morning, act
from tests.flows.test_estimate import EIGHT, estimate, under_way
from tests.noticing_worlds import Round


@contextmanager
def asked(hub: Hub) -> Iterator[list[str]]:
    """Every statement the database gets meanwhile."""
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        said.append(statement)

    event.listen(hub.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(hub.engine, "before_cursor_execute", note)


def an_order_comes_in(day: Morning) -> None:
    order = IncomingOrder(
        ref="new", number="new", updated_at=SIX, address=Address(("Yrjönkatu 9",), country="FI")
    )
    store_all(day.hub, day.business_id, connection_id(day.hub, day.business_id, "api"), [order])


def all_but_apart(hub: Hub) -> int:
    return hub.deliver_events(but=(LOCATE, *APART))


def test_a_geocoder_is_waited_for_apart_from_all_else(database_url: str) -> None:
    day = a_morning(url=database_url)
    while all_but_apart(day.hub) or day.hub.deliver_events(only=(LOCATE,)):
        pass
    assert EVENTS not in what_waits(day.hub)
    an_order_comes_in(day)
    assert EVENTS in what_waits(day.hub)
    all_but_apart(day.hub)
    assert {EVENTS, ADDRESSES} & what_waits(day.hub) == {ADDRESSES}
    day.hub.deliver_events(only=(LOCATE,))
    assert ADDRESSES not in what_waits(day.hub)


def test_what_was_noticed_waits_until_the_cursor_has_passed_it() -> None:
    driving = Round()
    assert MEANINGS not in what_waits(driving.hub)
    driving.noticed("arrived", 0, 0)
    assert MEANINGS in what_waits(driving.hub)
    driving.apply()
    assert MEANINGS not in what_waits(driving.hub)
    with driving.hub.reading() as session:
        assert session.get_one(MeaningCursorRow, CURSOR).last_id > 0
    assert NOTICES not in what_waits(driving.hub)


def test_a_phone_asks_nothing_about_what_its_route_has_not() -> None:
    day = a_morning()
    day.publish()
    device = day.phone()
    with asked(day.hub) as said:
        shown_to(day.hub, device)
    about_nobody = [one for one in said if "IN (NULL)" in one or "IN (SELECT 1 " in one]
    assert about_nobody == []


def test_a_day_that_is_on_its_phones_is_looked_at_without_asking_what_is_left() -> None:
    drafted, published = a_morning(), a_morning()
    published.publish()
    counts = []
    for day in (drafted, published):
        with asked(day.hub) as said:
            day_seen(day.hub, day.business_id, DAY)
        counts.append(len(said))
    assert counts[1] < counts[0]


@pytest.mark.parametrize(("kind", "worked_out"), [("head_for", True), ("close", False)])
def test_states_are_worked_out_anew_only_from_acts_that_say_how_far(
    kind: str, worked_out: bool
) -> None:
    day = a_morning()
    day.publish()
    phone, job = day.phone(), day.jobs()[0]
    close = {"outcome": "failed", "reason": "nobody_home"} if kind == "close" else {}
    with asked(day.hub) as said:
        [result] = take_acts(day.hub, phone, [act("a1", kind, job, 0, **close)])
    assert result.result == "applied"
    assert any("act.kind IN" in one for one in said) is worked_out


def test_what_a_morning_teaches_is_kept_in_one_unit() -> None:
    driving = under_way(Round())
    estimate(driving, EIGHT + 1)
    for n in range(3):
        driving.tell("close", n, EIGHT + 30, outcome="skipped", reason="other")
    commits: list[object] = []
    note: Callable[[object], None] = commits.append
    event.listen(driving.hub.engine, "commit", note)
    learned = learn(driving.hub)
    event.remove(driving.hub.engine, "commit", note)
    assert (learned, len(commits)) == (3, 1)


def test_what_a_phone_says_again_is_answered_without_a_turn_for_each(database_url: str) -> None:
    day = a_morning(url=database_url)
    day.publish()
    phone = day.phone()
    acts = [act(f"a{n}", "head_for", job, n) for n, job in enumerate(day.jobs())]
    first = take_acts(day.hub, phone, acts)
    with asked(day.hub) as said:
        again = take_acts(day.hub, phone, acts)
    assert [(one.act_id, one.result, one.why) for one in again] == [
        (one.act_id, one.result, one.why) for one in first
    ]
    assert all(one.repeated for one in again)
    assert len([one for one in said if one.startswith("SELECT")]) == 1
