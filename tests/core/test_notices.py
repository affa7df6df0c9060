"""Which event tells whom, until when, in which words, and what an answer means."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.business import Trade
from hub.core.contracts import Reaches
from hub.core.events import (
    ALL,
    DriverArrived,
    DriverHeaded,
    JobClosed,
    JobWithdrawn,
    NextStepChosen,
    OrderPlaced,
    ShiftBegan,
)
from hub.core.jobs import NextStep, Reason, State
from hub.core.notice_words import (
    VARIABLES,
    About,
    filled,
    filled_line,
    flowing,
    suggested_texts,
    unknown_variables,
    values,
)
from hub.core.notices import (
    ASKED,
    HEARD,
    Accepted,
    NoticeState,
    Rejected,
    Situation,
    Trigger,
    Unknown,
    address_for,
    moment,
    overtaken,
    pause_s,
    reachable,
    settled,
    triggers_of,
)
from hub.core.orders import Kind
from hub.core.values import Contact, Role, TimeWindow

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BASE = {"business_id": "b", "subject_id": "o", "occurred_at": NOON, "received_at": NOON}
ABOUT = About(order="17", brand="Husk", link="https://h.example/t/x")
HELSINKI = ZoneInfo("Europe/Helsinki")


def test_each_event_tells_what_it_means_to_a_recipient() -> None:
    for event, wanted in (
        (OrderPlaced(**BASE), [Trigger.PLACED]),
        (ShiftBegan(**BASE, driver_id="d"), [Trigger.OUT]),
        (DriverHeaded(**BASE, job_id="j"), [Trigger.ON_ITS_WAY]),
        (DriverArrived(**BASE, job_id="j"), [Trigger.ARRIVED]),
        (closed("succeeded"), [Trigger.DELIVERED, Trigger.REVIEW]),
        (closed("partial"), [Trigger.DELIVERED]),
        (closed("failed"), [Trigger.FAILED]),
        (closed("skipped"), [Trigger.FAILED]),
        (JobWithdrawn(**BASE, job_id="j", route_id="r"), [Trigger.WITHDRAWN]),
    ):
        assert list(triggers_of(event)) == wanted


def closed(outcome: str) -> JobClosed:
    return JobClosed(**BASE, job_id="j", outcome=outcome)


def test_a_next_step_by_rule_is_told_with_the_failure_and_one_by_a_person_by_itself() -> None:
    step = NextStepChosen(**BASE, job_id="j", step="another_day")
    assert triggers_of(step) == ()
    chosen = NextStepChosen(**BASE, job_id="j", step="return", actor="staff:1")
    assert triggers_of(chosen) == (Trigger.NEXT_STEP,)


def test_no_event_outside_what_is_heard_tells_anything() -> None:
    for cls in set(ALL.values()) - {*HEARD, *ASKED}:
        assert triggers_of(object.__new__(cls)) == ()


def test_a_withdrawal_waits_in_case_the_job_was_only_moved() -> None:
    due_at, expires_at = moment(Trigger.WITHDRAWN, NOON, 3600)
    assert due_at - NOON == timedelta(minutes=10)
    assert expires_at - due_at == timedelta(hours=1)
    assert moment(Trigger.PLACED, NOON, 60) == (NOON, NOON + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("trigger", "now"),
    [
        (Trigger.PLACED, Situation(succeeded=True)),
        (Trigger.PLACED, Situation(cancelled=True)),
        (Trigger.DISPATCHED, Situation(job=State.CREATED)),
        (Trigger.DISPATCHED, Situation(job=State.CLOSED)),
        (Trigger.DISPATCHED, Situation(job=State.DISPATCHED, told_newer=True)),
        (Trigger.OUT, Situation(job=State.EN_ROUTE)),
        (Trigger.OUT, Situation(job=State.CREATED)),
        (Trigger.NEAR, Situation(job=State.ARRIVED)),
        (Trigger.NEAR, Situation(job=State.CLOSED)),
        (Trigger.ARRIVED, Situation(job=State.CLOSED)),
        (Trigger.ARRIVED, Situation(job=State.DISPATCHED)),
        (Trigger.REVIEW, Situation(job=State.CLOSED, cancelled=True)),
        (Trigger.ON_ITS_WAY, Situation(job=State.CLOSED)),
        (Trigger.ON_ITS_WAY, Situation(job=State.ARRIVED)),
        (Trigger.ON_ITS_WAY, Situation(job=State.DISPATCHED)),
        (Trigger.NEW_TIME, Situation(job=State.CLOSED)),
        (Trigger.NEW_TIME, Situation(job=State.ARRIVED)),
        (Trigger.NEW_TIME, Situation(job=State.CREATED)),
        (Trigger.NEW_TIME, Situation(job=State.DISPATCHED, on_time=True)),
        (Trigger.WITHDRAWN, Situation(job=State.DISPATCHED)),
        (Trigger.WITHDRAWN, Situation(job=State.CLOSED)),
        (Trigger.FAILED, Situation(job=State.CLOSED, tried_again=True)),
        (Trigger.NEXT_STEP, Situation(job=State.CLOSED, tried_again=True)),
        (Trigger.FAILED, Situation(job=State.CLOSED, fetched=True)),
        (Trigger.NEXT_STEP, Situation(job=State.CLOSED, fetched=True)),
        (Trigger.CANCELLED, Situation(cancelled=True, succeeded=True)),
    ],
)
def test_what_events_have_overtaken_is_no_longer_told(trigger: Trigger, now: Situation) -> None:
    assert overtaken(trigger, now).endswith(".")


@pytest.mark.parametrize(
    ("trigger", "now"),
    [
        (Trigger.PLACED, Situation()),
        (Trigger.DISPATCHED, Situation(job=State.DISPATCHED)),
        (Trigger.DISPATCHED, Situation(job=State.EN_ROUTE)),
        (Trigger.ON_ITS_WAY, Situation(job=State.EN_ROUTE)),
        (Trigger.OUT, Situation(job=State.LOADED)),
        (Trigger.NEAR, Situation(job=State.EN_ROUTE)),
        (Trigger.ARRIVED, Situation(job=State.ARRIVED)),
        (Trigger.REVIEW, Situation(job=State.CLOSED, succeeded=True)),
        (Trigger.NEW_TIME, Situation(job=State.EN_ROUTE)),
        (Trigger.DELIVERED, Situation(job=State.CLOSED, succeeded=True)),
        (Trigger.DELIVERED, Situation(job=State.CLOSED, succeeded=True, cancelled=True)),
        (Trigger.FAILED, Situation(job=State.CLOSED)),
        (Trigger.WITHDRAWN, Situation(job=State.CREATED)),
        (Trigger.CANCELLED, Situation(cancelled=True)),
    ],
)
def test_what_is_still_true_is_told(trigger: Trigger, now: Situation) -> None:
    assert overtaken(trigger, now) == ""


def test_a_recipient_without_an_address_leaves_it_to_the_buyer() -> None:
    ana = Contact(Role.RECIPIENT, name="Ana", phone="+358401234567")
    ben = Contact(Role.BUYER, name="Ben", email="ben@example.com")
    both = {Role.RECIPIENT: ana, Role.BUYER: ben}
    assert reachable(both, Role.RECIPIENT, "email") is ben
    assert reachable(both, Role.RECIPIENT, "phone") is ana
    assert reachable(both, Role.RECIPIENT, "push") is None
    assert reachable({Role.RECIPIENT: ana}, Role.RECIPIENT, "email") is None
    assert reachable({Role.SITE: ben}, Role.RECIPIENT, "email") is None


@pytest.mark.parametrize("reaches", ["url", "nobody"])
def test_a_channel_that_needs_no_address_always_has_somebody(reaches: Reaches) -> None:
    ana = Contact(Role.RECIPIENT, name="Ana")
    assert reachable({Role.RECIPIENT: ana}, Role.RECIPIENT, reaches) is ana
    assert address_for(reaches, ana) == "Ana"
    assert reachable({}, Role.RECIPIENT, reaches) == Contact(Role.RECIPIENT)


def test_a_line_with_nothing_to_say_is_left_out() -> None:
    text = "Hello {name},\n\nit is {done}.\nReceived by {received_by}.\n\nBye"
    said = values(ABOUT, HELSINKI)
    assert filled(text, said) == "it is delivered.\n\nBye"
    assert filled_line("Your {visit}: {window}", said) == "Your delivery"


def test_a_value_is_never_looked_into_again() -> None:
    said = {"name": "{link} {name.__class__} %s {{7*7}}", "link": "secret"}
    assert filled("{name}", said) == said["name"]


@given(st.text(), st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=50)))
def test_any_text_is_filled_without_a_fault_and_a_subject_is_one_line(
    text: str, said: dict[str, str]
) -> None:
    filled(text, said)
    assert len(filled_line(text, said).splitlines()) <= 1


def test_a_misspelt_variable_is_named() -> None:
    assert unknown_variables("Hello {nmae}, {order} {link}") == ["nmae"]


@pytest.mark.parametrize("trade", list(Trade))
def test_every_trade_tells_everything_in_words_that_are_known(trade: Trade) -> None:
    texts = suggested_texts(trade)
    assert set(texts) == set(Trigger)
    for text in texts.values():
        assert unknown_variables(text.subject + text.body) == []


def test_times_are_told_in_the_business_zone_with_their_day() -> None:
    window = TimeWindow(NOON, NOON + timedelta(hours=1))
    said = values(About(order="1", brand="H", link="", window=window, closed_at=NOON), HELSINKI)
    assert said["window"] == "Monday 23 November, 14:00 – 15:00"
    assert said["time"] == "Monday 23 November, 14:00"


def test_a_failure_says_why_and_what_next() -> None:
    about = About(
        order="1",
        brand="H",
        link="",
        reason=Reason.NOBODY_HOME,
        next_step=NextStep.ANOTHER_DAY,
        next_day=date(2026, 11, 24),
    )
    said = values(about, HELSINKI)
    assert "Nobody" in said["reason"]
    assert said["next_step"] == "We will try again on Tuesday 24 November."
    unsure = values(About(order="1", brand="H", link="", kind=Kind.SERVE), HELSINKI)
    assert "contact you" in unsure["next_step"]


def settle(verdict: object, sends: int, *, harmless: bool = False) -> tuple[str, int]:
    got = settled(verdict, sends=sends, attempts=1, harmless=harmless)  # type: ignore[arg-type]
    return got.state, got.sends


GONE, LATER = Rejected("no such user", permanent=True), Rejected("busy", permanent=False)


def test_an_answer_decides_what_becomes_of_a_notice() -> None:
    assert settle(Accepted("x"), 1) == ("sent", 1)
    assert settle(GONE, 1) == ("failed", 1)
    assert settle(LATER, 1) == ("due", 0)
    assert settle(Unknown("?"), 1) == ("sending", 1)


def test_a_repeat_that_may_be_a_second_one_is_uncertain_whatever_the_answer() -> None:
    assert settle(Accepted("x"), 2) == ("uncertain", 2)
    assert settle(GONE, 2) == ("uncertain", 2)
    assert settle(Unknown("?"), 2) == ("uncertain", 2)
    assert settle(LATER, 2) == ("sending", 1)  # the first one is still in doubt


def test_a_repeat_that_the_carrier_drops_is_simply_sent() -> None:
    assert settle(Accepted("x"), 5, harmless=True) == ("sent", 5)
    assert settle(Unknown("?"), 5, harmless=True) == ("sending", 5)


@given(st.lists(st.sampled_from([Accepted("x"), GONE, LATER, Unknown("?")]), max_size=20))
def test_a_notice_leaves_at_most_twice_whatever_the_server_says(answers: list[object]) -> None:
    sends, left = 0, 0
    for attempts, verdict in enumerate(answers, 1):
        got = settled(verdict, sends=sends + 1, attempts=attempts, harmless=False)  # type: ignore[arg-type]
        left += isinstance(verdict, Accepted | Unknown)
        sends = got.sends
        assert sends <= 2
        if got.state not in (NoticeState.DUE, NoticeState.SENDING):
            break
    assert left <= 2
    if left == 2:
        assert got.state is NoticeState.UNCERTAIN


def test_pauses_grow_to_an_hour() -> None:
    assert [pause_s(n) for n in (1, 2, 3, 50)] == [30, 60, 120, 3600]


def test_a_sentence_of_ours_flows_over_the_lines_it_is_left_out_by() -> None:
    words = "Hello Ana,\n\nwe come at another time than\nwe told you.\nExpected ten,\nnot nine."
    assert flowing(words) == [
        ["Hello Ana,"],
        ["we come at another time than we told you.", "Expected ten, not nine."],
    ]
