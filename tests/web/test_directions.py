"""Turn by turn to a stop: for its driver, in their language, from where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlmodel import select
from werkzeug.test import TestResponse

from hub import TravelTimes, hookimpl
from hub.db.tables import BusinessRow, RouteRow, StopRow
from hub.plugins.travel_valhalla import ValhallaTravelTimes
from tests.board_worlds import Running, a_running_day
from tests.journeys.test_driver_phone import Day, day
from tests.phone_worlds import Screen, a_phone, driver_app

__all__ = ["day"]
STATION = {"lat": 60.1710, "lon": 24.9414}


class Turns:
    __name__ = "turns"

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [ValhallaTravelTimes]


class KnowsTheHour(ValhallaTravelTimes):
    key = "hourly"
    title = "Knows the hour"
    knows_traffic = True


class Knowing:
    __name__ = "knowing"

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [KnowsTheHour]


@pytest.fixture
def running(tmp_path: Path, helsinki: Path) -> Running:
    return a_running_day(tmp_path, map_dir=helsinki)


def ask(running: Running, stop: StopRow, phone: str = "Mara", **more: Any) -> TestResponse:
    client: FlaskClient = driver_app(running.hub).test_client()
    headers = {"Authorization": f"Bearer {running.phones[phone]}"}
    body = {"stop_id": stop.id, **more}
    return client.post("/driver/api/directions", json=body, headers=headers)


def test_a_driver_is_told_the_way_from_where_he_is_in_his_language(running: Running) -> None:
    first, second = running.stops("Mara")[:2]
    here = ask(running, first, **STATION, language="de-AT").get_json()
    assert here["turns"][1]["text"] == "Rechts auf Kaivokatu abbiegen."
    assert here["why"] == ""
    assert 100 < here["metres"] < 3000
    from_depot, from_first = ask(running, first).get_json(), ask(running, second).get_json()
    assert from_depot["turns"] != here["turns"]
    assert from_first["turns"]
    assert from_first != from_depot


def test_turns_take_as_long_as_the_plan_says_of_the_hour(running: Running) -> None:
    """Twice as long in the rush hour; a plugin that knows the hour is not slowed once more."""
    stop = running.stops("Mara")[0]
    free = ask(running, stop, **STATION).get_json()
    rule = {"first_day": 0, "last_day": 6, "begins_min": 0, "ends_min": 0, "factor": 2.0}
    with running.hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, stop.business_id)
        row.settings = {**row.settings, "rush_hours": [rule]}
    slow = ask(running, stop, **STATION).get_json()
    assert slow["seconds"] == pytest.approx(2 * free["seconds"], abs=1)
    assert (slow["metres"], slow["turns"]) == (free["metres"], free["turns"])
    running.hub.registry.add(Knowing(), "knowing")
    assert ask(running, stop, **STATION).get_json()["seconds"] == free["seconds"]


def test_another_driver_s_stop_and_a_strange_phone_get_nothing(running: Running) -> None:
    stop = running.stops("Mara")[0]
    assert ask(running, stop, "Otso").status_code == 404
    running.phones["nobody"] = "x" * 40
    assert ask(running, stop, "nobody").status_code == 401


@pytest.mark.parametrize(
    "more", [{"lat": 91, "lon": 0}, {"language": "'; drop"}, {"where": "home"}, {"stop_id": ""}]
)
def test_what_makes_no_sense_is_refused(running: Running, more: dict[str, Any]) -> None:
    assert ask(running, running.stops("Mara")[0], **more).status_code == 422


def test_off_the_map_the_driver_hears_what_else_there_is(running: Running) -> None:
    told = ask(running, running.stops("Mara")[0], lat=48.85, lon=2.35).get_json()
    assert (told["turns"], told["why"][-13:]) == ([], "Use Navigate.")


def test_a_route_that_was_taken_back_tells_no_way(running: Running) -> None:
    stop = running.stops("Mara")[0]
    with running.hub.unit() as unit:
        route = unit.session.exec(select(RouteRow).where(RouteRow.id == stop.route_id)).one()
        route.published_at = None
    assert ask(running, stop).status_code == 404


def test_turns_stand_under_the_next_stop_and_without_signal_it_says_so(
    day: Day, browser: Browser, helsinki: Path
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    summary = phone.page.locator("summary", has_text="Turn by turn").first
    summary.click()
    phone.sees("There are no directions here: the hub's map was built without them.")
    (day.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
    day.hub.registry.add(Turns(), "turns")
    summary.click()
    summary.click()
    phone.sees("Drive by what you see on the road.")
    assert phone.page.locator(".steps li").count() > 3
    for scheme in ("light", "dark"):
        phone.page.emulate_media(color_scheme=scheme)
        phone.is_fine(f"turns-{scheme}")
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.offline(True)
    summary.click()
    summary.click()
    phone.sees("There is no signal. Use Navigate, or close this and try again.")
    phone.context.close()
