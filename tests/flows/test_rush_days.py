"""Roads that are slower at some hours, as a business set it: the plan, its moves and the arrivals
that customers read agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from hub import Pace, Point, TravelMatrix, TravelTimes, hookimpl
from hub.core.business import BusinessSettings
from hub.core.fit import timed
from hub.core.jobs import State
from hub.core.pace import Traffic, traffic_of
from hub.core.rush_hours import RushHour
from hub.core.values import TimeWindow
from hub.db.tables import BusinessRow, EstimateRow, JobRow, RouteRow, StopRow
from hub.flows.ahead import Begun, round_of
from hub.flows.arrivals import arrivals_of, asked_of, travel_of
from hub.flows.board_order import turn, turns
from hub.flows.business import DefaultsIn, business_of
from hub.flows.day import read_day
from hub.flows.paces import paces
from hub.flows.rests import rests_kept
from hub.flows.roads import Rush, travel_between
from hub.flows.route_now import laid, roads_for, route_of
from hub.flows.rush_typed import RushHourIn
from hub.plugins.travel_crow import CrowTravelTimes
from tests.flows.test_estimate import EIGHT, estimate, minutes_off, under_way
from tests.flows.test_planning_settings import DAY, SIX, YARD, Firm, firm, local, wanting
from tests.noticing_worlds import Round, moment

__all__ = ["firm"]
ALL_DAY = {"first_day": "0", "last_day": "6"}


def slow(firm: Firm, *lines: dict[str, str]) -> None:
    wanting(firm, rush_hours=[RushHourIn(**{**ALL_DAY, **line}) for line in lines])  # type: ignore[arg-type]


def legs(firm: Firm, route: RouteRow) -> list[float]:
    """Minutes of each drive of the day, the last of them home."""
    stops, clock, found = firm.stops(route), route.leaves_at, list[float]()
    for stop in stops:
        assert clock is not None
        found.append((stop.arrive_at - clock).total_seconds() / 60)
        clock = stop.depart_at
    assert clock is not None and route.back_at is not None
    return [*found, (route.back_at - clock).total_seconds() / 60]


def test_a_day_is_planned_at_the_pace_of_its_hours(firm: Firm) -> None:
    firm.crew()
    firm.order("1", 6, service_s=3600, windows=(TimeWindow(local(8), local(8, 50)),))
    firm.planned()
    free = legs(firm, firm.routes()[0])
    slow(firm, {"begins": "08:00", "ends": "09:00", "factor": "2"})
    firm.planned()
    there, home = legs(firm, firm.routes()[0])
    assert there == pytest.approx(2 * free[0], abs=0.05)
    assert home == pytest.approx(free[1], abs=0.05)


def test_a_bicycle_is_not_held_up_by_cars(firm: Firm) -> None:
    firm.crew("Mara")
    firm.crew("Otso", van={"profile": "bicycle"})
    firm.order("1", 2)
    slow(
        firm,
        {"begins": "08:00", "ends": "10:00", "factor": "1.5"},
        {"begins": "00:00", "ends": "00:00", "factor": "1", "profile": "bicycle"},
    )
    travel = read_day(firm.hub, firm.business_id, DAY, 1.0).request.travel
    rush = [Pace(local(8), 1.5), Pace(local(10), 1.0)]
    assert list(travel["car"].pace[:2]) == rush
    assert travel["bicycle"].pace == ()


def test_a_stored_route_is_timed_again_as_it_was_planned(firm: Firm) -> None:
    firm.crew(door_percent=150)
    for n in (2, 4, 6, 8):
        firm.order(str(n), n, service_s=1200)
    slow(
        firm,
        {"begins": "07:30", "ends": "08:40", "factor": "1.8"},
        {"begins": "08:40", "ends": "12:00", "factor": "1.3"},
    )
    firm.planned()
    [route] = firm.routes()
    roads = roads_for(firm.hub, firm.business_id, (route.id,))
    with firm.hub.reading() as session:
        now = laid(session, firm.business_id, route_of(session, firm.business_id, route.id), roads)
    again = timed(now.now, roads.travel, SIX)
    stops = firm.stops(route)
    assert [(s.arrive, s.depart) for s in again.stops] == [
        (row.arrive_at, row.depart_at) for row in stops
    ]
    assert (again.leave, again.home) == (route.leaves_at, route.back_at)


def test_a_stop_that_is_moved_by_hand_comes_when_the_board_said(firm: Firm) -> None:
    firm.crew()
    for n in (2, 4, 6):
        firm.order(str(n), n, service_s=1800)
    slow(firm, {"begins": "08:00", "ends": "08:45", "factor": "2.5"})
    firm.planned()
    [route] = firm.routes()
    last: StopRow = firm.stops(route)[-1]
    offer = next(one for one in turns(firm.hub, firm.business_id, last.id) if one.position == 1)
    turn(
        firm.hub,
        firm.business_id,
        last.id,
        1,
        actor="test",
        expected_version=route.version,
    )
    moved = firm.stops(firm.routes()[0])[0]
    assert (moved.id, moved.arrive_at) == (last.id, offer.arrive_at)
    roads = roads_for(firm.hub, firm.business_id, (route.id,))
    traffic = traffic_of(roads.travel["car"].pace)
    assert traffic is not None
    way_s = roads.travel["car"].seconds[roads.index[firm.yard]][roads.index[moved.place_id]]
    assert int(moved.arrive_at.timestamp()) == traffic.arrival(int(local(8).timestamp()), way_s)


def test_whoever_measures_roads_by_the_hour_is_not_slowed_once_more(firm: Firm) -> None:
    firm.crew()
    firm.order("1", 2)
    slow(firm, {"begins": "08:00", "ends": "10:00", "factor": "2"})
    seen = read_day(firm.hub, firm.business_id, DAY, 1.0)
    places = seen.request.places
    own = (Pace(local(7), 1.2),)
    measured = travel_between(firm.hub, firm.business_id, places, SIX, "van").paced(own)
    business, _ = business_of(firm.hub, firm.business_id)
    assert Rush.of(business, DAY, DAY).slow(measured, "van").pace == own


# -- arrivals


def in_traffic(driving: Round, begins: str, ends: str, factor: str) -> None:
    line = RushHourIn(first_day="0", last_day="6", begins=begins, ends=ends, factor=factor)
    _, kept = business_of(driving.hub, driving.business_id)
    typed = DefaultsIn.of(kept).model_copy(update={"rush_hours": [line]})
    with driving.hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, driving.business_id)
        row.settings = typed.settings(kept).model_dump(mode="json")


@pytest.fixture
def driving(database_url: str) -> Round:
    return Round(database_url)


def clock(driving: Round, minute: float) -> str:
    business, _ = business_of(driving.hub, driving.business_id)
    return f"{moment(minute).astimezone(ZoneInfo(business.zone)):%H:%M}"


def test_a_round_that_comes_into_the_rush_hour_is_later_at_every_door(driving: Round) -> None:
    """Planned for the free road at eight; it sets off an hour late, when roads are slow."""
    plain = [(s.arrive_at, s.depart_at) for s, _ in driving.stops()]
    in_traffic(driving, clock(driving, EIGHT + 55), clock(driving, EIGHT + 400), "3")
    under_way(driving)
    estimate(driving)
    assert all(abs(off) <= 1 for off in minutes_off(driving))
    driving.at(60.1699, 24.9384, EIGHT + 60)
    estimate(driving, EIGHT + 60)
    first, second, third = minutes_off(driving)
    ways = [(b[0] - a[1]).total_seconds() / 60 for a, b in zip(plain, plain[1:], strict=False)]
    assert second - first == pytest.approx(2 * ways[0], abs=0.2)
    assert third - second == pytest.approx(2 * ways[1], abs=0.2)


class ByTheHour(CrowTravelTimes):
    """As slow as it is at that hour, it says."""

    key, title = "by-the-hour", "By the hour"
    knows_traffic = True


class OfItsOwn(ByTheHour):
    """It tells when roads are slow, so nobody else has to."""

    knows_traffic = False

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        return super().matrix(places, depart_at, profile).paced((Pace(moment(EIGHT - 60), 1.5),))


class Measures:
    def __init__(self, cls: type[TravelTimes]) -> None:
        self.cls = cls

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [self.cls]


@pytest.mark.parametrize(("cls", "times"), [(ByTheHour, 1.0), (OfItsOwn, 1.5)])
def test_who_measures_roads_by_the_hour_tells_arrivals_alone(
    driving: Round, cls: type[TravelTimes], times: float
) -> None:
    """The business's rush hours were counted on top, or in its stead."""
    under_way(driving)
    driving.at(60.1699, 24.9384, EIGHT + 60)
    [free] = routes_of(driving, EIGHT + 60)
    in_traffic(driving, clock(driving, EIGHT - 60), clock(driving, EIGHT + 400), "3")
    driving.hub.registry.add(Measures(cls), "measures")
    [asked] = routes_of(driving, EIGHT + 60)
    assert asked == pytest.approx(times * free, abs=2)
    business, _ = business_of(driving.hub, driving.business_id)
    there = [Point(60.17, 24.94), Point(60.18, 24.94)]
    told = travel_between(driving.hub, business.id, there, moment(EIGHT), "car")
    assert Rush.of(business, DAY, DAY).slow(told, "car").pace == told.pace != ()
    assert (traffic_of(told.pace) is None) == cls.knows_traffic


