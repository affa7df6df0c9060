"""What a change does to the promises that other recipients were given, and to other routes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.values import Point, TimeWindow
from hub.db.tables import (
    DepotRow,
    DriverRow,
    EventRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.dispatch import (
    DoesNotFit,
    add_job,
    best_places,
    hand_over,
    publish,
    remove_job,
)
from hub.flows.plan import plan_day
from hub.flows.shifts import shifts_on, working_on
from tests.flows.plan_worlds import DAY, NORTH, SIX, SOUTH, Plugin, Town, a_town, kilos, near

ON_THE_WAY = Point(SOUTH.lat + 0.0005, SOUTH.lon + 0.001)  # between the depot and its first door


def planned(folder: Path, most_kg: int = 50) -> Town:
    """Three orders of 10 kg in the south, on drafts, in vans that may carry ``most_kg``."""
    town = a_town(Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=folder), {"g": most_kg * 1000})
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, 4)}, lines=kilos(10))
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    return town


def on_the_road(folder: Path, most_kg: int = 50) -> Town:
    """The same, published."""
    town = planned(folder, most_kg)
    for route in town.routes():
        publish(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    return town


def doors(town: Town, route: RouteRow) -> list[Point]:
    """Where ``route`` goes, in its order; a step beside the door, so that it is another place."""
    with town.hub.reading() as session:
        places = session.exec(
            select(PlaceRow)
            .join(StopRow, StopRow.place_id == PlaceRow.id)  # type: ignore[arg-type]
            .where(StopRow.route_id == route.id)
            .order_by(StopRow.n)  # type: ignore[arg-type]
        ).all()
    return [Point((p.lat or 0) + 0.00001, p.lon or 0) for p in places]


def missed(town: Town) -> list[str]:
    """The jobs whose stop is reached after the time their recipient was told last."""
    with town.hub.reading() as session:
        rows = session.exec(
            select(PromiseRow.job_id, PromiseRow.closes, StopRow.arrive_at)
            .join(StopJobRow, StopJobRow.job_id == PromiseRow.job_id)  # type: ignore[arg-type]
            .join(StopRow, StopRow.id == StopJobRow.stop_id)  # type: ignore[arg-type]
        ).all()
    return [job_id for job_id, closes, arrive_at in rows if arrive_at > closes]


def driven_by(town: Town, name: str) -> RouteRow:
    with town.hub.reading() as session:
        driver = session.exec(select(DriverRow).where(DriverRow.name == name)).one()
    return next(route for route in town.routes() if route.driver_id == driver.id)


def give(town: Town, route: RouteRow, to: RouteRow, *, force: bool = False) -> None:
    hand_over(
        town.hub,
        town.business_id,
        route.id,
        to.driver_id,
        actor="staff:1",
        expected_version=route.version,
        force=force,
    )


def test_the_best_place_for_a_late_window_is_not_before_those_promised_the_morning(
    tmp_path: Path,
) -> None:
    """The first offer was stop 1, the least detour: everybody else would have come hours late."""
    town = on_the_road(tmp_path)
    window = TimeWindow(SIX + timedelta(hours=5), SIX + timedelta(hours=7))  # 11:00 to 13:00
    job = town.order("2001", doors(town, town.routes()[0])[0], windows=(window,))
    [offer] = best_places(town.hub, town.business_id, job, DAY)
    assert (offer.position, offer.late, offer.fits) == (4, (), True)
    assert offer.vehicle.startswith("Van ")
    assert offer.leaves_at
    add_job(town.hub, town.business_id, offer.route_id, job, actor="staff:1", expected_version=1)
    assert missed(town) == []


def test_a_place_that_breaks_promises_says_whose_and_waits_for_a_person_to_insist(
    tmp_path: Path,
) -> None:
    """It was accepted at once, and the next customer came 2 h 52 min late."""
    town = on_the_road(tmp_path)
    at_eight = TimeWindow(SIX + timedelta(hours=2), SIX + timedelta(hours=2, minutes=2))
    job = town.order("2001", ON_THE_WAY, windows=(at_eight,), service_s=2 * 3600)
    [offer] = best_places(town.hub, town.business_id, job, DAY)
    assert offer.problems == ()
    assert not offer.fits
    assert sorted(late.number for late in offer.late) == ["S1", "S2", "S3"]
    assert all(3600 < late.late_s < 3 * 3600 for late in offer.late)
    about = town.hub, town.business_id, offer.route_id, job
    said = r"Order S\d was promised \d\d:\d\d–\d\d:\d\d; \w+ would be there at 10:\d\d, 1 h \d+ min"
    with pytest.raises(DoesNotFit, match=said) as refused:
        add_job(*about, actor="staff:1", expected_version=1)
    assert refused.value.only_promises
    add_job(*about, actor="staff:1", expected_version=1, force=True)
    assert len(missed(town)) == 3
    with town.hub.reading() as session:
        told = session.exec(
            select(EventRow.subject_id).where(EventRow.name == "JobDispatched")
        ).all()
    assert sorted(Counter(told).values()) == [1, 2, 2, 2]  # the new one, and each who waits now


def test_a_route_that_keeps_every_promise_comes_before_one_with_less_driving(
    tmp_path: Path,
) -> None:
    town = planned(tmp_path, most_kg=20)
    near_it, other = sorted(town.routes(), key=lambda route: -len(doors(town, route)))
    publish(town.hub, town.business_id, near_it.id, actor="staff:1", expected_version=1)
    at_eight = TimeWindow(SIX + timedelta(hours=2), SIX + timedelta(hours=2, minutes=4))
    job = town.order("2001", doors(town, near_it)[0], windows=(at_eight,), service_s=2 * 3600)
    first, second = best_places(town.hub, town.business_id, job, DAY)
    assert (first.route_id, first.fits) == (other.id, True)
    assert (second.route_id, second.fits) == (near_it.id, False)
    assert second.extra_s < first.extra_s


def test_a_depot_may_have_its_own_usual_time_at_doors(tmp_path: Path) -> None:
    """It was asked for, and nothing was planned by it."""
    town = a_town(Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=tmp_path))
    with town.hub.unit() as unit:
        unit.session.get_one(DepotRow, town.south).service_s = 1800
    town.order("S1", near(SOUTH, 1))
    town.order("N1", near(NORTH, 1))
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert sorted(int((s.depart_at - s.arrive_at).total_seconds()) for s in town.stops()) == [
        180,
        1800,
    ]


ELEVEN = SIX + timedelta(hours=5)


def a_late_round(folder: Path) -> Town:
    """Four doors in the south from eleven on; published, so that nobody leaves before then."""
    town = a_town(Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=folder))
    windows = (TimeWindow(ELEVEN, ELEVEN + timedelta(hours=3)),)
    town.orders({f"S{n}": near(SOUTH, n) for n in range(1, 5)}, windows=windows)
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    for route in town.routes():
        publish(town.hub, town.business_id, route.id, actor="staff:1", expected_version=1)
    return town


def begins_before_told(town: Town) -> list[str]:
    """The jobs whose stop is left before the time that its recipient was told begins."""
    with town.hub.reading() as session:
        rows = session.exec(
            select(PromiseRow.job_id, PromiseRow.opens, StopRow.depart_at)
            .join(StopJobRow, StopJobRow.job_id == PromiseRow.job_id)  # type: ignore[arg-type]
            .join(StopRow, StopRow.id == StopJobRow.stop_id)  # type: ignore[arg-type]
        ).all()
    return [job_id for job_id, opens, depart_at in rows if depart_at <= opens]


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_stop_taken_off_sends_nobody_out_earlier_than_told(tmp_path: Path, which: int) -> None:
    """A van that left at 12:34 was sent out at 07:44, to wait at its first door."""
    town = a_late_round(tmp_path)
    [route] = town.routes()
    leaves_at = route.leaves_at
    assert leaves_at is not None and leaves_at > ELEVEN - timedelta(minutes=10)
    job_id = town.links()[which].job_id
    remove_job(
        town.hub,
        town.business_id,
        route.id,
        job_id,
        actor="staff:1",
        expected_version=route.version,
    )
    [after] = town.routes()
    assert after.leaves_at is not None and after.leaves_at >= leaves_at
    assert begins_before_told(town) == []


def test_a_new_stop_sends_a_van_out_no_earlier_than_it_must(tmp_path: Path) -> None:
    town = a_late_round(tmp_path)
    [route] = town.routes()
    door = doors(town, route)[0]
    early = (TimeWindow(SIX + timedelta(hours=4), SIX + timedelta(hours=4, minutes=30)),)
    job_id = town.order("E1", door, windows=early)
    anywhere = town.order("A1", door)
    [best, *_] = best_places(town.hub, town.business_id, anywhere, DAY)
    assert best.fits and best.earlier_s < 900
    [needed, *_] = best_places(town.hub, town.business_id, job_id, DAY)
    assert needed.fits and 1800 <= needed.earlier_s < 3700
    add_job(town.hub, town.business_id, route.id, job_id, actor="s", expected_version=route.version)
    assert begins_before_told(town) == []
    assert missed(town) == []


def test_a_route_is_not_given_to_a_driver_who_is_on_the_road_at_that_time(tmp_path: Path) -> None:
    """Two overlapping routes of one driver were accepted without a word."""
    town = on_the_road(tmp_path, most_kg=20)
    mara, otso = driven_by(town, "Mara"), driven_by(town, "Otso")
    with pytest.raises(DoesNotFit, match=r"^Mara already drives \d\d:\d\d–\d\d:\d\d that day\.$"):
        give(town, otso, mara)
    assert driven_by(town, "Otso").id == otso.id
    give(town, otso, mara, force=True)
    assert {route.driver_id for route in town.routes()} == {mara.driver_id}


def test_who_gave_a_route_away_is_free_and_can_be_planned_again(tmp_path: Path) -> None:
    """The giver's shift stayed with the route: still "on the road", and never offered again."""
    town = on_the_road(tmp_path, most_kg=20)
    mara, otso = driven_by(town, "Mara"), driven_by(town, "Otso")
    give(town, otso, mara, force=True)
    seen = {one.driver: one for one in working_on(town.hub, town.business_id, DAY)}
    assert (seen["Mara"].published, seen["Otso"].published) == (True, False)
    assert otso.driver_id in {s.driver_id for s in shifts_on(town.hub, town.business_id, DAY)}
    town.order("S9", near(SOUTH, 5))
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert driven_by(town, "Otso").published_at is None
    assert len([r for r in town.routes() if r.driver_id == mara.driver_id]) == 2
