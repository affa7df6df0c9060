"""The rest of a day improved on demand: the difference first, then all of it or nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from multiprocessing import forkserver
from pathlib import Path

import pytest
from sqlmodel import select, update

from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.core.jobs import NotNow, State
from hub.db.tables import (
    AuditRow,
    BusinessRow,
    DriverRow,
    EventRow,
    ImprovementRow,
    JobRow,
    OrderRow,
)
from hub.flows.board import board_seen
from hub.flows.board_order import turn
from hub.flows.dispatch import DoesNotFit, RouteConflict
from hub.flows.improve_unasked import improve_unasked
from hub.flows.improvements import (
    ImprovementSeen,
    ask_improvement,
    drop_improvement,
    improvement_seen,
    publish_improvement,
    search_waiting,
    stop_improvement,
)
from hub.flows.kept_apart import keep_apart
from hub.flows.rest_difference import Proposed
from hub.flows.rest_of_day import publish_rest
from hub.flows.zones import ZoneIn, save_zone
from tests.board_worlds import DAY, SIX, Running, a_running_day, two_far_doors

ME = "staff:1"


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path)
    two_far_doors(day)
    return day


@pytest.fixture
def stored(database_url: str, tmp_path: Path) -> Running:
    """The same day in a database of either kind."""
    day = a_running_day(tmp_path, url=database_url)
    two_far_doors(day)
    return day


@pytest.fixture
def filed(tmp_path: Path) -> Running:
    """The same day where several threads may look at it."""
    day = a_running_day(tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}")
    two_far_doors(day)
    return day


def found(day: Running) -> ImprovementSeen:
    ask_improvement(day.hub, day.business_id, DAY, actor=ME, cpu_s=0.4)
    assert search_waiting(day.hub)
    return seen(day)


def seen(day: Running) -> ImprovementSeen:
    one = improvement_seen(day.hub, day.business_id, DAY)
    assert one is not None
    return one


def publish(day: Running, what: ImprovementSeen | tuple[Proposed, ...], **more: bool) -> None:
    if isinstance(what, ImprovementSeen):
        publish_improvement(day.hub, day.business_id, what.id, what.n, actor=ME, **more)
    else:
        publish_rest(day.hub, day.business_id, DAY, what, actor=ME, **more)


def setting(day: Running, **changes: object) -> None:
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, day.business_id)
        kept = BusinessSettings.model_validate(business.settings).model_dump()
        business.settings = BusinessSettings.model_validate(kept | changes).model_dump(mode="json")


def order(day: Running, driver: str) -> list[tuple[str, ...]]:
    return [tuple(sorted(job.id for job in day.jobs(stop))) for stop in day.stops(driver)]


def everything(day: Running) -> list[str]:
    return sorted(id for name in ("Mara", "Otso") for stop in order(day, name) for id in stop)


def test_looking_changes_nothing_and_what_is_shown_is_what_comes_true(stored: Running) -> None:
    day = stored
    before = {name: (order(day, name), day.route(name).version) for name in ("Mara", "Otso")}
    shown = found(day)
    assert shown.state == "done"
    assert shown.best.saved_s >= 60
    assert {n: (order(day, n), day.route(n).version) for n in before} == before
    work = everything(day)
    publish(day, shown)
    assert everything(day) == work
    routes = {day.route(name).id: name for name in before}
    for one in shown.best.proposed:
        assert order(day, routes[one.route_id]) == [tuple(sorted(ids)) for ids in one.stops]
        assert day.route(routes[one.route_id]).version == one.version + 1
    for one in shown.best.routes:
        assert day.route(routes[one.route_id]).back_at == one.home_is
    assert seen(day).ended == "published"
    with pytest.raises(RouteConflict):  # twice is once
        publish(day, shown)


def test_no_promise_is_broken_and_what_moved_is_on_the_other_phone(day: Running) -> None:
    shown = found(day)
    told = {id: _told(day, id) for id in everything(day)}
    publish(day, shown)
    assert shown.best.told_anew == 0
    assert {id: _told(day, id) for id in told} == told
    with day.hub.reading() as session:
        assert {job.state for job in session.exec(select(JobRow))} == {State.DISPATCHED}
        audited = [row.action for row in session.exec(select(AuditRow))]
    assert any(action.startswith("improved the rest of the day") for action in audited)


def test_what_is_on_board_keeps_its_driver(day: Running) -> None:
    day.begin("Mara", "Otso", at=day.now[0])
    mine = sorted(order(day, "Mara"))
    shown = found(day)
    assert shown.best.moved == 0
    if shown.n:
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


def test_a_route_changed_meanwhile_is_a_conflict_and_no_move_is_lost(stored: Running) -> None:
    day = stored
    shown = found(day)
    other = day.stops("Mara")[2]
    turn(
        day.hub,
        day.business_id,
        other.id,
        1,
        actor=ME,
        expected_version=day.route("Mara").version,
        force=True,
    )
    before = [order(day, name) for name in ("Mara", "Otso")]
    with pytest.raises(RouteConflict):
        publish(day, shown)
    assert [order(day, name) for name in ("Mara", "Otso")] == before
    assert not seen(day).is_current
    assert not seen(day).is_offered(day.hub.now())


def test_of_two_who_publish_at_once_one_does_and_the_other_hears_of_it(stored: Running) -> None:
    day = stored
    shown = found(day)
    raised: list[Exception] = []

    def one() -> None:
        try:
            publish(day, shown)
        except RouteConflict as conflict:
            raised.append(conflict)

    both = [threading.Thread(target=one) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(raised) == 1
    for each in shown.best.proposed:
        name = next(n for n in ("Mara", "Otso") if day.route(n).id == each.route_id)
        assert day.route(name).version == each.version + 1


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


def test_a_search_that_is_ended_keeps_its_best(filed: Running) -> None:
    day = filed
    id = ask_improvement(day.hub, day.business_id, DAY, actor=ME, cpu_s=60)
    assert ask_improvement(day.hub, day.business_id, DAY, actor="staff:2") == id  # it goes on
    worker = threading.Thread(target=search_waiting, args=(day.hub,))
    worker.start()
    _until(lambda: seen(day).n > 0)
    with pytest.raises(NotNow):
        publish(day, seen(day))
    stop_improvement(day.hub, day.business_id, id, actor=ME)
    worker.join(30)
    kept = seen(day)
    assert (kept.state, kept.is_offered(day.hub.now())) == ("cancelled", True)
    publish(day, kept)


def test_whoever_searches_may_die_and_the_plan_is_the_old_one(filed: Running) -> None:
    day = filed
    before = [order(day, name) for name in ("Mara", "Otso")]
    ask_improvement(day.hub, day.business_id, DAY, actor=ME, cpu_s=60)
    worker = threading.Thread(target=search_waiting, args=(day.hub,))
    worker.start()
    _until(lambda: seen(day).n > 0)
    for pid in _searching():
        os.kill(pid, signal.SIGKILL)
    worker.join(30)
    assert seen(day).state == "done"
    assert [order(day, name) for name in ("Mara", "Otso")] == before
    publish(day, seen(day))


def test_the_search_of_a_worker_that_died_is_begun_again(day: Running) -> None:
    ask_improvement(day.hub, day.business_id, DAY, actor=ME, cpu_s=0.3)
    with day.hub.unit() as unit:
        gone = {"state": "searching", "leased_until": day.hub.now() - timedelta(days=400)}
        unit.session.exec(update(ImprovementRow).values(**gone))
    assert search_waiting(day.hub)
    assert (seen(day).state, seen(day).n > 0) == ("done", True)


def test_a_write_that_fails_leaves_every_route_as_it_was(stored: Running) -> None:
    day = stored
    shown = found(day)
    before = [(order(day, name), day.route(name).version) for name in ("Mara", "Otso")]

    def fails(unit: object) -> None:
        raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError, match="power"):
        publish_rest(day.hub, day.business_id, DAY, shown.best.proposed, actor=ME, also=fails)
    assert [(order(day, n), day.route(n).version) for n in ("Mara", "Otso")] == before


def test_unasked_a_better_rest_is_proposed_on_the_board_and_not_made(day: Running) -> None:
    before = [order(day, name) for name in ("Mara", "Otso")]
    assert improve_unasked(day.hub) == 1
    assert improve_unasked(day.hub) == 0  # it is under way
    assert search_waiting(day.hub)
    assert improve_unasked(day.hub) == 0  # nothing has changed since
    better = board_seen(day.hub, day.business_id, DAY, last=lambda _: []).better
    assert better is not None
    assert better.best.saved_s >= 600
    assert [order(day, name) for name in ("Mara", "Otso")] == before
    drop_improvement(day.hub, day.business_id, better.id, actor=ME)
    assert board_seen(day.hub, day.business_id, DAY, last=lambda _: []).better is None
    day.now[0] += timedelta(hours=1)
    assert improve_unasked(day.hub) == 0  # who dropped it is not asked the same again
    two_far_doors_more(day)
    assert improve_unasked(day.hub) == 1  # another day: a job came


def test_a_search_nobody_asked_for_gives_way_to_one_that_somebody_waits_for(filed: Running) -> None:
    day = filed
    ask_improvement(day.hub, day.business_id, DAY, actor="hub", cpu_s=60)
    worker = threading.Thread(target=search_waiting, args=(day.hub,))
    worker.start()
    _until(lambda: seen(day).n > 0)
    ask_improvement(day.hub, day.business_id, DAY + timedelta(days=1), actor=ME)
    worker.join(30)
    assert (seen(day).state, seen(day).n > 0) == ("done", True)


@pytest.mark.soak
def test_what_saves_too_little_is_not_proposed(day: Running) -> None:
    setting(day, improving_s=7200)
    improve_unasked(day.hub)
    search_waiting(day.hub)
    assert seen(day).n > 0
    assert board_seen(day.hub, day.business_id, DAY, last=lambda _: []).better is None


def test_a_business_that_wants_none_is_left_alone(day: Running) -> None:
    setting(day, improving="off")
    assert improve_unasked(day.hub) == 0
    with day.hub.reading() as session:
        assert session.exec(select(ImprovementRow)).all() == []


def test_a_business_that_lets_it_has_it_published_and_promises_kept(stored: Running) -> None:
    day = stored
    setting(day, improving="publish")
    told = {id: _told(day, id) for id in everything(day)}
    before = [order(day, name) for name in ("Mara", "Otso")]
    improve_unasked(day.hub)
    search_waiting(day.hub)
    assert improve_unasked(day.hub) == 1
    assert seen(day).ended == "published"
    assert [order(day, name) for name in ("Mara", "Otso")] != before
    assert {id: _told(day, id) for id in told} == told
    with day.hub.reading() as session:
        by = session.exec(select(AuditRow).where(AuditRow.actor == "hub")).all()
        changed = session.exec(
            select(EventRow).where(EventRow.name == "RouteChanged", EventRow.actor == "hub")
        ).all()
    assert any(row.action.startswith("improved the rest of the day") for row in by)
    assert {event.subject_id for event in changed} == {
        one.route_id for one in seen(day).best.proposed
    }


def test_nothing_is_published_over_what_a_dispatcher_did_meanwhile(day: Running) -> None:
    setting(day, improving="publish")
    improve_unasked(day.hub)
    search_waiting(day.hub)
    other = day.stops("Mara")[2]
    version = day.route("Mara").version
    turn(day.hub, day.business_id, other.id, 1, actor=ME, expected_version=version, force=True)
    before = [order(day, name) for name in ("Mara", "Otso")]
    improve_unasked(day.hub)
    assert [order(day, name) for name in ("Mara", "Otso")] == before


def test_the_board_watches_shows_the_difference_and_publishes_it(day: Running) -> None:
    assert "Look for a better rest" in day.client.get("/board/rest").get_data(as_text=True)
    watched = day.post("/board/rest/search", as_part=True).get_data(as_text=True)
    assert "data-again" in watched
    search_waiting(day.hub)
    page = day.client.get("/board/rest").get_data(as_text=True)
    assert "Publish it" in page
    assert "Every promise holds" in page
    shown = seen(day)
    assert day.client.get("/board/data").get_json()["better"]["id"] == shown.id
    stale = day.post("/board/rest", as_part=True, id=shown.id, n=str(shown.n + 1))
    assert stale.status_code == 409
    answer = day.post("/board/rest", as_part=True, id=shown.id, n=str(shown.n))
    assert answer.get_json() == {
        "said": "The rest of the day is improved, and the drivers are told."
    }
    again = day.post("/board/rest", as_part=True, id=shown.id, n=str(shown.n))
    assert again.status_code == 409
    assert "data-conflict" in again.get_data(as_text=True)
    assert day.post("/board/rest", as_part=True, id="nobody", n="1").status_code == 404
    assert day.client.get("/board/data").get_json()["better"] is None


def test_an_order_kept_apart_from_another_stays_with_its_driver(day: Running) -> None:
    """What a vehicle takes beside it is judged by planning: a better rest moves neither."""
    with day.hub.reading() as session:
        far = session.exec(
            select(OrderRow.id, JobRow.id)
            .join(JobRow, JobRow.order_id == OrderRow.id)
            .where(OrderRow.number.in_(["2001", "2002"]))  # type: ignore[attr-defined]
        ).all()
    assert moved(day, found(day)) & {job for _, job in far}
    drop_improvement(day.hub, day.business_id, seen(day).id, actor=ME)
    for id, _ in far:
        keep_apart(day.hub, day.business_id, id, ["1001"], actor=ME)
    assert not moved(day, found(day)) & {job for _, job in far}


def moved(day: Running, what: ImprovementSeen) -> set[str]:
    """The jobs that another driver would do."""
    routes = {day.route(name).id: name for name in ("Mara", "Otso")}
    now = {id: name for name in routes.values() for stop in order(day, name) for id in stop}
    return {
        id
        for one in what.best.proposed
        for stop in one.stops
        for id in stop
        if now[id] != routes[one.route_id]
    }


def two_far_doors_more(day: Running) -> None:
    """A change after which the day is worth another look."""
    version = day.route("Mara").version
    stop = day.stops("Mara")[1]
    turn(day.hub, day.business_id, stop.id, 1, actor=ME, expected_version=version, force=True)


def _until(holds: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(600):
        if holds():
            return
        waited.wait(0.05)
    raise AssertionError("it never came to that")


def _searching() -> list[int]:
    """What was forked to search."""
    server = str(getattr(forkserver._forkserver, "_forkserver_pid"))  # type: ignore[attr-defined]  # noqa: B009
    told = (Path("/proc") / server / "task" / server / "children").read_text()
    return [int(pid) for pid in told.split()]


def _told(day: Running, job_id: str) -> object:
    with day.hub.reading() as session:
        job = session.get_one(JobRow, job_id)
    return day.promises(job)[-1]


def test_nobody_is_sent_outside_his_zones(day: Running) -> None:
    shown = found(day)
    assert shown.best.moved
    nowhere = ZoneIn(name="Nowhere", postcodes="99999")
    zone = save_zone(day.hub, day.business_id, nowhere, actor="test")
    with day.hub.unit() as unit:
        for driver in unit.session.exec(select(DriverRow)):
            driver.planning = {"zones": [zone.id]}
    assert found(day).best.moved == 0
    with pytest.raises(HubError, match="may not go to another one"):
        publish(day, shown, force=True)
