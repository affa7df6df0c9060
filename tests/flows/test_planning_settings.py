"""Each thing a business can set for planning, alone: it is asked for, and the day keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from hub import EtaModel, Point, RoutingStrategy, TravelTimes, hookimpl
from hub.app import Hub
from hub.core.errors import HubError
from hub.core.orders import IncomingOrder, Kind
from hub.core.plan_request import JobToPlan, VehicleToPlan
from hub.core.values import Address, TimeWindow
from hub.db.tables import BusinessRow, JobRow, PlanRow, RouteRow, ShiftRow, StopRow
from hub.flows.business import DefaultsIn, business_of
from hub.flows.connections import connection_id
from hub.flows.day import read_day
from hub.flows.fleet import (
    DepotIn,
    DriverIn,
    VehicleIn,
    remove_depot,
    save_depot,
    save_driver,
    save_vehicle,
)
from hub.flows.found import found
from hub.flows.locate import locate_new
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from hub.plugins.eta_forward import ForwardEta
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.routing_ortools import OrtoolsRouting
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.plugins.travel_crow import CrowTravelTimes

DAY = date(2026, 11, 23)  # a Monday
ZONE = ZoneInfo("Europe/Helsinki")
SIX = datetime(2026, 11, 23, 6, tzinfo=ZONE)
YARD = Point(60.20, 24.94)
WEEK = {"0": ["08:00", "16:00"]}


class Plugin:
    __name__ = "planning"

    @hookimpl
    def hub_routing_strategies(self) -> list[type[RoutingStrategy]]:
        return [NearestRouting, PyvrpRouting, OrtoolsRouting]

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [CrowTravelTimes]

    @hookimpl
    def hub_eta_models(self) -> list[type[EtaModel]]:
        return [ForwardEta]


@dataclass
class Firm:
    hub: Hub
    business_id: str
    yard: str
    far: str
    drivers: dict[str, str] = field(default_factory=dict)

    def crew(self, name: str = "Mara", van: dict[str, Any] | None = None, **driver: Any) -> None:
        """A driver with a van of their own, as typed into the forms."""
        vehicle = save_vehicle(
            self.hub, self.business_id, VehicleIn(name=f"{name}'s", **van or {}), actor="test"
        )
        given = {"name": name, "vehicle_id": vehicle.id, "depot_id": self.yard, "works": WEEK}
        row = save_driver(
            self.hub, self.business_id, DriverIn.model_validate({**given, **driver}), actor="test"
        )
        self.drivers[name] = row.id

    def order(self, ref: str, north: int = 1, **more: Any) -> None:
        """At a door ``north`` km from the yard."""
        order = IncomingOrder(
            ref=ref,
            number=ref,
            updated_at=SIX,
            point=Point(YARD.lat + north * 0.009, YARD.lon),
            **{"address": Address((f"Street {ref}",), city="Helsinki", country="FI"), **more},
        )
        api = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, api, [order])
        locate_new(self.hub, self.business_id)

    def vehicle(self, name: str = "Mara") -> VehicleToPlan:
        seen = read_day(self.hub, self.business_id, DAY, 1.0)
        id = next(s.id for s in seen.shifts if s.driver_id == self.drivers[name])
        return next(one for one in seen.request.vehicles if one.id == id)

    def job(self) -> JobToPlan:
        [job] = read_day(self.hub, self.business_id, DAY, 1.0).request.jobs
        return job

    def planned(self) -> PlanRow:
        return plan_day(self.hub, self.business_id, DAY, time_limit_s=0.5)

    def who(self) -> dict[str, int]:
        """Driver -> how many stops."""
        names = {id: name for name, id in self.drivers.items()}
        return {names[route.driver_id]: len(self.stops(route)) for route in self.routes()}

    def routes(self) -> list[RouteRow]:
        with self.hub.reading() as session:
            return list(
                session.exec(select(RouteRow).where(RouteRow.business_id == self.business_id))
            )

    def stops(self, route: RouteRow) -> list[StopRow]:
        with self.hub.reading() as session:
            rows = session.exec(
                select(StopRow)
                .where(StopRow.business_id == self.business_id, StopRow.route_id == route.id)
                .order_by(StopRow.n)  # type: ignore[arg-type]
            )
            return list(rows)


@pytest.fixture
def firm(tmp_path: Path, database_url: str) -> Firm:
    hub = Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=tmp_path, url=database_url)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    depots = [
        save_depot(
            hub,
            business_id,
            DepotIn(name=name, address=name, lat=YARD.lat + north, lon=YARD.lon),
            actor="test",
        ).id
        for name, north in (("Yard", 0.0), ("Far", 0.18))
    ]
    return Firm(hub, business_id, *depots)


def local(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def test_a_break_is_kept_and_the_day_says_who_planned_it(firm: Firm) -> None:
    firm.crew(breaks="30 min between 09:00 and 9:15")
    for n in range(1, 5):
        firm.order(str(n), n, service_s=3000, windows=(TimeWindow(local(8), local(16)),))
    [rest] = firm.vehicle().breaks
    assert rest.window == TimeWindow(local(9), local(9, 15)) and rest.duration_s == 1800
    run = firm.planned()
    assert run.strategy == "ortools" and not run.result["unassigned"]
    assert "because of breaks" in " ".join(run.result["notes"])
    [route] = firm.routes()
    served = [
        (stop.depart_at - timedelta(seconds=3000), stop.depart_at) for stop in firm.stops(route)
    ]
    rests = [local(9, minute) for minute in range(16)]
    half_hour = timedelta(minutes=30)
    assert any(all(b <= at or a >= at + half_hour for a, b in served) for at in rests)


def test_two_breaks_before_the_first_stop_are_no_reason_to_plan_nothing(firm: Firm) -> None:
    firm.crew(breaks="30 min between 09:00 and 11:00, 15 min between 09:00 and 12:00")
    firm.order("late", windows=(TimeWindow(local(14), local(15)),))
    run = firm.planned()
    assert not run.result["unassigned"] and firm.who() == {"Mara": 1}


def test_a_break_of_the_night_is_due_after_midnight(firm: Firm) -> None:
    firm.crew(works={"0": ["22:00", "06:00"]}, breaks="30 min at 02:00, 15 min at 12:00")
    firm.order("1", windows=(TimeWindow(local(23), local(23, 30)),))
    [rest] = firm.vehicle().breaks
    assert rest.window == TimeWindow(local(2, day=24), local(2, day=24))


def test_overtime_serves_what_the_shift_is_too_short_for(firm: Firm) -> None:
    firm.crew(overtime_min=60, overtime_cost=40)
    firm.order("late", windows=(TimeWindow(local(16, 10), local(16, 30)),))
    van = firm.vehicle()
    assert (van.overtime_s, van.overtime_per_hour) == (3600, 4000)
    assert not firm.planned().result["unassigned"]


def test_without_overtime_the_same_job_stays_out(firm: Firm) -> None:
    firm.crew()
    firm.order("late", windows=(TimeWindow(local(16, 10), local(16, 30)),))
    assert len(firm.planned().result["unassigned"]) == 1


def test_the_longest_day_is_no_longer(firm: Firm) -> None:
    firm.crew(longest_h=1.5)
    for n in range(3):
        firm.order(str(n), service_s=2400)
    assert firm.vehicle().max_duration_s == 5400
    assert len(firm.planned().result["unassigned"]) == 1
    [route] = firm.routes()
    assert route.leaves_at and route.back_at
    assert route.back_at - route.leaves_at <= timedelta(hours=1.5)


def test_a_driver_gets_no_more_jobs_than_may_be(firm: Firm) -> None:
    firm.crew("Mara", most_jobs=1)
    firm.crew("Otso")
    for n in range(1, 4):
        firm.order(str(n), n)
    assert firm.vehicle("Mara").max_jobs == 1
    assert not firm.planned().result["unassigned"]
    assert firm.who().get("Mara", 0) <= 1


def test_who_is_slower_at_the_door_has_longer_there(firm: Firm) -> None:
    firm.crew(door_percent=150)
    firm.order("1", service_s=600)
    assert firm.vehicle().service_factor == 1.5
    firm.planned()
    [stop] = firm.stops(firm.routes()[0])
    assert stop.depart_at - stop.arrive_at == timedelta(seconds=900)


def test_a_day_that_ends_at_the_last_stop_has_no_way_back(firm: Firm) -> None:
    firm.crew(ends_at="last")
    firm.order("1", 10)
    assert firm.vehicle().end is None
    firm.planned()
    [route] = firm.routes()
    [stop] = firm.stops(route)
    assert route.back_at == stop.depart_at


def test_a_day_can_end_at_another_depot_which_then_stays(firm: Firm) -> None:
    firm.crew(ends_at=firm.far)
    firm.order("1", 18)
    van = firm.vehicle()
    assert van.end not in (None, van.start)
    firm.planned()
    [route] = firm.routes()
    assert route.back_at and route.leaves_at
    there = firm.stops(route)[0].arrive_at - route.leaves_at
    assert route.back_at - firm.stops(route)[0].depart_at < there / 2
    with pytest.raises(HubError, match="the day of Mara ends at it"):
        remove_depot(firm.hub, firm.business_id, firm.far, actor="test")


def test_the_cheaper_van_goes(firm: Firm) -> None:
    firm.crew("Mara", {"day_cost": 200, "km_cost": 1.5, "hour_cost": 60})
    firm.crew("Otso", {"day_cost": 10, "km_cost": 0, "hour_cost": 20})
    for n in range(1, 4):
        firm.order(str(n), n)
    van = firm.vehicle("Mara")
    assert (van.fixed_cost, van.per_km, van.per_hour) == (20_000, 150, 6000)
    assert firm.vehicle("Otso").per_km == 0
    firm.planned()
    assert firm.who() == {"Otso": 3}


def test_a_load_of_the_firms_own_fills_a_van(firm: Firm) -> None:
    firm.crew("Mara", {"further": "Pallets: 2"})
    for n in range(1, 4):
        firm.order(str(n), n, loads={"pallets": 1})
    assert firm.vehicle().capacity == {"pallets": 2}
    assert len(firm.planned().result["unassigned"]) == 1


def test_what_costs_more_than_it_is_worth_may_stay_undone(firm: Firm) -> None:
    firm.crew()
    firm.order("far", 30, optional=True, prize=100)
    assert (firm.job().optional, firm.job().prize) == (True, 100)
    assert len(firm.planned().result["unassigned"]) == 1


def test_what_is_worth_its_way_is_done(firm: Firm) -> None:
    firm.crew()
    firm.order("far", 30, optional=True, prize=100_000)
    assert not firm.planned().result["unassigned"]


def test_nobody_leaves_before_the_goods_are_ready(firm: Firm) -> None:
    firm.crew()
    firm.order("1", ready_at=local(10, 30))
    assert firm.job().ready_at == local(10, 30)
    firm.planned()
    [route] = firm.routes()
    assert route.leaves_at and route.leaves_at >= local(10, 30)


def test_goods_are_no_longer_on_board_than_they_keep(firm: Firm) -> None:
    firm.crew()
    firm.order("ice", 6, max_on_board_s=1200)
    firm.order("1", 1, service_s=1500)
    run = firm.planned()
    assert not run.result["unassigned"]
    [route] = firm.routes()
    assert route.leaves_at
    first = firm.stops(route)[0]
    assert first.arrive_at - route.leaves_at <= timedelta(seconds=1200)
    assert first.depart_at - first.arrive_at < timedelta(seconds=1500), "the ice comes first"


def test_an_order_goes_with_the_driver_it_names(firm: Firm) -> None:
    firm.crew("Mara", {"day_cost": 500})
    firm.crew("Otso", {"day_cost": 0})
    firm.order("1", only_driver="mara")
    firm.planned()
    assert firm.who() == {"Mara": 1}


def test_an_order_never_goes_with_a_driver_it_forbids(firm: Firm) -> None:
    firm.crew("Mara", {"day_cost": 0})
    firm.crew("Otso", {"day_cost": 500})
    firm.order("1", not_drivers=("Mara",))
    firm.planned()
    assert firm.who() == {"Otso": 1}


def test_an_order_whose_driver_is_away_says_so(firm: Firm) -> None:
    firm.crew("Mara")
    firm.order("1", only_driver="Iris")
    [why] = firm.planned().result["unassigned"].values()
    assert why == "Only Iris may do it, and Iris is not free on this day."


@pytest.mark.parametrize(
    ("kind", "seconds"), [(Kind.DELIVER, 180), (Kind.COLLECT, 420), (Kind.SERVE, 1800)]
)
def test_each_kind_of_job_has_its_usual_minutes(firm: Firm, kind: Kind, seconds: int) -> None:
    _, kept = business_of(firm.hub, firm.business_id)
    typed = DefaultsIn.of(kept).model_copy(update={"collect_min": 7, "serve_min": 30})
    assert DefaultsIn.of(typed.settings(kept)) == typed
    with firm.hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, firm.business_id)
        row.settings = typed.settings(kept).model_dump(mode="json")
    firm.crew()
    firm.order("1", kind=kind)
    assert firm.job().service_s == seconds
    firm.planned()
    [stop] = firm.stops(firm.routes()[0])
    assert stop.depart_at - stop.arrive_at == timedelta(seconds=seconds)


def wanting(firm: Firm, **wishes: Any) -> None:
    _, kept = business_of(firm.hub, firm.business_id)
    typed = DefaultsIn.of(kept).model_copy(update=wishes)
    assert DefaultsIn.of(typed.settings(kept)) == typed
    with firm.hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, firm.business_id)
        row.settings = typed.settings(kept).model_dump(mode="json")


def test_an_electric_van_drives_no_farther_than_it_can(firm: Firm) -> None:
    firm.crew(van={"farthest_km": 20})
    firm.order("near", 5)
    firm.order("far", 9)
    assert firm.vehicle().max_distance_m == 20_000
    run = firm.planned()
    [route] = firm.routes()
    assert len(run.result["unassigned"]) == 1 and len(firm.stops(route)) == 1


@pytest.mark.parametrize(("aim", "stops"), [("cheapest", [4]), ("even", [2, 2])])
def test_days_are_of_like_length_where_that_matters_most(
    firm: Firm, aim: str, stops: list[int]
) -> None:
    wanting(firm, aim=aim)
    firm.crew("Mara")
    firm.crew("Otso")
    for n in range(4):
        firm.order(str(n), 3, service_s=3000)
    assert not firm.planned().result["unassigned"]
    assert sorted(firm.who().values()) == stops


def test_few_drivers_are_worth_a_detour(firm: Firm) -> None:
    firm.crew(van={"day_cost": 10})
    assert firm.vehicle().fixed_cost == 1000
    wanting(firm, aim="few")
    assert firm.vehicle().fixed_cost == 1000 + 6000


def test_the_driver_whom_a_door_knows_comes_again(firm: Firm) -> None:
    firm.crew("Mara")
    firm.order("before", 4, only_driver="Mara")
    firm.planned()
    with firm.hub.unit() as unit:  # that was a week ago
        for route in unit.session.exec(select(RouteRow)).all():
            route.day = DAY - timedelta(days=7)
        for shift in unit.session.exec(select(ShiftRow)).all():
            shift.day, shift.starts_at = DAY - timedelta(days=7), local(8, day=16)
            shift.ends_at = local(16, day=16)
        for job in unit.session.exec(select(JobRow)).all():
            job.state, job.outcome = "closed", "succeeded"
    firm.crew("Aada", van={"km_cost": 0.01, "hour_cost": 1})
    firm.order("before2", 4, address=Address(("Street before",), city="Helsinki", country="FI"))
    assert firm.job().wanted_vehicle is None
    firm.planned()
    assert [name for name, n in firm.who().items() if n and name == "Aada"] == ["Aada"]
    wanting(firm, known_driver_money=200)
    wanted = firm.job()
    assert (wanted.wanted_vehicle, wanted.other_vehicle_cost) == (firm.vehicle("Mara").id, 20_000)
    firm.planned()
    assert "Aada" not in firm.who()
