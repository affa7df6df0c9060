"""What fewer fleets ask for, one by one: it is kept, and not asking for it would cost less."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from hub import (
    Break,
    JobToPlan,
    Need,
    Pace,
    Plan,
    PlanRequest,
    Reload,
    Timetable,
    TimeWindow,
    Visit,
    Wish,
    completed,
    needs_of,
    violations,
)
from hub.core.pace import Traffic
from tests.planning_worlds import a_bakery_day, a_street, a_van, at, between

MINUTE = timedelta(minutes=1)
HALF_HOUR_PRICE = 2500 // 2


def route(plan: Plan, vehicle: str = "van") -> list[str]:
    return [visit.job_id for visit in plan.routes.get(vehicle, ())]


def kept(request: PlanRequest, need: Need, orders=None) -> Plan:
    """The plan, which is lawful, whole, and of a request that has this need."""
    assert need in needs_of(request)
    plan = completed(request, orders or {})
    assert violations(request, plan) == []
    assert plan.unassigned == {}
    return plan


def crates(n: int, size: int = 6, **more: object) -> JobToPlan:
    return JobToPlan(id=f"j{n}", place=n, load={"g": size}, **more)  # type: ignore[arg-type]


def a_small_van(**changes: object):
    return a_van(
        **{"capacity": {"g": 6}, "reload_at": (0,), "max_reloads": 2, "reload_s": 600} | changes
    )


# -- reloads


def test_a_van_loads_again_when_it_is_empty():
    request = a_bakery_day((crates(1), crates(2)), (a_small_van(),))
    plan = kept(request, Need.RELOADS, {"van": ["j1", "j2"]})
    assert plan.reloads["van"] == (Reload(1, 0, at(8) + 20 * MINUTE, at(8) + 30 * MINUTE),)
    assert plan.routes["van"][1].arrive == at(8) + 50 * MINUTE
    roomy = replace(request, vehicles=(a_van(),))
    assert completed(roomy, {}).cost < plan.cost


def test_it_does_not_load_more_often_than_it_may_nor_than_it_must():
    jobs = tuple(crates(n, 3) for n in (1, 2, 3, 4))
    plan = completed(a_bakery_day(jobs, (a_small_van(),)), {})
    assert len(plan.reloads["van"]) == 1
    plan = completed(a_bakery_day(tuple(crates(n) for n in (1, 2, 3, 4)), (a_small_van(),)), {})
    assert len(plan.reloads["van"]) == 2
    assert len(plan.unassigned) == 1


def test_it_reloads_where_the_way_round_is_shortest():
    jobs = (crates(4), crates(6))
    plan = kept(a_bakery_day(jobs, (a_small_van(reload_at=(0, 5)),)), Need.RELOADS)
    assert [reload.place for reload in plan.reloads["van"]] == [5]


def test_what_was_collected_is_put_down_at_a_reload():
    jobs = tuple(crates(n, load_direction="collect") for n in (1, 2, 3))
    plan = kept(a_bakery_day(jobs, (a_small_van(),)), Need.RELOADS)
    assert len(plan.reloads["van"]) == 2


def test_no_pair_rides_through_a_reload():
    jobs = (
        JobToPlan(id="from", place=2, load={"g": 3}, pair_with="to", leg="collect"),
        JobToPlan(id="to", place=6, pair_with="from"),
        crates(4, 6),
    )
    request = a_bakery_day(jobs, (a_small_van(),))
    assert Timetable(request).trip(request.vehicles[0], ["from", "j4", "to"]) is None
    assert Timetable(request).trip(request.vehicles[0], ["from", "to", "j4"]).reloads


def test_only_the_trip_that_brings_it_waits_for_the_goods():
    jobs = (crates(1), crates(2, ready_at=at(10)))
    plan = kept(a_bakery_day(jobs, (a_small_van(),)), Need.RELOADS, {"van": ["j1", "j2"]})
    (reload,) = plan.reloads["van"]
    assert reload.depart == at(10)
    assert plan.routes["van"][0].start < at(10)


def test_time_on_board_counts_from_the_last_loading():
    jobs = (crates(9, service_s=7200), crates(1, max_on_board_s=900))
    van = a_small_van()
    assert kept(a_bakery_day(jobs, (van,)), Need.RELOADS, {"van": ["j9", "j1"]}).reloads


# -- never together


def test_goods_ride_on_two_trips_where_they_must_not_ride_on_one():
    jobs = (
        JobToPlan(id="a", place=1, goods=frozenset({"fish"})),
        JobToPlan(id="b", place=2, goods=frozenset({"bleach"})),
    )
    request = a_bakery_day(jobs, (a_small_van(),), never_together=frozenset({("fish", "bleach")}))
    plan = kept(request, Need.NEVER_TOGETHER)
    assert len(plan.reloads["van"]) == 1
    assert completed(replace(request, never_together=frozenset()), {}).cost < plan.cost


def test_two_jobs_that_one_driver_must_not_do_have_two():
    jobs = (JobToPlan(id="a", place=1), JobToPlan(id="b", place=2))
    vans = (a_small_van(), a_van("b", fixed_cost=900))
    request = a_bakery_day(jobs, vans, never_together=frozenset({("b", "a")}))
    plan = kept(request, Need.NEVER_TOGETHER)
    assert sorted(map(len, plan.routes.values())) == [1, 1]
    assert completed(replace(request, never_together=frozenset()), {}).cost < plan.cost


def test_what_cannot_join_the_fixed_goods_is_left_out_and_says_so():
    jobs = (
        JobToPlan(id="a", place=1, goods=frozenset({"fish"})),
        JobToPlan(id="b", place=2, goods=frozenset({"bleach"})),
    )
    request = a_bakery_day(
        jobs, fixed={"van": ("a",)}, never_together=frozenset({("fish", "bleach")})
    )
    assert "must not go together" in completed(request, {}).unassigned["b"]


def test_a_person_may_put_together_what_must_not_be():
    jobs = (
        JobToPlan(id="a", place=1, goods=frozenset({"fish"})),
        JobToPlan(id="b", place=2, goods=frozenset({"bleach"})),
        JobToPlan(id="c", place=3),
    )
    request = a_bakery_day(
        jobs, fixed={"van": ("a", "b")}, never_together=frozenset({("fish", "bleach")})
    )
    assert route(kept(request, Need.NEVER_TOGETHER)) == ["a", "b", "c"]


# -- wishes


def test_a_late_wish_costs_by_the_hour():
    wish = Wish(between(7, 8), late_per_hour=6000)
    job = JobToPlan(id="a", place=3, wishes=(wish,))
    request = a_bakery_day((job,))
    plan = kept(request, Need.WISHES)
    free = completed(a_bakery_day((replace(job, wishes=()),)), {})
    assert plan.cost == free.cost + 3000


def test_the_wish_that_costs_more_is_met_first():
    late = (Wish(between(8, 8.5), late_per_hour=60_000),)
    jobs = (JobToPlan(id="near", place=2), JobToPlan(id="far", place=3, wishes=late))
    jobs += (JobToPlan(id="long", place=1, service_s=3600),)
    request = a_bakery_day(jobs)
    plan = kept(request, Need.WISHES)
    assert plan.routes["van"][0].job_id == "far"
    assert plan.routes["van"][0].start <= at(8.5)


def test_a_driver_waits_at_home_for_an_early_wish_and_at_a_door_only_where_that_is_cheaper():
    wish = Wish(between(12, 13), early_per_hour=100)
    noon = JobToPlan(id="noon", place=1, wishes=(wish,))
    plan = kept(a_bakery_day((noon,)), Need.WISHES)
    assert plan.spans["van"].opens == at(12) - 10 * MINUTE
    early = JobToPlan(id="early", place=2, windows=(between(8, 8.5),))
    assert kept(a_bakery_day((early, noon)), Need.WISHES, {"van": ["early", "noon"]}).routes["van"][
        1
    ].start < at(9)
    dear = replace(noon, wishes=(replace(wish, early_per_hour=9000),))
    plan = kept(a_bakery_day((early, dear)), Need.WISHES, {"van": ["early", "noon"]})
    assert plan.routes["van"][1].start == at(12)


def test_leaving_late_makes_nobody_later_than_they_wish():
    wish = Wish(between(9, 9.5), late_per_hour=9000)
    jobs = (
        JobToPlan(id="wished", place=1, wishes=(wish,), windows=(between(8, 14),)),
        JobToPlan(id="noon", place=2, windows=(between(12, 13),)),
    )
    plan = kept(a_bakery_day(jobs), Need.WISHES, {"van": ["wished", "noon"]})
    assert plan.routes["van"][0].start == at(9.5)


# -- balance, the same driver, the known order


def test_the_longest_day_costs_what_it_is_longer_than_the_mean():
    jobs = (JobToPlan(id="a", place=3),)
    request = a_bakery_day(jobs, (a_van("a"), a_van("b")), uneven_per_hour=1000)
    plan = kept(request, Need.BALANCE)
    assert plan.cost == completed(replace(request, uneven_per_hour=0), {}).cost + 500


def test_work_is_spread_where_that_costs_less():
    jobs = tuple(JobToPlan(id=f"j{n}", place=n, service_s=3600) for n in (1, 2, 3, 4))
    request = a_bakery_day(jobs, (a_van("a"), a_van("b")), uneven_per_hour=5000)
    plan, free = kept(request, Need.BALANCE), completed(replace(request, uneven_per_hour=0), {})
    assert sorted(map(len, plan.routes.values())) == [2, 2]
    assert sorted(map(len, free.routes.values())) == [0, 4]
    assert free.cost < plan.cost


@pytest.mark.parametrize(("price", "who"), [(100, "a"), (50_000, "b")])
def test_the_known_driver_comes_where_another_costs_more(price, who):
    known = JobToPlan(id="x", place=2, wanted_vehicle="b", other_vehicle_cost=price)
    jobs = (JobToPlan(id="y", place=1), known)
    request = a_bakery_day(jobs, (a_van("a"), a_van("b", fixed_cost=9000)))
    assert "x" in route(kept(request, Need.WANTED_VEHICLE), who)


@pytest.mark.parametrize(("price", "who"), [(100, "a"), (50_000, "b")])
def test_whoever_costs_more_at_a_door_stays_away_where_that_is_dearer(price, who):
    outside = JobToPlan(id="x", place=2, vehicle_costs={"a": price})
    jobs = (JobToPlan(id="y", place=1), outside)
    request = a_bakery_day(jobs, (a_van("a"), a_van("b", fixed_cost=9000)))
    assert "x" in route(kept(request, Need.WANTED_VEHICLE), who)


def test_a_job_that_moved_costs_its_price_once():
    jobs = tuple(JobToPlan(id=f"j{n}", place=n) for n in (1, 2, 3, 4))
    request = a_bakery_day(jobs, reorder_cost=70, before={"van": ("j1", "j2", "j3", "j4", "gone")})
    free = replace(request, reorder_cost=0)
    for order, moved in (("1234", 0), ("2341", 1), ("4123", 1), ("2143", 2), ("4321", 3)):
        orders = [f"j{n}" for n in order]
        cost = Timetable(request).trip(request.vehicles[0], orders).cost
        assert cost == Timetable(free).trip(request.vehicles[0], orders).cost + 70 * moved


@pytest.mark.parametrize(("price", "order"), [(10, ["near", "far"]), (50_000, ["far", "near"])])
def test_a_known_order_stays_where_changing_it_costs_more(price, order):
    jobs = (JobToPlan(id="near", place=2), JobToPlan(id="far", place=8))
    request = a_bakery_day(
        jobs, (a_van(end=None),), reorder_cost=price, before={"van": ("far", "near")}
    )
    assert route(kept(request, Need.KNOWN_ORDER)) == order


# -- time of day


RUSH = (Pace(at(8), 2.0), Pace(at(9), 1.0))


def in_the_rush(request: PlanRequest) -> PlanRequest:
    return replace(request, travel={p: replace(t, pace=RUSH) for p, t in request.travel.items()})


def test_each_piece_of_a_drive_goes_at_its_own_pace():
    """90 minutes of undisturbed driving: 30 of them by nine o'clock, the rest after."""
    jobs = (JobToPlan(id="a", place=9),)
    request = in_the_rush(a_bakery_day(jobs, (a_van(shift=between(8, 12)),)))
    plan = kept(request, Need.PACE)
    span, visit = plan.spans["van"], plan.routes["van"][0]
    assert visit.arrive - span.opens == (at(10) - at(8) if span.opens == at(8) else 90 * MINUTE)
    early = replace(request.jobs[0], windows=(between(9, 10),))
    plan = kept(replace(request, jobs=(early,)), Need.PACE)
    assert plan.spans["van"].opens == at(8)
    assert plan.routes["van"][0].arrive == at(10)
    assert completed(a_bakery_day((early,)), {}).cost < plan.cost


