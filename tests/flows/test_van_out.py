"""A van or a driver drops out on the road: what is left goes to others in one decision."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import select

from hub.core.fit import problems, timed
from hub.core.jobs import NotNow, State
from hub.core.rescue import Way
from hub.core.values import Point
from hub.db.tables import (
    DriverRow,
    EventRow,
    JobRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows.board import board_seen
from hub.flows.board_moves import moving
from hub.flows.dispatch import RouteConflict
from hub.flows.drive import device_for, pair, pairing_code
from hub.flows.kept_apart import keep_apart
from hub.flows.phone import shown_to
from hub.flows.rescue_ways import Happened, Out, ways_out
from hub.flows.route_now import laid, roads_for
from hub.flows.van_out import take_way
from tests.board_worlds import DAY, MINUTE, TEN, Running, a_running_day

AT = Point(60.1668, 24.9420)


@pytest.fixture(params=["sqlite", "postgresql"])
def day(request: pytest.FixtureRequest, tmp_path: Path) -> Running:
    """Mara's first stop is done, Otso is under way; Sanna sits at home with a spare van."""
    is_server = request.param == "postgresql"
    url = request.getfixturevalue("new_postgres")() if is_server else ""
    day = a_running_day(tmp_path, url=url)
    with day.hub.unit() as unit:
        van = VehicleRow(business_id=day.business_id, name="Spare van", capacity={"parcels": 30})
        sanna = DriverRow(business_id=day.business_id, name="Sanna")
        unit.session.add_all([van, sanna])
        unit.session.flush()
        day.drivers["Sanna"] = sanna.id
    day.now[0] = TEN
    day.begin("Mara", "Otso")
    first = day.stops("Mara")[0]
    for job in day.jobs(first):
        day.says("Mara", "head_for", TEN, job)
        day.says("Mara", "close", TEN + MINUTE, job, outcome="skipped", reason="other")
    day.now[0] = TEN + 2 * MINUTE
    return day


def look(day: Running, happened: Happened = Happened.VAN, driver: str = "Mara") -> Out:
    return ways_out(day.hub, day.business_id, day.route(driver).id, happened, AT)


def the(out: Out, kind: str) -> Way:
    return next(way for way in out.ways if way.kind == kind)


def take(day: Running, way: Way, out: Out, happened: Happened = Happened.VAN) -> list[RouteRow]:
    return take_way(
        day.hub,
        day.business_id,
        out.scene.route.id,
        way.key,
        happened=happened,
        at=AT,
        actor="staff:1",
        versions=out.scene.versions,
    )


def events(day: Running) -> Counter[str]:
    with day.hub.reading() as session:
        return Counter(session.exec(select(EventRow.name)))


def open_jobs(day: Running, driver: str) -> list[JobRow]:
    return [
        job for stop in day.stops(driver) for job in day.jobs(stop) if job.state != State.CLOSED
    ]


def is_sound(day: Running, driver: str) -> bool:
    route = day.route(driver)
    roads = roads_for(day.hub, day.business_id, [route.id])
    with day.hub.reading() as session:
        now = laid(session, day.business_id, route, roads).now
    found = problems(timed(now, roads.travel, day.hub.now()))
    return not [one for one in found if not one.is_promise]


def test_every_way_is_priced_and_a_van_that_does_not_drive_says_so(day: Running) -> None:
    out = look(day)
    assert {way.kind for way in out.ways} == {"replacement", "shared", "depot", "driver"}
    assert the(out, "driver").why_not == "The van does not drive."
    for kind in ("replacement", "shared", "depot"):
        way = the(out, kind)
        assert (way.why_not, way.moved, way.left_out) == ("", 3, ())
        assert way.cost > 0


def test_a_free_driver_fetches_the_load_and_the_round_is_over(day: Running) -> None:
    before = events(day)
    out, ids = look(day), {job.id for job in open_jobs(day, "Mara")}
    way = next(one for one in out.ways if one.key == f"to:new:{day.drivers['Sanna']}")
    take(day, way, out)
    assert {job.id for job in open_jobs(day, "Sanna")} == ids
    assert {job.state for job in open_jobs(day, "Sanna")} == {State.DISPATCHED}
    assert open_jobs(day, "Mara") == []
    with day.hub.reading() as session:
        shift = session.get_one(ShiftRow, day.route("Mara").shift_id)
        [fetch] = session.exec(select(TakeOverRow)).all()
        stop = session.get_one(StopRow, fetch.stop_id)
    assert shift.ended_at == day.now[0]
    assert (stop.n, set(fetch.job_ids)) == (1, ids)
    assert is_sound(day, "Sanna")
    fresh = events(day) - before
    assert (fresh["ShiftEnded"], fresh["RouteHandedOver"], fresh["RoutePublished"]) == (1, 1, 1)
    assert fresh["JobDispatched"] == fresh["JobWithdrawn"] == 0


