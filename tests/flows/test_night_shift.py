"""A shift across midnight does what is to be done after midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point, TimeWindow
from hub.db.tables import DepotRow, DriverRow
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.overview import DaySeen, day_seen
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from tests.driving_worlds import DAY, SIX, Plugin

NEXT = DAY + timedelta(days=1)
HELSINKI = ZoneInfo("Europe/Helsinki")


class Town:
    """One depot, one driver; orders by their windows, in hours since the midnight before DAY."""

    def __init__(self, begins: str = "22:00", ends: str = "06:00") -> None:
        self.hub = Hub.in_memory(Plugin(), now=lambda: SIX)
        self.business_id = found(self.hub, "Husk", zone="Europe/Helsinki", country="FI")
        works = {str(day): [begins, ends] for day in range(7)}
        with self.hub.unit() as unit:
            depot = DepotRow(business_id=self.business_id, name="Bakery", lat=60.17, lon=24.94)
            unit.session.add(depot)
            unit.session.flush()
            about = {"business_id": self.business_id, "depot_id": depot.id, "works": works}
            unit.session.add(DriverRow(name="Mara", **about))

    def order(self, opens: int, closes: int, due_on: date | None = None) -> None:
        midnight = datetime.combine(DAY, datetime.min.time(), HELSINKI)
        window = TimeWindow(*(midnight + timedelta(hours=hour) for hour in (opens, closes)))
        order = IncomingOrder(
            ref="1",
            number="1",
            updated_at=SIX,
            address=Address(("Yrjönkatu 1",), city="Helsinki"),
            point=Point(60.171, 24.94),
            windows=(window,),
            due_on=due_on,
        )
        api = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, api, [order])

    def planned(self, day: date) -> DaySeen:
        plan_day(self.hub, self.business_id, day, strategy="nearest")
        return day_seen(self.hub, self.business_id, day)


@pytest.mark.parametrize("due_on", [None, NEXT], ids=["window", "window and day"])
def test_a_job_after_midnight_is_done_by_the_shift_that_began_the_evening_before(
    due_on: date | None,
) -> None:
    """Neither day's plan had room for it."""
    town = Town()
    town.order(25, 27, due_on)
    [route] = town.planned(DAY).routes
    [stop] = route.stops
    assert stop.arrive_at == datetime(2026, 11, 24, 1, tzinfo=HELSINKI)


def test_a_job_after_midnight_is_shown_with_the_evening_before_it_is_planned() -> None:
    town = Town()
    town.order(25, 27)
    [left_out] = day_seen(town.hub, town.business_id, DAY).left_out
    assert left_out.reason == "It is not planned yet."


def test_what_the_evening_took_is_not_planned_again_the_next_day() -> None:
    town = Town()
    town.order(25, 27)
    town.planned(DAY)
    assert town.planned(NEXT).left_out == ()


def test_where_nobody_works_at_night_a_window_after_midnight_waits_for_its_day() -> None:
    town = Town("08:00", "17:00")
    town.order(25, 27)
    assert town.planned(DAY).left_out == ()
    assert town.planned(NEXT).left_out


def test_before_noon_does_not_mean_in_the_night() -> None:
    town = Town()
    town.order(24, 36)
    assert town.planned(DAY).routes == ()