@pytest.mark.parametrize("seed", range(20))
def test_who_leaves_later_never_arrives_sooner(seed):
    dice = Random(seed)
    begins = sorted(dice.randrange(0, 20_000) for _ in range(5))
    day = datetime(2026, 11, 25, tzinfo=UTC)
    traffic = Traffic(
        [Pace(day + timedelta(seconds=b), dice.choice((0.5, 1.0, 1.7, 4.0))) for b in begins]
    )
    zero = int(day.timestamp())
    for _ in range(50):
        way = dice.randrange(0, 9000)
        leaves = sorted(zero + dice.randrange(0, 20_000) for _ in range(20))
        arrivals = [traffic.arrival(leave, way) for leave in leaves]
        assert arrivals == sorted(arrivals)
        for leave, arrival in zip(leaves, arrivals, strict=True):
            assert way - 0.01 <= traffic.driven(leave, arrival) <= way + 2.0


def test_a_rest_on_the_road_is_no_driving_in_the_rush_hour():
    """Rests 8:00 to 9:00 at the roadside or at home, and drives when the road is free."""
    rest = Break(TimeWindow(at(8), at(8)), 3600)
    job = JobToPlan(id="a", place=3, windows=(between(8, 9.5),))
    request = in_the_rush(a_bakery_day((job,), (a_van(breaks=(rest,), shift=between(7, 17)),)))
    plan = kept(request, Need.PACE)
    assert plan.routes["van"][0].arrive <= at(9.5)


