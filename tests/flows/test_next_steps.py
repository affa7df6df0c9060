"""A job that failed has exactly one next step, and a pair never comes apart by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from hub.app import Hub
from hub.core import jobs
from hub.core.events import JobClosed
from hub.core.jobs import NextStep, Outcome, Reason, State
from hub.core.orders import IncomingOrder, PickUp
from hub.core.values import Address, Point
from hub.db.tables import EventRow, JobRow, LinkRow, OrderRow
from hub.flows.connections import connection_id
from hub.flows.drive import take_acts
from hub.flows.found import found
from hub.flows.kept_goods import is_kept
from hub.flows.next_steps import StepTaken, choose_step, settle
from hub.flows.orders_listed import orders_like
from hub.flows.sync import store_all
from tests.driving_worlds import Morning, a_morning, act

SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
GONE = frozenset({Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED})


@dataclass
class Pair:
    """One order to fetch at a shop and bring to a door, in memory."""

    hub: Hub
    business_id: str

    def jobs(self) -> list[JobRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(JobRow).order_by(JobRow.attempt, JobRow.leg)))

    def leg(self, leg: int, attempt: int = 1) -> JobRow:
        return next(job for job in self.jobs() if (job.leg, job.attempt) == (leg, attempt))

    def steps(self) -> list[EventRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(EventRow).where(EventRow.name == "NextStepChosen")))

    def order(self) -> OrderRow:
        with self.hub.reading() as session:
            return session.exec(select(OrderRow)).one()

    def dispatch(self, job_id: str) -> None:
        with self.hub.unit() as unit:
            job = unit.session.get_one(JobRow, job_id)
            for step in (jobs.Act.PLAN, jobs.Act.ASSIGN, jobs.Act.DISPATCH):
                job.state = jobs.after(State(job.state), step)

    def close(self, job_id: str, outcome: Outcome, reason: str = "") -> None:
        with self.hub.unit() as unit:
            job = unit.session.get_one(JobRow, job_id)
            job.state = jobs.close(State(job.state), outcome)
            job.outcome, job.reason, job.closed_at = outcome, reason, SIX

    def tell(self) -> None:
        """What the worker does with each JobClosed."""
        for job in self.jobs():
            if job.state == State.CLOSED:
                settle(self.hub, self.business_id, job.id)


def a_pair(*, dispatched: bool = True) -> Pair:
    hub = Hub.in_memory(object(), now=lambda: SIX)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    order = IncomingOrder(
        ref="P1",
        number="P1",
        updated_at=SIX,
        address=Address(("Yrjönkatu 10",), city="Helsinki", country="FI"),
        point=Point(60.165, 24.94),
        pick_up=PickUp(address=Address(("Bulevardi 1",), city="Helsinki", country="FI")),
    )
    store_all(hub, business_id, connection_id(hub, business_id, "api"), [order])
    pair = Pair(hub, business_id)
    if dispatched:
        for job in pair.jobs():
            pair.dispatch(job.id)
    return pair


def seen(pair: Pair) -> list[tuple[int, int, str, str]]:
    return [(job.attempt, job.leg, job.kind, job.outcome or job.state) for job in pair.jobs()]


def test_a_pair_whose_goods_were_never_fetched_is_tried_again_as_a_pair() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.FAILED, Reason.CLOSED)
    assert settle(pair.hub, pair.business_id, pair.leg(1).id) is NextStep.ANOTHER_DAY
    assert seen(pair) == [
        (1, 1, "collect", "failed"),
        (1, 2, "deliver", "skipped"),
        (2, 1, "collect", "created"),
        (2, 2, "deliver", "created"),
    ]
    assert pair.leg(2).next_step == NextStep.ANOTHER_DAY
    assert {job.due_on for job in pair.jobs() if job.attempt == 2} == {date(2026, 11, 24)}
    with pair.hub.reading() as session:
        closed = session.exec(select(EventRow).where(EventRow.name == JobClosed.__name__)).one()
    assert (closed.payload["job_id"], closed.payload["outcome"]) == (pair.leg(2).id, "skipped")


@pytest.mark.parametrize("leg", [1, 2])
def test_goods_that_were_never_fetched_are_kept_nowhere(leg: int) -> None:
    """Their customer would be sent to a depot where nothing lies."""
    pair = a_pair()
    pair.close(pair.leg(leg).id, Outcome.FAILED, Reason.OTHER)
    about = pair.hub, pair.business_id, pair.leg(leg).id
    assert choose_step(*about, NextStep.COLLECT, actor="staff:1") is None
    assert not any(is_kept(job) for job in pair.jobs())
    assert orders_like(pair.hub, pair.business_id, state="kept") == []
    with pytest.raises(StepTaken):
        choose_step(*about[:2], pair.leg(3 - leg).id, NextStep.RETURN, actor="staff:1")


def test_the_other_leg_that_no_driver_had_is_cancelled_not_skipped() -> None:
    pair = a_pair(dispatched=False)
    pair.dispatch(pair.leg(1).id)
    pair.close(pair.leg(1).id, Outcome.FAILED, Reason.CLOSED)
    pair.tell()
    assert pair.leg(2).outcome == Outcome.CANCELLED


def test_goods_that_were_fetched_are_only_delivered_again() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.SUCCEEDED)
    pair.close(pair.leg(2).id, Outcome.FAILED, Reason.NOBODY_HOME)
    pair.tell()
    assert seen(pair)[2:] == [(2, 2, "deliver", "created")]
    assert pair.leg(2, 2).place_id == pair.leg(2).place_id


def test_a_failed_delivery_heard_of_before_its_collect_waits_for_it() -> None:
    pair = a_pair()
    pair.close(pair.leg(2).id, Outcome.FAILED, Reason.NOBODY_HOME)
    assert settle(pair.hub, pair.business_id, pair.leg(2).id) is None
    pair.close(pair.leg(1).id, Outcome.SUCCEEDED)
    settle(pair.hub, pair.business_id, pair.leg(1).id)
    assert pair.leg(2).next_step == NextStep.ANOTHER_DAY
    assert seen(pair)[2:] == [(2, 2, "deliver", "created")]


def test_what_could_not_be_fetched_is_a_pair_again_and_the_rest_is_delivered() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.PARTIAL, Reason.MISSING_ITEMS)
    pair.tell()
    assert seen(pair) == [
        (1, 1, "collect", "partial"),
        (1, 2, "deliver", "dispatched"),
        (2, 1, "collect", "created"),
        (2, 2, "deliver", "created"),
    ]
    pair.close(pair.leg(2).id, Outcome.FAILED, Reason.NOBODY_HOME)
    pair.tell()
    assert seen(pair)[4:] == [(3, 2, "deliver", "created")]


def test_a_refused_parcel_goes_back_with_the_driver_and_no_job_follows() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.SUCCEEDED)
    pair.close(pair.leg(2).id, Outcome.FAILED, Reason.REFUSED)
    pair.tell()
    [event] = pair.steps()
    assert (event.payload["step"], event.payload["next_job_id"]) == ("return", "")
    assert len(pair.jobs()) == 2


def test_cancelling_closes_what_is_open_and_the_order_stays_cancelled() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.PARTIAL, Reason.OTHER)
    made = choose_step(pair.hub, pair.business_id, pair.leg(1).id, NextStep.CANCEL, actor="staff:1")
    assert made is None
    assert (pair.order().status, pair.leg(2).outcome) == ("cancelled", Outcome.CANCELLED)
    with pytest.raises(StepTaken):
        choose_step(
            pair.hub, pair.business_id, pair.leg(1).id, NextStep.RETRY_TODAY, actor="staff:1"
        )
    assert len(pair.steps()) == 1


def test_nothing_follows_a_failed_job_of_an_order_its_source_cancelled() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.FAILED, Reason.CLOSED)
    with pair.hub.unit() as unit:
        unit.session.exec(select(OrderRow)).one().status = "cancelled"
    assert settle(pair.hub, pair.business_id, pair.leg(1).id) is None
    assert len(pair.jobs()) == 2


def test_a_wrong_address_waits_for_the_dispatcher_and_the_day_they_choose() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.SUCCEEDED)
    pair.close(pair.leg(2).id, Outcome.FAILED, Reason.WRONG_ADDRESS)
    pair.tell()
    assert pair.steps() == []
    day = date(2026, 12, 1)
    following = choose_step(
        pair.hub,
        pair.business_id,
        pair.leg(2).id,
        NextStep.ANOTHER_DAY,
        actor="staff:1",
        on_day=day,
    )
    assert following is not None
    assert (following.due_on, following.not_before) == (day, day)


def test_a_job_of_another_business_is_not_known() -> None:
    pair = a_pair()
    pair.close(pair.leg(1).id, Outcome.FAILED, Reason.CLOSED)
    other = found(pair.hub, "Other", zone="Europe/Helsinki", country="FI")
    with pytest.raises(LookupError):
        choose_step(pair.hub, other, pair.leg(1).id, NextStep.CANCEL, actor="staff:2")


def test_the_next_attempt_keeps_the_orders_link() -> None:
    day = a_failed_morning()
    with day.hub.reading() as session:
        before = [(link.order_id, link.token_hash) for link in session.exec(select(LinkRow))]
    settle(day.hub, day.business_id, day.jobs()[0].id)
    with day.hub.reading() as session:
        after = [(link.order_id, link.token_hash) for link in session.exec(select(LinkRow))]
    assert before == after
    assert {job.order_id for job in day.jobs()} == {order for order, _ in before}


def test_a_phone_that_shows_a_job_that_was_closed_from_afar_looks_again() -> None:
    day = a_failed_morning(2)
    failed, other = day.jobs()
    with day.hub.unit() as unit:  # as if both were of one order: cancel closes the other one
        unit.session.get_one(JobRow, other.id).order_id = failed.order_id
        unit.session.get_one(JobRow, other.id).attempt = 7
    version = day.route().version
    choose_step(day.hub, day.business_id, failed.id, NextStep.CANCEL, actor="staff:1")
    assert day.route().version == version + 1
    assert day.events("RouteChanged")[-1].payload == {"version": version + 1}


def a_failed_morning(orders: int = 1) -> Morning:
    day = a_morning(orders)
    day.publish()
    failed = act(
        "1", "close", day.jobs()[0], 0, outcome="failed", reason="nobody_home", note="Rang"
    )
    take_acts(day.hub, day.phone(), [failed])
    return day


Move = tuple[Literal["dispatch", "close", "settle", "choose"], int, int, int]
MOVES = st.lists(
    st.tuples(
        st.sampled_from(["dispatch", "close", "close", "settle", "choose"]),
        st.integers(0, 5),
        st.integers(0, 3),
        st.integers(0, len(Reason) - 1),
    ),
    min_size=4,
    max_size=10,
)
ENDS = (Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.FAILED, Outcome.SKIPPED)


def play(pair: Pair, move: Move) -> None:
    what, which, how, why = move
    every = pair.jobs()
    job = every[which % len(every)]
    match what:
        case "dispatch":
            if job.state == State.CREATED:
                pair.dispatch(job.id)
        case "close":
            if job.state == State.DISPATCHED:
                reason = "" if how == 0 else list(Reason)[why]
                pair.close(job.id, ENDS[how], reason)
        case "settle":
            settle(pair.hub, pair.business_id, job.id)
        case "choose":
            try:
                step = list(NextStep)[how]
                choose_step(pair.hub, pair.business_id, job.id, step, actor="staff:1")
            except StepTaken:
                pass


@settings(max_examples=12, deadline=None)
@given(MOVES)
def test_whatever_happens_to_a_pair_there_is_one_step_and_no_lone_delivery(
    moves: list[Move],
) -> None:
    pair = a_pair()
    for move in moves:
        play(pair, move)
        every = pair.jobs()
        said = Counter(event.payload["job_id"] for event in pair.steps())
        assert all(times == 1 for times in said.values())
        assert len({job.order_id for job in every}) == 1
        for job in every:
            assert job.next_step == "" or job.state == State.CLOSED
            collect = next(
                (one for one in every if (one.attempt, one.leg) == (job.attempt, 1)), None
            )
            if job.leg == 2 and job.state != State.CLOSED and collect is not None:
                # An open delivery never outlives a collect whose goods will not come.
                assert not (collect.outcome in GONE and collect.next_step)
            if job.leg == 1:  # nothing is fetched without a place to bring it to
                assert any(o.leg == 2 and o.attempt == job.attempt for o in every)
            if job.next_step in ("retry_today", "another_day"):
                assert any(one.attempt > job.attempt for one in every)
        if pair.order().status == "cancelled":
            assert all(job.state == State.CLOSED for job in every)
        told = {job.id: job.next_step for job in every if job.id in said}
        assert all(told.values())
