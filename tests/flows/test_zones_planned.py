"""Zones, goods apart, the wish of a day and the usual order: set by people, kept by planning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlmodel import select

from hub.core.crew_rules import apart_text, read_apart
from hub.core.errors import HubError
from hub.core.values import Address, Line
from hub.core.ways_out import Change
from hub.db.tables import JobRow, PlanRow, RouteRow, ShiftRow, StopRow
from hub.flows.day import read_day
from hub.flows.fleet import DriverIn
from hub.flows.log_in import NotAccepted
from hub.flows.planning_run import ask_plan, solve_waiting
from hub.flows.ways_found import look_for_ways, ways_seen
from hub.flows.ways_taken import take_way
from hub.flows.zones import ZoneIn, remove_zone, save_zone
from tests.flows.test_planning_settings import DAY, YARD, Firm, firm, local, wanting

__all__ = ["firm"]


def corners(north_km: float) -> str:
    """A square of two kilometres around the door so far to the north of the yard."""
    lat, lon = YARD.lat + north_km * 0.009, YARD.lon
    box = ((-0.009, -0.02), (-0.009, 0.02), (0.009, 0.02), (0.009, -0.02))
    return "\n".join(f"{lat + a:.6f}, {lon + b:.6f}" for a, b in box)


def a_zone(firm: Firm, name: str = "North", **given: str) -> str:
    given = given or {"area": corners(5)}
    return save_zone(firm.hub, firm.business_id, ZoneIn(name=name, **given), actor="test").id


def planned(firm: Firm, strategy: str = "nearest") -> PlanRow:
    """By the worker, as the Day page asks for it."""
    asked = {"actor": "test", "time_limit_s": 1.0, "strategy": strategy}
    run = ask_plan(firm.hub, firm.business_id, firm.yard, DAY, **asked)
    assert solve_waiting(firm.hub)
    with firm.hub.reading() as session:
        return session.get_one(PlanRow, run.id)


def test_a_driver_who_keeps_to_a_zone_stays_in_it(firm: Firm) -> None:
    zone = a_zone(firm)
    firm.crew("Mara", zones=[zone], van={"km_cost": 0.01, "hour_cost": 1})
    firm.crew("Otso")
    firm.order("in", 5)
    firm.order("out", 2)
    run = planned(firm)
    assert run.state == "done" and not run.result["unassigned"]
    assert firm.who() == {"Mara": 1, "Otso": 1}


def test_a_zone_is_told_by_postal_codes_too(firm: Firm) -> None:
    zone = a_zone(firm, postcodes="001*, 00500 to 00599")
    firm.crew("Mara", zones=[zone])
    for ref, code in (("a", "00180"), ("b", "00510"), ("c", "00200")):
        address = Address((f"Street {ref}",), city="Helsinki", postcode=code, country="FI")
        firm.order(ref, 2, address=address)
    run = planned(firm)
    assert list(run.result["unassigned"].values()) == [
        "It is outside the zones of every driver on shift."
    ]
    assert firm.who() == {"Mara": 2}


def test_a_van_keeps_to_its_zone_whoever_drives_it(firm: Firm) -> None:
    zone = a_zone(firm)
    firm.crew("Mara", van={"zones": [zone]})
    firm.order("out", 2)
    assert list(planned(firm).result["unassigned"].values()) == [
        "It is outside the zones of every driver on shift."
    ]


@pytest.mark.parametrize(("price", "who"), [(1, "Mara"), (900, "Otso")])
def test_a_zone_at_a_price_is_left_where_that_costs_less(
    firm: Firm, price: float, who: str
) -> None:
    zone = a_zone(firm)
    firm.crew("Mara", zones=[zone], zone_rule="prefer", outside_cost=price, van={"hour_cost": 1})
    firm.crew("Otso", van={"day_cost": 100})
    firm.order("out", 2)
    planned(firm, strategy="")
    assert firm.who() == {who: 1}


def test_a_job_outside_all_zones_is_done_once_somebody_may_go_there(firm: Firm) -> None:
    zone = a_zone(firm)
    firm.crew("Mara", zones=[zone])
    firm.order("in", 5)
    firm.order("out", 2)
    run = planned(firm)
    [left] = run.result["unassigned"]
    assert look_for_ways(firm.hub)
    with firm.hub.reading() as session:
        seen = ways_seen(session.get_one(PlanRow, run.id))[left]
    assert seen.stands == "It is kept out by the zones of drivers."
    [way] = seen.ways
    assert way.said == "It fits if Mara may go outside their zones for it."
    assert (way.kind, way.button) == (Change.LEAVE_ZONE, "Let Mara go there this once")
    take_way(firm.hub, firm.business_id, run.id, left, way.n, actor="test")
    assert solve_waiting(firm.hub)
    assert firm.who() == {"Mara": 2}
    with firm.hub.reading() as session:
        assert session.exec(select(ShiftRow.besides)).all() == [[left]]


def test_a_zone_that_somebody_keeps_to_stays(firm: Firm) -> None:
    zone = a_zone(firm)
    firm.crew("Mara", zones=[zone], van={"zones": [zone]})
    with pytest.raises(HubError, match="Mara, Mara's keeps to it"):
        remove_zone(firm.hub, firm.business_id, zone, actor="test")


def test_what_is_typed_wrongly_of_a_zone_is_refused_in_words(firm: Firm) -> None:
    a_zone(firm)
    with pytest.raises(NotAccepted, match="a zone of this name already"):
        a_zone(firm, "north", postcodes="001*")
    with pytest.raises(ValidationError, match="Draw the area on the map, or write the postal"):
        ZoneIn(name="Nowhere")
    with pytest.raises(ValidationError, match="Say what a stop outside costs"):
        DriverIn(name="Mara", zones=["z"], zone_rule="prefer")
    with pytest.raises(NotAccepted, match="not there any more"):
        firm.crew("Mara", zones=["somebody else's"])


def test_goods_that_are_kept_apart_ride_in_two_vans(firm: Firm) -> None:
    firm.crew("Mara")
    firm.crew("Otso", van={"day_cost": 50})
    firm.order("fish", 2, goods=frozenset({"raw fish"}))
    firm.order("bread", 3, lines=(Line("Rye", goods="bread"),))
    assert firm.planned() and firm.who() == {"Mara": 2}
    wanting(firm, apart="bread / raw fish")
    run = planned(firm, strategy="")
    assert not run.result["unassigned"] and firm.who() == {"Mara": 1, "Otso": 1}
    assert "kept apart" in " ".join(run.result["notes"])


def test_goods_kept_apart_are_written_two_by_two() -> None:
    pairs = read_apart("Raw fish/ bread ; bleach / bread")
    assert pairs == {("bread", "raw fish"), ("bleach", "bread")}
    assert read_apart(apart_text(pairs)) == pairs
    assert len(read_apart("a / b / c")) == 3
    with pytest.raises(ValueError, match="“bread” is not understood"):
        read_apart("bread")


def test_what_matters_most_can_be_said_for_one_day(firm: Firm) -> None:
    firm.crew("Mara")
    firm.crew("Otso")
    for n in range(4):
        firm.order(str(n), 3, service_s=3000)

    def plan(**aim: Any) -> list[int]:
        ask_plan(firm.hub, firm.business_id, firm.yard, DAY, actor="test", time_limit_s=1.0, **aim)
        assert solve_waiting(firm.hub)
        return sorted(firm.who().values())

    assert plan() == [4]
    assert plan(aim="even") == [2, 2]
    assert plan() == [2, 2]  # planned again for another reason, the day keeps its wish
    assert plan(aim="usual") == [4]


def test_the_usual_order_stays_where_changing_it_costs_more(firm: Firm) -> None:
    firm.crew("Mara", ends_at="last")
    firm.order("far", 4)
    firm.order("near", 2)
    firm.planned()
    with firm.hub.unit() as unit:  # a week ago the far door came first
        [route] = unit.session.exec(select(RouteRow)).all()
        route.day, route.published_at = DAY - timedelta(days=7), local(7, day=16)
        route.leaves_at = local(8, day=16)
        for shift in unit.session.exec(select(ShiftRow)).all():
            shift.day, shift.starts_at = DAY - timedelta(days=7), local(8, day=16)
            shift.ends_at = local(16, day=16)
        for job in unit.session.exec(select(JobRow)).all():
            job.state, job.outcome = "closed", "succeeded"
        stops = unit.session.exec(select(StopRow).order_by(StopRow.n)).all()
        shortest = [stop.place_id for stop in stops]
        for n, stop in enumerate(reversed(stops)):
            stop.arrive_at = local(9, 10 * n, day=16)
    for ref, north in (("far", 4), ("near", 2)):
        address = Address((f"Street {ref}",), city="Helsinki", country="FI")
        firm.order(f"{ref} again", north, address=address)

    def order() -> list[str]:
        [fresh] = [one for one in firm.routes() if one.day == DAY]
        return [stop.place_id for stop in firm.stops(fresh)]

    firm.planned()
    assert order() == shortest
    wanting(firm, known_order_money=500)
    request = read_day(firm.hub, firm.business_id, DAY, 1.0).request
    assert request.reorder_cost == 50_000 and len(next(iter(request.before.values()))) == 2
    firm.planned()
    assert order() == shortest[::-1]
