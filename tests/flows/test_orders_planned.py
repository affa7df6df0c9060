"""What an order asks of a plan, each alone: as a file or a program sends it, and the day keeps it."""

from __future__ import annotations

from hub.core.orders import PickUp
from hub.core.values import Address, Point, TimeWindow
from hub.flows.orders_listed import orders_like
from hub.flows.overview import day_seen
from tests.flows.test_planning_settings import DAY, YARD, Firm, firm, local

__all__ = ["firm"]


def numbers(firm: Firm) -> list[str]:
    """Of all orders on routes, in their order."""
    routes = day_seen(firm.hub, firm.business_id, DAY).routes
    return [job.number for route in routes for job in route.jobs]


def test_of_several_times_the_one_that_can_be_kept_is(firm: Firm) -> None:
    firm.crew()
    afternoon = TimeWindow(local(14), local(15))
    firm.order("1", windows=(TimeWindow(local(6), local(7)), afternoon))
    firm.planned()
    [stop] = firm.stops(firm.routes()[0])
    assert afternoon.opens <= stop.arrive_at <= afternoon.closes


def test_what_needs_a_fridge_goes_with_the_van_that_has_one(firm: Firm) -> None:
    firm.crew("Mara")
    firm.crew("Otso", van={"skills": ["fridge"]})
    firm.order("1", skills=frozenset({"fridge"}))
    firm.planned()
    assert firm.who() == {"Otso": 1}


def test_what_comes_first_is_served_where_not_all_fits(firm: Firm) -> None:
    firm.crew(most_jobs=1)
    firm.order("near", 1)
    firm.order("far", 9, priority=9)
    firm.planned()
    assert numbers(firm) == ["far"]


def test_what_is_fetched_at_a_door_is_brought_to_another_by_the_same_driver(firm: Firm) -> None:
    firm.crew("Mara")
    firm.crew("Otso")
    shop = Point(YARD.lat + 0.045, YARD.lon)
    pick_up = PickUp(address=Address(("Shop",), city="Helsinki", country="FI"), point=shop)
    firm.order("1", 1, pick_up=pick_up)
    firm.planned()
    [route] = day_seen(firm.hub, firm.business_id, DAY).routes
    assert [job.kind for job in route.jobs] == ["collect", "deliver"]


def test_a_list_of_orders_says_when_it_is_brought_not_when_it_is_fetched(firm: Firm) -> None:
    early, noon = TimeWindow(local(8), local(9)), TimeWindow(local(12), local(13))
    shop = Address(("Shop",), city="Helsinki", country="FI")
    pick_up = PickUp(address=shop, point=YARD, windows=(early,))
    firm.order("1", 1, pick_up=pick_up, windows=(noon,))
    [line] = orders_like(firm.hub, firm.business_id)
    assert line.address.startswith("Street 1")
    assert [TimeWindow(*window) for window in line.windows] == [noon]


def test_an_order_says_how_long_it_takes_at_its_door(firm: Firm) -> None:
    firm.crew()
    firm.order("1", service_s=1260)
    firm.planned()
    [stop] = firm.stops(firm.routes()[0])
    assert (stop.depart_at - stop.arrive_at).total_seconds() == 1260