# -- metres, access


def test_a_van_drives_no_farther_than_it_can():
    vans = (a_van("electric", max_distance_m=80_000), a_van("diesel", fixed_cost=9000))
    request = a_bakery_day((JobToPlan(id="far", place=9), JobToPlan(id="near", place=1)), vans)
    plan = kept(request, Need.MAX_DISTANCE)
    assert "far" in route(plan, "diesel")
    free = replace(request, vehicles=(a_van("electric"), vans[1]))
    assert completed(free, {}).cost < plan.cost
    alone = replace(request, vehicles=vans[:1])
    assert "farther than any vehicle" in completed(alone, {}).unassigned["far"]


def test_the_way_to_a_door_is_gone_once_for_jobs_done_there_in_a_row():
    jobs = tuple(JobToPlan(id=id, place=3, service_s=60) for id in ("a", "b"))
    slow = a_van(service_factor=1.5)
    request = a_bakery_day((*jobs, JobToPlan(id="c", place=4)), (slow,), access_s={3: 600, 4: 0})
    plan = kept(request, Need.ACCESS, {"van": ["a", "b", "c"]})
    a, b, _ = plan.routes["van"]
    assert a.start - a.arrive == timedelta(seconds=900)
    assert b.start == a.depart == a.start + timedelta(seconds=90)
    apart = Timetable(request).trip(slow, ["a", "c", "b"])
    together = Timetable(request).trip(slow, ["a", "b", "c"])
    assert apart.home - together.home == 900


