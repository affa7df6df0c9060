"""Pages and boards are told at once what they may show, and nothing else."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from hub.core.jobs import State
from hub.core.tracking_page import SHOWN
from hub.core.visibility import Reader, Rule, Visibility
from hub.db.tables import (
    BusinessRow,
    DeviceRow,
    EstimateRow,
    JobRow,
    LinkRow,
    LogInRow,
    MembershipRow,
    RouteRow,
    ShiftRow,
    StaffRow,
)
from hub.flows.dispatch import hand_over
from hub.flows.drive import device_for
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff, log_in
from hub.flows.tracking_view import tracked
from hub.live.values import Device
from tests.driving_worlds import TEN
from tests.live_worlds import SLOW_S, LiveMorning, a_live_morning, fix

MINUTE = timedelta(minutes=1)
MINUTES_15 = {
    "visibility": Visibility()
    .but(Reader.PAGE, position=Rule("minutes", 15))
    .model_dump(mode="json")
}
PASSWORD = "four loaves of rye bread"


@pytest.fixture
def day(database_url: str) -> Iterator[LiveMorning]:
    with a_live_morning(database_url, orders=6) as world:
        yield world


def jobs_on_route(day: LiveMorning) -> list[JobRow]:
    from hub.db.tables import StopJobRow, StopRow

    with day.hub.reading() as session:
        return list(
            session.exec(
                select(JobRow)
                .join(StopJobRow, StopJobRow.job_id == JobRow.id)
                .join(StopRow, StopRow.id == StopJobRow.stop_id)
                .order_by(StopRow.n)
            )
        )


def link_of(day: LiveMorning, job: JobRow) -> str:
    with day.hub.reading() as session:
        row = session.exec(select(LinkRow).where(LinkRow.order_id == job.order_id)).one()
    return day.hub.keys.link_token(row.order_id, row.epoch)


def head_for(day: LiveMorning, job: JobRow) -> None:
    day.act(f"head-{job.id}", "head_for", TEN - MINUTE, job.id)


def cookie(day: LiveMorning, business_id: str = "", email: str = "otso@husk.example") -> str:
    owner = business_id or day.morning.business_id
    add_staff(day.hub, owner, email=email, password=PASSWORD, role=Role.VIEWER)
    return f"hub_staff={log_in(day.hub, email, PASSWORD, address='local')}"


def test_a_page_gets_its_state_first_and_the_driver_as_he_moves(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    head_for(day, first)
    page = day.served.watch(f"/live/t/{link_of(day, first)}")
    state = page.next()
    assert state.name == "state"
    assert 2000 <= page.retry_ms <= 8000
    day.post(fix(1, TEN - timedelta(seconds=4), 60.1612345, 24.9412345, hdg=91.7))
    moved = page.next("pos")
    assert moved.data == {
        "lat": 60.16123,
        "lon": 24.94123,
        "hdg": 92,
        "at": fix(1, TEN - timedelta(seconds=4))["t"],
        "age_s": 4,
    }
    assert moved.id > state.id


def test_who_comes_back_gets_the_newest_and_no_history(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    head_for(day, first)
    for n in range(1, 4):
        day.post(fix(n, TEN - timedelta(seconds=10 - n), 60.16 + n / 10_000))
    page = day.served.watch(f"/live/t/{link_of(day, first)}", **{"Last-Event-ID": "7"})
    assert page.next().name == "state"
    assert page.next("pos").data["lat"] == 60.1603
    with pytest.raises(TimeoutError):
        while page.next("pos", within_s=1.5).data["lat"] == 60.1603:
            pass


def test_a_page_far_down_the_route_is_shown_no_driver(day: LiveMorning) -> None:
    jobs = jobs_on_route(day)
    head_for(day, jobs[0])
    near = day.served.watch(f"/live/t/{link_of(day, jobs[0])}")
    far = day.served.watch(f"/live/t/{link_of(day, jobs[-1])}")
    day.post(fix(1, TEN))
    assert near.next("pos")
    with pytest.raises(TimeoutError):
        far.next("pos", within_s=1.5)
    assert day.served.ask("GET", f"/live/t/{link_of(day, jobs[-1])}/now").json["pos"] is None


def test_a_page_is_told_that_it_changed_and_that_the_driver_is_gone(day: LiveMorning) -> None:
    first, second, *_ = jobs_on_route(day)
    head_for(day, first)
    page = day.served.watch(f"/live/t/{link_of(day, first)}")
    before = page.next("state")
    day.post(fix(1, TEN))
    page.next("pos")
    close(day, first)
    changed = page.next("state")
    assert changed.data["v"] > before.data["v"]
    assert page.next("gone").data == {}
    day.post(fix(2, TEN + timedelta(seconds=5)))
    with pytest.raises(TimeoutError):
        page.next("pos", within_s=1.5)


def close(day: LiveMorning, job: JobRow) -> None:
    """At once, and announced, as a driver's close is."""
    from hub.core.events import JobClosed

    with day.hub.unit() as unit:
        row = unit.session.get_one(JobRow, job.id)
        row.state, row.outcome, row.closed_at = State.CLOSED, "succeeded", TEN
        row.closed_occurred_at = TEN
        unit.announce(
            JobClosed(
                business_id=row.business_id,
                subject_id=row.order_id,
                occurred_at=TEN,
                received_at=TEN,
                job_id=row.id,
                outcome="succeeded",
            )
        )


