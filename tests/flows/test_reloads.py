"""A van that is too small for the day loads again at the depot: planned, shown, driven."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from hub.core.fit import Stage, problems, timed
from hub.core.jobs import State
from hub.core.orders import Kind
from hub.core.values import Line, Point
from hub.db.tables import (
    DepotRow,
    EstimateRow,
    JobRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    TakeOverRow,
)
from hub.flows.ahead import begun_routes, round_of
from hub.flows.board_moves import move_stop
from hub.flows.dispatch import discard_draft, publish, remove_job
from hub.flows.drive import IncomingAct, device_for, pair, pairing_code, take_acts
from hub.flows.estimate import estimate_routes
from hub.flows.fleet import DepotIn, save_depot
from hub.flows.overview import day_seen
from hub.flows.phone import shown_to
from hub.flows.phone_seen import PhoneStop
from hub.flows.planning_run import ask_plan, solve_waiting
from hub.flows.rescue_ways import Happened, ways_out
from hub.flows.route_now import laid, roads_for
from hub.flows.take_overs import fetches_of
from hub.flows.van_out import take_way
from hub.live.store import LastFix
from tests.flows.test_planning_settings import DAY, SIX, YARD, Firm, firm

__all__ = ["firm"]
TEN_MIN = timedelta(minutes=10)


def two_parcels(firm: Firm, ref: str, north: int) -> None:
    firm.order(ref, north, lines=(Line("Box"), Line("Box")))


@pytest.fixture
def small(firm: Firm) -> Firm:
    """Mara's van holds four parcels; four doors want two each."""
    firm.crew("Mara", van={"parcels": 4, "most_loads": 3, "reload_min": 20})
    for n in range(1, 5):
        two_parcels(firm, str(n), n)
    return firm


def plan(firm: Firm, strategy: str = "nearest") -> RouteRow:
    asked = {"actor": "test", "time_limit_s": 1.0, "strategy": strategy}
    ask_plan(firm.hub, firm.business_id, firm.yard, DAY, **asked)
    assert solve_waiting(firm.hub)
    [route] = firm.routes()
    return route


def published(firm: Firm) -> RouteRow:
    route = plan(firm)
    return publish(firm.hub, firm.business_id, route.id, actor="test", expected_version=1)


def reloads(firm: Firm) -> list[TakeOverRow]:
    with firm.hub.reading() as session:
        return list(session.exec(select(TakeOverRow)))


def jobs_at(firm: Firm, route: RouteRow) -> list[list[str]]:
    """Job ids by stop, in order; none at the depot."""
    with firm.hub.reading() as session:
        found = []
        for stop in firm.stops(route):
            mine = select(StopJobRow.job_id).where(StopJobRow.stop_id == stop.id)
            found.append(list(session.exec(mine)))
    return found


def test_a_van_that_is_too_small_loads_again(small: Firm) -> None:
    assert small.vehicle().reload_at == (0,) and small.vehicle().reload_s == 1200
    route = plan(small, "")
    stops = small.stops(route)
    work = jobs_at(small, route)
    assert [len(jobs) for jobs in work] == [1, 1, 0, 1, 1]
    assert [stop.n for stop in stops] == [1, 2, 3, 4, 5]
    again = stops[2]
    assert again.depart_at - again.arrive_at == timedelta(minutes=20)
    [row] = reloads(small)
    assert (row.stop_id, row.is_reload, row.from_route_id) == (again.id, True, route.id)
    assert set(row.job_ids) == {*work[3], *work[4]}
    with small.hub.reading() as session:
        place = session.get_one(PlaceRow, again.place_id)
    assert (place.lat, place.lon) == (YARD.lat, YARD.lon)


def test_the_depot_says_how_long_loading_takes_where_the_van_does_not(firm: Firm) -> None:
    firm.crew("Mara", van={"parcels": 4, "most_loads": 2})
    firm.order("1")
    assert firm.vehicle().reload_s == 900
    given = DepotIn(name="Yard", address="Yard", lat=YARD.lat, lon=YARD.lon, reload_min=7)
    save_depot(firm.hub, firm.business_id, given, depot_id=firm.yard, actor="test")
    assert firm.vehicle().reload_s == 420


