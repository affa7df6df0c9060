"""The phone of a driver whose van loads again at the depot."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser
from sqlmodel import select

from hub.app import Hub
from hub.core.jobs import State
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Line, Point, Role
from hub.db.tables import JobRow, RouteRow, TakeOverRow
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import pairing_code
from hub.flows.fleet import DepotIn, DriverIn, VehicleIn, save_depot, save_driver, save_vehicle
from hub.flows.found import found
from hub.flows.locate import locate_new
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from tests.driving_worlds import Plugin
from tests.journeys.test_driver_phone import PEOPLE
from tests.phone_worlds import Screen, a_phone, a_zone_at_noon, driver_app, served

WEEK = {str(n): ["00:00", "23:59"] for n in range(7)}


def a_small_van(tmp_path: Path) -> tuple[Hub, str, str]:
    """Two parcels at a time for four doors, on the phone today."""
    hub = Hub.in_memory(Plugin(), data_dir=tmp_path / "hub", url=f"sqlite:///{tmp_path}/hub.db")
    zone = a_zone_at_noon(hub.now())
    ours = found(hub, "Husk Bakery", zone=str(zone), country="FI")
    depot = save_depot(
        hub,
        ours,
        DepotIn(name="Bakery", address="Kalevankatu 4", lat=60.168, lon=24.938, strategy="nearest"),
        actor="test",
    )
    given = VehicleIn(name="Bicycle", parcels=2, most_loads=2, reload_min=5)
    van = save_vehicle(hub, ours, given, actor="test")
    driver = save_driver(
        hub,
        ours,
        DriverIn(name="Mara Ilves", vehicle_id=van.id, depot_id=depot.id, works=WEEK),
        actor="test",
    )
    now = hub.now()
    orders = [
        IncomingOrder(
            ref=str(n),
            number=str(n),
            updated_at=now,
            address=Address((street,), city="Helsinki", country="FI"),
            point=Point(lat, lon),
            contacts=(Contact(Role.RECIPIENT, name),),
            lines=(Line(goods),),
        )
        for n, (name, street, lat, lon, goods, _) in enumerate(PEOPLE, 1)
    ]
    store_all(hub, ours, connection_id(hub, ours, "api"), orders)
    locate_new(hub, ours)
    plan_day(hub, ours, now.astimezone(zone).date(), strategy="nearest")
    with hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    publish(hub, ours, route.id, actor="test", expected_version=route.version)
    return hub, ours, driver.id


def test_the_next_load_is_a_stop_that_one_tap_ends_also_without_signal(
    tmp_path: Path, browser: Browser
) -> None:
    hub, ours, driver_id = a_small_van(tmp_path)
    with served(driver_app(hub)) as url:
        phone = Screen(a_phone(browser), url, lambda: pairing_code(hub, ours, driver_id))
        phone.pair()
        phone.sees("5 stops, 2 parcels now, 2 later")
        phone.sees("Back at the depot: load 2 parcels")
        phone.is_fine("reload-day")
        phone.start_shift()
        phone.press("All loaded")
        phone.page.get_by_text("Back at the depot: load 2 parcels").click()
        phone.sees("Put down what you collected")
        phone.is_fine("reload-stop")
        phone.offline(True)
        phone.press("All loaded")
        phone.sees("Loaded")
        phone.offline(False)
        phone.open()
        phone.state("Online")
        phone.is_fine("reload-done")
        phone.context.close()
    with hub.reading() as session:
        assert session.exec(select(TakeOverRow)).one().done_at is not None
        assert set(session.exec(select(JobRow.state)).all()) == {State.LOADED}