def routes_of(driving: Round, minute: float) -> list[float]:
    """Seconds from where the van is to the door it comes to first, as customers read it."""
    estimate(driving, minute)
    with driving.hub.reading() as session:
        rows = session.exec(select(EstimateRow)).all()
    return [min((row.p50 - moment(minute)).total_seconds() for row in rows)]


def test_the_estimate_is_the_plan_s_to_the_minute_in_traffic(firm: Firm) -> None:
    """Planned in the rush hour and driven as planned: nobody reads another time."""
    firm.crew()
    for n in (2, 4, 6):
        firm.order(str(n), n, service_s=600)
    slow(firm, {"begins": "08:00", "ends": "08:20", "factor": "2"})
    firm.planned()
    [route] = firm.routes()
    with firm.hub.unit() as unit:
        for job in unit.session.exec(select(JobRow)):
            job.state = State.DISPATCHED
    business, _ = business_of(firm.hub, firm.business_id)
    pace = Rush.of(business, DAY, DAY).paces("car")
    begun = Begun(route, local(8), YARD, "car", pace)
    with firm.hub.reading() as session:
        ahead = round_of(session, begun, None, local(8))
    assert ahead is not None
    found = arrivals_of(
        firm.hub,
        ahead,
        travel_of(ahead, asked_of(firm.hub, ahead, local(8)), local(8)),
        (),
        local(8),
    )
    planned = [stop.arrive_at for stop in firm.stops(route)]
    assert [abs((a.p50 - b).total_seconds()) for a, b in zip(found, planned, strict=True)] == (
        pytest.approx([0, 0, 0], abs=3)
    )


