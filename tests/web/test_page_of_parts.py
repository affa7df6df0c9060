"""What was added to the customer's page part by part reads as one page."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from hub.core.visibility import NEVER
from hub.db.tables import BrandRow
from hub.flows.brand import add_brand, brand_of
from hub.flows.order_story import order_story
from hub.flows.tracking_samples import samples
from tests import tracking_worlds as moments
from tests.browsers import in_a_while
from tests.tracking_worlds import Street
from tests.web.test_push_page import pushing
from tests.web.test_self_service import allow, failed, page_of
from tests.web.test_tracking_browser import served

WAIT, CHOOSE = "You need not do anything.", "Tell us below what should happen next."
CALENDAR, DO, NOTIFY = "/delivery.ics", 'id="do"', 'id="notify"'


def everything(street: Street) -> Street:
    street, _ = pushing(allow(street))
    street.change(BrandRow, email="hello@husk.example")
    return street


def test_who_may_say_what_follows_is_asked_to_and_who_may_not_is_told_to_wait() -> None:
    page = page_of(allow(failed()))
    assert CHOOSE in page and WAIT not in page
    page = page_of(allow(failed(), follows=[]))
    assert WAIT in page and CHOOSE not in page


def test_nothing_is_offered_that_would_come_too_late() -> None:
    assert CALENDAR in page_of(everything(moments.on_its_way()))
    arriving = page_of(everything(moments.arriving()))
    assert CALENDAR not in arriving and NOTIFY in arriving
    here = page_of(everything(moments.at_the_door()))
    assert not any(part in here for part in (CALENDAR, DO, NOTIFY))


def test_the_preview_hides_what_the_business_hides_and_shows_what_was_promised() -> None:
    street = moments.scheduled()
    street.sees(payment=NEVER)
    brand = brand_of(street.hub, street.business_id)
    pages = {one.key: one.page for one in samples(street.hub, street.business_id, brand)}
    assert not any(page.to_pay for page in pages.values())
    assert [len(pages[key].promised) for key in ("ordered", "scheduled", "rescheduled")] == [
        0,
        1,
        2,
    ]


def test_the_preview_shows_what_is_set_up_to_be_done_while_it_can_be_done() -> None:
    street = moments.scheduled()
    brand = brand_of(street.hub, street.business_id)
    pages = {one.key: one.page for one in samples(street.hub, street.business_id, brand)}
    for key in ("ordered", "scheduled", "rescheduled", "failed"):
        doing = pages[key].doing
        assert doing is not None and doing.can_choose_time, key
    failure = pages["failed"].card
    assert failure is not None and failure.lines[-1].startswith(CHOOSE)
    allow(street, allowed=[])
    pages = {one.key: one.page for one in samples(street.hub, street.business_id, brand)}
    failure = pages["failed"].card
    assert failure is not None and failure.lines[-1].startswith(WAIT)


def test_the_offer_to_notify_stands_below_the_status_and_outlives_a_new_state(
    browser: Browser,
) -> None:
    street = everything(moments.on_its_way())
    with served(street) as url:
        page = browser.new_page()
        page.clock.install()
        page.goto(f"{url}/t/{street.token}")
        offer = page.get_by_role("button", name="Notify me when it is close")
        expect(offer).to_be_visible()
        order = page.locator("main > *[id]").evaluate_all("all => all.map((one) => one.id)")
        assert order[order.index("status") + 1] == "notify"
        offer.evaluate("(button) => { button.dataset.mine = 'kept' }")
        for n in (2, 3):
            street.close(street.job_at(n), 1 + 3 * n)
        street.tell("head_for", street.job, 11)
        in_a_while(page, page.get_by_role("heading", name="Arriving now"))
        expect(page.locator("#notify button[data-mine=kept]")).to_be_visible()
        street.tell("arrive", street.job, 13)
        in_a_while(page, page.get_by_role("heading", name="The driver is at your door"))
        expect(offer).to_have_count(0)
        page.close()


def test_what_was_saved_is_said_where_it_is_seen_and_marked_on_its_button(browser: Browser) -> None:
    street = everything(moments.scheduled())
    street.clock(-120)
    with served(street) as url:
        page = browser.new_page(viewport={"width": 390, "height": 500})
        page.goto(f"{url}/t/{street.token}")
        button = page.locator("summary", has_text="Note or door code")
        expect(button).not_to_contain_text("✓")
        button.click()
        page.get_by_label("Code of the door or gate").fill("4711")
        page.locator("form:has(#note) button").click()
        expect(page.get_by_text("Saved: the driver sees it.")).to_be_in_viewport()
        expect(button).to_contain_text("✓")
        page.close()


def test_an_order_says_its_brand_once_there_are_several() -> None:
    street = moments.ordered()
    about = (street.hub, street.business_id, street.order.id)
    assert order_story(*about).brand == ""
    add_brand(street.hub, street.business_id, "Nordic Flowers", actor="staff:1")
    usual = brand_of(street.hub, street.business_id).name
    assert order_story(*about).brand == usual != "Nordic Flowers"
