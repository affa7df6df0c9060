"""What would help a job that is left out: looked for after the plan, shown, and done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.errors import Refused
from hub.core.planning import completed
from hub.core.values import Point, TimeWindow
from hub.core.ways_out import Change
from hub.db.tables import AuditRow, EventRow, JobRow, PlanRow, ShiftRow
from hub.flows.day import read_day
from hub.flows.dispatch import publish
from hub.flows.overview import day_seen
from hub.flows.plan import no_worse, strategy_for
from hub.flows.planning_run import ask_plan, solve_waiting
from hub.flows.ways_found import ROOM, Way, WaysSeen, look_for_ways
from hub.flows.ways_taken import take_way
from tests.flows.plan_worlds import DAY, NORTH, SIX, Plugin, Town, a_town, kilos, near

FAR = Point(NORTH.lat + 0.1, NORTH.lon)  # eleven kilometres
EIGHT = SIX + timedelta(hours=2)  # when the shifts begin


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=tmp_path), {"g": 90_000})


def planned(town: Town) -> PlanRow:
    run = ask_plan(town.hub, town.business_id, town.north, DAY, actor="staff:1", time_limit_s=1.0)
    assert solve_waiting(town.hub)
    return run


def looked(town: Town, job_id: str) -> WaysSeen:
    assert look_for_ways(town.hub)
    return shown(town, job_id)


def shown(town: Town, job_id: str) -> WaysSeen:
    [one] = day_seen(town.hub, town.business_id, DAY).left_out
    assert one.job_id == job_id and one.ways is not None
    return one.ways


def the(ways: WaysSeen, kind: str) -> Way:
    return next(way for way in ways.ways if way.kind == kind)


def too_early(town: Town) -> str:
    """A job eleven kilometres away whose window closes five minutes after the shift begins."""
    town.orders({"N1": near(NORTH, 1), "N2": near(NORTH, 2)}, lines=kilos(10))
    window = TimeWindow(EIGHT - timedelta(hours=1), EIGHT + timedelta(minutes=5))
    return town.order("Early", FAR, windows=(window,), lines=kilos(10))


def state(town: Town, job_id: str) -> str:
    return next(job.state for job in town.jobs() if job.id == job_id)


@pytest.mark.soak
def test_drafts_are_there_before_anybody_looks_for_what_would_help(town: Town) -> None:
    job_id = too_early(town)
    planned(town)
    seen = day_seen(town.hub, town.business_id, DAY)
    assert (seen.is_looking, seen.counts.jobs, seen.left_out[0].ways) == (True, 2, None)
    ways = looked(town, job_id)
    assert not day_seen(town.hub, town.business_id, DAY).is_looking
    assert not look_for_ways(town.hub)
    assert {way.kind for way in ways.ways} == {Change.START_EARLIER, Change.CLOSE_LATER}
    early, later = the(ways, Change.START_EARLIER), the(ways, Change.CLOSE_LATER)
    assert early.amount % 60 == later.amount % 60 == 0
    begins = (EIGHT - timedelta(seconds=early.amount)).astimezone(ZoneInfo("Europe/Helsinki"))
    assert early.said == (
        f"It fits if Iris starts {early.amount // 60} min earlier, at {begins:%H:%M}."
    )
    assert early.button == f"Let Iris start {early.amount // 60} min earlier"
    assert later.said.startswith(f"It fits if its window closes {later.amount // 60} min later")
    assert "when the shifts begin and when its window closes" in ways.stands
    # The window came in the shop's time; both sentences are in the business's.
    assert (
        "Its window closes at 08:05" in day_seen(town.hub, town.business_id, DAY).left_out[0].reason
    )


def test_a_plan_that_serves_everybody_is_not_looked_at(town: Town) -> None:
    town.orders({"N1": near(NORTH, 1)})
    planned(town)
    assert not day_seen(town.hub, town.business_id, DAY).is_looking
    assert not look_for_ways(town.hub)


@pytest.mark.soak
def test_a_driver_who_starts_earlier_takes_the_job(town: Town) -> None:
    job_id = too_early(town)
    run = planned(town)
    way = the(looked(town, job_id), Change.START_EARLIER)
    take_way(town.hub, town.business_id, run.id, job_id, way.n, actor="staff:1")
    assert solve_waiting(town.hub)
    assert state(town, job_id) == "assigned"
    assert day_seen(town.hub, town.business_id, DAY).left_out == ()
    with town.hub.reading() as session:
        [shift] = [s for s in session.exec(select(ShiftRow)) if s.depot_id == town.north]
        said = {row.action for row in session.exec(select(AuditRow))}
    assert shift.starts_at == EIGHT - timedelta(seconds=way.amount)
    assert "way_out.start_earlier" in said


def test_a_window_that_is_moved_lets_the_job_fit_and_is_announced(town: Town) -> None:
    job_id = too_early(town)
    run = planned(town)
    way = the(looked(town, job_id), Change.CLOSE_LATER)
    take_way(town.hub, town.business_id, run.id, job_id, way.n, actor="staff:1")
    assert solve_waiting(town.hub)
    assert state(town, job_id) == "assigned"
    [job] = [job for job in town.jobs() if job.id == job_id]
    closes = EIGHT + timedelta(minutes=5, seconds=way.amount)
    assert datetime.fromisoformat(job.windows[0][1]) == closes
    with town.hub.reading() as session:
        [event] = session.exec(select(EventRow).where(EventRow.name == "OrderAmended"))
    assert event.payload["changed"] == ["windows"]


def test_what_the_hub_cannot_change_is_said_and_no_more(town: Town) -> None:
    town.orders({"N1": near(NORTH, 1)}, lines=kilos(60))
    job_id = town.order("Heavy", near(NORTH, 2), lines=kilos(50), priority=0)
    run = planned(town)
    with town.hub.reading() as session:
        [out] = session.exec(select(JobRow).where(JobRow.state == "created"))
    ways = looked(town, out.id)
    way = the(ways, Change.CAPACITY)
    assert (way.said, way.button) == ("It fits if Van 1 may carry 20 kg more.", "")
    with pytest.raises(LookupError):
        take_way(town.hub, town.business_id, run.id, job_id, way.n, actor="staff:1")


def test_a_job_that_fits_as_things_are_is_planned_with_the_others_moved(town: Town) -> None:
    town.orders({"N1": near(NORTH, 1)})
    heavy = town.order("Heavy", near(NORTH, 2), lines=kilos(100))
    run = planned(town)
    late = town.order("Late", near(NORTH, 3))
    assert look_for_ways(town.hub)
    seen = {one.job_id: one.ways for one in day_seen(town.hub, town.business_id, DAY).left_out}
    assert [way.kind for way in seen[late].ways] == [ROOM]  # type: ignore[union-attr]
    assert heavy in seen
    take_way(town.hub, town.business_id, run.id, late, 0, actor="staff:1")
    assert solve_waiting(town.hub)
    assert state(town, late) == "assigned"


def test_whoever_died_while_looking_is_followed_by_another(town: Town) -> None:
    job_id = too_early(town)
    planned(town)
    with town.hub.unit() as unit:
        unit.session.exec(select(PlanRow)).one().leased_until = datetime.now(UTC) + timedelta(
            minutes=1
        )
    assert not look_for_ways(town.hub)
    with town.hub.unit() as unit:
        unit.session.exec(select(PlanRow)).one().leased_until = datetime.now(UTC) - timedelta(
            seconds=1
        )
    assert looked(town, job_id).ways


def test_a_change_is_made_once_and_not_on_a_day_that_moved_on(town: Town) -> None:
    job_id = too_early(town)
    run = planned(town)
    way = the(looked(town, job_id), Change.START_EARLIER)
    [route] = town.routes()
    publish(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    with pytest.raises(Refused, match="changed since"):
        take_way(town.hub, town.business_id, run.id, job_id, way.n, actor="staff:1")
    later = the(shown(town, job_id), Change.CLOSE_LATER)
    take_way(town.hub, town.business_id, run.id, job_id, later.n, actor="staff:1")
    with pytest.raises(Refused, match="changed since"):
        take_way(town.hub, town.business_id, run.id, job_id, later.n, actor="staff:1")


def test_nobody_makes_a_change_of_another_business(town: Town) -> None:
    job_id = too_early(town)
    run = planned(town)
    way = the(looked(town, job_id), Change.START_EARLIER)
    other = a_town(town.hub)
    with pytest.raises(LookupError):
        take_way(town.hub, other.business_id, run.id, job_id, way.n, actor="staff:9")


def test_no_plan_serves_another_job_in_the_stead_of_the_one_room_was_made_for(town: Town) -> None:
    first = town.order("N1", near(NORTH, 1), lines=kilos(60))
    second = town.order("N2", near(NORTH, 2), lines=kilos(60))
    seen = read_day(town.hub, town.business_id, DAY, 1.0, town.north)
    [van] = seen.request.vehicles
    chosen = strategy_for(town.hub, seen, "nearest")
    only = completed(seen.request, {van.id: (first,)})
    assert list(only.unassigned) == [second]
    kept = no_worse(chosen, seen, only, {van.id: (second, "gone", second)}, [van.id])
    assert list(kept.unassigned) == [first]
