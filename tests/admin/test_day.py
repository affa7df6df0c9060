"""The day in the panel: plan, look, publish, change."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point, TimeWindow
from hub.db.tables import (
    ChoiceRow,
    DepotRow,
    DriverRow,
    JobRow,
    PlanRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows.connections import connection_id
from hub.flows.dispatch import acknowledge
from hub.flows.log_in import Role
from hub.flows.order_desk import call_off
from hub.flows.pairing import pair, pairing_code
from hub.flows.plan import plan_day
from hub.flows.planning_run import ask_plan, solve_waiting
from hub.flows.shifts import set_hours, shifts_on, working_on
from hub.flows.sync import store_all
from hub.flows.ways_found import look_for_ways
from tests.admin.desk import DAY, SIX, Desk, a_desk, a_hub, hidden, text_of, with_orders

HERE = "/panel/day?day=2026-11-23"


@pytest.fixture
def hub(helsinki: Path, tmp_path: Path) -> Hub:
    return a_hub(helsinki, tmp_path)


@pytest.fixture
def desk(hub: Hub) -> Desk:
    desk = a_desk(hub)
    with_orders(desk)
    return desk


def plan(desk: Desk) -> None:
    plan_day(desk.hub, desk.business_id, DAY, strategy="nearest")


def publish_all(desk: Desk) -> str:
    routes = list(dict.fromkeys(hidden(desk.get(HERE), "route")))
    return text_of(desk.post("/panel/day/publish", follow=True, day="2026-11-23", route=routes))


def driver(desk: Desk, name: str) -> DriverRow:
    return next(row for row in desk.rows(DriverRow) if row.name == name)


def two_routes(desk: Desk) -> list[RouteRow]:
    """Two vans hold two parcels each, and there are three: the fuller route comes first."""
    with desk.hub.unit() as unit:
        unit.session.exec(select(VehicleRow)).one().capacity = {"parcels": 2}
        red = VehicleRow(business_id=desk.business_id, name="Red van", capacity={"parcels": 2})
        unit.session.add(red)
    otso, hours = driver(desk, "Otso"), ("09:00", "15:00")
    set_hours(desk.hub, desk.business_id, otso.id, DAY, hours, vehicle_id=red.id, actor="staff:1")
    plan(desk)
    stops = [stop.route_id for stop in desk.rows(StopRow)]
    return sorted(desk.rows(RouteRow), key=lambda route: -stops.count(route.id))


def test_a_day_is_planned_looked_at_and_published(desk: Desk) -> None:
    first = desk.get(HERE)
    assert '<a href="#left-out">on no route</a>' in first.text
    before = text_of(first)
    assert "3 on no route" in before
    assert "1 to find on the map" in before
    depot_id = hidden(desk.get(HERE), "depot_id")[0]
    desk.post("/panel/day/plan", day="2026-11-23", depot_id=depot_id, strategy="nearest")
    assert solve_waiting(desk.hub)
    looked = desk.get(HERE)
    assert "3 on routes" in text_of(looked)
    assert "draft" in text_of(looked)
    assert 'class="way route-1"' in looked.text
    assert "Mannerheimintie 14" in text_of(looked)
    assert {job.state for job in desk.rows(JobRow)} == {"assigned", "needs_review"}
    pair(desk.hub, pairing_code(desk.hub, desk.business_id, driver(desk, "Mara").id))
    assert "The route is on its driver's phone." in publish_all(desk)
    assert {job.state for job in desk.rows(JobRow)} == {"dispatched", "needs_review"}
    assert "published, not seen yet" in text_of(desk.get(HERE))
    route = desk.rows(RouteRow)[0]
    acknowledge(desk.hub, desk.business_id, route.id, route.version)
    assert "seen by the driver" in text_of(desk.get(HERE))


def test_publishing_to_a_driver_without_a_phone_is_warned_of_and_not_called_seen(
    desk: Desk,
) -> None:
    """It said "The route is on its driver's phone" of a driver who never had one."""
    plan(desk)
    assert "Mara has no phone paired" in text_of(desk.get(HERE))
    told = publish_all(desk)
    assert "Mara has no phone paired, so does not see the route. Pair one under Drivers." in told
    assert "is on its driver's phone" not in told


def test_publishing_while_no_channel_is_set_up_is_warned_of(hub: Hub, desk: Desk) -> None:
    """Every notice was "not sent", and nothing said so before."""
    plan(desk)
    assert "No customer would be told" in text_of(desk.get(HERE))
    with hub.unit() as unit:
        unit.session.add(ChoiceRow(business_id=desk.business_id, kind="channel", plugin="email"))
    assert "No customer would be told" not in text_of(desk.get(HERE))


def test_what_is_over_is_no_longer_to_do(desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    with desk.hub.unit() as unit:
        done = unit.session.exec(select(JobRow).where(JobRow.state == "dispatched")).first()
        assert done is not None
        done.state, done.outcome = "closed", "succeeded"
    page = text_of(desk.get(HERE))
    assert "2 to do" in page and "2 on routes" in page and "1 done" in page


def test_a_run_shows_its_progress_and_can_be_stopped(desk: Desk) -> None:
    depot_id = hidden(desk.get(HERE), "depot_id")[0]
    desk.post("/panel/day/plan", day="2026-11-23", depot_id=depot_id)
    page = desk.get(HERE)
    assert "Waiting to plan Bakery" in text_of(page)
    assert 'http-equiv="refresh"' in page.text
    stand = desk.get("/panel/day/stand?day=2026-11-23").get_json()
    assert "Waiting to plan Bakery" in stand["progress"]
    assert "takes it in a moment" in stand["progress"]
    run = desk.rows(PlanRow)[0]
    with desk.hub.unit() as unit:  # no worker is there
        unit.session.get_one(PlanRow, run.id).created_at = SIX - timedelta(minutes=2)
    late = desk.get("/panel/day/stand?day=2026-11-23").get_json()["progress"]
    assert "does not run" in late and "does not run" in text_of(desk.get(HERE))
    desk.post(f"/panel/day/plans/{run.id}/stop", day="2026-11-23")
    assert desk.rows(PlanRow)[0].state == "cancelled"
    assert "Waiting" not in text_of(desk.get(HERE))
    assert desk.get("/panel/day/stand?day=2026-11-23").get_json()["digest"] != stand["digest"]


def test_a_route_that_changed_since_it_was_looked_at_is_not_published(desk: Desk) -> None:
    plan(desk)
    seen = list(dict.fromkeys(hidden(desk.get(HERE), "route")))
    route = desk.rows(RouteRow)[0]
    job = next(job for job in desk.rows(JobRow) if job.state == "assigned")
    desk.post(
        f"/panel/day/2026-11-23/jobs/{job.id}",
        **{"from": f"{route.id}:{route.version}", "to": "off"},
    )
    told = text_of(desk.post("/panel/day/publish", follow=True, day="2026-11-23", route=seen))
    assert "changed while you looked at it" in told
    assert desk.rows(RouteRow)[0].published_at is None


def test_a_job_is_taken_off_and_added_again(desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    route = desk.rows(RouteRow)[0]
    job = next(job for job in desk.rows(JobRow) if job.state == "dispatched")
    at = f"/panel/day/2026-11-23/jobs/{job.id}"
    assert "Take it off the route" in text_of(desk.get(at))
    desk.post(at, **{"from": f"{route.id}:{route.version}", "to": "off"})
    assert next(j for j in desk.rows(JobRow) if j.id == job.id).state == "created"
    page = desk.get(at)
    assert "Mara, as stop" in text_of(page)
    assert "Add" in text_of(page)
    told = desk.post(at, follow=True, to=hidden(page, "to")[0])
    assert "The route is changed." in text_of(told)
    assert next(j for j in desk.rows(JobRow) if j.id == job.id).state == "dispatched"


def test_a_job_moves_to_another_route_where_it_fits_or_a_person_insists(desk: Desk) -> None:
    full, other = two_routes(desk)
    assert 'class="way route-2"' in desk.get(HERE).text
    stops = {stop.id: stop.route_id for stop in desk.rows(StopRow)}
    job_id = next(x.job_id for x in desk.rows(StopJobRow) if stops[x.stop_id] == other.id)
    at = f"/panel/day/2026-11-23/jobs/{job_id}"
    wanted = {"from": f"{other.id}:{other.version}", "to": f"{full.id}:{full.version}"}
    refused = desk.post(at, **wanted)
    assert refused.status_code == 409
    assert "It does not fit." in text_of(refused)
    told = desk.post(at, follow=True, force="1", **wanted)
    assert "The route is changed." in text_of(told)
    assert {stop.route_id for stop in desk.rows(StopRow)} == {full.id}


def test_routes_to_choose_from_are_told_apart_by_vehicle_and_hours(desk: Desk) -> None:
    """A driver with two routes was listed twice, by the same name."""
    full, other = two_routes(desk)
    stops = {stop.id: stop.route_id for stop in desk.rows(StopRow)}
    job_id = next(x.job_id for x in desk.rows(StopJobRow) if stops[x.stop_id] == other.id)
    page = desk.get(f"/panel/day/2026-11-23/jobs/{job_id}")
    van = next(row for row in desk.rows(VehicleRow) if row.id == full.vehicle_id)
    assert re.search(rf"as stop \d {van.name}, \d\d:\d\d–\d\d:\d\d", text_of(page))


def test_a_place_that_breaks_a_promise_says_so_and_asks_before_it_is_taken(desk: Desk) -> None:
    """It was taken at once, and the next customer came 2 h 52 min late."""
    plan(desk)
    publish_all(desk)
    early = TimeWindow(SIX + timedelta(hours=2), SIX + timedelta(hours=2, minutes=10))
    order = IncomingOrder(
        ref="2001",
        number="2001",
        updated_at=SIX,
        address=Address(("Bakery yard",), city="Helsinki", country="FI"),
        point=Point(60.1699, 24.9385),
        windows=(early,),
        service_s=6 * 3600,
    )
    api = connection_id(desk.hub, desk.business_id, "api")
    store_all(desk.hub, desk.business_id, api, [order])
    job = desk.rows(JobRow)[-1]
    with desk.hub.unit() as unit:  # what was asked for does not matter here, only what was told
        for row in unit.session.exec(select(JobRow)):
            row.windows = row.windows if row.id == job.id else []
    at = f"/panel/day/2026-11-23/jobs/{job.id}"
    page = desk.get(at)
    assert re.search(r"3 promised times would be missed: order 100\d by \d h", text_of(page))
    asked = desk.post(at, to=hidden(page, "to")[0])
    assert asked.status_code == 409
    assert "A promised time would be missed. Order 100" in text_of(asked)
    told = desk.post(at, follow=True, to=hidden(page, "to")[0], force="1")
    assert "The route is changed." in text_of(told)


@pytest.mark.parametrize("first_waits", [False, True])
def test_a_late_job_says_whether_leaving_earlier_would_do(desk: Desk, first_waits: bool) -> None:
    """Order 1001, the first, may not begin before 10:00, and the route leaves to be there then."""
    plan(desk)
    [route] = desk.rows(RouteRow)
    assert route.leaves_at is not None
    stop = max(desk.rows(StopRow), key=lambda stop: stop.n)
    last = next(link.job_id for link in desk.rows(StopJobRow) if link.stop_id == stop.id)
    with desk.hub.unit() as unit:
        for row in unit.session.exec(select(JobRow)):
            row.windows = row.windows if first_waits else []
        job = unit.session.get_one(JobRow, last)
        asked = (route.leaves_at - timedelta(hours=1), stop.arrive_at - timedelta(minutes=17))
        job.windows = [[at.isoformat() for at in asked]]
    early = (route.leaves_at - timedelta(minutes=17)).astimezone(ZoneInfo("Europe/Helsinki"))
    why = f"Leaving 17 min earlier, at {early:%H:%M}, would do."
    if first_waits:
        why = "Order 1001 before it cannot begin before 10:00."
    assert f"17 min late {why}" in text_of(desk.get(HERE))


def test_nobody_is_told_to_leave_at_an_hour_that_is_over(desk: Desk) -> None:
    plan(desk)
    ahead = timedelta(minutes=10)
    with desk.hub.unit() as unit:
        [route] = unit.session.exec(select(RouteRow))
        assert route.leaves_at is not None
        by = route.leaves_at - (desk.hub.now() + ahead)
        route.leaves_at -= by
        stops = unit.session.exec(select(StopRow).order_by(StopRow.n)).all()  # type: ignore[arg-type]
        for stop in stops:
            stop.arrive_at, stop.depart_at = stop.arrive_at - by, stop.depart_at - by
        for row in unit.session.exec(select(JobRow)):
            row.windows = []
        links = {link.stop_id: link.job_id for link in unit.session.exec(select(StopJobRow))}
        job = unit.session.get_one(JobRow, links[stops[-1].id])
        closes = stops[-1].arrive_at - ahead - timedelta(minutes=7)
        job.windows = [[at.isoformat() for at in (closes - timedelta(hours=1), closes)]]
    said = text_of(desk.get(HERE))
    assert "17 min late Leaving 17 min earlier, at 05:53, would have done." in said


def test_a_driver_is_on_the_road_only_once_the_van_left(hub: Hub, desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    assert "Mara route published" in text_of(desk.get(HERE))
    with hub.unit() as unit:
        for job in unit.session.exec(select(JobRow).where(JobRow.state == "dispatched")):
            job.state = "loaded"
    assert "Mara loaded" in text_of(desk.get(HERE))
    with hub.unit() as unit:
        job = unit.session.exec(select(JobRow).where(JobRow.state == "loaded")).first()
        assert job
        job.state = "en_route"
    assert "Mara on the road" in text_of(desk.get(HERE))


def test_what_is_done_or_failed_is_no_longer_to_do(hub: Hub, desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    with hub.unit() as unit:
        rows = unit.session.exec(select(JobRow).where(JobRow.state == "dispatched")).all()
        for job, outcome in zip(rows[:2], ("succeeded", "failed"), strict=True):
            job.state, job.outcome = "closed", outcome
            job.due_on = None  # it was wanted on any day
    home = text_of(desk.get("/panel/"))
    assert "4 jobs today" in home and "1 done" in home and "1 not delivered" in home
    page = text_of(desk.get(HERE))
    assert "1 to do 1 on routes" in page
    assert "1 done 1 not done" in page


def test_an_order_is_planned_for_the_end_of_the_wait_and_not_once_cancelled(
    hub: Hub, desk: Desk
) -> None:
    plan(desk)
    job = next(job for job in desk.rows(JobRow) if job.windows)
    with hub.unit() as unit:
        on = unit.session.exec(select(StopJobRow).where(StopJobRow.job_id == job.id)).one()
        stop = unit.session.exec(select(StopRow).where(StopRow.id == on.stop_id)).one()
        stop.arrive_at = SIX + timedelta(hours=2)
    at = f"/panel/orders/{job.order_id}"
    assert "planned for 10:00" in text_of(desk.get(at))
    call_off(hub, desk.business_id, job.order_id, actor="staff:1")
    for _ in range(3):
        hub.deliver_events()
    assert "planned for" not in text_of(desk.get(at))


def test_a_cancelled_stop_is_not_counted_and_has_no_time(desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    job = next(job for job in desk.rows(JobRow) if job.state == "dispatched")
    call_off(desk.hub, desk.business_id, job.order_id, actor="staff:1")
    for _ in range(3):
        desk.hub.deliver_events()
    page = text_of(desk.get(HERE))
    assert "2 stops, leaves" in page
    assert "0 done 1 cancelled" in page
    assert "2 on routes" in page


def test_a_failed_run_leads_to_what_is_on_no_route_and_can_be_closed(desk: Desk) -> None:
    """It said to add a driver, and never went away."""
    plan(desk)
    publish_all(desk)
    route = desk.rows(RouteRow)[0]
    job = next(job for job in desk.rows(JobRow) if job.state == "dispatched")
    here = {"from": f"{route.id}:{route.version}", "to": "off"}
    desk.post(f"/panel/day/2026-11-23/jobs/{job.id}", **here)
    depot_id = hidden(desk.get(HERE), "depot_id")[0]
    desk.post("/panel/day/plan", day="2026-11-23", depot_id=depot_id, strategy="nearest")
    solve_waiting(desk.hub)
    failed = desk.get(HERE)
    said = "already have a published route; add the remaining job to one of them."
    assert said in text_of(failed)
    assert 'href="#left-out"' in failed.text
    run = desk.rows(PlanRow)[-1]
    closed = desk.post(f"/panel/day/plans/{run.id}/close", follow=True, day="2026-11-23")
    assert said not in text_of(closed)


def test_a_stale_change_is_refused_with_a_sentence(desk: Desk) -> None:
    plan(desk)
    route = desk.rows(RouteRow)[0]
    job = next(job for job in desk.rows(JobRow) if job.state == "assigned")
    told = desk.post(
        f"/panel/day/2026-11-23/jobs/{job.id}",
        follow=True,
        **{"from": f"{route.id}:99", "to": "off"},
    )
    assert "Somebody changed the route meanwhile" in text_of(told)
    assert len(desk.rows(StopJobRow)) == 3


def test_the_rest_is_handed_to_another_driver(desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    route = desk.rows(RouteRow)[0]
    at = f"/panel/day/2026-11-23/routes/{route.id}"
    otso = driver(desk, "Otso")
    assert "Hand over" in text_of(desk.get(at))
    answer = desk.post(at, driver_id=otso.id, version=str(route.version))
    if answer.status_code == 409:  # a rule speaks against it; the dispatcher insists
        assert "It does not fit." in text_of(answer)
        answer = desk.post(at, driver_id=otso.id, version=str(route.version), force="1")
    assert answer.status_code == 302
    assert desk.rows(RouteRow)[0].driver_id == otso.id


def test_a_draft_is_thrown_away(desk: Desk) -> None:
    plan(desk)
    route = desk.rows(RouteRow)[0]
    at = f"/panel/day/2026-11-23/routes/{route.id}/discard"
    assert "The draft is gone" in text_of(desk.post(at, follow=True, version=str(route.version)))
    assert desk.rows(RouteRow) == []


def test_a_driver_is_given_the_day_off_and_hours_for_a_day(hub: Hub, desk: Desk) -> None:
    mara, otso = driver(desk, "Mara"), driver(desk, "Otso")
    desk.post(f"/panel/day/shifts/{mara.id}", day="2026-11-23", do="off")
    assert shifts_on(hub, desk.business_id, DAY) == []
    assert "Nobody works on this day" in text_of(desk.get(HERE))
    desk.post(
        f"/panel/day/shifts/{otso.id}",
        day="2026-11-23",
        do="works",
        **{"from": "22:00", "to": "06:00"},
    )
    (night,) = shifts_on(hub, desk.business_id, DAY)
    assert (night.driver_id, (night.ends_at - night.starts_at).total_seconds()) == (
        otso.id,
        8 * 3600,
    )
    desk.post(
        f"/panel/day/shifts/{mara.id}",
        day="2026-11-23",
        do="works",
        **{"from": "08:00", "to": "17:00"},
    )
    assert [w.changed for w in working_on(hub, desk.business_id, DAY)] == [False, True]
    assert len(desk.rows(ShiftRow)) == 2


@pytest.mark.parametrize(
    "hours", [("", ""), ("8", "x"), ("08:00", "08:00"), ("25:00", "26:00"), ("T08", "09Z")]
)
def test_hours_that_are_none_are_refused(desk: Desk, hours: tuple[str, str]) -> None:
    at = f"/panel/day/shifts/{driver(desk, 'Mara').id}"
    answer = desk.post(at, day="2026-11-23", do="works", **{"from": hours[0], "to": hours[1]})
    assert answer.status_code == 422
    assert desk.rows(ShiftRow) == []


def test_a_published_route_keeps_its_shift(desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    answer = desk.post(f"/panel/day/shifts/{driver(desk, 'Mara').id}", day="2026-11-23", do="off")
    assert answer.status_code == 409
    assert "Hand it over first" in text_of(answer)


def test_an_empty_business_is_told_what_to_do_first(hub: Hub) -> None:
    fresh = a_desk(hub, "Fresh", empty=True)
    assert "Add a depot" in text_of(fresh.get(HERE))
    assert "There are no orders yet." in text_of(fresh.get("/panel/orders"))
    assert "Every address is on the map." in text_of(fresh.get("/panel/addresses"))


@pytest.mark.parametrize("day", ["", "0001-01-01", "9999-12-31", "never"])
def test_any_day_can_be_asked_for(desk: Desk, day: str) -> None:
    assert desk.get(f"/panel/day?day={day}").status_code == 200


def test_nothing_of_another_business_is_shown_or_changed(hub: Hub, desk: Desk) -> None:
    plan(desk)
    route, job, run = desk.rows(RouteRow)[0], desk.rows(JobRow)[0], desk.rows(PlanRow)[0]
    mara, other = driver(desk, "Mara"), a_desk(hub, "Neighbours")
    day = {"day": "2026-11-23"}
    for path in (f"2026-11-23/jobs/{job.id}", f"2026-11-23/routes/{route.id}"):
        assert other.get(f"/panel/day/{path}").status_code == 404, path
    for path, fields in {
        "plan": {"depot_id": route.depot_id},
        f"plans/{run.id}/stop": {},
        f"plans/{run.id}/close": {},
        "publish": {"route": f"{route.id}:{route.version}"},
        f"shifts/{mara.id}": {"do": "off"},
        f"2026-11-23/jobs/{job.id}": {"from": f"{route.id}:{route.version}", "to": "off"},
        f"2026-11-23/routes/{route.id}": {"driver_id": mara.id, "version": route.version},
        f"2026-11-23/routes/{route.id}/discard": {"version": route.version},
    }.items():
        assert other.post(f"/panel/day/{path}", **day, **fields).status_code == 404, path
    own = driver(other, "Mara")
    foreign = {"do": "works", "from": "08:00", "to": "09:00", "vehicle_id": str(mara.vehicle_id)}
    assert other.post(f"/panel/day/shifts/{own.id}", **day, **foreign).status_code == 404
    assert "Mannerheimintie" not in other.get(HERE).text
    assert desk.rows(RouteRow)[0].published_at is None


def test_a_viewer_changes_nothing(hub: Hub) -> None:
    viewer = a_desk(hub, "Quiet", role=Role.VIEWER)
    with_orders(viewer)
    assert viewer.get(HERE).status_code == 200
    assert viewer.post("/panel/day/plan", day="2026-11-23", depot_id="x").status_code == 403
    assert viewer.rows(PlanRow) == []


def test_a_change_that_is_not_there_is_not_made(desk: Desk) -> None:
    plan(desk)
    [run] = desk.rows(PlanRow)
    about = {"day": "2026-11-23", "plan_id": run.id, "job_id": "x", "n": "0"}
    assert desk.post("/panel/day/ways", **about).status_code == 404
    assert desk.post("/panel/day/ways", **{**about, "plan_id": "y"}).status_code == 404


def test_a_viewer_sees_what_would_help_and_has_no_button(hub: Hub) -> None:
    viewer = a_desk(hub, "Quiet", role=Role.VIEWER)
    with_orders(viewer)
    with hub.unit() as unit:
        for job in unit.session.exec(select(JobRow)):
            job.windows = [["2026-11-23T05:00:00+00:00", "2026-11-23T06:00:00+00:00"]]
        depot = unit.session.exec(select(DepotRow)).one()
    ask_plan(hub, viewer.business_id, depot.id, DAY, actor="staff:1")
    assert solve_waiting(hub) and "Looking for what would help" in text_of(viewer.get(HERE))
    assert look_for_ways(hub)
    told = text_of(viewer.get(HERE))
    assert "It fits if Mara starts" in told and "Let Mara start" not in told
    stand = viewer.get("/panel/day/stand?day=2026-11-23").get_json()
    assert "It fits if Mara starts" in stand["leftOut"] and not stand["looking"]
    assert viewer.post("/panel/day/ways", day="2026-11-23").status_code == 403


def test_stops_are_kept_first_and_let_go_on_the_days_page(desk: Desk) -> None:
    plan(desk)
    [here] = [
        one for one in set(re.findall(r"/panel/day/[\d-]+/jobs/[\w-]+", desk.get(HERE).text))
    ][:1]
    assert "Keep up to here" in desk.get(here).text
    [seen] = set(re.findall(r'name="from" value="([^"]+)"', desk.get(here).text))
    kept = text_of(desk.post(f"{here}/first", **{"from": seen}, follow=True))
    assert "first when the day is planned again." in kept
    again = text_of(desk.post(f"{here}/first", **{"from": seen}, follow=True))
    assert "Somebody changed the route meanwhile." in again
    assert "stays first" in kept
    assert "stays first" in text_of(desk.get(here))
    [shift] = [row for row in desk.rows(ShiftRow) if row.kept_first]
    [route] = [row for row in desk.rows(RouteRow) if row.shift_id == shift.id]
    path = f"/panel/day/2026-11-23/routes/{route.id}/let-go"
    stale = text_of(desk.post(path, version=seen.partition(":")[2], follow=True))
    assert "Somebody changed the route meanwhile." in stale and "stays first" in stale
    free = text_of(desk.post(path, version=str(route.version), follow=True))
    assert "stays first" not in free


def test_a_break_that_a_driver_had_stays_on_the_days_page(desk: Desk) -> None:
    plan(desk)
    publish_all(desk)
    [route] = desk.rows(RouteRow)
    with desk.hub.unit() as unit:
        shift = unit.session.get_one(ShiftRow, route.shift_id)
        began = shift.starts_at
        shift.had = [[began.isoformat(), (began + timedelta(minutes=25)).isoformat()]]
        later = shift.starts_at + timedelta(hours=5)
        rests = [[later.isoformat(), (later + timedelta(hours=1)).isoformat()]]
        unit.session.get_one(RouteRow, route.id).rests = rests
        # Too long for what was had to have been it, and later: so it is named after that.
    assert re.search(r"had a break .* break 1", text_of(desk.get(HERE)))
    with desk.hub.unit() as unit:
        unit.session.get_one(ShiftRow, route.shift_id).had = [[began.isoformat(), None]]
    assert "on a break since" in text_of(desk.get(HERE))
