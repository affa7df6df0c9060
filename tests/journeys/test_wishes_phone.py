"""What a customer said on the page is on the driver's phone, without signal too."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, expect
from sqlmodel import select

from hub.app import Hub
from hub.db.tables import BusinessRow, JobRow, LinkRow, StopJobRow, StopRow
from hub.flows.drive import pairing_code
from hub.flows.self_service import say_door, say_leave
from tests.journeys.test_reload_phone import a_small_van
from tests.phone_worlds import Screen, a_phone, a_photo, driver_app, served


def test_a_note_a_code_and_a_place_are_there_in_a_cellar_and_the_proof_is_that_place_s(
    browser: Browser, tmp_path: Path
) -> None:
    hub, ours, driver_id = a_small_van(tmp_path)
    with hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, ours)
        business.settings = {**business.settings, "demands": ["signature", "name"]}
    with hub.reading() as session:
        job = session.exec(
            select(JobRow)
            .join(StopJobRow, StopJobRow.job_id == JobRow.id)
            .join(StopRow, StopRow.id == StopJobRow.stop_id)
            .order_by(StopRow.n)
        ).first()
        assert job is not None
        link = session.exec(select(LinkRow).where(LinkRow.order_id == job.order_id)).one()
    token = hub.keys.link_token(job.order_id, link.epoch)
    with served(driver_app(hub)) as url:
        phone = Screen(a_phone(browser), url, lambda: pairing_code(hub, ours, driver_id))
        phone.pair()
        say_door(hub, token, "Ring <b>twice</b>", "4711#", forget_code=False, n=0)
        say_leave(hub, token, "safe_place", "Shed behind the house", n=2)
        later = other_times(hub, job.id)
        phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        phone.page.reload()
        phone.sees("Shed behind the house")
        phone.offline(True)
        phone.page.reload()
        phone.page.get_by_role("listitem").get_by_role("link").first.click()
        said = phone.page.locator("main [data-wish]")
        expect(said).to_contain_text("Ring <b>twice</b>")
        expect(said).to_contain_text("4711#")
        expect(said).to_contain_text("leave it: Shed behind the house")
        expect(phone.page.locator("main")).to_contain_text(f"or {later}")
        phone.offline(False)
        phone.page.goto(f"{url}/driver/#/")
        phone.press("I have seen it")
        phone.press("Start shift")
        phone.sees("5 of 5 stops left")
        phone.page.goto(f"{url}/driver/#/close/{job.id}/done")
        needed = phone.page.get_by_role("list", name="Still needed")
        expect(needed).to_contain_text("Photo")
        expect(needed).not_to_contain_text("ignature")
        phone.page.set_input_files("input[type=file]", a_photo(tmp_path / "shed.jpg"))
        phone.page.locator(".finish button").click()
        phone.sees("4 of 5 stops left")
        phone.state("Online")
        assert phone.problems == []
        phone.context.close()
    with hub.reading() as session:
        closed = session.exec(select(JobRow).where(JobRow.id == job.id)).one()
    assert closed.outcome == "succeeded"


def other_times(hub: Hub, job_id: str) -> str:
    """From now on the job may be done today, or in an hour of another day, which is returned as the
    phone says it.
    """
    hour = timedelta(hours=1)
    now = hub.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    later = now + 48 * hour
    with hub.unit() as unit:
        job = unit.session.get_one(JobRow, job_id)
        job.windows = [
            [opens.isoformat(), closes.isoformat()]
            for opens, closes in ((now - hour, now + 20 * hour), (later, later + hour))
        ]
        business = unit.session.get_one(BusinessRow, job.business_id)
        there = later.astimezone(ZoneInfo(business.zone))
    return f"{there:%a %H:%M}–{there + hour:%H:%M}"
