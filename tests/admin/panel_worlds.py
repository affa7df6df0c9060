"""Two businesses on one hub, and somebody of the first who is logged in."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from pathlib import Path
from re import search
from typing import Any

from flask.testing import FlaskClient
from sqlmodel import select
from werkzeug.test import TestResponse

from hub.app import Hub
from hub.db.tables import LogInRow
from hub.flows.fleet import DepotIn, DriverIn, VehicleIn, save_depot, save_driver, save_vehicle
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff, log_in
from hub.web.app import create_app
from hub.web.staff import COOKIE

PASSWORD = "a long enough password"  # noqa: S105


@dataclass
class Panel:
    """A logged-in browser without a screen."""

    hub: Hub
    business_id: str
    client: FlaskClient
    csrf: str
    token: str

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, follow_redirects=True)

    def post(self, path: str, follow: bool = True, **form: Any) -> TestResponse:
        return self.client.post(
            path,
            data={"csrf": self.csrf, **form},
            follow_redirects=follow,
            content_type="multipart/form-data",
        )

    def named(self, path: str, name: str) -> str:
        """The value of the control ``name`` on a page."""
        match = search(rf'name="{name}"[^>]*? value="([^"]*)"', self.get(path).text)
        assert match, f"no {name} on {path}"
        return unescape(match[1])


def a_panel(
    hub: Hub, business_id: str, role: Role = Role.OWNER, email: str = "olga@example.com"
) -> Panel:
    """Somebody with ``role`` in the business, at the panel."""
    add_staff(hub, business_id, email=email, password=PASSWORD, role=role, name=email.split("@")[0])
    token = log_in(hub, email, PASSWORD, address="127.0.0.1")
    assert token
    with hub.reading() as session:
        csrf = session.exec(select(LogInRow).order_by(LogInRow.id.desc())).first().csrf  # type: ignore[union-attr, attr-defined]
    client = create_app(hub).test_client()
    client.set_cookie(COOKIE, token)
    return Panel(hub, business_id, client, csrf, token)


def a_bakery(hub: Hub) -> str:
    return found(hub, "Husk Bakery", zone="Europe/Helsinki", country="FI")


def a_fleet(hub: Hub, business_id: str, name: str = "Home") -> tuple[str, str, str]:
    """A depot, a vehicle and a driver; their ids."""
    depot = save_depot(
        hub,
        business_id,
        DepotIn(name=name, address="Yrjönkatu 1", lat=60.1655, lon=24.9414),
        actor="test",
    )
    vehicle = save_vehicle(
        hub,
        business_id,
        VehicleIn(name=f"{name} van", parcels=40, kg=800, skills=["fridge"]),
        actor="test",
    )
    driver = save_driver(
        hub,
        business_id,
        DriverIn(
            name=f"{name} Mara",
            phone="040 123 4567",
            vehicle_id=vehicle.id,
            depot_id=depot.id,
            works={"0": ["08:00", "16:00"], "4": ["22:00", "06:00"]},
        ),
        actor="test",
    )
    return depot.id, vehicle.id, driver.id


def an_installed_hub(data_dir: Path, url: str = "") -> Hub:
    """A hub with every installed plugin, which may call servers on this machine."""
    return Hub.in_memory(data_dir=data_dir, url=url, http_allow=("127.0.0.1",))
