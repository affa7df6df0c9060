"""A travel service of the business is asked first and for what is new; without it the day goes on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub import Point, RoutingStrategy, TravelTimes, hookimpl
from hub.app import Hub
from hub.core.travel import AskedTravel
from hub.db.tables import DriverRow, ShiftRow, VehicleRow
from hub.flows.choices import choice, choose, switch
from hub.flows.day import read_day
from hub.flows.fleet import VehicleIn, save_vehicle
from hub.flows.fleet_rules import profile_of, vehicle_typed
from hub.flows.found import found
from hub.flows.installed import troubles
from hub.flows.plan import plan_day
from hub.flows.retain import retain
from hub.flows.roads import WHOLE_UP_TO, travel_between, travel_of_day, way_through
from hub.flows.travel_asked import known_travel
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.travel_crow import CrowTravelTimes
from hub.plugins.travel_http import HttpTravelTimes
from hub.plugins.travel_osrm import OsrmTravelTimes
from hub.plugins.travel_traffic import TrafficTravelTimes
from hub.plugins.travel_valhalla import ValhallaTravelTimes
from hub.testing import WsgiAdapter
from tests.fakes.roads import KEY, RoadsService
from tests.fakes.traffic import KEY as TRAFFIC_KEY
from tests.fakes.traffic import TrafficServices
from tests.flows.plan_worlds import DAY, SIX, Town, a_town

ORIGIN = "https://roads.example"
SETTINGS = {"dialect": "osrm", "url": ORIGIN, "key": KEY, "try_at": "60.17, 24.94"}
DOORS = [Point(60.165 + n / 1000, 24.93 + n / 500) for n in range(8)]


class Plugin:
    __name__ = "roads"

    @hookimpl
    def hub_routing_strategies(self) -> list[type[RoutingStrategy]]:
        return [NearestRouting]

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [CrowTravelTimes, OsrmTravelTimes, HttpTravelTimes, TrafficTravelTimes]


@pytest.fixture
def service(helsinki: Path) -> RoadsService:
    return RoadsService(helsinki)


@pytest.fixture
def town(service: RoadsService, tmp_path: Path) -> Town:
    """It has no map of its own, so what is by road is the service's."""
    hub = Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=tmp_path)
    hub.tools.http.mount(ORIGIN, WsgiAdapter(service.app))
    town = a_town(hub)
    choose(hub, town.business_id, "travel_times", "http", SETTINGS, actor="staff:1")
    service.asked.clear()
    return town


def seconds(town: Town, doors: list[Point] = DOORS, profile: str = "van", **more: bool) -> int:
    matrix = travel_between(town.hub, town.business_id, doors, SIX, profile, **more)
    return matrix.seconds[0][-1]


def straight(town: Town, profile: str = "van") -> int:
    return town.hub.provider(TravelTimes, "crow", {}).matrix(DOORS, SIX, profile).seconds[0][-1]


def state(town: Town) -> tuple[str, str]:
    row = choice(town.hub, town.business_id, "travel_times", "http")
    assert row is not None
    return row.state, row.last_error


def test_a_day_planned_again_asks_for_the_new_order_alone(
    town: Town, service: RoadsService
) -> None:
    town.orders({f"S{n}": at for n, at in enumerate(DOORS)})
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert sum(service.asked) > 0
    service.asked.clear()
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert service.asked == []
    town.order("NEW", Point(60.1712, 24.9411))
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    places = len(DOORS) + 3  # and two depots, and the new one
    assert sum(service.asked) == 2 * (places - 1)
    use = known_travel(town.hub).use()
    assert 0.6 < use.known / use.wanted < 0.8


def test_while_it_is_down_the_day_is_planned_and_says_by_what(
    town: Town, service: RoadsService
) -> None:
    service.mood = "down"
    town.orders({"S1": DOORS[0]})
    run = plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    [note] = run.result["notes"]
    assert note == (
        "Travel times are by Straight lines (no map needed): roads.example answered 503."
    )
    assert len(town.links()) == 1
    assert state(town) == ("failing", "roads.example answered 503")
    [trouble] = troubles(town.hub, town.business_id)
    assert trouble.page == "/panel/settings/travel-times"


TRAFFIC = {"service": "tomtom", "key": TRAFFIC_KEY, "try_at": "60.17, 24.94", "most_places": 12}


@pytest.fixture
def jams(town: Town, helsinki: Path) -> TrafficServices:
    """The business pays for a service that knows the traffic, and for no other."""
    services = TrafficServices(helsinki, SIX)
    for origin in services.origins:
        town.hub.tools.http.mount(origin, WsgiAdapter(services.app))
    switch(town.hub, town.business_id, "travel_times", "http", active=False, actor="staff:1")
    choose(town.hub, town.business_id, "travel_times", "traffic", TRAFFIC, actor="staff:1")
    services.asked.clear()
    return services


def test_a_plan_goes_by_the_traffic_of_the_hour_of_leaving(
    town: Town, jams: TrafficServices
) -> None:
    town.orders({f"S{n}": at for n, at in enumerate(DOORS)})
    run = plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert run.result["notes"] == []
    assert sum(jams.asked) > 0
    assert jams.bodies[-1]["options"]["departAt"] == "2026-11-23T06:00:00Z"
    jams.asked.clear()
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    assert jams.asked == []