def test_with_one_load_a_day_the_rest_stays_out(firm: Firm) -> None:
    firm.crew("Mara", van={"parcels": 4})
    for n in range(1, 5):
        two_parcels(firm, str(n), n)
    route = plan(firm)
    assert len(firm.stops(route)) == 2 and reloads(firm) == []


def test_a_day_planned_again_has_its_reloads_once(small: Firm) -> None:
    plan(small)
    plan(small)
    assert len(reloads(small)) == 1
    with small.hub.reading() as session:
        keys = session.exec(select(PlaceRow.key)).all()
    assert sum(key.startswith("depot ") for key in keys) == 1


def test_the_days_page_shows_it_and_counts_no_load_as_too_much(small: Firm) -> None:
    plan(small)
    [route] = day_seen(small.hub, small.business_id, DAY).routes
    [again] = route.take_overs
    assert again.said == "back at the depot: load 4 parcels"
    assert [one.n for one in route.on_the_way] == [1, 2, 3, 4, 5]
    assert route.over == {} and route.load["parcels"] == 4
    assert len(route.to_drive) == 4


def test_publishing_keeps_the_reload_and_drops_one_nobody_needs(small: Firm) -> None:
    route = plan(small)
    work = jobs_at(small, route)
    with small.hub.unit() as unit:  # the second load was held back since
        for id in (*work[3], *work[4]):
            job = unit.session.get_one(JobRow, id)
            job.state, job.version = State.ON_HOLD, job.version + 1
    publish(small.hub, small.business_id, route.id, actor="test", expected_version=1)
    assert reloads(small) == [] and len(small.stops(route)) == 2


def test_a_draft_that_is_thrown_away_takes_its_reloads_with_it(small: Firm) -> None:
    route = plan(small)
    discard_draft(small.hub, small.business_id, route.id, actor="test", expected_version=1)
    assert small.routes() == [] and reloads(small) == []


def test_a_job_that_leaves_a_draft_is_timed_around_its_reload(small: Firm) -> None:
    route = plan(small)
    before = small.stops(route)
    first = jobs_at(small, route)[0][0]
    remove_job(small.hub, small.business_id, route.id, first, actor="test", expected_version=1)
    after = small.stops(route)
    assert [one.id for one in after] == [one.id for one in before[1:]]
    [row] = reloads(small)
    again = next(one for one in after if one.id == row.stop_id)
    assert again.depart_at - again.arrive_at == timedelta(minutes=20)


class Road:
    """Mara's phone, on a day whose clock is moved by hand."""

    def __init__(self, firm: Firm) -> None:
        self.firm, self.now, self.said = firm, SIX, 0
        firm.hub.now = lambda: self.now
        self.route = published(firm)
        code = pairing_code(firm.hub, firm.business_id, firm.drivers["Mara"])
        token = pair(firm.hub, code)
        self.device = device_for(firm.hub, token)
        assert self.device

    def tell(self, kind: str, at: datetime, job_id: str | None = None, **body: object) -> str:
        self.now, self.said = at, self.said + 1
        act = IncomingAct(
            act_id=f"{self.said:04}",
            kind=kind,
            occurred_at=at,
            job_id=job_id,
            route_id=None if job_id else self.route.id,
            body=body,
        )
        assert self.device
        [answer] = take_acts(self.firm.hub, self.device, [act])
        return answer.result

    def deliver(self, job_id: str, at: datetime) -> None:
        self.tell("arrive", at, job_id)
        done = {"outcome": "failed", "reason": "nobody_home"}
        assert self.tell("close", at + timedelta(minutes=3), job_id, **done) == "applied"

    def stops(self) -> tuple[PhoneStop, ...]:
        assert self.device
        [route] = shown_to(self.firm.hub, self.device).routes
        return route.stops

    def states(self) -> list[str]:
        rows = {}
        with self.firm.hub.reading() as session:
            for id in (id for jobs in jobs_at(self.firm, self.route) for id in jobs):
                rows[id] = session.get_one(JobRow, id).state
        return list(rows.values())

    def estimates(self) -> list[datetime]:
        estimate_routes(self.firm.hub)
        with self.firm.hub.reading() as session:
            rows = {row.job_id: row.p50 for row in session.exec(select(EstimateRow))}
        return [rows[id] for jobs in jobs_at(self.firm, self.route) for id in jobs if id in rows]


