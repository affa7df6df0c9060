"""Two depots, their drivers and some orders, on a database that several processes can open.

As a program: one worker that takes one planning run, until somebody kills it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlmodel import select

from hub import Point, RoutingStrategy, TravelTimes, hookimpl
from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Line
from hub.db.tables import (
    DepotRow,
    DriverRow,
    JobRow,
    PlanRow,
    RouteRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.locate import locate_new
from hub.flows.planning_run import solve_waiting
from hub.flows.sync import store_all
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.travel_crow import CrowTravelTimes
from tests.flows.slow_routing import SlowRouting

DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
NORTH, SOUTH = Point(60.20, 24.94), Point(60.16, 24.94)


class Plugin:
    __name__ = "planning"

    @hookimpl
    def hub_routing_strategies(self) -> list[type[RoutingStrategy]]:
        return [NearestRouting, SlowRouting]

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [CrowTravelTimes]


def open_hub(url: str, folder: Path) -> Hub:
    return Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=folder, url=url)


@dataclass
class Town:
    """``north`` and ``south`` are depots; the south has two drivers, the north one."""

    hub: Hub
    business_id: str
    north: str
    south: str

    def order(self, ref: str, at: Point | None, **more: object) -> str:
        """Take an order in; its last job's id."""
        self.orders({ref: at}, **more)
        return max(job.id for job in self.jobs())

    def orders(self, at: Mapping[str, Point | None], **more: object) -> None:
        made = [
            IncomingOrder(
                ref=ref,
                number=ref,
                updated_at=SIX,
                address=Address((f"Street {ref}",), city="Helsinki", country="FI"),
                point=point,
                **more,  # type: ignore[arg-type]
            )
            for ref, point in at.items()
        ]
        api = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, api, made)
        locate_new(self.hub, self.business_id)

    def stops(self) -> list[StopRow]:
        """In the order of their times."""
        with self.hub.reading() as session:
            rows = session.exec(select(StopRow).where(StopRow.business_id == self.business_id))
            return sorted(rows, key=lambda row: row.arrive_at)

    def jobs(self) -> list[JobRow]:
        return self._all(JobRow)

    def routes(self) -> list[RouteRow]:
        return self._all(RouteRow)

    def links(self) -> list[StopJobRow]:
        return self._all(StopJobRow)

    def run(self) -> PlanRow:
        [run] = self._all(PlanRow)
        return run

    def _all[R: (JobRow, RouteRow, StopJobRow, PlanRow)](self, table: type[R]) -> list[R]:
        with self.hub.reading() as session:
            rows = session.exec(select(table).where(table.business_id == self.business_id))
            return sorted(rows, key=lambda row: row.id)


def a_town(hub: Hub, capacity: dict[str, int] | None = None, skills: Sequence[str] = ()) -> Town:
    """``skills`` are those of the first southern driver, Mara."""
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    with hub.unit() as unit:
        depots = [
            DepotRow(business_id=business_id, name=name, lat=p.lat, lon=p.lon, strategy="nearest")
            for name, p in (("North", NORTH), ("South", SOUTH))
        ]
        unit.session.add_all(depots)
        unit.session.flush()
        for n, (name, depot) in enumerate((("Iris", 0), ("Mara", 1), ("Otso", 1)), 1):
            van = VehicleRow(business_id=business_id, name=f"Van {n}", capacity=capacity or {})
            unit.session.add(van)
            unit.session.flush()
            unit.session.add(
                DriverRow(
                    business_id=business_id,
                    name=name,
                    vehicle_id=van.id,
                    depot_id=depots[depot].id,
                    skills=list(skills) if name == "Mara" else [],
                    works={"0": ["08:00", "16:00"]},
                )
            )
    return Town(hub, business_id, depots[0].id, depots[1].id)


def near(depot: Point, n: int) -> Point:
    return Point(depot.lat + 0.001 * n, depot.lon + 0.002 * (n % 3))


def kilos(n: float) -> tuple[Line, ...]:
    return (Line("Flour", weight_g=round(n * 1000)),)


if __name__ == "__main__":
    print(solve_waiting(open_hub(sys.argv[1], Path(sys.argv[2]))), flush=True)