def test_goods_are_in_the_new_van_once_its_driver_says_so(day: Running) -> None:
    out = look(day)
    take(day, next(one for one in out.ways if "new:" in one.key), out)
    with_phone(day, "Sanna")
    day.now[0] += 10 * MINUTE
    day.says("Sanna", "start_shift", day.now[0])
    day.says("Sanna", "load", day.now[0])
    assert {job.state for job in open_jobs(day, "Sanna")} == {State.DISPATCHED}
    day.says("Sanna", "take_over", day.now[0], stop_id=day.stops("Sanna")[0].id)
    assert {job.state for job in open_jobs(day, "Sanna")} == {State.LOADED}
    assert is_sound(day, "Sanna")


def with_phone(day: Running, name: str) -> None:
    code = pairing_code(day.hub, day.business_id, day.drivers[name])
    day.phones[name] = pair(day.hub, code) or ""


def test_the_phones_say_what_is_to_be_taken_over_and_that_the_round_is_over(day: Running) -> None:
    out = look(day)
    take(day, next(one for one in out.ways if "new:" in one.key), out)
    with_phone(day, "Sanna")
    device = device_for(day.hub, day.phones["Sanna"])
    assert device
    [route] = shown_to(day.hub, device).routes
    first = route.stops[0]
    assert (first.n, first.jobs, (first.lat, first.lon)) == (1, (), (AT.lat, AT.lon))
    assert first.take_over is not None
    assert (first.take_over.van, first.take_over.parcels) == ("M van", 3)
    mara = device_for(day.hub, day.phones["Mara"])
    assert mara
    shown = shown_to(day.hub, mara)
    assert shown.handed_to == ("Sanna",)
    assert shown.routes[0].ended_at is not None


def test_others_share_the_rest_and_keep_their_own_order(day: Running) -> None:
    own = [stop.id for stop in day.stops("Otso")]
    out = look(day)
    [taken] = take(day, the(out, "shared"), out)
    assert taken.driver_id == day.drivers["Otso"]
    assert [stop.id for stop in day.stops("Otso") if stop.id in own] == own
    assert len(open_jobs(day, "Otso")) == 7
    assert is_sound(day, "Otso")


def test_nobody_takes_over_what_is_kept_apart_from_his_own(day: Running) -> None:
    [mine], [his] = day.jobs(day.stops("Mara")[-1]), day.jobs(day.stops("Otso")[-1])

    def gets_it(out: Out) -> bool:
        otso = day.route("Otso").id
        shares = (share for way in out.ways for share in way.shares if share.was.id == otso)
        return any(mine.id in share.job_ids for share in shares)

    assert gets_it(look(day))
    keep_apart(day.hub, day.business_id, his.order_id, [mine.order_id], actor="staff:1")
    out = look(day)
    assert not gets_it(out) and the(out, "shared").moved > 0


def test_the_stop_where_a_load_is_taken_over_has_its_time_between_its_neighbours(
    day: Running,
) -> None:
    """It was left at the moment of the decision, and all behind it came hours late."""
    out = look(day)
    take(day, the(out, "shared"), out)
    stops = day.stops("Otso")
    with day.hub.reading() as session:
        [fetch] = session.exec(select(TakeOverRow)).all()
    [n] = [n for n, stop in enumerate(stops) if stop.id == fetch.stop_id]
    assert stops[n].depart_at - stops[n].arrive_at == timedelta(minutes=10)
    assert all(a.depart_at <= b.arrive_at for a, b in pairwise(stops))
    taken = {job.id for stop in stops[n:] for job in day.jobs(stop)}
    assert set(fetch.job_ids) <= taken


def test_two_dispatchers_do_not_undo_each_other(day: Running) -> None:
    out = look(day)
    take(day, the(out, "shared"), out)
    with pytest.raises((RouteConflict, NotNow)):
        take(day, the(out, "shared"), out)
    assert len(open_jobs(day, "Otso")) == 7
    with pytest.raises(NotNow, match="ended"):
        look(day)


def test_a_route_that_changed_meanwhile_is_looked_at_again(day: Running) -> None:
    out = look(day)
    with day.hub.unit() as unit:
        unit.session.get_one(RouteRow, day.route("Otso").id).version += 1
    with pytest.raises(RouteConflict):
        take(day, the(out, "shared"), out)
    assert len(open_jobs(day, "Mara")) == 3


