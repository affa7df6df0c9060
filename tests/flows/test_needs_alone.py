"""Needs of planning that had no day of their own: each alone, set as a business sets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.core.values import Line, TimeWindow
from hub.db.tables import PlaceRow
from hub.flows.places import remember
from hub.flows.rests import rests_read
from tests.flows.test_planning_settings import Firm, firm, local, wanting

__all__ = ["firm"]


@pytest.fixture
def database_url() -> str:
    """What is planned is all one to the database; other tests ask both."""
    return ""


def known_door(firm: Firm, street: str, service_s: int) -> None:
    """As a dispatcher says it under Addresses."""
    with firm.hub.reading() as session:
        places = session.exec(select(PlaceRow).where(PlaceRow.business_id == firm.business_id))
        [place] = [one for one in places if one.address["lines"] == [street]]
    remember(
        firm.hub,
        firm.business_id,
        place.id,
        access_note="",
        safe_place="",
        contacts=(),
        service_s=service_s,
        actor="test",
    )


def test_a_door_that_takes_longer_than_others_is_planned_so(firm: Firm) -> None:
    firm.crew()
    firm.order("slow", 1)
    firm.order("usual", 2)
    known_door(firm, "Street slow", 900)
    firm.planned()
    first, second = firm.stops(firm.routes()[0])
    assert sorted((stop.depart_at - stop.arrive_at).seconds for stop in (first, second)) == [
        180,
        900,
    ]


def test_what_an_order_says_of_its_minutes_outranks_its_door(firm: Firm) -> None:
    firm.crew()
    firm.order("slow", 1, service_s=60)
    known_door(firm, "Street slow", 900)
    assert firm.job().service_s == 60


def test_the_van_whose_kilometres_cost_less_goes_the_long_way(firm: Firm) -> None:
    firm.crew("Mara", {"km_cost": 3})
    firm.crew("Otso", {"km_cost": 0.1})
    firm.order("far", 20)
    mara, otso = firm.vehicle("Mara"), firm.vehicle("Otso")
    assert (mara.per_km, otso.per_km) == (300, 10)
    assert (mara.per_hour, mara.fixed_cost) == (otso.per_hour, otso.fixed_cost)
    firm.planned()
    assert firm.who() == {"Otso": 1}


def test_the_van_whose_hours_cost_less_stays_the_longest(firm: Firm) -> None:
    firm.crew("Mara", {"hour_cost": 90})
    firm.crew("Otso", {"hour_cost": 15})
    firm.order("long", 1, service_s=7200)
    mara, otso = firm.vehicle("Mara"), firm.vehicle("Otso")
    assert (mara.per_hour, otso.per_hour) == (9000, 1500)
    assert (mara.per_km, mara.fixed_cost) == (otso.per_km, otso.fixed_cost)
    firm.planned()
    assert firm.who() == {"Otso": 1}


def test_the_van_whose_day_costs_less_is_used(firm: Firm) -> None:
    firm.crew("Mara", {"day_cost": 80})
    firm.crew("Otso", {"day_cost": 20})
    firm.order("1", 2)
    mara, otso = firm.vehicle("Mara"), firm.vehicle("Otso")
    assert (mara.fixed_cost, otso.fixed_cost) == (8000, 2000)
    assert (mara.per_km, mara.per_hour) == (otso.per_km, otso.per_hour)
    firm.planned()
    assert firm.who() == {"Otso": 1}


@pytest.mark.parametrize(
    ("van", "each"),
    [
        ({"kg": 10}, {"lines": (Line("Stone", weight_g=6000),)}),
        ({"litres": 10}, {"lines": (Line("Foam", volume_cm3=6000),)}),
        ({"parcels": 3}, {"parcels": 2}),
        ({"further": "pallets: 3"}, {"loads": {"pallets": 2}}),
    ],
)
def test_a_van_is_full_in_each_way_alone(
    firm: Firm, van: dict[str, Any], each: dict[str, Any]
) -> None:
    firm.crew("Mara", {"kg": 1000, "litres": 1000, "parcels": 100, "further": "pallets: 50"} | van)
    firm.order("1", 1, **each)
    firm.order("2", 2, **each)
    assert len(firm.vehicle().capacity) == 4
    assert len(firm.planned().result["unassigned"]) == 1
    assert firm.who() == {"Mara": 1}


def test_a_break_at_a_fixed_time_begins_then(firm: Firm) -> None:
    firm.crew(breaks="30 min at 10:00")
    for n in range(1, 5):
        firm.order(str(n), n, service_s=2700, windows=(TimeWindow(local(8), local(14)),))
    [rest] = firm.vehicle().breaks
    assert rest.window == TimeWindow(local(10), local(10))
    assert not firm.planned().result["unassigned"]
    [route] = firm.routes()
    assert rests_read(route.rests) == (TimeWindow(local(10), local(10, 30)),)


def test_a_day_starts_at_the_drivers_own_depot(firm: Firm) -> None:
    firm.crew("Mara", depot_id=firm.far)
    firm.order("1", 19)
    assert firm.vehicle().start == firm.vehicle().end
    firm.planned()
    [route] = firm.routes()
    assert route.depot_id == firm.far and route.leaves_at
    way = firm.stops(route)[0].arrive_at - route.leaves_at
    assert way < timedelta(minutes=15), "it is next to the far depot"


def test_few_drivers_take_what_two_would_share(firm: Firm) -> None:
    wanting(firm, aim="few")
    firm.crew("Mara")
    firm.crew("Otso")
    for n in range(4):
        firm.order(str(n), 3, service_s=3000)
    assert not firm.planned().result["unassigned"]
    assert list(firm.who().values()) == [4]
