"""Pins that no road of the built map comes near."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from hub import Point, RoutingStrategy, TravelTimes, hookimpl
from hub.app import Hub
from hub.core.jobs import NotNow
from hub.db.tables import RouteRow
from hub.flows.day import ALL_OFF_MAP
from hub.flows.dispatch import add_job, best_places
from hub.flows.plan import plan_day
from hub.flows.roads import OFF_MAP
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.travel_crow import CrowTravelTimes
from hub.plugins.travel_osrm import OsrmTravelTimes
from tests.flows.plan_worlds import DAY, SIX, Town, a_town

PARIS = Point(48.85, 2.35)
CENTRE = Point(60.1699, 24.9384)


class Plugin:
    __name__ = "roads"

    @hookimpl
    def hub_routing_strategies(self) -> list[type[RoutingStrategy]]:
        return [NearestRouting]

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [CrowTravelTimes, OsrmTravelTimes]


@pytest.fixture
def town(helsinki: Path, tmp_path: Path) -> Town:
    (tmp_path / "map").symlink_to(helsinki / "map")
    return a_town(Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=tmp_path))


def test_a_pin_off_the_map_is_left_out_with_a_reason_and_the_rest_is_planned(town: Town) -> None:
    """It was five minutes away, or failed the whole plan."""
    lost = town.order("LOST", PARIS)
    town.orders({f"S{n}": Point(60.168 + n / 1000, 24.94) for n in range(3)})
    plan = plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert plan.result["unassigned"] == {lost: OFF_MAP}
    assert len(town.links()) == 3
    assert max(len(route.geometry) for route in town.routes()) > 20  # the rest drives on roads


def test_a_pin_off_the_map_is_offered_no_route(town: Town) -> None:
    town.orders({"S1": CENTRE})
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    lost = town.order("LOST", PARIS)
    with town.hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    with pytest.raises(NotNow, match="off the map"):
        best_places(town.hub, town.business_id, lost, DAY)
    with pytest.raises(NotNow, match="off the map"):
        add_job(town.hub, town.business_id, route.id, lost, actor="staff:1", expected_version=1)


def test_if_every_pin_is_lost_the_depot_may_be(town: Town) -> None:
    lost = town.order("LOST", PARIS)
    plan = plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert plan.result["unassigned"] == {lost: ALL_OFF_MAP}