@pytest.fixture
def road(small: Firm) -> Iterator[Road]:
    return Road(small)


def test_the_phone_shows_it_and_one_tap_loads_what_comes_next(road: Road) -> None:
    at = road.stops()
    assert [stop.take_over is not None for stop in at] == [False, False, True, False, False]
    again = at[2].take_over
    assert again and again.reload and again.needed and again.parcels == 4
    road.tell("start_shift", SIX + 2 * timedelta(hours=1))
    road.tell("load", road.now + TEN_MIN)
    assert road.states() == ["loaded", "loaded", "dispatched", "dispatched"]
    assert road.tell("take_over", road.now + TEN_MIN, stop_id=at[2].stop_id) == "applied"
    assert road.states() == ["loaded"] * 4
    done = road.stops()[2].take_over
    assert done and done.done_at == road.now


def test_arrivals_after_it_count_the_way_back_and_the_loading(road: Road) -> None:
    planned = [stop.arrive_at for stop in road.firm.stops(road.route)]
    first = road.firm.stops(road.route)[0]
    road.tell("start_shift", SIX + timedelta(hours=2))
    road.now = first.arrive_at - timedelta(minutes=1)
    road.tell("head_for", road.now, jobs_at(road.firm, road.route)[0][0])
    found = road.estimates()
    assert len(found) == 4
    for estimate, plan in zip(found, [planned[0], planned[1], planned[3], planned[4]], strict=True):
        assert abs(estimate - plan) < timedelta(minutes=10)
    assert found[2] - found[1] > timedelta(minutes=20)


def test_who_forgets_the_tap_and_drives_on_is_not_sent_back(road: Road) -> None:
    work = jobs_at(road.firm, road.route)
    road.tell("start_shift", SIX + timedelta(hours=2))
    for n in (0, 1):
        road.deliver(work[n][0], road.firm.stops(road.route)[n].arrive_at)
    road.tell("head_for", road.now + timedelta(minutes=30), work[3][0])
    with road.firm.hub.reading() as session:
        [fetch] = fetches_of(session, road.firm.business_id, road.route.id).values()
    assert fetch.stage is Stage.SKIPPED
    again = road.stops()[2].take_over
    assert again and not again.needed
    [route] = day_seen(road.firm.hub, road.firm.business_id, DAY).routes
    assert route.take_overs == () and route.over == {}


def test_a_driver_who_stands_at_the_depot_is_not_late_by_every_minute(road: Road) -> None:
    work, stops = jobs_at(road.firm, road.route), road.firm.stops(road.route)
    road.tell("start_shift", SIX + timedelta(hours=2))
    for n in (0, 1):
        road.deliver(work[n][0], stops[n].arrive_at)
    road.now = stops[2].arrive_at + timedelta(minutes=15)

    mara = road.firm.drivers["Mara"]

    def leaves_at() -> datetime:
        at_ms = int(road.now.timestamp() * 1000)
        where = {"lat": YARD.lat, "lon": YARD.lon, "acc_m": 10.0}
        who = {"device_id": "d", "business_id": road.firm.business_id}
        nothing = {"speed_ms": None, "heading": None, "battery": None}
        fix = LastFix(
            **where, **who, **nothing, driver_id=mara, seq=1, at_ms=at_ms, received_ms=at_ms
        )
        with road.firm.hub.reading() as session:
            [begun] = begun_routes(session, road.now)
            left = round_of(session, begun, fix, road.now)
        assert left and [door.jobs[0].job_id for door in left.doors] == [work[3][0], work[4][0]]
        assert left.origin == Point(YARD.lat, YARD.lon)
        return left.leaves_at

    first = leaves_at()
    road.now += timedelta(minutes=3)
    assert leaves_at() == first < stops[2].depart_at + timedelta(minutes=6)


