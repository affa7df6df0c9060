"""A van is lost at 10:40: three vans on the road, sixty stops, and one dispatcher at the board.

How long the new plan takes is printed, in CPU and wall seconds, and judged nowhere.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text
from sqlmodel import select

from hub import Message, NotificationChannel, hookimpl
from hub.core.fit import problems, timed
from hub.core.jobs import State
from hub.db.tables import (
    DepotRow,
    DriverRow,
    JobRow,
    NoticeRow,
    PromiseRow,
    RouteRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows.choices import choose
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import pair, pairing_code
from hub.flows.estimate import estimate_routes
from hub.flows.notice_send import send_due
from hub.flows.plan import plan_day
from hub.flows.route_now import laid, roads_for
from hub.flows.sync import store_all
from tests.board_worlds import DAY, SIX, STREETS, Running, a_running_day, an_order
from tests.web.test_board_browser import a_street, open_board

LOST_AT = SIX + timedelta(hours=4, minutes=40)
SHOTS = os.environ.get("HUB_TEST_SHOTS", "")


class Told:
    """What recipients hear, by pigeon."""

    def __init__(self, day: Running) -> None:
        took: list[Message] = []

        class Pigeon(NotificationChannel):
            key = "pigeon"
            title = "Pigeon"
            reaches = "nobody"

            def send(self, message: Message) -> str:
                took.append(message)
                return "coo"

        class Plugin:
            @hookimpl
            def hub_notification_channels(self) -> list[type[NotificationChannel]]:
                return [Pigeon]

        self.day, self.took = day, took
        day.hub.registry.add(Plugin(), "pigeons")
        choose(day.hub, day.business_id, "channel", "pigeon", {}, actor="staff:1")
        with day.hub.unit() as unit:
            unit.session.execute(text("UPDATE notice_rule SET channel = 'pigeon'"))

    def works(self) -> None:
        """The worker does what it does, twice."""
        for _ in range(2):
            estimate_routes(self.day.hub)
            for _ in range(3):
                self.day.hub.deliver_events()
            send_due(self.day.hub)


@pytest.fixture
def day(tmp_path: Path, helsinki: Path) -> Running:
    """Three vans with twenty stops each, an hour and more on the road."""
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    day = a_running_day(tmp_path, map_dir=helsinki, url=url, orders=2, published=False)
    day.now[0] = SIX
    with day.hub.unit() as unit:
        for van in unit.session.exec(select(VehicleRow)):
            van.capacity = {"parcels": 20}
        van = VehicleRow(business_id=day.business_id, name="I van", capacity={"parcels": 20})
        depot = unit.session.exec(select(DepotRow)).one()
        unit.session.add(van)
        unit.session.flush()
        driver = DriverRow(
            business_id=day.business_id,
            name="Ilta Mäki",
            depot_id=depot.id,
            vehicle_id=van.id,
            works={"0": ["08:00", "17:00"]},
        )
        unit.session.add(driver)
        day.drivers["Ilta"] = driver.id
    doors = [
        (f"{street} {n}", lat + n * 0.0007, lon + n * 0.0011)
        for n in range(8)
        for street, lat, lon in STREETS
    ]
    incoming = [
        replace(an_order(str(2000 + n), doors[n], "Aino", SIX), service_s=780) for n in range(58)
    ]
    store_all(day.hub, day.business_id, connection_id(day.hub, day.business_id, "api"), incoming)
    plan_day(day.hub, day.business_id, DAY, strategy="nearest")
    day.phones["Ilta"] = pair(day.hub, pairing_code(day.hub, day.business_id, driver.id)) or ""
    with day.hub.unit() as unit:
        for one in unit.session.exec(select(VehicleRow)):
            one.capacity = {"parcels": 45}
    for name in day.drivers:
        route = day.route(name)
        publish(day.hub, day.business_id, route.id, actor="staff:1", expected_version=route.version)
    return day


def drive_until(day: Running, told: Told) -> None:
    """All three do as planned until ten to eleven; what was to be told has been."""
    for name in day.drivers:
        leaves_at = day.route(name).leaves_at
        assert leaves_at
        day.now[0] = max(day.now[0], leaves_at)
        day.begin(name, at=leaves_at)
    done = [
        (stop.depart_at, name, job)
        for name in day.drivers
        for stop in day.stops(name)
        for job in day.jobs(stop)
        if stop.depart_at <= LOST_AT
    ]
    for at, name, job in sorted(done, key=lambda one: one[0]):
        day.now[0] = at
        day.says(name, "close", at, job, outcome="skipped", reason="other")
    day.now[0] = LOST_AT
    told.works()


def in_force(day: Running) -> dict[str, int]:
    """Job id -> how many promises were ever made to it."""
    with day.hub.reading() as session:
        return dict(Counter(session.exec(select(PromiseRow.job_id).where(PromiseRow.n > 0))))


def owners(day: Running) -> dict[str, str]:
    """Open job id -> the id of its driver."""
    with day.hub.reading() as session:
        return dict(
            session.exec(
                select(JobRow.id, RouteRow.driver_id)
                .join(StopJobRow, StopJobRow.job_id == JobRow.id)
                .join(StopRow, StopRow.id == StopJobRow.stop_id)
                .join(RouteRow, RouteRow.id == StopRow.route_id)
                .where(JobRow.state != State.CLOSED)
            ).all()
        )


def new_times(day: Running) -> Counter[str]:
    """Job id -> how often it was told a new time."""
    with day.hub.reading() as session:
        rows = session.exec(
            select(NoticeRow.job_id).where(
                NoticeRow.trigger == "new_time", NoticeRow.state == "sent"
            )
        )
        return Counter(id for id in rows if id)


def look(page: Page, name: str) -> None:
    """No sideways scrolling, nothing axe complains of; a picture, if asked for."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.mark.soak