def test_a_driver_who_is_ill_leaves_the_van_to_another(day: Running) -> None:
    out = look(day, Happened.DRIVER)
    way = the(out, "driver")
    assert way.why_not == ""
    [route] = take(day, way, out, Happened.DRIVER)
    assert route.driver_id == day.drivers["Sanna"]
    assert route.vehicle_id == day.route("Mara").vehicle_id
    assert is_sound(day, "Sanna")


def test_the_load_goes_back_and_out_again(day: Running) -> None:
    out = look(day)
    take(day, the(out, "depot"), out)
    with day.hub.reading() as session:
        fetches = session.exec(select(TakeOverRow)).all()
    assert {one.place for one in fetches} == {"Bakery"}
    assert all(one.ready_at and one.ready_at > day.now[0] for one in fetches)


def test_who_is_not_made_late_is_told_nothing_and_who_is_once(day: Running) -> None:
    """An estimate follows at once; only what leaves a promise makes a notice."""
    day.now[0] += timedelta(hours=2)  # everybody's promise is long over
    late = {job.id for job in open_jobs(day, "Mara")}
    out = look(day)
    take(day, the(out, "shared"), out)
    with day.hub.reading() as session:
        moved = [
            row.payload["job_id"]
            for row in session.exec(select(EventRow).where(EventRow.name == "EtaChanged"))
        ]
    assert Counter(id for id in moved if id in late) == Counter(late)


def test_the_board_shows_the_stops_and_the_shift_that_ended(day: Running) -> None:
    out = look(day)
    take(day, the(out, "shared"), out)
    seen = board_seen(day.hub, day.business_id, DAY)
    mara = next(lane for lane in seen.lanes if lane.route.driver.startswith("Mara"))
    otso = next(lane for lane in seen.lanes if lane.route.driver.startswith("Otso"))
    assert mara.ended_at == day.now[0]
    assert [one.van for one in otso.route.take_overs] == ["M van"]


def test_goods_that_are_still_in_the_other_van_are_not_given_to_a_third(day: Running) -> None:
    out = look(day)
    take(day, the(out, "shared"), out)
    with day.hub.reading() as session:
        [fetch] = session.exec(select(TakeOverRow)).all()
        stop_id = session.exec(
            select(StopJobRow.stop_id).where(StopJobRow.job_id == fetch.job_ids[0])
        ).one()
    with pytest.raises(NotNow, match="still in M van"):
        moving(day.hub, day.business_id, stop_id)


def test_what_nobody_can_do_today_waits_on_the_board_and_its_customer_hears_of_it(
    day: Running,
) -> None:
    """Otso has time for ten minutes of taking over and one more door of 25."""
    [share] = the(look(day), "shared").shares
    with day.hub.unit() as unit:
        shift = unit.session.get_one(ShiftRow, day.route("Otso").shift_id)
        shift.ends_at = share.was.home + 50 * MINUTE
    before, out = events(day), look(day)
    way = the(out, "shared")
    assert (way.moved, len(way.left_out)) == (1, 2)
    take(day, way, out)
    with day.hub.reading() as session:
        left = [session.get_one(JobRow, id).state for id in way.left_out]
    assert left == [State.CREATED, State.CREATED]
    assert (events(day) - before)["JobWithdrawn"] == 2
    assert is_sound(day, "Otso")


def test_who_is_at_a_door_with_a_broken_van_ends_that_himself(day: Running) -> None:
    [job] = day.jobs(day.stops("Mara")[1])
    day.says("Mara", "arrive", day.now[0], job)
    out = look(day)
    assert (out.scene.at_door, the(out, "shared").moved) == (1, 2)
    take(day, the(out, "shared"), out)
    [kept] = open_jobs(day, "Mara")
    assert (kept.id, kept.state) == (job.id, State.ARRIVED)
    day.says("Mara", "close", day.now[0], job, outcome="skipped", reason="other")
    assert open_jobs(day, "Mara") == []


def test_an_ill_driver_is_at_no_door_any_more(day: Running) -> None:
    [job] = day.jobs(day.stops("Mara")[1])
    day.says("Mara", "arrive", day.now[0], job)
    out = look(day, Happened.BOTH)
    assert the(out, "shared").moved == 3
    take(day, the(out, "shared"), out, Happened.BOTH)
    assert job.id in {one.id for one in open_jobs(day, "Otso")}
    assert events(day)["DriverLeft"] == 1


def test_only_the_business_whose_route_it_is_may_ask(day: Running) -> None:
    with pytest.raises(LookupError):
        ways_out(day.hub, "somebody-else", day.route("Mara").id, Happened.VAN, AT)
