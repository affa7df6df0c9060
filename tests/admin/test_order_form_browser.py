"""The order form as somebody fills it in: more times, where it is fetched, what is wrong with which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.db.tables import DepotRow, JobRow, OrderRow
from hub.web.staff import COOKIE
from tests.admin.desk import Desk, a_desk, a_hub, with_orders
from tests.admin.desk_browser import look, opened, served

NEW = "/panel/orders/new"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = a_desk(a_hub(None, tmp_path, url=f"sqlite:///{tmp_path / 'hub.db'}"))
    with desk.hub.unit() as unit:
        unit.session.add(DepotRow(business_id=desk.business_id, name="Far", lat=60.3, lon=24.9))
    return desk


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    with opened(desk, browser) as page:
        yield page


def test_another_time_is_asked_for_and_taken_away_again(desk: Desk, page: Page) -> None:
    page.goto(NEW)
    more = page.get_by_role("button", name="Another time that suits")
    second = page.get_by_role("group", name="Another time that suits")
    expect(second).to_have_count(0)
    page.get_by_label("Street and number", exact=True).fill("Mannerheimintie 14")
    page.get_by_label("Day", exact=True).fill("2026-11-24")
    page.locator("#opens").fill("09:00")
    more.click()
    expect(second).to_have_count(1)
    expect(page.locator("#day2")).to_be_focused()
    page.locator("#opens2").fill("14:00")
    more.click()
    page.locator("#opens3").fill("18:00")
    more.click()
    expect(more).to_be_hidden()
    second.nth(0).get_by_role("button", name="Remove").click()
    expect(page.locator("#opens2")).to_be_hidden()
    expect(more).to_be_focused()
    page.get_by_role("button", name="Take the order in").click()
    page.get_by_text("The order is in.").wait_for()
    [job] = desk.rows(JobRow)
    assert [opens[11:16] for opens, _ in job.windows] == ["09:00", "18:00"]


def test_without_scripts_the_rows_are_all_there(desk: Desk, browser: Browser) -> None:
    with served(desk.hub) as url:
        context = browser.new_context(base_url=url, java_script_enabled=False)
        context.add_cookies([{"name": COOKIE, "value": desk.token, "url": url}])
        page = context.new_page()
        page.goto(NEW)
        for n in (2, 3, 4):
            expect(page.locator(f"#opens{n}")).to_be_visible()
        expect(page.get_by_role("button", name="Remove")).to_have_count(0)
        page.get_by_label("Street and number", exact=True).fill("Mannerheimintie 14")
        page.get_by_label("Day", exact=True).fill("2026-11-24")
        page.locator("#opens3").fill("09:00")
        page.get_by_role("button", name="Take the order in").click()
        page.get_by_text("The order is in.").wait_for()
        context.close()
    [job] = desk.rows(JobRow)
    assert len(job.windows) == 1


@pytest.mark.soak
def test_the_form_its_slips_and_the_order_are_fit_to_look_at(desk: Desk, page: Page) -> None:
    with_orders(desk)
    page.goto(NEW)
    found = look(page, "order-new")
    page.get_by_text("Fetch it somewhere first").click()
    page.get_by_text("More for planning").click()
    for button in ("Another time that suits", "Another time to fetch it"):
        page.get_by_role("button", name=button).click()
    found += look(page, "order-new-open")
    for field, text in {
        "#day": "2026-11-24",
        "#opens": "09:00",
        "#closes": "08:00",
        "#day2": "2026-11-25",
        "#goods": "2 x Rye bread, 0.8 kg",
        "#fetch_name": "Eero",
        "#fetch_phone": "12",
        "#fetch_opens2": "12:00",
        "#fetch_closes2": "11:00",
        "#apart_from": "999",
        "#service_min": "long",
    }.items():
        page.locator(field).fill(text)
    page.get_by_role("button", name="Take the order in").click()
    page.get_by_text("Nothing was stored yet.").wait_for()
    slips = ("street", "closes", "opens2", "fetch_street", "fetch_phone", "fetch_closes2")
    for field in (*slips, "apart_from", "service_min"):
        expect(page.locator(f"#{field}-error")).to_be_visible()
    found += look(page, "order-new-slips")
    for field, text in {
        "#street": "Mannerheimintie 14",
        "#closes": "12:00",
        "#opens2": "15:00",
        "#fetch_street": "Kauppatori 1",
        "#fetch_phone": "040 765 4321",
        "#fetch_opens2": "",
        "#fetch_closes2": "",
        "#apart_from": "1001, 1002",
        "#service_min": "12",
    }.items():
        page.locator(field).fill(text)
    page.get_by_role("button", name="Take the order in").click()
    page.get_by_text("The order is in.").wait_for()
    found += look(page, "order-one")
    page.get_by_text("More for planning").click()
    page.get_by_label("Kept apart from").fill("7")
    page.get_by_role("button", name="Keep them apart").click()
    page.get_by_text("There is no order 7.").wait_for()
    found += look(page, "order-one-slip")
    page.goto("/panel/import")
    page.get_by_text("Columns you can add").click()
    found += look(page, "import-columns")
    assert found == []
    assert len(desk.rows(OrderRow)[-1].report["apart_from"]) == 2


FILE = """Order no;Name;Address;Delivery date;Delivery window;Fetch at;Fetch from;Fetch window;Kept apart from
2001;Aino Laine;Mannerheimintie 14, Helsinki;2026-11-23;"09:00-11:00; 15:00-18:00";Kauppatori 1, Helsinki;Eero;08:00-08:30;
2002;Oona Saari;Yrjönkatu 10, Helsinki;2026-11-23;"09:00-11:00; 18:00-15:00";;Leo;;2001
2003;Leo Niemi;Aleksanterinkatu 21, Helsinki;2026-11-23;"09:00-11:00; 15:00-18:00";"Kauppatori 1, Helsinki";Eero;"08:00-08:30; noonish";2001, 2003
"""


@pytest.mark.soak
def test_a_file_with_several_times_and_doors_is_fit_to_look_at(desk: Desk, page: Page) -> None:
    page.goto("/panel/import")
    file = {"name": "day.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("What is wrong, row by row").wait_for()
    assert look(page, "import-preview") == []