def test_a_driver_walks_to_the_door_while_its_window_is_closed():
    job = JobToPlan(id="a", place=3, windows=(between(9, 10),))
    plan = kept(a_bakery_day((job,), access_s={3: 1200}), Need.ACCESS)
    assert plan.spans["van"].opens == at(9) - 50 * MINUTE
    assert plan.routes["van"][0].start == at(9)


def test_a_job_locked_to_a_vehicle_may_be_anywhere_on_its_route():
    jobs = (JobToPlan(id="mine", place=4, vehicle="b"), *(crates(n) for n in (2, 6)))
    vans = (a_van("a", fixed_cost=100, end=None), a_van("b", end=None))
    plan = kept(a_bakery_day(jobs, vans), Need.VEHICLE_CHOICE)
    assert route(plan, "b") == ["j2", "mine", "j6"]


# -- what is judged apart


def a_day_with_a_reload() -> tuple[PlanRequest, Plan]:
    """Leaves at 8:00, j1 at 8:10, loads 8:20-8:30, j2 8:50 to 9:20 (a walk of 10 minutes)."""
    jobs = (
        crates(1, goods=frozenset({"fish"})),
        crates(2, service_s=1200, goods=frozenset({"bleach"}), ready_at=at(8.5)),
    )
    van = a_small_van(max_reloads=1, max_distance_m=30_000)
    request = a_bakery_day(
        jobs, (van,), access_s={2: 600}, never_together=frozenset({("fish", "bleach")})
    )
    first, second = at(8) + 10 * MINUTE, at(9)
    plan = Plan(
        routes={
            "van": (
                Visit("j1", first, first, first),
                Visit("j2", second - 10 * MINUTE, second, second + 20 * MINUTE),
            )
        },
        unassigned={},
        spans={"van": TimeWindow(at(8), at(9) + 40 * MINUTE)},
        reloads={"van": (Reload(1, 0, at(8) + 20 * MINUTE, at(8.5)),)},
    )
    return request, plan


