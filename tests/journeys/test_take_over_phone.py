"""The phone of who takes a load over, and of whose load it was."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser
from sqlmodel import select

from hub.core.jobs import State
from hub.core.values import Point
from hub.db.tables import DriverRow, JobRow, RouteRow, StopJobRow, StopRow, TakeOverRow
from hub.flows.drive import pairing_code
from hub.flows.rescue_ways import Happened, ways_out
from hub.flows.van_out import take_way
from tests.journeys.test_driver_phone import Day, day
from tests.phone_worlds import Screen, a_phone

__all__ = ["day"]
AT = Point(60.1668, 24.9420)


def taken_by(day: Day, driver_id: str) -> list[JobRow]:
    with day.hub.reading() as session:
        return list(
            session.exec(
                select(JobRow)
                .join(StopJobRow, StopJobRow.job_id == JobRow.id)
                .join(StopRow, StopRow.id == StopJobRow.stop_id)
                .join(RouteRow, RouteRow.id == StopRow.route_id)
                .where(RouteRow.driver_id == driver_id, JobRow.kind == "deliver")
            )
        )


def test_a_load_is_taken_over_without_signal_and_the_other_phone_says_who_has_it(
    day: Day, browser: Browser, tmp_path: Path
) -> None:
    mara = Screen(a_phone(browser), day.url, day.code)
    mara.pair()
    mara.start_shift()
    [route] = day.rows(RouteRow)
    with day.hub.unit() as unit:
        otso = DriverRow(business_id=day.business_id, name="Otso Salo", depot_id=route.depot_id)
        unit.session.add(otso)
    out = ways_out(day.hub, day.business_id, route.id, Happened.VAN, AT)
    take_way(
        day.hub,
        day.business_id,
        route.id,
        f"to:new:{otso.id}",
        happened=Happened.VAN,
        at=AT,
        actor="staff:1",
        versions=out.scene.versions,
    )
    mara.page.reload()
    mara.sees("The dispatcher ended this round: Otso Salo took over what was left.")
    mara.is_fine("van-out-mara")
    mara.context.close()

    phone = Screen(
        a_phone(browser, "dark"),
        day.url,
        lambda: pairing_code(day.hub, day.business_id, otso.id),
    )
    phone.pair()
    phone.sees("Take over the load of Mara Ilves's vehicle")
    phone.start_shift()
    phone.is_fine("van-out-otso")
    assert phone.page.get_by_role("button", name="All loaded").count() == 0
    phone.offline(True)
    phone.press("Load taken over")
    phone.sees("Taken over")
    assert {job.state for job in taken_by(day, otso.id)} == {State.DISPATCHED}
    phone.offline(False)
    phone.state("Online")
    [fetch] = day.rows(TakeOverRow)
    assert fetch.done_at is not None
    assert {job.state for job in taken_by(day, otso.id)} == {State.LOADED}
    phone.is_fine("van-out-otso-taken")
    phone.context.close()
