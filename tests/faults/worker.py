"""Takes orders in one by one and plans the day, saying what it has done. Killed by its test."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point
from hub.flows.connections import connection_id
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from hub.settings import Settings

DAY = date(2026, 11, 23)


def main(folder: Path, business_id: str, count: int) -> None:
    hub = Hub.from_settings(
        replace(
            Settings.from_environment({}),
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'hub.db'}",
        )
    )
    api = connection_id(hub, business_id, "api")
    print("ready", flush=True)
    for n in range(count):
        order = IncomingOrder(
            ref=f"R{n}",
            number=f"R{n}",
            updated_at=datetime(2026, 11, 23, 5, tzinfo=UTC),
            address=Address((f"Street {n}",)),
            point=Point(60.15 + n / 1000, 24.9 + n / 1000),
        )
        store_all(hub, business_id, api, [order])
        print(order.ref, flush=True)
    plan_day(hub, business_id, DAY, strategy="nearest")
    print("planned", flush=True)


main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