def test_what_is_still_at_the_depot_may_go_with_another_driver(road: Road) -> None:
    firm = road.firm
    firm.crew("Otso", depot_id=firm.yard)
    with firm.hub.unit() as unit:
        depot = unit.session.get_one(DepotRow, firm.yard)
        shift = ShiftRow(
            business_id=firm.business_id,
            driver_id=firm.drivers["Otso"],
            depot_id=depot.id,
            day=DAY,
            starts_at=SIX + timedelta(hours=2),
            ends_at=SIX + timedelta(hours=10),
        )
        unit.session.add(shift)
        unit.session.flush()
        other = RouteRow(
            business_id=firm.business_id,
            shift_id=shift.id,
            depot_id=depot.id,
            driver_id=shift.driver_id,
            day=DAY,
            published_at=SIX,
            leaves_at=shift.starts_at,
            back_at=shift.starts_at,
        )
        unit.session.add(other)
        unit.session.flush()
    last = firm.stops(road.route)[4]
    move_stop(
        firm.hub,
        firm.business_id,
        last.id,
        other.id,
        actor="test",
        expected_version=road.route.version,
        to_version=1,
        force=True,
    )
    with firm.hub.reading() as session:
        [fetch] = fetches_of(session, firm.business_id, road.route.id).values()
    assert len(fetch.waiting) == 1 and fetch.is_needed


@pytest.mark.parametrize("room", [4, 8])
def test_who_takes_over_goes_by_the_depot_for_the_next_load(road: Road, room: int) -> None:
    """It was refused: what is not in the van could not be had from it."""
    firm, work = road.firm, jobs_at(road.firm, road.route)
    firm.crew("Otso", van={"parcels": room}, depot_id=firm.yard)
    road.tell("start_shift", SIX + timedelta(hours=2))
    road.tell("load", road.now)
    road.deliver(work[0][0], road.now + TEN_MIN)
    at = Point(YARD.lat + 0.012, YARD.lon)
    out = ways_out(firm.hub, firm.business_id, road.route.id, Happened.VAN, at)
    way = next(one for one in out.ways if one.key.startswith("to:new:"))
    assert (way.why_not, way.left_out, way.moved) == ("", (), 3)
    assert way.cost > 0 and way.late == ()
    told = len(promises(firm))
    [route] = take_way(
        firm.hub,
        firm.business_id,
        road.route.id,
        way.key,
        happened=Happened.VAN,
        at=at,
        actor="test",
        versions=out.scene.versions,
    )
    assert len(promises(firm)) == told
    with firm.hub.reading() as session:
        mine = fetches_of(session, firm.business_id, route.id)
        places = {stop.id: stop.place_id for stop in firm.stops(route)}
        roads = roads_for(firm.hub, firm.business_id, (route.id,))
        now = laid(session, firm.business_id, route, roads).now
    assert problems(timed(now, roads.travel, firm.hub.now())) == ()
    taken = [one for one in mine.values() if not one.row.is_reload]
    assert [set(one.waiting) for one in taken] == [{work[1][0]}]
    again = {id: one for id, one in mine.items() if one.row.is_reload}
    if room == 8:  # it brings the next load from the depot at once
        assert again == {}
    else:
        [(stop_id, fetch)] = again.items()
        assert set(fetch.waiting) == {work[3][0], work[4][0]} and fetch.is_needed
        assert places[stop_id] == out.scene.stands
    left = {job for stop in jobs_at(firm, route) for job in stop}
    assert left == {work[1][0], work[3][0], work[4][0]}
    shown = [one.said for one in day_seen(firm.hub, firm.business_id, DAY).routes[-1].take_overs]
    assert ("back at the depot: load 4 parcels" in " ".join(shown)) == (room == 4)


def promises(firm: Firm) -> list[PromiseRow]:
    with firm.hub.reading() as session:
        return list(session.exec(select(PromiseRow)))


def test_what_was_collected_is_put_down_when_it_loads_again(firm: Firm) -> None:
    firm.crew("Mara", van={"parcels": 2, "most_loads": 3})
    for n in range(1, 3):
        firm.order(str(n), n, kind=Kind.COLLECT, lines=(Line("Crate"), Line("Crate")))
    route = plan(firm)
    [row] = reloads(firm)
    assert row.job_ids == [] and len(firm.stops(route)) == 3
    [seen] = day_seen(firm.hub, firm.business_id, DAY).routes
    assert seen.take_overs[0].said == "back at the depot: unload" and seen.over == {}
    publish(firm.hub, firm.business_id, route.id, actor="test", expected_version=1)
    assert len(reloads(firm)) == 1