def test_a_driver_whom_the_rush_hour_holds_up_is_not_taken_for_slow(driving: Round) -> None:
    """Two ways of ten minutes, planned on the free road and driven at half the speed."""
    in_traffic(driving, clock(driving, EIGHT), clock(driving, EIGHT + 600), "2")
    stops = [[(stop, job, None)] for stop, job in driving.stops()]
    traffic = Traffic((Pace(moment(EIGHT + 30), 2.0),))
    begin, came = EIGHT + 60, {}
    for n, [(stop, job, _)] in enumerate(stops):
        stop.arrive_at, stop.depart_at = moment(EIGHT + 12 * n), moment(EIGHT + 12 * n + 2)
        came[job.id] = moment(begin + 22 * n)
        job.state, job.closed_occurred_at, job.windows = "closed", moment(begin + 22 * n + 2), []
        job.outcome = "succeeded"
    way, work = paces(stops, came, {}, traffic)
    assert (way, work) == (pytest.approx(1.0), pytest.approx(1.0))
    assert paces(stops, came, {})[0] > 1.2


def test_rules_that_overlap_are_refused_in_words() -> None:
    kept = business_settings()
    lines = [
        {"first_day": "0", "last_day": "4", "begins": "07:00", "ends": "09:00", "factor": "1.4"},
        {"first_day": "2", "last_day": "2", "begins": "8:30", "ends": "10:00", "factor": "1,2"},
    ]
    with pytest.raises(ValueError, match="Mon–Fri 07:00–09:00 and Wed 08:30–10:00 are both for"):
        DefaultsIn.model_validate({**kept, "rush_hours": lines})
    apart = {**lines[1], "begins": "09:00"}
    typed = DefaultsIn.model_validate({**kept, "rush_hours": [lines[0], apart]})
    assert [line.rule() for line in typed.rush_hours] == [
        RushHour(0, 4, 420, 540, 1.4),
        RushHour(2, 2, 540, 600, 1.2),
    ]


def business_settings() -> dict[str, object]:
    return DefaultsIn.of(BusinessSettings()).model_dump()


# -- breaks


def test_a_break_is_in_the_arrivals_wherever_it_falls(driving: Round) -> None:
    """One on the way to the next door was left out; on a later one it was taken for driving."""
    [(first, _), *_] = driving.stops()
    rest = timedelta(minutes=30)
    begins = first.depart_at + timedelta(seconds=20)
    with driving.hub.unit() as unit:
        for stop, _ in driving.stops():
            row = unit.session.get_one(StopRow, stop.id)
            if row.n > 1:
                row.arrive_at, row.depart_at = row.arrive_at + rest, row.depart_at + rest
        route = unit.session.get_one(RouteRow, first.route_id)
        route.rests = rests_kept([TimeWindow(begins, begins + rest)])
    under_way(driving)
    estimate(driving)
    assert all(abs(off) <= 1.5 for off in minutes_off(driving))
    with driving.hub.unit() as unit:
        [job] = [job for stop, job in driving.stops() if stop.id == first.id]
        row = unit.session.get_one(JobRow, job.id)
        row.state, row.outcome = State.CLOSED, "succeeded"
        row.closed_occurred_at = first.depart_at
    minute = (first.depart_at - moment(0)).total_seconds() / 60
    estimate(driving, minute)
    assert [abs(off) <= 1.5 for off in minutes_off(driving)[-2:]] == [True, True]
    estimate(driving, minute + 10)  # he rests
    assert [abs(off) <= 1.5 for off in minutes_off(driving)[-2:]] == [True, True]
