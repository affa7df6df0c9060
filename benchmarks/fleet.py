"""A fleet on the road: drivers on shift with phones, routes, and pages that may see them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, insert

from hub.db.engine import open_engine
from hub.db.migrate import migrate
from hub.db.tables import (
    BrandRow,
    BusinessRow,
    ConnectionRow,
    DepotRow,
    DeviceRow,
    DriverRow,
    JobRow,
    LinkRow,
    OrderRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.keys import hashed
from hub.settings import Settings

STOPS = 4  # the last of them has three before it: all pages may see the driver
LAT, LON = 60.17, 24.94


@dataclass(frozen=True)
class Fleet:
    """``phones`` are device tokens; ``links`` the tokens of each phone's pages."""

    settings: Settings
    phones: list[str]
    links: list[list[str]]

    def environment(self) -> dict[str, str]:
        return self.settings.as_environment()


def a_fleet(folder: Path, drivers: int, pages_each: int, url: str = "") -> Fleet:
    named = {"HUB_DATA_DIR": str(folder)} | ({"HUB_DATABASE_URL": url} if url else {})
    settings = Settings.from_environment(named)
    engine = open_engine(settings.database_url)
    migrate(engine)
    rows: dict[type[Any], list[dict[str, object]]] = {}

    def add(table: type[Any], **values: object) -> str:
        row = table(**values).model_dump()
        rows.setdefault(table, []).append(row)
        return str(row["id"])

    now = datetime.now(UTC)
    business = add(BusinessRow, name="Fleet", zone="UTC", created_at=now)
    whose = {"business_id": business}
    add(BrandRow, **whose, name="Fleet")
    source = add(ConnectionRow, **whose, slug="api", plugin="", title="API")
    depot = add(DepotRow, **whose, name="Depot", lat=LAT, lon=LON)
    phones, links = [], []
    for n in range(drivers):
        driver = add(DriverRow, **whose, name=f"Driver {n}", depot_id=depot)
        phones.append(secrets.token_urlsafe(16))
        add(DeviceRow, **whose, driver_id=driver, token_hash=hashed(phones[-1]), paired_at=now)
        shift = add(
            ShiftRow,
            **whose,
            driver_id=driver,
            depot_id=depot,
            day=now.date(),
            starts_at=now - timedelta(hours=5),
            ends_at=now + timedelta(hours=5),
            began_at=now - timedelta(hours=5),
        )
        route = add(
            RouteRow,
            **whose,
            shift_id=shift,
            depot_id=depot,
            driver_id=driver,
            day=now.date(),
            published_at=now,
        )
        stops = []
        for stop in range(STOPS):
            place = add(
                PlaceRow,
                **whose,
                key=f"{n} {stop}",
                address={},
                updated_at=now,
                lat=LAT + stop / 100 + 0.05,
                lon=LON,
            )
            at = now + timedelta(minutes=20 * (stop + 1))
            stops.append(
                add(
                    StopRow,
                    **whose,
                    route_id=route,
                    n=stop + 1,
                    place_id=place,
                    arrive_at=at,
                    depart_at=at + timedelta(minutes=3),
                )
            )
        links.append([secrets.token_urlsafe(16) for _ in range(pages_each)])
        for page, link in enumerate(links[-1]):
            order = add(
                OrderRow,
                **whose,
                connection_id=source,
                ref=f"{n}-{page}",
                number=f"{n}-{page}",
                report={},
                updated_at=now,
                received_at=now,
            )
            add(LinkRow, **whose, order_id=order, token_hash=hashed(link))
            stop = page % STOPS
            state = "dispatched" if stop else "en_route"  # who is on the road can be seen
            job = add(JobRow, **whose, order_id=order, kind="deliver", state=state, created_at=now)
            add(StopJobRow, **whose, stop_id=stops[stop], job_id=job)
    with Session(engine) as session:
        for table, some in rows.items():
            session.execute(insert(table), some)
        session.commit()
    engine.dispose()
    return Fleet(settings, phones, links)
