"""A time is offered that the plan can serve, and taken only by the first who takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from sqlmodel import select

from hub import Point, TravelMatrix, TravelTimes, hookimpl
from hub.core.self_service import Follow
from hub.core.tracking_page import Shows
from hub.db.tables import (
    AmendmentRow,
    BusinessRow,
    DriverRow,
    JobRow,
    LinkRow,
    RouteRow,
    StopJobRow,
    VehicleRow,
    WishRow,
)
from hub.flows.amended_seen import AmendmentSeen, amendments_of
from hub.flows.dispatch import discard_draft, publish
from hub.flows.plan import plan_day
from hub.flows.retain import retain
from hub.flows.route_now import route_holding
from hub.flows.self_service import NotOpen, follow, say_door
from hub.flows.time_chosen import Taken, choose_time, free_times, name_of
from hub.flows.tracking_link import opened
from hub.keys import hashed
from hub.live import pages
from hub.plugins.travel_crow import CrowTravelTimes
from tests import tracking_worlds as moments
from tests.flows.test_at_once import at_once
from tests.many_routes import ManyRoutes, many_routes
from tests.tracking_worlds import DAY, Street
from tests.web.test_tracking import client_of as tracking_client_of

RULES = {"hours": 0, "slots": {"minutes": 120, "weekdays": list(range(7)), "begins": "09:00"}}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> ManyRoutes:
    """One van with room for one parcel more, and two customers who want it."""
    world = many_routes(database_url, tmp_path, drivers=1, stops=3)
    with world.hub.unit() as unit:
        [van] = unit.session.exec(select(VehicleRow)).all()
        van.capacity = {"parcels": 4}
        business = unit.session.get_one(BusinessRow, world.business_id)
        business.settings = {**business.settings, "self_service": RULES}
    return world


def token_of(world: ManyRoutes, job: JobRow) -> str:
    with world.hub.reading() as session:
        link = session.exec(select(LinkRow).where(LinkRow.order_id == job.order_id)).one()
    return world.hub.keys.link_token(job.order_id, link.epoch)


def test_of_two_who_take_the_last_place_at_once_one_gets_it(world: ManyRoutes) -> None:
    links = [token_of(world, job) for job in world.jobs(2)]
    first = [name_of(free_times(world.hub, link).free[1]) for link in links]
    takes = [
        partial(choose_time, world.hub, link, name, n=0)
        for link, name in zip(links, first, strict=True)
    ]
    found = at_once(*takes)
    assert sorted(type(one).__name__ for one in found) == ["NoneType", "Taken"]
    loser = next(link for link, one in zip(links, found, strict=True) if isinstance(one, Taken))
    assert [one for one in free_times(world.hub, loser).free if one.day == DAY] == []
    with world.hub.reading() as session:
        assert len(session.exec(select(StopJobRow)).all()) == 4
        assert len(session.exec(select(WishRow)).all()) == 1


def test_of_two_who_take_the_last_place_of_a_day_without_a_plan_one_gets_it(
    world: ManyRoutes,
) -> None:
    slots = {**RULES["slots"], "days": 7, "most_jobs": 1}  # type: ignore[dict-item]
    with world.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, world.business_id)
        business.settings = {**business.settings, "self_service": {**RULES, "slots": slots}}
        for job in unit.session.exec(select(JobRow)):
            job.due_on = DAY
    links = [token_of(world, job) for job in world.jobs(2)]
    later = [[one for one in free_times(world.hub, link).free if one.day > DAY] for link in links]
    takes = [
        partial(choose_time, world.hub, link, name_of(free[0]), n=0)
        for link, free in zip(links, later, strict=True)
    ]
    found = at_once(*takes)
    assert sorted(type(one).__name__ for one in found) == ["NoneType", "Taken"]
    assert len([job for job in rows(world, JobRow) if job.due_on == later[0][0].day]) == 1


def test_no_promise_of_anybody_is_broken_by_a_time_that_is_taken(world: ManyRoutes) -> None:
    with world.hub.reading() as session:
        jobs = session.exec(select(JobRow).order_by(JobRow.id)).all()
    before = {job.id: promised(world, job) for job in jobs[1:]}
    link = token_of(world, jobs[0])
    for free in free_times(world.hub, link).free:
        choose_time(world.hub, link, name_of(free), n=0)
        job = next(one for one in rows(world, JobRow) if one.id == jobs[0].id)
        assert free.window is not None
        opens, closes = promised(world, job)
        assert free.window.opens <= opens < closes <= free.window.closes
    assert {job.id: promised(world, job) for job in jobs[1:]} == before


def promised(world: ManyRoutes, job: JobRow) -> tuple[datetime, datetime]:
    with world.hub.reading() as session:
        link = opened(session, token_of(world, job), world.now[0])
    assert link is not None
    assert link.promise is not None
    return link.promise.opens, link.promise.closes


def rows(world: ManyRoutes, table: type) -> list:  # type: ignore[type-arg]
    with world.hub.reading() as session:
        return list(session.exec(select(table)))


def a_week(street: Street, **rules: object) -> Street:
    street.settings(self_service={**RULES, **rules})
    street.clock(-60)
    return street


def test_a_draft_is_changed_as_a_dispatcher_would_and_its_plan_keeps_to_the_time() -> None:
    street = a_week(moments.ordered())
    free = free_times(street.hub, street.token).free[2]
    choose_time(street.hub, street.token, name_of(free), n=0)
    assert free.window is not None
    assert street.job.state == "assigned"
    route = street.day.publish()
    assert route.published_at is not None
    with street.hub.reading() as session:
        link = opened(session, street.token, street.hub.now())
    assert link is not None
    assert link.seen.shows is Shows.SCHEDULED
    assert link.promise is not None
    assert free.window.opens <= link.promise.opens < link.promise.closes <= free.window.closes


def test_a_time_on_a_day_without_a_plan_is_in_the_plan_that_is_made() -> None:
    street = a_week(moments.scheduled())
    later = [one for one in free_times(street.hub, street.token).free if one.day > DAY]
    assert {one.day.weekday() for one in later} <= {0}  # who works on no other day comes on none
    street = a_week(moments.scheduled(), slots={**RULES["slots"], "days": 7})  # type: ignore[dict-item]
    [free, *_] = [one for one in free_times(street.hub, street.token).free if one.day > DAY]
    assert free.route_ids == ()
    choose_time(street.hub, street.token, name_of(free), n=0)
    with street.hub.reading() as session:
        link = opened(session, street.token, street.hub.now())
    assert link is not None
    assert (link.seen.shows, link.seen.quoted) == (Shows.RESCHEDULED, free.window)
    seen = pages.by_token(street.hub.engine, [hashed(street.token)])
    [page] = seen.values()
    assert page.seen(street.hub.now()) == link.seen  # open pages are told the same
    plan_day(street.hub, street.business_id, free.day, strategy="nearest")
    with street.hub.reading() as session:
        route = session.exec(select(RouteRow).where(RouteRow.day == free.day)).one()
    about = {"actor": "staff:1", "expected_version": route.version}
    publish(street.hub, street.business_id, route.id, **about)  # type: ignore[arg-type]
    with street.hub.reading() as session:
        link = opened(session, street.token, street.hub.now())
    assert link is not None
    assert free.window is not None
    assert link.promise is not None
    assert free.window.opens <= link.promise.opens < link.promise.closes <= free.window.closes


def test_what_is_over_cannot_be_done_whoever_held_an_open_page() -> None:
    street = a_week(moments.scheduled(), hours=0)
    name = name_of(free_times(street.hub, street.token).free[0])
    street.tell("start_shift", None, 0)
    with pytest.raises(NotOpen):
        choose_time(street.hub, street.token, name, n=0)
    assert street.day.events("RecipientAsked") == []


def test_a_code_is_let_go_of_once_nothing_is_left_to_do() -> None:
    street = a_week(moments.scheduled())
    say_door(street.hub, street.token, "Ring twice", "4711", forget_code=False, n=0)
    retain(street.hub)
    assert [one.said for one in said(street)] == ["Ring twice", "4711"]
    street.tell("start_shift", None, 0)
    street.close(street.job, 20)
    retain(street.hub)
    assert [one.said for one in said(street)] == ["Ring twice", ""]
    street.day.now[0] += timedelta(days=400)
    retain(street.hub)
    assert [one.said for one in said(street)] == ["", ""]


def test_what_a_driver_was_told_of_a_note_goes_with_the_note() -> None:
    street = a_week(moments.scheduled())
    say_door(street.hub, street.token, "Ring twice", "4711", forget_code=False, n=0)
    street.tell("start_shift", None, 0)
    street.close(street.job, 20)
    retain(street.hub)
    assert "Ring twice" in str([one.changes for one in rows_of(street, AmendmentRow)])
    street.day.now[0] += timedelta(days=400)
    retain(street.hub)
    assert [one.changes for one in rows_of(street, AmendmentRow)] == [[]]
    assert amended(street)  # that there was something stays


def rows_of(street: Street, table: type) -> list:  # type: ignore[type-arg]
    with street.hub.reading() as session:
        return list(session.exec(select(table)))


def amended(street: Street) -> list[AmendmentSeen]:
    with street.hub.reading() as session:
        return list(amendments_of(session, street.business_id, street.order.id))


def said(street: Street) -> list[WishRow]:
    with street.hub.reading() as session:
        return list(session.exec(select(WishRow).order_by(WishRow.n)))


class Between(CrowTravelTimes):
    """What somebody else does while the roads of a change are looked up."""

    key = "between"
    happens: ClassVar[list[Callable[[], None]]] = []

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        if self.happens:
            self.happens.pop(0)()
        return super().matrix(places, depart_at, profile)


class Meanwhile:
    __name__ = "meanwhile"

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [Between]


@pytest.fixture
def waiting() -> Iterator[Street]:
    """Another attempt waits on a draft of the next day, and something may come between."""
    street = a_week(moments.rescheduled(), follows=["collect", "return"])
    with street.hub.unit() as unit:
        for driver in unit.session.exec(select(DriverRow)):
            driver.works = {"1": ["08:00", "17:00"]}
    plan_day(street.hub, street.business_id, DAY + timedelta(days=1), strategy="nearest")
    assert street.job.state == "assigned"
    street.hub.registry.add(Meanwhile(), "meanwhile")
    yield street
    Between.happens.clear()


def thrown_away(street: Street) -> None:
    """A dispatcher throws the draft away."""
    with street.hub.reading() as session:
        draft = route_holding(session, street.business_id, [street.job.id])
    assert draft is not None
    discard_draft(
        street.hub, street.business_id, draft.id, actor="staff:1", expected_version=draft.version
    )


def planned_again(street: Street) -> None:
    plan_day(street.hub, street.business_id, DAY + timedelta(days=1), strategy="nearest")


def test_what_follows_is_chosen_although_the_attempt_left_its_draft_meanwhile(
    waiting: Street,
) -> None:
    Between.happens.append(partial(thrown_away, waiting))
    follow(waiting.hub, waiting.token, Follow.COLLECT, "", n=0)
    assert (waiting.job.outcome, waiting.job.next_step) == ("cancelled", "collect")
    assert [one.said for one in said(waiting)] == ["collect"]


def test_an_attempt_that_never_stands_still_is_said_to_be_closed_on_the_page(
    waiting: Street,
) -> None:
    def moves() -> None:
        thrown_away(waiting)
        planned_again(waiting)
        Between.happens.insert(0, moves)

    Between.happens.append(moves)
    client = tracking_client_of(waiting)
    answer = client.post(f"/t/{waiting.token}/do", data={"n": 0, "do": "follow", "what": "collect"})
    assert answer.status_code == 409
    assert "That is not possible any more." in answer.text
    assert (waiting.job.state, waiting.job.next_step) == ("assigned", "")
    assert said(waiting) == []
