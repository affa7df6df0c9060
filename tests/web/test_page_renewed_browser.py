"""What changes while somebody has the page open reaches them, whichever part of it it is."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from hub.core.jobs import NextStep
from hub.db.tables import LineRow, PromiseRow
from hub.flows.kept_goods import note_fetched
from hub.flows.next_steps import choose_step
from tests import tracking_worlds as moments
from tests.browsers import in_a_while
from tests.tracking_worlds import Street, branded
from tests.web.test_self_service import allow, failed
from tests.web.test_tracking_browser import served


def opened(browser: Browser, url: str, street: Street) -> Page:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.clock.install()
    page.goto(f"{url}/t/{street.token}")
    page.evaluate("window.never_left = true")
    return page


def test_promises_goods_and_what_can_be_done_change_on_an_open_page(browser: Browser) -> None:
    street = branded(allow(moments.scheduled()))
    street.clock(-120)
    with served(street) as url:
        page = opened(browser, url, street)
        about, can = page.locator("#about"), page.locator("#do")
        expect(about).to_contain_text("Sourdough loaf")
        expect(can).to_contain_text("Choose another time")
        job_id = street.job.id
        with street.hub.unit() as unit:
            for line in unit.session.exec(select(LineRow)):
                line.title = "Cinnamon roll"
            [first] = unit.session.exec(select(PromiseRow).where(PromiseRow.job_id == job_id)).all()
            unit.session.add(
                PromiseRow(
                    **first.model_dump(exclude={"id", "n", "told_by"}), n=2, told_by="notice"
                )
            )
        street.settings(self_service={"allowed": ["note"]})
        in_a_while(page, about.get_by_text("Cinnamon roll"))
        expect(about.get_by_text("told on")).to_have_count(2)
        expect(can).not_to_contain_text("Choose another time")
        assert page.evaluate("window.never_left")
        page.close()


def test_what_follows_a_failure_reaches_the_page_that_said_it(browser: Browser) -> None:
    street = branded(allow(failed()))
    about = (street.hub, street.business_id, street.job.id)
    with served(street) as url:
        page = opened(browser, url, street)
        expect(page.get_by_text("What should happen next?").first).to_be_visible()
        choose_step(*about, NextStep.COLLECT, actor="staff:1")
        in_a_while(page, page.get_by_text("You can collect it here:"))
        note_fetched(*about, actor="staff:1")
        in_a_while(page, page.get_by_role("heading", name="Collected"))
        expect(page.get_by_text("You can collect it here:")).to_have_count(0)
        assert page.evaluate("window.never_left")
        page.close()
