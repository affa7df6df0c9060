"""What phones say: twice, late, in any order, and about jobs that are gone."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from hub.core.jobs import NextStep, State
from hub.core.orders import IncomingOrder
from hub.core.values import Address
from hub.db.tables import ActRow, ProofRow
from hub.flows.connections import connection_id
from hub.flows.drive import pair, pairing_code, take_acts
from hub.flows.next_steps import settle
from hub.flows.sync import store_all
from tests.driving_worlds import PHOTO, SIX, a_morning, act

SCRIPT = [
    ("a1", "load", 0, 0, {}),
    ("a2", "head_for", 0, 1, {}),
    ("a3", "head_for", 1, 2, {}),
    ("a4", "arrive", 1, 5, {}),
    ("a5", "close", 1, 8, {"outcome": "succeeded", "files": PHOTO}),
    ("a6", "leave", 1, 9, {}),
    ("a7", "head_for", 0, 10, {}),
    ("a8", "arrive", 0, 12, {}),
    ("a9", "close", 0, 14, {"outcome": "failed", "reason": "nobody_home", "note": "Rang twice"}),
    ("b1", "head_for", 2, 15, {}),
]


def end_state(order: list[int]) -> list[tuple[object, ...]]:
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


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(SCRIPT))), st.lists(st.integers(0, len(SCRIPT) - 1), max_size=6))
def test_acts_shuffled_and_sent_twice_end_as_if_in_order(
    order: list[int], again: list[int]
) -> None:
    assert end_state([*order, *again]) == end_state(list(range(len(SCRIPT))))


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
