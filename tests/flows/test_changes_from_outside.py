"""What a source or a dispatcher changes about an order while its job is on a phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.core.jobs import State
from hub.core.values import TimeWindow
from hub.db.tables import OrderRow, RouteRow
from hub.flows.connections import connection_id
from hub.flows.dispatch import remove_job
from hub.flows.drafts import drop_draft
from hub.flows.drive import take_acts
from hub.flows.order_desk import note_for_driver
from hub.flows.orders_listed import orders_like
from hub.flows.phone import shown_to
from hub.flows.sync import order_report, store_all
from tests.amending_worlds import delivered
from tests.driving_worlds import DAY, PHOTO, SIX, Morning, a_morning, act


def reported(day: Morning, number: int, **changes: object) -> None:
    """The source reports order ``number`` (from 0) anew."""
    with day.hub.reading() as session:
        row = session.get_one(OrderRow, day.jobs()[number].order_id)
    known = order_report.validate_python(row.report)
    changed = replace(known, updated_at=known.updated_at + timedelta(hours=1), **changes)  # type: ignore[arg-type]
    api = connection_id(day.hub, day.business_id, "api")
    store_all(day.hub, day.business_id, api, [changed], actor="connection:api")


def test_an_order_cancelled_by_its_source_is_taken_back_from_the_phone() -> None:
    """The phone kept showing it as it was: the route's version did not move."""
    day = a_morning()
    route, job = day.publish(), day.jobs()[1]
    reported(day, 1, status="cancelled")
    assert day.route().version == route.version + 1
    assert [e.payload for e in day.events("RouteChanged")] == [{"version": route.version + 1}]
    [withdrawn] = day.events("JobWithdrawn")
    assert withdrawn.payload == {"job_id": job.id, "route_id": route.id, "rest_waits": False}
    [shown] = [
        one
        for stop in shown_to(day.hub, day.phone()).routes[0].stops
        for one in stop.jobs
        if one.job_id == job.id
    ]
    assert (shown.state, shown.outcome) == ("closed", "cancelled")


def test_a_cancelled_stop_does_not_hold_up_what_can_still_be_changed_before_it() -> None:
    day = a_morning()
    route = day.publish()
    reported(day, 1, status="cancelled")
    first = day.jobs()[0]
    remove_job(day.hub, day.business_id, route.id, first.id, actor="staff:1", expected_version=2)
    assert day.jobs()[0].state == State.CREATED
    stops = shown_to(day.hub, day.phone()).routes[0].stops
    assert [[job.outcome for job in stop.jobs] for stop in stops] == [[""], ["cancelled"]]


def test_what_was_delivered_before_its_cancellation_stays_delivered() -> None:
    day = a_morning()
    route, job = day.publish(), day.jobs()[0]
    closing = act("1", "close", job, 0, outcome="succeeded", name="Aino", files=PHOTO)
    assert take_acts(day.hub, day.phone(), [closing])[0].result == "applied"
    reported(day, 0, status="cancelled")
    assert day.jobs()[0].outcome == "succeeded"
    assert day.route().version == route.version
    assert day.events("JobWithdrawn") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"windows": (TimeWindow(SIX + timedelta(hours=5), SIX + timedelta(hours=6)),)},
        {"instructions": "Ring twice"},
    ],
)
def test_what_the_source_amends_makes_the_phone_look_again(changes: dict[str, object]) -> None:
    day = a_morning()
    route = day.publish()
    reported(day, 1, **changes)
    delivered(day)
    assert day.route().version == route.version + 1
    assert len(day.events("RouteChanged")) == 1
    assert day.events("JobWithdrawn") == []


def test_a_tag_does_not_disturb_the_driver() -> None:
    day = a_morning()
    route = day.publish()
    reported(day, 1, tags=("vip",))
    assert day.route().version == route.version


def test_a_note_for_the_driver_makes_the_phone_look_again() -> None:
    """The note was stored, but a phone that had the route already never fetched it."""
    day = a_morning()
    route, job = day.publish(), day.jobs()[0]
    note_for_driver(day.hub, day.business_id, job.id, "Mind the dog", actor="staff:1")
    assert day.route().version == route.version + 1
    assert [e.actor for e in day.events("RouteChanged")] == ["staff:1"]
    note_for_driver(day.hub, day.business_id, job.id, "Mind the dog", actor="staff:1")
    assert day.route().version == route.version + 1


def test_a_window_after_midnight_is_listed_on_the_businesss_day() -> None:
    """00:30 in Helsinki is 22:30 UTC of the day before, and was listed there."""
    day = a_morning()
    late = SIX.replace(hour=22, minute=30)
    reported(day, 0, windows=(TimeWindow(late, late + timedelta(minutes=45)),), due_on=None)
    order = day.jobs()[0].order_id
    with day.hub.unit() as unit:  # on no route, so that only its window says a day
        drop_draft(unit, unit.session.get_one(RouteRow, day.route().id))
    assert order not in [o.id for o in orders_like(day.hub, day.business_id, day=DAY)]
    next_day = DAY + timedelta(days=1)
    assert order in [o.id for o in orders_like(day.hub, day.business_id, day=next_day)]
