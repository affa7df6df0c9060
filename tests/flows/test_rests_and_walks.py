"""A route that a person changed keeps its break and its limits; walks and wishes reach the plan."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from hub.core.values import TimeWindow
from hub.db.tables import JobRow, PlaceRow
from hub.flows.board import board_seen
from hub.flows.board_order import turn, turns
from hub.flows.dispatch import DoesNotFit, add_job, best_places, publish
from hub.flows.places import remember
from hub.flows.rests import rests_read
from hub.web.board_lanes import axis_of, lanes_of
from tests.flows.test_planning_settings import DAY, SIX, ZONE, Firm, firm

__all__ = ["firm"]


def clock(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=ZONE)


def between(opens: int, closes: int) -> TimeWindow:
    return TimeWindow(clock(opens), clock(closes))


def test_a_stop_that_is_turned_by_hand_leaves_the_driver_the_break(firm: Firm) -> None:
    """It was lost: who looked at a route again knew nothing of breaks."""
    firm.crew("Mara", breaks="30 min between 11:30 and 12:30")
    for n in range(1, 6):
        firm.order(str(n), n, service_s=3000)
    firm.planned()
    [route] = firm.routes()
    [planned] = rests_read(route.rests)
    assert planned is not None and clock(11, 30) <= planned.opens <= clock(12, 30)
    first = firm.stops(route)[0]
    place = next(one for one in turns(firm.hub, firm.business_id, first.id) if one.fits)
    about = {"actor": "staff:1", "expected_version": route.version}
    turn(firm.hub, firm.business_id, first.id, place.position, **about)
    [route] = firm.routes()
    [rest] = rests_read(route.rests)
    assert rest is not None and clock(11, 30) <= rest.opens <= clock(12, 30)
    assert rest.closes - rest.opens == timedelta(minutes=30)
    board = board_seen(firm.hub, firm.business_id, DAY)
    [lane] = lanes_of(board, axis_of(board, ZONE), ZONE)
    assert lane.rests[0][2] == f"Break {rest.opens.astimezone(ZONE):%H:%M}" + (
        f"–{rest.closes.astimezone(ZONE):%H:%M}"
    )


def test_one_job_more_than_a_driver_may_have_is_told_and_takes_insisting(firm: Firm) -> None:
    firm.crew("Mara", most_jobs=2)
    firm.order("1")
    firm.order("2", 2)
    firm.planned()
    [route] = firm.routes()
    publish(firm.hub, firm.business_id, route.id, actor="staff:1", expected_version=route.version)
    firm.order("3", 3)
    with firm.hub.reading() as session:
        job = session.exec(select(JobRow).order_by(JobRow.id)).all()[-1]  # type: ignore[arg-type]
    [offer] = best_places(firm.hub, firm.business_id, job.id, DAY)
    assert offer.problems == ("Mara would have 3 jobs and may have 2 a day.",)
    about = {"actor": "staff:1", "expected_version": offer.version}
    with pytest.raises(DoesNotFit):
        add_job(firm.hub, firm.business_id, route.id, job.id, **about)
    add_job(firm.hub, firm.business_id, route.id, job.id, **about, force=True)


def test_the_walk_to_a_door_is_kept_for_its_address_and_counted_once(firm: Firm) -> None:
    firm.crew()
    firm.order("1", 2, service_s=300, access_s=240)
    firm.order("2", 2, service_s=300)
    with firm.hub.reading() as session:
        walks = [place.access_s for place in session.exec(select(PlaceRow))]
    assert walks.count(240) == 1
    firm.planned()
    [route] = firm.routes()
    spent = {stop.id: stop.depart_at - stop.arrive_at for stop in firm.stops(route)}
    assert sorted(spent.values()) == [timedelta(seconds=300), timedelta(seconds=540)]
    first = firm.stops(route)[0]
    turn(firm.hub, firm.business_id, first.id, 2, actor="staff:1", expected_version=route.version)
    again = {stop.id: stop.depart_at - stop.arrive_at for stop in firm.stops(route)}
    assert again == spent
    remember(
        firm.hub,
        firm.business_id,
        first.place_id,
        access_note="",
        safe_place="",
        contacts=[],
        service_s=None,
        access_s=600,
        actor="staff:1",
    )
    firm.planned()
    [route] = firm.routes()
    at = {stop.place_id: stop.depart_at - stop.arrive_at for stop in firm.stops(route)}
    assert at[first.place_id] == timedelta(seconds=900)


def test_a_wished_time_is_kept_at_its_price_and_shown_beside_the_stop(firm: Firm) -> None:
    firm.crew()
    firm.order("any", 4, service_s=300)
    firm.order("lunch", 2, service_s=300, wished=between(12, 13), wished_per_hour=20_000)
    firm.planned()
    [route] = firm.routes()
    board = board_seen(firm.hub, firm.business_id, DAY)
    [lane] = lanes_of(board, axis_of(board, ZONE), ZONE)
    [bar] = [bar for bar in lane.bars if "lunch" in bar.stop.numbers]
    assert clock(12) <= bar.stop.depart_at - timedelta(seconds=300) <= clock(13)
    assert "wished 12:00–13:00" in bar.said
    assert route.leaves_at and route.leaves_at > SIX
