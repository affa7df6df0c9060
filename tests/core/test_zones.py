"""Zones: where one lies, how people write it, and who keeps to it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hub.core.plan_needs import Need
from hub.core.plan_request import JobToPlan, KeepsTo, Plan, PlanRequest, VehicleToPlan
from hub.core.planning import completed, needs_of, reasons, violations
from hub.core.values import Point
from hub.core.ways_out import Change, changed, ways_out
from hub.core.zones import (
    Area,
    Zone,
    area_text,
    is_barred,
    read_area,
    read_postcodes,
    zoned,
    zones_at,
)
from hub.testing.days import a_bakery_day, a_van

SQUARE = "60.0, 24.0\n60.0, 25.0\n61.0, 25.0\n61.0, 24.0"
NORTH, SOUTH = frozenset({"north"}), frozenset({"south"})


def contains(area: Area, point: Point) -> bool:
    return zones_at([Zone("z", "Zone", area)], point, "") == {"z"}


def test_a_point_lies_in_the_area_it_is_drawn_around() -> None:
    square = read_area(SQUARE)
    assert contains(square, Point(60.5, 24.5))
    for out in (Point(59.9, 24.5), Point(60.5, 25.1), Point(61.1, 24.5), Point(60.5, 23.9)):
        assert not contains(square, out)


def test_what_is_written_is_read_again_as_it_was() -> None:
    square = read_area(SQUARE)
    assert read_area(area_text(square)) == square
    with_hole = read_area(json.dumps(geojson([box(0, 10), box(4, 6)])))
    assert read_area(area_text(with_hole)) == with_hole
    assert area_text(()) == "" and read_area("  ") == ()


def box(low: float, high: float) -> list[list[float]]:
    """As GeoJSON has it: longitude first, and closed."""
    return [[low, low], [high, low], [high, high], [low, high], [low, low]]


def geojson(rings: list[list[list[float]]]) -> dict[str, object]:
    polygon = {"type": "Polygon", "coordinates": rings}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": polygon}]}


def test_a_hole_of_an_imported_area_is_not_in_it() -> None:
    area = read_area(json.dumps(geojson([box(0, 10), box(4, 6)])))
    assert contains(area, Point(2, 5)) and not contains(area, Point(5, 5))


def test_an_imported_area_of_several_shapes_has_them_all() -> None:
    two = {"type": "MultiPolygon", "coordinates": [[box(0, 1)], [box(5, 6)]]}
    area = read_area(json.dumps(two))
    assert [contains(area, Point(at, at)) for at in (0.5, 3.0, 5.5)] == [True, False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("60.1, 24.9\n60.2, 24.9", "at least three corners"),
        ("60.1, 24.9\nsomewhere", "“somewhere” is not understood"),
        ("95.0, 24.9\n60.2, 24.9\n60.2, 25", "no place on the globe"),
        ("0, 0\n1, 1\n0, 1\n1, 0", "crosses itself"),
        ('{"type": "Point", "coordinates": [1, 2]}', "not GeoJSON with a polygon"),
        ('{"type": "Polygon", "coordinates": 7}', "not GeoJSON with a polygon"),
        ("{", "not GeoJSON with a polygon"),
    ],
)
def test_an_area_that_is_none_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_area(text)


@pytest.mark.parametrize(
    ("written", "postcode", "is_in"),
    [
        ("00100", "00100", True),
        ("00100", "00101", False),
        ("001*", "00180", True),
        ("001*", "00210", False),
        ("00100 to 00199", "00150", True),
        ("00100 to 00199", "00200", False),
        ("SW1A 1AA", "sw1a1aa", True),
        ("SW1*", "SW1A 2BB", True),
        ("00-950", "00-950", True),
        ("00100", "", False),
    ],
)
def test_a_postal_code_says_what_lies_in_a_zone(written: str, postcode: str, is_in: bool) -> None:
    zone = Zone("z", "Centre", postcodes=read_postcodes(written))
    assert zones_at([zone], None, postcode) == (frozenset({"z"}) if is_in else frozenset())


@pytest.mark.parametrize(
    "written", ["00100 to 199", "200 to 100", "*", "a b c d e f g h i j k l m n"]
)
def test_a_postal_code_that_is_none_is_refused_in_words(written: str) -> None:
    with pytest.raises(ValueError, match="is no postal code"):
        read_postcodes(written)


def who_drives(plan: Plan) -> list[str]:
    return [vehicle for vehicle, visits in plan.routes.items() if visits]


def a_day(*vans: VehicleToPlan, zones: frozenset[str] = SOUTH) -> PlanRequest:
    job = JobToPlan(id="j", place=1, zones=zones)
    request = a_bakery_day((job,), vans)
    return replace(request, jobs=(zoned(job, vans),))


def test_who_keeps_to_a_zone_gets_nothing_outside_it() -> None:
    keeper = a_van("keeper", keeps_to=(KeepsTo(NORTH),))
    free = a_van("free", fixed_cost=9000)
    plan = completed(a_day(keeper, free), {})
    assert who_drives(plan) == ["free"]
    assert violations(a_day(keeper, free), plan) == []


def test_the_judge_sees_a_job_outside_whatever_the_solver_was_told() -> None:
    keeper = a_van("keeper", keeps_to=(KeepsTo(NORTH),))
    request = a_day(keeper)
    told_nothing = replace(
        request, jobs=tuple(replace(j, forbidden_vehicles=frozenset()) for j in request.jobs)
    )
    unzoned = replace(told_nothing, vehicles=(replace(keeper, keeps_to=()),))
    plan: Plan = completed(unzoned, {})
    assert violations(unzoned, plan) == []
    assert violations(told_nothing, plan) == ["j lies outside the zones of keeper."]


def test_driver_and_vehicle_each_keep_to_their_zones() -> None:
    both = a_van("both", keeps_to=(KeepsTo(NORTH), KeepsTo(SOUTH)))
    assert is_barred(both, JobToPlan(id="j", place=1, zones=SOUTH))
    assert not is_barred(both, JobToPlan(id="j", place=1, zones=NORTH | SOUTH))


@pytest.mark.parametrize(("price", "who"), [(100, "local"), (200_000, "other")])
def test_leaving_a_zone_is_a_price_where_it_may_be_left(price: int, who: str) -> None:
    local = a_van("local", keeps_to=(KeepsTo(NORTH, price),))
    request = a_day(local, a_van("other", fixed_cost=9000))
    assert Need.WANTED_VEHICLE in needs_of(request)
    plan = completed(request, {})
    assert who_drives(plan) == [who]
    assert plan.cost < 200_000
    free = completed(a_day(replace(local, keeps_to=())), {})
    if who == "local":
        assert plan.cost == free.cost + price


def test_a_job_outside_all_zones_says_so() -> None:
    north, too = a_van("a", keeps_to=(KeepsTo(NORTH),)), a_van("b", keeps_to=(KeepsTo(NORTH),))
    request = a_day(north, too)
    said = reasons(request, request.jobs[0])
    assert said == "It is outside the zones of every driver on shift."


def test_a_job_outside_the_zones_of_those_with_the_skill_says_so() -> None:
    able = a_van("able", offers=frozenset({"fridge"}), keeps_to=(KeepsTo(NORTH),))
    other = a_van("other")
    job = JobToPlan(id="j", place=1, zones=SOUTH, skills=frozenset({"fridge"}))
    request = a_bakery_day((job,), (able, other))
    request = replace(request, jobs=(zoned(job, request.vehicles),))
    said = reasons(request, request.jobs[0])
    assert said == "It is outside the zones of every driver who could do it."


def test_who_is_ruled_out_by_name_too_is_no_matter_of_zones() -> None:
    keeper = a_van("keeper", keeps_to=(KeepsTo(NORTH),))
    job = JobToPlan(id="j", place=1, zones=SOUTH, forbidden_vehicles=frozenset({"keeper"}))
    request = a_bakery_day((job,), (keeper,))
    request = replace(request, jobs=(zoned(job, (keeper,)),))
    assert (
        reasons(request, request.jobs[0])
        == "Whoever could do it is ruled out, by its order or depot."
    )
    plan = completed(request, {})
    assert {way.change for way in ways_out(request, plan, "j")} == {Change.ALLOW}


def test_going_outside_once_is_a_way_out() -> None:
    request = a_day(a_van("keeper", keeps_to=(KeepsTo(NORTH),)))
    plan = completed(request, {})
    [way] = ways_out(request, plan, "j")
    assert (way.change, way.vehicle_id) == (Change.LEAVE_ZONE, "keeper")
    after = changed(request, way)
    served = completed(after, way.routes)
    assert not served.unassigned and violations(after, served) == []
