"""A bakery's dispatcher at the panel, and another business next door."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from flask.testing import FlaskClient
from sqlmodel import SQLModel, select
from werkzeug.test import TestResponse

from hub.app import Hub
from hub.db.tables import DepotRow, DriverRow, VehicleRow
from hub.flows.found import found
from hub.flows.import_file import preview, store_preview
from hub.flows.locate import locate_new
from hub.flows.log_in import Role, add_staff, log_in, staff_of
from hub.web.app import create_app
from hub.web.staff import COOKIE

DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)  # six in the morning in Helsinki
PASSWORD = "rye bread at six"
MORNING = """Order no;Name;Street;Postcode;City;Phone;Item;Qty;From;To;Delivery date
1001;Aino Laine;Mannerheimintie 14;00100;Helsinki;040 123 4567;Rye bread;2;10:00;12:00;2026-11-23
1002;Eero Virtanen;Yrjönkatu 10;;Helsinki;;Sourdough;1;;;2026-11-23
1003;Oona Saari;Nosuchstreet 999;;Nowhere;;Cake;1;;;2026-11-23
1004;Leo Niemi;Aleksanterinkatu 21;00100;Helsinki;;Bun;6;;;2026-11-23
"""


@dataclass
class Desk:
    hub: Hub
    business_id: str
    client: FlaskClient
    token: str
    now: list[datetime]

    def get(self, path: str, **more: object) -> TestResponse:
        return self.client.get(path, headers={"Accept": "text/html"}, **more)  # type: ignore[arg-type]

    def post(self, path: str, *, follow: bool = False, **fields: object) -> TestResponse:
        staff = staff_of(self.hub, self.token)
        assert staff
        return self.client.post(
            path,
            data={"csrf": staff.csrf, **fields},
            headers={"Accept": "text/html"},
            follow_redirects=follow,
        )

    def rows[R: SQLModel](self, table: type[R]) -> list[R]:
        with self.hub.reading() as session:
            wanted = select(table).where(table.business_id == self.business_id)  # type: ignore[attr-defined]
            return list(session.exec(wanted.order_by("id")))


def a_hub(
    map_dir: Path | None, tmp_path: Path, url: str = "", now: list[datetime] | None = None
) -> Hub:
    if map_dir is not None:
        (tmp_path / "map").symlink_to(map_dir / "map")
    moment = now or [SIX]
    return Hub.in_memory(now=lambda: moment[0], data_dir=tmp_path, url=url)


def a_desk(
    hub: Hub, name: str = "Husk", *, role: Role = Role.DISPATCHER, empty: bool = False
) -> Desk:
    """Logged in; with a depot, a van and the drivers Mara (Mondays) and Otso (never)."""
    business_id = found(hub, name, zone="Europe/Helsinki", country="FI")
    if not empty:
        with hub.unit() as unit:
            depot = DepotRow(
                business_id=business_id, name="Bakery", lat=60.1699, lon=24.9384, strategy="nearest"
            )
            van = VehicleRow(
                business_id=business_id, name="White van", capacity={"parcels": 30, "g": 400_000}
            )
            unit.session.add_all([depot, van])
            unit.session.flush()
            for driver, works in (("Mara", {"0": ["08:00", "17:00"]}), ("Otso", {})):
                unit.session.add(
                    DriverRow(
                        business_id=business_id,
                        name=driver,
                        depot_id=depot.id,
                        vehicle_id=van.id if driver == "Mara" else None,
                        works=works,
                    )
                )
    email = f"{name.lower()}@example.com"
    add_staff(hub, business_id, email=email, password=PASSWORD, role=role, name="Dora")
    token = log_in(hub, email, PASSWORD, address=f"192.0.2.{len(name)}")
    assert token
    client = create_app(hub).test_client()
    client.set_cookie(COOKIE, token)
    return Desk(hub, business_id, client, token, [])


def with_orders(desk: Desk) -> None:
    seen = preview(desk.hub, desk.business_id, MORNING.encode(), "orders.csv")
    store_preview(desk.hub, desk.business_id, seen, actor="staff:1")
    locate_new(desk.hub, desk.business_id)


def text_of(answer: TestResponse) -> str:
    """What a person reads on the page."""
    bare = re.sub(r"<(script|style|svg|select).*?</\1>", " ", answer.text, flags=re.DOTALL)
    words = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare)))
    return re.sub(r" ([:,.])", r"\1", words)


def hidden(answer: TestResponse, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)"', answer.text)


__all__ = ["DAY", "MORNING", "SIX", "Desk", "a_desk", "a_hub", "hidden", "text_of", "with_orders"]
