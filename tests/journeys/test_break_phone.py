"""A driver rests: told by the phone, without signal too, and seen by the dispatcher."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlmodel import select

from hub.core.values import TimeWindow
from hub.db.tables import ActRow, RouteRow, ShiftRow
from hub.flows.breaks import breaks_of
from hub.flows.drive import pairing_code
from hub.flows.rests import rests_kept
from tests.journeys.test_reload_phone import a_small_van
from tests.phone_worlds import Screen, a_phone, driver_app, served


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_a_break_is_two_taps_without_signal_and_the_next_stop_ends_one_that_was_forgotten(
    scheme: str, tmp_path: Path, browser: Browser
) -> None:
    hub, ours, driver_id = a_small_van(tmp_path)
    began, late = hub.now() - timedelta(hours=1), hub.now() + timedelta(hours=3)
    with hub.unit() as unit:
        route = unit.session.exec(select(RouteRow)).one()
        route.rests = rests_kept([TimeWindow(late, late + timedelta(hours=1))])
    with served(driver_app(hub)) as url:
        code = lambda: pairing_code(hub, ours, driver_id)  # noqa: E731
        phone = Screen(a_phone(browser, scheme), url, code, name=f"{scheme}-")

        def at(minute: float) -> None:
            """By the phone's clock, after the shift began."""
            phone.page.clock.set_fixed_time(began + timedelta(minutes=minute))

        at(0)
        phone.pair()
        phone.start_shift()
        phone.is_fine("break-before")
        phone.offline(True)
        at(10)
        phone.press("Start break")
        phone.sees("On a break since")
        phone.is_fine("break")
        phone.page.reload()
        at(15)
        phone.press("End break")
        phone.sees("Start break")
        phone.offline(False)
        phone.open()
        phone.state("Online")
        expect(phone.page.locator("main")).to_contain_text(re.compile("Had a break .* · Break "))
        phone.is_fine("break-after")
        at(20)
        phone.press("Start break")
        phone.sees("On a break since")
        at(20 + 1 / 60)
        phone.press("End break")
        phone.sees("No break was noted: it ended as it began.")
        at(30)
        phone.press("Start break")
        phone.sees("On a break since")
        at(35)
        phone.press("Arrived")
        phone.sees("Not there yet")
        phone.sees("Start break")
        phone.state("Online")
        phone.context.close()
    with hub.reading() as session:
        kinds = [act.kind for act in session.exec(select(ActRow).order_by(ActRow.act_id))]
        [first, second] = breaks_of(session.exec(select(ShiftRow)).one())
    assert kinds.count("start_break") == kinds.count("end_break") == 3
    assert first.until and second.until and first.until <= second.since