def test_what_one_stop_does_is_told_to_the_others_on_the_route(day: LiveMorning) -> None:
    jobs = jobs_on_route(day)
    last = day.served.watch(f"/live/t/{link_of(day, jobs[-1])}")
    v = last.next("state").data["v"]
    close(day, jobs[0])
    assert last.next("state").data["v"] > v


def test_a_jam_of_fixes_is_told_once_a_second(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    head_for(day, first)
    page = day.served.watch(f"/live/t/{link_of(day, first)}")
    page.next("state")
    for n in range(1, 21):
        day.post(fix(n, TEN - timedelta(seconds=40 - n), 60.16 + n / 10000))
    seen = [page.next("pos").data["lat"]]
    while seen[-1] != 60.162:
        seen.append(page.next("pos").data["lat"])
    assert len(seen) <= 5


def test_a_revoked_link_closes_its_page_within_two_seconds(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    token = link_of(day, first)
    page = day.served.watch(f"/live/t/{token}")
    page.next("state")
    with day.hub.unit() as unit:
        row = unit.session.exec(select(LinkRow).where(LinkRow.order_id == first.order_id)).one()
        row.epoch, row.token_hash = row.epoch + 1, "0" * 64
    assert page.is_closed()
    assert day.served.ask("GET", f"/live/t/{token}").status == 404


def test_a_driver_of_whom_nothing_comes_any_more_leaves_the_page(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    head_for(day, first)
    at = f"/live/t/{link_of(day, first)}"
    page = day.served.watch(at)
    day.post(fix(1, TEN))
    page.next("pos")
    day.morning.now[0] = TEN + SHOWN
    assert day.served.ask("GET", f"{at}/now").json["pos"]
    day.morning.now[0] += timedelta(seconds=1)
    assert page.next("gone").data == {}
    with pytest.raises(TimeoutError):
        page.next("gone", within_s=1.5)


def test_a_page_is_told_when_its_promise_runs_out_while_nothing_is_heard(day: LiveMorning) -> None:
    """A page open since eight still showed "planned 09:20–09:35" at 09:41."""
    first = jobs_on_route(day)[0]
    head_for(day, first)
    page = day.served.watch(f"/live/t/{link_of(day, first)}")
    before = page.next("state").data["v"]
    day.morning.now[0] = TEN + timedelta(hours=3)
    assert page.next("state").data["v"] > before
    moved_on = day.morning.now[0] = TEN + timedelta(hours=3, minutes=6)
    assert page.next("state").data["v"] > before + 1, f"it stood still until {moved_on}"


def estimated(day: LiveMorning, job: JobRow, at: datetime, minutes: int) -> None:
    """A round of estimates that began ``at`` is committed now: he comes in ``minutes``."""
    with day.hub.unit() as unit:
        rows = unit.session.exec(select(EstimateRow).where(EstimateRow.job_id == job.id))
        row = rows.one_or_none() or EstimateRow(
            business_id=job.business_id, job_id=job.id, p10=at, p50=at, p90=at, updated_at=at
        )
        row.p10 = row.p50 = row.p90 = TEN + minutes * MINUTE
        row.version, row.updated_at = row.version + 1, at
        unit.session.add(row)


def test_an_estimate_hides_the_driver_however_late_it_is_committed(day: LiveMorning) -> None:
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, day.morning.business_id)
        business.settings = {**business.settings, **MINUTES_15}
    first, second, *_ = jobs_on_route(day)
    head_for(day, first)
    for job in (first, second):
        estimated(day, job, TEN, 10)
    page = day.served.watch(f"/live/t/{link_of(day, second)}")
    day.post(fix(1, TEN))
    page.next("pos")
    day.morning.now[0] = TEN + timedelta(seconds=5)
    estimated(day, first, TEN + timedelta(seconds=5), 11)
    time.sleep(2)
    for earlier_s in (0, 9):
        estimated(day, second, TEN + timedelta(seconds=5 - earlier_s), 60)
        assert page.next("gone")
        estimated(day, second, TEN + timedelta(seconds=5), 10)
        assert page.next("pos")


def agreed(day: LiveMorning, job: JobRow) -> bool:
    """Whether the driver is shown; by what the live process says, as by the page itself."""
    link = link_of(day, job)
    told = day.served.ask("GET", f"/live/t/{link}/now").json["pos"]
    page = tracked(day.hub, link, day.hub.positions)
    assert page is not None
    assert (told is not None) == (page.position is not None)
    return told is not None


def comes_to_agree(day: LiveMorning, job: JobRow, *, shown: bool) -> bool:
    """Whether both do so, once the live process has heard what was changed."""
    until = time.monotonic() + SLOW_S
    link = link_of(day, job)
    while time.monotonic() < until:
        told = day.served.ask("GET", f"/live/t/{link}/now").json["pos"]
        page = tracked(day.hub, link, day.hub.positions)
        assert page is not None
        if (told is not None) == (page.position is not None) == shown:
            return True
        time.sleep(0.05)
    return False


def test_who_waits_before_a_door_is_as_far_for_the_stream_as_for_the_page(
    day: LiveMorning,
) -> None:
    """He is there in ten minutes, and begins in ninety: shown are those from fifteen on."""
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, day.morning.business_id)
        business.settings = {**business.settings, **MINUTES_15}
    first, second, *_ = jobs_on_route(day)
    head_for(day, first)
    estimated(day, second, TEN, 10)
    day.post(fix(1, TEN))
    assert agreed(day, second)
    with day.hub.unit() as unit:
        window = [(TEN + 90 * MINUTE).isoformat(), (TEN + 120 * MINUTE).isoformat()]
        unit.session.get_one(JobRow, second.id).windows = [window]
    estimated(day, second, TEN, 10)
    assert comes_to_agree(day, second, shown=False)


def test_a_driver_who_took_a_route_over_is_shown_once_he_began_it(day: LiveMorning) -> None:
    first, second, *_ = jobs_on_route(day)
    head_for(day, first)
    day.act("close", "close", TEN - MINUTE / 2, first.id, outcome="failed", reason="refused")
    route = day.morning.route()
    other = next(one for one in day.morning.drivers if one != route.driver_id)
    with day.hub.unit() as unit:  # he still drives what was yesterday's
        given = unit.session.get_one(ShiftRow, route.shift_id)
        began_at = TEN - 300 * MINUTE
        earlier = ShiftRow(
            business_id=route.business_id,
            driver_id=other,
            depot_id=given.depot_id,
            day=given.day - timedelta(days=1),
            starts_at=began_at,
            ends_at=TEN + 60 * MINUTE,
            began_at=began_at,
        )
        unit.session.add(earlier)
    phone = day.morning.drivers.index(other)
    day.post(fix(1, TEN))
    assert day.post(fix(1, TEN), phone=phone).json["kept"] == 1
    giver = day.served.watch("/live/driver", Authorization=f"Bearer {day.phones[0]}")
    hand_over(
        day.hub,
        route.business_id,
        route.id,
        other,
        actor="staff:1",
        expected_version=day.morning.route().version,
        force=True,
    )
    while giver.next("changed").data["v"] < day.morning.route().version:
        pass  # of what he did before
    board = day.served.watch("/live/board", Cookie=cookie(day))
    tagged = {one["driver_id"]: one["route_id"] for one in board.next("pos").data}
    assert tagged.get(route.driver_id) is None, "it is not the giver's any more"
    assert day.post(fix(2, TEN + MINUTE / 2)).status == 200
    known = {one.device.driver_id: one.round for one in day.served.live.world.phones.values()}
    assert known[route.driver_id] is None
    assert comes_to_agree(day, second, shown=False)
    with day.hub.unit() as unit:
        taken = unit.session.get_one(ShiftRow, day.morning.route().shift_id)
        taken.began_at = TEN
    day.morning.now[0] = TEN + MINUTE
    time.sleep(2)
    day.post(fix(2, TEN + MINUTE), phone=phone)
    link = link_of(day, second)
    page = tracked(day.hub, link, day.hub.positions)
    assert page is not None and page.position is not None


def test_a_driver_who_went_home_is_shown_nowhere_however_one_looks(day: LiveMorning) -> None:
    first, second, *_ = jobs_on_route(day)
    head_for(day, first)
    day.post(fix(1, TEN - MINUTE / 2))
    page = day.served.watch(f"/live/t/{link_of(day, first)}")
    page.next("pos")
    board = day.served.watch("/live/board", Cookie=cookie(day))
    board.next("pos")
    assert agreed(day, first)
    day.act("home", "end_shift", TEN)
    assert page.next("state")
    assert page.next("gone")
    assert board.next("changed")
    day.morning.now[0] = TEN + MINUTE
    day.post(fix(2, TEN + MINUTE))
    assert not agreed(day, first)
    assert not agreed(day, second)


def test_a_page_can_ask_now_and_then_instead(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    head_for(day, first)
    at = f"/live/t/{link_of(day, first)}/now"
    day.post(fix(1, TEN))
    said = day.served.ask("GET", at)
    assert said.json["pos"]["lat"] == 60.17
    same = day.served.ask("GET", at, If_None_Match=said.headers["etag"])
    assert (same.status, same.body) == (304, b"")
    day.morning.now[0] = TEN + MINUTE
    day.post(fix(2, TEN + MINUTE, 60.175))
    news = day.served.ask("GET", at, If_None_Match=said.headers["etag"])
    assert news.json["pos"]["lat"] == 60.175


def test_a_setting_that_hides_things_counts_within_seconds(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    page = day.served.watch(f"/live/t/{link_of(day, first)}")
    page.next("state")
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, day.morning.business_id)
        business.settings = {**business.settings, "window_s": 1800}
    assert page.next("state")


def test_a_board_gets_all_drivers_first_and_then_who_moved(day: LiveMorning) -> None:
    day.post(fix(1, TEN - MINUTE, bat=80))
    board = day.served.watch("/live/board", Cookie=cookie(day))
    whole = board.next()
    assert whole.name == "pos"
    [first] = whole.data
    assert first["driver_id"] == day.morning.drivers[0]
    assert first["route_id"] == day.morning.route().id
    assert first["bat"] == 80
    day.post(fix(2, TEN, 60.18, spd=5))
    [moved] = board.next("pos").data
    assert (moved["lat"], moved["spd"]) == (60.18, 5)
    close(day, jobs_on_route(day)[0])
    assert board.next("changed").data["seq"] > 0


def test_a_board_shows_nobody_whose_shift_is_over(day: LiveMorning) -> None:
    day.post(fix(1, TEN - MINUTE))
    assert len(day.served.watch("/live/board", Cookie=cookie(day)).next("pos").data) == 1
    day.end(TEN)
    mine = cookie(day, email="b@husk.example")
    assert day.served.watch("/live/board", Cookie=mine).next("pos").data == []


def test_a_board_shows_where_drivers_were_before_the_process_began(database_url: str) -> None:
    with a_live_morning(database_url) as day:
        day.post(fix(1, TEN))
        day.served.live.audience.positions.clear()  # as in a new process
        board = day.served.watch("/live/board", Cookie=cookie(day))
        assert board.next("pos").data[0]["lat"] == 60.17


def test_a_board_shows_no_other_business(day: LiveMorning) -> None:
    other = found(day.hub, "Other", zone="Europe/Helsinki", country="FI")
    board = day.served.watch("/live/board", Cookie=cookie(day, other))
    assert board.next().data == []
    day.post(fix(1, TEN))
    close(day, jobs_on_route(day)[0])
    with pytest.raises(TimeoutError):
        board.next(within_s=1.5)


def test_who_logs_out_or_leaves_sees_no_board_any_more(day: LiveMorning) -> None:
    first, second = (
        day.served.watch("/live/board", Cookie=cookie(day, email=f"{name}@husk.example"))
        for name in ("a", "b")
    )
    with day.hub.unit() as unit:
        staff = unit.session.exec(select(StaffRow).order_by(StaffRow.email)).all()
        for row in unit.session.exec(select(LogInRow).where(LogInRow.staff_id == staff[0].id)):
            unit.session.delete(row)
        for member in unit.session.exec(
            select(MembershipRow).where(MembershipRow.staff_id == staff[1].id)
        ):
            unit.session.delete(member)
    assert first.is_closed()
    assert second.is_closed()


def test_a_driver_is_told_that_the_route_changed(day: LiveMorning) -> None:
    from hub.core.events import RouteChanged

    phone = day.served.watch("/live/driver", Authorization=f"Bearer {day.phones[0]}")
    other = day.served.watch("/live/driver", Authorization=f"Bearer {day.phones[1]}")
    with day.hub.unit() as unit:
        route = unit.session.get_one(RouteRow, day.morning.route().id)
        route.version += 1
        unit.announce(
            RouteChanged(
                business_id=route.business_id,
                subject_id=route.id,
                subject_kind="route",
                occurred_at=TEN,
                received_at=TEN,
                version=route.version,
            )
        )
    assert phone.next("changed").data == {"v": route.version}
    with pytest.raises(TimeoutError):
        other.next(within_s=0.5)


def test_an_arrival_is_noticed_on_the_route_that_is_being_driven(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    head_for(day, first)
    round_ = day.served.live.world
    day.post(fix(1, TEN - 20 * MINUTE, 60.0, 24.0))
    [driving] = round_.phones.values()
    assert driving.round is not None
    assert len(driving.round.fences) == 6
    door = driving.round.fences[0]
    day.post(
        *(
            fix(n, TEN - 10 * MINUTE + timedelta(seconds=5 * n), door.lat, door.lon)
            for n in range(2, 60)
        )
    )
    [arrived] = day.hub.positions.meanings(0)
    device = device_for(day.hub, day.phones[0])
    assert isinstance(device, DeviceRow)
    assert driving.device == Device(device.id, day.morning.business_id, day.morning.drivers[0])
    assert (arrived.kind, arrived.stop_id, arrived.route_id) == (
        "arrived",
        door.stop_id,
        day.morning.route().id,
    )


def test_readers_who_leave_before_they_are_answered_hinder_nobody(day: LiveMorning) -> None:
    first = jobs_on_route(day)[0]
    head_for(day, first)
    path = f"/live/t/{link_of(day, first)}"
    for after in (b"", b"no request at all"):
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as gone:
                gone.connect(str(day.served.at))
                gone.sendall(f"GET {path} HTTP/1.1\r\nHost: hub\r\n\r\n".encode() + after)
    page = day.served.watch(path)
    day.post(fix(1, TEN - timedelta(seconds=4)))
    assert page.next("pos").data["age_s"] == 4
    until = time.monotonic() + SLOW_S
    while len(day.served.live._streams) > 1:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_reader_of_http_1_0_gets_no_chunks(day: LiveMorning) -> None:
    path = f"/live/t/{link_of(day, jobs_on_route(day)[0])}"
    with socket.socket(socket.AF_UNIX) as old:
        old.settimeout(10)
        old.connect(str(day.served.at))
        old.sendall(f"GET {path} HTTP/1.0\r\nHost: hub\r\n\r\n".encode())
        told = b""
        while b"event: state" not in told:
            told += old.recv(4096)
    head, _, body = told.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body.startswith(b"retry: ")


def test_stopping_ends_all_streams_and_loses_nothing(database_url: str) -> None:
    with a_live_morning(database_url) as day:
        page = day.served.watch(f"/live/t/{day.link()}")
        page.next("state")
        day.post(fix(1, TEN))
        day.served.server.should_exit = True
        assert page.is_closed()
    [last] = day.hub.positions.last(day.morning.business_id)
    assert last.seq == 1
