"""The forms in a real browser: accessible, light, kept while typed, whole without a script.

``HUB_TEST_SHOTS`` names a folder that gets a picture of each.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from hub.db.tables import BrandRow, BusinessRow, WishRow
from tests import tracking_worlds as moments
from tests.browsers import in_a_while
from tests.tracking_worlds import Street, branded
from tests.web.test_self_service import allow, failed
from tests.web.test_tracking import LIGHTEST, client_of
from tests.web.test_tracking_browser import LOOKS, Watch, served, shoot

Look = Callable[[Page], None]


def a_street(moment: Callable[[], Street]) -> Street:
    street = branded(allow(moment()))
    street.change(BrandRow, email="hello@husk.example")
    if moment is moments.scheduled:
        street.clock(-120)
    return street


def as_they_are(page: Page) -> None:
    for one in page.locator("#do details").all():
        one.evaluate("(details) => { details.open = true }")


def wrong(page: Page) -> None:
    page.locator("summary", has=page.locator("text=/home|Hause|المنزل/")).click()
    page.locator("input[value=safe_place]").check()
    page.locator("form:has(#where-left) button").click()
    page.locator("#where-wrong").wait_for()


SEEN: dict[str, tuple[Callable[[], Street], str, Look]] = {
    "forms": (moments.scheduled, "", as_they_are),
    "forms on the road": (moments.on_its_way, "", as_they_are),
    "wrong": (moments.scheduled, "", wrong),
    "failed": (failed, "", as_they_are),
    "times": (moments.scheduled, "/times", as_they_are),
    "cancel": (moments.scheduled, "/cancel", as_they_are),
}


@pytest.mark.parametrize(("scheme", "language"), LOOKS)
@pytest.mark.parametrize("which", SEEN)
def test_the_forms_are_accessible_quiet_and_light_in_every_language(
    browser: Browser, which: str, scheme: Literal["light", "dark"], language: str
) -> None:
    moment, path, look = SEEN[which]
    street = a_street(moment)
    street.change(BusinessRow, language=language)
    body = client_of(street).get(f"/t/{street.token}{path}").data
    assert len(gzip.compress(body)) <= LIGHTEST
    with served(street) as url:
        for width in (390, 1280):
            page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
            watch = Watch(page)
            page.goto(f"{url}/t/{street.token}{path}")
            look(page)
            found = Axe().run(page).response["violations"]
            assert [one["id"] for one in found] == []
            assert watch.complaints == []
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
            shoot(page, f"self-service-{which}-{language}-{scheme}-{width}")
            page.close()


def test_what_is_being_typed_stays_when_the_page_goes_on(browser: Browser) -> None:
    street = a_street(moments.on_its_way)
    with served(street) as url:
        page = browser.new_page()
        page.clock.install()
        page.goto(f"{url}/t/{street.token}")
        page.get_by_text("Note or door code for the driver").click()
        page.get_by_label("Note for the driver").fill("Ring twice")
        street.close(street.job_at(2), 8)
        in_a_while(page, page.get_by_text("1 stop before you."))
        street.close(street.job_at(3), 10)
        street.tell("head_for", street.job, 11)
        in_a_while(page, page.get_by_role("heading", name="Arriving now"))
        assert page.locator("#note").input_value() == "Ring twice"
        page.close()


def test_all_of_it_works_without_javascript(browser: Browser) -> None:
    street = a_street(moments.scheduled)
    with served(street) as url:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{url}/t/{street.token}")
        expect(page.locator("#do details").first).to_be_hidden()  # this page loads itself anew
        page.get_by_role("link", name="Notes and wishes for the driver").click()
        assert "http-equiv" not in page.content()
        page.get_by_text("Note or door code for the driver").click()
        page.get_by_label("Note for the driver").fill("Ring twice")
        page.get_by_label("Code of the door or gate").fill("4711")
        page.locator("form:has(#note) button").click()
        expect(page.get_by_role("status").first).to_have_text("Saved: the driver sees it.")
        page.get_by_role("link", name="Choose another time").click()
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Take this time").click()
        expect(page.get_by_text("Saved: the time is yours.")).to_be_visible()
        page.get_by_role("link", name="Cancel the order").click()
        page.get_by_role("button", name="Yes, cancel it").click()
        expect(page.get_by_role("heading", name="This delivery is cancelled")).to_be_visible()
        context.close()
    with street.hub.reading() as session:
        wishes = session.exec(select(WishRow).order_by(WishRow.n)).all()
    assert [one.kind for one in wishes] == ["note", "access_code", "another_slot", "cancel"]


def test_where_is_asked_only_of_what_is_left_somewhere(browser: Browser) -> None:
    for moment, summary, elsewhere, place, field in (
        (moments.scheduled, "If nobody is home", "in_person", "safe_place", "#where-left"),
        (moments.scheduled, "If nobody is home", "in_person", "neighbour", "#where-left"),
        (failed, "What should happen next?", "return", "safe_place", "#next-where"),
    ):
        street = a_street(moment)
        with served(street) as url:
            page = browser.new_page(java_script_enabled=False)
            page.goto(f"{url}/t/{street.token}?do=1")
            page.locator("summary", has_text=summary).click()
            page.locator(f"input[value={elsewhere}]").check()
            expect(page.locator(field)).to_be_hidden()
            page.locator(f"input[value={place}]").check()
            expect(page.locator(field)).to_be_visible()
            page.close()
