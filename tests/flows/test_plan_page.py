"""What the plan page is told of a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import event

from hub.app import Hub
from hub.core.values import TimeWindow
from hub.db.tables import JobRow
from hub.flows.dispatch import publish
from hub.flows.overview import day_seen
from hub.flows.plan import plan_day
from tests.flows.plan_worlds import DAY, NORTH, SIX, SOUTH, Plugin, Town, a_town, kilos, near


def a_planned_town(folder: Path, orders: int = 4) -> Town:
    town = a_town(Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=folder), {"g": 90_000})
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, orders + 1)}, lines=kilos(10))
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    return town


def queries_for(town: Town) -> int:
    asked: list[str] = []

    def count(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(town.hub.engine, "before_cursor_execute", count)
    day_seen(town.hub, town.business_id, DAY)
    event.remove(town.hub.engine, "before_cursor_execute", count)
    return len(asked)


def test_a_route_is_seen_with_all_that_its_page_shows(tmp_path: Path) -> None:
    town = a_planned_town(tmp_path)
    [route] = day_seen(town.hub, town.business_id, DAY).routes
    assert (route.version, route.acknowledged, route.published) == (1, 0, False)
    assert (route.load["g"], route.capacity, route.over) == (40_000, {"g": 90_000}, {})
    assert route.distance_m > 0 and len(route.geometry) == 6
    assert {job.id for job in route.jobs} == {job.id for job in town.jobs()}
    assert all(stop.lat and stop.lon and not stop.late for stop in route.stops)


def test_what_is_on_no_route_is_listed_with_its_reason(tmp_path: Path) -> None:
    town = a_planned_town(tmp_path)
    heavy = town.order("Heavy", near(NORTH, 1), lines=kilos(100))
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    late = town.order("New", near(SOUTH, 9))
    seen = day_seen(town.hub, town.business_id, DAY)
    told = {one.job_id: one.reason for one in seen.left_out}
    assert "no vehicle for it carries more than 90 kg" in told[heavy]
    assert told[late] == "It is not planned yet."
    assert seen.counts.unserved == len(seen.unserved) == 2


def test_late_is_worked_out_from_the_promise(tmp_path: Path) -> None:
    town = a_planned_town(tmp_path, 1)
    [route] = town.routes()
    publish(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    seen = day_seen(town.hub, town.business_id, DAY)
    assert (seen.counts.late, seen.counts.published) == (0, 1)
    [job] = seen.routes[0].jobs
    assert isinstance(job.promise, TimeWindow)
    with town.hub.unit() as unit:
        row = unit.session.get_one(JobRow, job.id)
        row.state, row.outcome = "closed", "succeeded"
        row.closed_occurred_at = job.promise.closes + timedelta(minutes=1)
    assert day_seen(town.hub, town.business_id, DAY).counts.late == 1


def test_a_larger_day_asks_the_database_no_more_often(tmp_path: Path) -> None:
    """But for what it asks only of a day on which something is left: that adds a few, once."""
    few, many = (queries_for(a_planned_town(tmp_path, jobs)) for jobs in (2, 30))
    assert few <= many <= 14
