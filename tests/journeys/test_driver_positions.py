"""The driver's page tells where it is: on shift, whatever the signal does, and never else.

``HUB_TEST_SHOTS`` names a folder that gets pictures.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlmodel import select

from hub.db.tables import RouteRow, ShiftRow
from hub.flows.pairing import pairing_code
from hub.live.store import Positions, StoredFix
from tests.front_worlds import served
from tests.live_worlds import LiveMorning, a_live_morning
from tests.phone_worlds import a_phone, driver_app

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
SHARED = "Position shared until the shift ends."
WATCHED = """
const watch = navigator.geolocation.watchPosition.bind(navigator.geolocation);
navigator.geolocation.watchPosition = (...given) => {
  window.isWatched = true;
  return watch(...given);
};
"""


class Rider:
    """A paired phone before its shift; the hub's clock is the browser's."""

    def __init__(self, day: LiveMorning, phone: BrowserContext, url: str) -> None:
        self.day, self.phone, self.url = day, phone, url
        self.page: Page = phone.pages[0] if phone.pages else phone.new_page()
        self.positions = Positions.open(day.hub.settings)
        self.page.add_init_script(WATCHED)
        code = pairing_code(day.hub, day.morning.business_id, day.morning.drivers[0])
        self.page.goto(f"{url}/driver/pair#{code}")
        self.page.get_by_role("button", name="Start shift").wait_for()

    def begins(self) -> None:
        self.page.get_by_role("button", name="Start shift").click()
        while not self.page.evaluate("window.isWatched"):
            self.page.wait_for_timeout(50)
        self.is_at(60.11, 24.9)  # a place from before the shift is nobody's business
        expect(self.page.get_by_text(SHARED)).to_be_visible()

    def is_at(self, lat: float, lon: float) -> None:
        self.phone.set_geolocation({"latitude": lat, "longitude": lon, "accuracy": 8})

    def fixes(self) -> list[StoredFix]:
        business = self.day.morning.business_id
        return [
            one
            for last in self.positions.last(business)
            for one in self.positions.track(business, last.device_id, 0, 2**53)
        ]

    def lats(self, at_least: int, within_s: float = 90) -> list[float]:
        until = time.monotonic() + within_s
        while len(found := [fix.lat for fix in self.fixes()]) < at_least:
            assert time.monotonic() < until, found
            self.page.wait_for_timeout(200)
        return found

    def notes(self, lat: float) -> None:
        """Wait until the phone has kept that it was there; it is without signal."""
        until = time.monotonic() + 60
        while lat not in (found := self.kept()):
            assert time.monotonic() < until, found
            self.page.wait_for_timeout(100)

    def waiting(self) -> int:
        return len(self.kept())

    def kept(self) -> list[float]:
        """The latitudes that wait on the phone."""
        lats = """() => new Promise((done) => {
          const asked = indexedDB.open("hub-driver-fixes");
          asked.onsuccess = () => {
            const all = asked.result.transaction("fixes").objectStore("fixes").getAll();
            all.onsuccess = () => { asked.result.close(); done(all.result.map((one) => one.lat)); };
          };
        })"""
        return list(self.page.evaluate(lats))

    def shoot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@contextmanager
def riding(browser: Browser, tmp_path: Path, scheme: str = "light") -> Iterator[Rider]:
    with a_live_morning(f"sqlite:///{tmp_path / 'hub.db'}", begun=False) as day:
        now = datetime.now(UTC)
        with day.hub.unit() as unit:
            shift = unit.session.exec(select(ShiftRow)).one()
            shift.starts_at, shift.ends_at = now - timedelta(hours=1), now + timedelta(hours=8)
            shift.day = unit.session.exec(select(RouteRow)).one().day = now.date()
        day.hub.now = lambda: datetime.now(UTC)  # type: ignore[method-assign]
        day.morning.now[0] = now
        day.served.live.taking.now = lambda: datetime.now(UTC)
        with served(driver_app(day.hub), day.served.at) as url:
            phone = a_phone(browser, scheme)
            phone.grant_permissions(["geolocation"], origin=url)
            phone.set_geolocation({"latitude": 60.1, "longitude": 24.9, "accuracy": 8})
            try:
                yield Rider(day, phone, url)
            finally:
                phone.close()


def test_a_phone_on_shift_tells_where_it_is_and_says_so(browser: Browser, tmp_path: Path) -> None:
    with riding(browser, tmp_path) as rider:
        rider.page.wait_for_timeout(3000)
        assert rider.fixes() == []
        rider.begins()
        rider.page.wait_for_timeout(5500)
        rider.is_at(60.2, 24.9)
        assert rider.lats(2)[:2] == [60.11, 60.2]
        seqs = [fix.seq for fix in rider.fixes()]
        assert seqs == sorted(set(seqs))
        rider.shoot("driver-shared-390")


@pytest.mark.soak
def test_what_was_noted_without_signal_arrives_once_there_is_some(
    browser: Browser, tmp_path: Path
) -> None:
    with riding(browser, tmp_path, "dark") as rider:
        rider.begins()
        rider.phone.set_offline(True)
        for lat in (60.3, 60.4):
            rider.page.wait_for_timeout(5500)  # closer together says nothing new
            rider.is_at(lat, 24.9)
            rider.notes(lat)
        expect(rider.page.get_by_text("wait on this phone")).to_be_visible()
        rider.shoot("driver-offline-390")
        assert rider.waiting() >= 2
        rider.page.reload()  # the page comes from the phone, and so do its fixes
        rider.page.locator("#sharing").wait_for()
        assert rider.waiting() >= 2
        rider.phone.set_offline(False)
        assert {60.3, 60.4} <= set(rider.lats(3))
        expect(rider.page.get_by_text(SHARED)).to_be_visible()
        until = time.monotonic() + 60
        while rider.waiting():  # the last are forgotten after the hub has them
            assert time.monotonic() < until
            rider.page.wait_for_timeout(100)


def test_after_the_shift_nothing_is_noted(browser: Browser, tmp_path: Path) -> None:
    with riding(browser, tmp_path) as rider:
        rider.begins()
        rider.page.get_by_role("link", name="End shift early").click()
        rider.page.get_by_role("button", name="End shift now").click()
        expect(rider.page.locator("#sharing")).to_have_count(0)
        before = len(rider.fixes())
        rider.page.wait_for_timeout(5500)
        rider.is_at(60.5, 24.9)
        rider.page.wait_for_timeout(2000)
        assert rider.waiting() == 0
        assert len(rider.fixes()) == before
