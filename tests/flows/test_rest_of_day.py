"""The rest of a day improved on demand: the difference first, then all of it or nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from hub.core.errors import HubError
from hub.core.jobs import State
from hub.db.tables import AuditRow, DriverRow, JobRow
from hub.flows.board_order import turn
from hub.flows.dispatch import DoesNotFit, RouteConflict
from hub.flows.rest_of_day import Improvement, Proposed, improvement, publish_improvement
from hub.flows.zones import ZoneIn, save_zone
from hub.web.board_improving import PLAN
from tests.board_worlds import DAY, SIX, Running, a_running_day, two_far_doors


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path)
    two_far_doors(day)
    return day


def found(day: Running) -> Improvement:
    return improvement(day.hub, day.business_id, DAY, search_s=30)


def publish(day: Running, what: Improvement | tuple[Proposed, ...], **more: bool) -> None:
    plan = what.proposed if isinstance(what, Improvement) else what
    publish_improvement(day.hub, day.business_id, DAY, plan, actor="staff:1", **more)


def order(day: Running, driver: str) -> list[tuple[str, ...]]:
    return [tuple(sorted(job.id for job in day.jobs(stop))) for stop in day.stops(driver)]


def everything(day: Running) -> list[str]:
    return sorted(id for name in ("Mara", "Otso") for stop in order(day, name) for id in stop)


def test_looking_changes_nothing_and_what_is_shown_is_what_comes_true(day: Running) -> None:
    before = {name: (order(day, name), day.route(name).version) for name in ("Mara", "Otso")}
    shown = found(day)
    assert shown.saved_s >= 60
    assert {n: (order(day, n), day.route(n).version) for n in before} == before
    work = everything(day)
    publish(day, shown)
    assert everything(day) == work
    routes = {day.route(name).id: name for name in before}
    for one in shown.proposed:
        assert order(day, routes[one.route_id]) == [tuple(sorted(ids)) for ids in one.stops]
        assert day.route(routes[one.route_id]).version == one.version + 1
    for one in shown.routes:
        assert day.route(routes[one.route_id]).back_at == one.home_is
    assert found(day).saved_s < shown.saved_s


def test_no_promise_is_broken_and_what_moved_is_on_the_other_phone(day: Running) -> None:
    shown = found(day)
    told = {id: _told(day, id) for id in everything(day)}
    publish(day, shown)
    assert shown.told_anew == 0
    assert {id: _told(day, id) for id in told} == told
    with day.hub.reading() as session:
        assert {job.state for job in session.exec(select(JobRow))} == {State.DISPATCHED}
        audited = [row.action for row in session.exec(select(AuditRow))]
    assert any(action.startswith("improved the rest of the day") for action in audited)


def test_what_is_on_board_keeps_its_driver(day: Running) -> None:
    day.begin("Mara", "Otso", at=day.now[0])
    mine = sorted(order(day, "Mara"))
    shown = found(day)
    assert shown.moved == 0
    if shown.proposed:
        publish(day, shown)
    assert sorted(order(day, "Mara")) == mine


def test_a_proposal_may_not_take_a_parcel_out_of_a_vehicle_that_has_left(day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    mine, theirs = order(day, "Mara"), order(day, "Otso")
    plan = (
        Proposed(day.route("Mara").id, day.route("Mara").version, tuple(mine[1:])),
        Proposed(day.route("Otso").id, day.route("Otso").version, (*theirs, mine[0])),
    )
    with pytest.raises(HubError, match="in a vehicle by now"):
        publish(day, plan, force=True)
    assert (order(day, "Mara"), order(day, "Otso")) == (mine, theirs)


def test_a_route_changed_meanwhile_is_a_conflict_and_nothing_happens(day: Running) -> None:
    shown = found(day)
    other = day.stops("Mara")[2]
    turn(
        day.hub,
        day.business_id,
        other.id,
        1,
        actor="staff:1",
        expected_version=day.route("Mara").version,
        force=True,
    )
    before = [order(day, name) for name in ("Mara", "Otso")]
    with pytest.raises(RouteConflict):
        publish(day, shown)
    assert [order(day, name) for name in ("Mara", "Otso")] == before


def test_a_proposal_that_loses_or_doubles_work_is_refused(day: Running) -> None:
    [first, *rest] = order(day, "Mara")
    one = Proposed(day.route("Mara").id, day.route("Mara").version, tuple(rest))
    for stops in (tuple(rest), (first, first, *rest), (*rest, ("nobody",))):
        with pytest.raises(RouteConflict):
            publish(day, (replace(one, stops=stops),), force=True)
    assert order(day, "Mara") == [first, *rest]


def test_a_promise_that_no_longer_holds_needs_somebody_to_insist(day: Running) -> None:
    day.now[0] = SIX
    stops = tuple(reversed(order(day, "Otso")))
    plan = (Proposed(day.route("Otso").id, day.route("Otso").version, stops),)
    with pytest.raises(DoesNotFit):
        publish(day, plan)
    publish(day, plan, force=True)
    assert order(day, "Otso") == list(stops)


def test_the_board_shows_the_difference_and_publishes_it(day: Running) -> None:
    page = day.client.get("/board/rest").get_data(as_text=True)
    assert "Publish it" in page
    assert "Every promise holds" in page
    shown = found(day)
    answer = day.post("/board/rest", as_part=True, plan=_text(shown))
    assert answer.get_json() == {
        "said": "The rest of the day is improved, and the drivers are told."
    }
    again = day.post("/board/rest", as_part=True, plan=_text(shown))
    assert again.status_code == 409
    assert "data-conflict" in again.get_data(as_text=True)
    assert day.post("/board/rest", as_part=True, plan="no plan").status_code == 409


def _text(shown: Improvement) -> str:
    return PLAN.dump_json(shown.proposed).decode()


def _told(day: Running, job_id: str) -> object:
    with day.hub.reading() as session:
        job = session.get_one(JobRow, job_id)
    return day.promises(job)[-1]


def test_nobody_is_sent_outside_his_zones(day: Running) -> None:
    shown = found(day)
    assert shown.moved
    nowhere = ZoneIn(name="Nowhere", postcodes="99999")
    zone = save_zone(day.hub, day.business_id, nowhere, actor="test")
    with day.hub.unit() as unit:
        for driver in unit.session.exec(select(DriverRow)):
            driver.planning = {"zones": [zone.id]}
    assert found(day).moved == 0
    with pytest.raises(HubError, match="may not go to another one"):
        publish(day, shown, force=True)
