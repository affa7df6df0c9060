"""Whatever is amended, decided and done, in whatever order: all who look see the same in the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from hub.core.amending import Decision, changed
from hub.core.errors import HubError
from hub.core.jobs import ON_A_PHONE, State
from hub.core.orders import IncomingOrder
from hub.core.values import Line, Point, TimeWindow
from hub.db.tables import AmendmentRow, JobRow, OrderRow, PlaceRow, StopJobRow
from hub.flows.amendments import decide
from hub.flows.dispatch import remove_job
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.order_rows import order_report, spot, spot_key
from hub.flows.phone_seen import PhoneJob, PhoneStop
from tests.amending_worlds import (
    KALEVANKATU,
    THERE,
    amendments,
    delivered,
    order_id,
    reported,
    route_shown,
)
from tests.driving_worlds import PHOTO, SIX, Morning, a_morning

HOUR = timedelta(hours=1)
NOON = (TimeWindow(SIX + 6 * HOUR, SIX + 7 * HOUR),)
FAR = Point(60.45, 25.6)
WISHES: dict[str, dict[str, Any]] = {
    "there": {"address": KALEVANKATU, "point": THERE},
    "far": {"address": KALEVANKATU, "point": FAR},
    "nowhere": {"address": KALEVANKATU, "point": None},
    "noon": {"windows": NOON},
    "any time": {"windows": ()},
    "more": {"lines": (Line("Loaf", 9),), "parcels": 9},
    "fewer": {"lines": (Line("Loaf", 1),), "parcels": 1},
    "note": {"instructions": "Ring twice"},
    "cancelled": {"status": "cancelled"},
    "open": {"status": "open"},
}
ACTS = ("start_shift", "load", "head_for", "arrive", "leave", "acknowledge", "succeeds", "fails")
STEPS = st.one_of(
    st.tuples(st.just("wish"), st.integers(0, 1), st.sampled_from(sorted(WISHES))),
    st.tuples(st.just("back"), st.integers(0, 1), st.just("")),
    st.tuples(st.just("decide"), st.integers(0, 1), st.sampled_from(["take", "keep", "off"])),
    st.tuples(st.just("act"), st.integers(0, 1), st.sampled_from(ACTS)),
    st.tuples(st.just("remove"), st.integers(0, 1), st.just("")),
    st.tuples(st.just("worker"), st.just(0), st.just("")),
)


class Story:
    """A day on which anything happens; ``said`` is what the store would say of its orders."""

    def __init__(self) -> None:
        self.day: Morning = a_morning(2)
        self.first = [self.report(n) for n in range(2)]
        self.day.publish()
        self.phone = self.day.phone()
        self.said = list(self.first)
        self.told = 0
        self.done: dict[str, str] = {}  # job id -> outcome the hub acknowledged
        self.confirmed: set[str] = set()

    def report(self, number: int) -> IncomingOrder:
        return order_report.validate_python(self.order(number).report)

    def order(self, number: int) -> OrderRow:
        with self.day.hub.reading() as session:
            return session.get_one(OrderRow, order_id(self.day, number))

    def jobs(self, number: int) -> list[JobRow]:
        mine = order_id(self.day, number)
        return [job for job in self.day.jobs() if job.order_id == mine]

    def wish(self, number: int, name: str) -> None:
        reported(self.day, number, **WISHES[name])
        known = self.order(number)
        self.said[number] = order_report.validate_python(known.said or known.report)

    def back(self, number: int, _: str) -> None:
        first = self.first[number]
        reported(
            self.day,
            number,
            address=first.address,
            point=first.point,
            windows=first.windows,
            lines=first.lines,
            parcels=first.parcels,
        )

    def decide(self, number: int, what: str) -> None:
        open_now = [
            one
            for one in amendments(self.day)
            if one.state == "open" and one.order_id == order_id(self.day, number)
        ]
        assert len(open_now) <= 1
        for one in open_now:
            decide(
                self.day.hub,
                self.day.business_id,
                one.id,
                Decision(what),
                actor="staff:1",
                version=one.version,
                route_version=self.day.route().version,
                force=True,
            )

    def act(self, number: int, what: str) -> None:
        job = self.jobs(number)[-1]
        route = self.day.route()
        body: dict[str, Any] = {}
        kind = what
        match what:
            case "succeeds":
                kind, body = "close", {"outcome": "succeeded", "name": "Aino", "files": PHOTO}
            case "fails":
                kind, body = "close", {"outcome": "failed", "reason": "other", "note": "x"}
            case "acknowledge":
                body = {"version": route.version}
        self.told += 1
        self.day.now[0] += timedelta(seconds=30)
        about = None if kind in ("start_shift", "load", "acknowledge") else job.id
        act = IncomingAct(
            act_id=f"{self.told:04}",
            kind=kind,
            job_id=about,
            route_id=route.id,
            occurred_at=self.day.now[0],
            body=body,
        )
        [answer] = take_acts(self.day.hub, self.phone, [act])
        if kind == "close" and answer.result == "applied":
            self.done[job.id] = body["outcome"]
        if kind == "acknowledge" and answer.result == "applied":
            self.confirmed |= {
                one.id
                for one in amendments(self.day)
                if one.route_id and one.told_version <= route.version
            }

    def remove(self, number: int, _: str) -> None:
        route = self.day.route()
        remove_job(
            self.day.hub,
            self.day.business_id,
            route.id,
            self.jobs(number)[-1].id,
            actor="staff:1",
            expected_version=route.version,
        )

    def worker(self, _number: int, _: str) -> None:
        delivered(self.day)

    def try_to(self, step: tuple[str, int, str]) -> None:
        what, number, how = step
        doing: Callable[[int, str], None] = getattr(self, what)
        try:
            doing(number, how)
        except (HubError, LookupError):
            pass  # refused in words; nothing may have happened by it

    def shown(self, number: int) -> list[tuple[PhoneStop, PhoneJob]]:
        ids = {job.id for job in self.jobs(number)}
        return [
            (stop, job)
            for stop in route_shown(self.day).stops
            for job in stop.jobs
            if job.job_id in ids and job.state != State.CLOSED
        ]


USUAL: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
DAYS = st.lists(STEPS, min_size=4, max_size=12)


@settings(max_examples=8, derandomize=True, phases=[Phase.generate], **USUAL)
@given(steps=DAYS)
def test_order_route_phone_and_store_agree_whatever_happens(
    steps: list[tuple[str, int, str]],
) -> None:
    all_agree(steps)


@pytest.mark.soak
@settings(max_examples=int(os.environ.get("HUB_TEST_EXAMPLES", "200")), **USUAL)
@given(steps=DAYS)
def test_they_agree_after_many_days(steps: list[tuple[str, int, str]]) -> None:
    all_agree(steps)


def all_agree(steps: list[tuple[str, int, str]]) -> None:
    story = Story()
    for step in steps:
        story.try_to(step)
    delivered(story.day)
    for number in range(2):
        agree(story, number)
    nothing_lost(story)


def agree(story: Story, number: int) -> None:
    order, report = story.order(number), story.report(number)
    mine = [one for one in amendments(story.day) if one.order_id == order.id]
    last = order_report.validate_python(order.said or order.report)
    on_phones = [job for job in story.jobs(number) if State(job.state) in ON_A_PHONE]
    asked = [one for one in mine if one.state == "open"]
    # The store: its last word is in force, or held back while somebody drives by another.
    if order.said is not None:
        assert on_phones
        assert changed(report, last)
        assert bool(asked) or any(one.state == "keep" for one in mine)
    else:
        assert not asked
    # The order and its jobs.
    open_jobs = [job for job in story.jobs(number) if job.state != State.CLOSED]
    assert len(open_jobs) <= 1
    assert (order.status == "cancelled") <= (not open_jobs)
    with story.day.hub.reading() as session:
        for job in open_jobs:
            place = session.get_one(PlaceRow, job.place_id)
            told_in_words = report.address.one_line() in job.driver_note
            assert place.key == spot_key(spot(report)) or told_in_words
            windows = [[w.opens.isoformat(), w.closes.isoformat()] for w in report.windows]
            assert job.windows == windows
            link = session.exec(select(StopJobRow).where(StopJobRow.job_id == job.id)).one_or_none()
            assert (link is not None) == (State(job.state) in ON_A_PHONE)
    # The phone shows what is in force, and that a change may come.
    shown = story.shown(number)
    assert len(shown) == len(on_phones)
    for stop, phone in shown:
        there = report.address.one_line()
        assert stop.address == there or there in phone.note
        goods = {line.title: line.quantity for line in report.lines}
        assert {line.title: line.quantity for line in phone.lines} == (goods or {"Parcels": 1})
        assert bool(phone.question) == bool(asked)


def nothing_lost(story: Story) -> None:
    jobs = {job.id: job for job in story.day.jobs()}
    for job_id, outcome in story.done.items():
        assert jobs[job_id].outcome == outcome
    for one in amendments(story.day):
        assert (one.state == "open") == (one.decided_at is None)
        if one.id in story.confirmed:
            assert one.seen_at is not None
    seen = [event.payload["amendment_id"] for event in story.day.events("AmendmentSeen")]
    assert len(seen) == len(set(seen))
    proposed = [event.payload["amendment_id"] for event in story.day.events("AmendmentProposed")]
    decided = [event.payload["amendment_id"] for event in story.day.events("AmendmentDecided")]
    assert len(decided) == len(set(decided))
    still = [one.id for one in amendments(story.day) if one.state == "open"]
    assert set(proposed) == {*decided, *still}
    with story.day.hub.reading() as session:
        rows = session.exec(select(AmendmentRow).where(AmendmentRow.state == "open")).all()
    assert len({row.order_id for row in rows}) == len(rows)
