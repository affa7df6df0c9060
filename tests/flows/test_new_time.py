"""A broken promise is told once, in time, and what was told instead is then in force."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import select

from hub import Message, NotificationChannel, hookimpl
from hub.core.errors import Refused
from hub.core.notices import NoticeState
from hub.core.values import TimeWindow
from hub.db.tables import ContactRow, JobRow, NoticeRow, OrderRow, PromiseRow
from hub.flows.choices import choose
from hub.flows.estimate import estimate_routes
from hub.flows.notice_claim import breaks_promise
from hub.flows.notice_manners import JUST_TOLD
from hub.flows.notice_replay import replay
from hub.flows.notice_send import send_due
from hub.flows.promises import promise
from tests.flows.test_estimate import DEPOT, EIGHT, estimates, under_way
from tests.noticing_worlds import Round, moment


class Told:
    """A round whose recipients are told by pigeon; only broken promises interest us."""

    def __init__(self, url: str) -> None:
        took: list[Message] = []
        this, self.refuses = self, False

        class Pigeon(NotificationChannel):
            key = "pigeon"
            title = "Pigeon"
            reaches = "nobody"

            def send(self, message: Message) -> str:
                if this.refuses:
                    raise Refused("no such loft")
                took.append(message)
                return "coo"

        class Plugin:
            @hookimpl
            def hub_notification_channels(self) -> list[type[NotificationChannel]]:
                return [Pigeon]

        self.took = took
        self.round = Round(url)
        hub = self.round.hub
        hub.registry.add(Plugin(), "pigeons")
        choose(hub, self.round.business_id, "channel", "pigeon", {}, actor="staff:1")
        with hub.unit() as unit:
            unit.session.execute(text("UPDATE notice_rule SET channel = 'pigeon'"))
            unit.session.execute(text("UPDATE notice_rule SET active = (trigger = 'new_time')"))
            aino = {"role": "recipient", "name": "Aino", "phone": "", "email": ""}
            for order in unit.session.exec(select(OrderRow)):
                unit.session.add(
                    ContactRow(business_id=order.business_id, order_id=order.id, **aino)
                )
        under_way(self.round)

    def waits(self, minute: float) -> None:
        """The van is still in the yard; the worker does what it does."""
        self.round.clock(EIGHT + minute)
        self.round.at(*DEPOT, EIGHT + minute)
        self.works()

    def works(self) -> None:
        estimate_routes(self.round.hub, self.round.positions)
        for _ in range(3):
            self.round.hub.deliver_events()
        send_due(self.round.hub)

    def promises(self) -> list[TimeWindow]:
        with self.round.hub.reading() as session:
            rows = session.exec(
                select(PromiseRow)
                .where(PromiseRow.job_id == self.round.job().id, PromiseRow.n > 0)
                .order_by(PromiseRow.n)
            )
            return [TimeWindow(row.opens, row.closes) for row in rows]


@pytest.fixture
def told(database_url: str) -> Told:
    return Told(database_url)


def test_a_delay_within_the_promise_is_not_written_about(told: Told) -> None:
    told.waits(12)
    assert told.round.told("EtaChanged")
    assert told.took == []


def test_a_broken_promise_is_told_once_and_the_new_time_is_in_force(told: Told) -> None:
    told.waits(0)
    [before] = told.promises()
    for minute in (80, 80.5, 81, 82):
        told.waits(minute)
    assert len(told.took) == 3
    first, second = told.promises()
    assert first == before
    p50 = estimates(told.round)[told.round.job().id].p50
    assert second.opens <= p50 <= second.closes
    assert all("another time" in message.subject for message in told.took)
    said = [f"{second.opens.hour + 2:02}:{second.opens.minute:02}" in m.text for m in told.took]
    assert any(said)


def test_a_time_that_was_told_to_nobody_is_no_promise(told: Told) -> None:
    told.waits(0)
    before = told.promises()
    told.refuses = True
    told.waits(80)
    with told.round.hub.reading() as session:
        assert {row.state for row in session.exec(select(NoticeRow))} == {NoticeState.FAILED}
    assert told.promises() == before


def test_a_broken_promise_that_was_mended_meanwhile_is_not_written_about(told: Told) -> None:
    told.waits(0)
    told.round.clock(EIGHT + 80)
    told.round.at(*DEPOT, EIGHT + 80)
    estimate_routes(told.round.hub, told.round.positions)
    for _ in range(3):
        told.round.hub.deliver_events()
    later = TimeWindow(moment(EIGHT + 75), moment(EIGHT + 120))
    with told.round.hub.unit() as unit:
        for _, job in told.round.stops():
            promise(unit.session, job, later, told_by="page", at=moment(EIGHT + 80))
    told.works()
    assert told.took == []
    with told.round.hub.reading() as session:
        rows = session.exec(select(NoticeRow).where(NoticeRow.trigger == "new_time")).all()
    assert [row.state for row in rows] == [NoticeState.DROPPED] * 3


def test_a_promise_that_breaks_twice_in_a_minute_is_told_once_and_later_anew(told: Told) -> None:
    """A jam that grows, or somebody who still moves stops on the board."""
    told.waits(0)
    told.round.clock(EIGHT + 80)
    told.round.at(*DEPOT, EIGHT + 80)
    estimate_routes(told.round.hub, told.round.positions)
    told.round.clock(EIGHT + 80.05)  # it is told some seconds after it broke
    told.works()
    assert len(told.took) == 3
    far = 60.45, 25.6  # the van turns out to be half an hour away
    for minute in (80.4, 80.9, 84):
        told.round.clock(EIGHT + minute)
        told.round.at(*far, EIGHT + minute)
        told.works()
    assert any(breaks(told, job.id) for _, job in told.round.stops())
    assert len(told.took) == 3
    told.round.clock(EIGHT + 91)
    told.round.at(*far, EIGHT + 91)
    told.works()
    assert len(told.took) == 6
    _, _, third = told.promises()
    said = [f"{third.opens.hour + 2:02}:{third.opens.minute:02}" in m.text for m in told.took[3:]]
    assert any(said)
    hub = told.round.hub
    again = [
        one
        for one in replay(hub, told.round.business_id, hub.now().date())
        if one.trigger == "new_time" and one.order_id == told.round.job().order_id
    ]
    assert len(again) > 1
    assert [one.why for one in again] == ["", *[JUST_TOLD] * (len(again) - 1)]


def breaks(told: Told, job_id: str) -> bool:
    with told.round.hub.reading() as session:
        return breaks_promise(session, session.get_one(JobRow, job_id))
