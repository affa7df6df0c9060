"""What is kept of a day never answers otherwise than a look at everything, whatever changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.core.fit import placed
from hub.core.jobs import State
from hub.db.tables import JobRow, PlaceRow, ShiftRow, StopJobRow, StopRow, VehicleRow
from hub.flows.board_moves import driven
from hub.flows.board_order import turn
from hub.flows.dispatch import RouteConflict, add_job, best_places
from hub.flows.offers import Offer
from hub.flows.route_now import laid, roads_for, to_plan, usual_at
from tests.board_worlds import SIX
from tests.many_routes import ManyRoutes, many_routes


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> ManyRoutes:
    return many_routes(database_url, tmp_path, drivers=6, stops=30)


def offers(world: ManyRoutes, job: JobRow) -> list[Offer]:
    return best_places(world.hub, world.business_id, job.id, world.day)


def test_the_best_three_are_those_of_every_route_judged(world: ManyRoutes) -> None:
    """The day is asked, the job is put where it was said, and the day is asked about the next."""
    judged_in_all = 0
    for job in world.jobs(5):
        found = offers(world, job)
        assert costs(found) == said(judging_all(world, job))
        judged_in_all += len(found)
        best = found[0]
        if best.fits:
            add_job(
                world.hub,
                world.business_id,
                best.route_id,
                job.id,
                actor="staff:1",
                expected_version=best.version,
            )
            assert position(world, best.route_id, job.id) == best.position
    assert judged_in_all == 15


def judging_all(world: ManyRoutes, job: JobRow) -> list[tuple[tuple[int, ...], int]]:
    """The burden and the metres of the best three, every route read and judged by itself."""
    hub, business_id = world.hub, world.business_id
    found = []
    for route in world.routes():
        roads = roads_for(hub, business_id, (route.id,), [job])
        with hub.reading() as session:
            new = to_plan(session, business_id, [job], usual_at(session, route), roads)
            now = laid(session, business_id, route, roads).now
        now = now.naming({id: number for id, (_, number) in new.items()})
        after = placed(now, [new[job.id][0]], roads.travel, hub.now())
        was_m, is_m = (driven(one, roads.travel)[1] for one in (now, after.route))
        found.append((after.burden, is_m - was_m))
    return sorted(found)[:3]


def costs(offers: list[Offer]) -> list[tuple[bool, int, int]]:
    return [(one.fits, one.extra_s + one.earlier_s, one.extra_m) for one in offers]


def said(judged: list[tuple[tuple[int, ...], int]]) -> list[tuple[bool, int, int]]:
    return [(burden[:3] == (0, 0, 0), burden[3], metres) for burden, metres in judged]


def position(world: ManyRoutes, route_id: str, job_id: str) -> int:
    with world.hub.reading() as session:
        return session.exec(
            select(StopRow.n)
            .join(StopJobRow, StopJobRow.stop_id == StopRow.id)
            .where(StopRow.route_id == route_id, StopJobRow.job_id == job_id)
        ).one()


def _a_turn(world: ManyRoutes) -> None:
    route = world.routes()[0]
    with world.hub.reading() as session:
        stop = session.exec(
            select(StopRow).where(StopRow.route_id == route.id).order_by(StopRow.n)
        ).first()
    assert stop is not None
    turn(
        world.hub,
        world.business_id,
        stop.id,
        4,
        actor="staff:1",
        expected_version=route.version,
        force=True,
    )


def _a_van_that_holds_nothing_more(world: ManyRoutes) -> None:
    with world.hub.unit() as unit:
        for van in unit.session.exec(select(VehicleRow).limit(3)):
            van.capacity = {"parcels": 1}


def _a_pin_that_was_moved(world: ManyRoutes) -> None:
    with world.hub.unit() as unit:
        for place in unit.session.exec(select(PlaceRow).limit(9)):
            place.lat = (place.lat or 0) + 0.02


def _a_door_that_takes_longer(world: ManyRoutes) -> None:
    with world.hub.unit() as unit:
        for place in unit.session.exec(select(PlaceRow)):
            place.service_s = 1800
        for job in unit.session.exec(select(JobRow)):
            job.service_s = None


def _shifts_that_end_at_noon(world: ManyRoutes) -> None:
    with world.hub.unit() as unit:
        for shift in unit.session.exec(select(ShiftRow).limit(3)):
            shift.ends_at = SIX + timedelta(hours=6)


def _stops_that_are_under_way(world: ManyRoutes) -> None:
    with world.hub.unit() as unit:
        for stop in unit.session.exec(select(StopRow).where(StopRow.n <= 4)):
            for job in unit.session.exec(
                select(JobRow).join(StopJobRow).where(StopJobRow.stop_id == stop.id)
            ):
                job.state, job.version = State.EN_ROUTE, job.version + 1


def _time_that_passes(world: ManyRoutes) -> None:
    world.now[0] += timedelta(hours=4)


@pytest.mark.parametrize(
    "change",
    [
        _a_turn,
        _a_van_that_holds_nothing_more,
        _a_pin_that_was_moved,
        _a_door_that_takes_longer,
        _shifts_that_end_at_noon,
        _stops_that_are_under_way,
        _time_that_passes,
    ],
)
def test_a_change_is_seen_at_the_next_question(
    tmp_path: Path, change: Callable[[ManyRoutes], None]
) -> None:
    world = many_routes("", tmp_path, drivers=5, stops=20)
    jobs = world.jobs(3)
    before = [offers(world, job) for job in jobs]
    change(world)
    after = [offers(world, job) for job in jobs]
    assert [costs(one) for one in after] == [said(judging_all(world, job)) for job in jobs]
    assert after != before


def test_an_offer_that_somebody_was_quicker_than_is_a_conflict(world: ManyRoutes) -> None:
    one, two = world.jobs(2)
    best, other = offers(world, one)[0], replace(offers(world, two)[0])
    put = {"actor": "staff:1", "expected_version": best.version}
    add_job(world.hub, world.business_id, best.route_id, one.id, **put)  # type: ignore[arg-type]
    with pytest.raises(RouteConflict):
        add_job(world.hub, world.business_id, best.route_id, two.id, **put)  # type: ignore[arg-type]
    assert offers(world, two)[0].version >= other.version


def test_only_the_days_asked_about_last_are_kept(world: ManyRoutes) -> None:
    [job] = world.jobs(1)
    for n in range(5):
        best_places(world.hub, world.business_id, job.id, world.day + timedelta(days=n))
    assert len(world.hub.places._days) == 3