def test_a_day_with_a_reload_is_lawful():
    assert violations(*a_day_with_a_reload()) == []


def van_with(request: PlanRequest, **changes: object) -> PlanRequest:
    return replace(request, vehicles=(replace(request.vehicles[0], **changes),))  # type: ignore[arg-type]


def reloading(plan: Plan, **changes: object) -> Plan:
    (reload,) = plan.reloads["van"]
    return replace(plan, reloads={"van": (replace(reload, **changes),)})  # type: ignore[arg-type]


BROKEN = {
    "reloads 1 times": lambda r, p: (van_with(r, max_reloads=0), p),
    "must not reload at place 0": lambda r, p: (van_with(r, reload_at=(5,)), p),
    "before it has reloaded": lambda r, p: (van_with(r, reload_s=601), p),
    "not between its visits": lambda r, p: (r, reloading(p, after_visits=3)),
    "carries 12 g": lambda r, p: (r, replace(p, reloads={})),
    "fish and bleach on board": lambda r, p: (r, reloading(p, after_visits=0)),
    "at its reload by": lambda r, p: (r, reloading(p, arrive=at(8) + 19 * MINUTE)),
    "be at j2 by": lambda r, p: (r, reloading(p, depart=at(8) + 31 * MINUTE)),
    "before j2 is ready": lambda r, p: (
        replace(r, jobs=(r.jobs[0], replace(r.jobs[1], ready_at=at(8.6)))),
        p,
    ),
    "j2 is on board for too long": lambda r, p: (
        replace(r, jobs=(r.jobs[0], replace(r.jobs[1], max_on_board_s=1799))),
        p,
    ),
    "cannot begin j2": lambda r, p: (replace(r, access_s={2: 601}), p),
    "may drive 29999 m": lambda r, p: (van_with(r, max_distance_m=29_999), p),
    "be at j1 by": lambda r, p: (in_the_rush(r), p),
    "does both j1 and j2": lambda r, p: (replace(r, never_together=frozenset({("j1", "j2")})), p),
}


@pytest.mark.parametrize("said", BROKEN)
def test_a_broken_need_is_found_and_named(said):
    found = violations(*BROKEN[said](*a_day_with_a_reload()))
    assert any(said in sentence for sentence in found), found


def test_plans_are_compared_by_all_prices():
    wish = Wish(between(12, 13), early_per_hour=1000)
    jobs = (JobToPlan(id="a", place=1, wishes=(wish,), windows=(between(8, 9),)),)
    plan = completed(a_bakery_day(jobs), {})
    money = round(600 * 2 * 2500 / 3600 + 2 * 5 * 30)
    assert plan.cost == money + 3000


def test_the_street_has_no_pace_of_its_own():
    assert a_street(3).pace == ()
    assert math.isclose(Traffic(()).driven(0, 60), 60)
