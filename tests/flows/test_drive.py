"""What phones say: twice, late, in any order, and about jobs that are gone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import cache
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from hub.core.jobs import NextStep, State
from hub.core.orders import IncomingOrder
from hub.core.values import Address
from hub.db.tables import ActRow, ChainRow, DriverRow, ProofRow, StopJobRow
from hub.flows.connections import connection_id
from hub.flows.drive import ActResult, device_for, pair, pairing_code, take_acts
from hub.flows.next_steps import settle
from hub.flows.prove import put_file, verify
from hub.flows.sync import store_all
from tests.driving_worlds import PHOTO, SIX, TEN, Morning, a_morning, act

SCRIPT = [
    ("a1", "load", 0, 0, {}),
    ("a2", "head_for", 0, 1, {}),
    ("a3", "head_for", 1, 2, {}),
    ("a31", "arrive", 2, 3, {}),
    ("a32", "not_arrived", 2, 4, {}),
    ("a4", "arrive", 1, 5, {}),
    ("a5", "close", 1, 8, {"outcome": "succeeded", "files": PHOTO}),
    ("a6", "leave", 1, 9, {}),
    ("a7", "head_for", 0, 10, {}),
    ("a8", "arrive", 0, 12, {}),
    ("a9", "close", 0, 14, {"outcome": "failed", "reason": "nobody_home", "note": "Rang twice"}),
    ("b1", "head_for", 2, 15, {}),
]


def end_state(order: Iterable[int]) -> list[tuple[object, ...]]:
    day = a_morning()
    day.publish()
    jobs, phone = day.jobs(), day.phone()
    for n in order:
        act_id, kind, job, minute, body = SCRIPT[n]
        take_acts(day.hub, phone, [act(act_id, kind, jobs[job], minute, **body)])
    with day.hub.reading() as session:
        assert len(session.exec(select(ActRow)).all()) == len(SCRIPT)
        assert len(session.exec(select(ProofRow)).all()) == 2
    return [(job.state, job.outcome, job.reason, job.closed_occurred_at) for job in day.jobs()]


@cache
def in_order() -> list[tuple[object, ...]]:
    return end_state(range(len(SCRIPT)))


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(len(SCRIPT))), st.lists(st.integers(0, len(SCRIPT) - 1), max_size=6))
def test_acts_shuffled_and_sent_twice_end_as_if_in_order(
    order: list[int], again: list[int]
) -> None:
    assert end_state([*order, *again]) == in_order()


def test_an_arrival_told_by_mistake_is_taken_back_as_if_it_had_not_been() -> None:
    """The page of the customer said for hours that the driver was at the door."""
    day = a_morning()
    day.publish()
    one, two, _ = day.jobs()
    phone = day.phone()
    loaded = replace(act("1", "load", None, 0), route_id=day.route().id)
    taps = [loaded, act("2", "head_for", one, 1), act("3", "arrive", two, 2)]
    take_acts(day.hub, phone, [*taps, act("4", "not_arrived", two, 3)])
    assert [job.state for job in day.jobs()] == ["en_route", "loaded", "loaded"]
    assert [event.payload["job_id"] for event in day.events("DriverLeft")] == [two.id]
    with day.hub.reading() as session:
        mistake = session.exec(select(ActRow).where(ActRow.act_id == "3")).one()
    assert (mistake.result, mistake.why) == ("noted", "The driver took this back.")


def test_who_took_an_arrival_back_arrives_when_he_does() -> None:
    day = a_morning(1)
    day.publish()
    job, phone = day.jobs()[0], day.phone()
    taps = [act("1", "arrive", job, 0), act("2", "not_arrived", job, 1), act("3", "arrive", job, 9)]
    assert [one.result for one in take_acts(day.hub, phone, taps)][1:] == ["applied", "applied"]
    assert day.jobs()[0].state == State.ARRIVED


def test_an_arrival_heard_of_after_it_was_taken_back_is_not_announced() -> None:
    day = a_morning(1)
    day.publish()
    job, phone = day.jobs()[0], day.phone()
    take_acts(day.hub, phone, [act("2", "not_arrived", job, 1)])
    [late] = take_acts(day.hub, phone, [act("1", "arrive", job, 0)])
    assert late.result == "noted"
    assert (day.jobs()[0].state, day.events("DriverArrived")) == (State.DISPATCHED, [])


def test_a_success_without_its_proof_is_refused() -> None:
    day = a_morning()
    day.publish()
    job = day.jobs()[0]
    [answer] = take_acts(day.hub, day.phone(), [act("1", "close", job, 0, outcome="succeeded")])
    assert (answer.result, answer.why) == ("refused", "Proof is missing: photo.")
    assert day.jobs()[0].state == State.DISPATCHED


def test_a_proof_for_a_job_cancelled_meanwhile_is_kept_for_the_dispatcher() -> None:
    day = a_morning(1)
    day.publish()
    gone = IncomingOrder(
        ref="1",
        number="1",
        updated_at=SIX,
        status="cancelled",
        address=Address(("Yrjönkatu 1",), city="Helsinki", country="FI"),
    )
    store_all(day.hub, day.business_id, connection_id(day.hub, day.business_id, "api"), [gone])
    close = act("1", "close", day.jobs()[0], 0, outcome="succeeded", name="Ana", files=PHOTO)
    [answer] = take_acts(day.hub, day.phone(), [close])
    assert answer.result == "noted"
    assert "cancelled" in answer.why
    with day.hub.reading() as session:
        assert session.exec(select(ProofRow)).one().name == "Ana"
    assert day.jobs()[0].outcome == "cancelled"


def test_another_drivers_phone_cannot_close_a_job() -> None:
    day = a_morning(1)
    day.publish()
    close = act("1", "close", day.jobs()[0], 0, outcome="succeeded", files=PHOTO)
    assert take_acts(day.hub, day.phone(1), [close])[0].result == "noted"
    assert day.jobs()[0].state == State.DISPATCHED


def test_who_no_longer_works_here_has_no_phone_here() -> None:
    day = a_morning(1)
    code = pairing_code(day.hub, day.business_id, day.drivers[0])
    token = pair(day.hub, pairing_code(day.hub, day.business_id, day.drivers[0])) or ""
    assert device_for(day.hub, token) is not None
    with day.hub.unit() as unit:
        unit.session.get_one(DriverRow, day.drivers[0]).active = False
    assert device_for(day.hub, token) is None
    assert pair(day.hub, code) is None


def test_a_pairing_code_works_once_and_for_ten_minutes() -> None:
    day = a_morning(1)
    code = pairing_code(day.hub, day.business_id, day.drivers[0])
    assert pair(day.hub, code)
    assert pair(day.hub, code) is None
    late = pairing_code(day.hub, day.business_id, day.drivers[0])
    day.now[0] += timedelta(minutes=11)
    assert pair(day.hub, late) is None


def test_a_failed_job_gets_exactly_one_next_attempt_of_the_same_order() -> None:
    day = a_morning(1)
    day.publish()
    job = day.jobs()[0]
    close = act("1", "close", job, 0, outcome="failed", reason="nobody_home", note="Rang")
    take_acts(day.hub, day.phone(), [close])
    assert settle(day.hub, day.business_id, job.id) is NextStep.ANOTHER_DAY
    assert settle(day.hub, day.business_id, job.id) is NextStep.ANOTHER_DAY
    assert [(j.order_id, j.attempt) for j in day.jobs()] == [(job.order_id, 1), (job.order_id, 2)]
    assert len(day.events("NextStepChosen")) == 1


def test_a_phone_whose_clock_is_ahead_is_taken_at_the_hubs_time_in_its_own_order() -> None:
    day = a_morning(1)
    day.publish()
    day.now[0] = TEN
    job, phone = day.jobs()[0], day.phone()
    take_acts(
        day.hub,
        phone,
        [act("2", "arrive", job, 61), act("1", "head_for", job, 60), act("0", "load", job, 4)],
    )
    with day.hub.reading() as session:
        rows = {row.act_id: row for row in session.exec(select(ActRow))}
    assert rows["0"].occurred_at == TEN + timedelta(minutes=4)
    assert rows["1"].occurred_at == rows["2"].occurred_at == TEN
    assert rows["2"].body == {"phone_said": (TEN + timedelta(minutes=61)).isoformat()}
    assert day.jobs()[0].state == State.ARRIVED


def test_heading_for_two_jobs_at_one_door_heads_for_both() -> None:
    day = a_morning(2)
    with day.hub.unit() as unit:
        first, second = unit.session.exec(select(StopJobRow).order_by(StopJobRow.id)).all()
        second.stop_id = first.stop_id
    day.publish()
    one, two = day.jobs()
    phone = day.phone()
    take_acts(day.hub, phone, [act("1", "head_for", one, 0), act("2", "head_for", two, 1)])
    assert [job.state for job in day.jobs()] == [State.EN_ROUTE, State.EN_ROUTE]


@pytest.fixture
def served_morning(database_url: str) -> Morning:
    """The same morning in a database that several connections share."""
    day = a_morning(2, url=database_url)
    day.publish()
    day.now[0] = TEN
    return day


def test_the_same_act_on_many_connections_at_once_happens_once(served_morning: Morning) -> None:
    day = served_morning
    job, phone = day.jobs()[0], day.phone()
    close = act("1", "close", job, 0, outcome="succeeded", files=PHOTO)
    start = Barrier(8)

    def tell(_: int) -> ActResult:
        start.wait()
        return take_acts(day.hub, phone, [close])[0]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(tell, range(8)))
    assert [answer.result for answer in answers] == ["applied"] * 8
    assert [answer.repeated for answer in answers].count(False) == 1
    with day.hub.reading() as session:
        assert len(session.exec(select(ActRow)).all()) == 1
        assert len(session.exec(select(ProofRow)).all()) == 1
    assert len(day.events("JobClosed")) == 1
    assert verify(day.hub, day.business_id) == []


def test_two_phones_closing_one_job_at_once_close_it_once(served_morning: Morning) -> None:
    day = served_morning
    job, phones = day.jobs()[0], [day.phone(), day.phone()]
    start = Barrier(2)

    def tell(n: int) -> str:
        close = act(f"{n}", "close", job, n, outcome="succeeded", files=PHOTO)
        start.wait()
        return take_acts(day.hub, phones[n], [close])[0].result

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tell, range(2))) == ["applied", "noted"]
    assert len(day.events("JobClosed")) == 1


def test_files_and_acts_arriving_at_once_leave_one_unbroken_chain(served_morning: Morning) -> None:
    day = served_morning
    jobs, phone = day.jobs(), day.phone()
    contents = [f"photo {n}".encode() for n in range(6)]
    start = Barrier(8)

    def tell(n: int) -> None:
        start.wait()
        if n < 6:
            sha256 = hashlib.sha256(contents[n]).hexdigest()
            job_id = jobs[n % 2].id
            put_file(day.hub, day.business_id, job_id, "photo", "image/jpeg", contents[n], sha256)
        else:
            close = act(f"{n}", "close", jobs[n % 2], n, outcome="succeeded", files=PHOTO)
            take_acts(day.hub, phone, [close])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(8)))
    assert verify(day.hub, day.business_id) == []
    with day.hub.reading() as session:
        links = session.exec(select(ChainRow).order_by(ChainRow.n)).all()
    assert [link.n for link in links] == list(range(1, 9))


def test_a_whole_route_is_driven_alike_on_every_database(served_morning: Morning) -> None:
    day = served_morning
    one, two = day.jobs()
    acts = [
        act("1", "load", None, 0),
        act("2", "head_for", one, 1),
        act("3", "arrive", one, 2),
        act("4", "close", one, 3, outcome="succeeded", files=PHOTO),
        act("5", "close", two, 4, outcome="failed", reason="nobody_home", note="Rang"),
    ]
    acts[0] = replace(acts[0], route_id=day.route().id)
    results = [answer.result for answer in take_acts(day.hub, day.phone(), acts)]
    assert results == ["applied"] * 5
    assert [(job.state, job.outcome) for job in day.jobs()] == [
        (State.CLOSED, "succeeded"),
        (State.CLOSED, "failed"),
    ]
