"""What pages say of a planned time: when work begins, and whether that is too soon."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from hub.core.fit import begins_as_told, not_before
from hub.core.values import TimeWindow
from hub.db.tables import JobRow, PromiseRow, StopJobRow, StopRow
from hub.flows.day_seen import JobSeen
from hub.flows.drive import take_acts
from hub.flows.order_story import order_story
from hub.flows.overview import day_seen
from hub.flows.phone import shown_to
from tests.driving_worlds import DAY, PHOTO, TEN, Morning, a_morning, act

HALF_HOUR = timedelta(minutes=30)


def told(day: Morning, job: JobRow, window: TimeWindow) -> None:
    """As if its recipient had been promised ``window``."""
    with day.hub.unit() as unit:
        promise = unit.session.exec(select(PromiseRow).where(PromiseRow.job_id == job.id)).one()
        promise.opens, promise.closes = window.opens, window.closes


def on_the_day(day: Morning, job: JobRow) -> JobSeen:
    [route] = day_seen(day.hub, day.business_id, DAY).routes
    return next(one for one in route.jobs if one.id == job.id)


def test_an_order_is_planned_for_when_work_begins_and_not_for_the_arrival_before() -> None:
    """The order said 07:52, the day 12:30, and 12:30 was promised."""
    day = a_morning()
    day.publish()
    job = day.jobs()[0]
    told(day, job, TimeWindow(TEN + HALF_HOUR, TEN + 2 * HALF_HOUR))
    [story] = order_story(day.hub, day.business_id, job.order_id).jobs
    assert story.begins_at == on_the_day(day, job).eta == TEN + HALF_HOUR
    with day.hub.reading() as session:
        stop = session.exec(select(StopRow).join(StopJobRow).where(StopJobRow.job_id == job.id))
        assert stop.one().arrive_at < TEN


def test_the_phone_has_the_time_that_the_day_has() -> None:
    day = a_morning()
    day.publish()
    job = day.jobs()[0]
    told(day, job, TimeWindow(TEN + HALF_HOUR, TEN + 2 * HALF_HOUR))
    routes = shown_to(day.hub, day.phone()).routes
    shown = {one.job_id: one for route in routes for stop in route.stops for one in stop.jobs}
    assert shown[job.id].eta == on_the_day(day, job).eta


def test_who_came_before_the_promised_time_came_too_early() -> None:
    """Only who came after it was marked."""
    day = a_morning()
    day.publish()
    early, as_told = day.jobs()[:2]
    told(day, early, TimeWindow(TEN + HALF_HOUR, TEN + 2 * HALF_HOUR))
    told(day, as_told, TimeWindow(TEN, TEN + HALF_HOUR))
    day.now[0] = TEN + timedelta(minutes=10)
    done = {"outcome": "succeeded", "name": "Aino", "files": PHOTO}
    take_acts(day.hub, day.phone(), [act("1", "close", early, 5, **done)])
    take_acts(day.hub, day.phone(), [act("2", "close", as_told, 6, **done)])
    assert (on_the_day(day, early).early, on_the_day(day, as_told).early) == (True, False)
    assert day_seen(day.hub, day.business_id, DAY).counts.early == 1


def test_a_promise_that_the_windows_no_longer_allow_keeps_nobody_waiting() -> None:
    asked = (TimeWindow(TEN, TEN + HALF_HOUR),)
    late = TimeWindow(TEN + 2 * HALF_HOUR, TEN + 3 * HALF_HOUR)
    assert begins_as_told(asked, TEN, late) == TEN


def test_who_is_early_waits_for_the_window_asked_for_and_for_the_one_promised_in_it() -> None:
    asked = (TimeWindow(TEN, TEN + 2 * HALF_HOUR),)
    told = TimeWindow(TEN + HALF_HOUR, TEN + 2 * HALF_HOUR)
    assert not_before(asked, TEN - HALF_HOUR, None) == TEN
    assert not_before(asked, TEN - HALF_HOUR, told) == told.opens
    assert not_before((), TEN - HALF_HOUR, told) == told.opens
    assert not_before((), TEN, None) is None
    assert not_before(asked, TEN + 3 * HALF_HOUR, told) is None