def test_who_is_paid_by_the_way_is_not_asked_for_a_larger_day_nor_where_drivers_are(
    town: Town, jams: TrafficServices
) -> None:
    assert seconds(town, passing=True) == straight(town)
    many = [Point(60.165 + n / 1000, 24.93 + n / 500) for n in range(13)]
    town.orders({f"S{n}": at for n, at in enumerate(many)})
    run = plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    [note] = run.result["notes"]
    assert note.endswith("is not asked for more than 12 places.")
    assert jams.asked == []
    assert choice(town.hub, town.business_id, "travel_times", "traffic").state == "ok"


def test_a_silent_service_is_left_alone_until_it_is_saved_again(
    town: Town, service: RoadsService
) -> None:
    service.moods = ["down", "down"]
    assert seconds(town) == straight(town)
    assert seconds(town) == straight(town)
    assert service.asked == []
    choose(town.hub, town.business_id, "travel_times", "http", SETTINGS, actor="staff:1")
    assert seconds(town) != straight(town)
    assert state(town) == ("ok", "")


def test_a_refused_key_waits_for_a_person(town: Town, service: RoadsService) -> None:
    service.mood = "locked"
    assert seconds(town) == straight(town)
    assert state(town)[0] == "needs_attention"


def test_a_vehicle_it_does_not_know_is_not_its_fault(town: Town, service: RoadsService) -> None:
    assert seconds(town, profile="bicycle") == straight(town, "bicycle")
    assert state(town) == ("ok", "")
    assert seconds(town) != straight(town)


def test_measures_are_told_only_to_those_who_can_read_them(town: Town) -> None:
    assert seconds(town, profile="van/h210") == seconds(town)
    switch(town.hub, town.business_id, "travel_times", "http", active=False, actor="staff:1")
    assert seconds(town, profile="van/h210") == straight(town)


def test_it_answers_for_the_business_that_set_it_up(town: Town, service: RoadsService) -> None:
    rival = found(town.hub, "Rival", zone="Europe/Helsinki", country="FI")
    theirs = travel_between(town.hub, rival, DOORS, SIX, "van")
    assert theirs.seconds[0][-1] == straight(town)
    assert service.asked == []


def test_where_a_driver_happens_to_be_is_not_remembered(town: Town, service: RoadsService) -> None:
    seconds(town)
    service.asked.clear()
    for n in range(2):
        seconds(town, [Point(60.1701, 24.9401), *DOORS], passing=True)
        assert sum(service.asked) == (n + 1) * 16


def test_a_line_is_drawn_by_the_service_only_where_there_is_no_map(
    town: Town, helsinki: Path, service: RoadsService
) -> None:
    before = len(service.bodies)
    assert len(way_through(town.hub, town.business_id, DOORS, SIX, "car").geometry) > 20
    assert len(service.bodies) == before + 1
    (town.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
    assert len(way_through(town.hub, town.business_id, DOORS, SIX, "car").geometry) > 20
    assert len(service.bodies) == before + 1


def test_a_day_of_thousands_does_not_ask_for_a_hundred_million_ways(
    town: Town, service: RoadsService
) -> None:
    many = [Point(60 + n / 10_000, 24.9) for n in range(WHOLE_UP_TO + 1)]
    notes = list[str]()
    travel = travel_of_day(town.hub, town.business_id, many, SIX, "van/h300", notes)
    assert isinstance(travel, AskedTravel)
    assert travel.block([0], [1])[0][0, 0] > 0
    assert service.asked == []
    assert notes == [f"{HttpTravelTimes.title} is not asked for more than 1,500 places."]


class WithTurns(Plugin):
    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [CrowTravelTimes, OsrmTravelTimes, ValhallaTravelTimes]


def test_a_high_truck_is_planned_by_its_height_and_another_as_its_kind(
    helsinki: Path, tmp_path: Path
) -> None:
    (tmp_path / "map").symlink_to(helsinki / "map")
    hub = Hub.in_memory(WithTurns(), now=lambda: SIX, data_dir=tmp_path)
    town = a_town(hub)
    given = VehicleIn(name="T", profile="truck", height_m="3.8", weight_t=" 12 ", length_m="")
    van = save_vehicle(hub, town.business_id, given, actor="staff:1")
    assert profile_of(van) == "truck/h380/w12000"
    assert vehicle_typed(van.planning, van.capacity)["height_m"] == 3.8
    with hub.unit() as unit:
        for driver in unit.session.exec(select(DriverRow)):
            driver.vehicle_id = van.id
        for shift in unit.session.exec(select(ShiftRow)):
            shift.vehicle_id = van.id
    town.orders({f"S{n}": at for n, at in enumerate(DOORS[:4])})
    day = read_day(hub, town.business_id, DAY, 1.0)
    assert "truck/h380/w12000" in {one.profile for one in day.request.vehicles}
    measured = hub.provider(TravelTimes, "valhalla", {})
    truth = measured.matrix(day.request.places, SIX, "truck/h380/w12000")
    assert day.request.travel["truck/h380/w12000"] == truth
    assert truth.seconds != travel_between(hub, town.business_id, DOORS, SIX, "truck").seconds
    assert plan_day(hub, town.business_id, DAY, strategy="nearest").result["unassigned"] == {}
    use = known_travel(hub).use()
    assert use.known > 0


def test_a_walker_has_no_height(tmp_path: Path) -> None:
    van = VehicleRow(business_id="b", name="W", profile="walk", planning={"height_cm": 190})
    assert profile_of(van) == "walk"
    assert profile_of(None) == "car"


def test_old_places_go_with_all_that_is_old(town: Town) -> None:
    seconds(town)
    later = Hub.in_memory(
        Plugin(), now=lambda: SIX + timedelta(days=91), data_dir=town.hub.settings.data_dir
    )
    assert retain(later).rows == len(DOORS)