def test_a_van_lost_in_the_morning_is_one_question_and_one_press(
    browser: Browser, day: Running
) -> None:
    told = Told(day)
    drive_until(day, told)
    was, before, heard = owners(day), in_force(day), new_times(day)
    with a_street(day) as street:
        page = open_board(browser, street)
        lane = page.locator('.lane[data-driver="Mara Aho"]')
        lane.get_by_role("link", name="Van or driver out").press("Enter")
        asked = page.locator("dialog")
        asked.get_by_label("Where it stands").fill("60.1672, 24.9401")
        wall, cpu = time.perf_counter(), time.process_time()
        asked.get_by_role("button", name="Show the ways out").press("Enter")
        share = asked.locator('[data-way="shared"]')
        expect(share.get_by_role("button")).to_be_visible(timeout=60_000)
        looked = time.perf_counter() - wall, time.process_time() - cpu
        for width, scheme in ((1280, "light"), (390, "dark"), (390, "light"), (1280, "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            look(page, f"van-out-{width}-{scheme}")
        wall, cpu = time.perf_counter(), time.process_time()
        share.get_by_role("button").press("Enter")
        expect(page.get_by_text("whoever is made late hears of it once")).to_be_visible()
        done = time.perf_counter() - wall, time.process_time() - cpu
        expect(page.get_by_text("takes over the load of M van").first).to_be_visible()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            look(page, f"board-after-{width}")
        assert page.complaints == []  # type: ignore[attr-defined]
    told.works()
    now = owners(day)
    moved = [id for id, driver in was.items() if now.get(id) != driver]
    fresh = new_times(day) - heard
    after = in_force(day)
    again = {id: after[id] - before.get(id, 0) for id in after if after[id] != before.get(id, 0)}
    print(
        f"\nways shown after {looked[0]:.1f} s ({looked[1]:.1f} s CPU), new plan out after"
        f" {done[0]:.1f} s ({done[1]:.1f} s CPU): {len(moved)} of {len(was)} stops moved,"
        f" {len(fresh)} customers told a new time, {sum(heard.values())} before it"
    )
    assert all(was[id] == day.drivers["Mara"] for id in moved)  # others keep their own
    assert len(now) == len(was)
    assert 0 < len(fresh) < len(was)  # some promises hold
    assert set(fresh.values()) == {1}
    assert again == dict(fresh)
    assert sound(day) == []


def sound(day: Running) -> list[Any]:
    """Every rule that a route would break now, beside promises that were told anew."""
    found: list[Any] = []
    for name in day.drivers:
        route = day.route(name)
        roads = roads_for(day.hub, day.business_id, [route.id])
        with day.hub.reading() as session:
            here = laid(session, day.business_id, route, roads).now
        found += [
            one for one in problems(timed(here, roads.travel, day.hub.now())) if not one.is_promise
        ]
    with day.hub.reading() as session:
        order = {
            job_id: (stop.route_id, stop.n)
            for stop, job_id in session.exec(
                select(StopRow, StopJobRow.job_id).join(
                    StopJobRow, StopJobRow.stop_id == StopRow.id
                )
            )
        }
        for fetch in session.exec(select(TakeOverRow)):
            stop = session.get_one(StopRow, fetch.stop_id)
            found += [id for id in fetch.job_ids if order[id] < (stop.route_id, stop.n)]
    return found
