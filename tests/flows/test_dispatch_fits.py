"""What a dispatcher may put on a route: what fits, and what they insist on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.jobs import NotNow, State
from hub.core.orders import Kind, PickUp
from hub.core.values import Address, TimeWindow
from hub.db.tables import AuditRow, DriverRow, JobRow, RouteRow, StopJobRow, StopRow, VehicleRow
from hub.flows.dispatch import (
    DoesNotFit,
    RouteConflict,
    add_job,
    best_places,
    discard_draft,
    hand_over,
    move_job,
    publish,
    remove_job,
)
from hub.flows.plan import plan_day
from tests.flows.plan_worlds import DAY, SIX, SOUTH, Plugin, Town, a_town, kilos, near


def planned(folder: Path, skills: tuple[str, ...] = ()) -> Town:
    """Three orders of 10 kg in the south, planned, in vans that may carry 50 kg."""
    hub = Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=folder)
    town = a_town(hub, {"g": 50_000}, skills)
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, 4)}, lines=kilos(10))
    plan_day(hub, town.business_id, DAY, strategy="nearest")
    return town


def the_route(town: Town) -> RouteRow:
    [route] = town.routes()
    return route


def add(town: Town, job_id: str, *, force: bool = False) -> RouteRow:
    route = the_route(town)
    return add_job(
        town.hub,
        town.business_id,
        route.id,
        job_id,
        actor="staff:1",
        expected_version=route.version,
        force=force,
    )


def order_of_work(town: Town, route_id: str) -> list[str]:
    with town.hub.reading() as session:
        return list(
            session.exec(
                select(JobRow.id)
                .join(StopJobRow)
                .join(StopRow)
                .where(StopRow.route_id == route_id)
                .order_by(StopRow.n)
            )
        )


def a_pair(town: Town, kg: float = 5) -> list[str]:
    """A parcel fetched at one southern door for another; its two jobs, collecting first."""
    before = {job.id for job in town.jobs()}
    away = PickUp(
        address=Address(("Fetch 1",), city="Helsinki", country="FI"), point=near(SOUTH, 8)
    )
    town.orders({"P1": near(SOUTH, 5)}, pick_up=away, lines=kilos(kg))
    legs = [job for job in town.jobs() if job.id not in before]
    return [job.id for job in sorted(legs, key=lambda job: job.leg)]


def test_a_job_too_heavy_is_refused_and_the_sentence_says_by_how_much(tmp_path: Path) -> None:
    town = planned(tmp_path)
    heavy = town.order("H", near(SOUTH, 4), lines=kilos(60))
    with pytest.raises(DoesNotFit) as refused:
        add(town, heavy)
    van = "Van 2" if "Van 2" in str(refused.value) else "Van 3"
    assert str(refused.value) == f"{van} would carry 40 kg too much when it leaves."
    assert the_route(town).version == 1
    assert heavy not in {link.job_id for link in town.links()}


def test_a_dispatcher_may_insist_and_that_is_on_record(tmp_path: Path) -> None:
    town = planned(tmp_path)
    heavy = town.order("H", near(SOUTH, 4), lines=kilos(60))
    route = add(town, heavy, force=True)
    assert heavy in order_of_work(town, route.id)
    with town.hub.reading() as session:
        [audit] = session.exec(select(AuditRow).where(AuditRow.subject == f"route:{route.id}"))
    assert audit.actor == "staff:1"
    assert "40 kg too much" in audit.action
    # What was decided before is not held against the next change.
    add(town, town.order("L", near(SOUTH, 2), kind=Kind.SERVE))


def test_goods_collected_on_the_way_count_from_there(tmp_path: Path) -> None:
    town = planned(tmp_path)
    with pytest.raises(DoesNotFit, match="10 kg too much after stop"):
        add(town, town.order("C", near(SOUTH, 1), kind=Kind.COLLECT, lines=kilos(60)))
    assert add(town, town.order("D", near(SOUTH, 9), kind=Kind.COLLECT, lines=kilos(50)))


def test_a_job_that_needs_a_skill_is_refused_to_who_lacks_it(tmp_path: Path) -> None:
    town = planned(tmp_path)
    job = town.order("F", near(SOUTH, 4), skills=frozenset({"fridge"}))
    with pytest.raises(DoesNotFit, match="cannot do order F: it needs fridge"):
        add(town, job)


def test_a_window_that_cannot_be_met_is_refused_with_the_minutes(tmp_path: Path) -> None:
    town = planned(tmp_path)
    early = TimeWindow(SIX, SIX + timedelta(hours=1, minutes=30))  # 06:00 to 07:30; work is from 8
    job = town.order("W", near(SOUTH, 0), windows=(early,))
    with pytest.raises(DoesNotFit, match="order W at 08:0., 3. min after its window closes"):
        add(town, job)


def test_a_job_that_would_bring_the_driver_home_late_is_refused(tmp_path: Path) -> None:
    town = planned(tmp_path)
    job = town.order("X", near(SOUTH, 4), service_s=8 * 3600)
    with pytest.raises(DoesNotFit, match=r"back at 16:\d\d, \d+ min after the shift ends"):
        add(town, job)


def test_a_pair_is_added_and_removed_together_and_collected_first(tmp_path: Path) -> None:
    town = planned(tmp_path)
    collect, deliver = a_pair(town)
    route = add(town, deliver)
    order = order_of_work(town, route.id)
    assert order.index(collect) < order.index(deliver)
    remove_job(town.hub, town.business_id, route.id, collect, actor="staff:1", expected_version=2)
    assert not {collect, deliver} & set(order_of_work(town, route.id))
    states = {job.id: job.state for job in town.jobs()}
    assert (states[collect], states[deliver]) == (State.CREATED, State.CREATED)


def test_offers_name_the_best_route_first_and_what_is_wrong_with_the_others(
    tmp_path: Path,
) -> None:
    hub = Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=tmp_path)
    town = a_town(hub, {"g": 50_000}, skills=("fridge",))
    cold = town.order("S1", near(SOUTH, 1), skills=frozenset({"fridge"}))
    late = TimeWindow(SIX + timedelta(hours=2), SIX + timedelta(hours=2, minutes=10))
    town.orders({f"T{n}": near(SOUTH, 20 * n) for n in (1, 2)}, windows=(late,))
    plan_day(hub, town.business_id, DAY, strategy="nearest")
    with hub.unit() as unit:  # Mara's only job is wanted elsewhere, say
        names = {d.id: d.name for d in unit.session.exec(select(DriverRow))}
    mara = next(route for route in town.routes() if names[route.driver_id] == "Mara")
    assert cold in order_of_work(town, mara.id)
    other = town.order("S2", near(SOUTH, 2), skills=frozenset({"fridge"}), lines=kilos(1))
    first, *rest = best_places(hub, town.business_id, other, DAY)
    assert (first.driver, first.problems) == ("Mara", ())
    assert first.extra_s >= 0
    assert all("it needs fridge" in offer.problems[0] for offer in rest)
    assert len(rest) == len(town.routes()) - 1


def test_a_job_without_a_pin_is_offered_no_route_and_says_so(tmp_path: Path) -> None:
    town = planned(tmp_path)
    nowhere = town.order("S9", None)
    with pytest.raises(NotNow, match="no place on the map yet"):
        best_places(town.hub, town.business_id, nowhere, DAY)


def test_handing_over_to_a_smaller_van_or_a_driver_without_the_skill_is_refused(
    tmp_path: Path,
) -> None:
    town = planned(tmp_path, skills=("fridge",))
    route = the_route(town)
    with town.hub.unit() as unit:
        small = VehicleRow(business_id=town.business_id, name="Bike", capacity={"g": 12_000})
        unit.session.add(small)
    with pytest.raises(DoesNotFit, match="Bike would carry 18 kg too much when it leaves"):
        hand_over(
            town.hub,
            town.business_id,
            route.id,
            route.driver_id,
            actor="staff:1",
            expected_version=1,
            vehicle_id=small.id,
        )
    assert the_route(town).vehicle_id == route.vehicle_id


def test_a_change_draws_the_routes_line_anew(tmp_path: Path) -> None:
    town = planned(tmp_path)
    before = the_route(town)
    route = add(town, town.order("Far", near(SOUTH, 40)))
    stored = the_route(town)
    assert len(stored.geometry) == len(before.geometry) + 1
    assert stored.distance_m > before.distance_m > 0
    assert (stored.geometry, stored.version) == (route.geometry, 2)


def test_a_draft_can_be_thrown_away_and_a_published_route_cannot(tmp_path: Path) -> None:
    town = planned(tmp_path)
    route = the_route(town)
    discard_draft(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    assert town.routes() == []
    assert {job.state for job in town.jobs()} == {State.CREATED}
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    route = the_route(town)
    publish(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    with pytest.raises(RouteConflict, match="on its driver's phone"):
        discard_draft(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    assert the_route(town).published_at is not None


def test_a_pair_that_does_not_fit_where_it_should_go_stays_where_it_is(tmp_path: Path) -> None:
    town = planned(tmp_path)
    legs = a_pair(town, kg=45)
    with pytest.raises(DoesNotFit, match="too much"):
        small = the_route(town)
        with town.hub.unit() as unit:
            van = unit.session.get_one(VehicleRow, small.vehicle_id)
            van.capacity = {"g": 31_000}
        add(town, legs[0])
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    routes = town.routes()
    home = next(r for r in routes if legs[0] in order_of_work(town, r.id))
    others = [r for r in routes if r.id != home.id]
    for other in others:
        with pytest.raises(DoesNotFit):
            move_job(
                town.hub,
                town.business_id,
                home.id,
                other.id,
                legs[1],
                actor="staff:1",
                expected_version=home.version,
                to_version=other.version,
            )
    assert set(legs) <= set(order_of_work(town, home.id))


def test_one_parcel_too_many_is_said_as_one_parcel(tmp_path: Path) -> None:
    town = planned(tmp_path)
    route = the_route(town)
    with town.hub.unit() as unit:
        small = VehicleRow(business_id=town.business_id, name="Bike", capacity={"parcels": 2})
        unit.session.add(small)
    with pytest.raises(DoesNotFit, match="Bike would carry 1 parcel too much when it leaves"):
        hand_over(
            town.hub,
            town.business_id,
            route.id,
            route.driver_id,
            actor="staff:1",
            expected_version=1,
            vehicle_id=small.id,
        )
