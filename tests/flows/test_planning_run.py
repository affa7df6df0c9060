"""Planning as work for the worker: on both databases, with several workers, stops and deaths."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlmodel import col, select

from hub.app import Hub
from hub.core.jobs import State
from hub.db.tables import DriverRow, JobRow, PlanRow, ShiftRow, StopJobRow, StopRow
from hub.flows.dispatch import move_job, publish
from hub.flows.plan import plan_day
from hub.flows.planning_run import ask_plan, close_failed, plan_seen, solve_waiting, stop_plan
from hub.flows.shifts import set_hours
from hub.worker import CHORES, Chore, schedule
from tests.flows.plan_worlds import DAY, NORTH, SOUTH, Town, a_town, kilos, near, open_hub

ROOT = Path(__file__).parents[2]


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Town:
    town = a_town(open_hub(database_url, tmp_path))
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, 7)})
    town.orders({f"N{n}": near(NORTH, n) for n in range(1, 7)})
    return town


def asked(town: Town, strategy: str = "", limit_s: float = 10.0) -> PlanRow:
    return ask_plan(
        town.hub,
        town.business_id,
        town.south,
        DAY,
        actor="staff:1",
        strategy=strategy,
        time_limit_s=limit_s,
    )


def until(true: Callable[[], object], within_s: float = 120.0) -> None:
    limit = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.05)


def in_the_background(hub: Hub) -> threading.Thread:
    thread = threading.Thread(target=solve_waiting, args=(hub,))
    thread.start()
    return thread


def let_the_lease_run_out(town: Town) -> None:
    with town.hub.unit() as unit:
        run = unit.session.exec(select(PlanRow)).one()
        run.leased_until = datetime.now(UTC) - timedelta(seconds=1)


def test_a_run_that_is_open_is_not_asked_for_twice(town: Town) -> None:
    first = asked(town)
    assert (first.state, asked(town).id) == ("waiting", first.id)
    assert solve_waiting(town.hub)
    second = asked(town)
    assert (second.n, second.id != first.id) == (2, True)


def test_the_worker_plans_one_depot_and_leaves_the_others_jobs_alone(town: Town) -> None:
    run = asked(town)
    assert solve_waiting(town.hub)
    seen = plan_seen(town.hub, town.business_id, run.id)
    assert (seen.state, seen.share, seen.served, seen.unassigned) == ("done", 1.0, 6, 0)
    assert seen.cost is not None and seen.cost > 0
    assert {route.depot_id for route in town.routes()} == {town.south}
    assert Counter(job.state for job in town.jobs()) == {State.ASSIGNED: 6, State.CREATED: 6}
    assert all(len(r.geometry) >= 3 and r.distance_m > 0 for r in town.routes())
    assert not solve_waiting(town.hub)


def test_an_order_may_name_the_depot_it_belongs_to(town: Town) -> None:
    job_id = town.order("N9", near(NORTH, 9), custom={"depot": "south"})
    asked(town)
    solve_waiting(town.hub)
    assert job_id in {link.job_id for link in town.links()}


def test_planning_one_depot_again_keeps_the_drafts_of_another(town: Town) -> None:
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    north = [route.id for route in town.routes() if route.depot_id == town.north]
    south = [route.id for route in town.routes() if route.depot_id == town.south]
    asked(town)
    solve_waiting(town.hub)
    now = [route.id for route in town.routes()]
    assert north and set(north) <= set(now)
    assert not set(south) & set(now)
    assert len(town.links()) == 12


def test_planning_again_never_touches_a_published_route(town: Town) -> None:
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    [before] = [route for route in town.routes() if route.depot_id == town.south][:1]
    publish(town.hub, town.business_id, before.id, actor="staff:1", expected_version=1)
    town.order("S9", near(SOUTH, 9))
    run = asked(town)
    solve_waiting(town.hub)
    assert plan_seen(town.hub, town.business_id, run.id).state == "done"
    [after] = [route for route in town.routes() if route.id == before.id]
    assert (after.version, after.published_at is not None) == (before.version, True)


def test_two_workers_never_solve_the_same_run(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    asked(town, "slow", 1.5)
    start, took = threading.Barrier(4), list[bool]()

    def work(hub: Hub) -> None:
        start.wait()
        took.append(solve_waiting(hub))

    hubs = [open_hub(database_url, tmp_path) for _ in range(4)]
    threads = [threading.Thread(target=work, args=(hub,)) for hub in hubs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == [False, False, False, True]
    assert (town.run().state, town.run().progress["tries"]) == ("done", 1)


def test_stopping_keeps_the_best_plan_so_far(town: Town) -> None:
    run = asked(town, "slow", 300)
    worker = in_the_background(town.hub)
    until(lambda: plan_seen(town.hub, town.business_id, run.id).cost)
    seen = plan_seen(town.hub, town.business_id, run.id)
    assert (seen.state, seen.served, 0 < seen.share < 1) == ("solving", 6, True)
    stop_plan(town.hub, town.business_id, run.id, actor="staff:1")
    worker.join(20)
    assert not worker.is_alive()
    assert plan_seen(town.hub, town.business_id, run.id).state == "cancelled"
    assert len(town.links()) == 6


def test_a_run_stopped_before_anybody_took_it_is_never_solved(town: Town) -> None:
    run = asked(town)
    stop_plan(town.hub, town.business_id, run.id, actor="staff:1")
    assert not solve_waiting(town.hub)
    assert (town.run().state, town.links()) == ("cancelled", [])


def test_the_run_of_a_killed_worker_is_taken_by_another_when_its_lease_is_over(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    run = asked(town, "slow", 300)
    command = [sys.executable, "-m", "tests.flows.plan_worlds", database_url, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as worker:
        until(lambda: plan_seen(town.hub, town.business_id, run.id).cost)
        worker.send_signal(signal.SIGKILL)
    assert not solve_waiting(town.hub)  # its lease is still good
    assert town.links() == []
    let_the_lease_run_out(town)
    with town.hub.unit() as unit:  # the second worker need not look for five minutes
        row = unit.session.exec(select(PlanRow)).one()
        row.progress = {**row.progress, "limit_s": 0.5}
    assert solve_waiting(town.hub)
    assert (town.run().state, town.run().progress["tries"]) == ("done", 2)
    assert len(town.links()) == 6


def test_a_worker_whose_lease_was_taken_stores_nothing(town: Town) -> None:
    run = asked(town, "slow", 300)
    worker = in_the_background(town.hub)
    until(lambda: plan_seen(town.hub, town.business_id, run.id).cost)
    with town.hub.unit() as unit:  # as another worker does that thinks this one dead
        row = unit.session.exec(select(PlanRow)).one()
        row.leased_until = datetime.now(UTC) + timedelta(minutes=5)
    worker.join(60)
    assert (town.run().state, town.links()) == ("solving", [])


def test_a_run_that_takes_its_workers_down_is_given_up(town: Town) -> None:
    asked(town)
    with town.hub.unit() as unit:
        row = unit.session.exec(select(PlanRow)).one()
        row.progress = {**row.progress, "tries": 3}
    assert solve_waiting(town.hub)
    assert town.run().state == "failed"
    assert "3 times" in town.run().error


def test_a_day_that_changes_under_its_plan_is_planned_again(town: Town) -> None:
    run = asked(town, "slow", 1.5)
    worker = in_the_background(town.hub)
    until(lambda: plan_seen(town.hub, town.business_id, run.id).cost)
    with town.hub.unit() as unit:
        job = unit.session.exec(select(JobRow).order_by(JobRow.id)).first()
        assert job is not None
        job.version += 1
    worker.join(60)
    assert town.run().state == "done"
    assert len(town.links()) == 6


def test_what_somebody_moved_while_a_day_was_planned_stays_where_they_put_it(
    database_url: str, tmp_path: Path
) -> None:
    town = a_town(open_hub(database_url, tmp_path), capacity={"g": 4000})
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, 7)}, lines=kilos(1))
    asked(town)
    assert solve_waiting(town.hub)
    one, other = town.routes()
    job_id = on_route(town, one.id)[0]
    run = asked(town, "slow", 300)
    worker = in_the_background(town.hub)
    until(lambda: plan_seen(town.hub, town.business_id, run.id).cost)
    move_job(
        town.hub,
        town.business_id,
        one.id,
        other.id,
        job_id,
        actor="staff:2",
        expected_version=one.version,
        to_version=other.version,
        force=True,
    )
    stop_plan(town.hub, town.business_id, run.id, actor="staff:1")
    worker.join(60)
    seen = plan_seen(town.hub, town.business_id, run.id)
    assert seen.state == "failed" and "Somebody changed a draft" in seen.error
    assert job_id in on_route(town, other.id)
    asked(town)
    assert solve_waiting(town.hub)


def test_a_driver_whose_day_is_taken_off_while_it_is_planned_gets_no_route(
    database_url: str, tmp_path: Path
) -> None:
    town = a_town(open_hub(database_url, tmp_path), capacity={"g": 4000})
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, 7)}, lines=kilos(1))
    run = asked(town, "slow", 300)
    worker = in_the_background(town.hub)
    until(lambda: plan_seen(town.hub, town.business_id, run.id).cost)
    with town.hub.reading() as session:
        otso = session.exec(select(DriverRow.id).where(DriverRow.name == "Otso")).one()
    set_hours(town.hub, town.business_id, otso, DAY, None, actor="staff:2")
    stop_plan(town.hub, town.business_id, run.id, actor="staff:1")
    worker.join(60)
    assert plan_seen(town.hub, town.business_id, run.id).state == "cancelled"
    assert {route.driver_id for route in town.routes()}.isdisjoint({otso})
    assert len(town.links()) == 4


def on_route(town: Town, route_id: str) -> list[str]:
    with town.hub.reading() as session:
        return list(
            session.exec(
                select(StopJobRow.job_id)
                .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
                .where(StopRow.route_id == route_id)
                .order_by(col(StopRow.n))
            )
        )


def test_a_day_on_which_nobody_works_fails_with_a_sentence(town: Town) -> None:
    sunday = DAY - timedelta(days=1)
    run = ask_plan(town.hub, town.business_id, town.south, sunday, actor="staff:1")
    solve_waiting(town.hub)
    seen = plan_seen(town.hub, town.business_id, run.id)
    assert (seen.state, seen.is_open) == ("failed", False)
    assert "No driver is free at South on Sunday 22 November" in seen.error


def test_a_day_on_which_everybody_drives_already_says_so_and_what_to_do(town: Town) -> None:
    """It said "No driver is free … Add a driver with a shift", though all of them had shifts."""
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    for route in town.routes():
        publish(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    with town.hub.unit() as unit:  # who got no route yet has the day off
        free = unit.session.exec(
            select(ShiftRow).where(
                ShiftRow.business_id == town.business_id,
                col(ShiftRow.id).not_in([route.shift_id for route in town.routes()]),
            )
        )
        for shift in free:
            shift.ends_at = shift.starts_at
    town.orders({"S8": near(SOUTH, 2), "S9": near(SOUTH, 3)})
    run = asked(town)
    solve_waiting(town.hub)
    seen = plan_seen(town.hub, town.business_id, run.id)
    assert seen.error == (
        "All drivers at South already have a published route; "
        "add the 2 remaining jobs to one of them."
    )


def test_a_failed_run_says_why_for_ten_minutes_or_until_somebody_closes_it(town: Town) -> None:
    """The red box never went away."""
    sunday = DAY - timedelta(days=1)
    run = ask_plan(town.hub, town.business_id, town.south, sunday, actor="staff:1")
    solve_waiting(town.hub)
    now = town.hub.now()
    assert plan_seen(town.hub, town.business_id, run.id).says_why(now)
    assert not plan_seen(town.hub, town.business_id, run.id).says_why(now + timedelta(minutes=11))
    with pytest.raises(LookupError):
        close_failed(town.hub, "another", run.id, actor="staff:2")
    close_failed(town.hub, town.business_id, run.id, actor="staff:1")
    assert not plan_seen(town.hub, town.business_id, run.id).says_why(now)


def test_another_business_can_neither_ask_nor_see_nor_stop(town: Town) -> None:
    run, other = asked(town), a_town(town.hub).business_id
    with pytest.raises(LookupError):
        ask_plan(town.hub, other, town.south, DAY, actor="staff:2")
    with pytest.raises(LookupError):
        plan_seen(town.hub, other, run.id)
    with pytest.raises(LookupError):
        stop_plan(town.hub, other, run.id, actor="staff:2")


def test_a_slow_plan_holds_up_no_other_chore(town: Town) -> None:
    run, ticks = asked(town, "slow", 300), list[float]()
    [plans] = [chore for chore in CHORES if chore.do is solve_waiting]
    clock = BackgroundScheduler(timezone="UTC")
    schedule(clock, town.hub, (plans, Chore("tick", 0.2, lambda hub: ticks.append(0.0))))
    clock.start()
    try:
        until(lambda: plan_seen(town.hub, town.business_id, run.id).cost)
        before = len(ticks)
        until(lambda: len(ticks) > before + 3, within_s=10)
        assert plan_seen(town.hub, town.business_id, run.id).state == "solving"
    finally:
        stop_plan(town.hub, town.business_id, run.id, actor="staff:1")
        clock.shutdown(wait=True)


def test_a_large_day_has_more_time_and_its_run_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.flows.day.LARGE_JOBS", 1)
    monkeypatch.setattr("hub.flows.day.S_A_JOB", 0.25)
    run = asked(town, limit_s=0.1)
    assert solve_waiting(town.hub)
    with town.hub.reading() as session:
        assert session.get_one(PlanRow, run.id).progress["limit_s"] > 0.2
